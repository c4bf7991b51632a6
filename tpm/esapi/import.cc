// Keys that were made elsewhere: wrapped here so that the TPM alone can open them (TPM 2.0 Library, part 1, 23.3, and
// part 3, 13.3).
#include <algorithm>
#include <array>

#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "crypto/symmetric_key.h"
#include "esapi/esapi_context.h"
#include "esapi/key_area.h"

namespace cardea::tpm {
namespace {

constexpr std::size_t wrap_key_size = 16;    // bytes: storage keys of ours use AES-128
constexpr std::size_t coordinate_size = 32;  // bytes: and P-256

/// Secret bytes put together piece by piece.
class SecretWriter {
 public:
  explicit SecretWriter(std::size_t most) : bytes_(most) {}
  SecretWriter& put(ByteView part) {
    std::copy(part.begin(), part.end(), bytes_.data() + used_);
    used_ += part.size();
    return *this;
  }
  SecretWriter& put_number(std::size_t number, std::size_t size) {
    for (std::size_t i = size; i-- > 0; number >>= 8) bytes_.data()[used_ + i] = static_cast<Byte>(number);
    used_ += size;
    return *this;
  }
  /// With its length in front, as the TPM's sized buffers are written.
  SecretWriter& put_sized(ByteView part) { return put_number(part.size(), 2).put(part); }
  SecretBytes take() {
    bytes_.truncate(used_);
    return std::move(bytes_);
  }

 private:
  SecretBytes bytes_;
  std::size_t used_ = 0;
};

/// KDFa of at most one SHA-256 (part 1, 11.4.10.2; SP 800-108, counter mode).
Result<SecretBytes> kdf_a(ByteView key, std::string_view label, ByteView context, std::size_t size) {
  SecretWriter input(4 + label.size() + 1 + context.size() + 4);
  input.put_number(1, 4).put(view_of(label)).put_number(0, 1).put(context).put_number(size * 8, 4);
  const SecretBytes block = input.take();
  CARDEA_ASSIGN(SecretBytes derived, crypto::hmac(Hash::sha256, key, block.view()));
  derived.truncate(size);
  return derived;
}

/// KDFe of one SHA-256 (part 1, 11.4.10.3; SP 800-56A).
Result<SecretBytes> kdf_e(ByteView shared, std::string_view use, ByteView party_u, ByteView party_v) {
  CARDEA_ASSIGN(crypto::Digest digest, crypto::Digest::make(Hash::sha256));
  constexpr std::array<Byte, 4> counter{0, 0, 0, 1};
  constexpr std::array<Byte, 1> zero{};
  for (const ByteView part : {ByteView(counter), shared, view_of(use), ByteView(zero), party_u, party_v}) {
    CARDEA_TRY(digest.update(part));
  }
  SecretBytes derived(digest.size());
  CARDEA_TRY(digest.finish(derived.mutable_view()));
  return derived;
}

/// AES-128-CFB with an IV of zeros, in place: each key is used once.
Status encrypt(const SecretBytes& key, MutableBytes data) {
  constexpr std::array<Byte, 16> iv{};
  CARDEA_ASSIGN(crypto::CipherContext cipher,
                crypto::SymmetricKey::make(key.copy())->cipher(crypto::Cipher::aes_cfb128, crypto::Direction::encrypt));
  CARDEA_TRY(cipher.start(iv));
  SecretBytes out(data.size() + 16);
  CARDEA_ASSIGN(const std::size_t size, cipher.update(data, out.mutable_view()));
  if (size != data.size()) return error(Code::internal, "CFB kept something back");
  std::copy_n(out.data(), size, data.begin());
  return {};
}

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

/// A secret that only the owner of the storage key can find again, and what it needs for that.
struct Seed {
  SecretBytes secret;
  TPM2B_ENCRYPTED_SECRET encrypted{};
};

Result<Seed> seed_for(const TPMS_ECC_POINT& storage_key) {
  const auto padded = [](const TPM2B_ECC_PARAMETER& number) {
    Bytes bytes(coordinate_size);
    const std::size_t size = std::min<std::size_t>(number.size, coordinate_size);
    std::copy_n(number.buffer + (number.size - size), size, bytes.end() - static_cast<std::ptrdiff_t>(size));
    return bytes;
  };
  const Bytes x = padded(storage_key.x), y = padded(storage_key.y);
  Bytes peer{0x04};
  peer.insert(peer.end(), x.begin(), x.end());
  peer.insert(peer.end(), y.begin(), y.end());
  CARDEA_ASSIGN(const auto ephemeral, crypto::AsymmetricKey::generate(crypto::KeyAlgorithm::p256));
  CARDEA_ASSIGN(const Bytes point, ephemeral->public_value());
  SecretBytes shared(coordinate_size);
  CARDEA_TRY(ephemeral->derive(peer, shared.mutable_view()));
  const ByteView own_x = ByteView(point).subspan(1, coordinate_size);
  const ByteView own_y = ByteView(point).subspan(1 + coordinate_size);
  Seed seed;
  CARDEA_ASSIGN(seed.secret, kdf_e(shared.view(), "DUPLICATE", own_x, x));
  const SecretBytes encoded = SecretWriter(2 * (2 + coordinate_size)).put_sized(own_x).put_sized(own_y).take();
  std::copy(encoded.view().begin(), encoded.view().end(), seed.encrypted.secret);
  seed.encrypted.size = static_cast<UINT16>(encoded.size());
  return seed;
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
  CARDEA_TRY(encrypt(key, wrapped.mutable_view()));
  return wrapped;
}

/// Encryption and authentication around it, under the seed (23.3.2.4).
Status wrap_around(SecretBytes inside, ByteView name, const Seed& seed, TPM2B_PRIVATE& duplicate) {
  CARDEA_ASSIGN(const SecretBytes cipher_key, kdf_a(seed.secret.view(), "STORAGE", name, wrap_key_size));
  CARDEA_ASSIGN(const SecretBytes mac_key, kdf_a(seed.secret.view(), "INTEGRITY", {}, 32));
  CARDEA_TRY(encrypt(cipher_key, inside.mutable_view()));
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

}  // namespace

Result<Blob> TpmConnection::import_key(const Loaded& parent, const crypto::AsymmetricKey& key,
                                       const SecretBytes& auth) {
  const Tss2Api& tss = context_->tss();
  CARDEA_ASSIGN(const TPM2B_PUBLIC area, public_area_of(key));
  CARDEA_ASSIGN(Bytes marshalled, marshal(tss, area));
  CARDEA_ASSIGN(const Bytes object_name, name_of(marshalled));
  TPM2B_PUBLIC* parent_area = nullptr;
  CARDEA_TRY(context_->checked(tss.Esys_ReadPublic(context_->get(), parent.handle(), ESYS_TR_NONE, ESYS_TR_NONE,
                                                   ESYS_TR_NONE, &parent_area, nullptr, nullptr)));
  const EsysPtr<TPM2B_PUBLIC> parent_owner(parent_area, EsysFree(tss));
  CARDEA_ASSIGN(const Seed seed, seed_for(parent_area->publicArea.unique.ecc));
  SecretBytes inner_key(wrap_key_size);
  CARDEA_TRY(crypto::random_bytes(inner_key.mutable_view()));
  CARDEA_ASSIGN(const SecretBytes sensitive, sensitive_of(key, auth));
  CARDEA_ASSIGN(SecretBytes inside, wrap_inside(sensitive, object_name, inner_key));
  TPM2B_PRIVATE duplicate{};
  CARDEA_TRY(wrap_around(std::move(inside), object_name, seed, duplicate));
  CARDEA_ASSIGN(Loaded session, start_session(context_, parent, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT));
  TPM2B_DATA travelling_key{};
  CARDEA_TRY(fill_buffer(travelling_key, inner_key.view()));
  TPMT_SYM_DEF_OBJECT symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = wrap_key_size * 8;
  symmetric.mode.aes = TPM2_ALG_CFB;
  TPM2B_PRIVATE* imported = nullptr;
  const Status done =
      context_->checked(tss.Esys_Import(context_->get(), parent.handle(), session.handle(), ESYS_TR_NONE, ESYS_TR_NONE,
                                        &travelling_key, &area, &duplicate, &seed.encrypted, &symmetric, &imported));
  wipe({travelling_key.buffer, sizeof(travelling_key.buffer)});
  CARDEA_TRY(done);
  session.consumed();
  const EsysPtr<TPM2B_PRIVATE> owner(imported, EsysFree(tss));
  return Blob{std::move(marshalled), to_bytes(view_of_buffer(*imported))};
}

}  // namespace cardea::tpm
