// What RESP connections ask about the keys of the whole file: KEYS, SCAN, RANDOMKEY.
#include <utility>

#include "core/change.h"
#include "core/limits.h"
#include "node/resp_keys.h"
#include "node/resp_session.h"

namespace lh::node {

struct RespSession::Keys final : Answer::Work {
  Keys(const wire::RespCommand& spec, ResultBudget& budget) : command(spec), share(budget) {}

  const wire::RespCommand& command;
  RespKeys request;
  size_t count = 0;
  std::string text;  // the keys, as bulk strings
  ResultShare share;
  bool given_up = false;
};

// Bound: the whole answer, and of all that are under way together what the node has for results.
bool RespSession::execute_keys(const Entry& entry) {
  if (!answers().empty()) return wait();
  RespKeys request = read_keys(*entry.command, entry.args, worker().chance());
  if (!request.error.empty()) return answer_error(request.error);
  auto work = std::make_unique<Keys>(*entry.command, worker().shared().results);
  work->request = request;
  call(request.file, std::move(work));
  return true;
}

void RespSession::append_scan_piece(Answer* answer, const core::ScanReply& piece) {
  auto* keys = dynamic_cast<Keys*>(answer->work.get());  // counts come in pieces, too
  if (keys == nullptr || keys->given_up) return;
  core::ChangeReader records(piece.matches);
  for (core::Change change; records.next(&change);) {
    if (!keys->request.wants_one || keys->count == 0) writer(&keys->text).bulk(change.key);
    ++keys->count;
  }
  if (keys->text.size() <= core::kScanResultBytesMax && keys->share.set(keys->text.size())) return;
  keys->given_up = true;
  keys->text = {};
  keys->share.set(0);
}

bool RespSession::append_keys(Answer* answer, const core::FileResult& result) {
  auto* keys = dynamic_cast<Keys*>(answer->work.get());
  if (keys == nullptr) return false;
  core::FileRequest& asked = keys->request.file;
  const bool ends = result.done_up_to == ~ReversedHash{0};
  wire::RespWriter w = writer(&answer->text);
  if (keys->given_up) {
    w.error("ERR too many keys: try again later, or narrow the pattern");
  } else if (keys->command.verb == wire::RespVerb::kRandomkey) {
    // From a point by chance to the end, and then once more from the beginning.
    const bool is_last = ends && std::exchange(keys->request.has_wrapped, ends);
    if (keys->count == 0 && !is_last) {
      asked.from = ends ? 0 : result.done_up_to + 1;
      call_again(answer, asked);
      return true;
    }
    if (keys->count == 0) w.null();
    answer->text.append(keys->text);
  } else {
    if (keys->command.verb == wire::RespVerb::kScan) {
      w.array(2);
      w.bulk(std::to_string(ends ? 0 : result.done_up_to + 1));
    }
    w.array(keys->count);
    answer->text.append(keys->text);
  }
  answer->work.reset();
  return true;
}

}  // namespace lh::node
