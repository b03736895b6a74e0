// A bucket, and what it says, for the tests of buckets.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/bucket.h"
#include "core/change.h"
#include "core/limits.h"
#include "tests/core/fixture.h"

namespace lh::core::testing {

// Buckets of a file with integer keys and capacity 3, at node 1, and what they send.
class BucketTest : public ::testing::Test {
 protected:
  BucketTest() {
    host_.node = node(1);
    host_.options = integer_file();
    host_.arena = &arena_;
    host_.book = &addresses_;
    addresses_.set(0, node(1));
  }

  std::string execute(Bucket* bucket, Op op, uint64_t c, std::string_view value = {}) {
    const Bucket::Answer answer = bucket->execute({op, c, std::to_string(c), value}, &effects_);
    return to_string(answer.code) + (answer.value.empty() ? "" : " " + std::string(answer.value));
  }
  // At most once: as request `seq` of client 7.
  std::string once(Bucket* bucket, Op op, uint64_t seq, uint64_t c, std::string_view value = {}) {
    const std::string key = std::to_string(c);
    Request m = request(op, 0, key, value);
    m.seq = seq;
    const std::optional<Bucket::Answer> answer = bucket->execute_once(m, c, &effects_);
    if (!answer) return "no answer";
    return to_string(answer->code) +
           (answer->value.empty() ? "" : " " + std::string(answer->value));
  }
  Lines report(Bucket* bucket) {
    effects_.clear();
    bucket->report_overflow(now_, &effects_);
    return lines(effects_);
  }
  Lines acknowledge(Bucket* bucket, uint64_t collisions, uint64_t done) {
    effects_.clear();
    bucket->on_overflow_ack(now_, {bucket->mark().a, collisions, done}, &effects_);
    return lines(effects_);
  }
  Lines tick(Bucket* bucket, int64_t ms) {
    now_ = now_ + base::ms(ms);
    effects_.clear();
    bucket->tick(now_, &effects_);
    return lines(effects_);
  }
  Lines order(Bucket* bucket, uint64_t split, Level source_level, uint64_t target_node) {
    const BucketNo a = bucket->mark().a;
    effects_.clear();
    bucket->on_split_order(
        now_, {split, {a, source_level}, a + (BucketNo{1} << source_level), node(target_node), {}},
        &effects_);
    return lines(effects_);
  }
  Lines turn(Bucket* bucket) {
    effects_.clear();
    bucket->turn(now_, &effects_);
    return lines(effects_);
  }
  Lines ack(Bucket* bucket, uint64_t split, uint32_t batch, uint32_t stream = 1) {
    effects_.clear();
    bucket->on_split_ack(now_, {split, stream, batch, bucket->mark().a}, &effects_);
    return lines(effects_);
  }

  // What the target's acknowledgement of all batches so far, here batch 0, sets off.
  Lines hand_over(Bucket* bucket, uint64_t split) {
    EXPECT_EQ(ack(bucket, split, 0), Lines{});
    return turn(bucket);
  }

  table::Arena arena_;
  AddressBook addresses_;
  Bucket::Host host_;
  Effects effects_;
  base::Instant now_ = kStart;
};

}  // namespace lh::core::testing
