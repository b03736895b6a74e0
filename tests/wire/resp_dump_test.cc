#include "wire/resp_dump.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace lh::wire {
namespace {

constexpr size_t kMax = 100'000;

std::string decode(std::string_view bytes) {
  std::string value;
  switch (decode_dump(bytes, kMax, &value)) {
    case DumpStatus::kOk:
      return value;
    case DumpStatus::kBadEnvelope:
      return "bad envelope";
    case DumpStatus::kBadData:
      return "bad data";
  }
  return "?";
}

// With the version and the checksum behind it.
std::string sealed(std::string object) {
  object.append("\x0a\x00", 2);
  const uint64_t crc = crc64(object);
  return object.append(reinterpret_cast<const char*>(&crc), sizeof crc);
}

TEST(RespDumpTest, crc64_is_that_of_redis) { EXPECT_EQ(crc64("123456789"), 0xe9c6d914c4b8d9caU); }

// `SET k foo`, `SET k 10`, `SET k -12345`, `SET k 1234567`, and 60 letters, dumped by
// redis-server 7.
TEST(RespDumpTest, what_redis_wrote_is_read) {
  EXPECT_EQ(decode(sealed(std::string("\x00\x03", 2) + "foo")), "foo");
  EXPECT_EQ(decode(sealed(std::string("\x00\xc0\x0a", 3))), "10");
  EXPECT_EQ(decode(sealed(std::string("\x00\xc1\xc7\xcf", 4))), "-12345");
  EXPECT_EQ(decode(sealed(std::string("\x00\xc2\x87\xd6\x12\x00", 6))), "1234567");
  EXPECT_EQ(decode(sealed(std::string("\x00\xc3\x09\x3c\x01xx\xe0\x2f\x00\x01xx", 13))),
            std::string(60, 'x'));
}

TEST(RespDumpTest, values_of_all_sizes_come_back) {
  base::Prng prng(1);
  for (const size_t size : {0, 1, 63, 64, 16'383, 16'384, 70'000}) {
    std::string value(size, '\0');
    for (char& byte : value) byte = static_cast<char>(prng.next());
    EXPECT_EQ(decode(encode_dump(value)), value) << size;
  }
  EXPECT_EQ(decode(encode_dump(std::string(kMax + 1, 'x'))), "bad data") << "too long";
}

TEST(RespDumpTest, what_is_none_is_refused) {
  const std::string good = encode_dump("value");
  EXPECT_EQ(decode(""), "bad envelope");
  EXPECT_EQ(decode(good.substr(0, good.size() - 1)), "bad envelope");
  std::string newer = good.substr(0, good.size() - 10) + std::string("\xff\x00", 2);
  const uint64_t crc = crc64(newer);
  newer.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  EXPECT_EQ(decode(newer), "bad envelope");
  EXPECT_EQ(decode(sealed(std::string("\x01\x00", 2))), "bad data") << "a list";
  EXPECT_EQ(decode(sealed(std::string("\x00\x05", 2) + "foo")), "bad data");
  EXPECT_EQ(decode(sealed(std::string("\x00\x02", 2) + "foo")), "bad data");
  EXPECT_EQ(decode(sealed(std::string("\x00\xc4", 2))), "bad data");
  EXPECT_EQ(decode(sealed(std::string("\x00\xc3\x02\x3c\xe0\x2f", 6))), "bad data") << "of nothing";
  base::Prng prng(2);
  for (int k = 0; k < 20'000; ++k) {
    std::string object(prng.between(1, 30), '\0');
    for (char& byte : object) byte = static_cast<char>(prng.next());
    object[0] = 0;
    if (prng.chance(1, 2) && object.size() > 1) object[1] = '\xc3';
    decode(sealed(object));
  }
}

}  // namespace
}  // namespace lh::wire
