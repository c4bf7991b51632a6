// An embedded CA on a keystore token of its own, with the state of certificates kept in memory, for tests and
// measurements. Header only; link cardea_contract_kit, cardea_ca and cardea_keys.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <map>
#include <mutex>

#include "ca/connectors.h"
#include "contract/p11.h"
#include "crypto/digest.h"
#include "crypto/key_encoding.h"
#include "embedded/algorithms.h"
#include "embedded/creation.h"
#include "keys/pkcs11_key_token.h"
#include "x509/certificate_view.h"
#include "x509/name.h"

namespace cardea::ca_kit {

using namespace std::chrono_literals;

/// The value, or an exception with the failure's words.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(describe(result.error()));
  return std::move(*result);
}
inline void must(const Status& status) {
  if (!status) throw std::runtime_error(describe(status.error()));
}

/// A clock that tests set.
class SetClock : public manager::Clock {
 public:
  explicit SetClock(manager::Time start) : now_(start.time_since_epoch().count()) {}
  manager::Time now() const override { return manager::Time(std::chrono::seconds(now_.load())); }
  void set(manager::Time time) { now_ = time.time_since_epoch().count(); }

 private:
  std::atomic<std::int64_t> now_;
};

/// What the store would know of issued certificates.
class Register : public manager::StatusSource {
 public:
  struct Row {
    manager::CertificateStatus status;
    std::optional<manager::Time> invalid_since;
  };

  Result<manager::CertificateStatus> status(std::int64_t /*ca*/, ByteView serial) override {
    const std::lock_guard lock(lock_);
    if (broken) return Code::timed_out;
    const auto found = rows_.find(to_bytes(serial));
    return found == rows_.end() ? manager::CertificateStatus{} : found->second.status;
  }
  Status each_revoked(std::int64_t /*ca*/, bool /*expired_too*/,
                      const std::function<Status(const manager::RevokedCertificate&)>& use) override {
    const std::lock_guard lock(lock_);
    if (broken) return Code::timed_out;
    for (const auto& [serial, row] : rows_) {
      if (row.status.state != manager::CertificateStatus::State::revoked) continue;
      CARDEA_TRY(use({serial, row.status.revoked_at, row.status.reason, row.invalid_since}));
    }
    return {};
  }

  void issued(ByteView certificate) {
    const Bytes serial = to_bytes(must(x509::view_certificate(certificate)).serial);
    const std::lock_guard lock(lock_);
    rows_[serial].status.state = manager::CertificateStatus::State::good;
  }
  void revoked(ByteView certificate, manager::Time at, manager::RevocationReason reason,
               std::optional<manager::Time> invalid_since = {}) {
    const Bytes serial = to_bytes(must(x509::view_certificate(certificate)).serial);
    const std::lock_guard lock(lock_);
    rows_[serial] = {{manager::CertificateStatus::State::revoked, at, reason}, invalid_since};
  }

  std::atomic<bool> broken = false;

 private:
  std::mutex lock_;
  std::map<Bytes, Row> rows_;
};

/// A key token over a fresh keystore, a register and a clock.
struct Bench {
  Bench() : clock(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())) {
    {
      const p11::Module module(kind.module_path());
      if (module.initialize() != CKR_OK) throw std::runtime_error("the module does not start");
      kind.make_token(module, "manager");
      module->C_Finalize(nullptr);
    }
    const std::string pin = folder.path() / "pin";
    std::ofstream(pin) << kind.user_pin() << "\n";
    chmod(pin.c_str(), 0600);
    keys = keys::make_key_token({kind.module_path(), "manager", pin});
  }
  ca::EmbeddedParts parts() { return {*keys, status, clock}; }

  std::unique_ptr<ca::EmbeddedCa> root(ca::CaCreation wanted) {
    return must(ca::EmbeddedCa::open(1, must(ca::create_root(parts(), wanted)), parts()));
  }
  std::unique_ptr<ca::EmbeddedCa> below(const ca::CaCreation& wanted, const ca::EmbeddedCa& parent) {
    return must(ca::EmbeddedCa::open(2, must(ca::create_below(parts(), wanted, parent)), parts()));
  }

  p11::KeystoreKind kind;
  p11::TemporaryDirectory folder;
  Register status;
  SetClock clock;
  std::unique_ptr<manager::KeyToken> keys;
};

/// A key of a certificate holder, and requests signed with it.
class Holder {
 public:
  explicit Holder(crypto::KeyAlgorithm algorithm = crypto::KeyAlgorithm::p256, std::size_t rsa_bits = 2048)
      : key_(make(algorithm, rsa_bits)), key_info_(must(crypto::subject_public_key_info(*key_))) {}

  /// PKCS#10 with that subject and, when there are any, those extensions (content of Extensions).
  Bytes request(std::string_view subject, ByteView extensions = {}) const {
    return request_for_name(must(x509::name_der(subject)), extensions);
  }
  /// The same for a subject in DER, or in what is none.
  Bytes request_for_name(ByteView name, ByteView extensions = {}) const {
    using namespace x509;
    Bytes attribute;
    if (!extensions.empty()) {
      attribute =
          sequence({must(object_identifier("1.2.840.113549.1.9.14")), element(tag_set, {sequence({extensions})})});
    }
    const Bytes info = sequence({integer(std::uint64_t{0}), name, key_info_, element(context_tag(0), {attribute})});
    return sequence({info, algorithm(), bit_string(sign(info))});
  }
  const Bytes& key_info() const { return key_info_; }
  const crypto::AsymmetricKey& key() const { return *key_; }

 private:
  static crypto::AsymmetricKeyPtr make(crypto::KeyAlgorithm algorithm, std::size_t rsa_bits) {
    constexpr Byte f4[]{1, 0, 1};
    return must(algorithm == crypto::KeyAlgorithm::rsa ? crypto::AsymmetricKey::generate_rsa(rsa_bits, f4)
                                                       : crypto::AsymmetricKey::generate(algorithm));
  }
  Bytes algorithm() const {
    if (key_->facts().family == crypto::KeyFamily::rsa) {
      return ca::signature_algorithm(manager::SignatureScheme::rsa_pkcs1_sha256);
    }
    if (key_->facts().family == crypto::KeyFamily::ec) {
      return ca::signature_algorithm(manager::SignatureScheme::ecdsa_sha256);
    }
    return x509::sequence({view_of(key_->facts().oid)});
  }
  Bytes sign(ByteView message) const {
    Bytes out(key_->output_size());
    if (key_->facts().family == crypto::KeyFamily::rsa) {
      const Bytes digest = must(crypto::digest(Hash::sha256, message));
      const Bytes info = x509::sequence(
          {x509::sequence({must(x509::object_identifier("2.16.840.1.101.3.4.2.1")), x509::element(x509::tag_null, {})}),
           x509::octet_string(digest)});
      out.resize(must(key_->sign_pkcs1(info, out)));
      return out;
    }
    if (key_->facts().family != crypto::KeyFamily::ec) {
      out.resize(must(key_->sign_message({}, message, out)));
      return out;
    }
    out.resize(must(key_->ecdsa_sign(must(crypto::digest(Hash::sha256, message)), out)));
    const ByteView raw = out;
    return x509::sequence({x509::integer(raw.first(raw.size() / 2)), x509::integer(raw.subspan(raw.size() / 2))});
  }

  crypto::AsymmetricKeyPtr key_;
  Bytes key_info_;
};

/// A request to a CA by that profile; ids count up.
inline manager::IssuanceRequest request_for(std::string profile, Bytes csr) {
  static std::atomic<int> number = 0;
  manager::IssuanceRequest request;
  request.id = std::to_string(++number);
  request.profile = std::move(profile);
  request.csr = std::move(csr);
  return request;
}

inline Result<manager::EnrolmentAnswer> enrol(manager::CaConnector& connector,
                                              const manager::IssuanceRequest& request) {
  return connector.enrol(request, manager::IssuanceTicket::for_recorded_intent(request.id));
}

/// The certificate; an exception when there is none.
inline Bytes issued(manager::CaConnector& connector, const manager::IssuanceRequest& request) {
  const manager::EnrolmentAnswer answer = must(enrol(connector, request));
  if (const auto* rejected = std::get_if<manager::Rejected>(&answer)) throw std::runtime_error(rejected->reason);
  return std::get<manager::Issued>(answer).certificate;
}

}  // namespace cardea::ca_kit
