// What a program that uses the library can choose.
#pragma once

#include <chrono>
#include <string>

namespace lh {

struct ClientOptions {
  // HOST:PORT of the file's coordinator. Any other node of the file will do too: it passes on what
  // only the coordinator knows.
  std::string coordinator = "127.0.0.1:19528";

  // How long Client::connect() waits for the coordinator to answer.
  std::chrono::milliseconds connect_timeout{5'000};
};

}  // namespace lh
