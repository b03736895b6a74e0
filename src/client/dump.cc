#include "client/dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/os_error.h"
#include "base/strings.h"
#include "core/change.h"
#include "link/answers.h"
#include "wire/text_answers.h"

namespace lh::client {
namespace {

constexpr base::Duration kWait = base::ms(50);

bool is_special(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

Outcome refuse(const Status& status, std::string* answer) {
  wire::append_error(answer, status.message());
  return Outcome::kFailed;
}

}  // namespace

Dump::Dump(Session& session, const Setup& setup, uint64_t tag)
    : session_(session), setup_(setup), tag_(tag), progress_(setup.progress_fd, clock_.now()) {}

Outcome Dump::to_output(Output* out, std::string* answer) {
  out_ = out;
  session_.set_sink(this);
  core::FileRequest request;
  request.kind = core::FileRequest::Kind::kScan;
  session_.call(request, tag_);
  while (!done_ && out_->status().ok() && !malformed_) session_.turn(kWait);
  session_.set_sink(nullptr);
  progress_.clear();
  out_->flush();
  if (!out_->status().ok()) return refuse(out_->status(), answer);
  if (malformed_) {
    return refuse({StatusCode::kDamaged, "a bucket answered with something else than records"},
                  answer);
  }
  answer->append(failure_);
  return outcome_;
}

Outcome Dump::to_file(const std::string& path, std::string* answer) {
  const bool direct = is_special(path);
  const std::string part = direct ? path : path + ".part";
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return refuse(base::os_error("cannot write " + part, errno), answer);
  const Outcome outcome = write_and_close(fd, answer);
  if (outcome != Outcome::kDone) {
    if (!direct) ::unlink(part.c_str());
    return outcome;
  }
  if (!direct && std::rename(part.c_str(), path.c_str()) != 0) {
    return refuse(base::os_error("cannot write " + path, errno), answer);
  }
  base::append_format(answer, "OK %llu records", static_cast<unsigned long long>(records_));
  if (expiring_ > 0 && setup_.format == RecordFormat::kTsv) {
    base::append_format(answer, ", %llu of which expire: only --format=jsonl tells when",
                        static_cast<unsigned long long>(expiring_));
  }
  answer->push_back('\n');
  return Outcome::kDone;
}

Outcome Dump::write_and_close(int fd, std::string* answer) {
  Output out(fd);
  const Outcome outcome = to_output(&out, answer);
  const bool closed = ::close(fd) == 0;
  if (outcome == Outcome::kDone && !closed) {
    return refuse(base::os_error("cannot write", errno), answer);
  }
  return outcome;
}

void Dump::on_scan_piece(uint64_t tag, const core::ScanReply& piece) {
  if (tag != tag_) return;
  core::ChangeReader reader(piece.matches);
  core::Change change;
  while (reader.next(&change)) {
    if (change.kind != core::Change::Kind::kPut) malformed_ = true;
    append_record_line(out_->text(), setup_.format, change.key, change.value, change.expiry);
    if (change.expiry != core::kNever) ++expiring_;
    out_->flush_if_full();
    ++records_;
  }
  malformed_ |= !reader.ok();
  progress_.update(clock_.now(), records_, records_, setup_.expected);
}

void Dump::on_call_done(uint64_t tag, const core::FileResult& result) {
  if (tag != tag_) return;
  done_ = true;
  outcome_ = outcome_of(result.outcome);
  if (outcome_ == Outcome::kDone) return;
  link::FileAnswer answer(session_.hash());
  answer.finish(result, session_.core().book());
  answer.append_all(&failure_);
}

}  // namespace lh::client
