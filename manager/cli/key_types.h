// The kinds of keys by the words people use for them: "rsa:2048", "ec:P-256", "ed25519", "ml-dsa-65", "aes:256".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "cli/p11.h"

namespace cardea::cli {

/// How a key of this kind is made.
struct KeyType {
  std::string_view word;  ///< as typed and shown
  CK_KEY_TYPE type;
  CK_MECHANISM_TYPE mechanism;
  std::string_view parameter;  ///< CKA_EC_PARAMS in hexadecimal; empty otherwise
  CK_ULONG number;             ///< modulus bits, value bytes or parameter set; 0 otherwise
  std::string_view usage;      ///< what it may be used for unless told otherwise

  bool is_secret() const { return type == CKK_AES || type == CKK_GENERIC_SECRET; }
};

/// All kinds, for help texts and completion.
const std::vector<KeyType>& key_types();

/// By its word, upper or lower case. arguments_bad with the list of words.
Result<KeyType> find_key_type(std::string_view word);

/// What a key on a token is, in the same words; the standard's name for kinds not in the table.
std::string describe_key(const Session& session, CK_OBJECT_HANDLE key);

/// Words for --usage, and the attribute each sets: on the private or secret half, and on the public half.
struct Usage {
  std::string_view word;
  CK_ATTRIBUTE_TYPE attribute;
  std::optional<CK_ATTRIBUTE_TYPE> public_attribute;
};
const std::vector<Usage>& usages();

/// Parses "sign,decrypt". arguments_bad with the list of words.
Result<std::vector<Usage>> parse_usage(std::string_view text);

/// The usages a key has, joined by commas.
std::string describe_usage(const Session& session, CK_OBJECT_HANDLE key);

}  // namespace cardea::cli
