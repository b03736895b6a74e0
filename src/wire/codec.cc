#include "wire/codec.h"

#include <array>
#include <utility>
#include <variant>

#include "base/check.h"
#include "wire/fields.h"

namespace lh::wire {
namespace {

template <typename M>
constexpr Routing effective(Routing routing) {
  return kPath<M> != nullptr ? routing : Routing::kDirect;
}

template <typename M>
size_t bytes_max_of(const M& message, Routing routing) {
  FieldBound<false> bound(effective<M>(routing));
  body(bound, message);
  return kHeaderBytes + bound.size();
}

template <typename M>
char* encode_one(char* p, const M& message, Routing routing) {
  char* const start = p + kHeaderBytes;
  FieldWriter writer(start, effective<M>(routing));
  body(writer, message);
  put_header(p, kRow<M>.type, effective<M>(routing), static_cast<size_t>(writer.end() - start));
  return writer.end();
}
char* encode_one(char* p, const core::Request& request, Routing routing) {
  LH_CHECK(routing == Routing::kRouted || request.hops == 0);
  return encode_one<core::Request>(p, request, routing);
}

template <typename M>
void append(const M& message, Routing routing, std::string* out) {
  const size_t bytes_max = frame_bytes_max(message, routing);
  // A string fills what it grows by with zeros first, which costs as much as encoding does.
  char scratch[512];
  if (bytes_max <= sizeof scratch) {
    const char* end = encode_to(scratch, message, routing);
    out->append(scratch, static_cast<size_t>(end - scratch));
    return;
  }
  const size_t before = out->size();
  out->resize(before + bytes_max);
  const char* end = encode_to(out->data() + before, message, routing);
  out->resize(static_cast<size_t>(end - out->data()));
}

template <typename M>
Status decode_one(const Frame& frame, M* message) {
  FieldReader reader(frame.body, frame.routing);
  body(reader, *message);
  const char* error = reader.error();
  if (error == nullptr) return {};
  return {StatusCode::kInvalid, std::string("bad ").append(kRow<M>.name) + ": " + error};
}

using Decoder = Status (*)(const Frame&, core::Message*);

// By type number.
template <typename... M>
constexpr std::array<Decoder, kRoutedBit> make_decoders(std::variant<M...>*) {
  std::array<Decoder, kRoutedBit> decoders{};
  ((decoders[static_cast<uint8_t>(kRow<M>.type)] =
        [](const Frame& frame, core::Message* message) {
          return decode_one(frame, &message->emplace<M>());
        }),
   ...);
  return decoders;
}
constexpr auto kDecoders = make_decoders(static_cast<core::Message*>(nullptr));

}  // namespace

size_t frame_bytes_max(const core::Message& message, Routing routing) {
  return std::visit([=](const auto& m) { return bytes_max_of(m, routing); }, message);
}
size_t frame_bytes_max(const core::Request& request, Routing routing) {
  return bytes_max_of(request, routing);
}
size_t frame_bytes_max(const core::Reply& reply, Routing routing) {
  return bytes_max_of(reply, routing);
}

char* encode_to(char* p, const core::Message& message, Routing routing) {
  return std::visit([=](const auto& m) { return encode_one(p, m, routing); }, message);
}
char* encode_to(char* p, const core::Request& request, Routing routing) {
  return encode_one(p, request, routing);
}
char* encode_to(char* p, const core::Reply& reply, Routing routing) {
  return encode_one(p, reply, routing);
}

void encode(const core::Message& message, Routing routing, std::string* out) {
  append(message, routing, out);
}
void encode(const core::Request& request, Routing routing, std::string* out) {
  append(request, routing, out);
}
void encode(const core::Reply& reply, Routing routing, std::string* out) {
  append(reply, routing, out);
}

Status decode(const Frame& frame, core::Message* message) {
  LH_CHECK(frame.status == FrameStatus::kFrame);
  return kDecoders[static_cast<uint8_t>(frame.type)](frame, message);
}

}  // namespace lh::wire
