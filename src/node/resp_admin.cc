#include "node/resp_admin.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/strings.h"
#include "base/version.h"
#include "core/limits.h"

namespace lh::node {

namespace {

using base::append_format;
using base::format;
using wire::RespArgs;
using wire::RespVerb;
using wire::RespWriter;
using wire::same_word;
using Ull = unsigned long long;

// The version of Redis whose answers these are; clients read what they may send off it.
constexpr std::string_view kRedisVersion = "7.0.0";

constexpr std::string_view kSections[] = {"server",      "clients", "memory",  "stats",
                                          "replication", "cpu",     "cluster", "keyspace"};

bool is_everything(std::string_view word) {
  return same_word(word, "default") || same_word(word, "all") || same_word(word, "everything");
}

bool wants(const RespAdmin::Words& words, std::string_view section) {
  return words.empty() || std::any_of(words.begin(), words.end(), [section](const auto& word) {
           return is_everything(word) || same_word(word, section);
         });
}

uint64_t resident_bytes() {
  // The second number of the file, in pages.
  unsigned long long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%*u %llu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string readable_bytes(uint64_t bytes) {
  constexpr std::array<const char*, 4> kUnits = {"B", "K", "M", "G"};
  double amount = static_cast<double>(bytes);
  size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  return format(unit == 0 ? "%.0f%s" : "%.2f%s", amount, kUnits[unit]);
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void append_cpu(std::string* out) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  append_format(out, "used_cpu_sys:%.6f\r\nused_cpu_user:%.6f\r\n", seconds(usage.ru_stime),
                seconds(usage.ru_utime));
}

uint64_t sum(const Shared& shared, std::atomic<uint64_t> WorkerReport::*what) {
  uint64_t all = 0;
  for (const WorkerReport& report : shared.reports) {
    all += (report.*what).load(std::memory_order_relaxed);
  }
  return all;
}

void append_memory(std::string* out, const Shared& shared) {
  const auto line = [out](const char* name, uint64_t bytes) {
    append_format(out, "%s:%llu\r\n%s_human:%s\r\n", name, static_cast<Ull>(bytes), name,
                  readable_bytes(bytes).c_str());
  };
  line("used_memory", shared.memory.load());
  line("used_memory_rss", resident_bytes());
  append_format(out, "used_memory_dataset:%llu\r\n",
                static_cast<Ull>(sum(shared, &WorkerReport::bytes)));
  line("maxmemory", shared.config.memory_max);
  out->append("maxmemory_policy:noeviction\r\n");
}

void append_server(std::string* out, const Shared& shared) {
  const int64_t up = (base::SteadyClock().now() - shared.started_at).ns() / 1'000'000'000;
  out->append("redis_version:").append(kRedisVersion).append("\r\nredis_mode:standalone\r\n");
  out->append("lhnode_version:").append(base::kVersion).append("\r\n");
  append_format(out, "process_id:%d\r\nrun_id:%016llx%016llx%08x\r\n", ::getpid(),
                static_cast<Ull>(shared.incarnation), static_cast<Ull>(shared.incarnation), 0U);
  const size_t colon = shared.address.rfind(':');
  out->append("tcp_port:").append(shared.address.substr(colon + 1)).append("\r\n");
  append_format(out, "uptime_in_seconds:%lld\r\nuptime_in_days:%lld\r\n",
                static_cast<long long>(up), static_cast<long long>(up / 86'400));
}

void append_stats(std::string* out, const Shared& shared) {
  append_format(out, "total_commands_processed:%llu\r\nexpired_keys:%llu\r\nevicted_keys:0\r\n",
                static_cast<Ull>(sum(shared, &WorkerReport::requests)),
                static_cast<Ull>(sum(shared, &WorkerReport::expired)));
  append_format(out, "rejected_connections:%llu\r\nunfinished_requests:%llu\r\n",
                static_cast<Ull>(shared.rejected.load()),
                static_cast<Ull>(shared.unfinished.load()));
  append_format(out, "client_output_buffer_limit_disconnections:%llu\r\n",
                static_cast<Ull>(sum(shared, &WorkerReport::unread)));
}

void append_section(std::string* out, std::string_view section, const Shared& shared,
                    const core::FileResult& file) {
  if (section == "server") return append_server(out, shared);
  if (section == "memory") return append_memory(out, shared);
  if (section == "stats") return append_stats(out, shared);
  if (section == "cpu") return append_cpu(out);
  if (section == "clients") {
    append_format(out, "connected_clients:%llu\r\nmaxclients:%llu\r\nblocked_clients:0\r\n",
                  static_cast<Ull>(shared.client_count()),
                  static_cast<Ull>(shared.config.clients_max));
  } else if (section == "replication") {
    out->append("role:master\r\nconnected_slaves:0\r\nmaster_repl_offset:0\r\n");
  } else if (section == "cluster") {
    out->append("cluster_enabled:0\r\n");
  } else if (file.records > 0) {
    append_format(out, "db0:keys=%llu,expires=%llu,avg_ttl=0\r\n", static_cast<Ull>(file.records),
                  static_cast<Ull>(file.expiring));
  }
}

}  // namespace

bool RespAdmin::is_admin(RespVerb verb) {
  switch (verb) {
    case RespVerb::kPing:
    case RespVerb::kEcho:
    case RespVerb::kSelect:
    case RespVerb::kConfig:
    case RespVerb::kCommand:
    case RespVerb::kHello:
    case RespVerb::kAuth:
    case RespVerb::kClient:
      return true;
    default:
      return false;
  }
}

void RespAdmin::execute(const wire::RespCommand& spec, const RespArgs& args, std::string* out) {
  RespWriter writer(out, version_);
  switch (spec.verb) {
    case RespVerb::kPing:
      if (args.size() > 2) return writer.wrong_arguments("ping");
      return args.size() == 2 ? writer.bulk(args[1]) : writer.simple("PONG");
    case RespVerb::kEcho:
      return writer.bulk(args[1]);
    case RespVerb::kSelect: {
      const auto number = base::parse_i64(args[1]);
      if (!number) return writer.error("ERR value is not an integer or out of range");
      return *number == 0 ? writer.simple("OK") : writer.error("ERR DB index is out of range");
    }
    case RespVerb::kConfig:
      return config(args, &writer);
    case RespVerb::kCommand:
      return command(args, &writer);
    case RespVerb::kHello:
      return hello(args, &writer);
    case RespVerb::kAuth:
      return writer.error(
          "ERR AUTH <password> called without any password configured for the default user. Are "
          "you sure your configuration is correct?");
    case RespVerb::kClient:
      return client(args, &writer);
    default:
      LH_UNREACHABLE("no command of this kind");
  }
}

// ----------------------------------------------------------------------------- the connection

bool RespAdmin::set_name(std::string_view name, RespWriter* writer) {
  const bool legible =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!legible || name.size() > core::kAddressBytesMax) {
    writer->error("ERR Client names cannot contain spaces, newlines or special characters.");
    return false;
  }
  name_ = name;
  return true;
}

void RespAdmin::hello(const RespArgs& args, RespWriter* writer) {
  wire::RespVersion version = version_;
  if (args.size() > 1) {
    const auto number = base::parse_i64(args[1]);
    if (!number) return writer->error("ERR Protocol version is not an integer or out of range");
    if (*number != 2 && *number != 3) return writer->error("NOPROTO unsupported protocol version");
    version = static_cast<wire::RespVersion>(*number);
  }
  for (size_t k = 2; k < args.size();) {
    const size_t left = args.size() - k - 1;
    if (same_word(args[k], "auth") && left >= 2) {
      // No password is configured, and the default user needs none.
      if (args[k + 1] != "default") {
        return writer->error("WRONGPASS invalid username-password pair or user is disabled.");
      }
      k += 3;
    } else if (same_word(args[k], "setname") && left >= 1) {
      if (!set_name(args[k + 1], writer)) return;
      k += 2;
    } else {
      std::string text = "ERR Syntax error in HELLO option '";
      return writer->error(text.append(args[k].substr(0, 128)).append("'"));
    }
  }
  version_ = version;
  *writer = writer->with(version);
  writer->map(7);
  writer->bulk("server");
  writer->bulk("redis");
  writer->bulk("version");
  writer->bulk(kRedisVersion);
  writer->bulk("proto");
  writer->integer(static_cast<int64_t>(version));
  writer->bulk("id");
  writer->integer(static_cast<int64_t>(id_));
  writer->bulk("mode");
  writer->bulk("standalone");
  writer->bulk("role");
  writer->bulk("master");
  writer->bulk("modules");
  writer->array(0);
}

void RespAdmin::client(const RespArgs& args, RespWriter* writer) {
  const std::string_view what = args[1];
  if (same_word(what, "setname") && args.size() == 3) {
    if (set_name(args[2], writer)) writer->simple("OK");
  } else if (same_word(what, "getname") && args.size() == 2) {
    name_.empty() ? writer->null() : writer->bulk(name_);
  } else if (same_word(what, "setinfo") && args.size() == 4) {
    writer->simple("OK");
  } else if (same_word(what, "id") && args.size() == 2) {
    writer->integer(static_cast<int64_t>(id_));
  } else {
    writer->unknown_subcommand("CLIENT", what);
  }
}

// ----------------------------------------------------------------------------------- the node

void RespAdmin::config(const RespArgs& args, RespWriter* writer) const {
  if (!same_word(args[1], "get")) return writer->unknown_subcommand("CONFIG", args[1]);
  if (args.size() < 3) return writer->wrong_arguments("config|get");
  const std::pair<std::string_view, std::string> parameters[] = {
      {"appendonly", "no"},
      {"databases", "1"},
      {"maxclients", std::to_string(shared_.config.clients_max)},
      {"maxmemory", std::to_string(shared_.config.memory_max)},
      {"maxmemory-policy", "noeviction"},
      {"proto-max-bulk-len", std::to_string(core::kValueBytesMax)},
      {"save", ""},
      {"timeout", std::to_string(shared_.config.idle_timeout.ns() / 1'000'000'000)},
  };
  std::vector<const std::pair<std::string_view, std::string>*> found;
  for (const auto& parameter : parameters) {
    for (size_t k = 2; k < args.size(); ++k) {
      std::string pattern(args[k].substr(0, 128));
      for (char& c : pattern) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      if (!base::glob_match(pattern, parameter.first)) continue;
      found.push_back(&parameter);
      break;
    }
  }
  writer->map(found.size());
  for (const auto* parameter : found) {
    writer->bulk(parameter->first);
    writer->bulk(parameter->second);
  }
}

void RespAdmin::command(const RespArgs& args, RespWriter* writer) const {
  const auto all = wire::resp_commands();
  if (args.size() == 1) {
    writer->array(all.size());
    for (const wire::RespCommand& spec : all) writer->description(spec);
  } else if (same_word(args[1], "count") && args.size() == 2) {
    writer->integer(static_cast<int64_t>(all.size()));
  } else if (same_word(args[1], "docs")) {
    writer->map(0);  // none are kept; clients then show no hints
  } else if (same_word(args[1], "list") && args.size() == 2) {
    writer->array(all.size());
    for (const wire::RespCommand& spec : all) writer->bulk(spec.name);
  } else if (same_word(args[1], "info")) {
    writer->array(args.size() - 2);
    for (size_t k = 2; k < args.size(); ++k) {
      const wire::RespCommand* spec = wire::find_resp_command(args[k]);
      spec != nullptr ? writer->description(*spec) : writer->null_array();
    }
  } else {
    writer->unknown_subcommand("COMMAND", args[1]);
  }
}

bool RespAdmin::info_counts(const Words& words) { return wants(words, "keyspace"); }

void RespAdmin::info(const Words& words, const core::FileResult& file, std::string* out) const {
  std::string text;
  for (const std::string_view section : kSections) {
    if (!wants(words, section)) continue;
    if (!text.empty()) text.append("\r\n");
    text.append("# ").append(1, static_cast<char>(section[0] - 32)).append(section.substr(1));
    text.append("\r\n");
    append_section(&text, section, shared_, file);
  }
  RespWriter(out, version_).verbatim(text);
}

}  // namespace lh::node
