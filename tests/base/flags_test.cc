#include "base/flags.h"

#include <gtest/gtest.h>

#include <map>

namespace lh::base {
namespace {

constexpr FlagRoles kCoordinator = 1;
constexpr FlagRoles kBucket = 2;
constexpr FlagRoles kClient = 4;

constexpr Flag kFlags[] = {
    {.name = "role", .kind = FlagKind::kWord, .words = "coordinator|bucket|client"},
    {.name = "listen",
     .kind = FlagKind::kHostPort,
     .roles = kCoordinator,
     .default_text = "127.0.0.1:19528"},
    {.name = "listen",
     .kind = FlagKind::kHostPort,
     .roles = kBucket,
     .default_text = "127.0.0.1:0"},
    {.name = "coordinator",
     .kind = FlagKind::kHostPort,
     .roles = kBucket,
     .least = 1,
     .required = true},
    {.name = "coordinator",
     .kind = FlagKind::kHostPort,
     .roles = kClient,
     .default_text = "127.0.0.1:19528",
     .least = 1},
    {.name = "data-dir", .roles = kCoordinator | kBucket, .value_name = "DIR"},
    {.name = "workers", .kind = FlagKind::kU64, .default_text = "2", .least = 1, .most = 64},
    {.name = "capacity", .kind = FlagKind::kU64, .roles = kCoordinator, .least = 1},
    {.name = "max-memory", .kind = FlagKind::kSize, .default_text = "0"},
    {.name = "load-factor",
     .kind = FlagKind::kDouble,
     .roles = kCoordinator,
     .default_text = "0.85",
     .least_real = 0.1,
     .most_real = 1},
    {.name = "fsync",
     .kind = FlagKind::kWord,
     .default_text = "always",
     .words = "always|everysec|never|remote",
     .later = "replicated logs come with a later version",
     .later_words = "remote"},
    {.name = "standby",
     .kind = FlagKind::kHostPort,
     .later = "standby coordinators come with a later version"},
    {.name = "trace", .kind = FlagKind::kSwitch, .roles = kClient},
    {.name = "config", .value_name = "FILE"},
    {.name = "help", .kind = FlagKind::kSwitch, .stops = true},
    {.name = "version", .kind = FlagKind::kSwitch, .stops = true},
};
constexpr FlagTable kTable = {.usage = "usage: lhnode", .env_prefix = "LHNODE_", .flags = kFlags};

// Parses in a world of its own; the outcome is asked in one word.
class FlagsTest : public testing::Test {
 protected:
  FlagValues parse(const std::vector<std::string>& args) {
    Result<FlagValues> result = parse_flags(kTable, args, world());
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? std::move(result).value() : FlagValues();
  }

  std::string error(const std::vector<std::string>& args) {
    const Result<FlagValues> result = parse_flags(kTable, args, world());
    if (result.ok()) return "accepted";
    EXPECT_EQ(result.status().code(), StatusCode::kInvalid);
    return std::string(result.status().message());
  }

  FlagValues coordinator(std::vector<std::string> args) {
    args.insert(args.begin(), "--role=coordinator");
    return parse(args);
  }
  std::string coordinator_error(std::vector<std::string> args) {
    args.insert(args.begin(), "--role=coordinator");
    return error(args);
  }

  FlagWorld world() const {
    return {[this](const std::string& name) -> std::optional<std::string> {
              const auto found = environment_.find(name);
              return found == environment_.end() ? std::nullopt : std::optional(found->second);
            },
            [this](const std::string& path) -> Result<std::string> {
              const auto found = files_.find(path);
              if (found == files_.end()) return Status(StatusCode::kInvalid, "no " + path);
              return found->second;
            }};
  }

  std::map<std::string, std::string> environment_;
  std::map<std::string, std::string> files_;
};

TEST_F(FlagsTest, bothSpellings) {
  EXPECT_EQ(coordinator({"--workers=4"}).u64("workers"), 4u);
  EXPECT_EQ(coordinator({"--workers", "4"}).u64("workers"), 4u);
  EXPECT_EQ(coordinator({"--data-dir", "-"}).text("data-dir"), "-");
  EXPECT_EQ(coordinator({"--data-dir=a=b"}).text("data-dir"), "a=b");
}

TEST_F(FlagsTest, allKinds) {
  const FlagValues values =
      coordinator({"--listen=[::1]:80", "--capacity=3", "--max-memory=2G", "--load-factor=0.5",
                   "--fsync=never", "--data-dir=/srv/lh"});
  EXPECT_EQ(values.word("role"), 0u);
  EXPECT_EQ(values.host_port("listen"), (HostPort{"::1", 80}));
  EXPECT_EQ(values.u64("capacity"), 3u);
  EXPECT_EQ(values.u64("max-memory"), uint64_t{2} << 30);
  EXPECT_EQ(values.real("load-factor"), 0.5);
  EXPECT_EQ(values.word("fsync"), 2u);
  EXPECT_EQ(values.text("data-dir"), "/srv/lh");
}

TEST_F(FlagsTest, defaultsFollowTheRole) {
  EXPECT_EQ(coordinator({}).text("listen"), "127.0.0.1:19528");
  EXPECT_EQ(parse({"--role=bucket", "--coordinator=c:1"}).text("listen"), "127.0.0.1:0");
  EXPECT_EQ(parse({"--role=client"}).text("coordinator"), "127.0.0.1:19528");
  EXPECT_FALSE(coordinator({}).has("data-dir"));
  EXPECT_FALSE(coordinator({}).has("capacity"));
}

TEST_F(FlagsTest, switches) {
  EXPECT_FALSE(parse({"--role=client"}).on("trace"));
  EXPECT_TRUE(parse({"--role=client", "--trace"}).on("trace"));
  EXPECT_FALSE(parse({"--role=client", "--trace=false"}).on("trace"));
  EXPECT_EQ(error({"--role=client", "--trace=maybe"}), "--trace=maybe is not true or false");
}

TEST_F(FlagsTest, wordsStartBehindTheFlags) {
  EXPECT_EQ(parse({"--role=client", "--trace", "GET", "--not-a-flag", "x"}).words(),
            (std::vector<std::string>{"GET", "--not-a-flag", "x"}));
  EXPECT_EQ(parse({"--role=client", "--", "--odd", "--"}).words(),
            (std::vector<std::string>{"--odd", "--"}));
  EXPECT_EQ(parse({"--role=client", "-"}).words(), (std::vector<std::string>{"-"}));
  EXPECT_EQ(parse({"--role=client", ""}).words(), (std::vector<std::string>{""}));
  EXPECT_TRUE(parse({"--role=client"}).words().empty());
}

TEST_F(FlagsTest, flagOverEnvironmentOverFileOverDefault) {
  EXPECT_EQ(coordinator({}).source("workers"), FlagSource::kDefault);
  EXPECT_EQ(coordinator({}).u64("workers"), 2u);

  files_["lh.conf"] = "workers = 5\n";
  EXPECT_EQ(coordinator({"--config=lh.conf"}).source("workers"), FlagSource::kFile);
  EXPECT_EQ(coordinator({"--config=lh.conf"}).u64("workers"), 5u);

  environment_["LHNODE_WORKERS"] = "6";
  EXPECT_EQ(coordinator({"--config=lh.conf"}).source("workers"), FlagSource::kEnvironment);
  EXPECT_EQ(coordinator({"--config=lh.conf"}).u64("workers"), 6u);

  const FlagValues values = coordinator({"--config=lh.conf", "--workers=7"});
  EXPECT_EQ(values.source("workers"), FlagSource::kFlag);
  EXPECT_EQ(values.u64("workers"), 7u);
}

TEST_F(FlagsTest, theEnvironmentMayNameRoleAndConfig) {
  environment_["LHNODE_ROLE"] = "coordinator";
  environment_["LHNODE_CONFIG"] = "lh.conf";
  environment_["LHNODE_DATA_DIR"] = "/srv/lh";
  files_["lh.conf"] = "capacity = 3\n";
  const FlagValues values = parse({});
  EXPECT_EQ(values.u64("capacity"), 3u);
  EXPECT_EQ(values.text("data-dir"), "/srv/lh");
}

TEST_F(FlagsTest, theConfigFileMayNameTheRole) {
  files_["lh.conf"] = "role = client\ntrace = true\n";
  EXPECT_TRUE(parse({"--config=lh.conf"}).on("trace"));
}

TEST_F(FlagsTest, theEnvironmentIsSharedWithOtherRoles) {
  environment_["LHNODE_CAPACITY"] = "3";
  environment_["LHNODE_DATA_DIR"] = "";
  environment_["LHNODE_UNHEARD_OF"] = "x";
  EXPECT_EQ(parse({"--role=client"}).text("workers"), "2");
  EXPECT_FALSE(coordinator({}).has("data-dir"));
}

TEST_F(FlagsTest, unknownFlags) {
  EXPECT_EQ(coordinator_error({"--wrokers=4"}), "unknown flag --wrokers; did you mean --workers?");
  EXPECT_EQ(coordinator_error({"--frobnicate"}), "unknown flag --frobnicate; see --help");
  EXPECT_EQ(coordinator_error({"-w", "4"}), "unknown flag -w; flags start with two dashes");
  EXPECT_EQ(coordinator_error({"--=4"}), "unknown flag --; see --help");
  EXPECT_EQ(coordinator_error({"---workers=4"}),
            "unknown flag ---workers; did you mean --workers?");
}

TEST_F(FlagsTest, missingValues) {
  EXPECT_EQ(coordinator_error({"--workers"}), "--workers needs a value: a whole number, 1 to 64");
  EXPECT_EQ(coordinator_error({"--data-dir="}), "--data-dir needs a value: DIR");
  EXPECT_EQ(coordinator_error({"--listen", "--workers=1"}), "--listen needs a value: HOST:PORT");
}

TEST_F(FlagsTest, theSameFlagTwice) {
  EXPECT_EQ(coordinator_error({"--workers=4", "--workers=4"}), "--workers is given twice");
}

TEST_F(FlagsTest, valuesOutOfRangeOrOfAnotherKind) {
  EXPECT_EQ(coordinator_error({"--workers=0"}), "--workers=0 is out of range: 1 to 64");
  EXPECT_EQ(coordinator_error({"--workers=65"}), "--workers=65 is out of range: 1 to 64");
  EXPECT_EQ(coordinator_error({"--capacity=0"}), "--capacity=0 is out of range: at least 1");
  EXPECT_EQ(coordinator_error({"--workers=-1"}), "--workers=-1 is not a whole number, 1 to 64");
  EXPECT_EQ(coordinator_error({"--workers=18446744073709551616"}),
            "--workers=18446744073709551616 is not a whole number, 1 to 64");
  EXPECT_EQ(coordinator_error({"--max-memory=1T"}),
            "--max-memory=1T is not a size such as 512M (K, M and G are powers of 1024)");
  EXPECT_EQ(coordinator_error({"--load-factor=1.01"}),
            "--load-factor=1.01 is out of range: 0.1 to 1");
  EXPECT_EQ(coordinator_error({"--load-factor=nan"}),
            "--load-factor=nan is not a number, 0.1 to 1");
  EXPECT_EQ(coordinator_error({"--fsync=sometimes"}),
            "--fsync=sometimes is not always, everysec or never");
  EXPECT_EQ(coordinator_error({"--listen=19528"}), "--listen=19528 is not HOST:PORT");
  EXPECT_EQ(error({"--role=client", "--coordinator=c:0"}),
            "--coordinator=c:0 is out of range: a port of at least 1");
}

TEST_F(FlagsTest, roles) {
  EXPECT_EQ(error({}), "--role is missing: coordinator, bucket or client");
  EXPECT_EQ(error({"--role=server"}), "--role=server is not coordinator, bucket or client");
  EXPECT_EQ(error({"--role=client", "--capacity=3"}),
            "--capacity=3 is not for role client, only for coordinator");
  EXPECT_EQ(error({"--role=client", "--listen=a:1"}),
            "--listen=a:1 is not for role client, only for coordinator, bucket");
  EXPECT_EQ(error({"--role=bucket"}), "--coordinator is missing for role bucket: HOST:PORT");
}

TEST_F(FlagsTest, environmentErrorsNameTheVariable) {
  environment_["LHNODE_WORKERS"] = "many";
  EXPECT_EQ(coordinator_error({}),
            "--workers=many (from LHNODE_WORKERS) is not a whole number, 1 to 64");
  EXPECT_EQ(coordinator_error({"--workers=4"}),
            "--workers=many (from LHNODE_WORKERS) is not a whole number, 1 to 64");
}

TEST_F(FlagsTest, fileErrorsNameTheirPlace) {
  const auto error_of = [this](const std::string& text) {
    files_["lh.conf"] = text;
    return coordinator_error({"--config=lh.conf"});
  };
  EXPECT_EQ(error_of("\nworkers = 0\n"), "lh.conf:2: --workers=0 is out of range: 1 to 64");
  EXPECT_EQ(error_of("wrokers = 1\n"),
            "lh.conf:1: unknown flag --wrokers; did you mean --workers?");
  EXPECT_EQ(error_of("workers = 1\nworkers = 2\n"), "lh.conf:2: workers is already set in line 1");
  EXPECT_EQ(error_of("workers =\n"), "lh.conf:1: --workers needs a value: a whole number, 1 to 64");
  EXPECT_EQ(error_of("trace = true\n"),
            "lh.conf:1: --trace=true is not for role coordinator, only for client");
  EXPECT_EQ(error_of("config = other.conf\n"),
            "lh.conf:1: --config belongs on the command line, not in a config file");
  EXPECT_EQ(error_of("help = true\n"),
            "lh.conf:1: --help belongs on the command line, not in a config file");
  EXPECT_EQ(error_of("workers\n"), "lh.conf:1: this line is not of the form name = value");
  EXPECT_EQ(coordinator_error({"--config=missing.conf"}), "no missing.conf");
}

TEST_F(FlagsTest, laterFlagsAreRefusedWhoeverGivesThem) {
  const std::string sentence = "standby coordinators come with a later version";
  EXPECT_EQ(coordinator_error({"--standby=a:1"}), "--standby=a:1: " + sentence);
  environment_["LHNODE_STANDBY"] = "a:1";
  EXPECT_EQ(coordinator_error({}), "--standby=a:1 (from LHNODE_STANDBY): " + sentence);
  environment_.clear();
  files_["lh.conf"] = "standby = a:1\n";
  EXPECT_EQ(coordinator_error({"--config=lh.conf"}), "lh.conf:1: --standby=a:1: " + sentence);
}

TEST_F(FlagsTest, aSingleWordMayBeForLater) {
  EXPECT_EQ(coordinator_error({"--fsync=remote"}),
            "--fsync=remote: replicated logs come with a later version");
  EXPECT_EQ(coordinator({"--fsync=everysec"}).word("fsync"), 1u);
}

TEST_F(FlagsTest, helpNeedsNothingElse) {
  EXPECT_TRUE(parse({"--help"}).on("help"));
  EXPECT_FALSE(parse({"--help"}).on("version"));
  EXPECT_TRUE(parse({"--role=bucket", "--workers=0", "--version"}).on("version"));
  EXPECT_FALSE(coordinator({}).on("help"));
}

TEST_F(FlagsTest, describeNamesEachValueWithItsSource) {
  environment_["LHNODE_WORKERS"] = "6";
  EXPECT_EQ(parse({"--role=client", "--trace"}).describe(),
            (std::vector<std::string>{"role=client (flag)", "coordinator=127.0.0.1:19528 (default)",
                                      "workers=6 (environment)", "max-memory=0 (default)",
                                      "fsync=always (default)", "trace=true (flag)"}));
}

TEST_F(FlagsTest, aTableWithoutRoles) {
  static constexpr Flag kBench[] = {
      {.name = "records", .kind = FlagKind::kU64, .default_text = "1000"},
      {.name = "json", .kind = FlagKind::kSwitch}};
  const FlagTable kBenchTable = {.usage = "bench", .env_prefix = "", .flags = kBench};
  environment_["RECORDS"] = "5";
  const std::vector<std::string> args = {"--json"};
  const Result<FlagValues> values = parse_flags(kBenchTable, args, world());
  ASSERT_TRUE(values.ok());
  EXPECT_TRUE(values.value().on("json"));
  EXPECT_EQ(values.value().u64("records"), 1000u);
}

TEST_F(FlagsTest, realWorldReadsTheEnvironment) {
  ASSERT_EQ(setenv("LHNODE_FLAGS_TEST_VARIABLE", "x", 1), 0);
  EXPECT_EQ(FlagWorld::real().environment("LHNODE_FLAGS_TEST_VARIABLE"), "x");
  ASSERT_EQ(unsetenv("LHNODE_FLAGS_TEST_VARIABLE"), 0);
  EXPECT_EQ(FlagWorld::real().environment("LHNODE_FLAGS_TEST_VARIABLE"), std::nullopt);
  EXPECT_FALSE(FlagWorld::real().read_file("/nonexistent/lh.conf").ok());
}

using FlagsDeathTest = FlagsTest;

TEST_F(FlagsDeathTest, askingForWhatTheTableDoesNotHaveIsABug) {
  const FlagValues values = parse({"--role=client"});
  EXPECT_DEATH(values.text("no-such-flag"), "no-such-flag");
  EXPECT_DEATH(values.text("capacity"), "capacity");
  EXPECT_DEATH(values.u64("fsync"), "fsync");
  EXPECT_DEATH(values.text("config"), "config");
}

}  // namespace
}  // namespace lh::base
