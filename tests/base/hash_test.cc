#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/prng.h"
#include "lh/address.h"

namespace lh::base {
namespace {

// The bytes of the xxHash project's own sanity check: the high bytes of a running product.
std::string sanity_buffer(size_t size) {
  constexpr uint64_t kPrime32 = 2654435761u;
  constexpr uint64_t kPrime64 = 11400714785074694797u;
  std::string buffer;
  uint64_t generator = kPrime32;
  for (size_t i = 0; i < size; ++i) {
    buffer.push_back(static_cast<char>(generator >> 56));
    generator *= kPrime64;
  }
  return buffer;
}

TEST(Xxh64Test, sanityVectorsOfTheProject) {
  const std::string buffer = sanity_buffer(222);
  const std::string_view all = buffer;
  constexpr uint64_t kSeed = 2654435761u;
  EXPECT_EQ(xxh64(all.substr(0, 0)), 0xef46db3751d8e999u);
  EXPECT_EQ(xxh64(all.substr(0, 0), kSeed), 0xac75fda2929b17efu);
  EXPECT_EQ(xxh64(all.substr(0, 1)), 0xe934a84adb052768u);
  EXPECT_EQ(xxh64(all.substr(0, 1), kSeed), 0x5014607643a9b4c3u);
  EXPECT_EQ(xxh64(all.substr(0, 4)), 0x9136a0dca57457eeu);
  EXPECT_EQ(xxh64(all.substr(0, 14)), 0x8282dcc4994e35c8u);
  EXPECT_EQ(xxh64(all.substr(0, 14), kSeed), 0xc3bd6bf63deb6df0u);
  EXPECT_EQ(xxh64(all), 0xb641ae8cb691c174u);
  EXPECT_EQ(xxh64(all, kSeed), 0x20cb8ab7ae10c14au);
}

TEST(Xxh64Test, publishedStrings) {
  EXPECT_EQ(xxh64(""), 0xef46db3751d8e999u);
  EXPECT_EQ(xxh64("a"), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(xxh64("abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(xxh64("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1u);
}

// Bit by bit, as the definition says.
uint16_t slow_crc16(std::string_view bytes) {
  uint16_t crc = 0;
  for (const char c : bytes) {
    crc = static_cast<uint16_t>(crc ^ static_cast<uint8_t>(c) << 8);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<uint16_t>(crc << 1 ^ ((crc & 0x8000) != 0 ? 0x1021 : 0));
    }
  }
  return crc;
}

TEST(Crc16Test, checkValueOfTheCatalogue) {
  EXPECT_EQ(crc16("123456789"), 0x31c3);
  EXPECT_EQ(crc16(""), 0);
  EXPECT_EQ(crc16("A"), 0x58e5);
}

TEST(Crc16Test, equalsTheBitwiseDefinitionAtEveryLength) {
  Prng prng(1);
  for (size_t size = 0; size < 100; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(prng.next());
    EXPECT_EQ(crc16(bytes), slow_crc16(bytes)) << size;
  }
}

// As CLUSTER KEYSLOT of a Redis server answers.
TEST(RedisSlotTest, knownKeys) {
  EXPECT_EQ(redis_slot("foo"), 12182);
  EXPECT_EQ(redis_slot("bar"), 5061);
  EXPECT_EQ(redis_slot("hello"), 866);
  EXPECT_EQ(redis_slot("somekey"), 11058);
  EXPECT_EQ(redis_slot("foo{hash_tag}"), 2515);
  EXPECT_EQ(redis_slot("bar{hash_tag}"), 2515);
  EXPECT_EQ(redis_slot("123456789"), 12739);
  EXPECT_EQ(redis_slot(""), 0);
}

TEST(RedisSlotTest, tagDecidesWhenThereIsOne) {
  EXPECT_EQ(redis_slot("{user1000}.following"), redis_slot("{user1000}.followers"));
  EXPECT_EQ(redis_slot("{user1000}.following"), redis_slot("user1000"));
  EXPECT_EQ(redis_slot("foo{bar}{zap}"), redis_slot("bar"));
}

TEST(RedisSlotTest, oddBraces) {
  const auto whole = [](std::string_view key) { return slow_crc16(key) % kSlots; };
  EXPECT_EQ(redis_slot("foo{}{bar}"), whole("foo{}{bar}"));
  EXPECT_EQ(redis_slot("foo{{bar}}zap"), redis_slot("{bar"));
  EXPECT_EQ(redis_slot("foo{{bar}}zap"), whole("{bar"));
  EXPECT_EQ(redis_slot("foo{bar"), whole("foo{bar"));
  EXPECT_EQ(redis_slot("foo}bar{"), whole("foo}bar{"));
  EXPECT_EQ(redis_slot("}{a}"), whole("a"));
  EXPECT_EQ(redis_slot("{}"), whole("{}"));
  EXPECT_EQ(redis_slot("{"), whole("{"));
}

// Wherever in the key the brace is, and whatever looks like one by its bits.
TEST(RedisSlotTest, tagsAtAnyPlace) {
  for (size_t at = 0; at < 20; ++at) {
    const std::string before(at, '\xfb');
    for (size_t behind = 0; behind < 20; ++behind) {
      const std::string key = before + "{tag}" + std::string(behind, 'z');
      EXPECT_EQ(redis_slot(key), redis_slot("tag")) << at << ' ' << behind;
      const std::string none = before + std::string(behind, 'z') + '|';
      EXPECT_EQ(redis_slot(none), slow_crc16(none) % kSlots) << at << ' ' << behind;
    }
  }
}

TEST(HashKeyTest, slotOnTopMixedHashBelow) {
  for (const std::string_view key : {"", "foo", "{user1000}.following", "a longer key of 32 b"}) {
    const ReversedHash r = reverse64(hash_key(key));
    EXPECT_EQ(r >> 50, redis_slot(key)) << key;
    EXPECT_EQ(r & ((uint64_t{1} << 50) - 1), xxh64(key) >> 14) << key;
  }
}

// The format: these numbers are on disks. A change here is a new file format.
TEST(HashKeyTest, frozen) {
  EXPECT_EQ(hash_key(""), 0xc6e2bb36d8bdc000u);
  EXPECT_EQ(hash_key("a"), 0x8c6563c8dc92f84fu);
  EXPECT_EQ(hash_key("abc"), 0x3bad6bcd0f489aeeu);
  EXPECT_EQ(hash_key("foo"), 0x48e685403f731a7du);
  EXPECT_EQ(hash_key("{user1000}.following"), 0xaff994a43bfb73acu);
  EXPECT_EQ(hash_key("key:000000000042"), 0xd67991148509b79eu);
}

TEST(HashKeyTest, bucketsOfLevelUpTo14AreSlotRanges) {
  Prng prng(2);
  for (int round = 0; round < 2000; ++round) {
    const std::string key = std::to_string(prng.next());
    const auto j = static_cast<Level>(prng.below(15));
    const BucketNo a = h(j, hash_key(key));
    const uint64_t slots_per_bucket = kSlots >> j;
    const uint64_t first_slot = interval_of({a, j}).first >> 50;
    EXPECT_GE(redis_slot(key), first_slot);
    EXPECT_LT(redis_slot(key), first_slot + slots_per_bucket);
  }
}

// Within a slot, that is among keys of one tag, deeper levels still spread evenly.
TEST(HashKeyTest, keysOfOneTagSpreadOverDeeperLevels) {
  std::vector<int> halves(2);
  for (int i = 0; i < 10000; ++i) {
    ++halves[hash_key("{tag}" + std::to_string(i)) >> 14 & 1];
  }
  EXPECT_NEAR(halves[0], 5000, 300);
}

TEST(IntegerKeyTest, theKeyIsTheHash) {
  EXPECT_EQ(integer_key("0"), 0u);
  EXPECT_EQ(integer_key("7"), 7u);
  EXPECT_EQ(integer_key("1234567890"), 1234567890u);
  EXPECT_EQ(integer_key("18446744073709551615"), ~uint64_t{0});
}

TEST(IntegerKeyTest, refusesEverythingElse) {
  for (const std::string_view key :
       {"", "-1", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "abc", "12a", "18446744073709551616",
        "99999999999999999999", "100000000000000000000", "\xd9\xa1"}) {
    EXPECT_EQ(integer_key(key), std::nullopt) << key;
  }
  EXPECT_EQ(integer_key(std::string_view("1\0", 2)), std::nullopt);
}

TEST(IntegerKeyTest, oneSpellingOnly) {
  EXPECT_EQ(integer_key("007"), std::nullopt);
  EXPECT_EQ(integer_key("00"), std::nullopt);
}

TEST(HashModeTest, dispatch) {
  EXPECT_EQ(hash_key(HashMode::kInteger, "12"), 12u);
  EXPECT_EQ(hash_key(HashMode::kInteger, "x"), std::nullopt);
  EXPECT_EQ(hash_key(HashMode::kMixed, "12"), hash_key("12"));
}

}  // namespace
}  // namespace lh::base
