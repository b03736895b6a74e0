#include "node/ordered_answers.h"

#include <algorithm>

#include "base/check.h"

namespace lh::node {

Answer& OrderedAnswers::add() {
  const uint64_t ticket = answers_.empty() ? 0 : answers_.back().ticket;
  Answer& answer = answers_.emplace_back();
  answer.ticket = ticket;
  return answer;
}

void OrderedAnswers::append(std::string_view text, uint64_t barrier) {
  if (answers_.empty() || !answers_.back().done() || answers_.back().work) add();
  Answer& last = answers_.back();
  last.barrier = std::max(last.barrier, barrier);
  last.text.append(text);
  keep(text.size());
}

Answer& OrderedAnswers::find(uint64_t ticket) {
  const auto it = std::lower_bound(
      answers_.begin(), answers_.end(), ticket,
      [](const Answer& answer, uint64_t wanted) { return answer.ticket < wanted; });
  LH_CHECK(it != answers_.end());
  LH_CHECK(it->open > 0);
  return *it;
}

void OrderedAnswers::pop() {
  answers_.pop_front();
  if (answers_.empty()) kept_bytes_ = 0;
}

void OrderedAnswers::release(size_t bytes) { kept_bytes_ -= std::min(kept_bytes_, bytes); }

}  // namespace lh::node
