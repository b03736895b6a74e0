#include "base/strings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "base/check.h"

namespace lh::base {
namespace {

void append_format_list(std::string* out, const char* fmt, va_list args) {
  char buffer[256];
  va_list again;
  va_copy(again, args);
  const int size = std::vsnprintf(buffer, sizeof buffer, fmt, args);
  LH_CHECK(size >= 0, fmt);
  const auto length = static_cast<size_t>(size);
  if (length < sizeof buffer) {
    out->append(buffer, length);
  } else {
    const size_t start = out->size();
    out->resize(start + length + 1);
    std::vsnprintf(out->data() + start, length + 1, fmt, again);
    out->pop_back();
  }
  va_end(again);
}

// The bytes of names and of IPv4 addresses; an IPv6 address has colons and perhaps a %zone more.
bool is_host(std::string_view host, std::string_view extra) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [extra](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || extra.find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string format(const char* fmt, ...) {
  std::string out;
  va_list args;
  va_start(args, fmt);
  append_format_list(&out, fmt, args);
  va_end(args);
  return out;
}

void append_format(std::string* out, const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  append_format_list(out, fmt, args);
  va_end(args);
}

std::optional<uint64_t> parse_u64(std::string_view text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [p, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || p != end) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_i64(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.starts_with('0') && text != "0") return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [p, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || p != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<uint64_t> parse_size(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int shift = 0;
  switch (text.back()) {
    case 'k':
    case 'K':
      shift = 10;
      break;
    case 'm':
    case 'M':
      shift = 20;
      break;
    case 'g':
    case 'G':
      shift = 30;
      break;
    default:
      break;
  }
  if (shift > 0) text.remove_suffix(1);
  const std::optional<uint64_t> number = parse_u64(text);
  if (!number || *number > ~uint64_t{0} >> shift) return std::nullopt;
  return *number << shift;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> port = parse_u64(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!is_host(host, bracketed ? ":%" : "")) return std::nullopt;
  return HostPort{std::string(host), static_cast<uint16_t>(*port)};
}

std::string to_string(const HostPort& address) {
  const bool bracketed = address.host.find(':') != std::string::npos;
  return (bracketed ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace lh::base
