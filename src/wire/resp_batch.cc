#include "wire/resp_batch.h"

#include <algorithm>

namespace lh::wire {

void RespBatch::executed(size_t count) {
  if (count < count_) parser_.forget();
}

void RespBatch::grow() {
  entries_.resize(std::max<size_t>(2 * entries_.size(), 1));
  places_.resize(entries_.size() * kOrdinaryArgs);
  for (size_t k = 0; k < count_; ++k) entries_[k].args.move_to(places_.data() + k * kOrdinaryArgs);
}

// Adds the request that starts at *at, if it is ordinary.
inline bool RespBatch::take_ordinary(std::string_view unread, size_t* at) {
  if (count_ == entries_.size()) grow();
  const std::string_view rest(unread.data() + *at, unread.size() - *at);
  RespArgs::Place* const places = places_.data() + count_ * kOrdinaryArgs;
  size_t count = 0;
  const size_t size = wire::take_ordinary(rest, places, &count);
  if (size == 0) return false;
  Entry& entry = entries_[count_++];
  entry.size = size;
  entry.args = RespArgs(rest.data(), places, count);
  entry.command = find_resp_command(entry.args[0]);
  entry.c.reset();
  *at += size;
  return true;
}

// What is not ordinary, as a batch of its own.
RespStatus RespBatch::take_any(std::string_view unread) {
  const RespStatus status = parser_.next(unread);
  if (status != RespStatus::kRequest && status != RespStatus::kBlank) return status;
  if (count_ == entries_.size()) grow();
  Entry& entry = entries_[count_++];
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
