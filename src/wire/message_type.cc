#include "wire/message_type.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "core/limits.h"
#include "wire/fields.h"

namespace lh::wire {
namespace {

template <typename M>
constexpr size_t body_bytes_max(Routing routing) {
  FieldBound<true> bound(routing);
  M message{};
  body(bound, std::as_const(message));
  return bound.size();
}

template <typename M>
constexpr TypeInfo info_of() {
  return {.row = kRow<M>,
          .routable = kPath<M> != nullptr,
          .direct_bytes_max = body_bytes_max<M>(Routing::kDirect),
          .routed_bytes_max = body_bytes_max<M>(Routing::kRouted)};
}

// By type number; a number without a name is no type.
using Types = std::array<TypeInfo, kRoutedBit>;

template <typename... M>
constexpr Types make_types(std::variant<M...>*) {
  Types types{};
  ((types[static_cast<uint8_t>(kRow<M>.type)] = info_of<M>()), ...);
  return types;
}
constexpr Types kTypes = make_types(static_cast<core::Message*>(nullptr));

constexpr bool is_named(const TypeInfo& info) { return !info.row.name.empty(); }

static_assert(std::count_if(kTypes.begin(), kTypes.end(), is_named) ==
                  std::variant_size_v<core::Message>,
              "each message has a type number of its own");
static_assert(std::all_of(kTypes.begin(), kTypes.end(),
                          [](const TypeInfo& info) {
                            return info.routed_bytes_max + 2 <= core::kFrameBytesMax;
                          }),
              "the largest message of each type must fit a frame");

}  // namespace

const TypeInfo* find_type(uint8_t number) {
  return number < kTypes.size() && is_named(kTypes[number]) ? &kTypes[number] : nullptr;
}

bool client_may_send(MessageType type, Routing routing) {
  const TypeInfo* info = find_type(static_cast<uint8_t>(type));
  return info != nullptr && info->row.sender == Sender::kAnyone && routing == Routing::kDirect;
}

}  // namespace lh::wire
