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
  wanted.pkcs12 = reader.required_secret_base64("pkcs12", longest_pkcs12);
  if (auto password = reader.optional_secret("password", longest_password)) wanted.password = std::move(*password);
  wanted.policy = reader.optional_string("policy", 128).value_or("");
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const manager::ImportedKey imported, manager::import_key(context.ports(), context.actor(), wanted));
  return created(fmt::format("/v1/certificates/{}", imported.certificate.id),
                 {{"certificate", shape(imported.certificate)}, {"key", shape(imported.key)}});
}

}  // namespace cardea::http
