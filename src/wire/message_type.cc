#include "wire/message_type.h"

#include <array>
#include <variant>

#include "wire/fields.h"

namespace lh::wire {
namespace {

template <typename M>
size_t body_bytes_max(Routing routing) {
  FieldBound<true> bound(routing);
  const M message{};
  body(bound, message);
  return bound.size();
}

template <typename M>
TypeInfo info_of() {
  return {.row = kRow<M>,
          .routable = kPath<M> != nullptr,
          .direct_bytes_max = body_bytes_max<M>(Routing::kDirect),
          .routed_bytes_max = body_bytes_max<M>(Routing::kRouted)};
}

// By type number; a number without a name is no type.
using Types = std::array<TypeInfo, kRoutedBit>;

template <typename... M>
Types make_types(std::variant<M...>*) {
  Types types{};
  ((types[static_cast<uint8_t>(kRow<M>.type)] = info_of<M>()), ...);
  return types;
}

}  // namespace

const TypeInfo* find_type(uint8_t number) {
  static const Types types = make_types(static_cast<core::Message*>(nullptr));
  return number < types.size() && !types[number].row.name.empty() ? &types[number] : nullptr;
}

bool client_may_send(MessageType type, Routing routing) {
  const TypeInfo* info = find_type(static_cast<uint8_t>(type));
  return info != nullptr && info->row.sender == Sender::kAnyone && routing == Routing::kDirect;
}

}  // namespace lh::wire
