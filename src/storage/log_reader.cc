#include "storage/log_reader.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "storage/file_names.h"
#include "storage/frame_reader.h"

namespace lh::storage {
namespace {

// The segments that hold `oldest` and what follows, by first sequence.
Result<std::vector<uint64_t>> needed_segments(Env* env, const std::string& folder,
                                              uint64_t oldest) {
  const Result<std::vector<std::string>> names = env->list(folder);
  if (!names.ok()) return names.status();
  std::vector<uint64_t> firsts;
  for (const std::string& name : names.value()) {
    const auto first = parse_segment_name(name);
    if (!first) continue;
    // Left over from a trim that was interrupted: all its records are before `oldest`, and the
    // next one had something that was durable.
    if (!firsts.empty() && *first < oldest) firsts.clear();
    firsts.push_back(*first);
  }
  if (firsts.empty() || firsts.front() > oldest) {
    return damaged(folder, 0,
                   "the log segment that holds sequence " + std::to_string(oldest) + " is missing");
  }
  return firsts;
}

class LogWalk {
 public:
  LogWalk(Env* env, std::string folder, const FileOwner& owner, uint64_t oldest, uint64_t durable,
          const RecordVisitor& visitor, LogTail* tail)
      : env_(env),
        folder_(std::move(folder)),
        owner_(owner),
        oldest_(oldest),
        durable_(durable),
        visitor_(visitor),
        tail_(tail) {}

  Status run() {
    Result<std::vector<uint64_t>> firsts = needed_segments(env_, folder_, oldest_);
    if (!firsts.ok()) return firsts.status();
    firsts_ = std::move(firsts).value();
    expected_ = firsts_.front();
    *tail_ = {};
    for (index_ = 0; index_ < firsts_.size(); ++index_) {
      if (Status status = read_segment(); !status.ok()) return status;
    }
    tail_->next_sequence = expected_;
    return {};
  }

 private:
  bool is_last() const { return index_ + 1 == firsts_.size(); }

  Status damaged_here(std::string_view what) const {
    return damaged(reader_->path(), reader_->offset(), what);
  }

  Status read_segment() {
    const uint64_t first = firsts_[index_];
    auto reader = FrameReader::open(env_, join(folder_, segment_name(first)));
    if (!reader.ok()) return without_header(reader.status());
    reader_ = std::move(reader).value();
    const FileHeader header{FileKind::kLog, owner_, first};
    if (Status status = check_owner(reader_->header(), header, reader_->path()); !status.ok()) {
      return status;
    }
    tail_->closed = false;
    unproven_.clear();
    proven_ = tail_->before_last.has_value() ? 0 : kFileHeaderBytes;
    if (first != expected_) {
      return damaged_here("this segment starts with sequence " + std::to_string(first) +
                          ", but the one before it ends at " + std::to_string(expected_ - 1));
    }
    for (Frame frame;;) {
      const Result<FrameReader::Step> step = reader_->next(&frame);
      if (!step.ok()) return step.status();
      if (step.value() != FrameReader::Step::kFrame) return end_without_frame(step.value());
      if (frame.header.type == FrameType::kEnd) return end_frame(frame);
      if (Status status = inner_frame(frame); !status.ok()) return status;
    }
  }

  Status inner_frame(const Frame& frame) {
    const FrameHeader& header = frame.header;
    if (header.type != FrameType::kRecords && header.type != FrameType::kClose) {
      return damaged(reader_->path(), frame.offset, "this frame does not belong into a log");
    }
    if (Status status = check_sequence(frame); !status.ok()) return status;
    if ((header.count == 0) != (header.type == FrameType::kClose)) {
      return damaged(reader_->path(), frame.offset, "this frame has a wrong number of records");
    }
    tail_->closed = header.type == FrameType::kClose;
    durable_ = std::max(durable_, header.durable);
    if (Status status = check_ended(); !status.ok()) return status;
    expected_ += header.count;
    unproven_.push_back({expected_ - 1, header.count > 0, reader_->offset()});
    prove();
    return visit_records(frame, reader_->path(), oldest_, visitor_);
  }

  // What is known to have been durable, and all before it: a log goes on only behind what is.
  void prove() {
    for (; !unproven_.empty() && unproven_.front().last <= durable_; unproven_.pop_front()) {
      if (unproven_.front().has_records) proven_ = unproven_.front().end;
    }
  }

  // When something in this segment was durable, the one before it had been ended, and durably.
  Status check_ended() {
    std::optional<SegmentEnd>& before = tail_->before_last;
    if (!before.has_value() || durable_ < before->next_sequence) return {};
    if (!before->has_end_frame) {
      return damaged(before->path, before->offset, "the end of this segment is damaged");
    }
    before.reset();
    return {};
  }

  Status check_sequence(const Frame& frame) const {
    const FrameHeader& header = frame.header;
    if (header.first != expected_) {
      return damaged(reader_->path(), frame.offset,
                     "this frame starts with sequence " + std::to_string(header.first) + " where " +
                         std::to_string(expected_) + " should follow");
    }
    if (header.durable >= expected_) {
      return damaged(reader_->path(), frame.offset, "this frame claims to be older than it is");
    }
    return {};
  }

  Status end_frame(const Frame& frame) {
    if (Status status = check_sequence(frame); !status.ok()) return status;
    const Result<bool> ends = reader_->is_at_end();
    if (!ends.ok()) return ends.status();
    if (frame.header.count != 0 || !frame.payload.empty() || !ends.value()) {
      return damaged_here("there is more behind the end of this segment");
    }
    if (index_ + 2 == firsts_.size() && durable_ < expected_) {
      tail_->before_last = end_here();
      tail_->before_last->has_end_frame = true;
    }
    if (!is_last()) return {};
    return damaged_here("the segment that follows this one is missing");
  }

  // The segment stops without an end frame: between two frames, or within a broken one.
  Status end_without_frame(FrameReader::Step step) {
    const bool broken = step == FrameReader::Step::kBroken;
    const std::string_view what = broken      ? std::string_view(reader_->broken())
                                  : is_last() ? "the log ends before its durable end"
                                              : "the end of this segment is missing";
    const bool may_be_torn = index_ + 2 >= firsts_.size() && expected_ <= firsts_.back();
    if (!is_last() && !may_be_torn) return damaged_here(what);
    if (durable_ >= expected_) return damaged_here(what);
    if (broken) {
      const Result<bool> proven = reader_->proves_durable(expected_);
      if (!proven.ok()) return proven.status();
      if (proven.value()) return damaged_here(what);
      tail_->closed = false;
    }
    SegmentEnd end = end_here();
    const uint64_t behind = reader_->size() - reader_->offset();
    (broken ? end.torn_bytes : end.reserved_bytes) = behind;
    if (is_last()) {
      tail_->last = std::move(end);
      return {};
    }
    tail_->before_last = std::move(end);
    return expected_ == firsts_.back() ? Status() : drop_last(what);
  }

  SegmentEnd end_here() const {
    return {.path = reader_->path(),
            .offset = reader_->offset(),
            .salt = reader_->salt(),
            .first_sequence = firsts_[index_],
            .next_sequence = expected_,
            .proven = proven_};
  }

  // The last segment begins behind something that is missing.
  Status drop_last(std::string_view what) {
    const std::string path = join(folder_, segment_name(firsts_.back()));
    const auto reader = FrameReader::open(env_, path);
    if (!reader.ok()) {
      ++index_;
      return without_header(reader.status());
    }
    const FileHeader header{FileKind::kLog, owner_, firsts_.back()};
    Status status = check_owner(reader.value()->header(), header, path);
    if (!status.ok()) return status;
    const Result<bool> proven = reader.value()->proves_durable(expected_);
    if (!proven.ok()) return proven.status();
    if (proven.value()) return damaged_here(what);
    ++index_;
    return drop(reader.value()->size());
  }

  // The current segment, the last, has no header, so that nothing else in it can be read.
  Status without_header(const Status& status) {
    const std::optional<SegmentEnd>& before = tail_->before_last;
    const bool may_be_torn =
        is_last() && before.has_value() && !before->has_end_frame && durable_ < expected_;
    if (!may_be_torn || status.code() != StatusCode::kDamaged) return status;
    const auto file = env_->open_read(join(folder_, segment_name(firsts_.back())));
    if (!file.ok()) return status;
    return drop(file.value()->size());
  }

  Status drop(uint64_t bytes) {
    tail_->dropped =
        SegmentEnd{.path = join(folder_, segment_name(firsts_.back())), .torn_bytes = bytes};
    tail_->last = *std::exchange(tail_->before_last, std::nullopt);
    return {};
  }

  Env* env_;
  std::string folder_;
  FileOwner owner_;
  uint64_t oldest_;
  uint64_t durable_;  // as the caller knows, and as the frames say
  const RecordVisitor& visitor_;
  LogTail* tail_;
  std::vector<uint64_t> firsts_;
  size_t index_ = 0;
  uint64_t expected_ = 0;  // sequence of the next record
  struct Unproven {
    uint64_t last;  // sequence
    bool has_records;
    uint64_t end;  // of the frame
  };
  std::deque<Unproven> unproven_;  // of this segment
  uint64_t proven_ = 0;
  std::unique_ptr<FrameReader> reader_;
};

}  // namespace

Status read_log(Env* env, const std::string& folder, const FileOwner& owner, uint64_t oldest,
                uint64_t durable, const RecordVisitor& visitor, LogTail* tail) {
  return LogWalk(env, folder, owner, oldest, durable, visitor, tail).run();
}

}  // namespace lh::storage
