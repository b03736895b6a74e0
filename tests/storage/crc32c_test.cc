#include "storage/crc32c.h"

#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"

namespace lh::storage {
namespace {

struct Vector {
  std::string bytes;
  uint32_t crc;
};

std::string ascending() {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(i);
  return bytes;
}

std::string descending() {
  const std::string bytes = ascending();
  return {bytes.rbegin(), bytes.rend()};
}

// RFC 3720, appendix B.4, where the bytes of the CRC are listed low byte first.
const Vector kVectors[] = {
    {std::string(32, '\0'), 0x8a9136aa},
    {std::string(32, '\xff'), 0x62a8ab43},
    {ascending(), 0x46dd794e},
    {descending(), 0x113fdb5c},
    {std::string("\x01\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
                 "\x14\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x14\x00\x00\x00\x18"
                 "\x28\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00",
                 48),
     0xd9963a56},
    {"123456789", 0xe3069283},  // the check value of all catalogues
    {"", 0},
};

TEST(Crc32cTest, publishedVectors) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(crc32c(vector.bytes), vector.crc);
    EXPECT_EQ(crc32c_portable(vector.bytes), vector.crc);
  }
}

TEST(Crc32cTest, bothWaysAgreeAtAllLengthsAndAlignments) {
  base::Prng prng(301);
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += static_cast<char>(prng.next());
  for (size_t start = 0; start < 9; ++start) {
    for (size_t size = 0; size <= 280; ++size) {
      const std::string_view part = std::string_view(bytes).substr(start, size);
      ASSERT_EQ(crc32c(part, 17), crc32c_portable(part, 17)) << start << " " << size;
    }
  }
}

TEST(Crc32cTest, goesOnWhereItStopped) {
  const std::string bytes = "hello world, in two or more parts";
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(crc32c(bytes.substr(cut), crc32c(bytes.substr(0, cut))), crc32c(bytes));
  }
}

}  // namespace
}  // namespace lh::storage
