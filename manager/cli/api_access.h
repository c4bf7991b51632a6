// What the commands that talk to the manager have in common: asking, lists, rows, names instead of numbers.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/context.h"

namespace cardea::cli {

/// Asks the manager and answers the body. A problem is an error whose sentence is complete.
Result<boost::json::value> ask_manager(Context& context, std::string_view method, const std::string& path,
                                       const std::optional<boost::json::object>& body = {});

/// The same with a body that holds secrets and lies in wiping memory; no copy of it stays behind.
Result<boost::json::value> ask_manager_with_secret(Context& context, std::string_view method, const std::string& path,
                                                   const boost::json::object& body);

/// One thing at the manager as it was read, and the entity tag of what was read (RFC 9110, 8.8.3), without its quotes.
struct ReadObject {
  std::string path;
  boost::json::value value;
  std::string etag;
};
Result<ReadObject> read_object(Context& context, const std::string& path);

/// Whose change counts: --if-match.
struct ChangeCondition {
  std::string etag;  ///< of what the user has looked at; "*": whatever is there; empty: of what is there now
};
void add_change_condition(const Command& command, ChangeCondition& condition);

/// Sends a change of what was read and prints what it is now. key_changed, in words, when somebody else changed it
/// since.
Status change_object(Context& context, std::string_view method, const ReadObject& read, const boost::json::object& body,
                     const ChangeCondition& condition);
/// The same, of what stands at `path`, which is read first unless the condition says what was.
Status change_object(Context& context, std::string_view method, const std::string& path,
                     const boost::json::object& body, const ChangeCondition& condition);

/// One piece of a text that is longer than an answer, and where the next begins; empty: nowhere.
struct TextPiece {
  std::string text;
  std::string next;
};
Result<TextPiece> ask_manager_for_text(Context& context, const std::string& path);

/// A column of a list: its header and the member it shows.
struct Column {
  std::string header;
  std::string member;
};

/// What narrows a list on the command line.
struct ListOptions {
  std::string search;
  std::string state;
  std::string kind;
  std::string person;
  std::string token;
  std::string from;
  std::string to;
  std::size_t limit = 200;
};
void add_list_options(const Command& command, ListOptions& options, const std::vector<std::string_view>& names);

/// Prints a list, page after page up to the limit; as JSON the same as {"items": […]}.
Status print_list(Context& context, const std::string& path, const ListOptions& options,
                  const std::vector<Column>& columns);

/// Prints one object: a line a member, or JSON.
Status print_object(Context& context, const boost::json::value& value);
/// Asks and prints; of what can be changed also its entity tag, as the member "etag".
Status show_object(Context& context, std::string_view method, const std::string& path,
                   const std::optional<boost::json::object>& body = {});

/// The id of what is called so: a number is one, other texts are looked for by exact `member` in the list at `path`.
/// not_found in words.
Result<std::int64_t> find_id(Context& context, const std::string& path, std::string_view member,
                             const std::string& name);
Result<std::int64_t> find_person(Context& context, const std::string& name);
/// A token by its serial number, which may be digits alone; only where none has it, by its id.
Result<std::int64_t> find_token(Context& context, const std::string& serial);

/// The text that an object has by that name; empty for anything else.
std::string text_of_member(const boost::json::value& object, std::string_view name);

/// The object in a JSON file; data_invalid in words.
Result<boost::json::object> read_json_file(const std::string& file);

/// "name=value" words as an object of texts; arguments_bad for a word without "=".
Result<boost::json::object> read_pairs(const std::vector<std::string>& words);

/// Adds the member when the text is not empty.
void put_text(boost::json::object& object, std::string_view name, const std::string& value);

}  // namespace cardea::cli
