// The sentences of the LH* papers about addressing, each a test, on lh/address.h: worked examples,
// an exhaustive enumeration of small files, and fast arithmetic against deliberately dumb versions.
#include "lh/address.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/prng.h"

namespace lh {
namespace {

using base::Prng;

FileState plain_state(Level i, BucketNo n) { return {i, n}; }

// How a request travels: the buckets it meets, with their levels.
using Path = std::vector<BucketMark>;

Path route(FileState file, FileState image, HashValue c) {
  Path path;
  BucketNo a = address(image, c);
  while (true) {
    path.push_back({a, level_of(file, a)});
    const std::optional<BucketNo> next = forward_address(path.back(), c);
    if (!next || path.size() > 10) return path;
    a = *next;
  }
}

// ---------------------------------------------------------------------------------------------
// Hash family and file state (section 1.2 of the papers' model).

TEST(LhStarFileTest, hIsTheKeyModuloTwoToTheLevel) {
  EXPECT_EQ(h(0, 60), 0u);
  EXPECT_EQ(h(1, 61), 1u);
  EXPECT_EQ(h(4, 60), 12u);
  EXPECT_EQ(h(kLevelMax, ~uint64_t{0}), kBucketsMax - 1);
}

TEST(LhStarFileTest, hOfTheNextLevelIsTheSameOrOneHalfFurther) {
  Prng prng(1);
  for (int round = 0; round < 10000; ++round) {
    const HashValue c = prng.next();
    const auto i = static_cast<Level>(prng.below(kLevelMax));
    const BucketNo low = h(i, c);
    const BucketNo high = h(static_cast<Level>(i + 1), c);
    EXPECT_TRUE(high == low || high == low + (uint64_t{1} << i));
  }
}

TEST(LhStarFileTest, aFileStartsAsOneBucketOfLevelZero) {
  EXPECT_EQ(bucket_count(FileState{}), 1u);
  EXPECT_EQ(level_of(FileState{}, 0), 0);
  EXPECT_EQ(address(FileState{}, ~uint64_t{0}), 0u);
}

// Split by split, against the definition: bucket n gets level j + 1, so does the new one.
TEST(LhStarFileTest, levelsAndCountsFollowTheSplits) {
  std::vector<Level> levels = {0};
  FileState s;
  for (uint64_t buckets = 1; buckets <= 1100; ++buckets) {
    ASSERT_EQ(bucket_count(s), buckets);
    ASSERT_EQ(state_of_count(buckets), s);
    ASSERT_LT(s.n, uint64_t{1} << s.i);
    for (BucketNo a = 0; a < buckets; ++a) ASSERT_EQ(level_of(s, a), levels[a]) << buckets;
    ASSERT_EQ(next_bucket(s), buckets);
    const auto raised = static_cast<Level>(levels[s.n] + 1);
    levels[s.n] = raised;
    levels.push_back(raised);
    s = after_split(s);
  }
}

TEST(LhStarFileTest, theSplitPointerReturnsToZeroWhenTheLevelIsFull) {
  EXPECT_EQ(after_split(plain_state(0, 0)), plain_state(1, 0));
  EXPECT_EQ(after_split(plain_state(1, 0)), plain_state(1, 1));
  EXPECT_EQ(after_split(plain_state(1, 1)), plain_state(2, 0));
  EXPECT_EQ(after_split(plain_state(3, 7)), plain_state(4, 0));
}

TEST(LhStarFileTest, stateOfCountAtTheEdges) {
  EXPECT_EQ(state_of_count(1), plain_state(0, 0));
  EXPECT_EQ(state_of_count(10), plain_state(3, 2));
  EXPECT_EQ(state_of_count(kBucketsMax), plain_state(kLevelMax, 0));
  EXPECT_EQ(state_of_count(kBucketsMax - 1),
            plain_state(kLevelMax - 1, (uint64_t{1} << (kLevelMax - 1)) - 1));
}

TEST(LhStarFileTest, aSplitMovesAKeyOnlyToTheNewBucket) {
  for (uint64_t buckets = 1; buckets <= 70; ++buckets) {
    const FileState before = state_of_count(buckets);
    const FileState after = after_split(before);
    for (HashValue c = 0; c < 512; ++c) {
      const BucketNo old_home = address(before, c);
      const BucketNo new_home = address(after, c);
      if (new_home == old_home) continue;
      ASSERT_EQ(old_home, before.n);
      ASSERT_EQ(new_home, next_bucket(before));
      ASSERT_EQ(new_home, h(level_of(after, new_home), c));
    }
  }
}

TEST(LhStarFileTest, theParentIsTheBucketWhoseSplitCreatedIt) {
  FileState s;
  for (int splits = 0; splits < 2000; ++splits) {
    ASSERT_EQ(parent(next_bucket(s)), s.n);
    s = after_split(s);
  }
  EXPECT_EQ(parent(kBucketsMax - 1), kBucketsMax / 2 - 1);
}

// ---------------------------------------------------------------------------------------------
// A1, A2, A3 sentence by sentence.

TEST(LhStarA1Test, leftOfTheSplitPointerOneMoreBitCounts) {
  const FileState file = plain_state(3, 2);
  EXPECT_EQ(address(file, 0b01000), 8u);  // h3 = 0 < n
  EXPECT_EQ(address(file, 0b11001), 9u);  // h3 = 1 < n
  EXPECT_EQ(address(file, 0b10000), 0u);
  EXPECT_EQ(address(file, 0b01010), 2u);  // h3 = 2 = n
  EXPECT_EQ(address(file, 0b11111), 7u);
}

TEST(LhStarA2Test, theBucketOfTheKeyAccepts) {
  EXPECT_EQ(forward_address({0, 0}, 12345), std::nullopt);
  EXPECT_EQ(forward_address({9, 4}, 9), std::nullopt);
  EXPECT_EQ(forward_address({9, 4}, 25), std::nullopt);
}

TEST(LhStarA2Test, anotherBucketForwardsToTheAddressOfItsOwnLevel) {
  EXPECT_EQ(forward_address({1, 4}, 9), 9u);
  EXPECT_EQ(forward_address({4, 5}, 60), 12u);  // h5 = 28, but h4 = 12 lies between
  EXPECT_EQ(forward_address({3, 5}, 19), 19u);
}

TEST(LhStarA2Test, unlessTheAddressOfTheLevelBelowLiesBetween) {
  EXPECT_EQ(forward_address({0, 4}, 60), 4u);  // h4 = 12, h3 = 4
  EXPECT_EQ(forward_address({0, 4}, 9), 1u);   // h4 = 9, h3 = 1
  EXPECT_EQ(forward_address({0, 4}, 8), 8u);   // h3 = 0 is not beyond bucket 0
}

TEST(LhStarA2Test, aBucketOfLevelOneHasNoLowerAddressToTry) {
  EXPECT_EQ(forward_address({0, 1}, 1), 1u);
  EXPECT_EQ(forward_address({0, 1}, 2), std::nullopt);
}

// A bucket of level j knows the buckets up to a + 2^(j-1), the newest when it reached that level. A
// request only ever meets buckets whose address is low bits of its key.
TEST(LhStarA2Test, forwardsOnlyToBucketsThatItKnows) {
  Prng prng(2);
  for (int round = 0; round < 20000; ++round) {
    const auto j = static_cast<Level>(prng.between(1, kLevelMax));
    const HashValue c = prng.next();
    const BucketMark self{h(static_cast<Level>(prng.between(0, j)), c), j};
    const std::optional<BucketNo> to = forward_address(self, c);
    ASSERT_EQ(to.has_value(), self.a != h(j, c));
    if (!to) continue;
    EXPECT_GT(*to, self.a);
    EXPECT_LE(*to, self.a + (uint64_t{1} << (j - 1)));
    EXPECT_TRUE(*to == h(j, c) || *to == h(static_cast<Level>(j - 1), c));
  }
}

TEST(LhStarA3Test, theImageTakesTheLevelBelowAndTheAddressBehind) {
  EXPECT_EQ(adjust_image(plain_state(0, 0), {0, 4}), plain_state(3, 1));
  EXPECT_EQ(adjust_image(plain_state(1, 0), {1, 4}), plain_state(3, 2));
}

TEST(LhStarA3Test, aPointerBeyondTheLevelStartsTheNextLevel) {
  EXPECT_EQ(adjust_image(plain_state(0, 0), {0, 1}), plain_state(1, 0));
  EXPECT_EQ(adjust_image(plain_state(0, 0), {7, 4}), plain_state(4, 0));
  EXPECT_EQ(adjust_image(plain_state(0, 0), {9, 4}), plain_state(4, 0));
}

TEST(LhStarA3Test, aLevelThatIsNoNewsLeavesTheImage) {
  EXPECT_EQ(adjust_image(plain_state(3, 2), {5, 3}), plain_state(3, 2));
  EXPECT_EQ(adjust_image(plain_state(3, 2), {0, 0}), plain_state(3, 2));
}

TEST(LhStarA3Test, anOlderMarkOfTheSameLevelLeavesTheImage) {
  // The answer to a request that was sent with an older image than this one.
  EXPECT_EQ(adjust_image(plain_state(3, 3), {1, 4}), plain_state(3, 3));
  EXPECT_EQ(adjust_image(plain_state(3, 3), {2, 4}), plain_state(3, 3));
  EXPECT_EQ(adjust_image(plain_state(3, 3), {3, 4}), plain_state(3, 4));
}

struct WorkedExample {
  FileState file;
  FileState image;
  HashValue key;
  Path path;
  FileState after_original;
  FileState after_improved;
};

class LhStarExampleTest : public testing::TestWithParam<WorkedExample> {};

TEST_P(LhStarExampleTest, pathAndImages) {
  const WorkedExample& example = GetParam();
  const Path path = route(example.file, example.image, example.key);
  EXPECT_EQ(path, example.path);
  EXPECT_EQ(path.back().a, address(example.file, example.key));
  const BucketMark last_forwarder = path[path.size() - 2];
  EXPECT_EQ(adjust_image(example.image, path.front()), example.after_original);
  EXPECT_EQ(adjust_image(example.image, last_forwarder), example.after_improved);
}

INSTANTIATE_TEST_SUITE_P(
    SixFiles, LhStarExampleTest,
    testing::Values(WorkedExample{{3, 2}, {0, 0}, 60, {{0, 4}, {4, 3}}, {3, 1}, {3, 1}},
                    WorkedExample{{3, 2}, {0, 0}, 9, {{0, 4}, {1, 4}, {9, 4}}, {3, 1}, {3, 2}},
                    WorkedExample{{3, 2}, {1, 0}, 15, {{1, 4}, {7, 3}}, {3, 2}, {3, 2}},
                    WorkedExample{{4, 5}, {2, 1}, 60, {{4, 5}, {12, 4}}, {4, 5}, {4, 5}},
                    WorkedExample{{4, 5}, {3, 3}, 19, {{3, 5}, {19, 5}}, {4, 4}, {4, 4}},
                    WorkedExample{{2, 0}, {0, 0}, 3, {{0, 2}, {1, 2}, {3, 2}}, {1, 1}, {2, 0}}));

TEST(LhStarExampleTest, afterOriginalA3Key9ErrsOnceMore) {
  const FileState file = plain_state(3, 2);
  EXPECT_EQ(route(file, plain_state(3, 1), 9), (Path{{1, 4}, {9, 4}}));
  EXPECT_EQ(route(file, plain_state(3, 2), 9), (Path{{9, 4}}));
}

// ---------------------------------------------------------------------------------------------
// Every file of up to 200 buckets, every image of it, every key of two bits more than the level.

constexpr uint64_t kEnumeratedBuckets = 200;

struct Tally {
  uint64_t cases = 0;
  uint64_t hops[4] = {};  // the last entry: three and more
  uint64_t wrong_bucket = 0;
  uint64_t beyond_file = 0;
  uint64_t beyond_file_by_level_alone = 0;
  uint64_t not_increasing = 0;
  uint64_t image_too_large[2] = {};  // [0]: A3 with the first bucket, [1]: with the last forwarder
  uint64_t image_not_larger[2] = {};
  uint64_t errs_again[2] = {};
  uint64_t errs_again_twice[2] = {};
  uint64_t improved_larger = 0;
  uint64_t improved_smaller = 0;
};

// A route without memory: at most four buckets.
struct Walk {
  BucketMark met[4];
  size_t count = 0;
  uint64_t hops() const { return count - 1; }
};

Walk walk(FileState file, FileState image, HashValue c) {
  Walk w;
  BucketNo a = address(image, c);
  while (w.count < 4) {
    w.met[w.count++] = {a, level_of(file, a)};
    const std::optional<BucketNo> next = forward_address(w.met[w.count - 1], c);
    if (!next) break;
    a = *next;
  }
  return w;
}

void tally_adjustment(FileState file, FileState image, HashValue c, BucketMark iam, int variant,
                      Tally* t) {
  const FileState adjusted = adjust_image(image, iam);
  t->image_too_large[variant] += bucket_count(adjusted) > bucket_count(file);
  t->image_not_larger[variant] += bucket_count(adjusted) <= bucket_count(image);
  const Walk again = walk(file, adjusted, c);
  t->errs_again[variant] += again.hops() > 0;
  t->errs_again_twice[variant] += again.hops() > 1;
}

void tally_errors(FileState file, FileState image, HashValue c, const Walk& w, Tally* t) {
  const BucketMark first = w.met[0];
  const BucketMark last_forwarder = w.met[w.count - 2];
  t->beyond_file_by_level_alone += h(first.j, c) >= bucket_count(file);
  for (size_t k = 1; k < w.count; ++k) {
    t->not_increasing += w.met[k].a <= w.met[k - 1].a;
    t->beyond_file += w.met[k].a >= bucket_count(file);
  }
  tally_adjustment(file, image, c, first, 0, t);
  tally_adjustment(file, image, c, last_forwarder, 1, t);
  const uint64_t original = bucket_count(adjust_image(image, first));
  const uint64_t improved = bucket_count(adjust_image(image, last_forwarder));
  t->improved_larger += improved > original;
  t->improved_smaller += improved < original;
}

Tally enumerate() {
  Tally t;
  for (uint64_t buckets = 1; buckets <= kEnumeratedBuckets; ++buckets) {
    const FileState file = state_of_count(buckets);
    for (uint64_t known = 1; known <= buckets; ++known) {
      const FileState image = state_of_count(known);
      const HashValue keys = uint64_t{4} << file.i;
      for (HashValue c = 0; c < keys; ++c) {
        const Walk w = walk(file, image, c);
        ++t.cases;
        ++t.hops[std::min<uint64_t>(w.hops(), 3)];
        t.wrong_bucket += w.met[w.count - 1].a != address(file, c);
        if (w.hops() > 0) tally_errors(file, image, c, w, &t);
      }
    }
  }
  return t;
}

class LhStarEnumerationTest : public testing::Test {
 protected:
  static const Tally& tally() {
    static const Tally all = enumerate();
    return all;
  }
};

TEST_F(LhStarEnumerationTest, hasAllCases) { EXPECT_EQ(tally().cases, 7'916'300u); }

TEST_F(LhStarEnumerationTest, everyRequestEndsAtItsBucket) { EXPECT_EQ(tally().wrong_bucket, 0u); }

TEST_F(LhStarEnumerationTest, aRequestIsForwardedAtMostTwice) {
  EXPECT_EQ(tally().hops[0], 3'987'760u);
  EXPECT_EQ(tally().hops[1], 3'604'504u);
  EXPECT_EQ(tally().hops[2], 324'036u);
  EXPECT_EQ(tally().hops[3], 0u);
}

TEST_F(LhStarEnumerationTest, noForwardGoesBeyondTheFile) { EXPECT_EQ(tally().beyond_file, 0u); }

// What the second step of A2 is for.
TEST_F(LhStarEnumerationTest, theOwnLevelAloneWouldGoBeyondTheFile) {
  EXPECT_EQ(tally().beyond_file_by_level_alone, 851'730u);
}

TEST_F(LhStarEnumerationTest, forwardAddressesStrictlyIncrease) {
  EXPECT_EQ(tally().not_increasing, 0u);
}

TEST_F(LhStarEnumerationTest, anAdjustedImageIsNeverLargerThanTheFile) {
  EXPECT_EQ(tally().image_too_large[0], 0u);
  EXPECT_EQ(tally().image_too_large[1], 0u);
}

TEST_F(LhStarEnumerationTest, anAdjustedImageIsStrictlyLargerThanBefore) {
  EXPECT_EQ(tally().image_not_larger[0], 0u);
  EXPECT_EQ(tally().image_not_larger[1], 0u);
}

TEST_F(LhStarEnumerationTest, withTheLastForwarderTheSameKeyDoesNotErrAgain) {
  EXPECT_EQ(tally().errs_again[1], 0u);
}

TEST_F(LhStarEnumerationTest, withTheFirstBucketTwoHopKeysErrOnceMore) {
  EXPECT_EQ(tally().errs_again[0], 324'036u);
  EXPECT_EQ(tally().errs_again_twice[0], 0u);
}

TEST_F(LhStarEnumerationTest, theLastForwarderTeachesMoreExactlyInTwoHopCases) {
  EXPECT_EQ(tally().improved_larger, 324'036u);
  EXPECT_EQ(tally().improved_smaller, 0u);
}

// ---------------------------------------------------------------------------------------------
// A file that shrank: images larger than the file.

TEST(LhStarMergeTest, theFirstParentThatExistsIsTheBucketOfTheKey) {
  for (uint64_t buckets = 1; buckets <= 40; ++buckets) {
    const FileState file = state_of_count(buckets);
    for (uint64_t believed = buckets + 1; believed <= 4 * buckets + 3; ++believed) {
      const FileState image = state_of_count(believed);
      for (HashValue c = 0; c < uint64_t{4} << image.i; ++c) {
        BucketNo a = address(image, c);
        int steps = 0;
        for (; a >= buckets; ++steps) a = parent(a);
        ASSERT_LE(steps, 2);
        ASSERT_EQ(a, address(file, c)) << buckets << " " << believed << " " << c;
      }
    }
  }
}

TEST(LhStarMergeTest, aBucketThatExistsNeedsNoOtherRule) {
  for (uint64_t buckets = 1; buckets <= 40; ++buckets) {
    const FileState file = state_of_count(buckets);
    for (uint64_t believed = buckets + 1; believed <= 4 * buckets + 3; ++believed) {
      const FileState image = state_of_count(believed);
      for (HashValue c = 0; c < uint64_t{4} << image.i; ++c) {
        if (address(image, c) >= buckets) continue;
        ASSERT_EQ(walk(file, image, c).hops(), 0u) << buckets << " " << believed << " " << c;
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Scans: a bucket of level j that is asked as one of level j' asks its children of the levels
// between.

struct ScanResult {
  std::vector<int> times_asked;
  uint64_t messages = 0;
  uint64_t rounds = 0;
  bool beyond_file = false;
};

ScanResult scan(FileState file, FileState image) {
  struct Query {
    BucketMark believed;
    uint64_t round;
  };
  ScanResult result;
  result.times_asked.resize(bucket_count(file));
  std::vector<Query> queue;
  for (BucketNo a = 0; a < bucket_count(image); ++a) queue.push_back({{a, level_of(image, a)}, 1});
  for (size_t next = 0; next < queue.size(); ++next) {
    const auto [believed, round] = queue[next];
    ++result.messages;
    result.rounds = std::max(result.rounds, round);
    if (believed.a >= bucket_count(file)) {
      result.beyond_file = true;
      continue;
    }
    ++result.times_asked[believed.a];
    const Level j = level_of(file, believed.a);
    for (Level asked = believed.j; asked < j;) {
      const BucketNo child = believed.a + (uint64_t{1} << asked);
      ++asked;
      queue.push_back({{child, asked}, round + 1});
    }
  }
  return result;
}

TEST(LhStarScanTest, everyBucketIsAskedExactlyOnce) {
  for (uint64_t buckets = 1; buckets <= 150; ++buckets) {
    for (uint64_t known = 1; known <= buckets; ++known) {
      const ScanResult result = scan(state_of_count(buckets), state_of_count(known));
      ASSERT_FALSE(result.beyond_file);
      ASSERT_EQ(result.messages, buckets);
      for (const int times : result.times_asked) ASSERT_EQ(times, 1) << buckets << " " << known;
    }
  }
}

TEST(LhStarScanTest, anExactImageNeedsOneRound) {
  for (uint64_t buckets = 1; buckets <= 300; ++buckets) {
    EXPECT_EQ(scan(state_of_count(buckets), state_of_count(buckets)).rounds, 1u);
  }
}

TEST(LhStarScanTest, aFreshClientNeedsAtMostOneRoundPerBitOfAnAddress) {
  const std::vector<std::pair<uint64_t, uint64_t>> rounds_of = {
      {2, 2}, {3, 2}, {4, 3}, {100, 7}, {1000, 10}, {1024, 11}, {1025, 11}};
  for (const auto& [buckets, rounds] : rounds_of) {
    EXPECT_EQ(scan(state_of_count(buckets), FileState{}).rounds, rounds) << buckets;
  }
}

// The client knows that it has heard all buckets when the shares 2^-j of those it heard make one.
TEST(LhStarScanTest, theSharesMakeOneExactlyWhenAllHaveAnswered) {
  for (uint64_t buckets = 1; buckets <= 12; ++buckets) {
    const FileState file = state_of_count(buckets);
    const uint64_t everyone = (uint64_t{1} << buckets) - 1;
    for (uint64_t heard = 0; heard <= everyone; ++heard) {
      uint64_t share = 0;  // in units of 2^-20
      for (BucketNo a = 0; a < buckets; ++a) {
        if ((heard >> a & 1) != 0) share += uint64_t{1} << (20 - level_of(file, a));
      }
      ASSERT_EQ(share == uint64_t{1} << 20, heard == everyone);
    }
  }
}

// ---------------------------------------------------------------------------------------------
// The reversed key space.

uint64_t slow_reverse64(uint64_t x) {
  uint64_t reversed = 0;
  for (int k = 0; k < 64; ++k) reversed |= (x >> k & 1) << (63 - k);
  return reversed;
}

TEST(ReversedSpaceTest, reverse64MirrorsTheBits) {
  EXPECT_EQ(reverse64(0), 0u);
  EXPECT_EQ(reverse64(1), uint64_t{1} << 63);
  EXPECT_EQ(reverse64(~uint64_t{0}), ~uint64_t{0});
  EXPECT_EQ(reverse64(0x0123456789abcdef), 0xf7b3d591e6a2c480u);
  Prng prng(3);
  for (int round = 0; round < 10000; ++round) {
    const uint64_t x = prng.next();
    EXPECT_EQ(reverse64(x), slow_reverse64(x));
    EXPECT_EQ(reverse64(reverse64(x)), x);
  }
}

std::vector<Interval> sorted_intervals(FileState file) {
  std::vector<Interval> intervals;
  for (BucketNo a = 0; a < bucket_count(file); ++a) {
    intervals.push_back(interval_of({a, level_of(file, a)}));
  }
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval& x, const Interval& y) { return x.first < y.first; });
  return intervals;
}

TEST(ReversedSpaceTest, theBucketsOfAnyFilePartitionTheSpace) {
  for (uint64_t buckets = 1; buckets <= 300; ++buckets) {
    const std::vector<Interval> intervals = sorted_intervals(state_of_count(buckets));
    ASSERT_EQ(intervals.front().first, 0u);
    ASSERT_EQ(intervals.back().last, ~uint64_t{0});
    for (size_t k = 1; k < intervals.size(); ++k) {
      ASSERT_EQ(intervals[k].first, intervals[k - 1].last + 1) << buckets;
    }
  }
}

TEST(ReversedSpaceTest, aBucketIsTheIntervalOfItsKeys) {
  Prng prng(4);
  for (int round = 0; round < 20000; ++round) {
    const FileState file = state_of_count(prng.between(1, 5000));
    const HashValue c = prng.next();
    const BucketNo home = address(file, c);
    const BucketNo other = prng.below(bucket_count(file));
    EXPECT_TRUE(interval_of({home, level_of(file, home)}).contains(reverse64(c)));
    EXPECT_EQ(interval_of({other, level_of(file, other)}).contains(reverse64(c)), other == home);
  }
}

TEST(ReversedSpaceTest, aSplitCutsAnIntervalInHalves) {
  Prng prng(5);
  for (int round = 0; round < 10000; ++round) {
    const auto j = static_cast<Level>(prng.below(kLevelMax));
    const BucketNo a = prng.below(uint64_t{1} << j);
    const auto raised = static_cast<Level>(j + 1);
    const Interval whole = interval_of({a, j});
    const Interval stays = interval_of({a, raised});
    const Interval moves = interval_of({a + (uint64_t{1} << j), raised});
    EXPECT_EQ(stays.first, whole.first);
    EXPECT_EQ(stays.last + 1, moves.first);
    EXPECT_EQ(moves.last, whole.last);
    EXPECT_EQ(stays.last - stays.first, moves.last - moves.first);
  }
}

TEST(ReversedSpaceTest, theWholeSpaceIsTheBucketOfLevelZero) {
  EXPECT_EQ(interval_of({0, 0}), (Interval{0, ~uint64_t{0}}));
  EXPECT_TRUE(interval_of({0, 0}).contains(0));
  EXPECT_TRUE(interval_of({0, 0}).contains(~uint64_t{0}));
}

}  // namespace
}  // namespace lh
