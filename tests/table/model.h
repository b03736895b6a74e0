// Shared by the tests of the hash table: hash functions good and bad, and a table together with
// what should be in it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "base/prng.h"
#include "table/hash_table.h"

namespace lh::table {

inline uint64_t mix(uint64_t x) { return base::splitmix64(&x); }

inline uint64_t fold(std::string_view key) {
  uint64_t sum = key.size();
  for (const char byte : key) sum = mix(sum ^ static_cast<unsigned char>(byte));
  return sum;
}

// Hash functions, good and bad.
inline HashValue mixed(std::string_view key) { return fold(key); }
inline HashValue one_low_word(std::string_view key) { return fold(key) << 32 | 0x1234567; }
inline HashValue one_high_word(std::string_view key) { return fold(key) & 0xffffffff; }
inline HashValue tagged(std::string_view key) {
  return fold(key) << 14 | (fold(key.substr(0, 1)) & 3);
}
inline HashValue all_equal(std::string_view) { return 42; }
inline HashValue few_values(std::string_view key) { return mix(fold(key) % 5); }
inline HashValue integer(std::string_view key) {
  uint64_t value = 0;
  for (const char digit : key) value = value * 10 + static_cast<uint64_t>(digit - '0');
  return value;
}

// A table and what should be in it.
class Model {
 public:
  Model(Arena* arena, HashFunction hash, Level shift = 0)
      : arena_(arena), hash_(hash), table_({shift, hash, arena}) {}

  HashTable& table() { return table_; }
  std::map<std::string, std::string>& records() { return records_; }
  std::map<std::string, ExpiryMs>& expiries() { return expiries_; }

  void put(const std::string& key, const std::string& value) {
    const bool there = records_.contains(key);
    const HashTable::Put done = table_.put(hash_(key), key, value);
    ASSERT_EQ(done, there ? HashTable::Put::kReplaced : HashTable::Put::kInserted);
    records_[key] = value;
    expiries_.erase(key);
  }
  void put_expiring(const std::string& key, const std::string& value, ExpiryMs expiry) {
    table_.put(hash_(key), key, value, expiry);
    records_[key] = value;
    expiries_[key] = expiry;
  }
  void set_expiry(const std::string& key, ExpiryMs expiry) {
    const bool there = records_.contains(key);
    ASSERT_EQ(table_.set_expiry(hash_(key), key, expiry), there);
    expiries_.erase(key);
    if (there && expiry != kNever) expiries_[key] = expiry;
  }
  void insert(const std::string& key, const std::string& value) {
    ASSERT_EQ(table_.insert(hash_(key), key, value), records_.emplace(key, value).second);
  }
  void update(const std::string& key, const std::string& value) {
    const auto at = records_.find(key);
    ASSERT_EQ(table_.update(hash_(key), key, value), at != records_.end());
    if (at == records_.end()) return;
    at->second = value;
    expiries_.erase(key);
  }
  void erase(const std::string key) {  // a copy: it may be the key in records_
    ASSERT_EQ(table_.erase(hash_(key), key), records_.erase(key) == 1);
    expiries_.erase(key);
  }
  void find(const std::string& key) {
    table_.prefetch(hash_(key));
    const HashTable::Place place = table_.place_of(hash_(key));
    table_.prefetch_slot(place);
    table_.prefetch_header(place);
    table_.prefetch_record(place, hash_(key));
    const auto found = table_.find_record(hash_(key), key);
    const auto at = records_.find(key);
    ASSERT_EQ(found.has_value(), at != records_.end()) << key;
    ASSERT_EQ(table_.find(hash_(key), key).has_value(), found.has_value());
    if (found) {
      ASSERT_EQ(found->value, at->second);
      ASSERT_EQ(found->expiry, expiry_of(key));
    }
  }

  // Finds every record, by key and by a walk, and none besides; and checks the books.
  void check() {
    uint64_t payload_bytes = 0;
    for (const auto& [key, value] : records_) {
      find(key);
      payload_bytes += key.size() + value.size();
    }
    std::map<std::string, std::string> seen;
    table_.walk(0, ~uint64_t{0}, SIZE_MAX, [&](HashValue c, const Record& record) {
      EXPECT_EQ(c, hash_(record.key));
      EXPECT_EQ(record.expiry, expiry_of(std::string(record.key)));
      EXPECT_TRUE(seen.emplace(record.key, record.value).second);
    });
    EXPECT_EQ(seen, records_);
    EXPECT_EQ(table_.size(), records_.size());
    EXPECT_EQ(table_.empty(), records_.empty());
    EXPECT_EQ(table_.payload_bytes(), payload_bytes);
    EXPECT_EQ(table_.expiring(), expiries_.size());
  }
  ExpiryMs expiry_of(const std::string& key) const {
    const auto at = expiries_.find(key);
    return at == expiries_.end() ? kNever : at->second;
  }

 private:
  Arena* arena_;
  HashFunction hash_;
  HashTable table_;
  std::map<std::string, std::string> records_;
  std::map<std::string, ExpiryMs> expiries_;  // of those that have one
};

inline std::string number(uint64_t n) { return std::to_string(n); }

inline std::string value_of_some_size(base::Prng* prng) {
  const uint64_t dice = prng->below(200);
  const uint64_t bytes = dice == 0  ? prng->below(60'000)
                         : dice < 4 ? prng->below(3'000)
                                    : prng->below(80);
  return std::string(bytes, static_cast<char>('a' + prng->below(26)));
}

inline void random_step(Model* model, base::Prng* prng, uint64_t keys, uint64_t growth) {
  const std::string key = number(prng->below(keys));
  const uint64_t dice = prng->below(100);
  if (dice < growth / 5) {
    model->put_expiring(key, value_of_some_size(prng), 1 + prng->below(1'000));
  } else if (dice < growth) {
    model->put(key, value_of_some_size(prng));
  } else if (dice < growth + 5) {
    model->insert(key, value_of_some_size(prng));
  } else if (dice < growth + 10) {
    model->update(key, value_of_some_size(prng));
  } else if (dice < growth + 13) {
    model->find(key);
  } else if (dice < growth + 15) {
    model->set_expiry(key, prng->below(3) * (1 + prng->below(1'000)));
  } else {
    model->erase(key);
  }
}

// A hash function to test with, and how many different keys go well with it.
struct Skew {
  const char* name;
  HashFunction hash;
  uint64_t keys;
};

}  // namespace lh::table
