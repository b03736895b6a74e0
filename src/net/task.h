// Task: a call of anything, once, later, perhaps in another thread. Unlike std::function it can own
// what cannot be copied, such as a Socket on its way to another worker.
//
// A plain movable value; whoever holds it runs or destroys it. Costs one allocation, so it is for
// set-up, hand-overs and timers, not for requests.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace lh::net {

class Task {
 public:
  Task() = default;

  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Task>)
      Task(F&& call)  // NOLINT: implicit by design, so that post([...] { ... }) reads well
      : callable_(std::make_unique<Holder<std::remove_cvref_t<F>>>(std::forward<F>(call))) {}

  explicit operator bool() const { return callable_ != nullptr; }

  // Precondition: holds a call.
  void operator()() { callable_->call(); }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual void call() = 0;
  };

  template <typename F>
  struct Holder final : Callable {
    explicit Holder(const F& f) : held(f) {}
    explicit Holder(F&& f) : held(std::move(f)) {}
    void call() override { held(); }
    F held;
  };

  std::unique_ptr<Callable> callable_;
};

}  // namespace lh::net
