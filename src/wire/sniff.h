// Which protocol a connection speaks, told from its first bytes: one port serves them all.
//
// Pure and incremental: asked again with more bytes while it says kUndecided.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lh::wire {

enum class Protocol : uint8_t {
  kUndecided,  // more bytes will tell
  kBinary,     // starts with a zero byte: frames
  kText,       // anything else: command lines
  kResp,       // starts with '*': an array of RESP
  kHttp,       // the first line ends in " HTTP/1.0" or " HTTP/1.1"
  kTls,        // a TLS handshake, which nobody here answers: without a name for it, it would hang
};

struct Sniffed {
  Protocol protocol = Protocol::kUndecided;
  size_t blank = 0;  // bytes of blank lines in front: they decide nothing and can be consumed
};

// `unread` starts at the first byte of the connection, or behind blank lines that were consumed.
// It never stays undecided beyond kLineBytesMax bytes and a bit (see text.h).
Sniffed sniff(std::string_view unread);

// What to answer, before closing, to a protocol that this node does not serve: a sentence in that
// protocol's own syntax. Empty for TLS, which has none that a person would see. Bound: kHttp or
// kTls.
std::string_view refusal(Protocol protocol);

}  // namespace lh::wire
