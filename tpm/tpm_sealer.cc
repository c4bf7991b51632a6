#include "tpm/tpm_sealer.h"

#include "tpm/virtual_card.h"

namespace cardea {
namespace tpm {
namespace {

constexpr Byte format = 1;

/// A secret in this TPM's keeping, and the name of the storage key that it lies under, by which another TPM is told.
struct Sealed {
  Bytes storage_key_name;
  Blob blob;
};

void append_part(Bytes& out, ByteView part) {
  out.push_back(static_cast<Byte>(part.size() >> 8));
  out.push_back(static_cast<Byte>(part.size()));
  out.insert(out.end(), part.begin(), part.end());
}

/// format (1) || length (2) || name || length (2) || public area || length (2) || private area, big-endian.
Bytes serialise(const Sealed& sealed) {
  Bytes out{format};
  append_part(out, sealed.storage_key_name);
  append_part(out, sealed.blob.public_area);
  append_part(out, sealed.blob.private_area);
  return out;
}

bool take_part(ByteView& from, Bytes& part) {
  if (from.size() < 2) return false;
  const std::size_t size = std::size_t{from[0]} << 8 | from[1];
  if (from.size() - 2 < size) return false;
  part = to_bytes(from.subspan(2, size));
  from = from.subspan(2 + size);
  return true;
}

Result<Sealed> parse(ByteView bytes) {
  if (!bytes.empty() && bytes[0] > format) return error(Code::store_newer, "the token was sealed by a newer version");
  Sealed sealed;
  const bool known = !bytes.empty() && bytes[0] == format;
  bytes = known ? bytes.subspan(1) : ByteView();
  const bool whole = take_part(bytes, sealed.storage_key_name) && take_part(bytes, sealed.blob.public_area) &&
                     take_part(bytes, sealed.blob.private_area) && bytes.empty();
  if (!whole) return error(Code::store_corrupt, "the token's seal is damaged");
  return sealed;
}

/// In the words of a token that is sealed: callers must not take a TPM that is absent for a token that is.
Error in_words(Error failure) {
  switch (failure.code) {
    case Code::permission_denied:
    case Code::host_memory:
      return failure;
    case Code::wrapped_key_invalid:
    case Code::data_invalid:
      return error(Code::store_corrupt, "the token's seal is damaged", failure.where);
    case Code::token_absent:
      return error(Code::device_error, "the TPM that seals the token cannot be reached: " + failure.detail,
                   failure.where);
    default:
      return error(Code::device_error,
                   "the TPM does not serve the token's seal: " +
                       (failure.detail.empty() ? std::string(words(failure.code)) : failure.detail),
                   failure.where);
  }
}

class TpmSealer final : public Sealer {
 public:
  explicit TpmSealer(const TpmSettings& settings) : settings_(settings) {}

  Result<Bytes> seal(std::string_view serial, const SecretBytes& secret) override {
    Sealed sealed;
    CARDEA_TRY(run([&](Tpm& tpm, TpmAccess& access) -> Status {
      CARDEA_ASSIGN(const Loaded parent, derive_storage_key(tpm, access, serial));
      CARDEA_ASSIGN(sealed.storage_key_name, access.connection.name(parent));
      CARDEA_ASSIGN(sealed.blob, access.connection.seal_to_tpm(parent, secret));
      return {};
    }));
    return serialise(sealed);
  }

  Result<SecretBytes> unseal(std::string_view serial, ByteView blob) override {
    CARDEA_ASSIGN(const Sealed sealed, parse(blob));
    SecretBytes secret;
    bool another_tpm = false;
    CARDEA_TRY(run([&](Tpm& tpm, TpmAccess& access) -> Status {
      CARDEA_ASSIGN(const Loaded parent, derive_storage_key(tpm, access, serial));
      CARDEA_ASSIGN(const Bytes name, access.connection.name(parent));
      another_tpm = name != sealed.storage_key_name;
      if (another_tpm) return {};
      CARDEA_ASSIGN(const Loaded loaded, access.connection.load(parent, sealed.blob));
      CARDEA_ASSIGN(secret, access.connection.unseal(parent, loaded));
      return {};
    }));
    if (!another_tpm) return secret;
    return error(Code::device_error, "the token is sealed to another TPM, or this one was cleared since");
  }

 private:
  Status run(const std::function<Status(Tpm&, TpmAccess&)>& work) const {
    const std::shared_ptr<Tpm> tpm = shared_tpm(settings_);
    const Status done = tpm->run([&](TpmAccess& access) { return work(*tpm, access); });
    tpm->release();
    if (!done) return in_words(done.error());
    return {};
  }

  const TpmSettings settings_;
};

}  // namespace
}  // namespace tpm

SealerPtr make_tpm_sealer(const TpmSettings& settings) {
  return std::make_shared<tpm::TpmSealer>(settings);
}

}  // namespace cardea
