// What the tests of sessions that answer in order share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/node/fixture.h"

namespace lh::node::testing {

// A request in RESP.
inline std::string array(const std::vector<std::string>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return out;
}

// A coordinator's node with two workers, whose file has buckets in both. The connections are with
// worker 0. What worker 1 has is far: it is asked by mail, and waits while worker 1 is frozen.
class TwoWorkers : public Cluster {
 protected:
  static constexpr uint64_t kRecords = 40;

  // The keys that near() and far() give are from `first` on; up to kRecords there are records.
  explicit TwoWorkers(uint64_t first)
      : node_(start_coordinator(integer_file(8), {.workers = 2})), first_(first) {
    fill(connect(node_, 0), kRecords);
    for (uint64_t key = first_; key < 10'000; ++key) {
      (worker_of(key) == 0 ? near_ : far_).push_back(key);
    }
    peer_ = &connect(node_, 0);
  }

  // The k-th key of each kind.
  std::string near(size_t k) const { return std::to_string(near_.at(k)); }
  std::string far(size_t k) const { return std::to_string(far_.at(k)); }
  bool has_record(const std::string& key) const { return std::stoull(key) < kRecords; }

  void freeze_far() { node_.freeze(1); }
  // What the peer gets, sending this.
  std::string send(std::string_view bytes) {
    peer_->send(bytes);
    settle();
    return peer_->take();
  }
  // The same while what is far waits, and what it gets afterwards.
  std::string answers_before_thaw(std::string_view bytes) {
    freeze_far();
    return send(bytes);
  }
  std::string answers_after_thaw() {
    node_.thaw();
    pass(base::seconds(1));
    return peer_->take();
  }

  TestNode& node_;
  Peer* peer_ = nullptr;

 private:
  size_t worker_of(uint64_t key) {
    for (size_t k = 0; k < 2; ++k) {
      for (const auto& [a, bucket] : node_.worker(k).server().buckets()) {
        if (!forward_address(bucket->mark(), key)) return k;
      }
    }
    ADD_FAILURE() << "nobody has key " << key;
    return 0;
  }

  uint64_t first_;
  std::vector<uint64_t> near_;
  std::vector<uint64_t> far_;
};

}  // namespace lh::node::testing
