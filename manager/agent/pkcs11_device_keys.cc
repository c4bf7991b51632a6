// Keys and certificates of tokens that are made. A container is what shares a label; its name is the CKA_ID too.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/key_use.h"
#include "agent/pkcs11_device.h"
#include "base/tlv.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "mechanism/rsa_padding.h"
#include "p11client/failure.h"
#include "p11client/tpm_cards.h"
#include "tpm_text/exchange_text.h"

namespace cardea::agent {
namespace {

using p11client::input_of;
using p11client::Mechanism;
using p11client::p11_failure;
using p11client::Session;
using p11client::Template;

constexpr std::array all_classes{CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE};

/// How keys of a family are called and made.
struct KeyFacts {
  CK_KEY_TYPE type;
  CK_MECHANISM_TYPE generation;
};
Result<KeyFacts> facts_of_family(crypto::KeyFamily family) {
  switch (family) {
    case crypto::KeyFamily::rsa:
      return KeyFacts{CKK_RSA, CKM_RSA_PKCS_KEY_PAIR_GEN};
    case crypto::KeyFamily::ec:
      return KeyFacts{CKK_EC, CKM_EC_KEY_PAIR_GEN};
    case crypto::KeyFamily::edwards:
      return KeyFacts{CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN};
    case crypto::KeyFamily::montgomery:
      return KeyFacts{CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN};
    case crypto::KeyFamily::ml_dsa:
      return KeyFacts{CKK_ML_DSA, CKM_ML_DSA_KEY_PAIR_GEN};
    default:
      return error(Code::key_type_inconsistent, "keys of this kind are not put on tokens");
  }
}

Template named(CK_OBJECT_CLASS of_class, const std::string& container) {
  Template attributes;
  attributes.number(CKA_CLASS, of_class).flag(CKA_TOKEN, true).text(CKA_LABEL, container);
  return attributes;
}

Template new_object(CK_OBJECT_CLASS of_class, const std::string& container) {
  Template attributes = named(of_class, container);
  attributes.text(CKA_ID, container).flag(CKA_PRIVATE, of_class == CKO_PRIVATE_KEY);
  return attributes;
}

// A key of a credential signs its own request, and what else its certificate allows is the certificate's affair.
void add_uses(Template& private_half, Template* public_half, crypto::KeyFamily family) {
  using crypto::KeyFamily;
  const bool signs = family != KeyFamily::montgomery;
  const bool deciphers = family == KeyFamily::rsa;
  const bool derives = family == KeyFamily::ec || family == KeyFamily::montgomery;
  private_half.flag(CKA_SENSITIVE, true)
      .flag(CKA_EXTRACTABLE, false)
      .flag(CKA_SIGN, signs)
      .flag(CKA_DECRYPT, deciphers)
      .flag(CKA_UNWRAP, deciphers)
      .flag(CKA_DERIVE, derives);
  if (public_half == nullptr) return;
  public_half->flag(CKA_VERIFY, signs).flag(CKA_ENCRYPT, deciphers).flag(CKA_WRAP, deciphers);
}

Status add_rsa(Template& attributes, const crypto::AsymmetricKey& key) {
  CARDEA_ASSIGN(const crypto::RsaNumbers numbers, key.rsa_numbers());
  attributes.bytes(CKA_MODULUS, numbers.modulus)
      .bytes(CKA_PUBLIC_EXPONENT, numbers.public_exponent)
      .secret(CKA_PRIVATE_EXPONENT, numbers.private_exponent.view())
      .secret(CKA_PRIME_1, numbers.prime_1.view())
      .secret(CKA_PRIME_2, numbers.prime_2.view())
      .secret(CKA_EXPONENT_1, numbers.exponent_1.view())
      .secret(CKA_EXPONENT_2, numbers.exponent_2.view())
      .secret(CKA_COEFFICIENT, numbers.coefficient.view());
  return {};
}

Status add_public_value(Template& attributes, const crypto::AsymmetricKey& key) {
  if (key.facts().family == crypto::KeyFamily::rsa) {
    CARDEA_ASSIGN(const crypto::RsaNumbers numbers, key.rsa_numbers());
    attributes.bytes(CKA_MODULUS, numbers.modulus).bytes(CKA_PUBLIC_EXPONENT, numbers.public_exponent);
    return {};
  }
  CARDEA_ASSIGN(const Bytes point, key.public_value());
  attributes.bytes(CKA_EC_PARAMS, view_of(key.facts().oid))
      .bytes(CKA_EC_POINT, make_tlv(crypto::der_octet_string, point));
  return {};
}

CK_ULONG parameter_set(crypto::KeyAlgorithm algorithm) {
  if (algorithm == crypto::KeyAlgorithm::ml_dsa_44) return CKP_ML_DSA_44;
  return algorithm == crypto::KeyAlgorithm::ml_dsa_65 ? CKP_ML_DSA_65 : CKP_ML_DSA_87;
}

void add_parameters(Template& attributes, const KeySpec& spec) {
  constexpr std::array<Byte, 3> f4{1, 0, 1};
  const crypto::KeyAlgorithmFacts& facts = crypto::facts_of(spec.algorithm);
  if (facts.family == crypto::KeyFamily::rsa) {
    attributes.number(CKA_MODULUS_BITS, spec.bits).bytes(CKA_PUBLIC_EXPONENT, f4);
  } else if (facts.family == crypto::KeyFamily::ml_dsa) {
    attributes.number(CKA_PARAMETER_SET, parameter_set(spec.algorithm));
  } else {
    attributes.bytes(CKA_EC_PARAMS, view_of(facts.oid));
  }
}

Status add_certificate(Template& attributes, ByteView der) {
  CARDEA_ASSIGN(const crypto::CertificateParts parts, crypto::certificate_parts(der));
  attributes.number(CKA_CERTIFICATE_TYPE, CKC_X_509)
      .bytes(CKA_SUBJECT, parts.subject)
      .bytes(CKA_ISSUER, parts.issuer)
      .bytes(CKA_SERIAL_NUMBER, parts.serial)
      .bytes(CKA_VALUE, der);
  return {};
}

/// The mechanism that takes what has been hashed here, and its input.
struct Question {
  CK_MECHANISM_TYPE mechanism = 0;
  Bytes input;
};
Result<Question> question_for(const SignaturePlan& plan, ByteView data) {
  const crypto::KeyFamily family = crypto::facts_of(plan.algorithm).family;
  if (plan.hash == Hash::none) {
    return Question{family == crypto::KeyFamily::edwards ? CKM_EDDSA : CKM_ML_DSA, to_bytes(data)};
  }
  CARDEA_ASSIGN(Bytes digest, crypto::digest(plan.hash, data));
  if (family == crypto::KeyFamily::ec) return Question{CKM_ECDSA, std::move(digest)};
  std::array<Byte, digest_info_limit> buffer{};
  CARDEA_ASSIGN(const ByteView info, digest_info(plan.hash, digest, buffer));
  return Question{CKM_RSA_PKCS, to_bytes(info)};
}

}  // namespace

Result<Pkcs11Device::Objects> Pkcs11Device::find(const Session& session, CK_OBJECT_CLASS of_class,
                                                 const std::string& container) {
  Template wanted = named(of_class, container);
  return session.find(wanted);
}

Result<Bytes> Pkcs11Device::key_in(const Session& session, const std::string& container) {
  for (const CK_OBJECT_CLASS of_class : {CKO_PUBLIC_KEY, CKO_PRIVATE_KEY}) {
    CARDEA_ASSIGN(const Objects keys, find(session, of_class, container));
    for (const CK_OBJECT_HANDLE key : keys) {
      if (auto info = session.attribute(key, CKA_PUBLIC_KEY_INFO)) return std::move(*info);
    }
  }
  return error(Code::not_found, fmt::format("the token has no key '{}'", container));
}

Result<Bytes> Pkcs11Device::certificate(const Session& session, const std::string& container) {
  CARDEA_ASSIGN(const Objects found, find(session, CKO_CERTIFICATE, container));
  if (found.empty()) return Bytes();
  return session.attribute(found.front(), CKA_VALUE).value_or(Bytes());
}

Status Pkcs11Device::destroy_all(const Session& session, const std::string& container) {
  for (const CK_OBJECT_CLASS of_class : all_classes) {
    CARDEA_ASSIGN(const Objects objects, find(session, of_class, container));
    for (const CK_OBJECT_HANDLE object : objects) CARDEA_TRY(session.destroy(object));
  }
  return {};
}

Status Pkcs11Device::make_place(const Session& session, const std::string& container, ByteView replace) {
  CARDEA_ASSIGN(const Objects keys, find(session, CKO_PRIVATE_KEY, container));
  if (!keys.empty()) {
    CARDEA_ASSIGN(const Bytes key, key_in(session, container));
    CARDEA_ASSIGN(const Bytes der, certificate(session, container));
    CARDEA_TRY(allow_replacing(container, key, der, replace));
  }
  return destroy_all(session, container);
}

Result<Bytes> Pkcs11Device::generate(Authority& authority, const std::string& container, const KeySpec& spec,
                                     ByteView replace) {
  CARDEA_ASSIGN(const KeyFacts facts, facts_of_family(crypto::facts_of(spec.algorithm).family));
  Bytes key_info;
  CARDEA_TRY(as_user(authority, [&](const Session& open) -> Status {
    CARDEA_TRY(make_place(open, container, replace));
    Template public_half = new_object(CKO_PUBLIC_KEY, container);
    Template private_half = new_object(CKO_PRIVATE_KEY, container);
    add_parameters(public_half, spec);
    add_uses(private_half, &public_half, crypto::facts_of(spec.algorithm).family);
    if (spec.pin_policy == "always") private_half.flag(CKA_ALWAYS_AUTHENTICATE, true);
    CK_MECHANISM mechanism{facts.generation, nullptr, 0};
    CK_OBJECT_HANDLE public_object = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE private_object = CK_INVALID_HANDLE;
    const CK_RV rv =
        (*module_)->C_GenerateKeyPair(open.handle(), &mechanism, public_half.data(), public_half.size(),
                                      private_half.data(), private_half.size(), &public_object, &private_object);
    if (rv != CKR_OK) return p11_failure(rv, "The key could not be generated");
    CARDEA_ASSIGN(key_info, key_in(open, container));
    return {};
  }));
  return key_info;
}

Result<Bytes> Pkcs11Device::public_key(const std::string& container) {
  CARDEA_ASSIGN(const Session open, session());
  return key_in(open, container);
}

Result<KeySignature> Pkcs11Device::sign(Authority& authority, const std::string& container, Hash hash, ByteView data) {
  KeySignature result;
  CARDEA_TRY(as_user(authority, [&](const Session& open) -> Status {
    CARDEA_ASSIGN(const Objects keys, find(open, CKO_PRIVATE_KEY, container));
    if (keys.empty()) return error(Code::not_found, fmt::format("the token has no key '{}'", container));
    CARDEA_ASSIGN(const Bytes key_info, key_in(open, container));
    CARDEA_ASSIGN(const SignaturePlan plan, plan_signature(key_info, hash));
    CARDEA_ASSIGN(const Question question, question_for(plan, data));
    CARDEA_ASSIGN(result.signature,
                  open.sign(Mechanism(question.mechanism), keys.front(), input_of(question.input), false));
    if (question.mechanism == CKM_ECDSA) result.signature = ecdsa_value(result.signature);
    result.mechanism = plan.mechanism;
    return {};
  }));
  return result;
}

// The old one goes only once the new one stands beside it and reads back.
Status Pkcs11Device::put_certificate(const Session& session, const std::string& container, ByteView der) {
  CARDEA_ASSIGN(const Objects old, find(session, CKO_CERTIFICATE, container));
  for (const CK_OBJECT_HANDLE object : old) {
    if (session.attribute(object, CKA_VALUE) == to_bytes(der)) return {};
  }
  Template attributes = new_object(CKO_CERTIFICATE, container);
  CARDEA_TRY(add_certificate(attributes, der));
  CARDEA_TRY(session.create(attributes, "The certificate could not be written"));
  CARDEA_ASSIGN(const Objects now, find(session, CKO_CERTIFICATE, container));
  const bool reads_back = std::ranges::any_of(
      now, [&](CK_OBJECT_HANDLE object) { return session.attribute(object, CKA_VALUE) == to_bytes(der); });
  if (!reads_back) return error(Code::device_error, "the certificate reads back otherwise than it was written");
  for (const CK_OBJECT_HANDLE object : old) CARDEA_TRY(session.destroy(object));
  return {};
}

Result<Bytes> Pkcs11Device::write_certificate(Authority& authority, const std::string& container, ByteView der) {
  CARDEA_ASSIGN(const Bytes certified, certified_key(der));
  Bytes read_back;
  CARDEA_TRY(as_user(authority, [&](const Session& open) -> Status {
    CARDEA_ASSIGN(const Bytes key, key_in(open, container));
    if (key != certified) {
      return error(Code::key_type_inconsistent, "the certificate is for another key than that on the token");
    }
    CARDEA_TRY(put_certificate(open, container, der));
    CARDEA_ASSIGN(read_back, certificate(open, container));
    return {};
  }));
  return read_back;
}

Result<bool> Pkcs11Device::has_certificate(const Session& session, ByteView der) {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_CERTIFICATE).flag(CKA_TOKEN, true).bytes(CKA_VALUE, der);
  CARDEA_ASSIGN(const Objects found, session.find(wanted));
  return !found.empty();
}

// Named by its digest, since authorities share names when they are renewed; the category tells it from the certificates
// of containers (PKCS#11 3.2, 4.6.2).
Status Pkcs11Device::put_authority(const Session& session, ByteView der) {
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, der));
  constexpr std::size_t shown = 8;
  Template attributes = new_object(CKO_CERTIFICATE, "ca-" + to_hex(ByteView(digest).first(shown)));
  attributes.number(CKA_CERTIFICATE_CATEGORY, CK_CERTIFICATE_CATEGORY_AUTHORITY);
  CARDEA_TRY(add_certificate(attributes, der));
  CARDEA_TRY(session.create(attributes, "The certificate of an authority could not be written"));
  CARDEA_ASSIGN(const bool reads_back, has_certificate(session, der));
  if (reads_back) return {};
  return error(Code::device_error, "the certificate of an authority is not there after writing");
}

Result<std::size_t> Pkcs11Device::write_authorities(Authority& authority, std::span<const Bytes> certificates) {
  std::vector<ByteView> missing;
  {
    CARDEA_ASSIGN(const Session open, session());
    for (const Bytes& certificate : certificates) {
      // All or none: what cannot be read must not stop halfway.
      if (const auto parts = crypto::certificate_parts(certificate); !parts) return parts.error();
      CARDEA_ASSIGN(const bool there, has_certificate(open, certificate));
      const bool twice = std::ranges::any_of(missing, [&](ByteView each) { return same_bytes(each, certificate); });
      if (!there && !twice) missing.push_back(certificate);
    }
  }
  if (missing.empty()) return missing.size();
  CARDEA_TRY(as_user(authority, [&](const Session& open) -> Status {
    for (const ByteView certificate : missing) CARDEA_TRY(put_authority(open, certificate));
    return {};
  }));
  return missing.size();
}

Status Pkcs11Device::import_into(const Session& session, const std::string& container, const SecretBytes& pkcs8) const {
  CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr key, crypto::from_private_key_info(pkcs8.view()));
  CARDEA_ASSIGN(const KeyFacts facts, facts_of_family(key->facts().family));
  Template attributes = new_object(CKO_PRIVATE_KEY, container);
  attributes.number(CKA_KEY_TYPE, facts.type);
  if (facts.type == CKK_RSA) {
    CARDEA_TRY(add_rsa(attributes, *key));
  } else {
    CARDEA_ASSIGN(const SecretBytes value, key->private_value());
    attributes.bytes(CKA_EC_PARAMS, view_of(key->facts().oid)).secret(CKA_VALUE, value.view());
  }
  // NSS takes a certificate for its user's only where the public key stands beside it: the private one is hidden from
  // it before the login.
  Template public_half = new_object(CKO_PUBLIC_KEY, container);
  public_half.number(CKA_KEY_TYPE, facts.type);
  CARDEA_TRY(add_public_value(public_half, *key));
  add_uses(attributes, &public_half, key->facts().family);
  CARDEA_ASSIGN(const Bytes key_info, crypto::subject_public_key_info(*key));
  attributes.bytes(CKA_PUBLIC_KEY_INFO, key_info);
  CARDEA_ASSIGN(const Objects earlier, find(session, CKO_PUBLIC_KEY, container));
  for (const CK_OBJECT_HANDLE object : earlier) CARDEA_TRY(session.destroy(object));
  CARDEA_TRY(session.create(public_half, "The public key could not be written"));
  return session.create(attributes, "The key could not be written");
}

Result<bool> Pkcs11Device::import_key(Authority& authority, const std::string& container, const SecretBytes& pkcs8,
                                      ByteView replace) {
  CARDEA_ASSIGN(const Bytes key_info, public_half(pkcs8));
  bool was_there = false;
  CARDEA_TRY(as_user(authority, [&](const Session& open) -> Status {
    CARDEA_ASSIGN(const Objects keys, find(open, CKO_PRIVATE_KEY, container));
    if (!keys.empty()) {
      CARDEA_ASSIGN(const Bytes present, key_in(open, container));
      was_there = present == key_info;
      if (was_there) return {};
    }
    CARDEA_TRY(make_place(open, container, replace));
    return import_into(open, container, pkcs8);
  }));
  return was_there;
}

Result<HistoryReport> Pkcs11Device::write_history(Authority& authority, std::span<const ArchivedKey> newest_first,
                                                  const std::string& leaving) {
  HistoryReport report;
  CARDEA_TRY(as_user(authority, [&](const Session& open) -> Status {
    report = {};
    Template private_keys;
    private_keys.number(CKA_CLASS, CKO_PRIVATE_KEY);
    CARDEA_ASSIGN(const Objects keys, open.find(private_keys));
    CARDEA_ASSIGN(const Objects going, leaving.empty() ? Objects() : find(open, CKO_PRIVATE_KEY, leaving));
    std::vector<Bytes> present;
    for (const CK_OBJECT_HANDLE key : keys) {
      if (std::ranges::find(going, key) != going.end()) continue;
      present.push_back(open.attribute(key, CKA_PUBLIC_KEY_INFO).value_or(Bytes()));
    }
    for (std::size_t i = 0; i < newest_first.size(); ++i) {
      const ArchivedKey& key = newest_first[i];
      CARDEA_ASSIGN(const Bytes own, public_half(key.pkcs8));
      CARDEA_ASSIGN(const Bytes certified, certified_key(key.certificate));
      if (own != certified) return error(Code::key_type_inconsistent, "a key of the history is not its certificate's");
      CARDEA_ASSIGN(const Bytes digest, key_digest(own));
      constexpr std::size_t shown = 8;
      const std::string name = "retired-" + to_hex(ByteView(digest).first(shown));
      const bool there = std::ranges::find(present, own) != present.end();
      if (!there) CARDEA_TRY(import_into(open, name, key.pkcs8));
      CARDEA_ASSIGN(const Objects named_so, find(open, CKO_PRIVATE_KEY, name));
      // A key of another container has its certificate there.
      if (!named_so.empty()) CARDEA_TRY(put_certificate(open, name, key.certificate));
      (there ? report.present : report.written).push_back(i);
    }
    return {};
  }));
  return report;
}

Status Pkcs11Device::remove(Authority& authority, const std::string& container) {
  return as_user(authority, [&](const Session& open) { return destroy_all(open, container); });
}

Status Pkcs11Device::write_object(Authority&, const std::string&, ByteView) {
  return error(Code::function_not_supported, "tokens of this kind have no objects of their own");
}

Result<KeyStatement> Pkcs11Device::attest(Authority& authority, const std::string& container, ByteView nonce) {
  if (kind_ != MadeKind::tpm) return error(Code::function_not_supported, "a keystore does not attest its keys");
  CARDEA_ASSIGN(const p11client::TpmCards cards, virtual_cards());
  for (bool refused = false;; refused = true) {
    CARDEA_ASSIGN(const Pin pin, user_pin(authority, refused));
    const auto statement = cards.attest(token_.serial, pin, container, std::nullopt, nonce);
    if (statement) return KeyStatement{{}, tpm::to_text(*statement)};
    if (statement.code() != Code::pin_incorrect) return statement.error();
  }
}

Result<SecretBytes> Pkcs11Device::answer_attestation(ByteView credential) {
  if (kind_ != MadeKind::tpm) return error(Code::function_not_supported, "a keystore does not attest its keys");
  CARDEA_ASSIGN(const p11client::TpmCards cards, virtual_cards());
  CARDEA_ASSIGN(const tpm::Credential parsed, tpm::parse_credential_file(credential));
  return cards.activate(token_.serial, parsed);
}

}  // namespace cardea::agent
