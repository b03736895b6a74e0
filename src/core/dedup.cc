#include "core/dedup.h"

#include <algorithm>

#include "base/check.h"
#include "core/limits.h"

namespace lh::core {

Dedup::Client& Dedup::touch(ClientId id) {
  const auto [it, fresh] = clients_.try_emplace(id);
  if (!fresh) {
    order_.splice(order_.begin(), order_, it->second.place);
    return it->second;
  }
  order_.push_front(id);
  it->second.place = order_.begin();
  if (clients_.size() > kDedupClientsMax) {
    clients_.erase(order_.back());
    order_.pop_back();
  }
  return clients_.at(id);
}

void Dedup::Client::forget_first() {
  bytes -= answers.front().value.size();
  answers.pop_front();
}

void Dedup::forget_below(Client* client, uint64_t acked) {
  if (acked <= client->acked) return;
  client->acked = acked;
  while (!client->answers.empty() && client->answers.front().seq < acked) {
    client->forget_first();
  }
}

Dedup::Verdict Dedup::admit(ClientId id, uint64_t seq, uint64_t acked, Code* answer,
                            std::string_view* value) {
  Client& client = touch(id);
  forget_below(&client, std::min(acked, seq));
  if (seq < client.acked) return Verdict::kStale;
  const auto it = std::lower_bound(client.answers.begin(), client.answers.end(), seq,
                                   [](const Answer& a, uint64_t wanted) { return a.seq < wanted; });
  if (it == client.answers.end() || it->seq != seq) return Verdict::kNew;
  *answer = it->code;
  *value = it->value;
  return Verdict::kAnswered;
}

void Dedup::remember(ClientId id, uint64_t seq, Code answer, std::string_view value) {
  LH_CHECK(value.size() <= kAnswerBytesMax);
  Client& client = touch(id);
  std::deque<Answer>& answers = client.answers;
  client.bytes += value.size();
  if (answers.empty() || answers.back().seq < seq) {
    answers.push_back({seq, answer, std::string(value)});
  } else {
    const auto it = std::lower_bound(answers.begin(), answers.end(), seq,
                                     [](const Answer& a, uint64_t s) { return a.seq < s; });
    LH_CHECK(it == answers.end() || it->seq != seq);
    answers.insert(it, {seq, answer, std::string(value)});
  }
  // A client that keeps more under way than it may has given up its claim to the oldest.
  while (answers.size() > kClientWindowMax || client.bytes > kDedupClientBytesMax) {
    client.forget_first();
  }
}

bool Dedup::admit_clear(ClientId id, uint64_t number) {
  Client& client = touch(id);
  if (number <= client.cleared) return false;
  client.cleared = number;
  return true;
}

void Dedup::copy(const Dedup& other) {
  other.visit([this](ClientId client, uint64_t acked,
                     uint64_t cleared) { restore_client(client, acked, cleared); },
              [this](ClientId client, uint64_t seq, Code answer, std::string_view value) {
                restore_answer(client, seq, answer, value);
              });
}

void Dedup::restore_client(ClientId id, uint64_t acked, uint64_t cleared) {
  Client& client = touch(id);
  forget_below(&client, acked);
  client.cleared = std::max(client.cleared, cleared);
}

void Dedup::restore_answer(ClientId id, uint64_t seq, Code answer, std::string_view value) {
  Code known;
  std::string_view known_value;
  if (admit(id, seq, 0, &known, &known_value) == Verdict::kNew) remember(id, seq, answer, value);
}

size_t Dedup::value_bytes() const {
  size_t bytes = 0;
  for (const auto& [id, client] : clients_) bytes += client.bytes;
  return bytes;
}

size_t Dedup::answer_count() const {
  size_t count = 0;
  for (const auto& [id, client] : clients_) count += client.answers.size();
  return count;
}

}  // namespace lh::core
