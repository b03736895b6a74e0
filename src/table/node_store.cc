#include "table/node_store.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace lh::table {

void NodeStore::hand_over(Tally tally, NodeStore* to) {
  blocks_.tally() -= tally;
  to->blocks_.tally() += tally;
}

// --------------------------------------------------------------------------------- operations

NodeStore::Place NodeStore::child(Place from, HashValue c) const {
  Branch* at = branch(*from.at);
  const size_t index = c >> from.level & (at->child_count() - 1);
  return {at->children() + index, static_cast<Level>(from.level + at->bits)};
}

NodeStore::Hit NodeStore::find_deep(Place slot, HashValue c, std::string_view key) const {
  Hit hit{descend(slot, c)};
  const Tag tag = tag_of(c, hit.leaf.level);
  each_block(hit.leaf.at, [&](Ref* at) {
    Block* block = blocks_.at(*at);
    hit.index = blocks_.find(*block, tag, key, &hit.record);
    if (hit.index == block->count()) return false;
    hit.at = at;
    hit.block = block;
    return true;
  });
  return hit;
}

void NodeStore::add(Place leaf, HashValue c, const Record& record) {
  // Ends: each turn that does not return uses up bits of c.
  for (;; leaf = descend(leaf, c)) {
    const Tag tag = tag_of(c, leaf.level);
    if (is(NodeKind::kChain, *leaf.at)) return chain_up(leaf.at, tag, record);
    if (*leaf.at == Ref::kNone || BlockStore::admits(*blocks_.at(*leaf.at), record)) {
      return blocks_.add(leaf.at, tag, record);
    }
    if (leaf.level == kAllBits) return chain_up(leaf.at, tag, record);
    const unsigned bits = std::min<unsigned>(kBranchBits, kAllBits - leaf.level);
    const Ref full = *leaf.at;
    *leaf.at = new_branch(bits);
    partition(full, leaf.level, bits, branch(*leaf.at)->children());
  }
}

void NodeStore::replace(const Hit& hit, HashValue c, const Record& record) {
  if (blocks_.overwrite(hit.block, hit.index, record)) return;
  blocks_.take_out(hit.at, hit.index);
  unchain(hit.leaf.at);
  add(hit.leaf, c, record);
  const Place leaf = descend(hit.leaf, c);
  if (is(NodeKind::kBlock, *leaf.at)) blocks_.trim(leaf.at);
}

void NodeStore::erase(Place slot, const Hit& hit, HashValue c) {
  blocks_.take_out(hit.at, hit.index);
  if (*hit.at != Ref::kNone) {
    blocks_.trim(hit.at);
    if (blocks_.at(*hit.at)->count() > kCollapseRecords) return;
  }
  // The topmost branch that has become small enough ends, with all below.
  Place at = slot;
  for (; is(NodeKind::kBranch, *at.at); at = child(at, c)) {
    *at.at = collapse(*at.at, at.level);
    if (!is(NodeKind::kBranch, *at.at)) return;
  }
  unchain(at.at);
}

// ------------------------------------------------------------------------------ split and join

void NodeStore::split(Ref node, Level level, Ref* zero, Ref* one) {
  LH_CHECK(level < kAllBits);
  *zero = *one = Ref::kNone;
  if (node == Ref::kNone) return;
  if (is(NodeKind::kBlock, node)) {
    std::array<Ref, 2> halves{};
    partition(node, level, 1, halves.data());
    *zero = halves[0];
    *one = halves[1];
    return;
  }
  LH_CHECK(is(NodeKind::kBranch, node));
  *zero = half_of(node, 0, level);
  *one = half_of(node, 1, level);
  drop(node);
}

// The children of a branch whose first bit is `bit`, as one node of level + 1.
Ref NodeStore::half_of(Ref node, unsigned bit, Level level) {
  const unsigned bits = branch(node)->bits;
  if (bits == 1) return branch(node)->children()[bit];
  const Ref half = new_branch(bits - 1);
  for (unsigned k = 0; k < branch(half)->child_count(); ++k) {
    branch(half)->children()[k] = branch(node)->children()[2 * k + bit];
  }
  return collapse(half, static_cast<Level>(level + 1));
}

Ref NodeStore::join(Ref zero, Ref one, Level level) {
  const auto below = static_cast<Level>(level + 1);
  if (zero == Ref::kNone && one == Ref::kNone) return Ref::kNone;
  const bool blocks = (zero == Ref::kNone || is(NodeKind::kBlock, zero)) &&
                      (one == Ref::kNone || is(NodeKind::kBlock, one));
  if (blocks && (zero == Ref::kNone || one == Ref::kNone)) {
    const Ref only = zero == Ref::kNone ? one : zero;
    retag(only, below, level);
    return only;
  }
  if (blocks) {
    const unsigned count = blocks_.at(zero)->count() + blocks_.at(one)->count();
    const size_t bytes = blocks_.at(zero)->record_bytes() + blocks_.at(one)->record_bytes();
    if (count <= Block::kRecordsMax && Block::bytes_for(count, bytes) <= Block::kBytesMax) {
      const Ref both = blocks_.create(count, bytes);
      gather(zero, below, both, level);
      gather(one, below, both, level);
      return both;
    }
  }
  const Ref both = new_branch(1);
  branch(both)->children()[0] = zero;
  branch(both)->children()[1] = one;
  return collapse(both, level);
}

// Distributes the records of a block of `level` by the next `bits` bits of c, and drops the block.
void NodeStore::partition(Ref from, Level level, unsigned bits, Ref* children) {
  const Block& block = *blocks_.at(from);
  const auto to = static_cast<Level>(level + bits);
  struct Share {
    unsigned count = 0;
    size_t bytes = 0;
  };
  std::array<Share, 1U << kBranchBits> shares;
  for (unsigned k = 0; k < block.count(); ++k) {
    Share& share = shares[next_bits(block.tag(k), level, bits)];
    ++share.count;
    share.bytes += block.size(k);
  }
  for (unsigned child = 0; child < 1U << bits; ++child) {
    const Share& share = shares[child];
    if (share.count == block.count()) {  // all stay together, and where they are
      retag(from, level, to);
      children[child] = from;
      return;
    }
    if (share.count > 0) children[child] = blocks_.create(share.count, share.bytes);
  }
  for (unsigned k = 0; k < block.count(); ++k) {
    const Ref child = children[next_bits(block.tag(k), level, bits)];
    blocks_.at(child)->append_copy(new_tag(block, k, level, to), block, k);
  }
  blocks_.drop(from);
}

Tag NodeStore::new_tag(const Block& block, unsigned k, Level from, Level to) const {
  if (tag_shift(from) == tag_shift(to)) return block.tag(k);
  return tag_of(hash_(blocks_.record(block, k).key), to);
}

void NodeStore::retag(Ref ref, Level from, Level to) {
  if (tag_shift(from) == tag_shift(to)) return;
  Block* block = blocks_.at(ref);
  for (unsigned k = 0; k < block->count(); ++k) block->set_tag(k, new_tag(*block, k, from, to));
}

// ------------------------------------------------------------------------- branches and chains

Ref NodeStore::make(size_t bytes) {
  const Ref ref = arena().allocate(bytes);
  blocks_.tally() += count_cell(ref);
  return ref;
}

void NodeStore::drop(Ref branch_or_chain) {
  blocks_.tally() -= count_cell(branch_or_chain);
  arena().release(branch_or_chain);
}

Tally NodeStore::count_cell(Ref branch_or_chain) const {
  Tally sum;
  sum.other_bytes = arena().size_of(branch_or_chain);
  sum.others = 1;
  return sum;
}

Ref NodeStore::new_branch(unsigned bits) {
  const Ref ref = make(Branch::bytes_for(bits));
  *branch(ref) = {NodeKind::kBranch, static_cast<uint8_t>(bits), 0};
  std::fill_n(branch(ref)->children(), 1U << bits, Ref::kNone);
  return ref;
}

// What should stand for this node: itself, or a block, or nothing, when few records are left.
Ref NodeStore::collapse(Ref node, Level level) {
  if (!is(NodeKind::kBranch, node)) return node;
  const unsigned count = count_up_to(node, kMoreRecords);
  if (count > kCollapseRecords) return node;
  Ref block = count == 0 ? Ref::kNone : blocks_.create(count, count * kInlineBytesMax);
  gather(node, level, block, level);
  if (count > 0) blocks_.trim(&block);
  return block;
}

// Counts no further than `limit`, so that a large branch costs no more than a small one.
unsigned NodeStore::count_up_to(Ref node, unsigned limit) const {
  if (node == Ref::kNone) return 0;
  unsigned count = 0;
  if (is(NodeKind::kBlock, node)) {
    count = blocks_.at(node)->count();
  } else if (is(NodeKind::kChain, node)) {
    count = count_up_to(chain(node)->block, limit);
    if (count < limit) count += count_up_to(chain(node)->next, limit - count);
  } else {
    const Branch& at = *branch(node);
    for (unsigned k = 0; k < at.child_count() && count < limit; ++k) {
      count += count_up_to(at.children()[k], limit - count);
    }
  }
  return std::min(count, limit);
}

// Moves all records below a node of level `from` into a block of level `to`, and drops the nodes.
void NodeStore::gather(Ref node, Level from, Ref into, Level to) {
  if (node == Ref::kNone) return;
  if (is(NodeKind::kBlock, node)) {
    const Block& block = *blocks_.at(node);
    for (unsigned k = 0; k < block.count(); ++k) {
      blocks_.at(into)->append_copy(new_tag(block, k, from, to), block, k);
    }
    return blocks_.drop(node);
  }
  if (is(NodeKind::kChain, node)) {
    gather(chain(node)->block, from, into, to);
    gather(chain(node)->next, from, into, to);
  } else {
    const Branch& at = *branch(node);
    const auto below = static_cast<Level>(from + at.bits);
    for (unsigned k = 0; k < at.child_count(); ++k) gather(at.children()[k], below, into, to);
  }
  drop(node);
}

void NodeStore::chain_up(Ref* at, Tag tag, const Record& record) {
  if (is(NodeKind::kChain, *at) && BlockStore::admits(*blocks_.at(chain(*at)->block), record)) {
    return blocks_.add(&chain(*at)->block, tag, record);
  }
  Ref head = Ref::kNone;
  blocks_.add(&head, tag, record);
  const Ref link = make(sizeof(Chain));
  *chain(link) = {NodeKind::kChain, {}, head, *at};
  *at = link;
}

// Takes links without a block out of a chain, and the last link when only one block is left.
void NodeStore::unchain(Ref* at) {
  while (is(NodeKind::kChain, *at)) {
    const Ref link = *at;
    Chain* here = chain(link);
    if (here->block != Ref::kNone && here->next != Ref::kNone) {
      at = &here->next;
      continue;
    }
    *at = here->block != Ref::kNone ? here->block : here->next;
    drop(link);
  }
}

// ----------------------------------------------------------------------------------- the whole

Tally NodeStore::count(Ref node) const {
  Tally sum;
  for (; is(NodeKind::kChain, node); node = chain(node)->next) {  // may be long: no recursion
    sum += count_cell(node);
    sum += blocks_.count(chain(node)->block);
  }
  if (node == Ref::kNone) return sum;
  if (is(NodeKind::kBlock, node)) return sum += blocks_.count(node);
  sum += count_cell(node);
  const Branch& at = *branch(node);
  for (unsigned k = 0; k < at.child_count(); ++k) sum += count(at.children()[k]);
  return sum;
}

bool NodeStore::release_some(Ref* at, size_t* budget) {
  while (is(NodeKind::kChain, *at)) {
    const Ref link = *at;
    if (!blocks_.free_some(&chain(link)->block, budget)) return false;
    *at = chain(link)->next;
    drop(link);
  }
  if (*at == Ref::kNone) return true;
  if (is(NodeKind::kBlock, *at)) return blocks_.free_some(at, budget);
  Branch& here = *branch(*at);
  for (unsigned k = 0; k < here.child_count(); ++k) {
    if (!release_some(here.children() + k, budget)) return false;
  }
  drop(*at);
  *at = Ref::kNone;
  return true;
}

Level NodeStore::relocate(Place at, HashValue c, size_t* budget) {
  const auto move = [this, budget](Ref* ref) {
    if (*ref == Ref::kNone || !arena().leaving(*ref)) return;
    spend(budget, 2 * arena().size_of(*ref));
    *ref = arena().move(*ref);
  };
  for (move(at.at); is(NodeKind::kBranch, *at.at); move(at.at)) at = child(at, c);
  for (Ref* link = at.at; is(NodeKind::kChain, *link); link = &chain(*link)->next) {
    move(&chain(*link)->block);
    move(&chain(*link)->next);
  }
  each_block(at.at, [&](Ref* block) {
    blocks_.relocate_outside(blocks_.at(*block), budget);
    return false;
  });
  return at.level;
}

}  // namespace lh::table
