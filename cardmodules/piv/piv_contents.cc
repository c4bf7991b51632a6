// What the data objects of a PIV card say, in words, and whether they are what the issuer signed.
#include <fmt/format.h>

#include "crypto/cms.h"
#include "piv/biometric.h"
#include "piv/certificate_object.h"
#include "piv/chuid.h"
#include "piv/commands.h"
#include "piv/data_objects.h"
#include "piv/piv_card.h"
#include "piv/security_object.h"

namespace cardea::card::piv {
namespace {

/// Collects fields and leaves out empty ones.
class Fields {
 public:
  void add(std::string name, std::string value) {
    if (!value.empty()) fields_.push_back({std::move(name), std::move(value)});
  }
  void add(std::string name, bool value) { add(std::move(name), std::string(value ? "yes" : "no")); }
  void add(std::string name, std::size_t value) { add(std::move(name), fmt::format("{}", value)); }
  std::vector<FileField> take() { return std::move(fields_); }

 private:
  std::vector<FileField> fields_;
};

void describe(Fields& fields, const Chuid& chuid) {
  fields.add("FASC-N", to_hex(chuid.fascn_bytes));
  if (chuid.fascn) {
    fields.add("FASC-N digits", chuid.fascn->digits());
    fields.add("agency", chuid.fascn->agency);
    fields.add("system", chuid.fascn->system);
    fields.add("credential", chuid.fascn->credential);
    fields.add("credential series", chuid.fascn->series);
    fields.add("individual credential issue", chuid.fascn->issue);
    fields.add("person", chuid.fascn->person);
    fields.add("organizational category", chuid.fascn->category);
    fields.add("organizational identifier", chuid.fascn->organization);
    fields.add("association category", chuid.fascn->association);
  } else {
    fields.add("FASC-N problem", chuid.fascn_problem);
  }
  fields.add("organization", chuid.organization);
  fields.add("DUNS", chuid.duns);
  fields.add("GUID", to_hex(chuid.guid));
  fields.add("card UUID", uuid_text(chuid.guid));
  fields.add("expires", chuid.expires);
  fields.add("cardholder UUID", uuid_text(chuid.cardholder_uuid));
  fields.add("signed", !chuid.signature.empty());
}

void describe(Fields& fields, const CardCapability& card) {
  fields.add("card identifier", to_hex(card.card_identifier));
  fields.add("container version", fmt::format("{:02x}", card.container_version));
  fields.add("grammar version", fmt::format("{:02x}", card.grammar_version));
  for (const Bytes& url : card.applications) fields.add("application", to_hex(url));
  if (card.pkcs15) fields.add("PKCS#15", fmt::format("{:02x}", *card.pkcs15));
  if (card.data_model) fields.add("data model", fmt::format("{:02x}", *card.data_model));
  fields.add("access control rules", to_hex(card.access_rules));
  fields.add("card APDUs", card.has_card_apdus);
}

void describe(Fields& fields, const Discovery& discovery) {
  fields.add("application", to_hex(discovery.application));
  fields.add("application PIN", discovery.application_pin);
  fields.add("global PIN", discovery.global_pin);
  fields.add("primary PIN", std::string(discovery.global_is_primary ? "global" : "application"));
  fields.add("on-card biometric comparison", discovery.on_card_comparison);
  fields.add("virtual contact interface", discovery.contactless_interface);
  fields.add("pairing code needed", discovery.pairing_code_needed);
}

void describe(Fields& fields, const KeyHistory& history) {
  fields.add("keys with certificates on the card", history.on_card);
  fields.add("keys with certificates elsewhere", history.off_card);
  fields.add("URL", history.url);
}

void describe(Fields& fields, const PrintedInformation& printed) {
  fields.add("name", printed.name);
  fields.add("employee affiliation", printed.affiliation);
  fields.add("expires", printed.expires);
  fields.add("agency card serial number", printed.card_serial);
  fields.add("issuer", printed.issuer);
  fields.add("organization, line 1", printed.organization_line_1);
  fields.add("organization, line 2", printed.organization_line_2);
}

void describe(Fields& fields, const Biometric& record) {
  fields.add("kind", record.kind);
  fields.add("created", record.created);
  fields.add("valid from", record.valid_from);
  fields.add("valid until", record.valid_until);
  fields.add("quality", fmt::format("{}", record.quality));
  fields.add("creator", record.creator);
  fields.add("format", fmt::format("{:04x} {:04x}", record.format_owner, record.format));
  fields.add("FASC-N", to_hex(record.fascn_bytes));
  fields.add("data bytes", record.data_size);
  fields.add("signature bytes", record.signature_size);
}

void describe(Fields& fields, const SecurityObject& object) {
  fields.add("hash", std::string(crypto::hash_name(object.hash)));
  for (const SecurityObject::Entry& entry : object.entries) {
    const DataObject* const named = object_of_container(entry.container);
    fields.add(named == nullptr ? fmt::format("{:04x}", entry.container) : std::string(named->name),
               to_hex(entry.digest));
  }
}

void describe(Fields& fields, const CertificateObject& object) {
  fields.add("certificate", to_hex(object.certificate));
  fields.add("compressed", object.compressed);
  fields.add("MSCUID", to_hex(object.mscuid));
}

void describe(Fields& fields, const std::string& pairing_code) {
  fields.add("pairing code", pairing_code);
}

template <class T>
Result<std::vector<FileField>> explained(const Result<T>& parsed) {
  if (!parsed) return parsed.error();
  Fields fields;
  describe(fields, *parsed);
  return fields.take();
}

ContentCheck check(std::string subject, const Status& status, std::string good) {
  return {std::move(subject), status.ok(), status.ok() ? std::move(good) : cardea::describe(status.error())};
}

/// The certificate in the CHUID's signature, which the security object's leaves out.
std::vector<Bytes> signer_certificates(const Chuid& chuid) {
  Result<crypto::SignedData> inside = crypto::read_signed_data(chuid.signature);
  return inside ? std::move(inside->certificates) : std::vector<Bytes>();
}

}  // namespace

Result<std::vector<FileField>> PivCard::explain(const FileEntry& file, ByteView content) const {
  switch (file.reference) {
    case object::chuid:
      return explained(parse_chuid(content));
    case object::card_capability:
      return explained(parse_card_capability(content));
    case object::discovery:
      return explained(parse_discovery(content));
    case object::key_history:
      return explained(parse_key_history(content));
    case object::printed_information:
      return explained(parse_printed_information(content));
    case object::fingerprints:
    case object::facial_image:
    case object::iris_images:
      return explained(parse_biometric(content));
    case object::security_object:
      return explained(parse_security_object(content));
    case object::pairing_code:
      return explained(parse_pairing_code(content));
    case object::biometric_template:
      return std::vector<FileField>();
    default:
      return explained(parse_certificate_object(content));
  }
}

Result<std::vector<ContentCheck>> PivCard::check_contents(CardTransaction& transaction, ByteView issuer) {
  std::vector<ContentCheck> checks;
  std::vector<Bytes> others;
  const Result<Bytes> chuid_content = get_data(transaction, object::chuid);
  if (!chuid_content && !is_about_object(chuid_content.error())) return chuid_content.error();
  const Result<Chuid> chuid = chuid_content ? parse_chuid(*chuid_content) : Result<Chuid>(chuid_content.error());
  if (chuid) others = signer_certificates(*chuid);
  checks.push_back(check("Card Holder Unique Identifier", chuid ? verify_chuid(*chuid, issuer) : Status(chuid.error()),
                         "The signature is the issuer's."));
  const Result<Bytes> content = get_data(transaction, object::security_object);
  if (!content && !is_about_object(content.error())) return content.error();
  const Result<SecurityObject> object =
      content ? parse_security_object(*content) : Result<SecurityObject>(content.error());
  checks.push_back(check("Security Object",
                         object ? verify_security_object(*object, issuer, others) : Status(object.error()),
                         "The signature is the issuer's."));
  if (!object) return checks;
  for (const SecurityObject::Entry& entry : object->entries) {
    const DataObject* const named = object_of_container(entry.container);
    if (named == nullptr) {
      checks.push_back({fmt::format("container {:04x}", entry.container), false, "PIV has no such container."});
      continue;
    }
    const Result<Bytes> signed_content = get_data(transaction, named->tag);
    if (!signed_content && !is_about_object(signed_content.error())) return signed_content.error();
    checks.push_back(
        check(std::string(named->name),
              signed_content ? check_digest(*object, entry, *signed_content) : Status(signed_content.error()),
              "The content is what the issuer signed."));
  }
  return checks;
}

}  // namespace cardea::card::piv
