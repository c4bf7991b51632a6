// RFC 7512 URIs as the command line understands them: which token, which object, and where the PIN is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cardea::p11client {

/// The parts of a URI that narrow a selection; absent parts match everything (RFC 7512, 2.4).
struct Uri {
  std::optional<std::string> token;
  std::optional<std::string> manufacturer;
  std::optional<std::string> model;
  std::optional<std::string> serial;
  std::optional<unsigned long> slot_id;
  std::optional<std::string> object;
  std::optional<Bytes> id;
  std::optional<std::string> type;         ///< "cert", "data", "private", "public" or "secret-key"
  std::optional<std::string> pin_file;     ///< from pin-source=file:… or a plain path
  std::optional<std::string> module_path;  ///< from module-path
};

/// True when the text is meant as a URI.
bool is_uri(std::string_view text);

/// Parses with p11-kit. arguments_bad in words: bad syntax, an attribute we do not know, pin-value (a PIN in the
/// argument list shows in the process list and the shell's history), pin-source with a command.
Result<Uri> parse_uri(const std::string& text);

/// The URI of a token, or of an object on it when `type` is not empty.
std::string format_uri(std::string_view label, std::string_view serial, std::string_view object, ByteView id,
                       std::string_view type);

}  // namespace cardea::p11client
