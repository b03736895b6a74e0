// Client: a program's way into an LH* file. It computes by itself which bucket has a key, from an
// image of the file that may be old; buckets pass on what goes astray, at most twice, and their
// answers correct the image. Nothing has to be told about nodes that join or buckets that split.
//
//   lh::Result<std::unique_ptr<lh::Client>> client = lh::Client::connect({"127.0.0.1:19528"});
//   if (!client.ok()) ...
//   lh::Status status = client.value()->put("Ge1:1", "In the beginning ...");
//   lh::Result<std::string> value = client.value()->read("Ge1:1");
//
// Two forms: one request at a time, each call waiting for its answer; or many at a time with
// submit(), whose answers come to callbacks in poll(). Requests under way at the same time are
// carried out in no particular order, also those for one key.
//
// Keys are 0 to 65,535 bytes, values 0 to 8 MiB, any bytes. In a file of integer keys a key is an
// unsigned 64-bit integer in decimal.
//
// Errors: kExists, kNotFound as each call says; kInvalid for a key or value that the file cannot
// have; kUnavailable when the node of a bucket, or the coordinator, cannot be reached (in about a
// second; the rest of the file goes on). A mutation that ends in kUnavailable may have been carried
// out or not; one that is repeated within the client because an answer was lost is carried out
// once.
//
// A client is used by one thread at a time; programs with several threads have a client each. It
// does its work inside its own calls only, and starts no thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lh/options.h"
#include "lh/status.h"
#include "lh/types.h"

namespace lh {

enum class Operation : uint8_t { kInsert, kUpdate, kPut, kRead, kErase, kLocate };

// How a keyed request travelled.
struct Route {
  HashValue c = 0;        // of the key
  BucketNo first = 0;     // the bucket that the client sent it to
  unsigned forwards = 0;  // 0 to 2
  BucketMark iam;         // the last bucket that forwarded it; meaningful when forwards > 0
  BucketMark bucket;      // the one that answered
  FileState image;        // the client's, corrected by the answer
};

// The outcome of one keyed request.
struct Answer {
  Operation operation = Operation::kRead;
  Status status;
  std::string value;  // of kRead
  Route route;
};

struct Location {
  HashValue c = 0;
  BucketMark bucket;
  std::string node;  // HOST:PORT
};

struct FileInfo {
  FileState state;
  uint64_t capacity = 0;  // records of a bucket, before an insert is a collision
  uint64_t records = 0;
};

struct BucketInfo {
  BucketMark bucket;
  uint64_t records = 0;
  uint64_t bytes = 0;  // of keys and values
  std::string node;
};

struct NodeInfo {
  std::string address;
  bool up = true;
  uint64_t buckets = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;
};

// Messages as the papers count them; corrections of the image ride on replies.
struct MessageCounts {
  uint64_t operations = 0;
  uint64_t requests = 0;
  uint64_t forwards = 0;
  uint64_t replies = 0;
  uint64_t image_adjustments = 0;
  uint64_t messages() const { return requests + forwards + replies; }
};

class Client {
 public:
  // kUnavailable when nobody answers there, kInvalid when the options make no sense.
  static Result<std::unique_ptr<Client>> connect(const ClientOptions& options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // --- One request at a time.

  Status insert(std::string_view key, std::string_view value);  // kExists
  Status update(std::string_view key, std::string_view value);  // kNotFound
  Status put(std::string_view key, std::string_view value);     // inserts or updates
  Result<std::string> read(std::string_view key);               // kNotFound
  Status erase(std::string_view key);                           // kNotFound
  Result<Location> locate(std::string_view key);

  // --- Many requests at a time.

  using Callback = std::function<void(const Answer&)>;

  // Sends the request; `done` is called once, in a later poll(). False, and nothing is sent, when
  // as many requests are under way as there may be, or wait for poll(): then it is time to poll().
  [[nodiscard]] bool submit(Operation operation, std::string_view key, std::string_view value,
                            Callback done);

  // Sends and receives, and calls back for what is answered. Waits up to `wait` for the first
  // answer, not at all when nothing is under way. Returns how many callbacks it made. A callback
  // may submit() more; it must not call anything else of the client.
  size_t poll(std::chrono::milliseconds wait = std::chrono::milliseconds(0));

  // Requests submitted and not yet called back for.
  size_t pending() const;

  // --- The file as a whole.

  // Hands over every record that matches, in no particular order, each exactly once, also while
  // buckets split. The pattern is a part of the value, or `key:GLOB` or `value:GLOB` for the whole
  // string; empty, it matches all. The views hold during the call, which must not use the client.
  using RecordCallback = std::function<void(std::string_view key, std::string_view value)>;
  Status scan(std::string_view pattern, const RecordCallback& on_record);

  Result<uint64_t> count();
  Result<FileInfo> file();
  Result<std::vector<BucketInfo>> buckets();
  Result<std::vector<NodeInfo>> nodes();
  // Waits until no split is under way or owed; kRefused when what is owed cannot be done.
  Status settle();

  // --- What the client knows.

  FileState image() const;
  MessageCounts counts() const;

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lh
