// LookAhead: brings what a number of searches will touch into the cache before the first of them is
// made, so that their cache misses overlap instead of being waited for one after the other. In
// three steps, each of which needs what the one before has brought: the slot, the header of the
// block that it names, the record whose tag fits.
//
// For one moment: nothing may change a table between the first add() and the end of run(). One
// thread.
#pragma once

#include <array>
#include <cstddef>

#include "base/check.h"
#include "table/hash_table.h"

namespace lh::table {

class LookAhead {
 public:
  // Beyond it the first would leave the cache again before it is used.
  static constexpr size_t kMax = 64;

  LookAhead() = default;
  LookAhead(const LookAhead&) = delete;
  LookAhead& operator=(const LookAhead&) = delete;

  bool full() const { return end_ == searches_.end(); }

  // A search for a key with this c. Bound: not full.
  void add(const HashTable& table, HashValue c) {
    LH_CHECK(!full());
    *end_ = {&table, table.place_of(c), c};
    table.prefetch_slot(end_->place);
    ++end_;
  }

  // One search alone has nothing to overlap with.
  void run() {
    Search* const first = searches_.begin();
    if (end_ - first > 1) {
      for (const Search* s = first; s != end_; ++s) s->table->prefetch_header(s->place);
      for (const Search* s = first; s != end_; ++s) s->table->prefetch_record(s->place, s->c);
    }
    end_ = first;
  }

 private:
  struct Search {
    const HashTable* table;
    HashTable::Place place;
    HashValue c;
  };

  std::array<Search, kMax> searches_;
  Search* end_ = searches_.begin();
};

}  // namespace lh::table
