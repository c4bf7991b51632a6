#include "http/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/json.hpp>

namespace cardea::http {
namespace {

namespace json = boost::json;

constexpr std::size_t deepest = 32;
constexpr std::size_t most_errors = 50;

// The parser keeps the last of repeated members and says nothing, so two readers of one body could understand it
// differently (RFC 8259, 4). What was parsed then has fewer members than the text has colons outside of strings.
std::size_t members_in(const json::value& value) {
  std::size_t count = 0;
  if (const json::object* object = value.if_object()) {
    for (const auto& member : *object) count += 1 + members_in(member.value());
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) count += members_in(item);
  }
  return count;
}

bool has_repeated_members(std::string_view text, const json::value& value) {
  std::size_t colons = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && in_string) {
      ++at;
    } else if (text[at] == '"') {
      in_string = !in_string;
    } else if (text[at] == ':' && !in_string) {
      ++colons;
    }
  }
  return colons != members_in(value);
}

bool has_control_characters(std::string_view text, bool breaks) {
  return std::ranges::any_of(text, [breaks](unsigned char letter) {
    if (breaks && (letter == '\n' || letter == '\r' || letter == '\t')) return false;
    return letter < 0x20 || letter == 0x7F;
  });
}

// The parser unescapes texts in a buffer of 4 KiB on the stack, where a secret would stay until something else comes to
// lie there.
[[gnu::noinline]] void wipe_stack() {
  std::array<Byte, 16 * 1024> room;
  wipe(room);
}

std::string list_words(std::initializer_list<std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", word);
  return list;
}

}  // namespace

Result<json::object> parse_object(std::string_view body, const json::storage_ptr& memory) {
  json::parse_options options;
  options.max_depth = deepest;
  json::error_code failed;
  json::parser parser(memory, options);
  parser.reset(memory);
  parser.write(body.data(), body.size(), failed);
  wipe_stack();
  if (failed) return error(Code::data_invalid, fmt::format("the body is not JSON: {}", failed.message()));
  json::value value = parser.release();
  if (!value.is_object()) return error(Code::data_invalid, "the body must be one JSON object");
  if (has_repeated_members(body, value)) return error(Code::data_invalid, "a member appears twice in an object");
  return std::move(value.get_object());
}

JsonReader::JsonReader(const json::object& object, std::vector<FieldError>& errors, std::string pointer)
    : object_(&object), errors_(&errors), pointer_(std::move(pointer)) {}
JsonReader::~JsonReader() = default;
JsonReader::JsonReader(JsonReader&&) noexcept = default;

// RFC 6901, 3: "~" and "/" inside a name are escaped.
std::string JsonReader::pointer_of(std::string_view name) const {
  std::string out = pointer_ + "/";
  for (const char letter : name) {
    if (letter == '~') {
      out += "~0";
    } else if (letter == '/') {
      out += "~1";
    } else {
      out += letter;
    }
  }
  return out;
}

void JsonReader::refuse(std::string_view name, std::string sentence) {
  // Nobody reads more, and a body of nothing but unknown members would be answered at many times its size.
  if (errors_->size() == most_errors) return;
  errors_->push_back({pointer_of(name), std::move(sentence)});
}

const json::value* JsonReader::take(std::string_view name, bool required) {
  asked_.emplace_back(name);
  const json::value* value = object_->if_contains(name);
  if (value != nullptr && !value->is_null()) return value;
  if (required) refuse(name, "This member is required.");
  return nullptr;
}

std::optional<std::string_view> JsonReader::text_member(std::string_view name, std::size_t max, bool required,
                                                        bool breaks) {
  const json::value* value = take(name, required);
  if (value == nullptr) return std::nullopt;
  const json::string* text = value->if_string();
  if (text == nullptr || text->empty() || text->size() > max || has_control_characters(*text, breaks)) {
    refuse(name, fmt::format("It must be a text of 1 to {} bytes without control characters.", max));
    return std::nullopt;
  }
  return std::string_view(*text);
}

std::string JsonReader::required_string(std::string_view name, std::size_t max) {
  return std::string(text_member(name, max, true, false).value_or(""));
}
std::optional<std::string> JsonReader::optional_string(std::string_view name, std::size_t max) {
  const auto text = text_member(name, max, false, false);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}
std::string JsonReader::required_text(std::string_view name, std::size_t max) {
  return std::string(text_member(name, max, true, true).value_or(""));
}
std::optional<std::string> JsonReader::optional_text(std::string_view name, std::size_t max) {
  const auto text = text_member(name, max, false, true);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}
std::optional<SecretBytes> JsonReader::optional_secret(std::string_view name, std::size_t max) {
  const auto text = text_member(name, max, false, false);
  return text ? std::optional(SecretBytes(view_of(*text))) : std::nullopt;
}

std::optional<std::string> JsonReader::optional_word(std::string_view name,
                                                     std::initializer_list<std::string_view> words) {
  const json::value* value = take(name, false);
  if (value == nullptr) return std::nullopt;
  const json::string* text = value->if_string();
  if (text == nullptr || std::ranges::find(words, std::string_view(*text)) == words.end()) {
    refuse(name, fmt::format("It must be one of {}.", list_words(words)));
    return std::nullopt;
  }
  return std::string(*text);
}

std::string JsonReader::required_word(std::string_view name, std::initializer_list<std::string_view> words) {
  const json::value* value = object_->if_contains(name);
  if (value == nullptr || value->is_null()) {
    asked_.emplace_back(name);
    refuse(name, fmt::format("This member is required: one of {}.", list_words(words)));
    return "";
  }
  return optional_word(name, words).value_or("");
}

std::optional<std::int64_t> JsonReader::optional_number(std::string_view name, std::int64_t least, std::int64_t most) {
  const json::value* value = take(name, false);
  if (value == nullptr) return std::nullopt;
  json::error_code failed;
  const auto number = value->is_number() ? value->to_number<std::int64_t>(failed) : 0;
  if (!value->is_number() || value->is_double() || failed || number < least || number > most) {
    refuse(name, fmt::format("It must be a whole number from {} to {}.", least, most));
    return std::nullopt;
  }
  return number;
}

std::int64_t JsonReader::required_number(std::string_view name, std::int64_t least, std::int64_t most) {
  if (take(name, true) == nullptr) return least;
  return optional_number(name, least, most).value_or(least);
}

std::optional<bool> JsonReader::optional_bool(std::string_view name) {
  const json::value* value = take(name, false);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  refuse(name, "It must be true or false.");
  return std::nullopt;
}

bool JsonReader::required_bool(std::string_view name) {
  if (take(name, true) == nullptr) return false;
  return optional_bool(name).value_or(false);
}

std::vector<std::string> JsonReader::strings(std::string_view name, std::size_t max_count, std::size_t max_length) {
  const json::value* value = take(name, false);
  if (value == nullptr) return {};
  std::vector<std::string> list;
  const json::array* array = value->if_array();
  bool good = array != nullptr && array->size() <= max_count;
  for (std::size_t i = 0; good && i < array->size(); ++i) {
    const json::string* text = (*array)[i].if_string();
    good = text != nullptr && !text->empty() && text->size() <= max_length && !has_control_characters(*text, false);
    if (good) list.emplace_back(*text);
  }
  if (good) return list;
  refuse(name, fmt::format("It must be a list of at most {} texts of 1 to {} bytes.", max_count, max_length));
  return {};
}

std::vector<std::pair<std::string, std::string>> JsonReader::string_map(std::string_view name, std::size_t max_count,
                                                                        std::size_t max_length) {
  const json::value* value = take(name, false);
  if (value == nullptr) return {};
  std::vector<std::pair<std::string, std::string>> map;
  const json::object* object = value->if_object();
  bool good = object != nullptr && object->size() <= max_count;
  if (good) {
    for (const auto& [key, member] : *object) {
      const json::string* text = member.if_string();
      good = good && text != nullptr && !key.empty() && key.size() <= 64 && text->size() <= max_length &&
             !has_control_characters(*text, false) && !has_control_characters(key, false);
      if (good) map.emplace_back(key, *text);
    }
  }
  if (good) return map;
  refuse(name, fmt::format("It must be an object of at most {} texts of at most {} bytes.", max_count, max_length));
  return {};
}

std::optional<std::string> JsonReader::optional_base64(std::string_view name, std::size_t max) {
  const json::value* value = take(name, false);
  if (value == nullptr) return std::nullopt;
  const json::string* text = value->if_string();
  auto bytes = text == nullptr ? std::nullopt : from_base64(*text);
  if (bytes && bytes->size() <= max) return bytes;
  refuse(name, fmt::format("It must be at most {} bytes in base64 with padding.", max));
  return std::nullopt;
}

std::string JsonReader::required_base64(std::string_view name, std::size_t max) {
  if (take(name, true) == nullptr) return "";
  const auto bytes = optional_base64(name, max);
  if (bytes && bytes->empty()) refuse(name, "It must not be empty.");
  return bytes.value_or("");
}

SecretBytes JsonReader::required_secret_base64(std::string_view name, std::size_t max) {
  namespace base64 = boost::beast::detail::base64;
  const json::value* value = take(name, true);
  if (value == nullptr) return {};
  const json::string* text = value->if_string();
  if (text != nullptr && text->size() % 4 == 0 && text->size() <= base64::encoded_size(max)) {
    SecretBytes bytes(base64::decoded_size(text->size()));
    bytes.truncate(base64::decode(bytes.data(), text->data(), text->size()).first);
    SecretBytes again(base64::encoded_size(bytes.size()));
    again.truncate(base64::encode(again.data(), bytes.data(), bytes.size()));
    if (!bytes.empty() && bytes.size() <= max && text_of(again.view()) == std::string_view(*text)) return bytes;
  }
  refuse(name, fmt::format("It must be 1 to {} bytes in base64 with padding.", max));
  return {};
}

std::optional<JsonReader> JsonReader::optional_object(std::string_view name) {
  const json::value* value = take(name, false);
  if (value == nullptr) return std::nullopt;
  if (const json::object* object = value->if_object()) return JsonReader(*object, *errors_, pointer_of(name));
  refuse(name, "It must be an object.");
  return std::nullopt;
}

std::vector<JsonReader> JsonReader::objects(std::string_view name, std::size_t max_count) {
  const json::value* value = take(name, false);
  if (value == nullptr) return {};
  const json::array* array = value->if_array();
  if (array == nullptr || array->size() > max_count ||
      !std::ranges::all_of(*array, [](const json::value& item) { return item.is_object(); })) {
    refuse(name, fmt::format("It must be a list of at most {} objects.", max_count));
    return {};
  }
  std::vector<JsonReader> readers;
  for (std::size_t i = 0; i < array->size(); ++i)
    readers.emplace_back((*array)[i].get_object(), *errors_, fmt::format("{}/{}", pointer_of(name), i));
  return readers;
}

bool JsonReader::has(std::string_view name) {
  return take(name, false) != nullptr;
}

const json::value* JsonReader::raw(std::string_view name) {
  return take(name, false);
}

std::vector<std::int64_t> JsonReader::numbers(std::string_view name, std::size_t max_count, std::int64_t least,
                                              std::int64_t most) {
  const json::value* value = take(name, false);
  if (value == nullptr) return {};
  std::vector<std::int64_t> list;
  const json::array* array = value->if_array();
  bool good = array != nullptr && array->size() <= max_count;
  for (std::size_t i = 0; good && i < array->size(); ++i) {
    const std::int64_t* number = (*array)[i].if_int64();
    good = number != nullptr && *number >= least && *number <= most;
    if (good) list.push_back(*number);
  }
  if (good) return list;
  refuse(name, fmt::format("It must be a list of at most {} whole numbers from {} to {}.", max_count, least, most));
  return {};
}

void JsonReader::finish() {
  for (const auto& member : *object_) {
    if (std::ranges::find(asked_, member.key()) == asked_.end()) refuse(member.key(), "This member is not known here.");
  }
}

Status JsonReader::done() {
  finish();
  if (errors_->empty()) return {};
  return error(Code::data_invalid, fmt::format("{}: {}", errors_->front().pointer, errors_->front().detail));
}

std::string to_base64(std::string_view bytes) {
  namespace base64 = boost::beast::detail::base64;
  std::string out(base64::encoded_size(bytes.size()), '\0');
  out.resize(base64::encode(out.data(), bytes.data(), bytes.size()));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  namespace base64 = boost::beast::detail::base64;
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out(base64::decoded_size(text.size()), '\0');
  out.resize(base64::decode(out.data(), text.data(), text.size()).first);
  // What encodes back to something else had letters outside the alphabet or bits set that mean nothing.
  if (to_base64(out) != text) return std::nullopt;
  return out;
}

}  // namespace cardea::http
