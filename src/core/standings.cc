#include "core/standings.h"

#include "core/limits.h"

namespace lh::core {

bool Standings::take(const Standing& m) {
  if (complete_ || m.query != query_) return false;
  if (m.servers != servers_) {
    *this = Standings(query_, node_, boot_);
    servers_ = m.servers;
  }
  if (m.book.first != first_) return false;
  if (!answered_.insert(m.server).second) return false;
  if (options_.id == 0) options_ = m.options;  // a server that has not joined knows no file
  buckets_.insert(buckets_.end(), m.buckets.begin(), m.buckets.end());
  for (size_t k = 0; k < m.book.at.size(); ++k) {
    if (m.book.at[k] != NodeId::kNone) book_.set(first_ + k, m.book.at[k]);
  }
  book_.learn({0, {}, m.book.nodes});
  more_ |= m.more;
  if (answered_.size() < m.servers) return true;
  if (!more_) {
    complete_ = true;
    return true;
  }
  more_ = false;
  answered_.clear();
  first_ += kBookEntriesMax;
  return true;
}

}  // namespace lh::core
