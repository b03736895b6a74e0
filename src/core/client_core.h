// ClientCore: an LH* client as a state machine without I/O: the image (i', n'), which starts as
// (0, 0) and learns by IAMs; requests under way, numbered for at-most-once and repeated when no
// answer comes; the map from buckets to nodes as far as it was told.
//
// It serves native clients and, inside a node, the connections of text clients. What it finishes it
// hands to a ClientSink, which must not call back into the client from there. Used by one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "core/address_book.h"
#include "core/effects.h"
#include "core/file_call.h"
#include "core/message.h"
#include "core/operation.h"
#include "core/scan_call.h"
#include "lh/address.h"

namespace lh::core {

// A keyed request that is answered. Views hold during the call.
struct Completion {
  uint64_t seq = 0;
  uint64_t tag = 0;  // as given to submit()
  Op op = Op::kRead;
  Code code = Code::kOk;  // kRetry, kNoBucket and kBusy never: they are dealt with before
  std::string_view key;
  std::string_view value;
  HashValue c = 0;
  BucketNo first = 0;  // the bucket that the request was first sent to, of the last sending
  BucketMark bucket;   // who answered; with kDown, who could not
  NodeId node = NodeId::kNone;
  uint8_t hops = 0;
  BucketMark iam;         // when hops > 0
  FileState image;        // after it
  bool repeated = false;  // it was sent more than once
};

class ClientSink {
 public:
  virtual ~ClientSink() = default;
  virtual void on_done(const Completion& done) = 0;
  virtual void on_scan_piece(uint64_t tag, const ScanReply& piece) = 0;
  virtual void on_call_done(uint64_t tag, const FileResult& result) = 0;
};

class ClientCore {
 public:
  // Messages by kind, as the papers count them: their sum is `messages`. IAMs ride on replies.
  struct Counters {
    uint64_t ops = 0;
    uint64_t requests = 0;
    uint64_t forwards = 0;
    uint64_t replies = 0;
    uint64_t iams = 0;
    uint64_t retries = 0;  // requests sent again, for whatever reason
    uint64_t messages() const { return requests + forwards + replies; }
  };

  // id: random, not 0. The sink outlives the client.
  ClientCore(ClientId id, ClientSink* sink);

  // What every message of this client carries so that answers find it.
  void set_reply_path(const ReplyPath& path) { path_ = path, path_.client = id_; }

  // The file's options and where bucket 0 is. Called before anything is submitted.
  void configure(const FileOptions& options, const BookPart& book);
  bool configured() const { return configured_; }

  // Whether one more request may be submitted. A window that is full drains by itself.
  bool has_room() const;
  size_t in_flight() const { return open_; }

  // Bounds: configured(), has_room(), key, value and arguments within limits.h. The bytes are
  // copied; c is not looked at.
  void submit(base::Instant now, const Operation& asked, uint64_t tag, Effects* effects);
  // Scans and questions about the file as a whole; any number at a time.
  void call(base::Instant now, const FileRequest& request, uint64_t tag, Effects* effects);

  void step(base::Instant now, const Message& message, Effects* effects);
  // What was sent to this node and not answered will not be: its link is down.
  void node_unreachable(base::Instant now, NodeId node, Effects* effects);
  void coordinator_unreachable(base::Instant now, Effects* effects);
  // About twenty times a second.
  void tick(base::Instant now, Effects* effects);

  FileState image() const { return image_; }
  // A bucket of the file was seen to have this level: as good as an IAM.
  void learn_mark(BucketMark mark);
  AddressBook& book() { return book_; }
  const AddressBook& book() const { return book_; }
  const FileOptions& options() const { return options_; }
  const Counters& counters() const { return counters_; }
  ClientId id() const { return id_; }

 private:
  struct Pending {
    std::string bytes;  // key, value and arguments
    size_t key_size = 0;
    size_t args_size = 0;
    uint64_t tag = 0;
    HashValue c = 0;
    Op op = Op::kRead;
    bool done = false;
    uint8_t sendings = 0;
    BucketNo first = 0;
    NodeId node = NodeId::kNone;  // where the last sending went
    base::Instant submitted_at;
    base::Instant again_at;     // when to send it again if nothing is heard
    base::Instant stranded_at;  // since when a bucket that it was sent to, or through, is down
    bool stranded() const { return stranded_at != base::Instant{}; }
    std::string_view key() const { return std::string_view(bytes).substr(0, key_size); }
    std::string_view value() const {
      return std::string_view(bytes).substr(key_size, bytes.size() - key_size - args_size);
    }
    std::string_view args() const {
      return std::string_view(bytes).substr(bytes.size() - args_size);
    }
  };
  struct Call {
    uint64_t tag = 0;
    FileCall call;
  };

  void on(base::Instant now, const Reply& m, Effects* effects);
  void on(base::Instant now, const ScanReply& m, Effects* effects);
  void on(base::Instant now, const FileReply& m, Effects* effects);
  void on(base::Instant now, const BookUpdate& m, Effects* effects);
  // Everything else is not for a client; a peer's mistake costs nothing.
  template <typename T>
  void on(base::Instant, const T&, Effects*) {}

  CallContext context(base::Instant now, Effects* effects) const;
  Pending* find(uint64_t seq);
  BucketNo aim(const Pending& p);
  void send(base::Instant now, uint64_t seq, Pending* p, Effects* effects);
  void learn(const Reply& m);
  void finish(uint64_t seq, Pending* p, const Reply& m);
  void fail(uint64_t seq, Pending* p);
  void retry_or_fail(base::Instant now, uint64_t seq, Pending* p);
  void node_down(base::Instant now, NodeId node, Effects* effects);
  void finish_calls();
  void ask_for_book(base::Instant now, BucketNo first, Effects* effects);
  void go_by_book();

  ClientId id_;
  ClientSink* sink_;
  ReplyPath path_;
  bool configured_ = false;
  FileOptions options_;
  FileState image_;
  AddressBook book_;
  Counters counters_;

  std::deque<Pending> pending_;  // seq acked_ + k at place k
  uint64_t acked_ = 1;           // all below are answered
  uint64_t next_seq_ = 1;
  size_t open_ = 0;           // pending and not done
  size_t pending_bytes_ = 0;  // keys and values in pending_
  std::vector<std::unique_ptr<Call>> calls_;
  uint64_t next_call_ = 1;
  base::Instant asked_book_at_;
};

}  // namespace lh::core
