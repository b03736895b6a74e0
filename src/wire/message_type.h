// What a frame can carry: number, name, sender and return path of each message. The numbers are
// the wire format and never change; see FORMAT.md. A new message needs a row here, a description
// in fields.h and a line in the table of FORMAT.md.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/message.h"

namespace lh::wire {

enum class MessageType : uint8_t {
  kHello = 1,
  kWelcome = 2,
  kError = 3,
  kPing = 4,
  kPong = 5,

  kRequest = 16,
  kReply = 17,

  kScan = 32,
  kScanReply = 33,
  kScanMore = 34,

  kRegister = 48,
  kRegistered = 49,
  kHeartbeat = 50,
  kBookUpdate = 51,
  kBookQuery = 52,
  kFileQuery = 53,
  kFileReply = 54,
  kStandingQuery = 55,
  kStanding = 56,

  kOverflow = 64,
  kOverflowAck = 65,
  kSplitOrder = 66,
  kSplitDone = 67,
  kSplitRecords = 68,
  kSplitRecordsAck = 69,
};

// Whether a frame carries the message's ReplyPath. Direct: between a client and the node that it
// is connected to, where the connection is the path. Routed: between nodes. It is the top bit of
// the type byte, and only messages that have a ReplyPath can set it.
enum class Routing : uint8_t { kDirect, kRouted };
inline constexpr uint8_t kRoutedBit = 0x80;

enum class Sender : uint8_t { kAnyone, kNode };

struct TypeRow {
  MessageType type{};
  std::string_view name;
  Sender sender = Sender::kNode;  // who may send it; kAnyone: a client too
};

template <typename M>
inline constexpr TypeRow kRow;
template <>
inline constexpr TypeRow kRow<core::Hello> = {MessageType::kHello, "Hello", Sender::kAnyone};
template <>
inline constexpr TypeRow kRow<core::Welcome> = {MessageType::kWelcome, "Welcome"};
template <>
inline constexpr TypeRow kRow<core::Error> = {MessageType::kError, "Error", Sender::kAnyone};
template <>
inline constexpr TypeRow kRow<core::Ping> = {MessageType::kPing, "Ping", Sender::kAnyone};
template <>
inline constexpr TypeRow kRow<core::Pong> = {MessageType::kPong, "Pong", Sender::kAnyone};
template <>
inline constexpr TypeRow kRow<core::Request> = {MessageType::kRequest, "Request", Sender::kAnyone};
template <>
inline constexpr TypeRow kRow<core::Reply> = {MessageType::kReply, "Reply"};
template <>
inline constexpr TypeRow kRow<core::Scan> = {MessageType::kScan, "Scan", Sender::kAnyone};
template <>
inline constexpr TypeRow kRow<core::ScanReply> = {MessageType::kScanReply, "ScanReply"};
template <>
inline constexpr TypeRow kRow<core::ScanMore> = {MessageType::kScanMore, "ScanMore",
                                                 Sender::kAnyone};
template <>
inline constexpr TypeRow kRow<core::Register> = {MessageType::kRegister, "Register"};
template <>
inline constexpr TypeRow kRow<core::Registered> = {MessageType::kRegistered, "Registered"};
template <>
inline constexpr TypeRow kRow<core::Heartbeat> = {MessageType::kHeartbeat, "Heartbeat"};
template <>
inline constexpr TypeRow kRow<core::BookUpdate> = {MessageType::kBookUpdate, "BookUpdate"};
template <>
inline constexpr TypeRow kRow<core::BookQuery> = {MessageType::kBookQuery, "BookQuery",
                                                  Sender::kAnyone};
template <>
inline constexpr TypeRow kRow<core::FileQuery> = {MessageType::kFileQuery, "FileQuery",
                                                  Sender::kAnyone};
template <>
inline constexpr TypeRow kRow<core::FileReply> = {MessageType::kFileReply, "FileReply"};
template <>
inline constexpr TypeRow kRow<core::StandingQuery> = {MessageType::kStandingQuery, "StandingQuery"};
template <>
inline constexpr TypeRow kRow<core::Standing> = {MessageType::kStanding, "Standing"};
template <>
inline constexpr TypeRow kRow<core::Overflow> = {MessageType::kOverflow, "Overflow"};
template <>
inline constexpr TypeRow kRow<core::OverflowAck> = {MessageType::kOverflowAck, "OverflowAck"};
template <>
inline constexpr TypeRow kRow<core::SplitOrder> = {MessageType::kSplitOrder, "SplitOrder"};
template <>
inline constexpr TypeRow kRow<core::SplitDone> = {MessageType::kSplitDone, "SplitDone"};
template <>
inline constexpr TypeRow kRow<core::SplitRecords> = {MessageType::kSplitRecords, "SplitRecords"};
template <>
inline constexpr TypeRow kRow<core::SplitRecordsAck> = {MessageType::kSplitRecordsAck,
                                                        "SplitRecordsAck"};

// Where a message keeps its ReplyPath; nullptr for those that have none and are always direct.
template <typename M>
consteval core::ReplyPath M::*path_member() {
  if constexpr (requires(M m) {
                  { (m.from) } -> std::same_as<core::ReplyPath&>;
                })
    return &M::from;
  if constexpr (requires(M m) {
                  { (m.to) } -> std::same_as<core::ReplyPath&>;
                })
    return &M::to;
  if constexpr (requires(M m) {
                  { (m.client) } -> std::same_as<core::ReplyPath&>;
                }) {
    return &M::client;
  }
  return nullptr;
}
template <typename M>
inline constexpr core::ReplyPath M::*kPath = path_member<M>();

// What the framer and the node need to know of a type before they look at a body.
struct TypeInfo {
  TypeRow row;
  bool routable = false;        // has a ReplyPath, so kRoutedBit may be set
  size_t direct_bytes_max = 0;  // no valid body is larger
  size_t routed_bytes_max = 0;
};

// The type with this number, without kRoutedBit; nullptr when there is none.
const TypeInfo* find_type(uint8_t number);

// Whether a client may send such a frame; all others are for nodes to send.
bool client_may_send(MessageType type, Routing routing);

}  // namespace lh::wire
