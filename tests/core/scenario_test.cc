// Every script in tests/testdata is a test.
#include "tests/core/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace lh::core {
namespace {

std::vector<std::string> scripts() {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("tests/testdata", error)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class ScenarioTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ScenarioTest, goes_as_written) {
  testing::Scenario scenario;
  testing::run_script(GetParam(),
                      [&](const testing::Command& command) { return scenario.execute(command); });
}

INSTANTIATE_TEST_SUITE_P(Scripts, ScenarioTest, ::testing::ValuesIn(scripts()), [](const auto& p) {
  std::string name = std::filesystem::path(p.param).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(ScenarioScriptsTest, the_scripts_are_found) {
  EXPECT_FALSE(scripts().empty()) << "tests run in the top folder";
}

}  // namespace
}  // namespace lh::core
