#include "core/owned_message.h"

#include <cstring>

namespace lh::core {

OwnedMessage::OwnedMessage(const Request& request) : message_(request) {
  Request& mine = std::get<Request>(message_);
  adopt({&mine.from.listener, &mine.key, &mine.value, &mine.args});
}

OwnedMessage::OwnedMessage(const Scan& scan) : message_(scan) {
  Scan& mine = std::get<Scan>(message_);
  adopt({&mine.client.listener, &mine.pattern});
}

OwnedMessage::OwnedMessage(const Register& registration) : message_(registration) {
  Register& mine = std::get<Register>(message_);
  adopt({&mine.from.listener, &mine.address});
}

void OwnedMessage::adopt(std::initializer_list<std::string_view*> views) {
  for (const std::string_view* view : views) size_ += view->size();
  bytes_ = std::make_unique<char[]>(size_);
  char* p = bytes_.get();
  for (std::string_view* view : views) {
    if (!view->empty()) std::memcpy(p, view->data(), view->size());
    *view = {p, view->size()};
    p += view->size();
  }
}

}  // namespace lh::core
