// Who takes part: OpenSSL used directly ("raw"), and PKCS#11 modules.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "bench/measure.h"
#include "fakes/host.h"
#include "fakes/process.h"

namespace cardea::bench {

/// What each contender is asked to do again and again.
enum class Operation : unsigned char { rsa_sign, rsa_decrypt, ecdsa_sign, ecdh, rsa_verify, ecdsa_verify, aes_gcm };
inline constexpr std::size_t gcm_bytes = 16384;

class Contender {
 public:
  virtual ~Contender() = default;
  virtual const std::string& name() const = 0;
  /// Work that may run beside other works of the same contender: with its own contexts or session.
  virtual Work work(Operation operation) = 0;
};

/// EVP with keys loaded and contexts reused: what no module can beat.
std::unique_ptr<Contender> make_raw();
/// A file with a fresh P-256 key, for the raw half of the start-up measurement: 65 bytes of public point, 32 of scalar.
void write_raw_key(const std::filesystem::path& path);

/// A PKCS#11 module with two tokens of its own: "few" with one key of each kind, and "many" for the object cases.
class ModuleContender : public Contender {
 public:
  /// `folder`: where its token stores go. Throws when the module does not work.
  ModuleContender(std::string name, std::string path, const std::filesystem::path& folder);

  const std::string& name() const override { return name_; }
  const std::string& path() const { return path_; }
  /// The environment in which another process sees the same tokens.
  const test::Environment& environment() const { return environment_; }
  /// That of a home for one token, still empty.
  const test::Environment& single_environment() const { return single_; }
  /// The same with the module's default settings. In the others a PIN derivation costs as little as can be set.
  test::Environment default_environment() const;
  const test::Host& host() const { return host_; }
  Work work(Operation operation) override;

  /// A new R/W session, logged in.
  CK_SESSION_HANDLE session(const char* label) const;
  /// Fills "many" up to `count` secret keys; their CKA_ID is object_id(number).
  void fill(std::size_t count);
  static test::Blob object_id(std::size_t number);
  CK_OBJECT_HANDLE create_object(CK_SESSION_HANDLE session, std::size_t number) const;

  static constexpr const char* pin = "123456";
  static constexpr const char* few = "few";
  static constexpr const char* many = "many";

 private:
  Work sign(CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key, test::Blob data);
  Work verify(CK_MECHANISM_TYPE mechanism, const test::KeyPair& keys, test::Blob data);
  Work decrypt();
  Work derive();
  Work encrypt();

  std::string name_;
  std::string path_;
  test::Environment environment_;
  test::Environment single_;
  test::Host host_;
  test::KeyPair rsa_;
  test::KeyPair p256_;
  test::KeyPair peer_;
  CK_OBJECT_HANDLE aes_ = CK_INVALID_HANDLE;
  std::size_t filled_ = 0;
};

}  // namespace cardea::bench
