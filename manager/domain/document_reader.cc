#include "domain/document_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "x509/encoding.h"

namespace cardea::manager {

namespace {

// A client's mistakes are listed as long as a person would read on.
constexpr std::size_t most_mistakes = 20;

// RFC 6901, 3: '~' and '/' stand for something else in a pointer.
std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

bool printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

void DocumentMistakes::add(std::string_view pointer, std::string_view sentence) {
  if (++count_ > most_mistakes) return;
  if (!text_.empty()) text_ += "; ";
  text_ += fmt::format("{}: {}", pointer.empty() ? "the document" : pointer, sentence);
}

Status DocumentMistakes::status() const {
  if (count_ == 0) return {};
  if (count_ > most_mistakes)
    return error(Code::arguments_bad, fmt::format("{}; and {} more", text_, count_ - most_mistakes));
  return error(Code::arguments_bad, text_);
}

std::string DocumentReader::at(std::string_view name) const {
  return pointer_ + "/" + escaped(name);
}

void DocumentReader::refuse(std::string_view name, std::string_view sentence) {
  mistakes_->add(at(name), sentence);
}

const json::value* DocumentReader::find(std::string_view name) {
  asked_.emplace_back(name);
  const json::value* found = object_->if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

bool DocumentReader::has(std::string_view name) {
  const json::value* found = object_->if_contains(name);
  return found != nullptr && !found->is_null();
}

std::string DocumentReader::text(std::string_view name, std::string_view absent, std::size_t max) {
  const json::value* found = find(name);
  if (found == nullptr) return std::string(absent);
  const json::string* text = found->if_string();
  if (text == nullptr) {
    refuse(name, "must be a text");
  } else if (text->size() > max) {
    refuse(name, fmt::format("is longer than {} bytes", max));
  } else if (!printable(*text)) {
    refuse(name, "holds control characters");
  } else {
    return std::string(*text);
  }
  return std::string(absent);
}

std::string DocumentReader::required_text(std::string_view name, std::size_t max) {
  const bool there = has(name);
  std::string text = this->text(name, "", max);
  if (!there || (text.empty() && object_->at(name).is_string() && object_->at(name).get_string().empty()))
    refuse(name, "is missing");
  return text;
}

bool DocumentReader::flag(std::string_view name, bool absent) {
  const json::value* found = find(name);
  if (found == nullptr) return absent;
  if (const bool* value = found->if_bool()) return *value;
  refuse(name, "must be true or false");
  return absent;
}

std::uint32_t DocumentReader::number(std::string_view name, std::uint32_t absent, std::uint32_t min,
                                     std::uint32_t max) {
  const json::value* found = find(name);
  if (found == nullptr) return absent;
  // Signed or unsigned depends on who wrote it; a fraction is no number here.
  boost::system::error_code problem;
  const auto value = found->to_number<std::uint64_t>(problem);
  if (!problem && !found->is_double() && value >= min && value <= max) return static_cast<std::uint32_t>(value);
  refuse(name, fmt::format("must be a whole number from {} to {}", min, max));
  return absent;
}

std::vector<std::string> DocumentReader::texts(std::string_view name, std::size_t max_count, std::size_t max) {
  std::vector<std::string> out;
  const json::array* list = find_array(name, max_count);
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const json::string* text = (*list)[i].if_string();
    if (text == nullptr || text->empty() || text->size() > max || !printable(*text))
      mistakes_->add(at(name) + "/" + std::to_string(i), fmt::format("must be a text of 1 to {} bytes", max));
    else
      out.emplace_back(*text);
  }
  return out;
}

Bytes DocumentReader::bytes(std::string_view name, std::size_t max) {
  const json::value* found = find(name);
  if (found == nullptr) return {};
  if (const json::string* text = found->if_string(); text != nullptr && text->size() <= max / 3 * 4 + 4)
    if (auto decoded = x509::from_base64({text->data(), text->size()})) return std::move(*decoded);
  refuse(name, fmt::format("must be base64 of at most {} bytes", max));
  return {};
}

json::object DocumentReader::object(std::string_view name) {
  const json::object* found = find_object(name);
  return found == nullptr ? json::object() : *found;
}

const json::object* DocumentReader::find_object(std::string_view name) {
  const json::value* found = find(name);
  if (found == nullptr) return nullptr;
  if (const json::object* inside = found->if_object()) return inside;
  refuse(name, "must be an object");
  return nullptr;
}

const json::array* DocumentReader::find_array(std::string_view name, std::size_t max_count) {
  const json::value* found = find(name);
  if (found == nullptr) return nullptr;
  const json::array* list = found->if_array();
  if (list != nullptr && list->size() <= max_count) return list;
  refuse(name, fmt::format("must be a list of at most {}", max_count));
  return nullptr;
}

const json::object* DocumentReader::element(const json::array& list, std::size_t index, std::string_view name) {
  if (const json::object* inside = list[index].if_object()) return inside;
  mistakes_->add(at(name) + "/" + std::to_string(index), "must be an object");
  return nullptr;
}

std::size_t DocumentReader::word_index(std::string_view name, std::size_t absent,
                                       std::initializer_list<std::string_view> words) {
  const json::value* found = find(name);
  if (found == nullptr) return absent;
  if (const json::string* text = found->if_string()) {
    const auto at = std::find(words.begin(), words.end(), std::string_view(text->data(), text->size()));
    if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  }
  refuse(name, fmt::format("must be one of: {}", fmt::join(words, ", ")));
  return absent;
}

void DocumentReader::finish() {
  for (const auto& member : *object_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) refuse(name, "is unknown here");
  }
}

}  // namespace cardea::manager
