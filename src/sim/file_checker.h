// FileChecker: watches the buckets of a simulated file from outside, with a picture of the file of
// its own: it sees a split happen when the source raises its level, and asks after every step
// whether the file is still one. The coordinator's opinion is only compared with it.
//
// What it holds the core to:
//   - the live buckets are 0..M-1, each once, of the level that (i, n) gives it; one of them may be
//     on its way, handed over and not live yet: they partition the reversed key space
//   - every record is in the bucket that A1 names
//   - an image is never larger than the file, never shrinks, and IAMs that move it enlarge it
//   - an address book never names a node that does not have the bucket
//   - the coordinator is at most one split behind
// The quick questions are asked after every step; the long ones (check_all) after every step in
// paranoid runs, and at the end of all.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/address_book.h"
#include "core/coordinator.h"
#include "core/message.h"
#include "core/server.h"
#include "lh/address.h"
#include "sim/world.h"

namespace lh::sim {

class FileChecker {
 public:
  explicit FileChecker(World* world) : world_(world) {}

  // A node started, perhaps again: with what it had on its disk. A bucket that was not on the disk
  // yet may be gone, and a split that was not may be undone, as long as nobody was told. `node` is
  // a name that it keeps. coordinator: nullptr on all nodes but one. Before the first step bucket 0
  // is there.
  void node_is_up(uint32_t node, std::vector<const core::Server*> servers,
                  const core::Coordinator* coordinator);
  void node_is_down(uint32_t node);
  // The coordinator's node has lost its disk, and the file was rebuilt from the others. Returns
  // what is empty now. The file may be smaller than it was, as far as nobody else knew.
  std::vector<Interval> node_is_rebuilt(uint32_t node, std::vector<const core::Server*> servers,
                                        const core::Coordinator* coordinator);
  // Whether what would be lost with the node is all that its buckets have: not while a source has
  // the records still that a bucket there began with. And somebody else is of the file, too.
  bool may_be_lost(uint32_t node) const;
  // What the node answers for, or did when it went down.
  std::vector<Interval> parts_of(uint32_t node) const;
  uint64_t deaths() const { return deaths_; }

  // Called after each step of a server.
  void after_step(const core::Server& server);
  // Called with a client's image before and after each of its steps.
  void check_image(FileState before, FileState after);
  void check_book(const core::AddressBook& book, const char* whose);
  void check_all();
  // At the very end, when all is quiet: nothing is left over, everybody knows everything.
  void check_settled();

  FileState state() const { return state_; }
  // Of the file's shape: how many splits there were.
  uint64_t version() const { return bucket_count(state_); }
  uint64_t collisions() const;
  // Where a live bucket is; nullptr for one that is on its way or does not exist.
  const core::Server* server_of(BucketNo a) const;

 private:
  struct Place {
    uint32_t node = 0;
    NodeId id = NodeId::kNone;
    const core::Server* server = nullptr;  // while the node is up
  };
  using Servers = std::vector<const core::Server*>;
  void come_back(BucketNo a, const Servers& servers, Place* place);
  void undo_hand_over(const Servers& servers);
  void go_live(BucketNo a, const core::Server& server);
  void check_server(const core::Server& server);
  void check_records(const core::Bucket& bucket);
  void check_settled(const core::Server& server);
  void check_coordinator();

  World* world_;
  std::map<uint32_t, Servers> servers_;  // by node, of those that are up
  uint32_t office_ = 0;                  // the coordinator's node
  uint64_t deaths_ = 0;
  const core::Coordinator* coordinator_ = nullptr;
  FileState state_;
  std::map<BucketNo, Place> where_;  // live buckets
  bool in_flight_ = false;           // bucket M-1 is handed over and not live yet
  uint64_t largest_ = 1;             // buckets that the file ever had
};

}  // namespace lh::sim
