// OCSP requests with any content: each gets an answer, whatever it is.
#include <array>
#include <cstdlib>
#include <optional>

#include "crypto/asymmetric_key.h"
#include "crypto/key_encoding.h"
#include "embedded/algorithms.h"
#include "embedded/ocsp_request.h"
#include "embedded/ocsp_responder.h"
#include "x509/name.h"

using namespace cardea;

namespace {

/// Signs nothing: what is looked for lies before the signature.
class NoKeys final : public manager::KeyToken {
 public:
  Status check() override { return {}; }
  bool supports(manager::SigningKeyType /*type*/) override { return false; }
  Result<manager::SigningKey> signing_key(std::string_view /*name*/) override { return Code::not_found; }
  Result<manager::SigningKey> generate_signing_key(std::string_view /*name*/,
                                                   manager::SigningKeyType /*type*/) override {
    return Code::mechanism_invalid;
  }
  Result<Bytes> sign(std::string_view /*name*/, manager::SignatureScheme /*scheme*/, ByteView /*message*/) override {
    return Bytes(70, 0x30);
  }
  Status ensure_secret_key(std::string_view /*name*/, manager::SecretKeyUse /*use*/) override { return {}; }
  Result<SecretBytes> derive(std::string_view /*name*/, std::string_view /*label*/, ByteView /*context*/,
                             std::size_t /*length*/) override {
    return Code::not_found;
  }
  Result<Bytes> wrap(std::string_view /*name*/, const SecretBytes& /*secret*/, ByteView /*bound*/) override {
    return Code::not_found;
  }
  Result<SecretBytes> unwrap(std::string_view /*name*/, ByteView /*sealed*/, ByteView /*bound*/) override {
    return Code::not_found;
  }
  Status destroy_key(std::string_view /*name*/) override { return Code::not_found; }
  Result<SecretBytes> random(std::size_t size) override { return SecretBytes(size); }
};

/// Every number's state follows from its last byte.
class AnyStatus final : public manager::StatusSource {
 public:
  Result<manager::CertificateStatus> status(std::int64_t /*ca*/, ByteView serial) override {
    manager::CertificateStatus status;
    const Byte last = serial.empty() ? Byte{0} : serial.back();
    status.state = static_cast<manager::CertificateStatus::State>(last % 3);
    status.revoked_at = std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000));
    status.reason = manager::RevocationReason::superseded;
    return status;
  }
  Status each_revoked(std::int64_t /*ca*/, bool /*expired_too*/,
                      const std::function<Status(const manager::RevokedCertificate&)>& /*use*/) override {
    return {};
  }
};

struct Responder {
  NoKeys keys;
  AnyStatus status;
  std::optional<ca::OcspResponder> responder;

  Responder() {
    // The seeds are requests for this name and key (tests/fuzz/make-seeds).
    constexpr std::array<Byte, 32> scalar{1};
    const auto key = crypto::AsymmetricKey::from_private(crypto::KeyAlgorithm::p256, scalar);
    const auto name = x509::name_der("CN=Fuzz");
    if (!key || !name) std::abort();
    ca::ResponderSettings settings;
    settings.ca_name = *name;
    settings.ca_key_info = *crypto::subject_public_key_info(**key);
    settings.signer = {"key", manager::SignatureScheme::ecdsa_sha256, *name, {}};
    settings.signer_key_info = settings.ca_key_info;
    settings.lifetime = std::chrono::hours(1);
    auto made = ca::OcspResponder::make(keys, status, std::move(settings));
    if (!made) std::abort();
    responder.emplace(std::move(*made));
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Responder& responder = *new Responder;
  const ByteView request(data, size);
  const auto parsed = ca::read_ocsp_request(request);
  if (parsed && (parsed->questions.empty() || parsed->questions.size() > ca::most_ocsp_questions)) std::abort();
  const auto answer =
      responder.responder->answer(request, std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000)));
  if (!answer || answer->empty()) std::abort();
  return 0;
}
