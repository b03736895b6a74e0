#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/prng.h"
#include "core/bucket.h"
#include "core/operation.h"
#include "tests/core/bucket_fixture.h"

namespace lh::core {
namespace {

using namespace testing;

constexpr ExpiryMs kBegin = 1'700'000'000'000;

// The clock says kBegin at first.
class ExpiryTest : public BucketTest {
 protected:
  ExpiryTest() {
    host_.now = now_;
    host_.unix_offset = base::ms(static_cast<int64_t>(kBegin)) - base::ns(now_.ns());
    effects_.keep_journal(true);
  }

  void pass(int64_t ms) {
    now_ = now_ + base::ms(ms);
    host_.now = now_;
  }
  std::string ask(Op op, uint64_t c, std::string_view value, std::string_view args) {
    const Bucket::Answer answer =
        bucket_.execute({op, c, std::to_string(c), value, args}, &effects_);
    return to_string(answer.code) + (answer.value.empty() ? "" : " " + std::string(answer.value));
  }
  std::string set(uint64_t c, std::string_view value, ExpiryMs for_ms,
                  Presence only_if = Presence::kAny, Op op = Op::kSet) {
    SetArgs args;
    args.only_if = only_if;
    args.expiry = for_ms == 0 ? kNever : host_.unix_ms() + for_ms;
    return ask(op, c, value, args.encode());
  }
  std::string expire(uint64_t c, ExpiryMs at, uint8_t conditions = 0, Op op = Op::kExpire) {
    ExpireArgs args;
    args.conditions = conditions;
    args.expiry = at;
    return ask(op, c, {}, args.encode());
  }
  std::string left(uint64_t c) { return ask(Op::kExpiry, c, {}, encode(ExpiryForm::kMsLeft)); }
  std::string read(uint64_t c) { return execute(&bucket_, Op::kRead, c); }

  // What a tick, or a turn, has the journal say.
  std::string ticks() {
    journal();
    tick(&bucket_, 0);
    return journal();
  }
  std::string turns() {
    journal();
    turn(&bucket_);
    return journal();
  }
  // What the journal says, from here on.
  std::string journal() {
    std::string out;
    effects_.write_journal([&](uint64_t, std::string_view record) {
      if (take_kind(&record) != RecordKind::kChanges) return uint64_t{1};
      ChangeReader reader(record);
      Change change;
      while (reader.next(&change)) {
        out.append(out.empty() ? "" : "; ");
        switch (change.kind) {
          case Change::Kind::kPut:
            out.append("put ").append(change.key);
            if (change.expiry != kNever) out += " +" + std::to_string(change.expiry - kBegin);
            break;
          case Change::Kind::kErase:
            out.append("erase ").append(change.key);
            break;
          case Change::Kind::kExpire:
            out.append("expire ").append(change.key);
            if (change.expiry != kNever) out += " +" + std::to_string(change.expiry - kBegin);
            break;
          case Change::Kind::kClient:
          case Change::Kind::kAnswer:
          case Change::Kind::kOverdue:
            break;
        }
      }
      return uint64_t{1};
    });
    effects_.clear();
    return out;
  }

  Bucket bucket_{host_, BucketMark{0, 0}};
  uint64_t scans_ = 0;
};

TEST_F(ExpiryTest, a_record_is_there_until_it_expires_and_not_later) {
  EXPECT_EQ(set(1, "x", 100), "Ok");
  EXPECT_EQ(journal(), "put 1 +100");
  pass(99);
  EXPECT_EQ(read(1), "Ok x");
  EXPECT_EQ(execute(&bucket_, Op::kLength, 1), "Ok 1");
  EXPECT_EQ(left(1), "Ok 1");
  pass(1);
  EXPECT_EQ(read(1), "NotFound");
  EXPECT_EQ(execute(&bucket_, Op::kLength, 1), "NotFound");
  EXPECT_EQ(left(1), "NotFound");
  EXPECT_EQ(journal(), "") << "who reads changes nothing";
}

TEST_F(ExpiryTest, what_has_expired_is_not_there_for_those_who_write_either) {
  const auto again = [this] {
    set(1, "7", 100);
    pass(100);
  };
  again();
  EXPECT_EQ(execute(&bucket_, Op::kInsert, 1, "a"), "Ok");
  EXPECT_EQ(journal(), "put 1 +100; erase 1; put 1");
  again();
  EXPECT_EQ(execute(&bucket_, Op::kUpdate, 1, "a"), "NotFound");
  again();
  EXPECT_EQ(execute(&bucket_, Op::kDelete, 1), "NotFound");
  again();
  EXPECT_EQ(execute(&bucket_, Op::kIncrement, 1, "1"), "Ok 1");
  again();
  EXPECT_EQ(execute(&bucket_, Op::kAppend, 1, "ab"), "Ok 2");
  again();
  EXPECT_EQ(execute(&bucket_, Op::kTake, 1), "NotFound");
  again();
  EXPECT_EQ(set(1, "a", 0, Presence::kPresent), "NotFound");
  again();
  EXPECT_EQ(set(1, "a", 0, Presence::kAbsent), "Ok");
  again();
  EXPECT_EQ(set(1, "a", 0, Presence::kAny, Op::kSwap), "NotFound");
  again();
  EXPECT_EQ(expire(1, kBegin + 1'000'000), "NotFound");
}

TEST_F(ExpiryTest, a_write_of_a_value_makes_it_stay_unless_it_says_otherwise) {
  set(1, "5", 100);
  execute(&bucket_, Op::kIncrement, 1, "1");
  execute(&bucket_, Op::kAppend, 1, "0");
  EXPECT_EQ(left(1), "Ok 100") << "a part of it was changed";
  SetArgs keep;
  keep.keeps_expiry = true;
  EXPECT_EQ(ask(Op::kSet, 1, "new", keep.encode()), "Ok");
  EXPECT_EQ(left(1), "Ok 100");
  EXPECT_EQ(journal(), "put 1 +100; put 1 +100; put 1 +100; put 1 +100");
  execute(&bucket_, Op::kPut, 1, "for ever");
  EXPECT_EQ(left(1), "Ok -1");
  EXPECT_EQ(bucket_.table().expiring(), 0u);
  set(1, "x", 100);
  execute(&bucket_, Op::kUpdate, 1, "for ever");
  EXPECT_EQ(left(1), "Ok -1");
  EXPECT_EQ(ask(Op::kSet, 2, "first", keep.encode()), "Ok");
  EXPECT_EQ(left(2), "Ok -1") << "there was none to keep";
}

TEST_F(ExpiryTest, a_swap_answers_what_was_there) {
  EXPECT_EQ(set(1, "a", 100, Presence::kAny, Op::kSwap), "NotFound");
  EXPECT_EQ(set(1, "b", 0, Presence::kAny, Op::kSwap), "Ok a");
  EXPECT_EQ(left(1), "Ok -1");
  EXPECT_EQ(set(1, "c", 0, Presence::kAbsent, Op::kSwap), "Ok b");
  EXPECT_EQ(read(1), "Ok b") << "it was not to be replaced";
  EXPECT_EQ(set(2, "c", 0, Presence::kPresent, Op::kSwap), "NotFound");
  EXPECT_EQ(read(2), "NotFound");
  EXPECT_EQ(execute(&bucket_, Op::kTake, 1), "Ok b");
  EXPECT_EQ(execute(&bucket_, Op::kTake, 1), "NotFound");
}

TEST_F(ExpiryTest, an_expiry_is_given_and_taken_away_on_conditions) {
  EXPECT_EQ(expire(1, kBegin + 50), "NotFound");
  set(1, "x", 0);
  journal();
  EXPECT_EQ(expire(1, kBegin + 50, ExpireArgs::kHasOne), "NotFound");
  EXPECT_EQ(journal(), "");
  EXPECT_EQ(expire(1, kBegin + 50), "Ok");
  EXPECT_EQ(expire(1, kBegin + 40, ExpireArgs::kLater), "NotFound");
  EXPECT_EQ(expire(1, kBegin + 60, ExpireArgs::kLater), "Ok");
  EXPECT_EQ(left(1), "Ok 60");
  EXPECT_EQ(expire(1, kNever, 0, Op::kReadExpire), "Ok x");
  EXPECT_EQ(left(1), "Ok -1");
  EXPECT_EQ(journal(), "expire 1 +50; expire 1 +60; expire 1");
  EXPECT_EQ(expire(1, kBegin, 0, Op::kReadExpire), "Ok x") << "at once";
  EXPECT_EQ(journal(), "erase 1");
  EXPECT_EQ(bucket_.records(), 0u);
}

TEST_F(ExpiryTest, arguments_that_are_none_change_nothing) {
  set(1, "x", 0);
  journal();
  for (const Op op : {Op::kSet, Op::kSwap, Op::kExpire, Op::kReadExpire, Op::kExpiry}) {
    EXPECT_EQ(ask(op, 1, "y", "\xff\xff\xff"), "Malformed");
  }
  EXPECT_EQ(read(1), "Ok x");
  EXPECT_EQ(journal(), "");
}

TEST_F(ExpiryTest, what_was_taken_is_said_again_to_who_asks_again) {
  const std::string large(100'000, 'v');
  execute(&bucket_, Op::kPut, 1, large);
  EXPECT_EQ(once(&bucket_, Op::kTake, 1, 1), "Ok " + large);
  EXPECT_EQ(once(&bucket_, Op::kTake, 1, 1), "Ok " + large);
  EXPECT_EQ(once(&bucket_, Op::kTake, 2, 1), "NotFound");
}

TEST_F(ExpiryTest, an_expired_record_and_the_answer_about_it_go_in_one_record) {
  set(1, "x", 10);
  pass(10);
  journal();
  EXPECT_EQ(once(&bucket_, Op::kUpdate, 1, 1, "y"), "NotFound");
  EXPECT_EQ(effects_.records(), 1u);
}

TEST_F(ExpiryTest, what_has_expired_is_swept_away_in_slices) {
  for (uint64_t c = 1; c <= 3'000; ++c) set(c, "x", c % 3 == 0 ? 0 : c % 3 == 1 ? 100 : 5'000);
  EXPECT_EQ(bucket_.table().expiring(), 2'000u);
  EXPECT_EQ(ticks(), "");
  EXPECT_FALSE(bucket_.has_work());
  EXPECT_EQ(bucket_.records(), 3'000u);
  pass(100);
  ticks();
  size_t slices = 0;
  for (; bucket_.has_work(); ++slices) {
    const uint64_t before = bucket_.records();
    turns();
    EXPECT_LT(before - bucket_.records(), 500u);
  }
  EXPECT_GT(slices, 3u);
  for (int k = 0; k < 100; ++k) ticks();
  EXPECT_EQ(bucket_.records(), 2'000u);
  EXPECT_EQ(bucket_.table().expiring(), 1'000u);
  pass(5'000);
  EXPECT_TRUE(ticks().starts_with("erase "));
  for (int k = 0; k < 100; ++k) ticks(), turns();
  EXPECT_EQ(bucket_.records(), 1'000u);
  EXPECT_EQ(bucket_.expired(), 2'000u);
  EXPECT_EQ(read(3), "Ok x");
}

TEST_F(ExpiryTest, a_full_disk_ends_the_sweep_but_serves_nothing_late) {
  set(1, "x", 10);
  pass(10);
  host_.disk_full = true;
  EXPECT_EQ(ticks(), "");
  EXPECT_EQ(bucket_.records(), 1u);
  EXPECT_EQ(read(1), "NotFound");
  host_.disk_full = false;
  EXPECT_EQ(ticks(), "erase 1");
}

TEST_F(ExpiryTest, a_scan_passes_over_what_has_expired) {
  for (uint64_t c = 1; c <= 3; ++c) set(c, "x", c == 2 ? 10 : 0);
  const auto keys = [this] {
    journal();
    Scan scan;
    scan.client.client = 7;
    scan.scan = ++scans_;
    bucket_.start_scan(now_, scan, 0, ~ReversedHash{0}, &effects_);
    std::string out;
    for (const ScanReply& m : all_of<ScanReply>(effects_)) {
      ChangeReader reader(m.matches);
      Change change;
      while (reader.next(&change)) {
        out.append(change.key).append(change.expiry == kNever ? " " : "! ");
      }
    }
    return out;
  };
  journal();
  EXPECT_EQ(keys(), "1 2! 3 ");
  pass(10);
  EXPECT_EQ(keys(), "1 3 ");
  journal();
}

TEST_F(ExpiryTest, a_split_takes_expiries_along) {
  for (uint64_t c = 1; c <= 8; ++c) set(c, "x", 100 * c);
  journal();
  std::map<std::string, ExpiryMs> there;
  const auto arrive = [&] {
    for (const SplitRecords& m : all_of<SplitRecords>(effects_)) {
      ChangeReader reader(m.changes);
      Change change;
      while (reader.next(&change)) {
        const std::string key(change.key);
        if (change.kind == Change::Kind::kErase) there.erase(key);
        if (change.kind == Change::Kind::kPut) there[key] = change.expiry;
        if (change.kind == Change::Kind::kExpire) there.at(key) = change.expiry;
      }
    }
  };
  order(&bucket_, 1, 0, 2);
  arrive();
  EXPECT_EQ(there.at("5"), kBegin + 500);
  expire(3, kNever);
  set(5, "y", 50);
  pass(60);
  ticks();
  journal();
  EXPECT_EQ(ack(&bucket_, 1, 0), Lines{});
  turn(&bucket_);
  arrive();
  EXPECT_EQ(there, (std::map<std::string, ExpiryMs>{
                       {"1", kBegin + 100}, {"3", kNever}, {"7", kBegin + 700}}));
}

// Whatever is done, and whenever: as a map with times says.
TEST_F(ExpiryTest, agrees_with_a_model) {
  base::Prng prng(5);
  struct Held {
    std::string value;
    ExpiryMs expiry;
  };
  std::map<uint64_t, Held> model;
  for (int step = 0; step < 30'000; ++step) {
    const uint64_t c = prng.below(40);
    const ExpiryMs now = host_.unix_ms();
    if (model.contains(c) && model[c].expiry != kNever && model[c].expiry <= now) model.erase(c);
    const auto there = model.find(c);
    const bool has = there != model.end();
    const std::string value(prng.below(30) == 0 ? 600 + prng.below(3'000) : prng.below(40), 'v');
    const ExpiryMs for_ms = prng.below(3) == 0 ? 0 : 1 + prng.below(200);
    switch (prng.below(8)) {
      case 0:
      case 1:
        EXPECT_EQ(set(c, value, for_ms), "Ok");
        model[c] = {value, for_ms == 0 ? kNever : now + for_ms};
        break;
      case 2:
        EXPECT_EQ(execute(&bucket_, Op::kDelete, c), has ? "Ok" : "NotFound");
        model.erase(c);
        break;
      case 3:
        EXPECT_EQ(expire(c, for_ms == 0 ? kNever : now + for_ms), has ? "Ok" : "NotFound");
        if (has) there->second.expiry = for_ms == 0 ? kNever : now + for_ms;
        break;
      case 4:
        execute(&bucket_, Op::kAppend, c, "a");
        if (!has) model[c] = {"", kNever};
        model[c].value += "a";
        break;
      case 5:
        pass(static_cast<int64_t>(prng.below(20)));
        break;
      case 6:
        ticks();
        break;
      default: {
        const std::string expected = !has                          ? "NotFound"
                                     : there->second.value.empty() ? "Ok"
                                                                   : "Ok " + there->second.value;
        ASSERT_EQ(read(c), expected) << step;
      }
    }
    journal();
  }
  for (int k = 0; k < 10; ++k) ticks();
  size_t timed = 0;
  for (const auto& [c, held] : model) {
    timed += held.expiry != kNever && held.expiry > host_.unix_ms();
  }
  EXPECT_EQ(bucket_.table().expiring(), timed);
}

}  // namespace
}  // namespace lh::core
