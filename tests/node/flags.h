// The flags of a coordinator or bucket node, as the tests of the node give them: a table with the
// names and defaults of the program's own.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/flags.h"

namespace lh::node::testing {

inline constexpr base::Flag kFlags[] = {
    {.name = "role",
     .kind = base::FlagKind::kWord,
     .words = "coordinator|bucket",
     .required = true},
    {.name = "listen",
     .kind = base::FlagKind::kHostPort,
     .roles = 1,
     .default_text = "127.0.0.1:19528"},
    {.name = "listen",
     .kind = base::FlagKind::kHostPort,
     .roles = 2,
     .default_text = "127.0.0.1:0"},
    {.name = "advertise", .kind = base::FlagKind::kHostPort},
    {.name = "coordinator", .kind = base::FlagKind::kHostPort, .roles = 2, .required = true},
    {.name = "workers", .kind = base::FlagKind::kU64},
    {.name = "max-buckets", .kind = base::FlagKind::kU64, .default_text = "0"},
    {.name = "max-memory", .kind = base::FlagKind::kSize, .default_text = "0"},
    {.name = "max-clients", .kind = base::FlagKind::kU64, .default_text = "10000"},
    {.name = "idle-timeout", .kind = base::FlagKind::kU64, .default_text = "0"},
    {.name = "data-dir", .kind = base::FlagKind::kString, .value_name = "DIR"},
    {.name = "rebuild", .kind = base::FlagKind::kSwitch, .roles = 1},
    {.name = "fsync",
     .kind = base::FlagKind::kWord,
     .default_text = "always",
     .words = "always|everysec|never"},
    {.name = "capacity", .kind = base::FlagKind::kU64, .roles = 1, .default_text = "65536"},
    {.name = "hash",
     .kind = base::FlagKind::kWord,
     .roles = 1,
     .default_text = "mixed",
     .words = "mixed|integer"},
};

inline base::FlagValues parse(std::vector<std::string> args) {
  static constexpr base::FlagTable kTable{"lhnode", "", kFlags};
  Result<base::FlagValues> values = base::parse_flags(kTable, args);
  EXPECT_TRUE(values.ok()) << values.status().message();
  return std::move(values).value();
}

}  // namespace lh::node::testing
