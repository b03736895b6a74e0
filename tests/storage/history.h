// What was done to a StoreModel, stream by stream, and what a recovery may find of it: of each
// stream a beginning of its changes, never shorter than what is known to be durable.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "tests/storage/store_model.h"

namespace lh::storage {

class History {
 public:
  static constexpr uint64_t kStreams = 5;

  // A random change, done and remembered; returns its stream. Values are never used twice.
  uint64_t change(StoreModel* store, base::Prng* prng) {
    const uint64_t stream = prng->below(kStreams);
    const std::string key(1, static_cast<char>('a' + prng->below(4)));
    if (prng->chance(1, 4)) {
      changes_[stream].push_back({key, ""});
      store->erase(stream, key);
    } else {
      const std::string value = std::to_string(++values_) + std::string(prng->below(40), '.');
      changes_[stream].push_back({key, value});
      store->put(stream, key, value);
    }
    return stream;
  }

  void all_durable() {
    for (auto& [stream, changes] : changes_) durable_[stream] = changes.size();
  }
  // This many changes of the stream.
  void set_durable(uint64_t stream, size_t count) { durable_[stream] = count; }
  size_t count(uint64_t stream) { return changes_[stream].size(); }

  // Empty when the state is one that a recovery may find; else what is wrong with it.
  std::string judge(const StoreModel::State& state) { return for_each_stream(state, false); }

  // The same, and goes on from what was found: the rest has never happened.
  std::string accept(const StoreModel::State& state) { return for_each_stream(state, true); }

 private:
  struct Change {
    std::string key;
    std::string value;  // empty: erased
  };
  using Stream = std::map<std::string, std::string>;

  std::string for_each_stream(const StoreModel::State& state, bool cut) {
    for (uint64_t stream = 0; stream < kStreams; ++stream) {
      Stream found;
      for (const auto& [key, value] : state) {
        if (key.first == stream) found[key.second] = value;
      }
      const size_t kept = longest_beginning(changes_[stream], found);
      if (kept == kNone || kept < durable_[stream]) {
        return "stream " + std::to_string(stream) + " is in a state that it was " +
               (kept == kNone ? "never in: " : "in too long ago: ") + StoreModel::to_string(state);
      }
      if (!cut) continue;
      changes_[stream].resize(kept);
      durable_[stream] = kept;
    }
    return {};
  }

  static constexpr size_t kNone = ~size_t{0};

  // After how many changes the stream was last in this state.
  static size_t longest_beginning(const std::vector<Change>& changes, const Stream& found) {
    Stream now;
    size_t longest = now == found ? 0 : kNone;
    for (size_t i = 0; i < changes.size(); ++i) {
      if (changes[i].value.empty()) {
        now.erase(changes[i].key);
      } else {
        now[changes[i].key] = changes[i].value;
      }
      if (now == found) longest = i + 1;
    }
    return longest;
  }

  uint64_t values_ = 0;
  std::map<uint64_t, std::vector<Change>> changes_;
  std::map<uint64_t, size_t> durable_;
};

}  // namespace lh::storage
