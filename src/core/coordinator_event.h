// CoordinatorEvent: one step in the life of a coordinator that has to outlive its process. The
// coordinator changes its durable state by applying events and in no other way, so a log of them is
// that state: replaying it gives the coordinator that was (core/journal.h, node's stream).
//
//   node       32  a node registered, or is at another address
//   taken in   33  a bucket's collisions up to a count are owed splits
//   begun      34  the next owed split, of bucket n, is under way
//   attempt    35  ... with this number, to this node
//   handed     36  ... and the target of that attempt is final
//   completed  37  ... and done: the file has one bucket more
//   state      38  all of it but the nodes and the split under way, for a snapshot
//   restored   39  a bucket's collisions up to a count were dealt with in a life that was lost
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/book_part.h"
#include "lh/address.h"
#include "lh/types.h"

namespace lh::core {

struct NodeRegistered {
  NodeId id = NodeId::kNone;
  uint64_t incarnation = 0;  // 0: a node known by name only; the first that claims to be it is
  uint64_t buckets_max = 0;
  std::string address;
};
struct CollisionsTakenIn {
  BucketNo bucket = 0;
  uint64_t collisions = 0;  // since the bucket was made
};
struct SplitBegun {};
struct SplitAttempted {
  uint64_t split = 0;
  NodeId node = NodeId::kNone;
};
struct SplitHandedOver {
  uint64_t split = 0;
};
struct SplitCompleted {};
struct CoordinatorState {
  // Collisions of one bucket, counted since it was made: reported, and answered by splits.
  struct Reports {
    uint64_t taken_in = 0;
    uint64_t done = 0;
  };
  // Splits owed for a report. The first one is the split under way, when there is one.
  struct Debt {
    BucketNo bucket = 0;
    uint64_t collisions = 0;  // Reports::done when it is paid
    uint64_t splits = 0;
  };
  FileState file;
  uint64_t split_number = 0;
  uint64_t owed = 0;             // splits not begun, and the one that is under way
  std::vector<NodeId> at;        // by bucket
  std::vector<Reports> reports;  // by bucket, as far as there are any
  std::vector<Debt> debts;       // in the order in which they are paid
};
struct ReportsRestored {
  BucketNo bucket = 0;
  uint64_t collisions = 0;  // taken in, and their splits done
};

using CoordinatorEvent =
    std::variant<NodeRegistered, CollisionsTakenIn, SplitBegun, SplitAttempted, SplitHandedOver,
                 SplitCompleted, CoordinatorState, ReportsRestored>;

void append_event(std::string* out, const CoordinatorEvent& event);

// Of a whole record, its kind included. False: malformed, or of a kind that is no event.
bool read_event(std::string_view record, CoordinatorEvent* event);

}  // namespace lh::core
