// Reading JSON bodies. Every member is asked for by name and kind; whatever is wrong is collected, so that a client
// learns of all its mistakes at once, and members that nobody asked for are mistakes too.
#pragma once

#include <boost/json/fwd.hpp>
#include <boost/json/storage_ptr.hpp>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "http/problem.h"

namespace cardea::http {

/// Parses a body. data_invalid for anything but one JSON object (RFC 8259) in UTF-8, nested at most 32 deep, without
/// repeated members. All that is kept of it on the way and afterwards is in `memory`.
Result<boost::json::object> parse_object(std::string_view body, const boost::json::storage_ptr& memory = {});

/// Reads the members of one object. The object must outlive it. Values of members that are wrong are the defaults, so
/// a handler asks for all it needs, then calls done(), and uses the values only when that succeeded.
class JsonReader {
 public:
  /// `errors` collects what is wrong; `pointer` is the JSON pointer of this object.
  JsonReader(const boost::json::object& object, std::vector<FieldError>& errors, std::string pointer = "");
  ~JsonReader();
  JsonReader(JsonReader&&) noexcept;
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;
  JsonReader& operator=(JsonReader&&) = delete;

  /// Text of 1 to `max` bytes without control characters.
  std::string required_string(std::string_view name, std::size_t max);
  /// The same, or nothing when it is absent or null.
  std::optional<std::string> optional_string(std::string_view name, std::size_t max);
  /// Text with line breaks and tabs allowed, as PEM is.
  std::string required_text(std::string_view name, std::size_t max);
  std::optional<std::string> optional_text(std::string_view name, std::size_t max);
  /// One of a few words.
  std::string required_word(std::string_view name, std::initializer_list<std::string_view> words);
  std::optional<std::string> optional_word(std::string_view name, std::initializer_list<std::string_view> words);

  std::int64_t required_number(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<std::int64_t> optional_number(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<bool> optional_bool(std::string_view name);
  bool required_bool(std::string_view name);

  /// A list of texts; empty when it is absent.
  std::vector<std::string> strings(std::string_view name, std::size_t max_count, std::size_t max_length);
  /// A list of whole numbers; empty when it is absent.
  std::vector<std::int64_t> numbers(std::string_view name, std::size_t max_count, std::int64_t least,
                                    std::int64_t most);
  /// Members whose names the client chooses, each a text.
  std::vector<std::pair<std::string, std::string>> string_map(std::string_view name, std::size_t max_count,
                                                              std::size_t max_length);
  /// Binary data in base64 (RFC 4648, 4); what is required is not empty.
  std::string required_base64(std::string_view name, std::size_t max);
  std::optional<std::string> optional_base64(std::string_view name, std::size_t max);

  /// The same as optional_string() and required_base64(), without a copy in memory that is not wiped.
  std::optional<SecretBytes> optional_secret(std::string_view name, std::size_t max);
  SecretBytes required_secret_base64(std::string_view name, std::size_t max);

  /// An object inside; nothing when it is absent.
  std::optional<JsonReader> optional_object(std::string_view name);
  /// The objects of a list; empty when it is absent.
  std::vector<JsonReader> objects(std::string_view name, std::size_t max_count);
  /// Whether the member is there and not null; it counts as asked for.
  bool has(std::string_view name);
  /// The member as it is, for a layer below to read; null when absent.
  const boost::json::value* raw(std::string_view name);

  /// Adds a mistake about a member of this object.
  void refuse(std::string_view name, std::string sentence);

  /// Names the members that nobody asked for as mistakes; for objects inside, when all of theirs were asked for.
  void finish();
  /// finish(), then data_invalid when anything was wrong here or inside; for the outermost, last.
  Status done();

 private:
  const boost::json::value* take(std::string_view name, bool required);
  std::string pointer_of(std::string_view name) const;
  /// The text of a member; absent when there is none or it is refused.
  std::optional<std::string_view> text_member(std::string_view name, std::size_t max, bool required, bool breaks);

  const boost::json::object* object_;
  std::vector<FieldError>* errors_;
  std::string pointer_;
  std::vector<std::string> asked_;
};

/// base64 (RFC 4648, 4), with padding.
std::string to_base64(std::string_view bytes);
/// Its inverse; nothing when it is not canonical base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace cardea::http
