// The examples of the format documents, for tests that hold them to what is written.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace lh::testing {

// The bytes of an example in src/<layer>/FORMAT.md: the hex columns of the indented lines behind
// this title.
inline std::string format_example(const std::string& layer, const std::string& title) {
  const std::string here = __FILE__;
  const std::string root = here.substr(0, here.rfind("tests/"));
  std::ifstream document(root + "src/" + layer + "/FORMAT.md");
  EXPECT_TRUE(document.is_open());
  std::string bytes;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line == "#### " + title) {
      inside = true;
    } else if (inside && line.starts_with('#')) {
      break;
    } else if (inside && line.starts_with("    ")) {
      std::istringstream words(line.substr(0, line.find('|')));
      for (unsigned byte; words >> std::hex >> byte;) bytes += static_cast<char>(byte);
    }
  }
  return bytes;
}

}  // namespace lh::testing
