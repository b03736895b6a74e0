#include "base/config_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "base/strings.h"

namespace lh::base {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kBlanks = " \t";

std::string_view trim(std::string_view s) {
  const size_t first = s.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(kBlanks) - first + 1);
}

// The rest of the line behind *text up to its newline; advances *text behind it.
std::string_view take_line(std::string_view* text) {
  const size_t size = text->find('\n');
  std::string_view line = text->substr(0, size);
  text->remove_prefix(size == std::string_view::npos ? text->size() : size + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view without_comment(std::string_view s) {
  for (size_t i = 0; i < s.size(); ++i) {
    const bool starts = s[i] == '#' && (i == 0 || kBlanks.find(s[i - 1]) != std::string_view::npos);
    if (starts) return s.substr(0, i);
  }
  return s;
}

std::optional<std::string> parse_setting(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (!trimmed.starts_with('"')) return std::string(trim(without_comment(text)));
  std::string_view rest = trimmed;
  std::string scratch;
  std::string_view word;
  if (parse_word(&rest, &scratch, &word) != WordStatus::kOk) return std::nullopt;
  if (!trim(without_comment(rest)).empty()) return std::nullopt;
  return std::string(word);
}

std::optional<ConfigLine> parse_line(std::string_view line, int number) {
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view name = trim(line.substr(0, equals));
  const std::optional<std::string> value = parse_setting(line.substr(equals + 1));
  if (!value || name.empty() || name.find_first_of(kBlanks) != std::string_view::npos) {
    return std::nullopt;
  }
  return ConfigLine{std::string(name), *value, number};
}

Status invalid(std::string_view path, int line, const std::string& what) {
  return {StatusCode::kInvalid, std::string(path) + ":" + std::to_string(line) + ": " + what};
}

Status unreadable(const std::string& path, const char* why) {
  return {StatusCode::kInvalid, "config file " + path + " cannot be read: " + why};
}

}  // namespace

Result<std::vector<ConfigLine>> parse_config(std::string_view path, std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<ConfigLine> lines;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(&text);
    if (trim(without_comment(line)).empty()) continue;
    std::optional<ConfigLine> parsed = parse_line(line, number);
    if (!parsed) return invalid(path, number, "this line is not of the form name = value");
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const ConfigLine& earlier) {
      return earlier.name == parsed->name;
    });
    if (same != lines.end()) {
      return invalid(path, number,
                     format("%s is already set in line %d", same->name.c_str(), same->line));
    }
    lines.push_back(std::move(*parsed));
  }
  return lines;
}

Result<std::string> read_config_file(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file == nullptr) return unreadable(path, std::strerror(errno));
  std::string text(kConfigFileSizeMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return unreadable(path, std::strerror(errno));
  if (text.size() > kConfigFileSizeMax) return unreadable(path, "it is larger than 1 MiB");
  return text;
}

}  // namespace lh::base
