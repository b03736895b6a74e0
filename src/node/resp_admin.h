// RespAdmin: the RESP commands that concern the connection or the node and no record: HELLO,
// CLIENT, SELECT, CONFIG, COMMAND, INFO and the like, with what a connection has said of itself.
// Answers at once. Owned by a RespSession, in its worker's thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/file_call.h"
#include "node/shared.h"
#include "wire/resp_answers.h"

namespace lh::node {

class RespAdmin {
 public:
  // id: of the connection, as CLIENT ID tells it.
  RespAdmin(const Shared& shared, uint64_t id) : shared_(shared), id_(id) {}

  // Bound: a command without an operation that is_admin(), with as many arguments as it takes.
  void execute(const wire::RespCommand& command, const wire::RespArgs& args, std::string* out);
  static bool is_admin(wire::RespVerb verb);

  // Whether INFO with these words behind it tells the number of records, which has to be counted
  // first.
  using Words = std::vector<std::string>;
  static bool info_counts(const Words& words);
  void info(const Words& words, const core::FileResult& file, std::string* out) const;

  wire::RespVersion version() const { return version_; }

 private:
  void hello(const wire::RespArgs& args, wire::RespWriter* writer);
  void client(const wire::RespArgs& args, wire::RespWriter* writer);
  void config(const wire::RespArgs& args, wire::RespWriter* writer) const;
  void command(const wire::RespArgs& args, wire::RespWriter* writer) const;
  bool set_name(std::string_view name, wire::RespWriter* writer);

  const Shared& shared_;
  const uint64_t id_;
  wire::RespVersion version_ = wire::RespVersion::k2;
  std::string name_;
};

}  // namespace lh::node
