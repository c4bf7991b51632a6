// Choosing objects on a token: by URI, by "id:HEX", by label, or by --label and --id.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/connection.h"

namespace cardea::cli {

/// What the arguments said about the object. All parts given must fit.
struct ObjectChoice {
  std::string name;   ///< the positional argument: URI, id:HEX or label
  std::string label;  ///< --label
  std::string id;     ///< --id, hexadecimal
  bool empty() const { return name.empty() && label.empty() && id.empty(); }
};

/// Adds the positional argument and --label and --id.
void add_object_options(const Command& command, ObjectChoice& choice, const std::string& what);

/// The label and id that the choice and the context's URI name.
struct Wanted {
  std::optional<std::string> label;
  std::optional<Bytes> id;
};
Result<Wanted> wanted_object(const Context& context, const ObjectChoice& choice);

/// Must run before connect(): a URI in the positional argument also selects the token.
Status take_choice(Context& context, const ObjectChoice& choice);

/// Objects of a class that fit; all of the class when nothing was chosen.
Result<std::vector<CK_OBJECT_HANDLE>> find_objects(const Session& session, const Wanted& wanted,
                                                   CK_OBJECT_CLASS of_class);

/// The one private or secret key that fits. not_found or arguments_bad in words, with the keys there are.
Result<CK_OBJECT_HANDLE> find_key(const Session& session, const Wanted& wanted);

/// The one public key that fits, else the one secret key: what verifies and encrypts. not_found or arguments_bad in
/// words.
Result<CK_OBJECT_HANDLE> find_public_or_secret_key(const Session& session, const Wanted& wanted);

/// The public key with the CKA_ID of this key; not_found in words.
Result<CK_OBJECT_HANDLE> public_half(const Session& session, CK_OBJECT_HANDLE key);

/// Hexadecimal from the command line, with or without colons. arguments_bad in words.
Result<Bytes> parse_hex(std::string_view text, std::string_view option);

/// The word of RFC 7512 for an object's class; empty for classes it does not know.
std::string uri_type(CK_OBJECT_CLASS of_class);

/// The object's URI.
std::string object_uri(const Session& session, CK_OBJECT_HANDLE object);

}  // namespace cardea::cli
