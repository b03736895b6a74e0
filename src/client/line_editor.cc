#include "client/line_editor.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "client/utf8.h"
#include "wire/text.h"

namespace lh::client {
namespace {

constexpr char kEscape = '\x1b';
constexpr char kDelete = '\x7f';

constexpr char control(char letter) { return static_cast<char>(letter & 0x1f); }

size_t columns_of_text(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const CodePoint c = next_code_point(text);
    columns += columns_of(c.value);
    text.remove_prefix(c.size);
  }
  return columns;
}

bool starts_with_name(std::string_view name, std::string_view typed) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return typed.size() <= name.size() && std::equal(typed.begin(), typed.end(), name.begin(),
                                                   [&](char a, char b) { return lower(a) == b; });
}

size_t common_prefix(const std::vector<std::string>& words) {
  size_t size = words.front().size();
  for (const std::string& word : words) {
    const auto [a, b] =
        std::mismatch(word.begin(), word.end(), words.front().begin(), words.front().end());
    size = std::min(size, static_cast<size_t>(a - word.begin()));
  }
  return size;
}

}  // namespace

LineEditor::LineEditor(const History& history, std::vector<std::string> names)
    : history_(history), names_(std::move(names)) {
  start();
}

void LineEditor::start() {
  line_.clear();
  typed_.clear();
  cursor_ = 0;
  recalled_ = history_.size();
}

// ---------------------------------------------------------------------------------------- keys

LineEditor::Event LineEditor::feed(std::string_view* bytes) {
  if (!unfinished_.empty()) {
    // Rarely: a key that arrived in two parts.
    std::string joined = std::exchange(unfinished_, {});
    const size_t waiting = joined.size();
    joined.append(*bytes);
    std::string_view rest = joined;
    const Event event = take_key(&rest);
    const size_t taken = joined.size() - rest.size();
    bytes->remove_prefix(taken > waiting ? taken - waiting : 0);
    if (event != Event::kNone) return event;
  }
  while (!bytes->empty()) {
    if (const Event event = take_key(bytes); event != Event::kNone) return event;
  }
  return Event::kNone;
}

LineEditor::Event LineEditor::take_key(std::string_view* bytes) {
  const char first = bytes->front();
  if (first == kEscape) {
    if (!take_escape(bytes)) {
      unfinished_ = *bytes;
      bytes->remove_prefix(bytes->size());
    }
    return Event::kNone;
  }
  const CodePoint c = next_code_point(*bytes);
  if (c.size == 0 && is_incomplete_code_point(*bytes)) {
    unfinished_ = *bytes;
    bytes->remove_prefix(bytes->size());
    return Event::kNone;
  }
  const std::string_view text = bytes->substr(0, c.size);
  bytes->remove_prefix(std::max<size_t>(c.size, 1));
  if (c.size == 1 && (c.value < 0x20 || first == kDelete)) return take_control(first);
  if (c.value >= 0xa0 || (c.size == 1 && c.value < 0x7f)) insert(text);
  return Event::kNone;
}

LineEditor::Event LineEditor::take_control(char key) {
  switch (key) {
    case '\r':
    case '\n':
      return Event::kLine;
    case '\t':
      return complete();
    case control('C'):
      return Event::kCancel;
    case control('L'):
      return Event::kClear;
    case control('D'):
      if (line_.empty()) return Event::kEnd;
      erase(cursor_, after(cursor_));
      break;
    case control('H'):
    case kDelete:
      erase(before(cursor_), cursor_);
      break;
    case control('W'):
      erase(word_before(cursor_), cursor_);
      break;
    case control('U'):
      erase(0, cursor_);
      break;
    case control('K'):
      erase(cursor_, line_.size());
      break;
    case control('A'):
      cursor_ = 0;
      break;
    case control('E'):
      cursor_ = line_.size();
      break;
    case control('B'):
      cursor_ = before(cursor_);
      break;
    case control('F'):
      cursor_ = after(cursor_);
      break;
    case control('P'):
      if (recalled_ > 0) recall(recalled_ - 1);
      break;
    case control('N'):
      if (recalled_ < history_.size()) recall(recalled_ + 1);
      break;
    default:
      break;
  }
  return Event::kNone;
}

// ESC, then a letter (Alt), or `[` or `O` with parameters and a final byte. False when it is cut.
bool LineEditor::take_escape(std::string_view* bytes) {
  if (bytes->size() < 2) return false;
  const char kind = (*bytes)[1];
  if (kind != '[' && kind != 'O') {
    bytes->remove_prefix(kind == kEscape ? 1 : 2);
    if (kind == 'b') cursor_ = word_before(cursor_);
    if (kind == 'f') cursor_ = word_after(cursor_);
    return true;
  }
  const auto is_final = [](char c) { return c >= 0x40 && c <= 0x7e; };
  const auto final = std::find_if(bytes->begin() + 2, bytes->end(), is_final);
  if (final == bytes->end()) {
    // No key is that long: not a key, then.
    constexpr size_t kSequenceMax = 16;
    if (bytes->size() < kSequenceMax) return false;
    bytes->remove_prefix(2);
    return true;
  }
  const auto size = static_cast<size_t>(final - bytes->begin());
  on_sequence(bytes->substr(2, size - 2), *final);
  bytes->remove_prefix(size + 1);
  return true;
}

void LineEditor::on_sequence(std::string_view parameters, char final) {
  const bool by_words = parameters == "1;5" || parameters == "1;3";
  switch (final) {
    case 'A':
      take_control(control('P'));
      break;
    case 'B':
      take_control(control('N'));
      break;
    case 'C':
      cursor_ = by_words ? word_after(cursor_) : after(cursor_);
      break;
    case 'D':
      cursor_ = by_words ? word_before(cursor_) : before(cursor_);
      break;
    case 'H':
      cursor_ = 0;
      break;
    case 'F':
      cursor_ = line_.size();
      break;
    case '~':
      if (parameters == "1" || parameters == "7") cursor_ = 0;
      if (parameters == "4" || parameters == "8") cursor_ = line_.size();
      if (parameters == "3") erase(cursor_, after(cursor_));
      break;
    default:
      break;
  }
}

// ------------------------------------------------------------------------------------- editing

void LineEditor::insert(std::string_view text) {
  if (line_.size() + text.size() > wire::kLineBytesMax) return;
  line_.insert(cursor_, text);
  cursor_ += text.size();
}

void LineEditor::erase(size_t from, size_t to) {
  line_.erase(from, to - from);
  cursor_ = from;
}

size_t LineEditor::before(size_t place) const {
  while (place > 0 && (static_cast<uint8_t>(line_[--place]) & 0xc0) == 0x80) {
  }
  return place;
}

size_t LineEditor::after(size_t place) const {
  return place + next_code_point(std::string_view(line_).substr(place)).size;
}

size_t LineEditor::word_before(size_t place) const {
  while (place > 0 && line_[place - 1] == ' ') --place;
  while (place > 0 && line_[place - 1] != ' ') --place;
  return place;
}

size_t LineEditor::word_after(size_t place) const {
  while (place < line_.size() && line_[place] == ' ') ++place;
  while (place < line_.size() && line_[place] != ' ') ++place;
  return place;
}

void LineEditor::recall(size_t index) {
  if (recalled_ == history_.size()) typed_ = line_;
  recalled_ = index;
  line_ = index == history_.size() ? typed_ : history_.line(index);
  cursor_ = line_.size();
}

LineEditor::Event LineEditor::complete() {
  const std::string_view typed = std::string_view(line_).substr(0, cursor_);
  choices_.clear();
  if (typed.find(' ') != std::string_view::npos) return Event::kNone;
  for (const std::string& name : names_) {
    if (starts_with_name(name, typed)) choices_.push_back(name);
  }
  if (choices_.empty()) return Event::kNone;
  const size_t shared = common_prefix(choices_);
  if (choices_.size() > 1 && shared == typed.size()) return Event::kChoices;
  std::string word = choices_.front().substr(0, shared);
  if (choices_.size() == 1 && cursor_ == line_.size()) word.push_back(' ');
  erase(0, cursor_);
  insert(word);
  return Event::kNone;
}

// ------------------------------------------------------------------------------------- drawing

void LineEditor::draw(std::string* out, std::string_view prompt, size_t prompt_columns,
                      size_t columns) const {
  // One column stays free, so that the cursor never wraps.
  const size_t room = columns > prompt_columns + 1 ? columns - prompt_columns - 1 : 1;
  const std::string_view text = line_;
  size_t first = 0;
  size_t left_of_cursor = columns_of_text(text.substr(0, cursor_));
  while (left_of_cursor > room) {
    const CodePoint c = next_code_point(text.substr(first));
    left_of_cursor -= columns_of(c.value);
    first += c.size;
  }
  size_t last = first;
  for (size_t used = 0; last < text.size();) {
    const CodePoint c = next_code_point(text.substr(last));
    used += columns_of(c.value);
    if (used > room) break;
    last += c.size;
  }
  out->push_back('\r');
  out->append(prompt).append(text.substr(first, last - first)).append("\x1b[K\r");
  const size_t column = prompt_columns + left_of_cursor;
  if (column > 0) base::append_format(out, "\x1b[%zuC", column);
}

}  // namespace lh::client
