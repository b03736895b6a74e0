// Dedup: the answers that a bucket gave to mutations, kept until the client has acknowledged them,
// so that a retried INSERT is not told "key exists" about itself and no mutation is applied twice
// (at-most-once; RAMCloud calls it linearizable RPC). The entries move with the records in a split:
// both halves keep all of them, which costs little and asks nothing about keys.
//
// A scan that clears the bucket is remembered as well, one number a client: a client numbers its
// scans in the order of asking, so that one which comes late can count as done just before a later
// one that is done already.
//
// Bounds: kClientWindowMax answers and kDedupClientBytesMax bytes in them a client, then its oldest
// are forgotten; kDedupClientsMax clients, then the one that was silent for the longest is. What is
// forgotten would be executed again, if a copy came that was delayed for all that time. Owned by a
// bucket.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/message.h"

namespace lh::core {

class Dedup {
 public:
  enum class Verdict {
    kNew,       // execute it, then call remember()
    kAnswered,  // *answer and *value hold what was said the first time
    kStale,     // the client has had its answer already: a duplicate that came late; drop it
  };

  // Takes in the client's `acked` and says what to do with its request `seq`. *value holds until
  // the next call.
  Verdict admit(ClientId client, uint64_t seq, uint64_t acked, Code* answer,
                std::string_view* value);

  // Bounds: admit() just said kNew for this request; the value is at most kAnswerBytesMax long.
  void remember(ClientId client, uint64_t seq, Code answer, std::string_view value);

  // Whether scan `number` of this client, which clears the bucket, is still to be executed. Counts
  // it as executed.
  bool admit_clear(ClientId client, uint64_t number);

  // For a split: visits everything that a copy needs. restore() on an empty Dedup rebuilds it.
  template <typename ClientVisitor, typename AnswerVisitor>
  void visit(ClientVisitor on_client, AnswerVisitor on_answer) const {
    // From the longest silent to the latest, so that the copy forgets in the same order.
    for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
      const Client& client = clients_.at(*it);
      on_client(*it, client.acked, client.cleared);
      for (const Answer& a : client.answers) on_answer(*it, a.seq, a.code, a.value);
    }
  }
  // What both halves of a bucket remember. Bound: this is empty.
  void copy(const Dedup& other);
  void restore_client(ClientId client, uint64_t acked, uint64_t cleared);
  void restore_answer(ClientId client, uint64_t seq, Code answer, std::string_view value);

  size_t client_count() const { return clients_.size(); }
  size_t answer_count() const;
  size_t value_bytes() const;

 private:
  struct Answer {
    uint64_t seq;
    Code code;
    std::string value;
  };
  struct Client {
    uint64_t acked = 0;
    uint64_t cleared = 0;
    std::deque<Answer> answers;  // by seq, growing
    size_t bytes = 0;            // of their values
    void forget_first();
    std::list<ClientId>::iterator place;
  };

  Client& touch(ClientId client);
  static void forget_below(Client* client, uint64_t acked);

  std::unordered_map<ClientId, Client> clients_;
  std::list<ClientId> order_;  // latest first
};

}  // namespace lh::core
