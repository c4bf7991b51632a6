// Distinguished names as people write them (RFC 4514).
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cardea::x509 {

struct FreeName {
  void operator()(X509_NAME* name) const;
};
using NamePtr = std::unique_ptr<X509_NAME, FreeName>;

/// "CN=Alice,O=Example" → a name. As RFC 4514, 2.1 wants it, the text begins with the last component. Attribute types
/// are those of RFC 4514, any short name OpenSSL knows, or an OID; arguments_bad says what is not understood.
Result<NamePtr> parse_name(std::string_view text);

/// The name in RFC 4514 form.
std::string name_text(const X509_NAME* name);

}  // namespace cardea::x509
