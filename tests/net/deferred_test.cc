#include "net/deferred.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace lh::net {
namespace {

class Call final : public Deferred {
 public:
  explicit Call(std::function<void()> body) : body_(std::move(body)) {}
  void run_deferred() override { body_(); }

 private:
  std::function<void()> body_;
};

class DeferredTest : public ::testing::Test {
 protected:
  std::function<void()> note(const std::string& name) {
    return [this, name] { story_ += name + " "; };
  }
  DeferredList list_;
  std::string story_;
};

TEST_F(DeferredTest, calls_run_once_and_in_order) {
  Call a(note("a"));
  Call b(note("b"));
  list_.push_back(a);
  list_.push_back(b);
  list_.push_back(a);
  EXPECT_TRUE(a.linked());
  list_.run_all();
  EXPECT_EQ("a b ", story_);
  EXPECT_FALSE(a.linked());
  EXPECT_TRUE(list_.empty());
}

TEST_F(DeferredTest, a_call_that_dies_is_forgotten) {
  Call a(note("a"));
  auto b = std::make_unique<Call>(note("b"));
  Call c(note("c"));
  for (Call* call : {&a, b.get(), &c}) list_.push_back(*call);
  b.reset();
  list_.run_all();
  EXPECT_EQ("a c ", story_);
}

TEST_F(DeferredTest, a_call_may_destroy_itself_and_a_later_one) {
  std::unique_ptr<Call> b = std::make_unique<Call>(note("b"));
  std::unique_ptr<Call> a;
  a = std::make_unique<Call>([&] {
    story_ += "a ";
    b.reset();
    a.reset();
  });
  list_.push_back(*a);
  list_.push_back(*b);
  list_.run_all();
  EXPECT_EQ("a ", story_);
}

TEST_F(DeferredTest, run_all_includes_what_is_asked_for_meanwhile) {
  Call b(note("b"));
  Call a([&] {
    story_ += "a ";
    list_.push_back(b);
  });
  list_.push_back(a);
  list_.run_all();
  EXPECT_EQ("a b ", story_);
}

TEST_F(DeferredTest, run_present_leaves_what_is_asked_for_meanwhile) {
  int runs = 0;
  std::unique_ptr<Call> again;
  again = std::make_unique<Call>([&] {
    ++runs;
    list_.push_back(*again);
  });
  list_.push_back(*again);
  list_.run_present();
  EXPECT_EQ(1, runs);
  EXPECT_FALSE(list_.empty());
  list_.run_present();
  EXPECT_EQ(2, runs);
}

TEST_F(DeferredTest, a_call_waiting_in_run_present_can_still_die) {
  std::unique_ptr<Call> b = std::make_unique<Call>(note("b"));
  Call a([&] { b.reset(); });
  Call c(note("c"));
  list_.push_back(a);
  list_.push_back(*b);
  list_.push_back(c);
  list_.run_present();
  EXPECT_EQ("c ", story_);
}

struct Owner {
  void hit() { ++hits; }
  int hits = 0;
  DeferredMember<Owner, &Owner::hit> call{*this};
};

TEST_F(DeferredTest, a_member_calls_its_owner) {
  Owner owner;
  list_.push_back(owner.call);
  list_.run_all();
  EXPECT_EQ(1, owner.hits);
}

}  // namespace
}  // namespace lh::net
