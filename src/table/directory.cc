#include "table/directory.h"

#include "base/check.h"

namespace lh::table {

static_assert(Directory::kSlotsMax / 2 * sizeof(Ref) <= Arena::kAllocationBytesMax * 2);

Directory::Pair Directory::next_join() const {
  LH_CHECK(count_ > 1);
  const uint64_t last = count_ - 1;
  const uint64_t half = std::bit_floor(last);
  return {last - half, last, static_cast<unsigned>(std::countr_zero(half))};
}

void Directory::append(Arena* arena, Ref ref) {
  LH_CHECK(count_ < kSlotsMax);
  if (segments_used_ == 0 || count_ == first_of(segments_used_)) {
    const size_t bytes = segment_slots(segments_used_) * sizeof(Ref);
    const Ref segment = arena->allocate(bytes);
    segment_refs_[segments_used_] = segment;
    segments_[segments_used_++] = arena->at<Ref>(segment);
    memory_bytes_ += Arena::allocation_bytes(bytes);
  }
  set_count(count_ + 1);
  (*this)[count_ - 1] = ref;
}

void Directory::remove_last(Arena* arena) { truncate(arena, count_ - 1); }

void Directory::truncate(Arena* arena, uint64_t count) {
  LH_CHECK(count <= count_);
  set_count(count);
  while (segments_used_ > 0 && first_of(segments_used_ - 1) >= count) {
    --segments_used_;
    memory_bytes_ -= Arena::allocation_bytes(segment_slots(segments_used_) * sizeof(Ref));
    arena->release(segment_refs_[segments_used_]);
  }
}

void Directory::deal_odd(Arena* arena, Directory* odd) {
  odd->release(arena);
  for (uint64_t s = 0; s < count_; ++s) {
    if (s % 2 == 1) {
      odd->append(arena, (*this)[s]);
    } else {
      (*this)[s / 2] = (*this)[s];
    }
  }
  truncate(arena, (count_ + 1) / 2);
}

void Directory::take_odd(Arena* arena, const Directory& odd) {
  LH_CHECK(count_ == odd.count_);
  const uint64_t half = count_;
  while (count_ < 2 * half) append(arena, Ref::kNone);
  for (uint64_t s = half; s-- > 0;) {  // from above: no slot is overwritten before it is read
    (*this)[2 * s + 1] = odd[s];
    (*this)[2 * s] = (*this)[s];
  }
}

void Directory::relocate(Arena* arena) {
  for (unsigned segment = 0; segment < segments_used_; ++segment) {
    Ref& ref = segment_refs_[segment];
    if (!arena->leaving(ref)) continue;
    ref = arena->move(ref);
    segments_[segment] = arena->at<Ref>(ref);
  }
}

void Directory::set_count(uint64_t count) {
  count_ = count;
  half_ = std::bit_floor(count);
  bits_ = count == 0 ? 0 : static_cast<unsigned>(std::countr_zero(half_));
}

}  // namespace lh::table
