#include "node/ordered_answers.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::node {
namespace {

class OrderedAnswersTest : public ::testing::Test {
 protected:
  // One that waits for the front.
  Answer& ask(uint64_t ticket) {
    Answer& answer = answers_.add();
    answer.ticket = ticket;
    answer.open = 1;
    return answer;
  }
  // What is done and at the front, as it would be printed.
  std::string print() {
    std::string text;
    while (!answers_.empty() && answers_.front().done()) {
      text += answers_.front().text;
      answers_.release(answers_.front().text.size());
      answers_.pop();
    }
    return text;
  }
  void finish(uint64_t ticket, const std::string& text) {
    Answer& answer = answers_.find(ticket);
    answer.open = 0;
    answer.text = text;
    answers_.keep(text.size());
  }

  OrderedAnswers answers_;
};

TEST_F(OrderedAnswersTest, theyComeInTheOrderOfTheRequests) {
  ask(3);
  ask(5);
  answers_.append("known;", 0);
  ask(9);
  finish(9, "c;");
  finish(5, "b;");
  EXPECT_EQ(print(), "");
  finish(3, "a;");
  EXPECT_EQ(print(), "a;b;known;c;");
  EXPECT_TRUE(answers_.empty());
}

TEST_F(OrderedAnswersTest, whatIsKnownSharesAPlaceAndItsLatestBarrier) {
  ask(1);
  answers_.append("x", 7);
  answers_.append("y", 4);
  EXPECT_EQ(answers_.back().text, "xy");
  EXPECT_EQ(answers_.back().barrier, 7u);
  finish(1, "");
  EXPECT_EQ(print(), "xy");
}

TEST_F(OrderedAnswersTest, nothingIsWrittenIntoOneThatHasMoreToPrint) {
  struct Listing : Answer::Work {};
  answers_.add().work = std::make_unique<Listing>();
  answers_.append("behind", 0);
  EXPECT_EQ(answers_.front().text, "");
  EXPECT_EQ(answers_.back().text, "behind");
}

TEST_F(OrderedAnswersTest, aTicketFindsItsRequestAmongThoseWithoutOne) {
  ask(2);
  answers_.append("x", 0);
  ask(4).text = "four";
  answers_.append("y", 0);
  EXPECT_EQ(answers_.find(4).text, "four");
  EXPECT_DEATH(answers_.find(5).text.clear(), "check failed") << "nobody has it";
}

TEST_F(OrderedAnswersTest, oneOfSeveralKeysIsDoneWhenAllAre) {
  Answer& answer = answers_.add();
  answer.complete = false;
  EXPECT_FALSE(answer.done());
  answer.open = 2;
  answer.complete = true;
  EXPECT_FALSE(answer.done());
  answer.open = 0;
  EXPECT_TRUE(answer.done());
}

TEST_F(OrderedAnswersTest, manyOrLargeOnesAreACrowd) {
  for (uint64_t k = 1; k <= OrderedAnswers::kMax; ++k) {
    EXPECT_FALSE(answers_.is_crowded());
    ask(k);
  }
  EXPECT_TRUE(answers_.is_crowded());
  EXPECT_FALSE(answers_.has_ample_room());
  for (uint64_t k = 1; k <= OrderedAnswers::kMax / 2 + 1; ++k) finish(k, "");
  print();
  EXPECT_TRUE(answers_.has_ample_room());
  answers_.keep(OrderedAnswers::kBytesSoft);
  EXPECT_TRUE(answers_.is_crowded());
  answers_.release(1);
  EXPECT_FALSE(answers_.is_crowded());
}

TEST_F(OrderedAnswersTest, whatIsKeptIsForgottenWithTheLastAnswer) {
  ask(1);
  finish(1, "abc");
  EXPECT_EQ(answers_.kept_bytes(), 3u);
  answers_.pop();
  EXPECT_EQ(answers_.kept_bytes(), 0u);
}

}  // namespace
}  // namespace lh::node
