// RESP answers as bytes: the types of RESP2, and those of RESP3 where a connection asked for it.
// put_bulk() writes in place, for the way that has to be fast. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.h"
#include "wire/resp.h"
#include "wire/resp_commands.h"

namespace lh::wire {

enum class RespVersion : uint8_t { k2 = 2, k3 = 3 };

// Writes answers to the end of a string. `text` of simple() has no control bytes in it; that of
// error() starts with its code, "ERR ...", and its control bytes become blanks.
class RespWriter {
 public:
  // The string outlives the writer.
  RespWriter(std::string* out, RespVersion version) : out_(out), version_(version) {}

  // The same string in another version.
  RespWriter with(RespVersion version) const { return {out_, version}; }

  void simple(std::string_view text);
  void error(std::string_view code_and_text);
  void integer(int64_t number);
  void bulk(std::string_view bytes);
  void null();
  void null_array();
  void array(size_t elements);
  // In RESP2 a map is an array of twice as many elements.
  void map(size_t entries);
  // Text for people, INFO's say.
  void verbatim(std::string_view text);

  // ---- errors with parts of the request in them.
  void unknown_command(const RespArgs& args);
  void wrong_arguments(std::string_view command);
  void unknown_subcommand(std::string_view command, std::string_view word);
  // What went wrong with a keyed request at its bucket. Bound: no kOk, no kExists, no kNotFound.
  void failure(core::Code code, BucketNo bucket);

  // What a bucket says to an operation of its own, as the command of that operation answers.
  void said(core::Op op, core::Code code, BucketNo bucket, std::string_view value);

  // COMMAND's element for a command.
  void description(const RespCommand& command);

 private:
  void refused(core::Op op, core::Code code, BucketNo bucket);
  void fields(std::string_view value);
  void common(std::string_view value);

  std::string* out_;
  RespVersion version_;
};

// A bulk string written to `to`, which has room for bulk_room(bytes.size()); returns its end.
constexpr size_t bulk_room(size_t bytes) { return bytes + 32; }
char* put_bulk(char* to, std::string_view bytes);

}  // namespace lh::wire
