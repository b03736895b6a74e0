#include "lh/client.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "client/session.h"
#include "core/change.h"
#include "core/limits.h"
#include "link/answers.h"
#include "wire/text.h"

namespace lh {
namespace {

using client::Session;
using core::Code;
using core::Op;
using Kind = core::FileRequest::Kind;

constexpr base::Duration kWait = base::ms(50);

Op op_of(Operation operation) {
  switch (operation) {
    case Operation::kInsert:
      return Op::kInsert;
    case Operation::kUpdate:
      return Op::kUpdate;
    case Operation::kPut:
      return Op::kPut;
    case Operation::kRead:
      return Op::kRead;
    case Operation::kErase:
      return Op::kDelete;
    case Operation::kLocate:
      return Op::kLocate;
  }
  LH_UNREACHABLE();
}

std::string bucket_text(BucketNo bucket, const char* what) {
  return base::format("bucket %llu %s", static_cast<unsigned long long>(bucket), what);
}

StatusCode status_code_of(Code code) {
  switch (code) {
    case Code::kOk:
      return StatusCode::kOk;
    case Code::kExists:
      return StatusCode::kExists;
    case Code::kNotFound:
      return StatusCode::kNotFound;
    case Code::kBadKey:
    case Code::kNotInteger:
    case Code::kOverflow:
    case Code::kTooLong:
    case Code::kMalformed:
    case Code::kCross:
    case Code::kTooLarge:
      return StatusCode::kInvalid;
    case Code::kConflict:
    case Code::kFull:
    case Code::kNoSpace:
      return StatusCode::kRefused;
    case Code::kDown:
    case Code::kNoBucket:
    case Code::kRetry:
    case Code::kBusy:
      return StatusCode::kUnavailable;
  }
  LH_UNREACHABLE();
}

Status status_of(Code code, BucketNo bucket) {
  if (code == Code::kOk) return {};
  const char* text = core::traits(code).text;
  if (!core::is_about_bucket(code)) return {status_code_of(code), text};
  return {status_code_of(code), bucket_text(bucket, text)};
}

Status status_of(const core::FileResult& result) {
  using Outcome = core::FileResult::Outcome;
  switch (result.outcome) {
    case Outcome::kOk:
      if (result.file.error.empty()) return {};
      return {StatusCode::kRefused, result.file.error};
    case Outcome::kBucketDown:
      return {StatusCode::kUnavailable, bucket_text(result.down, "is down")};
    case Outcome::kNoCoordinator:
      return {StatusCode::kUnavailable, "the coordinator cannot be reached"};
    case Outcome::kNoSuchBucket:
      return {StatusCode::kNotFound, "no such bucket"};
  }
  LH_UNREACHABLE();
}

Status check_sizes(std::string_view key, std::string_view value) {
  if (key.size() > core::kKeyBytesMax) return {StatusCode::kInvalid, "key too long"};
  if (value.size() > core::kValueBytesMax) return {StatusCode::kInvalid, "value too long"};
  return {};
}

}  // namespace

// Requests have the place of their callback as a tag; questions about the file have numbers of
// their own, and one at a time is under way.
class Client::Impl final : private core::ClientSink {
 public:
  explicit Impl(std::unique_ptr<Session> session) : session_(std::move(session)) {
    session_->set_sink(this);
  }

  bool has_room() const { return session_->has_room() && ready_.size() < core::kClientWindowMax; }

  void submit(Operation operation, std::string_view key, std::string_view value, Callback done) {
    if (Status status = check_sizes(key, value); !status.ok()) {
      Answer answer;
      answer.operation = operation;
      answer.status = std::move(status);
      return ready_.push_back({std::move(done), std::move(answer)});
    }
    if (free_.empty()) {
      free_.push_back(waiting_.size());
      waiting_.emplace_back();
    }
    const size_t place = free_.back();
    free_.pop_back();
    waiting_[place] = {operation, std::move(done)};
    session_->submit(op_of(operation), key, value, place);
  }

  size_t poll(base::Duration wait) {
    if (ready_.empty() && session_->in_flight() > 0) turn(wait);
    size_t calls = 0;
    // What callbacks add waits for the next poll, so that this one ends.
    for (size_t left = ready_.size(); left > 0; --left, ++calls) {
      const Ready ready = std::move(ready_.front());
      ready_.pop_front();
      ready.done(ready.answer);
    }
    return calls;
  }

  size_t pending() const { return waiting_.size() - free_.size() + ready_.size(); }

  // One request, waited for. Others that are answered meanwhile wait for poll().
  Answer ask(Operation operation, std::string_view key, std::string_view value) {
    Answer answer;
    answer.status = check_sizes(key, value);
    if (!answer.status.ok()) return answer;
    while (!session_->has_room()) session_->turn(kWait);
    asked_.reset();
    session_->submit(op_of(operation), key, value, kAskTag);
    while (!asked_) session_->turn(kWait);
    return std::move(*asked_);
  }

  core::FileResult call(core::FileRequest request, const RecordCallback* on_record) {
    on_record_ = on_record;
    result_.reset();
    session_->call(request, ++call_);
    while (!result_) session_->turn(kWait);
    on_record_ = nullptr;
    return std::move(*result_);
  }

  bool malformed() const { return malformed_; }

  // Asks the coordinator once for a node that the book lacks.
  std::string address_of(NodeId node) {
    const core::AddressBook& book = session_->core().book();
    if (book.node(node) == nullptr) session_->fetch_book();
    const core::NodeEntry* entry = book.node(node);
    return entry == nullptr ? std::string(link::kUnknownAddress) : entry->address;
  }

  NodeId asked_node() const { return asked_node_; }
  const core::ClientCore& core() const { return session_->core(); }

 private:
  static constexpr uint64_t kAskTag = ~uint64_t{0};

  struct Waiting {
    Operation operation = Operation::kRead;
    Callback done;
  };
  struct Ready {
    Callback done;
    Answer answer;
  };

  // Until something is answered or the time is over.
  void turn(base::Duration wait) {
    const base::SteadyClock clock;
    const base::Instant deadline = clock.now() + wait;
    do {
      session_->turn(std::max(deadline - clock.now(), base::Duration()));
    } while (ready_.empty() && clock.now() < deadline);
  }

  static Answer make_answer(Operation operation, const core::Completion& done) {
    Answer answer;
    answer.operation = operation;
    answer.status = status_of(done.code, done.bucket.a);
    if (done.op == Op::kRead) answer.value = done.value;
    answer.route = {done.c, done.first, done.hops, done.iam, done.bucket, done.image};
    return answer;
  }

  void on_done(const core::Completion& done) override {
    if (done.tag == kAskTag) {
      asked_ = make_answer(Operation::kRead, done);
      asked_node_ = done.node;
      return;
    }
    Waiting& waiting = waiting_[done.tag];
    Answer answer = make_answer(waiting.operation, done);
    ready_.push_back({std::exchange(waiting.done, nullptr), std::move(answer)});
    free_.push_back(done.tag);
  }

  void on_scan_piece(uint64_t tag, const core::ScanReply& piece) override {
    if (tag != call_ || on_record_ == nullptr) return;
    core::ChangeReader reader(piece.matches);
    core::Change change;
    while (reader.next(&change)) {
      if (change.kind == core::Change::Kind::kPut) (*on_record_)(change.key, change.value);
    }
    malformed_ |= !reader.ok();
  }

  void on_call_done(uint64_t tag, const core::FileResult& result) override {
    if (tag != call_) return;
    result_ = result;
    result_->file.to = {};
  }

  std::unique_ptr<Session> session_;
  std::vector<Waiting> waiting_;  // by tag
  std::vector<size_t> free_;      // places of it
  std::deque<Ready> ready_;       // answered and not yet called back for
  std::optional<Answer> asked_;
  NodeId asked_node_ = NodeId::kNone;
  uint64_t call_ = 0;
  const RecordCallback* on_record_ = nullptr;
  std::optional<core::FileResult> result_;
  bool malformed_ = false;
};

Result<std::unique_ptr<Client>> Client::connect(const ClientOptions& options) {
  Result<std::unique_ptr<Session>> session =
      Session::open({options.coordinator, base::ms(options.connect_timeout.count())});
  if (!session.ok()) return session.status();
  return std::unique_ptr<Client>(new Client(std::make_unique<Impl>(std::move(session).value())));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

// ------------------------------------------------------------------------------ keyed requests

Status Client::insert(std::string_view key, std::string_view value) {
  return impl_->ask(Operation::kInsert, key, value).status;
}

Status Client::update(std::string_view key, std::string_view value) {
  return impl_->ask(Operation::kUpdate, key, value).status;
}

Status Client::put(std::string_view key, std::string_view value) {
  return impl_->ask(Operation::kPut, key, value).status;
}

Result<std::string> Client::read(std::string_view key) {
  Answer answer = impl_->ask(Operation::kRead, key, {});
  if (!answer.status.ok()) return std::move(answer.status);
  return std::move(answer.value);
}

Status Client::erase(std::string_view key) { return impl_->ask(Operation::kErase, key, {}).status; }

Result<Location> Client::locate(std::string_view key) {
  Answer answer = impl_->ask(Operation::kLocate, key, {});
  if (!answer.status.ok()) return std::move(answer.status);
  return Location{answer.route.c, answer.route.bucket, impl_->address_of(impl_->asked_node())};
}

bool Client::submit(Operation operation, std::string_view key, std::string_view value,
                    Callback done) {
  if (!impl_->has_room()) return false;
  impl_->submit(operation, key, value, std::move(done));
  return true;
}

size_t Client::poll(std::chrono::milliseconds wait) { return impl_->poll(base::ms(wait.count())); }

size_t Client::pending() const { return impl_->pending(); }

// ------------------------------------------------------------------------- the file as a whole

Status Client::scan(std::string_view pattern, const RecordCallback& on_record) {
  if (pattern.size() > core::kScanPatternBytesMax)
    return {StatusCode::kInvalid, "pattern too long"};
  const wire::ScanPattern parsed = wire::scan_pattern(pattern);
  core::FileRequest request;
  request.kind = Kind::kScan;
  request.match = parsed.match;
  request.pattern = parsed.pattern;
  Status status = status_of(impl_->call(request, &on_record));
  if (!status.ok() || !impl_->malformed()) return status;
  return {StatusCode::kDamaged, "a bucket answered with something else than records"};
}

Result<uint64_t> Client::count() {
  const core::FileResult result = impl_->call({Kind::kCount, {}, {}, 0}, nullptr);
  if (Status status = status_of(result); !status.ok()) return status;
  return result.records;
}

Result<FileInfo> Client::file() {
  const core::FileResult result = impl_->call({Kind::kFile, {}, {}, 0}, nullptr);
  if (Status status = status_of(result); !status.ok()) return status;
  return FileInfo{result.file.state, result.file.options.capacity, result.records};
}

Result<std::vector<BucketInfo>> Client::buckets() {
  const core::FileResult result = impl_->call({Kind::kBuckets, {}, {}, 0}, nullptr);
  if (Status status = status_of(result); !status.ok()) return status;
  std::vector<BucketInfo> buckets;
  for (const auto& [a, line] : result.buckets) {
    buckets.push_back({line.mark, line.records, line.bytes, impl_->address_of(line.node)});
  }
  return buckets;
}

Result<std::vector<NodeInfo>> Client::nodes() {
  const core::FileResult result = impl_->call({Kind::kNodes, {}, {}, 0}, nullptr);
  if (Status status = status_of(result); !status.ok()) return status;
  std::vector<NodeInfo> nodes;
  for (const core::NodeReport& node : link::counted_nodes(result)) {
    nodes.push_back(
        {node.address, node.up, node.stats.buckets, node.stats.records, node.stats.bytes});
  }
  return nodes;
}

Status Client::settle() { return status_of(impl_->call({Kind::kSettle, {}, {}, 0}, nullptr)); }

// ------------------------------------------------------------------------ what the client knows

FileState Client::image() const { return impl_->core().image(); }

MessageCounts Client::counts() const {
  const core::ClientCore::Counters& c = impl_->core().counters();
  return {c.ops, c.requests, c.forwards, c.replies, c.iams};
}

}  // namespace lh
