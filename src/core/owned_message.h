// OwnedMessage: a Request, Scan or Register together with the bytes that it borrows, for whoever
// keeps one beyond the step that brought it. Moving it leaves the views valid.
#pragma once

#include <memory>

#include "core/message.h"

namespace lh::core {

class OwnedMessage {
 public:
  explicit OwnedMessage(const Request& request);
  explicit OwnedMessage(const Scan& scan);
  explicit OwnedMessage(const Register& registration);

  const Message& message() const { return message_; }
  Message& message() { return message_; }
  size_t borrowed_bytes() const { return size_; }

 private:
  void adopt(std::initializer_list<std::string_view*> views);

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  Message message_;
};

}  // namespace lh::core
