// The archive's index, and keys that were made elsewhere.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <limits>

#include "domain/key_import.h"
#include "http/listing.h"
#include "http/route.h"

namespace cardea::http {
namespace {

using manager::ArchivedKey;
using manager::Right;
using manager::Transaction;

constexpr std::size_t longest_pkcs12 = 256 * 1024;
constexpr std::size_t longest_password = 1024;

void wipe_text(std::string& text) {
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
}

}  // namespace

Result<HttpResponse> list_archived_keys(RequestContext& context) {
  return list_rows<ArchivedKey>(context, Right::recovery_request, &Transaction::archived_keys);
}

Result<HttpResponse> import_archived_key(RequestContext& context) {
  context.takes_secret = true;
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  manager::KeyImport wanted;
  wanted.person = reader.required_number("person", 1, std::numeric_limits<manager::Id>::max());
  wanted.pkcs12 = to_bytes(view_of(reader.required_base64("pkcs12", longest_pkcs12)));
  std::string password = reader.optional_string("password", longest_password).value_or("");
  wanted.password = SecretBytes(view_of(password));
  wipe_text(password);
  wanted.policy = reader.optional_string("policy", 128).value_or("");
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const manager::ImportedKey imported, manager::import_key(context.ports(), context.actor(), wanted));
  return created(fmt::format("/v1/certificates/{}", imported.certificate.id),
                 {{"certificate", shape(imported.certificate)}, {"key", shape(imported.key)}});
}

}  // namespace cardea::http
