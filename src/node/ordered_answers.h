// OrderedAnswers: the answers that a connection is owed, in the order of its requests. One that
// waits for other buckets holds back those behind it. Plain data: who fills an answer in and who
// prints it is the session's business (pipelined_session.h). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace lh::node {

struct Answer {
  // What a protocol has to remember of a request beside the text of its answer.
  struct Work {
    virtual ~Work() = default;
  };

  uint64_t ticket = 0;   // the last of the front's; answers without one repeat the one before
  size_t open = 0;       // requests or calls of the front under way
  bool complete = true;  // all that the request consists of is under way or done
  uint64_t barrier = 0;  // what the text tells of is durable behind it
  std::string text;
  std::unique_ptr<Work> work;

  bool done() const { return complete && open == 0; }
};

class OrderedAnswers {
 public:
  // Requests of one connection whose answers wait.
  static constexpr size_t kMax = 1'024;
  // Bytes of answers that wait for earlier ones: nothing new is begun, and, as the values that were
  // asked for may be large, the connection is closed.
  static constexpr size_t kBytesSoft = size_t{4} << 20;
  static constexpr size_t kBytesMax = size_t{64} << 20;

  bool empty() const { return answers_.empty(); }
  // Whether nothing new may be begun.
  bool is_crowded() const { return answers_.size() >= kMax || kept_bytes_ >= kBytesSoft; }
  // Whether there is room for a request that has been waiting for it: not for each single one.
  bool has_ample_room() const { return answers_.size() < kMax / 2; }
  Answer& front() { return answers_.front(); }
  const Answer& front() const { return answers_.front(); }
  Answer& back() { return answers_.back(); }

  // A new one behind all others, to be filled in.
  Answer& add();
  // A text that is known already, behind all others.
  void append(std::string_view text, uint64_t barrier);
  // Whose request has this ticket. Bound: it is under way.
  Answer& find(uint64_t ticket);
  // The first one is printed.
  void pop();

  // Bytes were added to an answer, or taken from it.
  void keep(size_t bytes) { kept_bytes_ += bytes; }
  void release(size_t bytes);
  size_t kept_bytes() const { return kept_bytes_; }

  auto begin() const { return answers_.begin(); }
  auto end() const { return answers_.end(); }

 private:
  std::deque<Answer> answers_;
  size_t kept_bytes_ = 0;
};

}  // namespace lh::node
