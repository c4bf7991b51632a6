// Distinguished names as people write them (RFC 4514).
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
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

/// parse_name's name as DER.
Result<Bytes> name_der(std::string_view text);
/// The RFC 4514 form of a Name in DER; data_invalid when it is none or something follows it.
Result<std::string> name_text_of(ByteView der);
/// Whether two Names in DER mean the same (RFC 5280, 7.1: neither case nor additional blanks matter). data_invalid when
/// one of them is none.
Result<bool> same_name(ByteView a, ByteView b);

/// Whether a Name in DER from outside may stand in a certificate: strictly encoded, at most 64 attributes of at most
/// 1,024 bytes of text each, without control characters. data_invalid in words.
Status check_name_der(ByteView der);

/// Whether the text is well-formed UTF-8 without control characters.
bool is_utf8(std::string_view text);

}  // namespace cardea::x509
