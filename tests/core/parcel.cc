#include "tests/core/parcel.h"

#include <type_traits>

namespace lh::core::testing {

Parcel::Parcel(const Message& message) : message_(message) {
  std::visit([this](auto& m) { own_fields(&m); }, message_);
}

void Parcel::own(std::string_view* view) { *view = bytes_.emplace_back(*view); }

template <typename M>
void Parcel::own_fields(M* m) {
  if constexpr (std::is_same_v<M, Request>) own_all(&m->from, &m->key, &m->value);
  if constexpr (std::is_same_v<M, Reply>) own_all(&m->to, &m->value);
  if constexpr (std::is_same_v<M, SplitRecords>) own_all(&m->changes);
  if constexpr (std::is_same_v<M, Scan>) own_all(&m->client, &m->pattern);
  if constexpr (std::is_same_v<M, ScanReply>) own_all(&m->to, &m->matches);
  if constexpr (std::is_same_v<M, Register>) own_all(&m->from, &m->address);
  if constexpr (std::is_same_v<M, Registered>) own_all(&m->to);
  if constexpr (std::is_same_v<M, BookUpdate>) own_all(&m->to);
  if constexpr (std::is_same_v<M, BookQuery>) own_all(&m->from);
  if constexpr (std::is_same_v<M, FileQuery>) own_all(&m->from);
  if constexpr (std::is_same_v<M, FileReply>) own_all(&m->to);
  if constexpr (std::is_same_v<M, StandingQuery>) own_all(&m->to);
  if constexpr (std::is_same_v<M, Hello>) own_all(&m->listener);
  if constexpr (std::is_same_v<M, Error>) own_all(&m->text);
}

}  // namespace lh::core::testing
