// Reads documents (profiles, certificate policies, results of steps): each member by name and type, all mistakes
// collected with their JSON pointers (RFC 6901).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::manager {

namespace json = boost::json;

/// What is wrong with a document, each with its pointer.
class DocumentMistakes {
 public:
  void add(std::string_view pointer, std::string_view sentence);
  bool empty() const noexcept { return count_ == 0; }
  /// Success, or arguments_bad whose detail is "/pointer: sentence; /pointer: sentence …".
  Status status() const;

 private:
  std::string text_;
  std::size_t count_ = 0;
};

/// One object of a document. Members that are wrong are named in the mistakes and read as the default, so that all of
/// a document is looked at. The object must outlive its reader. finish() names the members that nobody asked for.
class DocumentReader {
 public:
  DocumentReader(const json::object& object, DocumentMistakes& mistakes, std::string pointer = {})
      : object_(&object), mistakes_(&mistakes), pointer_(std::move(pointer)) {}

  bool has(std::string_view name);
  std::string text(std::string_view name, std::string_view absent, std::size_t max = 256);
  std::string required_text(std::string_view name, std::size_t max = 256);
  bool flag(std::string_view name, bool absent);
  std::uint32_t number(std::string_view name, std::uint32_t absent, std::uint32_t min, std::uint32_t max);
  /// The index of the word.
  template <class Enum>
  Enum word(std::string_view name, Enum absent, std::initializer_list<std::string_view> words) {
    return static_cast<Enum>(word_index(name, static_cast<std::size_t>(absent), words));
  }
  std::vector<std::string> texts(std::string_view name, std::size_t max_count = 64, std::size_t max = 256);
  /// base64; the default is empty.
  Bytes bytes(std::string_view name, std::size_t max);
  /// Empty when absent or no object.
  json::object object(std::string_view name);
  /// Reads the object inside, if it is there, by `read(DocumentReader&)`.
  template <class Read>
  void inside(std::string_view name, Read&& read) {
    if (const json::object* found = find_object(name)) {
      DocumentReader reader(*found, *mistakes_, at(name));
      read(reader);
      reader.finish();
    }
  }
  /// Reads each object of a list.
  template <class Read>
  void each(std::string_view name, std::size_t max_count, Read&& read) {
    const json::array* list = find_array(name, max_count);
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      const json::object* found = element(*list, i, name);
      if (found == nullptr) continue;
      DocumentReader reader(*found, *mistakes_, at(name) + "/" + std::to_string(i));
      read(reader);
      reader.finish();
    }
  }
  /// A mistake at a member of this object.
  void refuse(std::string_view name, std::string_view sentence);
  void finish();
  std::string at(std::string_view name) const;

 private:
  const json::value* find(std::string_view name);
  const json::object* find_object(std::string_view name);
  const json::array* find_array(std::string_view name, std::size_t max_count);
  const json::object* element(const json::array& list, std::size_t index, std::string_view name);
  std::size_t word_index(std::string_view name, std::size_t absent, std::initializer_list<std::string_view> words);

  const json::object* object_;
  DocumentMistakes* mistakes_;
  std::string pointer_;
  std::vector<std::string> asked_;
};

}  // namespace cardea::manager
