#include "base/coding.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/prng.h"

namespace lh::base {
namespace {

// The edges of every length of a varint, and of every fixed width.
std::vector<uint64_t> edge_values() {
  std::vector<uint64_t> values = {0, ~uint64_t{0}};
  for (unsigned bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    values.insert(values.end(), {power - 1, power, power + 1});
  }
  return values;
}

std::string varint_of(uint64_t value) {
  std::string out;
  Writer(&out).varint(value);
  return out;
}

TEST(CodingTest, fixedWidthsAreLittleEndian) {
  std::string out;
  Writer writer(&out);
  writer.u8(0x01);
  writer.u16(0x0203);
  writer.u32(0x04050607);
  writer.u64(0x08090a0b0c0d0e0f);
  EXPECT_EQ(out, std::string("\x01\x03\x02\x07\x06\x05\x04\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08"));

  Reader reader(out);
  EXPECT_EQ(reader.u8(), 0x01);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u32(), 0x04050607u);
  EXPECT_EQ(reader.u64(), 0x08090a0b0c0d0e0fu);
  EXPECT_TRUE(reader.done());
}

TEST(CodingTest, varintsAreLeb128) {
  EXPECT_EQ(varint_of(0), std::string("\0", 1));
  EXPECT_EQ(varint_of(127), "\x7f");
  EXPECT_EQ(varint_of(128), "\x80\x01");
  EXPECT_EQ(varint_of(300), "\xac\x02");
  EXPECT_EQ(varint_of(~uint64_t{0}), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(CodingTest, varintRoundTripAndSize) {
  for (const uint64_t value : edge_values()) {
    const std::string bytes = varint_of(value);
    EXPECT_EQ(bytes.size(), varint_size(value)) << value;
    Reader reader(bytes);
    EXPECT_EQ(reader.varint(), value);
    EXPECT_TRUE(reader.done());
  }
}

TEST(CodingTest, varintThatIsCutFails) {
  for (const uint64_t value : edge_values()) {
    const std::string bytes = varint_of(value);
    for (size_t size = 0; size < bytes.size(); ++size) {
      Reader reader(std::string_view(bytes).substr(0, size));
      EXPECT_EQ(reader.varint(), 0u);
      EXPECT_FALSE(reader.ok());
    }
  }
}

TEST(CodingTest, varintBeyond64BitsFails) {
  for (const std::string_view bytes :
       {std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
        std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
        std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11),
        std::string_view("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")}) {
    Reader reader(bytes);
    reader.varint();
    EXPECT_FALSE(reader.ok());
  }
}

TEST(CodingTest, varintInALongerSpellingFails) {
  for (const std::string_view bytes :
       {std::string_view("\x80\x00", 2), std::string_view("\xff\x80\x00", 3)}) {
    Reader reader(bytes);
    reader.varint();
    EXPECT_FALSE(reader.ok());
  }
}

TEST(CodingTest, prefixedBytes) {
  std::string out;
  Writer writer(&out);
  writer.prefixed("key");
  writer.prefixed("");
  writer.prefixed(std::string(300, 'x'));
  writer.bytes("raw");

  Reader reader(out);
  EXPECT_EQ(reader.prefixed(), "key");
  EXPECT_EQ(reader.prefixed(), "");
  EXPECT_EQ(reader.prefixed(), std::string(300, 'x'));
  EXPECT_FALSE(reader.done());
  EXPECT_EQ(reader.rest(), "raw");
  EXPECT_TRUE(reader.done());
}

TEST(CodingTest, lengthBeyondTheInputFails) {
  std::string out;
  Writer(&out).prefixed("hello");
  for (size_t size = 0; size < out.size(); ++size) {
    Reader reader(std::string_view(out).substr(0, size));
    EXPECT_EQ(reader.prefixed(), "");
    EXPECT_FALSE(reader.ok());
  }
  // A length that would wrap any pointer arithmetic.
  const std::string huge = varint_of(~uint64_t{0}) + "abc";
  Reader reader(huge);
  EXPECT_EQ(reader.prefixed(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(CodingTest, lengthBeyondTheBoundFails) {
  std::string out;
  Writer(&out).prefixed("hello");
  Reader enough(out);
  EXPECT_EQ(enough.prefixed(5), "hello");
  Reader bounded(out);
  EXPECT_EQ(bounded.prefixed(4), "");
  EXPECT_FALSE(bounded.ok());
}

TEST(CodingTest, failureIsSticky) {
  Reader reader("\x01\x02\x03");
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_EQ(reader.rest(), "");
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_FALSE(reader.done());
}

TEST(CodingTest, emptyInput) {
  Reader reader{std::string_view()};
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.bytes(0), "");
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_FALSE(reader.done());
}

// Whatever the bytes, a Reader stays within them: the sanitizers watch.
TEST(CodingTest, randomBytesNeverReadOutside) {
  Prng prng(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(prng.below(24), '\0');
    for (char& c : bytes) c = static_cast<char>(prng.next());
    // Exactly as large as its content, so that one byte too many is noticed.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    Reader reader(std::string_view(exact.data(), exact.size()));
    while (reader.ok() && reader.remaining() > 0) {
      switch (prng.below(5)) {
        case 0:
          reader.u16();
          break;
        case 1:
          reader.u64();
          break;
        case 2:
          reader.varint();
          break;
        case 3:
          ASSERT_LE(reader.prefixed().size(), exact.size());
          break;
        default:
          reader.u8();
      }
    }
    ASSERT_TRUE(reader.done() || !reader.ok());
  }
}

struct CountingSink {
  size_t size = 0;
  void append(const char*, size_t n) { size += n; }
};

TEST(CodingTest, writerTakesAnySink) {
  CountingSink sink;
  Writer writer(&sink);
  writer.u32(1);
  writer.prefixed("abc");
  EXPECT_EQ(sink.size, 8u);
}

}  // namespace
}  // namespace lh::base
