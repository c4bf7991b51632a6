// A virtual card in a software TPM, and what the tests of this folder do with one.
#pragma once

#include <boost/test/unit_test.hpp>

#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "swtpm/swtpm.h"
#include "token/object_rules.h"
#include "tpm/directories.h"
#include "tpm/tpm_token.h"

namespace cardea::tpm {

template <class T>
T ok(Result<T> result) {
  if (!result) throw std::runtime_error(describe(result.error()));
  return std::move(*result);
}
inline void ok(const Status& status) {
  if (!status) throw std::runtime_error(describe(status.error()));
}
template <class T>
std::string_view code_of(const Result<T>& result) {
  return result ? "success" : name(result.code());
}

inline Pin pin_of(std::string_view text) {
  return Pin(view_of(text));
}

inline const std::string admin_key(64, 'a');

struct Rig {
  Rig() {
    settings.home = swtpm.folder() / "home";
    settings.tpm.tcti = swtpm.tcti();
    serial = make_card("laptop");
  }
  std::string make_card(const std::string& label) {
    NewCard card{label, pin_of("123456"), pin_of("87654321"), SecretBytes(Bytes(32, 0xaa))};
    Tpm tpm(settings.tpm);
    return ok(create_card(settings, tpm, card));
  }
  /// As a new process would open it.
  std::shared_ptr<TpmToken> open() { return open(serial); }
  std::shared_ptr<TpmToken> open(const std::string& which) {
    return ok(TpmToken::open(settings, which, std::make_shared<Tpm>(settings.tpm)));
  }
  std::filesystem::path file() const { return state_directory(settings) / serial / "card.sqlite"; }

  Swtpm swtpm;
  Settings settings;
  std::string serial;
};

inline AttributeSet half(CK_OBJECT_CLASS object_class, CK_KEY_TYPE type) {
  const CK_BBOOL yes = CK_TRUE;
  const std::vector<CK_ATTRIBUTE> attributes{{CKA_TOKEN, const_cast<CK_BBOOL*>(&yes), 1}};
  AttributeSet preset;
  preset.set_ulong(CKA_CLASS, object_class);
  preset.set_ulong(CKA_KEY_TYPE, type);
  if (object_class == CKO_PUBLIC_KEY && type == CKK_RSA) preset.set_ulong(CKA_MODULUS_BITS, 2048);
  if (object_class == CKO_PUBLIC_KEY && type == CKK_EC) {
    Bytes curve;
    BOOST_REQUIRE(from_hex("06082a8648ce3d030107", curve));
    preset.set(CKA_EC_PARAMS, curve);
  }
  const Actor actor{.read_write = true, .user = true, .security_officer = false, .token_login_required = true};
  return ok(new_object(Origin::generate, attributes, preset, actor)).attributes;
}

inline std::vector<ObjectPtr> generate(TpmToken& token, CK_MECHANISM_TYPE mechanism) {
  const CK_KEY_TYPE type = mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN ? CKK_RSA : CKK_EC;
  return ok(token.generate(mechanism, half(CKO_PUBLIC_KEY, type), half(CKO_PRIVATE_KEY, type)));
}

inline crypto::AsymmetricKeyPtr public_key_of(const Object& object) {
  return ok(crypto::from_subject_public_key_info(*object.attributes.get(CKA_PUBLIC_KEY_INFO)));
}

inline Result<Bytes> sign(const KeyPtr& key, ByteView digest) {
  const auto& private_key = dynamic_cast<const PrivateKey&>(*key);
  const PrimitiveRequest request{.primitive = Primitive::ecdsa_sign};
  Bytes signature(private_key.output_size(request));
  CARDEA_TRY(private_key.perform(request, digest, signature));
  return signature;
}

inline const Bytes digest(32, 0x5a);

}  // namespace cardea::tpm
