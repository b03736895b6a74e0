#include "wire/resp_batch.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace lh::wire {
namespace {

std::string array(std::initializer_list<std::string_view> words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
  }
  return out;
}

// The requests of a batch: their arguments, with the bytes they take.
std::string shown(RespBatch* batch) {
  std::string out;
  for (size_t k = 0; k < batch->size(); ++k) {
    const RespBatch::Entry& entry = (*batch)[k];
    if (k > 0) out += "; ";
    for (size_t n = 0; n < entry.args.size(); ++n) {
      out.append(entry.args[n]).append(n + 1 < entry.args.size() ? " " : "");
    }
    out += " " + std::to_string(entry.size);
  }
  return out;
}

class RespBatchTest : public ::testing::Test {
 protected:
  RespStatus parse(std::string bytes) {
    bytes_ = std::move(bytes);
    return batch_.parse(bytes_);
  }

  RespBatch batch_;

 private:
  std::string bytes_;
};

TEST_F(RespBatchTest, requestsAreParsedAheadAndACutOneWaits) {
  const std::string get = array({"GET", "k1"});
  const std::string bytes = get + array({"set", "k2", "v"}) + get.substr(0, 7);
  ASSERT_EQ(parse(bytes), RespStatus::kRequest);
  EXPECT_EQ(shown(&batch_), "GET k1 21; set k2 v 28");
  EXPECT_EQ(batch_[0].command, find_resp_command("get"));
  EXPECT_EQ(batch_[1].command, find_resp_command("SET"));
  batch_.executed(2);
  EXPECT_EQ(parse(get.substr(0, 9)), RespStatus::kNeedMore);
  ASSERT_EQ(parse(get), RespStatus::kRequest);
  EXPECT_EQ(shown(&batch_), "GET k1 21");
}

TEST_F(RespBatchTest, whatWasNotExecutedIsParsedAgain) {
  const std::string one = array({"GET", "1"});
  const std::string two = array({"GET", "2"});
  ASSERT_EQ(parse(one + two + "*2\r\n"), RespStatus::kRequest);
  batch_.executed(1);
  ASSERT_EQ(parse(two + "*2\r\n"), RespStatus::kRequest);
  EXPECT_EQ(shown(&batch_), "GET 2 20");
}

TEST_F(RespBatchTest, aBatchHasABound) {
  std::string bytes;
  for (int k = 0; k < 100; ++k) bytes += array({"GET", "k"});
  ASSERT_EQ(parse(bytes), RespStatus::kRequest);
  EXPECT_EQ(batch_.size(), RespBatch::kRequestsMax);
}

TEST_F(RespBatchTest, longRequestsAndTypedOnesComeAlone) {
  const std::string get = array({"GET", "1"});
  const std::string many = array({"MGET", "1", "2", "3", "4", "5", "6", "7", "8"});
  ASSERT_EQ(parse(get + many + get), RespStatus::kRequest);
  EXPECT_EQ(shown(&batch_), "GET 1 20");
  batch_.executed(1);
  ASSERT_EQ(parse(many + get), RespStatus::kRequest);
  EXPECT_EQ(shown(&batch_), "MGET 1 2 3 4 5 6 7 8 " + std::to_string(many.size()));
  batch_.executed(1);
  ASSERT_EQ(parse("get 'a b'\r\n" + get), RespStatus::kRequest);
  EXPECT_EQ(shown(&batch_), "get a b 11");
}

TEST_F(RespBatchTest, aBlankIsARequestWithoutArguments) {
  const std::string get = array({"GET", "1"});
  ASSERT_EQ(parse(get + "*0\r\n\r\n" + get), RespStatus::kRequest);
  EXPECT_EQ(shown(&batch_), "GET 1 20");
  batch_.executed(1);
  ASSERT_EQ(parse("*0\r\n\r\n" + get), RespStatus::kBlank);
  EXPECT_EQ(shown(&batch_), " 4");
  EXPECT_EQ(batch_[0].command, nullptr);
  batch_.executed(1);
  ASSERT_EQ(parse("\r\n" + get), RespStatus::kBlank);
  EXPECT_EQ(shown(&batch_), " 2");
}

TEST_F(RespBatchTest, whatIsInFrontOfABadRequestComesFirst) {
  ASSERT_EQ(parse(array({"GET", "1"}) + "*x\r\n"), RespStatus::kRequest);
  EXPECT_EQ(shown(&batch_), "GET 1 20");
  batch_.executed(1);
  ASSERT_EQ(parse("*x\r\n"), RespStatus::kBad);
  EXPECT_EQ(batch_.error(), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(batch_.size(), 0u);
}

}  // namespace
}  // namespace lh::wire
