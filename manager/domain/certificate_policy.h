// Certificate policies: what of an authority's profiles is used here, and where certificate attributes come from
// (requirements C1, C2).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/ca_connector.h"
#include "domain/model.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// Where live or recovered keys of a policy may be put (K3).
enum class KeyStorage : std::uint8_t { hardware, software, both, none };

/// Where a value comes from: "person.email", "person.attributes.upn", "token.serial", or "=text" for a fixed one.
struct AttributeSource {
  std::string from;
  bool optional = false;  ///< left out when the source is empty; otherwise that is a mistake
};
struct MappedName {
  std::string type;  ///< of a DN attribute (CN, OU, …) or an alternative name (email, upn, …)
  AttributeSource source;
};

/// A policy's document, read.
struct PolicyRules {
  std::string display_name;
  std::string description;
  bool allow_identity_mapping = false;
  bool reverse_dn = false;  ///< the subject's attributes in the opposite order
  bool archive_keys = false;
  bool automatic_renewal = true;
  bool requires_validation = false;  ///< an operator approves before the CA is asked
  std::uint32_t lifetime_days = 0;   ///< 0: the CA's; capped by it anyway
  KeyStorage certificate_storage = KeyStorage::both;
  KeyStorage recovery_storage = KeyStorage::both;
  std::vector<MappedName> subject;  ///< most significant first, as RFC 4514 writes the last
  std::vector<MappedName> alternative_names;
  std::optional<AttributeSource> sid;
  std::optional<AttributeSource> naci_pending;
};

/// Reads and checks a document; a mapping that cannot work is refused here, in words. arguments_bad as read_profile.
Result<PolicyRules> read_policy(const json::object& document);

/// What is asked of the CA for this person on this token; `token` may be null. arguments_bad names the attribute that
/// is missing or has a value that cannot stand there.
struct MappedAttributes {
  std::string subject;  ///< RFC 4514
  std::vector<AlternativeName> alternative_names;
  StatedExtensions extensions;
};
Result<MappedAttributes> map_attributes(const PolicyRules& rules, const Person& person, const Token* token);

/// Adds or changes a policy: the document, that its CA exists. Needs ca_write.
Result<CertificatePolicy> save_policy(const Ports& ports, const Actor& actor, const CertificatePolicy& policy);

}  // namespace cardea::manager
