#include "wire/resp_batch.h"

namespace lh::wire {

void RespBatch::executed(size_t count) {
  if (count < entries_.size()) parser_.forget();
}

void RespBatch::add(std::string_view unread, size_t at) {
  const RespArgs args = parser_.args();
  Entry& entry = entries_.emplace_back();
  entry.size = parser_.size();
  entry.command = find_resp_command(args[0]);
  if (!parser_.in_place() || args.size() > kArgsMax) {
    entry.args = args;
    return;
  }
  const size_t first = places_.size();
  for (size_t k = 0; k < args.size(); ++k) {
    places_.push_back({args.place(k).at, args.place(k).size});
  }
  entry.args = RespArgs(unread.data() + at, places_.data() + first, args.size());
}

RespStatus RespBatch::parse(std::string_view unread) {
  entries_.clear();
  places_.clear();
  entries_.reserve(kRequestsMax);
  places_.reserve(kRequestsMax * kArgsMax);  // so that the places stay where they are
  size_t at = 0;
  while (entries_.size() < kRequestsMax) {
    const RespStatus status = parser_.next(unread.substr(at));
    switch (status) {
      case RespStatus::kNeedMore:
        return entries_.empty() ? status : RespStatus::kRequest;
      case RespStatus::kBad:
        // What is in front of it is executed first; then it is found again.
        if (!entries_.empty()) return RespStatus::kRequest;
        return status;
      case RespStatus::kBlank:
        entries_.emplace_back().size = parser_.size();
        break;
      case RespStatus::kRequest: {
        const bool alone = !parser_.in_place() || parser_.args().size() > kArgsMax;
        if (alone && !entries_.empty()) {
          parser_.forget();
          return status;
        }
        add(unread, at);
        if (alone) return status;
        break;
      }
    }
    at += parser_.size();
  }
  return RespStatus::kRequest;
}

}  // namespace lh::wire
