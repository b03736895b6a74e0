#include "client/load.h"

#include <sys/stat.h>

#include <cerrno>

#include "base/hash.h"
#include "base/os_error.h"
#include "base/strings.h"
#include "client/line_input.h"
#include "core/operation.h"
#include "link/answers.h"

namespace lh::client {
namespace {

// Failures said on stderr, and kinds of them in the answer.
constexpr uint64_t kReportsMax = 10;
constexpr size_t kReasonsMax = 5;
constexpr base::Duration kWait = base::ms(50);
// Enough to keep every node of a file busy. More would only be sent by an image that is already
// old when the answers come: what is under way when a bucket splits is forwarded.
constexpr size_t kUnderWayMax = 1'024;

// 0 for what is no regular file.
uint64_t file_size(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return 0;
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace

Load::Load(Session& session, const Setup& setup)
    : session_(session), setup_(setup), parser_(setup.format) {}

Outcome Load::run(int fd, std::string* answer) {
  session_.set_sink(this);
  const uint64_t size = file_size(fd);
  const base::SteadyClock clock;
  Progress progress(setup_.progress_fd, clock.now());
  LineInput input(fd, kRecordLineMax, [&] { session_.wait_readable(fd); });
  std::string_view line;
  LineInput::Outcome read;
  while ((read = input.next(&line)) == LineInput::Outcome::kLine) {
    take_line(line);
    progress.update(clock.now(), records_, input.bytes_read(), size);
  }
  const int error = errno;
  while (!under_way_.empty()) session_.turn(kWait);
  session_.set_sink(nullptr);
  progress.clear();
  if (read == LineInput::Outcome::kTooLong) report(line_ + 1, "line too long, the rest not read");
  if (read == LineInput::Outcome::kFailed) {
    report(line_ + 1, base::os_error("cannot read", error).message());
  }
  answer->append(summary());
  return outcome_;
}

void Load::take_line(std::string_view line) {
  ++line_;
  if (line.empty()) return;
  if (parser_.parse(line)) {
    put();
  } else {
    report(line_, parser_.error());
  }
}

void Load::put() {
  const uint64_t tag = base::xxh64(parser_.key());
  while (!session_.has_room() || under_way_.size() >= kUnderWayMax || under_way_.contains(tag)) {
    session_.turn(kWait);
  }
  under_way_[tag] = line_;
  const core::Operation put{core::Op::kPut, 0, parser_.key(), parser_.value()};
  if (parser_.expiry() == core::kNever) return session_.submit(put, tag);
  core::SetArgs args;
  args.expiry = parser_.expiry();
  session_.submit({core::Op::kSet, 0, put.key, put.value, args.encode()}, tag);
}

void Load::on_done(const core::Completion& done) {
  const auto place = under_way_.find(done.tag);
  if (place == under_way_.end()) return;
  const uint64_t line = place->second;
  under_way_.erase(place);
  if (done.code == core::Code::kOk) {
    ++records_;
    return;
  }
  std::string why;
  link::append_completion(&why, done, session_.core().book());
  why.pop_back();
  report(line, std::string_view(why).substr(std::string_view("ERR ").size()));
  outcome_ = worse(outcome_, outcome_of(done.code));
}

void Load::report(uint64_t line, std::string_view why) {
  outcome_ = worse(outcome_, Outcome::kFailed);
  ++failed_;
  ++reasons_[std::string(why)];
  if (failed_ > kReportsMax) return;
  base::append_format(setup_.errors->text(), "line %llu: %.*s\n",
                      static_cast<unsigned long long>(line), static_cast<int>(why.size()),
                      why.data());
  if (failed_ == kReportsMax) setup_.errors->append("... and perhaps more\n");
  setup_.errors->flush();
}

std::string Load::summary() const {
  const auto number = [](uint64_t n) { return static_cast<unsigned long long>(n); };
  if (failed_ == 0) return base::format("OK %llu records\n", number(records_));
  std::string line =
      base::format("ERR %llu records loaded, %llu failed:", number(records_), number(failed_));
  size_t named = 0;
  for (const auto& [why, count] : reasons_) {
    if (++named > kReasonsMax) return line + " and others\n";
    base::append_format(&line, "%s %s (%llu)", named == 1 ? "" : ",", why.c_str(), number(count));
  }
  return line + '\n';
}

}  // namespace lh::client
