#include "net/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "base/check.h"
#include "base/strings.h"

namespace lh::net {
namespace {

constexpr size_t kIpv4Bytes = 4;

Status bad_address(std::string_view text, std::string_view why) {
  std::string message = "address ";
  base::append_quoted(&message, text.substr(0, SocketAddress::kTextMax));
  message += " is not HOST:PORT: ";
  message += why;
  return {StatusCode::kInvalid, std::move(message)};
}

std::optional<uint16_t> parse_port(std::string_view text) {
  const std::optional<uint64_t> port = base::parse_u64(text);
  if (!port || *port > std::numeric_limits<uint16_t>::max()) return std::nullopt;
  return static_cast<uint16_t>(*port);
}

bool is_ipv4_loopback(const uint8_t* ip) { return ip[0] == 127; }

}  // namespace

Result<SocketAddress::HostPort> SocketAddress::split(std::string_view text) {
  if (text.size() > kTextMax) return bad_address(text, "it is too long");
  // inet_pton and getaddrinfo would stop at a NUL and believe what is before it.
  if (text.find('\0') != text.npos) return bad_address(text, "it contains a NUL");
  const size_t colon = text.rfind(':');
  if (colon == text.npos || text.back() == ']') return bad_address(text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    return bad_address(text, "an IPv6 address is written in brackets");
  }
  if (host.empty()) return bad_address(text, "the host is missing");
  const std::optional<uint16_t> port = parse_port(text.substr(colon + 1));
  if (!port) return bad_address(text, "the port is not a number from 0 to 65535");
  HostPort parts{std::string(host), *port};
  if (bracketed && !from_numeric(parts).is_ipv6()) {
    return bad_address(text, "only an IPv6 address is written in brackets");
  }
  return parts;
}

SocketAddress SocketAddress::from_numeric(const HostPort& parts) {
  SocketAddress address;
  address.port_ = parts.port;
  if (parts.host == "localhost") return ipv4_loopback(parts.port);
  if (inet_pton(AF_INET, parts.host.c_str(), address.ip_.data()) == 1) {
    address.family_ = Family::kIpv4;
    return address;
  }
  if (inet_pton(AF_INET6, parts.host.c_str(), address.ip_.data()) == 1) {
    address.family_ = Family::kIpv6;
    return address;
  }
  return {};
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  const Result<HostPort> parts = split(text);
  if (!parts.ok()) return parts.status();
  const SocketAddress address = from_numeric(parts.value());
  if (!address.valid()) return bad_address(text, "the host is not a numeric address");
  return address;
}

Result<SocketAddress> SocketAddress::resolve(std::string_view text) {
  const Result<HostPort> parts = split(text);
  if (!parts.ok()) return parts.status();
  if (const SocketAddress numeric = from_numeric(parts.value()); numeric.valid()) return numeric;
  const addrinfo hints{.ai_flags = AI_ADDRCONFIG,
                       .ai_family = AF_UNSPEC,
                       .ai_socktype = SOCK_STREAM,
                       .ai_protocol = 0,
                       .ai_addrlen = 0,
                       .ai_addr = nullptr,
                       .ai_canonname = nullptr,
                       .ai_next = nullptr};
  addrinfo* found = nullptr;
  const int error = getaddrinfo(parts.value().host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return Status(
        StatusCode::kUnavailable,
        base::format("cannot find host %s: %s", parts.value().host.c_str(), gai_strerror(error)));
  }
  sockaddr_storage storage{};
  std::memcpy(&storage, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return from_sockaddr(storage).with_port(parts.value().port);
}

SocketAddress SocketAddress::from_sockaddr(const sockaddr_storage& storage) {
  SocketAddress address;
  if (storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    address.family_ = Family::kIpv4;
    address.port_ = ntohs(in.sin_port);
    std::memcpy(address.ip_.data(), &in.sin_addr, kIpv4Bytes);
  } else if (storage.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(storage);
    address.family_ = Family::kIpv6;
    address.port_ = ntohs(in6.sin6_port);
    address.scope_ = in6.sin6_scope_id;
    std::memcpy(address.ip_.data(), &in6.sin6_addr, address.ip_.size());
  }
  return address;
}

socklen_t SocketAddress::to_sockaddr(sockaddr_storage* storage) const {
  LH_CHECK(valid());
  *storage = {};
  if (is_ipv6()) {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(*storage);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port_);
    in6.sin6_scope_id = scope_;
    std::memcpy(&in6.sin6_addr, ip_.data(), ip_.size());
    return sizeof in6;
  }
  auto& in = reinterpret_cast<sockaddr_in&>(*storage);
  in.sin_family = AF_INET;
  in.sin_port = htons(port_);
  std::memcpy(&in.sin_addr, ip_.data(), kIpv4Bytes);
  return sizeof in;
}

SocketAddress SocketAddress::ipv4_loopback(uint16_t port) {
  SocketAddress address;
  address.family_ = Family::kIpv4;
  address.port_ = port;
  address.ip_ = {127, 0, 0, 1};
  return address;
}

SocketAddress SocketAddress::with_port(uint16_t port) const {
  SocketAddress address = *this;
  address.port_ = port;
  return address;
}

bool SocketAddress::is_loopback() const {
  if (!valid()) return false;
  if (!is_ipv6()) return is_ipv4_loopback(ip_.data());
  in6_addr ip;
  std::memcpy(&ip, ip_.data(), sizeof ip);
  if (IN6_IS_ADDR_V4MAPPED(&ip)) return is_ipv4_loopback(ip_.data() + 12);
  return IN6_IS_ADDR_LOOPBACK(&ip);
}

bool SocketAddress::is_any() const {
  return valid() && std::all_of(ip_.begin(), ip_.end(), [](uint8_t byte) { return byte == 0; });
}

std::string SocketAddress::to_string() const {
  if (!valid()) return "-";
  char host[INET6_ADDRSTRLEN];
  const int family = is_ipv6() ? AF_INET6 : AF_INET;
  LH_CHECK(inet_ntop(family, ip_.data(), host, sizeof host) != nullptr);
  return base::format(is_ipv6() ? "[%s]:%u" : "%s:%u", host, unsigned{port_});
}

size_t SocketAddress::hash() const {
  uint64_t halves[2];
  std::memcpy(halves, ip_.data(), sizeof halves);
  uint64_t x = halves[0] * 0x9e3779b97f4a7c15 ^ halves[1];
  x = (x ^ x >> 32 ^ port_) * 0xbf58476d1ce4e5b9;
  return x ^ x >> 29;
}

}  // namespace lh::net
