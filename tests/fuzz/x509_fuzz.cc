// X.509 from outside: certificate requests, certificates and alternative names. The first byte chooses.
#include <cstdlib>

#include "base/bytes.h"
#include "embedded/alternative_names.h"
#include "x509/certificate_view.h"
#include "x509/name.h"
#include "x509/request_reader.h"

using namespace cardea;

namespace {

void request(ByteView der) {
  const auto key_info = x509::request_key_info(der);
  const auto read = x509::read_request(der);
  // What was accepted whole is also accepted in part, and says the same.
  if (read && (!key_info || !same_bytes(*key_info, read->key_info))) std::abort();
  if (!read) return;
  for (const x509::Extension& extension : read->extensions) (void)x509::dotted(extension.oid);
}

void certificate(ByteView der) {
  const auto seen = x509::view_certificate(der);
  if (!seen) return;
  (void)x509::key_bits(seen->key_info);
  (void)x509::name_text_of(seen->subject);
  const auto same = x509::same_name(seen->subject, seen->subject);
  if (!same || !*same) std::abort();
}

void names(ByteView der) {
  const auto decoded = ca::decode_alternative_names(der);
  if (!decoded || !decoded->complete) return;
  // Names that can be written again are the same afterwards.
  const auto encoded = ca::encode_alternative_names(decoded->names);
  if (!encoded) return;
  const auto again = ca::decode_alternative_names(*encoded);
  if (!again || !ca::same_alternative_names(decoded->names, again->names)) std::abort();
}

void name(ByteView text) {
  const auto der = x509::name_der(text_of(text));
  if (!der) return;
  if (!x509::name_text_of(*der)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0]) {
    case 'r':
      request(rest);
      break;
    case 'c':
      certificate(rest);
      break;
    case 'a':
      names(rest);
      break;
    case 'n':
      name(rest);
      break;
    default:
      break;
  }
  return 0;
}
