// What the tests of core::Server share.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "core/change.h"
#include "core/server.h"
#include "tests/core/fixture.h"

namespace lh::core::testing {

// Node 2, which knows that buckets 0, 1, 2, ... are at nodes 1, 2, 3, 1, 2, 3, ...
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { server_.configure(node(2), integer_file()); }

  void know_buckets(uint64_t count) {
    for (BucketNo a = 0; a < count; ++a) server_.book().set(a, node(1 + a % 3));
  }

  Lines step(const Message& message) {
    effects_.clear();
    server_.step(now_, message, &effects_);
    return lines(effects_);
  }
  Lines turn() {
    effects_.clear();
    server_.turn(now_, &effects_);
    return lines(effects_);
  }
  // What the target's acknowledgement of batch 0 sets off.
  Lines hand_over(uint64_t split = 1) {
    EXPECT_EQ(step(SplitRecordsAck{split, 1, 0, 0}), Lines{});
    return turn();
  }
  Lines tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    effects_.clear();
    server_.tick(now_, &effects_);
    return lines(effects_);
  }

  // The answer of bucket `to` to a request, which must be its only effect.
  std::string answer(Op op, BucketNo to, std::string_view key, std::string_view value = {}) {
    Request m = request(op, to, key, value);
    m.seq = ++seq_;
    step(m);
    const Reply reply = one_of<Reply>(effects_);
    return to_string(reply.code) + (reply.value.empty() ? "" : " " + std::string(reply.value));
  }

  // Split number 5, of bucket 0 at node 1: bucket 1 comes to be here.
  SplitRecords records(uint32_t batch, bool last, std::string_view changes) const {
    return {5, 1, batch, last, 0, node(1), {1, 1}, 0, changes};
  }
  static std::string puts(std::initializer_list<std::pair<std::string, std::string>> all) {
    std::string run;
    for (const auto& [key, value] : all) append_put(&run, {key, value});
    return run;
  }

  Server server_;
  Effects effects_;
  base::Instant now_ = kStart;
  uint64_t seq_ = 0;
};

}  // namespace lh::core::testing
