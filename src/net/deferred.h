// Deferred: a call that a loop owes an object, at most once however often it is asked for, and
// forgotten when the object dies. The link is part of the object, so asking allocates nothing.
//
// DeferredList is a doubly linked ring of them. Both are used in one thread only.
#pragma once

#include "base/check.h"

namespace lh::net {

class DeferredLink {
 public:
  DeferredLink() = default;
  ~DeferredLink() { unlink(); }
  DeferredLink(const DeferredLink&) = delete;
  DeferredLink& operator=(const DeferredLink&) = delete;

  bool linked() const { return next_ != this; }

  void unlink() {
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = this;
  }

 private:
  friend class DeferredList;
  DeferredLink* prev_ = this;
  DeferredLink* next_ = this;
};

class Deferred : public DeferredLink {
 public:
  virtual void run_deferred() = 0;

 protected:
  ~Deferred() = default;
};

// Deferred as a member of the object that it calls: DeferredMember<Connection, &Connection::flush>.
template <class T, void (T::*kMethod)()>
class DeferredMember final : public Deferred {
 public:
  explicit DeferredMember(T& owner) : owner_(owner) {}
  void run_deferred() override { (owner_.*kMethod)(); }

 private:
  T& owner_;
};

class DeferredList {
 public:
  bool empty() const { return !ring_.linked(); }

  // Puts `call` at the end, unless it is in this list or in another one already.
  void push_back(Deferred& call) {
    if (call.linked()) return;
    DeferredLink& link = call;
    link.prev_ = ring_.prev_;
    link.next_ = &ring_;
    ring_.prev_->next_ = &link;
    ring_.prev_ = &link;
  }

  // Runs the calls in order until none is left, those included that are asked for meanwhile.
  void run_all() {
    while (!empty()) run_first();
  }

  // Runs the calls that are in the list now; those asked for meanwhile stay for the next time.
  void run_present() {
    if (empty()) return;
    DeferredList present;
    present.take_all(*this);
    present.run_all();
  }

 private:
  void run_first() {
    Deferred* first = static_cast<Deferred*>(ring_.next_);
    first->unlink();
    first->run_deferred();
  }

  void take_all(DeferredList& from) {
    LH_CHECK(empty());
    ring_.prev_ = from.ring_.prev_;
    ring_.next_ = from.ring_.next_;
    ring_.prev_->next_ = &ring_;
    ring_.next_->prev_ = &ring_;
    from.ring_.prev_ = from.ring_.next_ = &from.ring_;
  }

  DeferredLink ring_;
};

}  // namespace lh::net
