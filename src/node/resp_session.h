// RespSession: a connection that speaks RESP (pipelined_session.h). Requests that came together are
// parsed together, the memory of all their keys is asked for before the first is executed, and what
// this worker has itself is executed at once and answered straight into the connection's output.
// Everything else goes through the front.
//
// A request over several keys is one request a key: each is atomic, the whole is not. It is
// answered when all are, and one that waits in the middle, for room in the front, goes on there.
// Requests between MULTI and EXEC are one request, and atomic (resp_transaction.h).
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "node/pipelined_session.h"
#include "node/resp_admin.h"
#include "node/resp_transaction.h"
#include "wire/resp_batch.h"

namespace lh::node {

class RespSession final : public PipelinedSession {
 public:
  RespSession(Worker& worker, LinkToken token, net::Socket socket, std::string_view unread);
  ~RespSession() override;

 private:
  using Entry = wire::RespBatch::Entry;
  struct Many;  // a request over several keys
  struct Info;
  struct Keys;  // KEYS, SCAN, RANDOMKEY

  // What a bucket said about one key.
  struct Said {
    core::Code code = core::Code::kOk;
    BucketNo bucket = 0;
    std::string_view value;
  };

  void on_announced(net::Connection& connection) override;
  size_t take(std::string_view unread) override;
  void answer_unfinished() override;
  void append_done(Answer* answer, const core::Completion& done) override;
  void append_scan_piece(Answer* answer, const core::ScanReply& piece) override;
  void append_call_done(Answer* answer, const core::FileResult& result) override;

  // Executes what is parsed; returns how many bytes of input that was.
  size_t execute_batch();
  // The bucket of this worker that each request is about; nullptr when it is not known.
  using Buckets = std::array<core::Bucket*, wire::RespBatch::kRequestsMax>;
  static_assert(wire::RespBatch::kRequestsMax <= table::LookAhead::kMax);
  void look_ahead(Buckets* buckets);
  // The same for keys of one request.
  void look_ahead(std::span<const HashValue> keys, Buckets* buckets);
  void hash_key_of(Entry* entry) const;
  // False when the request has to wait; it is parsed again later.
  bool execute(const Entry& entry, core::Bucket* bucket, Worker::Lease& effects);
  bool execute_plain(const Entry& entry, core::Bucket* bucket, Worker::Lease& effects);
  bool execute_keyed(const Entry& entry, core::Bucket* bucket, Worker::Lease& effects);
  // asked: c is not known yet.
  bool execute_one(const Entry& entry, core::Bucket* bucket, core::Operation asked,
                   Worker::Lease& effects);
  bool execute_many(const Entry& entry, Worker::Lease& effects);
  bool execute_key(Answer* answer, const core::Operation& asked, core::Bucket* bucket,
                   Worker::Lease& effects);
  bool execute_call(core::FileRequest::Kind kind, std::unique_ptr<Answer::Work> work = nullptr);
  bool execute_info(const Entry& entry);
  bool execute_keys(const Entry& entry);
  // False when the answer is none to KEYS, SCAN or RANDOMKEY. It may call again.
  bool append_keys(Answer* answer, const core::FileResult& result);
  // True when it answered what is wrong; otherwise *c is the key's.
  bool refuse_key(std::string_view key, std::optional<HashValue> known, HashValue* c);
  // The same for all keys of a request, of which many_c_ has them then.
  bool refuse_keys(const Entry& entry);
  // MULTI and what belongs to it.
  bool execute_transaction(const Entry& entry, Worker::Lease& effects);
  bool enqueue(const Entry& entry);
  bool execute_queued(Worker::Lease& effects);
  bool take_watches(const Many& many, std::string_view versions);

  bool answer_error(std::string_view text);
  void answer_value(std::string_view value);
  void add_said(Many* many, const Said& said, std::string* part);
  void finish(Answer* answer);
  wire::RespWriter writer(std::string* out) const { return {out, admin_.version()}; }

  RespAdmin admin_;
  RespTransaction transaction_;
  wire::RespBatch batch_;
  std::string_view announced_;  // the input that parsed_ and batch_ are about, when there is any
  wire::RespStatus parsed_ = wire::RespStatus::kNeedMore;
  size_t many_next_ = 0;           // of the last answer, when not complete: the key to go on with
  std::vector<HashValue> many_c_;  // of its keys
  std::string text_;               // scratch
};

}  // namespace lh::node
