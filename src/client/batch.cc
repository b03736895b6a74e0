#include "client/batch.h"

#include <string_view>

#include "client/command.h"
#include "client/line_input.h"
#include "wire/text.h"
#include "wire/text_answers.h"

namespace lh::client {

Outcome run_batch(Session& session, Runner& runner, Output& out, int input_fd) {
  LineInput input(input_fd, wire::kLineBytesMax, [&] {
    out.flush();
    session.wait_readable(input_fd);
  });
  CommandParser parser;
  Outcome outcome = Outcome::kDone;
  std::string_view line;
  LineInput::Outcome read;
  while ((read = input.next(&line)) == LineInput::Outcome::kLine && out.status().ok()) {
    const Command& command = parser.parse_line(line);
    if (command.is_quit()) break;
    outcome = worse(outcome, runner.run(command));
    out.flush_if_full();
  }
  if (read == LineInput::Outcome::kTooLong) wire::append_error(out.text(), "line too long");
  if (read == LineInput::Outcome::kFailed) wire::append_error(out.text(), "cannot read the input");
  const bool whole = read == LineInput::Outcome::kLine || read == LineInput::Outcome::kEnd;
  out.flush();
  return whole ? outcome : worse(outcome, Outcome::kFailed);
}

}  // namespace lh::client
