// lhnode: one executable, three roles. The table of flags, and the way into the role.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "base/flags.h"
#include "base/log.h"
#include "base/version.h"
#include "client/run.h"
#include "node/node.h"

namespace {

using lh::base::Flag;
using lh::base::FlagKind;
using lh::base::FlagRoles;

constexpr FlagRoles kCoordinator = 1;
constexpr FlagRoles kBucket = 2;
constexpr FlagRoles kClient = 4;
constexpr FlagRoles kNode = kCoordinator | kBucket;

constexpr uint64_t kCapacityMax = uint64_t{1} << 40;

constexpr Flag kFlags[] = {
    {.name = "role",
     .kind = FlagKind::kWord,
     .help = "what this process is",
     .words = "coordinator|bucket|client",
     .required = true},
    {.name = "listen",
     .kind = FlagKind::kHostPort,
     .roles = kCoordinator,
     .default_text = "127.0.0.1:19528",
     .help = "the one port of this node, for all protocols"},
    {.name = "listen",
     .kind = FlagKind::kHostPort,
     .roles = kBucket,
     .default_text = "127.0.0.1:0",
     .help = "the one port of this node; 0: any free port"},
    {.name = "advertise",
     .kind = FlagKind::kHostPort,
     .roles = kNode,
     .help = "the address that others are told; default: what --listen bound",
     .least = 1},
    {.name = "coordinator",
     .kind = FlagKind::kHostPort,
     .roles = kBucket,
     .help = "where the file's coordinator is",
     .least = 1,
     .required = true},
    {.name = "coordinator",
     .kind = FlagKind::kHostPort,
     .roles = kClient,
     .default_text = "127.0.0.1:19528",
     .help = "where the file's coordinator is",
     .least = 1},
    {.name = "workers",
     .kind = FlagKind::kU64,
     .roles = kNode,
     .value_name = "N",
     .help = "threads of the request pool; default: one a core",
     .least = 1,
     .most = 255},
    {.name = "max-buckets",
     .kind = FlagKind::kU64,
     .roles = kNode,
     .default_text = "0",
     .value_name = "N",
     .help = "buckets this node takes; 0: no limit"},
    {.name = "capacity",
     .kind = FlagKind::kU64,
     .roles = kCoordinator,
     .default_text = "65536",
     .value_name = "N",
     .help = "records a bucket holds before an insert is a collision",
     .least = 1,
     .most = kCapacityMax},
    {.name = "split",
     .kind = FlagKind::kWord,
     .roles = kCoordinator,
     .default_text = "uncontrolled",
     .help = "who decides a split, and when",
     .words = "uncontrolled|controlled|token",
     .later = "this version splits on every collision",
     .later_words = "controlled|token"},
    {.name = "hash",
     .kind = FlagKind::kWord,
     .roles = kCoordinator,
     .default_text = "mixed",
     .help = "integer: keys are unsigned integers and c = key",
     .words = "mixed|integer"},
    {.name = "max-clients",
     .kind = FlagKind::kU64,
     .roles = kNode,
     .default_text = "10000",
     .value_name = "N",
     .help = "connections at a time",
     .least = 1,
     .most = 1'000'000},
    {.name = "idle-timeout",
     .kind = FlagKind::kU64,
     .roles = kNode,
     .default_text = "0",
     .value_name = "SECONDS",
     .help = "close connections idle for so long; 0: never",
     .most = 1'000'000'000},
    {.name = "file",
     .kind = FlagKind::kU64,
     .roles = kClient,
     .default_text = "0",
     .value_name = "N",
     .help = "which LH* file",
     .most = 0},
    {.name = "trace",
     .kind = FlagKind::kSwitch,
     .roles = kClient,
     .help = "print the path of each keyed request"},
    {.name = "stats",
     .kind = FlagKind::kSwitch,
     .roles = kClient,
     .help = "print counts of the messages of keyed requests at the end"},
    {.name = "format",
     .kind = FlagKind::kWord,
     .roles = kClient,
     .default_text = "tsv",
     .help = "of load and dump",
     .words = "tsv|jsonl"},
    {.name = "data-dir",
     .kind = FlagKind::kString,
     .roles = kNode,
     .value_name = "DIR",
     .help = "where the log and the snapshots live; default: memory only"},
    {.name = "fsync",
     .kind = FlagKind::kWord,
     .roles = kNode,
     .default_text = "always",
     .help = "when an acknowledged write is on disk",
     .words = "always|everysec|never"},
    {.name = "rebuild",
     .kind = FlagKind::kSwitch,
     .roles = kCoordinator,
     .help = "the coordinator's state is lost: ask the nodes that are left for it; --data-dir is "
             "empty"},
    {.name = "load-factor",
     .kind = FlagKind::kString,
     .roles = kCoordinator,
     .value_name = "F",
     .later = "this version splits on every collision"},
    {.name = "max-memory",
     .kind = FlagKind::kSize,
     .roles = kNode,
     .default_text = "0",
     .value_name = "SIZE",
     .help = "memory of its records above which writes are refused; 0: no limit"},
    {.name = "auth-file",
     .kind = FlagKind::kString,
     .value_name = "FILE",
     .later = "this version serves loopback only and authenticates nobody"},
    {.name = "resp",
     .kind = FlagKind::kWord,
     .roles = kNode,
     .default_text = "proxy",
     .help = "what a RESP client is told of keys of other nodes: their values",
     .words = "proxy|cluster",
     .later = "this version forwards what is elsewhere and sends no MOVED",
     .later_words = "cluster"},
    {.name = "config",
     .kind = FlagKind::kString,
     .value_name = "FILE",
     .help = "a file of lines `name = value`, the flags' names"},
    {.name = "log-level",
     .kind = FlagKind::kWord,
     .default_text = "info",
     .help = "least level that is logged, on stderr",
     .words = "debug|info|warn|error"},
    {.name = "version", .kind = FlagKind::kSwitch, .help = "print the version", .stops = true},
    {.name = "help", .kind = FlagKind::kSwitch, .help = "print this", .stops = true},
};

constexpr lh::base::FlagTable kTable{
    "lhnode --role=coordinator|bucket|client [flags] [command ...]", "LHNODE_", kFlags};

// A standard descriptor that is closed would be the number of the next file or socket, and what is
// meant for a terminal would go there.
void open_standard_descriptors() {
  int fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd >= 0) ::close(fd);
}

int run(const lh::base::FlagValues& values) {
  if (values.on("help")) {
    std::fputs(lh::base::flag_help(kTable).c_str(), stdout);
    return 0;
  }
  if (values.on("version")) {
    std::printf("lhnode %s (g++ %s)\n", lh::base::kVersion.data(), __VERSION__);
    return 0;
  }
  lh::base::set_log_level(*lh::base::parse_log_level(values.text("log-level")));
  if (values.text("role") == "client") return lh::client::run(values);
  if (!values.words().empty()) {
    std::fprintf(stderr, "lhnode: '%s' is no flag, and only --role=client takes a command\n",
                 values.words()[0].c_str());
    return 2;
  }
  return lh::node::run(values);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  const std::vector<std::string> args(argv + 1, argv + argc);
  const lh::Result<lh::base::FlagValues> values = lh::base::parse_flags(kTable, args);
  if (!values.ok()) {
    std::fprintf(stderr, "lhnode: %.*s\n", static_cast<int>(values.status().message().size()),
                 values.status().message().data());
    return 2;
  }
  return run(values.value());
}
