#include "sim/transcript.h"

#include <gtest/gtest.h>

#include <string>

#include "core/message.h"
#include "wire/codec.h"

namespace lh::sim {
namespace {

const base::Instant kNow = base::Instant::from_ns(1'500'000'000);

std::string frame(uint64_t seq) {
  core::Request request;
  request.seq = seq;
  request.key = "k";
  std::string bytes;
  wire::encode(request, wire::Routing::kDirect, &bytes);
  return bytes;
}

TEST(TranscriptTest, equalHistoriesHaveEqualHashes) {
  Transcript a;
  Transcript b;
  EXPECT_EQ(a.hash(), b.hash());
  a.delivered(kNow, "c1", "n1", frame(1));
  EXPECT_NE(a.hash(), b.hash());
  b.delivered(kNow, "c1", "n1", frame(1));
  EXPECT_EQ(a.hash(), b.hash());
}

TEST(TranscriptTest, everythingCounts) {
  const auto hash = [](base::Instant at, const char* from, const char* to, uint64_t seq) {
    Transcript t;
    t.delivered(at, from, to, frame(seq));
    return t.hash();
  };
  const uint64_t one = hash(kNow, "c1", "n1", 1);
  EXPECT_NE(one, hash(kNow + base::ns(1), "c1", "n1", 1));
  EXPECT_NE(one, hash(kNow, "c2", "n1", 1));
  EXPECT_NE(one, hash(kNow, "c1", "n2", 1));
  EXPECT_NE(one, hash(kNow, "c1", "n1", 2));
}

TEST(TranscriptTest, theOrderCounts) {
  Transcript a;
  Transcript b;
  a.note(kNow, "x");
  a.note(kNow, "y");
  b.note(kNow, "y");
  b.note(kNow, "x");
  EXPECT_NE(a.hash(), b.hash());
}

TEST(TranscriptTest, aListenerGetsLinesAndChangesNothing) {
  Transcript silent;
  Transcript loud;
  std::string text;
  loud.set_listener([&](std::string_view line) { text += line; });
  for (Transcript* t : {&silent, &loud}) {
    t->delivered(kNow, "c1", "n1", frame(4));
    t->note(kNow, "a note");
  }
  EXPECT_EQ(silent.hash(), loud.hash());
  EXPECT_EQ(text,
            "    1.500000 c1 -> n1  Read k seq=4 to=0\n"
            "    1.500000 a note\n");
}

TEST(TranscriptTest, garbageIsCalledThat) {
  Transcript t;
  std::string text;
  t.set_listener([&](std::string_view line) { text += line; });
  t.delivered(kNow, "c1", "n1", "garbage");
  EXPECT_NE(text.find("cannot be decoded"), std::string::npos);
}

}  // namespace
}  // namespace lh::sim
