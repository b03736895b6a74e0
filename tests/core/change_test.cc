#include "core/change.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/prng.h"
#include "core/limits.h"

namespace lh::core {
namespace {

// A run in words: `put 12=x; erase 13; client 7 acked 3; answer 7 4 Exists`, and ` BAD` behind what
// could be read of a malformed one.
std::string read(std::string_view run) {
  std::string out;
  ChangeReader reader(run);
  Change change;
  while (reader.next(&change)) {
    if (!out.empty()) out += "; ";
    switch (change.kind) {
      case Change::Kind::kPut:
        out.append("put ").append(change.key).append("=").append(change.value);
        if (change.expiry != table::kNever) out += " until " + std::to_string(change.expiry);
        break;
      case Change::Kind::kExpire:
        out.append("expire ").append(change.key).append(" ") += std::to_string(change.expiry);
        break;
      case Change::Kind::kErase:
        out.append("erase ").append(change.key);
        break;
      case Change::Kind::kClient:
        out += "client " + std::to_string(change.client) + " acked " +
               std::to_string(change.number) + " cleared " + std::to_string(change.cleared);
        break;
      case Change::Kind::kAnswer:
        out += "answer " + std::to_string(change.client) + " " + std::to_string(change.number) +
               " " + to_string(change.code);
        if (!change.value.empty()) out.append(" ").append(change.value);
        break;
      case Change::Kind::kOverdue:
        out += "overdue " + std::to_string(change.number);
        break;
    }
  }
  EXPECT_FALSE(reader.next(&change)) << "the end stays the end";
  return reader.ok() ? out : out + " BAD";
}

std::string sample() {
  std::string run;
  append_put(&run, {"12", "x"});
  append_erase(&run, "13");
  append_client(&run, 7, 3, 2);
  append_answer(&run, 7, 4, Code::kExists, {});
  append_answer(&run, 7, 5, Code::kOk, "-1");
  append_put(&run, {"", ""});
  return run;
}

TEST(ChangeTest, records_that_expire) {
  std::string run;
  append_put(&run, {"12", "x", 1'700'000'000'123});
  append_expire(&run, "13", table::kExpiryMax);
  append_expire(&run, "14", table::kNever);
  EXPECT_EQ(read(run), "put 12=x until 1700000000123; expire 13 281474976710655; expire 14 0");
  for (size_t size = 1; size < run.size(); ++size) {
    EXPECT_NE(read(run.substr(0, size)), read(run)) << size;
  }
  std::string never;
  never.append("\x06\x00\x01k\x01v", 6);
  EXPECT_EQ(read(never), " BAD") << "there is a shorter way to say that";
  std::string late;
  append_expire(&late, "k", table::kExpiryMax + 1);
  EXPECT_EQ(read(late), " BAD");
}

TEST(ChangeTest, what_is_appended_is_read_in_order) {
  EXPECT_EQ(read(sample()),
            "put 12=x; erase 13; client 7 acked 3 cleared 2; "
            "answer 7 4 Exists; answer 7 5 Ok -1; put =");
}

TEST(ChangeTest, an_empty_run_is_a_good_one) { EXPECT_EQ(read(""), ""); }

TEST(ChangeTest, has_the_layout_that_the_header_draws) {
  using std::string_literals::operator""s;
  EXPECT_EQ(sample(),
            "\x01\x02"
            "12\x01x"
            "\x02\x02"
            "13"
            "\x03\x07\0\0\0\0\0\0\0\x03\x02"
            "\x04\x07\0\0\0\0\0\0\0\x04\x01\0"
            "\x04\x07\0\0\0\0\0\0\0\x05\0\x02-1"
            "\x01\0\0"s);
  std::string run;
  append_overdue(&run, 300);
  EXPECT_EQ(run, "\x05\xac\x02");
  EXPECT_EQ(read(run), "overdue 300");
}

TEST(ChangeTest, large_records_and_numbers_fit) {
  const std::string key(kKeyBytesMax, 'k');
  const std::string value(kValueBytesMax, 'v');
  std::string run;
  append_put(&run, {key, value});
  append_client(&run, ~ClientId{0}, ~uint64_t{0}, ~uint64_t{0});
  ChangeReader reader(run);
  Change change;
  ASSERT_TRUE(reader.next(&change));
  EXPECT_EQ(change.key, key);
  EXPECT_EQ(change.value, value);
  ASSERT_TRUE(reader.next(&change));
  EXPECT_EQ(change.number, ~uint64_t{0});
  EXPECT_EQ(change.cleared, ~uint64_t{0});
  EXPECT_FALSE(reader.next(&change));
  EXPECT_TRUE(reader.ok());
}

TEST(ChangeTest, keys_and_values_beyond_the_limits_are_malformed) {
  std::string run;
  append_erase(&run, std::string(kKeyBytesMax + 1, 'k'));
  EXPECT_EQ(read(run), " BAD");
  run.clear();
  append_answer(&run, 7, 4, Code::kOk, std::string(kAnswerBytesMax + 1, '1'));
  EXPECT_EQ(read(run), " BAD");
  run.clear();
  append_put(&run, {"1", std::string(kValueBytesMax + 1, 'v')});
  EXPECT_EQ(read(run), " BAD");
}

TEST(ChangeTest, kinds_and_codes_that_do_not_exist_are_malformed) {
  EXPECT_EQ(read(std::string(10, '\0')), " BAD");
  EXPECT_EQ(read("\x06\x01\x01\x01"), " BAD");
  std::string run;
  append_answer(&run, 7, 4, kCodeLast, {});
  EXPECT_EQ(read(run), "answer 7 4 TooLarge");
  ++run[run.size() - 2];
  EXPECT_EQ(read(run), " BAD");
}

TEST(ChangeTest, a_run_cut_anywhere_but_between_changes_is_malformed) {
  const std::string whole = sample();
  const std::set<size_t> boundaries = {0, 6, 10, 21, 33, 47, whole.size()};
  for (size_t size = 0; size <= whole.size(); ++size) {
    const std::string got = read(std::string_view(whole).substr(0, size));
    EXPECT_EQ(!got.ends_with("BAD"), boundaries.contains(size)) << size << ": " << got;
  }
}

TEST(ChangeTest, any_bytes_are_read_without_harm) {
  base::Prng prng(20);
  for (int round = 0; round < 20'000; ++round) {
    std::string run = sample();
    for (uint64_t k = prng.below(4) + 1; k > 0; --k) {
      run[prng.below(run.size())] = static_cast<char>(prng.next());
    }
    run.resize(prng.below(run.size() + 1));
    read(run);
  }
}

}  // namespace
}  // namespace lh::core
