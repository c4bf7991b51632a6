// Keys that were made elsewhere: wrapped here so that the TPM alone can open them (TPM 2.0 Library, part 1, 23.3, and
// part 3, 13.3).
#include <algorithm>
#include <array>

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "esapi/authorised.h"
#include "esapi/esapi_context.h"
#include "esapi/key_area.h"
#include "esapi/key_derivation.h"

namespace cardea::tpm {
namespace {

constexpr std::size_t wrap_key_size = 16;  // bytes: storage keys of ours use AES-128
constexpr std::array<Byte, 16> no_iv{};    // each key is used once

/// TPM2B_SENSITIVE: authorisation and private value.
Result<SecretBytes> sensitive_of(const crypto::AsymmetricKey& key, const SecretBytes& auth) {
  SecretBytes value;
  if (key.algorithm() == crypto::KeyAlgorithm::rsa) {
    CARDEA_ASSIGN(crypto::RsaNumbers numbers, key.rsa_numbers());
    value = std::move(numbers.prime_1);
  } else {
    CARDEA_ASSIGN(value, key.private_value());
  }
  SecretWriter inner(2 + 2 + auth.size() + 2 + 2 + value.size());
  inner.put_number(key.algorithm() == crypto::KeyAlgorithm::rsa ? TPM2_ALG_RSA : TPM2_ALG_ECC, 2);
  inner.put_sized(auth.view()).put_sized({}).put_sized(value.view());
  const SecretBytes area = inner.take();
  return SecretWriter(2 + area.size()).put_sized(area.view()).take();
}

/// The name that the object will have.
Result<Bytes> name_of(ByteView marshalled_area) {
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, marshalled_area.subspan(2)));
  Bytes name{TPM2_ALG_SHA256 >> 8, TPM2_ALG_SHA256 & 0xff};
  name.insert(name.end(), digest.begin(), digest.end());
  return name;
}

/// Integrity and encryption inside, under a key that travels beside (23.3.2.3).
Result<SecretBytes> wrap_inside(const SecretBytes& sensitive, ByteView name, const SecretBytes& key) {
  CARDEA_ASSIGN(crypto::Digest digest, crypto::Digest::make(Hash::sha256));
  CARDEA_TRY(digest.update(sensitive.view()));
  CARDEA_TRY(digest.update(name));
  SecretBytes integrity(digest.size());
  CARDEA_TRY(digest.finish(integrity.mutable_view()));
  SecretBytes wrapped =
      SecretWriter(2 + integrity.size() + sensitive.size()).put_sized(integrity.view()).put(sensitive.view()).take();
  CARDEA_TRY(cfb(crypto::Direction::encrypt, key.view(), no_iv, wrapped.mutable_view()));
  return wrapped;
}

/// Encryption and authentication around it, under the seed (23.3.2.4).
Status wrap_around(SecretBytes inside, ByteView name, const SecretBytes& seed, TPM2B_PRIVATE& duplicate) {
  CARDEA_ASSIGN(const SecretBytes cipher_key, kdf_a(seed.view(), "STORAGE", name, {}, wrap_key_size));
  CARDEA_ASSIGN(const SecretBytes mac_key, kdf_a(seed.view(), "INTEGRITY", {}, {}, 32));
  CARDEA_TRY(cfb(crypto::Direction::encrypt, cipher_key.view(), no_iv, inside.mutable_view()));
  const SecretBytes named = SecretWriter(inside.size() + name.size()).put(inside.view()).put(name).take();
  CARDEA_ASSIGN(const SecretBytes mac, crypto::hmac(Hash::sha256, mac_key.view(), named.view()));
  const SecretBytes all = SecretWriter(2 + mac.size() + inside.size()).put_sized(mac.view()).put(inside.view()).take();
  return fill_buffer(duplicate, all.view());
}

Result<TPM2B_PUBLIC> public_area_of(const crypto::AsymmetricKey& key) {
  CARDEA_ASSIGN(TPM2B_PUBLIC area, key_area({.algorithm = key.algorithm(), .bits = key.size()}));
  // It was not made here, and so the TPM will not vouch for it.
  area.publicArea.objectAttributes &=
      ~(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN);
  if (key.algorithm() == crypto::KeyAlgorithm::rsa) {
    CARDEA_ASSIGN(const crypto::RsaNumbers numbers, key.rsa_public_numbers());
    if (numbers.public_exponent != Bytes{1, 0, 1}) {
      return error(Code::attribute_value_invalid, "the public exponent of keys in the TPM is 65537");
    }
    CARDEA_TRY(fill_buffer(area.publicArea.unique.rsa, numbers.modulus));
    return area;
  }
  CARDEA_ASSIGN(const Bytes point, key.public_value());
  const std::size_t size = (point.size() - 1) / 2;
  CARDEA_TRY(fill_buffer(area.publicArea.unique.ecc.x, ByteView(point).subspan(1, size)));
  CARDEA_TRY(fill_buffer(area.publicArea.unique.ecc.y, ByteView(point).subspan(1 + size)));
  return area;
}

/// TPM2_Import in a session that hides the key of the inner wrapper; the encrypted private area.
Result<Bytes> import(const std::shared_ptr<EsapiContext>& context, const Loaded& parent, const TPM2B_PUBLIC& area,
                     const TPM2B_PRIVATE& duplicate, ByteView encrypted_seed, const SecretBytes& inner_key) {
  TPM2B_ENCRYPTED_SECRET seed{};
  seed.size = static_cast<UINT16>(encrypted_seed.size());
  std::copy(encrypted_seed.begin(), encrypted_seed.end(), seed.secret);
  TPMT_SYM_DEF_OBJECT symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = wrap_key_size * 8;
  symmetric.mode.aes = TPM2_ALG_CFB;
  CARDEA_ASSIGN(const Authorisation authorisation, Authorisation::make(context, &parent, TPMA_SESSION_DECRYPT));
  CARDEA_ASSIGN(const TPM2_HANDLE handle, context->tpm_handle(parent));
  const Tss2Api& tss = context->tss();
  TPM2B_DATA key{};
  CARDEA_TRY(fill_buffer(key, inner_key.view()));
  const auto prepare = [&](TSS2_SYS_CONTEXT* sys) {
    return tss.Tss2_Sys_Import_Prepare(sys, handle, &key, &area, &duplicate, &seed, &symmetric);
  };
  Status done = authorisation.execute(prepare, TPM2_CC_Import, parent);
  wipe({key.buffer, sizeof(key.buffer)});
  CARDEA_TRY(std::move(done));
  TPM2B_PRIVATE imported{};
  imported.size = sizeof(imported.buffer);
  CARDEA_TRY(context->checked(tss.Tss2_Sys_Import_Complete(context->sys(), &imported)));
  return to_bytes(view_of_buffer(imported));
}

}  // namespace

Result<Blob> TpmConnection::import_key(const Loaded& parent, const crypto::AsymmetricKey& key,
                                       const SecretBytes& auth) {
  const Tss2Api& tss = context_->tss();
  CARDEA_ASSIGN(const TPM2B_PUBLIC area, public_area_of(key));
  CARDEA_ASSIGN(Bytes marshalled, marshal(tss, area));
  CARDEA_ASSIGN(const Bytes object_name, name_of(marshalled));
  CARDEA_ASSIGN(const SharedSecret seed, share_secret(parent.point(), "DUPLICATE"));
  SecretBytes inner_key(wrap_key_size);
  CARDEA_TRY(crypto::random_bytes(inner_key.mutable_view()));
  CARDEA_ASSIGN(const SecretBytes sensitive, sensitive_of(key, auth));
  CARDEA_ASSIGN(SecretBytes inside, wrap_inside(sensitive, object_name, inner_key));
  TPM2B_PRIVATE duplicate{};
  CARDEA_TRY(wrap_around(std::move(inside), object_name, seed.secret, duplicate));
  CARDEA_ASSIGN(const Bytes private_area, import(context_, parent, area, duplicate, seed.encrypted, inner_key));
  return Blob{std::move(marshalled), private_area};
}

}  // namespace cardea::tpm
