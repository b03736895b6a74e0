#include "wire/resp_batch.h"

#include <algorithm>

namespace lh::wire {

void RespBatch::executed(size_t count) {
  if (count < count_) parser_.forget();
}

RespBatch::Entry& RespBatch::add() {
  if (count_ == entries_.size()) {
    entries_.resize(std::max<size_t>(2 * entries_.size(), 1));
    places_.resize(entries_.size() * kOrdinaryArgs);
    for (size_t k = 0; k < count_; ++k)
      entries_[k].args.move_to(places_.data() + k * kOrdinaryArgs);
  }
  return entries_[count_++];
}

bool RespBatch::take_ordinary(std::string_view unread, size_t* at) {
  const std::string_view rest = unread.substr(*at);
  Entry& entry = add();
  RespArgs::Place* const places = places_.data() + (count_ - 1) * kOrdinaryArgs;
  size_t count = 0;
  entry.size = wire::take_ordinary(rest, places, &count);
  if (entry.size == 0) {
    --count_;
    return false;
  }
  entry.args = RespArgs(rest.data(), places, count);
  entry.command = find_resp_command(entry.args[0]);
  entry.c.reset();
  *at += entry.size;
  return true;
}

// What is not ordinary, as a batch of its own.
RespStatus RespBatch::take_any(std::string_view unread) {
  const RespStatus status = parser_.next(unread);
  if (status != RespStatus::kRequest && status != RespStatus::kBlank) return status;
  Entry& entry = add();
  entry = Entry();
  entry.size = parser_.size();
  if (status == RespStatus::kRequest) {
    entry.args = parser_.args();
    entry.command = find_resp_command(entry.args[0]);
  }
  return status;
}

RespStatus RespBatch::parse(std::string_view unread) {
  count_ = 0;
  if (unread.empty()) return RespStatus::kNeedMore;
  size_t at = 0;
  if (!parser_.has_begun()) {
    while (at < unread.size() && count_ < kRequestsMax && take_ordinary(unread, &at)) {
    }
  }
  return count_ > 0 ? RespStatus::kRequest : take_any(unread);
}

}  // namespace lh::wire
