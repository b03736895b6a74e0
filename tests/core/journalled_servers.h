// Two servers with journals, which can be killed and come back from them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "core/server.h"
#include "tests/core/fixture.h"

namespace lh::core::testing {

struct Written {
  uint64_t stream;
  std::string record;
};
using Journal = std::vector<Written>;

// Every new bucket of the node is to be with its one server.
struct OneServer final : Server::Placement {
  bool claim(BucketNo) override { return true; }
  void on_recovered(BucketNo a) override { recovered.push_back(a); }
  std::vector<BucketNo> recovered;
};

// Two nodes with a server each, both with a journal; messages between them arrive at once or, when
// a node is killed, never. Node 1 has bucket 0 to begin with.
class JournalledServersTest : public ::testing::Test {
 protected:
  struct Node {
    std::unique_ptr<Server> server = std::make_unique<Server>();
    Journal journal;
    uint32_t boot = 1;
  };

  JournalledServersTest() {
    effects_.keep_journal(true);
    for (uint32_t k = 0; k < 2; ++k) {
      nodes_[k].server->configure(node(k + 1), integer_file(1'000'000), &effects_);
      nodes_[k].server->resume(1, &effects_);
      if (k == 0) nodes_[k].server->create_bucket({0, 0}, &effects_);
      run(k);
    }
  }

  // Writes the journal of the step of node k, then delivers what it sent.
  void run(size_t k) {
    effects_.write_journal([&](uint64_t stream, std::string_view record) {
      nodes_[k].journal.push_back({stream, std::string(record)});
      return nodes_[k].journal.size();
    });
    turns_[k] |= effects_.turn_wanted();
    for (const Outgoing& sent : effects_.sends()) {
      if (sent.to.kind != Destination::Kind::kBucket) continue;
      const auto to = static_cast<size_t>(sent.to.node) - 1;
      std::string frame;
      if (const auto* records = std::get_if<SplitRecords>(&sent.message)) {
        mail_.push_back({to, sent.message, std::string(records->changes)});
      } else {
        mail_.push_back({to, sent.message, {}});
      }
    }
    effects_.clear();
  }
  struct Mail {
    size_t to;
    Message message;
    std::string changes;
  };
  void deliver() {
    while (!mail_.empty()) {
      Mail mail = std::move(mail_.front());
      mail_.erase(mail_.begin());
      if (auto* records = std::get_if<SplitRecords>(&mail.message)) records->changes = mail.changes;
      nodes_[mail.to].server->step(now_, mail.message, &effects_);
      run(mail.to);
    }
  }
  void turn(size_t k) {
    turns_[k] = false;
    nodes_[k].server->turn(now_, &effects_);
    run(k);
    deliver();
  }
  void tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    for (size_t k = 0; k < 2; ++k) {
      nodes_[k].server->tick(now_, &effects_);
      run(k);
    }
    deliver();
  }
  void settle() {
    for (int k = 0; k < 400; ++k) {
      for (size_t n = 0; n < 2; ++n) {
        if (turns_[n]) turn(n);
      }
      tick(50);
    }
  }

  static std::unique_ptr<Server> rebuild(const Journal& journal) {
    auto server = std::make_unique<Server>();
    for (const Written& w : journal) {
      EXPECT_TRUE(server->recover(w.stream, w.record)) << w.stream;
    }
    return server;
  }
  // kill -9, and a start from the journal. What was under way is lost.
  void kill(size_t k) {
    std::erase_if(mail_, [](const Mail&) { return true; });
    Node& n = nodes_[k];
    n.server = rebuild(n.journal);
    n.server->resume(++n.boot, &effects_);
    run(k);
  }

  void mutate(Op op, uint64_t c, const std::string& value) {
    for (size_t k = 0; k < 2; ++k) {
      for (const auto& [a, bucket] : nodes_[k].server->buckets()) {
        if (!bucket->live() || forward_address(bucket->mark(), c)) continue;
        nodes_[k].server->execute(now_, bucket.get(), {op, c, std::to_string(c), value}, &effects_);
        run(k);
        if (op == Op::kDelete) {
          model_.erase(c);
        } else {
          model_[c] = value;
        }
        deliver();
        return;
      }
    }
    FAIL() << "nobody serves " << c;
  }

  static std::map<uint64_t, std::string> contents(const Server& server) {
    std::map<uint64_t, std::string> all;
    for (const auto& [a, bucket] : server.buckets()) {
      if (!bucket->live()) continue;
      const Interval mine = interval_of(bucket->mark());
      for (std::optional<ReversedHash> at = mine.first; at;) {
        at = bucket->table().walk(*at, mine.last, 1'000,
                                  [&](HashValue c, const table::Record& record) {
                                    EXPECT_TRUE(all.emplace(c, record.value).second) << c;
                                  });
      }
    }
    return all;
  }
  std::map<uint64_t, std::string> everything() const {
    std::map<uint64_t, std::string> all = contents(*nodes_[0].server);
    for (const auto& entry : contents(*nodes_[1].server)) {
      EXPECT_TRUE(all.insert(entry).second) << entry.first << " is in two buckets";
    }
    return all;
  }
  SplitOrder order(uint64_t split, BucketMark source, NodeId target) const {
    SplitOrder order;
    order.split = split;
    order.source = source;
    order.target = source.a + (BucketNo{1} << source.j);
    order.target_node = target;
    order.book = book(0, {1});
    return order;
  }
  // The order for some bucket of node 1 that may split now: to become two there, or to send its
  // half to node 2.
  void split_any(uint64_t number, base::Prng* prng, bool here) {
    std::vector<BucketMark> ready;
    for (const auto& [a, bucket] : nodes_[0].server->buckets()) {
      if (bucket->live() && bucket->split() == nullptr && bucket->mark().j < 7) {
        ready.push_back(bucket->mark());
      }
    }
    if (ready.empty()) return;
    split(number, ready[prng->below(ready.size())], node(here ? 1 : 2));
  }
  void split(uint64_t number, BucketMark source, NodeId target) {
    nodes_[0].server->step(now_, order(number, source, target), &effects_);
    run(0);
    deliver();
  }

  Effects effects_;
  base::Instant now_ = kStart;
  Node nodes_[2];
  bool turns_[2] = {};
  std::vector<Mail> mail_;
  std::map<uint64_t, std::string> model_;
  OneServer here_;
};

}  // namespace lh::core::testing
