// cardea-bench-ca [--smoke]: what the embedded CA does in a second, beside OpenSSL's own X509 and OCSP functions with a
// key in the process, in one run on one thread. Rates are per second of processor time; creation and CRL are by the
// clock on the wall. How long an RSA key takes is chance, so creation is the mean of many runs, each beside a key that
// OpenSSL makes in the process.
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <ctime>
#include <iostream>

#include "contract/ca_kit.h"

using namespace cardea;
using namespace cardea::ca_kit;
using Clock = std::chrono::steady_clock;

namespace {

struct Amounts {
  std::chrono::milliseconds each{2000};  ///< of measuring a rate
  std::size_t revoked = 500'000;         ///< entries of the CRL
  int creations = 20;                    ///< authorities of each kind
};

template <class T, void (*release)(T*)>
struct Free {
  void operator()(T* object) const { release(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;
using Request = std::unique_ptr<X509_REQ, Free<X509_REQ, X509_REQ_free>>;

void check(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string(what) + " failed");
}

/// Processor time of this thread: what one core does, also while the machine does other things.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Calls of `work` in a second of a core, after a tenth of the time to warm up.
template <class Work>
double rate(const Amounts& amounts, Work work) {
  const double seconds = std::chrono::duration<double>(amounts.each).count();
  for (const double end = processor_seconds() + seconds / 10; processor_seconds() < end;) work();
  std::size_t count = 0;
  const double begin = processor_seconds();
  double now = begin;
  for (; now < begin + seconds; now = processor_seconds(), ++count) work();
  return static_cast<double>(count) / (now - begin);
}

void line(const std::string& what, double ours, double raw) {
  std::printf("%-52s %9.0f/s   OpenSSL %9.0f/s   ratio %.2f\n", what.c_str(), ours, raw, ours / raw);
}

ca::CaCreation creation(std::string name, manager::SigningKeyType type = manager::SigningKeyType::p256) {
  ca::CaCreation wanted;
  wanted.name = std::move(name);
  wanted.subject = "CN=Bench CA,O=Cardea Test";
  wanted.key_type = type;
  wanted.urls = {"http://pki.example.org/crl", "http://pki.example.org/ocsp", "http://pki.example.org/ca.cer"};
  return wanted;
}

template <class Work>
double seconds_of(Work work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// The key token, with the time that it takes to make keys.
class TimedKeys final : public manager::KeyToken {
 public:
  explicit TimedKeys(manager::KeyToken& keys) : keys_(keys) {}
  Status check() override { return keys_.check(); }
  bool supports(manager::SigningKeyType type) override { return keys_.supports(type); }
  Result<manager::SigningKey> signing_key(std::string_view name) override { return keys_.signing_key(name); }
  Result<manager::SigningKey> generate_signing_key(std::string_view name, manager::SigningKeyType type) override {
    const auto begin = Clock::now();
    auto made = keys_.generate_signing_key(name, type);
    spent_ += Clock::now() - begin;
    return made;
  }
  Result<Bytes> sign(std::string_view name, manager::SignatureScheme scheme, ByteView message) override {
    return keys_.sign(name, scheme, message);
  }
  Status ensure_secret_key(std::string_view name, manager::SecretKeyUse use) override {
    return keys_.ensure_secret_key(name, use);
  }
  Result<SecretBytes> derive(std::string_view name, std::string_view label, ByteView context,
                             std::size_t length) override {
    return keys_.derive(name, label, context, length);
  }
  Result<Bytes> wrap(std::string_view name, const SecretBytes& secret, ByteView bound) override {
    return keys_.wrap(name, secret, bound);
  }
  Result<SecretBytes> unwrap(std::string_view name, ByteView sealed, ByteView bound) override {
    return keys_.unwrap(name, sealed, bound);
  }
  Status destroy_key(std::string_view name) override { return keys_.destroy_key(name); }
  Result<SecretBytes> random(std::size_t size) override { return keys_.random(size); }

  double spent() const { return std::chrono::duration<double>(spent_).count(); }

 private:
  manager::KeyToken& keys_;
  Clock::duration spent_{};
};

Key openssl_key(manager::SigningKeyType type) {
  using enum manager::SigningKeyType;
  if (type == p256 || type == p384) return Key(EVP_EC_gen(type == p256 ? "P-256" : "P-384"));
  return Key(EVP_RSA_gen(type == rsa_2048 ? 2048U : type == rsa_3072 ? 3072U : 4096U));
}

void measure_creation(const Amounts& amounts, Bench& bench) {
  std::printf(
      "seconds to make a root CA with its OCSP signer, mean of %d; of that key pairs in the key token; OpenSSL's key\n",
      amounts.creations);
  using enum manager::SigningKeyType;
  for (const auto type : {p256, p384, rsa_2048, rsa_3072, rsa_4096}) {
    TimedKeys keys(*bench.keys);
    double all = 0;
    double longest = 0;
    double raw = 0;
    for (int i = 0; i < amounts.creations; ++i) {
      const double took = seconds_of([&] {
        (void)must(ca::create_root({keys, bench.status, bench.clock}, creation("creation", type)));
      });
      all += took;
      longest = std::max(longest, took);
      raw += seconds_of([&] { check(openssl_key(type) != nullptr, "EVP_PKEY_Q_keygen"); });
    }
    const double count = amounts.creations;
    std::printf("  %-10s %8.4f (longest %8.4f)   key pairs %8.4f   all else %8.4f   OpenSSL's key %8.4f\n",
                std::string(word(type)).c_str(), all / count, longest, keys.spent() / count,
                (all - keys.spent()) / count, raw / count);
  }
}

/// The same certificate by OpenSSL's functions: request read and verified, certificate built and signed.
class OpensslIssuer {
 public:
  OpensslIssuer() : key_(EVP_EC_gen("P-256")) { check(key_ != nullptr, "EVP_EC_gen"); }

  void issue(ByteView csr) const {
    const unsigned char* next = csr.data();
    const Request request(d2i_X509_REQ(nullptr, &next, static_cast<long>(csr.size())));
    check(request && X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) == 1, "X509_REQ_verify");
    const Certificate made(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 4711);
    check(X509_set_version(made.get(), 2) == 1 &&
              X509_set_issuer_name(made.get(), X509_REQ_get_subject_name(request.get())) == 1 &&
              X509_set_subject_name(made.get(), X509_REQ_get_subject_name(request.get())) == 1 &&
              X509_set_pubkey(made.get(), X509_REQ_get0_pubkey(request.get())) == 1,
          "X509_set");
    X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 86400);
    for (const auto& [nid, value] : {std::pair(NID_key_usage, "critical,digitalSignature"),
                                     std::pair(NID_ext_key_usage, "clientAuth,emailProtection"),
                                     std::pair(NID_subject_alt_name, "email:ana@example.org")}) {
      X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
      check(extension != nullptr && X509_add_ext(made.get(), extension, -1) == 1, "X509_add_ext");
      X509_EXTENSION_free(extension);
    }
    check(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0, "X509_sign");
    unsigned char* der = nullptr;
    check(i2d_X509(made.get(), &der) > 0, "i2d_X509");
    OPENSSL_free(der);
  }

  void answer(ByteView question, X509* signer) const {
    const unsigned char* next = question.data();
    OCSP_REQUEST* const request = d2i_OCSP_REQUEST(nullptr, &next, static_cast<long>(question.size()));
    check(request != nullptr, "d2i_OCSP_REQUEST");
    OCSP_BASICRESP* const basic = OCSP_BASICRESP_new();
    ASN1_TIME* const now = X509_gmtime_adj(nullptr, 0);
    OCSP_CERTID* const id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
    check(OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, now, now) != nullptr, "add1_status");
    OCSP_copy_nonce(basic, request);
    check(OCSP_basic_sign(basic, signer, key_.get(), EVP_sha256(), nullptr, OCSP_RESPID_KEY) == 1, "OCSP_basic_sign");
    OCSP_RESPONSE* const response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char* der = nullptr;
    check(i2d_OCSP_RESPONSE(response, &der) > 0, "i2d_OCSP_RESPONSE");
    OPENSSL_free(der);
    ASN1_TIME_free(now);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_REQUEST_free(request);
  }

  Certificate self_signed() const {
    Certificate made(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("Bench"), -1, -1, 0);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 86400);
    check(X509_set_issuer_name(made.get(), X509_get_subject_name(made.get())) == 1 &&
              X509_set_pubkey(made.get(), key_.get()) == 1 && X509_sign(made.get(), key_.get(), EVP_sha256()) > 0,
          "self_signed");
    return made;
  }

 private:
  Key key_;
};

void measure_certificates(const Amounts& amounts, Bench& bench, ca::EmbeddedCa& root, const OpensslIssuer& raw) {
  const Holder holder;
  auto request = request_for("smartcard-authentication", holder.request("CN=Ana Archer,O=Cardea Test"));
  request.alternative_names = {{{manager::AlternativeName::Kind::rfc822, "ana@example.org"}}};
  const double requests = rate(amounts, [&] { (void)must(x509::read_request(request.csr)); });
  const double raw_requests = rate(amounts, [&] {
    const unsigned char* next = request.csr.data();
    const Request parsed(d2i_X509_REQ(nullptr, &next, static_cast<long>(request.csr.size())));
    check(parsed && X509_REQ_verify(parsed.get(), X509_REQ_get0_pubkey(parsed.get())) == 1, "X509_REQ_verify");
  });
  line("requests read and verified, P-256", requests, raw_requests);
  const Bytes message(600, 1);
  const double signatures = rate(amounts, [&] {
    (void)must(bench.keys->sign(root.settings().key, manager::SignatureScheme::ecdsa_sha256, message));
  });
  const Key key(EVP_EC_gen("P-256"));
  const double raw_signatures = rate(amounts, [&] {
    const std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX, EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    Bytes out(128);
    std::size_t size = out.size();
    check(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
              EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) == 1,
          "EVP_DigestSign");
  });
  line("signatures by the key token, P-256", signatures, raw_signatures);
  const double certificates = rate(amounts, [&] { (void)issued(root, request); });
  line("certificates for requests, P-256", certificates, rate(amounts, [&] { raw.issue(request.csr); }));
}

Bytes ocsp_question(const ca::EmbeddedCa& root, ByteView serial) {
  using namespace x509;
  const auto own = must(view_certificate(root.certificate()));
  const Bytes hash = sequence({must(object_identifier("1.3.14.3.2.26")), element(tag_null, {})});
  const Bytes name_hash = octet_string(must(crypto::digest(Hash::sha1, own.subject)));
  const Bytes key_hash = octet_string(must(crypto::digest(Hash::sha1, key_bits(own.key_info))));
  const Bytes nonce = octet_string(Bytes(32, 7));
  const Bytes extensions =
      element(context_tag(2), {sequence({extension(must(object_identifier("1.3.6.1.5.5.7.48.1.2")), false, nonce)})});
  return sequence(
      {sequence({sequence({sequence({sequence({hash, name_hash, key_hash, integer(serial)})})}), extensions})});
}

void measure_ocsp(const Amounts& amounts, Bench& bench, ca::EmbeddedCa& root, const OpensslIssuer& raw) {
  const Holder holder;
  const Bytes certificate = issued(root, request_for("basic", holder.request("CN=Ana")));
  bench.status.issued(certificate);
  const Bytes question = ocsp_question(root, must(x509::view_certificate(certificate)).serial);
  const auto now = bench.clock.now();
  const Certificate signer = raw.self_signed();
  const double answers = rate(amounts, [&] { (void)must(root.answer_ocsp(question, now)); });
  line("OCSP answers, freshly signed, P-256", answers, rate(amounts, [&] { raw.answer(question, signer.get()); }));
}

/// Half a million revoked certificates that exist only while they stream by.
class ManyRevoked : public manager::StatusSource {
 public:
  explicit ManyRevoked(std::size_t count) : count_(count) {}
  Result<manager::CertificateStatus> status(std::int64_t /*ca*/, ByteView /*serial*/) override {
    return manager::CertificateStatus{};
  }
  Status each_revoked(std::int64_t /*ca*/, bool /*expired_too*/,
                      const std::function<Status(const manager::RevokedCertificate&)>& use) override {
    std::array<Byte, 16> serial{0x5a};
    const manager::Time at{std::chrono::seconds(1'800'000'000)};
    for (std::size_t i = 0; i < count_; ++i) {
      std::memcpy(serial.data() + 8, &i, sizeof i);
      const auto reason = static_cast<manager::RevocationReason>(i % 6);
      CARDEA_TRY(use({serial, at + std::chrono::seconds(i % 100'000), reason, std::nullopt}));
    }
    return {};
  }

 private:
  std::size_t count_;
};

void measure_crl(const Amounts& amounts, Bench& bench, const ca::EmbeddedCa& root) {
  ManyRevoked many(amounts.revoked);
  const auto ca = must(ca::EmbeddedCa::open(1, root.settings(), {*bench.keys, many, bench.clock}));
  const auto begin = Clock::now();
  const Bytes crl = must(ca->make_crl(1, bench.clock.now()));
  const std::chrono::duration<double> took = Clock::now() - begin;
  std::printf("CRL of %zu entries, %.1f MB %30.3f s\n", amounts.revoked, static_cast<double>(crl.size()) / 1e6,
              took.count());
}

}  // namespace

int main(int argc, char** argv) {
  Amounts amounts;
  if (argc == 2 && std::string_view(argv[1]) == "--smoke") amounts = {std::chrono::milliseconds(20), 1000, 1};
  try {
    Bench bench;
    measure_creation(amounts, bench);
    const auto root = bench.root(creation("bench"));
    const OpensslIssuer raw;
    measure_certificates(amounts, bench, *root, raw);
    measure_ocsp(amounts, bench, *root, raw);
    measure_crl(amounts, bench, *root);
  } catch (const std::exception& problem) {
    std::cerr << "cardea-bench-ca: " << problem.what() << "\n";
    return 1;
  }
  return 0;
}
