// Deterministic mutation of valid input: frames and lines as a broken or malicious peer might send
// them. The point is what the sanitizers see; what is accepted has to be sound as well.
#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"
#include "core/limits.h"
#include "tests/wire/test_frames.h"
#include "tests/wire/test_visitors.h"
#include "wire/sniff.h"
#include "wire/text.h"
#include "wire/text_answers.h"

namespace lh::wire {
namespace {

constexpr int kIterations = 100'000;

void flip(base::Prng* prng, std::string* s) {
  (*s)[prng->below(s->size())] ^= static_cast<char>(1 << prng->below(8));
}
void overwrite(base::Prng* prng, std::string* s) {
  constexpr uint8_t kTelling[] = {0, 1, 2, 0x7f, 0x80, 0xff, '"', '\\', '\n', ' ', 41, 255};
  (*s)[prng->below(s->size())] = static_cast<char>(kTelling[prng->below(std::size(kTelling))]);
}
void insert(base::Prng* prng, std::string* s) {
  s->insert(prng->below(s->size()), prng->between(1, 9), static_cast<char>(prng->next()));
}
void remove(base::Prng* prng, std::string* s) {
  s->erase(prng->below(s->size()), prng->between(1, 9));
}
void repeat(base::Prng* prng, std::string* s) {
  const std::string piece = s->substr(prng->below(s->size()), prng->between(1, 16));
  s->insert(prng->below(s->size()), piece);
}

void mutate(base::Prng* prng, std::string* s) {
  constexpr void (*kMutations[])(base::Prng*, std::string*) = {flip, overwrite, insert, remove,
                                                               repeat};
  for (uint64_t n = prng->between(1, 4); n > 0 && !s->empty(); --n) {
    kMutations[prng->below(std::size(kMutations))](prng, s);
  }
}

// Makes the length of the first frame right again, so that mutations reach the decoder.
void repair_length(std::string* bytes) {
  if (bytes->size() < kHeaderBytes) return;
  const Frame was = next_frame(*bytes);
  if (was.status == FrameStatus::kFrame && was.size == bytes->size()) return;
  const size_t length = bytes->size() - kLengthBytes;
  (*bytes)[0] = 0;
  (*bytes)[1] = static_cast<char>(length >> 16);
  (*bytes)[2] = static_cast<char>(length >> 8);
  (*bytes)[3] = static_cast<char>(length);
}

TEST(FuzzTest, framesAreRefusedOrHaveOneSpelling) {
  RandomMessages random(20);
  base::Prng prng(21);
  int accepted = 0;
  for (int k = 0; k < kIterations; ++k) {
    const Routing asked = prng.chance(1, 2) ? Routing::kRouted : Routing::kDirect;
    std::string bytes = encoded(random.draw(prng.below(RandomMessages::kTypes), asked), asked);
    mutate(&prng, &bytes);
    if (prng.chance(9, 10)) repair_length(&bytes);
    const Frame frame = next_frame(bytes);
    if (frame.status != FrameStatus::kFrame) continue;
    ASSERT_LE(frame.size, bytes.size());
    core::Message message;
    if (!decode(frame, &message).ok()) continue;
    ++accepted;
    ASSERT_EQ(encoded(message, frame.routing), bytes.substr(0, frame.size));
  }
  EXPECT_GT(accepted, kIterations / 20) << "too few mutants get past the framing";
}

std::string random_line(base::Prng* prng) {
  constexpr std::string_view kVerbs[] = {
      "INSERT", "update",   "Put",  "GET", "DELETE",          "SCAN", "BUCKET", "LOCATE",
      "COUNT",  "nonsense", "HELP", "*1",  "GET /x HTTP/1.1", ""};
  constexpr std::string_view kWords[] = {"k",       "12",     "\"a b\"",  "\"\\x41\\n\"",
                                         "key:a*b", "value:", "\xc3\xa4", "4294967296"};
  std::string line(kVerbs[prng->below(std::size(kVerbs))]);
  for (uint64_t n = prng->below(4); n > 0; --n) {
    line.append(" ").append(kWords[prng->below(std::size(kWords))]);
  }
  return line + (prng->chance(1, 2) ? "\r\n" : "\n");
}

TEST(FuzzTest, linesAreCommandsOrOneLineOfError) {
  base::Prng prng(22);
  TextParser parser;
  int commands_seen = 0;
  for (int k = 0; k < kIterations; ++k) {
    std::string bytes = random_line(&prng);
    if (prng.chance(3, 4)) mutate(&prng, &bytes);
    const Sniffed sniffed = sniff(bytes);
    ASSERT_LE(sniffed.blank, bytes.size());
    const Line line = next_line(bytes);
    if (line.status != LineStatus::kLine) continue;
    ASSERT_LE(line.size, bytes.size());
    const TextCommand& command = parser.parse(line.text);
    ASSERT_EQ(command.verb == Verb::kBad, !command.error.empty());
    ASSERT_EQ(command.error.find('\n'), std::string_view::npos);
    ASSERT_LE(command.error.size(), 400u);
    commands_seen += command.verb != Verb::kBad && command.verb != Verb::kBlank;
  }
  EXPECT_GT(commands_seen, kIterations / 20) << "too few mutants are commands";
}

TEST(FuzzTest, anyBytesAtAll) {
  base::Prng prng(23);
  TextParser parser;
  for (int k = 0; k < 2'000; ++k) {
    std::string bytes(prng.below(300), '\0');
    for (char& c : bytes) c = static_cast<char>(prng.next());
    if (prng.chance(1, 2) && bytes.size() >= kHeaderBytes) {
      put_header(bytes.data(), MessageType{static_cast<uint8_t>(prng.below(80))}, Routing::kDirect,
                 bytes.size() - kHeaderBytes);
    }
    const Frame frame = next_frame(bytes);
    core::Message message;
    if (frame.status == FrameStatus::kFrame && decode(frame, &message).ok()) {
      EXPECT_EQ(encoded(message, frame.routing), bytes.substr(0, frame.size));
    }
    sniff(bytes);
    parser.parse(bytes);
  }
}

}  // namespace
}  // namespace lh::wire
