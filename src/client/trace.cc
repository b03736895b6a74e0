#include "client/trace.h"

#include "base/strings.h"

namespace lh::client {
namespace {

unsigned long long number(uint64_t n) { return n; }

}  // namespace

void append_trace(std::string* out, const core::Completion& done) {
  if (done.code == core::Code::kBadKey) return;
  base::append_format(out, "trace c=%llu path=%llu", number(done.c), number(done.first));
  if (done.hops > 1) base::append_format(out, ">%llu", number(done.iam.a));
  if (done.hops > 0) base::append_format(out, ">%llu", number(done.bucket.a));
  base::append_format(out, " forwards=%u", done.hops);
  if (done.hops > 0) out->append(" iam=").append(core::to_string(done.iam));
  out->append(" image=").append(core::to_string(done.image)).push_back('\n');
}

void append_stats(std::string* out, const core::ClientCore::Counters& counters, FileState image) {
  base::append_format(
      out, "stats ops=%llu messages=%llu forwards=%llu iams=%llu image=", number(counters.ops),
      number(counters.messages()), number(counters.forwards), number(counters.iams));
  out->append(core::to_string(image)).push_back('\n');
}

}  // namespace lh::client
