// NodeStore: what hangs on the slots of one table.
//
//   slot --> block                       nearly always: the records of the slot
//   slot --> branch --> 2^bits nodes     when they do not fit one block: the next bits of c choose
//   ...  --> chain  --> block, next      when all 64 bits of c are the same
//
// With well-mixed bits a slot never needs a branch. But records may share the low bits of c: all
// keys with one {tag} share fourteen of them, and integer keys may be multiples of 1,024. Then a
// few slots hold everything until the bits begin to differ, and branches, a radix tree on c, keep
// every operation short where a chain of blocks would be searched from end to end. A chain is left
// for equal c alone, and only there the work of an operation grows with the number of records.
//
// The level of a node is the number of low bits of c that all records below it share: the bits that
// led to it. All nodes are cells of the arena, named by a slot or by the node above and by nobody
// else. Places and hits hold until the next change of any table of the arena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lh/types.h"
#include "table/block_store.h"

namespace lh::table {

using HashFunction = HashValue (*)(std::string_view key);

class NodeStore {
 public:
  static constexpr Level kAllBits = 64;

  // Where the records of some c are named from, and how many bits of c led there.
  struct Place {
    Ref* at;
    Level level;
  };

  // What a search found: the leaf where the key belongs and, when it is there, its record.
  struct Hit {
    Place leaf;
    Ref* at = nullptr;  // names the block
    Block* block = nullptr;
    unsigned index = 0;
    Record record = {};
    explicit operator bool() const { return block != nullptr; }
  };

  NodeStore(Arena* arena, HashFunction function) : blocks_(arena), hash_(function) {}

  HashFunction hash() const { return hash_; }

  // The books. They cover what this store made, or was given by hand_over().
  const Tally& tally() const { return blocks_.tally(); }
  void hand_over(Tally tally, NodeStore* to);

  // Searches below a slot.
  [[gnu::always_inline]] Hit find(Place slot, HashValue c, std::string_view key) const {
    Hit hit{slot};
    if (*slot.at == Ref::kNone) return hit;
    Block* block = blocks_.at(*slot.at);
    prefetch_records(block);
    if (block->kind() != NodeKind::kBlock) [[unlikely]]
      return find_deep(slot, c, key);
    hit.index = blocks_.find(*block, tag_of(c, slot.level), key, &hit.record);
    if (hit.index == block->count()) return hit;
    hit.at = slot.at;
    hit.block = block;
    return hit;
  }

  // Adds a record whose key find() did not find.
  void insert(const Hit& miss, HashValue c, const Record& record) { add(miss.leaf, c, record); }
  // Gives the record that find() found another value; record.key is its key.
  void replace(const Hit& hit, HashValue c, const Record& record);
  // Gives it another expiry. False: only replace() can.
  static bool set_expiry(const Hit& hit, ExpiryMs expiry) {
    return BlockStore::overwrite_expiry(hit.block, hit.index, expiry);
  }
  // Removes the record that find() found below this slot.
  void erase(Place slot, const Hit& hit, HashValue c);

  // From a slot down to the leaf for c: a block, a chain, or an empty place.
  Place descend(Place from, HashValue c) const {
    while (is(NodeKind::kBranch, *from.at)) from = child(from, c);
    return from;
  }

  // Takes the node of a slot of this level apart by the next bit of c. The work is that of one
  // block or one branch. Bound: level < kAllBits.
  void split(Ref node, Level level, Ref* zero, Ref* one);
  // The inverse: makes one node of this level of two of the next.
  Ref join(Ref zero, Ref one, Level level);

  // Calls visit(c, record) for each record of a leaf.
  template <typename Visitor>
  void visit(Ref* leaf, const Visitor& visit) const {
    each_block(leaf, [&](Ref* at) {
      const Block& block = *blocks_.at(*at);
      for (unsigned k = 0; k < block.count(); ++k) {
        const Record record = blocks_.record(block, k);
        visit(hash_(record.key), record);
      }
      return false;
    });
  }

  // The same for those of them that have expired at `now`; the others, and the memory of those that
  // are outside, are not touched.
  template <typename Visitor>
  void visit_expired(Ref* leaf, ExpiryMs now, const Visitor& visit) const {
    each_block(leaf, [&](Ref* at) {
      const Block& block = *blocks_.at(*at);
      for (unsigned k = 0; block.any_expires() && k < block.count(); ++k) {
        const ExpiryMs expiry = BlockStore::expiry(block, k);
        if (expiry == kNever || expiry > now) continue;
        const Record record = blocks_.record(block, k);
        visit(hash_(record.key), record);
      }
      return false;
    });
  }

  // Asks for the memory that a search of this node reads.
  void prefetch(Ref node) const {
    const std::byte* at = arena().at<std::byte>(node);
    prefetch_line(at);
    prefetch_records(at);
  }
  // Asks for the header of this node only.
  void prefetch_header(Ref node) const { prefetch_line(arena().at<std::byte>(node)); }

  // Asks for the record below this slot that probably is the one of c. Waits for the header.
  void prefetch_record(Place slot, HashValue c) const {
    if (*slot.at == Ref::kNone) return;
    const Block& block = *blocks_.at(*slot.at);
    if (block.kind() != NodeKind::kBlock) [[unlikely]]
      return;
    const Tag tag = tag_of(c, slot.level);
    for (unsigned k = 0; k < block.count(); ++k) {
      if (block.tag(k) != tag) continue;
      const std::byte* record = block.record(k);
      prefetch_line(record);
      prefetch_line(record + block.size(k) - 1);
      return;
    }
  }

  // What is below a node. Touches headers of blocks only, unless records are outside.
  Tally count(Ref node) const;

  // Frees what *at names, until *budget_bytes are spent; true when *at is none.
  bool release_some(Ref* at, size_t* budget_bytes);

  // Moves the nodes on c's way from a slot down, and what their records keep outside, out of slabs
  // that are being emptied. Returns the level of the leaf.
  Level relocate(Place slot, HashValue c, size_t* budget_bytes);

 private:
  static constexpr unsigned kBranchBits = 4;
  // A branch with at most this many records below it becomes a block again. More of them still fit
  // a block, whatever their size: what has just become a branch does not collapse at once.
  static constexpr unsigned kCollapseRecords = 8;
  static constexpr unsigned kMoreRecords = kCollapseRecords + 1;
  static_assert(kMoreRecords <= Block::kRecordsMax);
  static_assert(Block::bytes_for(kMoreRecords, kMoreRecords* kInlineBytesMax) <= Block::kBytesMax);

  struct Branch {
    NodeKind kind;
    uint8_t bits;
    uint16_t unused;

    Ref* children() { return reinterpret_cast<Ref*>(this + 1); }
    const Ref* children() const { return reinterpret_cast<const Ref*>(this + 1); }
    unsigned child_count() const { return 1U << bits; }
    static constexpr size_t bytes_for(unsigned bits) {
      return sizeof(Branch) + (sizeof(Ref) << bits);
    }
  };

  struct Chain {
    NodeKind kind;
    uint8_t unused[3];
    Ref block;
    Ref next;  // a chain or a block
  };

  // The header says where in the block the record is. Not waiting for it, and asking for the lines
  // where the records of a typical block are, makes one wait for memory of two.
  static void prefetch_records(const void* block) {
    const auto* at = static_cast<const std::byte*>(block);
    for (size_t line = 1; line < 4; ++line) prefetch_line(at + line * kCacheLineBytes);
  }

  Arena& arena() const { return blocks_.arena(); }
  bool is(NodeKind kind, Ref node) const {
    return node != Ref::kNone && *arena().at<NodeKind>(node) == kind;
  }
  Branch* branch(Ref node) const { return arena().at<Branch>(node); }
  Chain* chain(Ref node) const { return arena().at<Chain>(node); }

  // Calls visit(Ref*) for the name of each block of a leaf until it returns true.
  template <typename Visitor>
  void each_block(Ref* leaf, const Visitor& visit) const {
    for (; is(NodeKind::kChain, *leaf); leaf = &chain(*leaf)->next) {
      if (visit(&chain(*leaf)->block)) return;
    }
    if (*leaf != Ref::kNone) visit(leaf);
  }

  Hit find_deep(Place slot, HashValue c, std::string_view key) const;
  void add(Place leaf, HashValue c, const Record& record);
  Place child(Place branch, HashValue c) const;
  Tag new_tag(const Block& block, unsigned k, Level from, Level to) const;
  void retag(Ref block, Level from, Level to);

  Ref new_branch(unsigned bits);
  Ref half_of(Ref branch, unsigned bit, Level level);
  void partition(Ref block, Level level, unsigned bits, Ref* children);
  Ref collapse(Ref node, Level level);
  unsigned count_up_to(Ref node, unsigned limit) const;
  void gather(Ref node, Level from, Ref into, Level to);

  void chain_up(Ref* at, Tag tag, const Record& record);
  void unchain(Ref* at);

  // Cells of branches and chains, with the books.
  Ref make(size_t bytes);
  void drop(Ref branch_or_chain);
  Tally count_cell(Ref branch_or_chain) const;

  BlockStore blocks_;
  HashFunction hash_;
};

}  // namespace lh::table
