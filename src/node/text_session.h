// TextSession: a connection that speaks command lines (pipelined_session.h). A long listing is
// printed in portions, as its reader reads.
#pragma once

#include <string>
#include <string_view>

#include "link/answers.h"
#include "node/pipelined_session.h"
#include "wire/text.h"

namespace lh::node {

class TextSession final : public PipelinedSession {
 public:
  TextSession(Worker& worker, LinkToken token, net::Socket socket, std::string_view unread);

 private:
  // A question about the whole file.
  struct Listing;

  size_t take(std::string_view unread) override;
  void answer_unfinished() override;
  void append_done(Answer* answer, const core::Completion& done) override;
  void append_scan_piece(Answer* answer, const core::ScanReply& piece) override;
  void append_call_done(Answer* answer, const core::FileResult& result) override;
  bool print_rest(Answer* answer) override;
  size_t result_bytes() const override;

  // False when the command has to wait; it is parsed again later.
  bool execute(const wire::TextCommand& command);
  bool execute_keyed(const wire::TextCommand& command, core::Op op);
  bool execute_call(const core::FileRequest& request);

  wire::TextParser parser_;
  std::string text_;  // scratch
};

}  // namespace lh::node
