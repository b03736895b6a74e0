// SocketAddress: where a TCP socket is or could be: an IPv4 or IPv6 address and a port.
//
// A plain value of 24 bytes: copy, compare, order and hash it; safe to share between threads when
// it is not written. As text it is `127.0.0.1:80` or `[::1]:80`, and what to_string() writes
// parse() reads.
#pragma once

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "lh/status.h"

namespace lh::net {

class SocketAddress {
 public:
  // Longer text is no address.
  static constexpr size_t kTextMax = 255;

  // No address at all: valid() is false.
  SocketAddress() = default;

  // HOST:PORT with a numeric host, or `localhost`, which is 127.0.0.1. No I/O. kInvalid with a
  // sentence that quotes the text.
  static Result<SocketAddress> parse(std::string_view text);

  // The same, but any other host is looked up in the system's name service, which may take seconds:
  // for the start of a program, not for a loop's thread. kUnavailable when the name is not known.
  static Result<SocketAddress> resolve(std::string_view text);

  // What the kernel filled in; not valid() for another family than the two.
  static SocketAddress from_sockaddr(const sockaddr_storage& storage);

  // For the kernel; returns the length. Precondition: valid().
  socklen_t to_sockaddr(sockaddr_storage* storage) const;

  static SocketAddress ipv4_loopback(uint16_t port);

  bool valid() const { return family_ != Family::kNone; }
  bool is_ipv6() const { return family_ == Family::kIpv6; }
  uint16_t port() const { return port_; }
  SocketAddress with_port(uint16_t port) const;

  // 127.0.0.0/8, ::1, or the former written as IPv6 (::ffff:127.0.0.1).
  bool is_loopback() const;

  // 0.0.0.0 or ::, which means every address when listening and nothing when connecting.
  bool is_any() const;

  // "-" when there is no address.
  std::string to_string() const;

  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;

  size_t hash() const;

 private:
  enum class Family : uint8_t { kNone, kIpv4, kIpv6 };

  // The two halves of parse(): HOST and PORT, brackets taken off.
  struct HostPort {
    std::string host;
    uint16_t port = 0;
  };
  static Result<HostPort> split(std::string_view text);
  static SocketAddress from_numeric(const HostPort& parts);

  Family family_ = Family::kNone;
  uint16_t port_ = 0;
  uint32_t scope_ = 0;            // the interface of a link-local IPv6 address
  std::array<uint8_t, 16> ip_{};  // network order; IPv4 has the first four
};

}  // namespace lh::net

template <>
struct std::hash<lh::net::SocketAddress> {
  size_t operator()(const lh::net::SocketAddress& address) const { return address.hash(); }
};
