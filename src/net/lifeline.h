// Lifeline: lets a method that calls out learn whether its object died in the call.
//
//     const LifelineGuard guard(lifeline_);
//     handler_.on_data(*this);      // may destroy *this
//     if (guard.cut()) return;      // then nothing of *this may be touched
//
// The object has the Lifeline as a member. One thread; guards nest like the calls that hold them.
#pragma once

namespace lh::net {

class LifelineGuard;

class Lifeline {
 public:
  Lifeline() = default;
  inline ~Lifeline();
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

 private:
  friend class LifelineGuard;
  LifelineGuard* innermost_ = nullptr;
};

class LifelineGuard {
 public:
  explicit LifelineGuard(Lifeline& line) : line_(&line), outer_(line.innermost_) {
// The destructor takes the address back, unless there is nothing left that could hold it; g++ 12
// sees only the second branch.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdangling-pointer"
#endif
    line.innermost_ = this;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  }
  ~LifelineGuard() {
    if (line_ != nullptr) line_->innermost_ = outer_;
  }
  LifelineGuard(const LifelineGuard&) = delete;
  LifelineGuard& operator=(const LifelineGuard&) = delete;

  bool cut() const { return line_ == nullptr; }

 private:
  friend class Lifeline;
  Lifeline* line_;
  LifelineGuard* outer_;
};

inline Lifeline::~Lifeline() {
  for (LifelineGuard* guard = innermost_; guard != nullptr; guard = guard->outer_) {
    guard->line_ = nullptr;
  }
}

}  // namespace lh::net
