#include "wire/sniff.h"

#include "base/check.h"
#include "wire/text.h"

namespace lh::wire {
namespace {

constexpr std::string_view kTlsHandshake = "\x16\x03";

// The bytes of the lines at the start that have nothing but blanks on them.
size_t blank_lines(std::string_view unread) {
  size_t blank = 0;
  while (true) {
    const size_t end = unread.find_first_not_of(" \t\r", blank);
    if (end == std::string_view::npos || unread[end] != '\n') return blank;
    blank = end + 1;
  }
}

Protocol protocol_of_line(std::string_view line) {
  return line.ends_with(" HTTP/1.0") || line.ends_with(" HTTP/1.1") ? Protocol::kHttp
                                                                    : Protocol::kText;
}

Protocol decide(std::string_view unread) {
  if (unread.empty()) return Protocol::kUndecided;
  if (unread[0] == '\0') return Protocol::kBinary;
  if (unread[0] == '*') return Protocol::kResp;
  if (unread.starts_with(kTlsHandshake)) return Protocol::kTls;
  const Line line = next_line(unread);
  if (line.status == LineStatus::kNeedMore) return Protocol::kUndecided;
  return line.status == LineStatus::kLine ? protocol_of_line(line.text) : Protocol::kText;
}

}  // namespace

Sniffed sniff(std::string_view unread) {
  const size_t blank = blank_lines(unread);
  return {decide(unread.substr(blank)), blank};
}

std::string_view refusal(Protocol protocol) {
  switch (protocol) {
    case Protocol::kHttp:
      return "HTTP/1.1 501 Not Implemented\r\n"
             "Content-Type: text/plain\r\n"
             "Content-Length: 64\r\n"
             "Connection: close\r\n"
             "\r\n"
             "this node does not speak HTTP: send text lines, HELP lists them\n";
    case Protocol::kTls:
      return {};
    case Protocol::kUndecided:
    case Protocol::kBinary:
    case Protocol::kText:
    case Protocol::kResp:
      break;
  }
  LH_UNREACHABLE("a protocol that is served");
}

}  // namespace lh::wire
