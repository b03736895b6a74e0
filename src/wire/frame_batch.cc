#include "wire/frame_batch.h"

#include <algorithm>
#include <variant>

#include "wire/codec.h"

namespace lh::wire {

FrameStatus FrameBatch::parse(std::string_view unread) {
  count_ = 0;
  const FrameStatus status = add(unread);
  if (status != FrameStatus::kFrame) return status;
  if (!std::holds_alternative<core::Request>(entries_[0].message)) return status;
  while (count_ < kMax) {
    unread.remove_prefix(entries_[count_ - 1].size);
    if (add(unread) != FrameStatus::kFrame) break;
  }
  return status;
}

FrameStatus FrameBatch::add(std::string_view unread) {
  const Frame frame = next_frame(unread);
  if (frame.status == FrameStatus::kBad) error_ = frame.error;
  if (frame.status != FrameStatus::kFrame) return frame.status;
  if (count_ > 0 && frame.type != MessageType::kRequest) return FrameStatus::kNeedMore;
  if (count_ == entries_.size()) entries_.resize(std::max<size_t>(2 * entries_.size(), 1));
  Entry& entry = entries_[count_];
  if (const Status status = decode(frame, &entry.message); !status.ok()) {
    error_ = status.message();
    return FrameStatus::kBad;
  }
  entry.routing = frame.routing;
  entry.size = frame.size;
  ++count_;
  return FrameStatus::kFrame;
}

}  // namespace lh::wire
