#include "sim/file_checker.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/hash.h"
#include "base/strings.h"

namespace lh::sim {

namespace {

using base::format;
using Ull = unsigned long long;

const core::Bucket* find(const core::Server& server, BucketNo a) {
  const auto it = server.buckets().find(a);
  return it == server.buckets().end() ? nullptr : it->second.get();
}

}  // namespace

const core::Server* FileChecker::server_of(BucketNo a) const {
  const auto it = where_.find(a);
  return it == where_.end() ? nullptr : it->second.server;
}

uint64_t FileChecker::collisions() const {
  uint64_t sum = 0;
  for (const auto& [node, servers] : servers_) {
    for (const core::Server* server : servers) {
      for (const auto& [a, bucket] : server->buckets()) sum += bucket->collisions();
    }
  }
  return sum;
}

// ------------------------------------------------------------------------------- nodes come and go

void FileChecker::node_is_down(uint32_t node) {
  ++deaths_;
  servers_.erase(node);
  if (node == office_) coordinator_ = nullptr;
  for (auto& [a, place] : where_) {
    if (place.node == node) place.server = nullptr;
  }
}

std::vector<Interval> FileChecker::parts_of(uint32_t node) const {
  std::vector<Interval> parts;
  const BucketNo newest = bucket_count(state_) - 1;
  const auto part = [this](BucketNo a) { return interval_of({a, level_of(state_, a)}); };
  for (const auto& [a, place] : where_) {
    if (place.node != node) continue;
    parts.push_back(part(a));
    // Until the new bucket is live the source is the one that has its records.
    if (in_flight_ && a == state_of_count(newest).n) parts.push_back(part(newest));
  }
  return parts;
}

void FileChecker::node_is_up(uint32_t node, Servers servers, const core::Coordinator* coordinator) {
  servers_[node] = servers;
  if (coordinator != nullptr) {
    coordinator_ = coordinator;
    office_ = node;
  }
  if (where_.empty()) where_[0].node = node;
  const BucketNo newest = bucket_count(state_) - 1;
  for (auto it = where_.begin(); it != where_.end();) {
    Place& place = it->second;
    if (place.node == node) come_back(it->first, servers, &place);
    // It was live, but not yet on the disk, and so nobody knew.
    const bool undone = place.node == node && place.server == nullptr && it->first == newest;
    if (undone) in_flight_ = true;
    it = undone && newest > 0 ? where_.erase(it) : std::next(it);
  }
  if (in_flight_) undo_hand_over(servers);
  for (const auto& [a, place] : where_) {
    if (place.node != node) continue;
    if (place.server == nullptr) {
      world_->fail(format("bucket %llu did not come back with its node", static_cast<Ull>(a)));
    } else if (find(*place.server, a)->mark().j != level_of(state_, a)) {
      world_->fail(format("bucket %llu came back with another level", static_cast<Ull>(a)));
    }
  }
}

void FileChecker::come_back(BucketNo a, const Servers& servers, Place* place) {
  for (const core::Server* server : servers) {
    const core::Bucket* bucket = find(*server, a);
    if (bucket == nullptr || !bucket->live()) continue;
    place->server = server;
    place->id = server->self();
  }
}

// A source that did not have it on the disk has not told anybody either.
void FileChecker::undo_hand_over(const Servers& servers) {
  const BucketNo newest = bucket_count(state_) - 1;
  const FileState before = state_of_count(newest);
  for (const core::Server* server : servers) {
    const core::Bucket* source = find(*server, before.n);
    if (source == nullptr || !source->live() || source->mark().j > before.i) continue;
    state_ = before;
    in_flight_ = false;
    world_->counters.add(Count::kHandOversUndone);
  }
}

bool FileChecker::may_be_lost(uint32_t node) const {
  for (const auto& [other, servers] : servers_) {
    for (const core::Server* server : servers) {
      for (const auto& [a, bucket] : server->buckets()) {
        const core::SplitSource* split = bucket->split();
        if (other == node || split == nullptr || !split->handed_over()) continue;
        const auto target = where_.find(split->target());
        if (target != where_.end() && target->second.node == node) return false;
      }
    }
  }
  const auto is_up = [](const auto& entry) { return entry.second.server != nullptr; };
  const auto is_elsewhere = [node](const auto& entry) { return entry.second.node != node; };
  return std::all_of(where_.begin(), where_.end(), is_up) &&
         std::any_of(where_.begin(), where_.end(), is_elsewhere);
}

std::vector<Interval> FileChecker::node_is_rebuilt(uint32_t node, Servers servers,
                                                   const core::Coordinator* coordinator) {
  ++deaths_;  // of what the file had there, whoever asked in between
  servers_[node] = servers;
  coordinator_ = coordinator;
  office_ = node;
  largest_ = std::max(largest_, bucket_count(state_));
  const BucketNo on_its_way = in_flight_ ? bucket_count(state_) - 1 : 0;
  state_ = coordinator->state();
  in_flight_ = false;
  std::erase_if(where_, [node](const auto& entry) { return entry.second.node == node; });
  std::vector<Interval> empty;
  for (BucketNo a = 0; a < bucket_count(state_); ++a) {
    if (where_.contains(a)) continue;
    Place place{node, NodeId::kNone, nullptr};
    come_back(a, servers, &place);
    if (place.server == nullptr) {
      world_->fail(format("the rebuilt file lacks bucket %llu", static_cast<Ull>(a)));
      continue;
    }
    where_[a] = place;
    empty.push_back(interval_of({a, level_of(state_, a)}));
  }
  const BucketNo target = next_bucket(state_);
  const core::Server* source = server_of(state_.n);
  // A source that is down at the moment had handed over when it was seen last, or not.
  const bool gave = source == nullptr ? where_.contains(target) || on_its_way == target
                                      : find(*source, state_.n)->mark().j > state_.i;
  if (gave) {
    state_ = after_split(state_);
    in_flight_ = !where_.contains(target);
  }
  if (!where_.empty() && where_.rbegin()->first >= bucket_count(state_)) {
    // Whoever knew of it was away for so long that it was rebuilt without: that is as it must be,
    // and no file that could be looked at any further.
    world_->is_moot = !coordinator->is_up(where_.rbegin()->second.id);
    world_->fail(format("the rebuilt file knows nothing of bucket %llu",
                        static_cast<Ull>(where_.rbegin()->first)));
  }
  return empty;
}

// ------------------------------------------------------------------------------------------ steps

void FileChecker::go_live(BucketNo a, const core::Server& server) {
  for (const auto& [node, servers] : servers_) {
    if (std::find(servers.begin(), servers.end(), &server) == servers.end()) continue;
    where_[a] = {node, server.self(), &server};
  }
}

void FileChecker::after_step(const core::Server& server) {
  // Has bucket n handed over?
  if (server_of(state_.n) == &server && find(server, state_.n)->mark().j > state_.i) {
    if (in_flight_) world_->fail("a second split has handed over before the first one was over");
    state_ = after_split(state_);
    in_flight_ = true;
  }
  // Has the bucket that it handed over to come to life?
  const BucketNo newest = bucket_count(state_) - 1;
  if (in_flight_) {
    const core::Bucket* bucket = find(server, newest);
    if (bucket != nullptr && bucket->live()) {
      go_live(newest, server);
      in_flight_ = false;
    }
  }
  if (world_->options.paranoid) check_all();
}

void FileChecker::check_image(FileState before, FileState after) {
  if (after == before) return;
  if (bucket_count(after) < bucket_count(before)) {
    world_->fail("an image shrank from " + core::to_string(before) + " to " +
                 core::to_string(after));
  }
  if (bucket_count(after) > std::max(bucket_count(state_), largest_)) {
    world_->fail("an image " + core::to_string(after) + " is ahead of the file " +
                 core::to_string(state_));
  }
}

void FileChecker::check_book(const core::AddressBook& book, const char* whose) {
  for (BucketNo a = 0; a < bucket_count(state_) + 2; ++a) {
    const NodeId named = book.locate(a);
    if (named == NodeId::kNone) continue;
    const auto place = where_.find(a);
    if (place == where_.end() && in_flight_ && a == bucket_count(state_) - 1) continue;
    if (place != where_.end() && place->second.id == named) continue;
    world_->fail(format("the book of %s has bucket %llu at node %u, where it is not", whose,
                        static_cast<Ull>(a), static_cast<unsigned>(named)));
  }
}

void FileChecker::check_records(const core::Bucket& bucket) {
  const BucketMark mark = bucket.mark();
  uint64_t count = 0;
  const Interval mine = interval_of(mark);
  ReversedHash from = mine.first;
  for (;;) {
    const auto next = bucket.table().walk(
        from, mine.last, 1 << 20, [&](HashValue c, const table::Record& record) {
          ++count;
          const auto expected = base::hash_key(world_->options.hash, record.key);
          if (!expected || *expected != c || !mine.contains(reverse64(c))) {
            world_->fail("bucket " + core::to_string(mark) + " has a record that is not its own");
          }
        });
    if (!next) break;
    from = *next;
  }
  if (count != bucket.records()) {
    world_->fail(format("bucket %s has %llu records and finds %llu of them",
                        core::to_string(mark).c_str(), static_cast<Ull>(bucket.records()),
                        static_cast<Ull>(count)));
  }
}

void FileChecker::check_server(const core::Server& server) {
  for (const auto& [a, bucket] : server.buckets()) {
    if (!bucket->live()) continue;
    if (server_of(a) != &server) {
      world_->fail(format("bucket %llu is live where it should not be", static_cast<Ull>(a)));
    }
    if (bucket->mark() != BucketMark{a, level_of(state_, a)}) {
      world_->fail("bucket " + core::to_string(bucket->mark()) + " in a file of state " +
                   core::to_string(state_));
    }
    check_records(*bucket);
  }
  check_book(server.book(), "a server");
}

void FileChecker::check_coordinator() {
  if (coordinator_ == nullptr) return;  // its node is down
  const uint64_t believed = bucket_count(coordinator_->state());
  const uint64_t actual = bucket_count(state_);
  if (believed > actual || believed + 1 < actual) {
    world_->fail("the coordinator believes in " + core::to_string(coordinator_->state()) +
                 ", the file is " + core::to_string(state_));
  }
  check_book(coordinator_->book(), "the coordinator");
}

void FileChecker::check_all() {
  for (const auto& [node, servers] : servers_) {
    for (const core::Server* server : servers) check_server(*server);
  }
  check_coordinator();
  const uint64_t live = bucket_count(state_) - (in_flight_ ? 1 : 0);
  if (where_.size() != live) {
    world_->fail(format("%zu live buckets, not %llu", where_.size(), static_cast<Ull>(live)));
  }
}

void FileChecker::check_settled() {
  check_all();
  if (in_flight_) world_->fail("a bucket that was handed over is not live at the end");
  if (coordinator_->state() != state_) {
    world_->fail("at the end the coordinator believes in " +
                 core::to_string(coordinator_->state()) + ", the file is " +
                 core::to_string(state_));
  }
  for (const auto& [node, servers] : servers_) {
    for (const core::Server* server : servers) check_settled(*server);
  }
  if (coordinator_->counters().collisions != collisions()) {
    world_->fail(format("%llu collisions, of which the coordinator knows %llu",
                        static_cast<Ull>(collisions()),
                        static_cast<Ull>(coordinator_->counters().collisions)));
  }
}

void FileChecker::check_settled(const core::Server& server) {
  for (const auto& [a, bucket] : server.buckets()) {
    if (!bucket->live()) {
      world_->fail(format("bucket %llu was begun and never dropped", static_cast<Ull>(a)));
    }
    if (bucket->has_work()) {
      world_->fail(format("bucket %llu still has work at the end", static_cast<Ull>(a)));
    }
    if (!bucket->reports_settled()) {
      world_->fail(format("bucket %llu has collisions that nobody knows", static_cast<Ull>(a)));
    }
  }
  if (server.self() != NodeId::kNone && server.book().known() != bucket_count(state_)) {
    world_->fail(format("a server knows %llu buckets of %llu at the end",
                        static_cast<Ull>(server.book().known()),
                        static_cast<Ull>(bucket_count(state_))));
  }
}

}  // namespace lh::sim
