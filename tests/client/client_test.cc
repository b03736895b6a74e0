#include "lh/client.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/client/fake_file.h"

namespace lh {
namespace {

using client::testing::FakeFile;
using client::testing::FakeSetup;

class ClientTest : public ::testing::Test {
 protected:
  void connect(const FakeFile& file, size_t node = 0) {
    ClientOptions options;
    options.coordinator = file.address(node);
    Result<std::unique_ptr<Client>> client = Client::connect(options);
    ASSERT_TRUE(client.ok()) << client.status().message();
    client_ = std::move(client).value();
  }

  void fill(int records) {
    for (int k = 0; k < records; ++k) {
      ASSERT_TRUE(client_->insert("key" + std::to_string(k), std::to_string(k)).ok());
    }
    ASSERT_TRUE(client_->settle().ok());
  }

  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, oneRequestAtATime) {
  const FakeFile file;
  connect(file);
  EXPECT_TRUE(client_->insert("k", "v").ok());
  EXPECT_EQ(client_->insert("k", "w").code(), StatusCode::kExists);
  EXPECT_EQ(client_->read("k").value(), "v");
  EXPECT_TRUE(client_->update("k", "w").ok());
  EXPECT_EQ(client_->update("l", "w").code(), StatusCode::kNotFound);
  EXPECT_TRUE(client_->put("l", std::string(100'000, 'x')).ok());
  EXPECT_EQ(client_->read("l").value().size(), 100'000u);
  EXPECT_EQ(client_->count().value(), 2u);
  EXPECT_TRUE(client_->erase("k").ok());
  EXPECT_EQ(client_->erase("k").code(), StatusCode::kNotFound);
  EXPECT_EQ(client_->read("k").status().message(), "no such key");
}

TEST_F(ClientTest, whatNoFileCanHave) {
  const FakeFile file;
  connect(file);
  EXPECT_EQ(client_->put(std::string(65'536, 'k'), "v").message(), "key too long");
  EXPECT_EQ(client_->put("k", std::string((8 << 20) + 1, 'v')).message(), "value too long");
  EXPECT_TRUE(client_->put(std::string(65'535, 'k'), std::string(8 << 20, 'v')).ok());
  EXPECT_EQ(client_->scan(std::string(65'537, 'p'), [](auto, auto) {}).code(),
            StatusCode::kInvalid);
}

TEST_F(ClientTest, integerKeys) {
  FakeSetup setup;
  setup.options.hash = base::HashMode::kInteger;
  const FakeFile file(setup);
  connect(file);
  EXPECT_TRUE(client_->put("9", "v").ok());
  EXPECT_EQ(client_->locate("9").value().c, 9u);
  EXPECT_EQ(client_->put("x", "v").code(), StatusCode::kInvalid);
  EXPECT_EQ(client_->put("x", "v").message(), "key is not an integer");
}

TEST_F(ClientTest, manyRequestsAtATime) {
  FakeSetup setup;
  setup.options.capacity = 200;
  const FakeFile file(setup);
  connect(file);
  constexpr int kRecords = 20'000;
  int stored = 0;
  for (int k = 0; k < kRecords;) {
    const bool sent = client_->submit(Operation::kInsert, std::to_string(k), "v",
                                      [&](const Answer& answer) { stored += answer.status.ok(); });
    if (sent) {
      ++k;
    } else {
      EXPECT_GT(client_->poll(std::chrono::seconds(10)), 0u);
    }
  }
  while (client_->pending() > 0) client_->poll(std::chrono::seconds(10));
  EXPECT_EQ(stored, kRecords);
  EXPECT_EQ(client_->count().value(), 20'000u);
  EXPECT_EQ(client_->counts().operations, 20'000u);
}

TEST_F(ClientTest, callbacksTellTheRoute) {
  const FakeFile file;
  connect(file);
  fill(50);
  connect(file);
  unsigned forwards = 0;
  int reads = 0;
  for (int k = 0; k < 50; ++k) {
    ASSERT_TRUE(client_->submit(Operation::kRead, "key" + std::to_string(k), {},
                                [&, k](const Answer& answer) {
                                  ++reads;
                                  EXPECT_EQ(answer.operation, Operation::kRead);
                                  EXPECT_EQ(answer.value, std::to_string(k));
                                  EXPECT_LE(answer.route.forwards, 2u);
                                  EXPECT_LE(answer.route.first, answer.route.bucket.a);
                                  forwards += answer.route.forwards;
                                }));
    client_->poll(std::chrono::seconds(10));
  }
  while (client_->pending() > 0) client_->poll(std::chrono::seconds(10));
  EXPECT_EQ(reads, 50);
  EXPECT_GT(forwards, 0u);
  EXPECT_EQ(client_->counts().forwards, forwards);
  EXPECT_EQ(client_->counts().messages(), 100u + forwards);
  EXPECT_GT(client_->image().i, 0);
}

TEST_F(ClientTest, aCallbackMaySubmitMore) {
  const FakeFile file;
  connect(file);
  std::vector<std::string> seen;
  ASSERT_TRUE(client_->submit(Operation::kPut, "a", "1", [&](const Answer&) {
    EXPECT_TRUE(client_->submit(Operation::kRead, "a", {},
                                [&](const Answer& answer) { seen.push_back(answer.value); }));
  }));
  while (client_->pending() > 0) client_->poll(std::chrono::seconds(10));
  EXPECT_EQ(seen, std::vector<std::string>{"1"});
}

TEST_F(ClientTest, aBadRequestIsAnsweredByItsCallbackToo) {
  FakeSetup setup;
  setup.options.hash = base::HashMode::kInteger;
  const FakeFile file(setup);
  connect(file);
  std::vector<std::string> why;
  const auto note = [&](const Answer& answer) { why.emplace_back(answer.status.message()); };
  ASSERT_TRUE(client_->submit(Operation::kPut, std::string(65'536, 'k'), "v", note));
  ASSERT_TRUE(client_->submit(Operation::kPut, "x", "v", note));
  EXPECT_EQ(client_->pending(), 2u);
  EXPECT_EQ(why.size(), 0u) << "not from within submit()";
  EXPECT_EQ(client_->poll(), 2u);
  EXPECT_EQ(why, (std::vector<std::string>{"key too long", "key is not an integer"}));
  EXPECT_EQ(client_->pending(), 0u);
  EXPECT_EQ(client_->poll(std::chrono::seconds(10)), 0u) << "nothing is under way: no waiting";
}

TEST_F(ClientTest, bothFormsMix) {
  const FakeFile file;
  connect(file);
  int done = 0;
  for (int k = 0; k < 100; ++k) {
    ASSERT_TRUE(
        client_->submit(Operation::kPut, std::to_string(k), "v", [&](const Answer&) { ++done; }));
  }
  EXPECT_TRUE(client_->put("last", "v").ok());
  EXPECT_EQ(done, 0) << "callbacks come in poll() only";
  while (client_->pending() > 0) client_->poll(std::chrono::seconds(10));
  EXPECT_EQ(done, 100);
  EXPECT_EQ(client_->count().value(), 101u);
}

TEST_F(ClientTest, scan) {
  const FakeFile file;
  connect(file);
  fill(50);
  std::map<std::string, std::string> all;
  const auto note = [&](std::string_view key, std::string_view value) {
    EXPECT_TRUE(all.emplace(key, value).second) << "each record once";
  };
  EXPECT_TRUE(client_->scan("", note).ok());
  EXPECT_EQ(all.size(), 50u);
  EXPECT_EQ(all["key7"], "7");
  all.clear();
  EXPECT_TRUE(client_->scan("key:key1?", note).ok());
  EXPECT_EQ(all.size(), 10u);
  all.clear();
  EXPECT_TRUE(client_->scan("9", note).ok());
  EXPECT_EQ(all.size(), 5u);
}

TEST_F(ClientTest, theFileAsAWhole) {
  const FakeFile file;
  connect(file);
  fill(50);
  const FileInfo info = client_->file().value();
  EXPECT_EQ(info.records, 50u);
  EXPECT_EQ(info.capacity, 4u);
  const std::vector<BucketInfo> buckets = client_->buckets().value();
  ASSERT_EQ(buckets.size(), (uint64_t{1} << info.state.i) + info.state.n);
  uint64_t records = 0;
  std::set<std::string> addresses;
  for (const BucketInfo& bucket : buckets) {
    records += bucket.records;
    addresses.insert(bucket.node);
  }
  EXPECT_EQ(records, 50u);
  EXPECT_EQ(addresses, (std::set<std::string>{file.address(0), file.address(1), file.address(2)}));
  const std::vector<NodeInfo> nodes = client_->nodes().value();
  ASSERT_EQ(nodes.size(), 3u);
  EXPECT_EQ(nodes[1].address, file.address(1));
  EXPECT_TRUE(nodes[1].up);
  EXPECT_EQ(nodes[0].records + nodes[1].records + nodes[2].records, 50u);
}

TEST_F(ClientTest, locateNamesTheNode) {
  const FakeFile file;
  connect(file);
  fill(50);
  connect(file);
  for (int k = 0; k < 50; ++k) {
    const std::string key = "key" + std::to_string(k);
    const Location at = client_->locate(key).value();
    EXPECT_EQ(at.bucket.a, at.c & ((uint64_t{1} << at.bucket.j) - 1));
    EXPECT_TRUE(at.node == file.address(0) || at.node == file.address(1) ||
                at.node == file.address(2))
        << at.node;
  }
}

TEST_F(ClientTest, whatCannotBeReached) {
  FakeFile file;
  connect(file);
  fill(50);
  file.kill(1);
  for (int k = 0; k < 3; ++k) {
    const Status status = client_->read("key" + std::to_string(k)).status();
    EXPECT_TRUE(status.ok() || status.code() == StatusCode::kUnavailable);
  }
  EXPECT_EQ(client_->count().status().code(), StatusCode::kUnavailable);
  file.kill(0);
  EXPECT_EQ(client_->file().status().message(), "the coordinator cannot be reached");

  ClientOptions options;
  options.coordinator = file.address(0);
  EXPECT_EQ(Client::connect(options).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace lh
