#include "client/bench_report.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace lh::client {
namespace {

unsigned long long number(uint64_t n) { return n; }

double per_second(const BenchPhase& phase) {
  return static_cast<double>(phase.answered()) / std::max(phase.took.seconds(), 1e-9);
}

double messages_per_op(const BenchPhase& phase) {
  const uint64_t operations = phase.answered() + phase.failed;
  return static_cast<double>(phase.counters.messages()) /
         static_cast<double>(std::max<uint64_t>(operations, 1));
}

const char* name_of(KeyOrder keys) { return keys == KeyOrder::kZipfian ? "zipfian" : "uniform"; }

// Workload d has an order of its own.
const char* key_order(const BenchOptions& options) {
  return options.workload == Workload::kD ? "latest" : name_of(options.keys);
}

// Calls f(name, histogram) for all kinds together and for each that there was.
template <typename F>
void for_each_kind(const BenchPhase& phase, F f) {
  f("all", phase.all());
  for (size_t kind = 0; kind < kBenchKinds; ++kind) {
    const base::Histogram& latency = phase.latency[kind];
    if (latency.count() > 0) f(to_string(static_cast<BenchKind>(kind)), latency);
  }
}

void append_row(std::string* out, const char* name, const base::Histogram& latency) {
  const auto ms = [](uint64_t ns) { return static_cast<double>(ns) * 1e-6; };
  base::append_format(out, "  %-18s %12llu %9.3f %9.3f %9.3f %9.3f\n", name,
                      number(latency.count()), ms(latency.quantile_ns(0.5)),
                      ms(latency.quantile_ns(0.99)), ms(latency.quantile_ns(0.999)),
                      ms(latency.max_ns()));
}

void append_phase(std::string* out, const BenchPhase& phase) {
  base::append_format(out, "%s: %llu operations in %.2f s: %.0f/s\n", phase.name.c_str(),
                      number(phase.answered()), phase.took.seconds(), per_second(phase));
  base::append_format(out, "  %-18s %12s %9s %9s %9s %9s\n", "latency in ms", "operations", "p50",
                      "p99", "p99.9", "max");
  for_each_kind(phase, [out](const char* name, const base::Histogram& latency) {
    append_row(out, name, latency);
  });
  const core::ClientCore::Counters& c = phase.counters;
  base::append_format(out, "  %.4f messages an operation, %llu forwards, %llu IAMs",
                      messages_per_op(phase), number(c.forwards), number(c.iams));
  if (c.retries > 0) base::append_format(out, ", %llu sent again", number(c.retries));
  if (phase.not_found > 0) base::append_format(out, ", %llu not found", number(phase.not_found));
  if (phase.failed > 0) base::append_format(out, ", %llu FAILED", number(phase.failed));
  out->append("\n");
}

void append_latency(std::string* out, const char* name, const base::Histogram& latency) {
  const auto us = [](double ns) { return ns * 1e-3; };
  const auto at = [&](double q) { return us(static_cast<double>(latency.quantile_ns(q))); };
  base::append_format(out,
                      "\"%s\":{\"count\":%llu,\"mean\":%.1f,\"p50\":%.1f,\"p99\":%.1f,"
                      "\"p99.9\":%.1f,\"max\":%.1f}",
                      name, number(latency.count()), us(latency.mean_ns()), at(0.5), at(0.99),
                      at(0.999), at(1));
}

void append_json_phase(std::string* out, const BenchPhase& phase) {
  base::append_format(out, "{\"name\":\"%s\",\"operations\":%llu,\"seconds\":%.6f,",
                      phase.name.c_str(), number(phase.answered()), phase.took.seconds());
  const core::ClientCore::Counters& c = phase.counters;
  base::append_format(out,
                      "\"operations_per_second\":%.1f,\"messages\":%llu,"
                      "\"messages_per_operation\":%.6f,\"forwards\":%llu,\"iams\":%llu,"
                      "\"sent_again\":%llu,\"not_found\":%llu,\"failed\":%llu,\"latency_us\":{",
                      per_second(phase), number(c.messages()), messages_per_op(phase),
                      number(c.forwards), number(c.iams), number(c.retries),
                      number(phase.not_found), number(phase.failed));
  const char* separator = "";
  for_each_kind(phase, [&](const char* name, const base::Histogram& latency) {
    out->append(std::exchange(separator, ","));
    append_latency(out, name, latency);
  });
  out->append("}}");
}

}  // namespace

base::Histogram BenchPhase::all() const {
  base::Histogram sum;
  for (const base::Histogram& of_kind : latency) sum.merge(of_kind);
  return sum;
}

uint64_t BenchPhase::answered() const { return all().count(); }

std::string bench_text(const BenchOptions& options, const std::vector<BenchPhase>& phases) {
  std::string out =
      base::format("workload %c, %s keys, %llu records of %llu bytes, %llu clients, depth %llu",
                   letter(options.workload), key_order(options), number(options.records),
                   number(options.value_size), number(options.clients), number(options.depth));
  if (options.rate > 0) base::append_format(&out, ", %llu/s", number(options.rate));
  out.append("\n");
  for (const BenchPhase& phase : phases) append_phase(&out, phase);
  return out;
}

std::string bench_json(const BenchOptions& options, const std::vector<BenchPhase>& phases) {
  std::string out = base::format(
      "{\"workload\":\"%c\",\"keys\":\"%s\",\"records\":%llu,\"value_size\":%llu,"
      "\"clients\":%llu,\"depth\":%llu,\"rate\":%llu,\"phases\":[",
      letter(options.workload), key_order(options), number(options.records),
      number(options.value_size), number(options.clients), number(options.depth),
      number(options.rate));
  const char* separator = "";
  for (const BenchPhase& phase : phases) {
    out.append(std::exchange(separator, ","));
    append_json_phase(&out, phase);
  }
  return out + "]}\n";
}

}  // namespace lh::client
