#include "sim/transcript.h"

#include "base/hash.h"
#include "base/strings.h"
#include "core/message.h"
#include "wire/codec.h"

namespace lh::sim {

namespace {

// Large values tell nothing that their beginning does not.
constexpr size_t kLineMax = 400;

std::string describe(std::string_view bytes) {
  const wire::Frame frame = wire::next_frame(bytes);
  core::Message message;
  if (frame.status != wire::FrameStatus::kFrame || !wire::decode(frame, &message).ok()) {
    return "a frame that cannot be decoded";
  }
  std::string line = core::to_string(message);
  if (line.size() > kLineMax) line.replace(kLineMax, std::string::npos, "...");
  return line;
}

}  // namespace

void Transcript::take(base::Instant at, std::string_view bytes) {
  hash_ = base::xxh64(bytes, hash_ * 31 + static_cast<uint64_t>(at.ns()));
}

void Transcript::print(base::Instant at, std::string_view text) const {
  std::string line = base::format("%12.6f ", static_cast<double>(at.ns()) * 1e-9);
  line.append(text).append("\n");
  listener_(line);
}

void Transcript::delivered(base::Instant at, std::string_view from, std::string_view to,
                           std::string_view frame) {
  take(at, from);
  take(at, to);
  take(at, frame);
  if (!listener_) return;
  std::string line(from);
  line.append(" -> ").append(to).append("  ").append(describe(frame));
  print(at, line);
}

void Transcript::note(base::Instant at, std::string_view text) {
  take(at, text);
  if (listener_) print(at, text);
}

}  // namespace lh::sim
