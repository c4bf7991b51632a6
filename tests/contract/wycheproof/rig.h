// What every family of vectors uses: a session on a token, JSON access, keys by value, and a verdict.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <set>

#include "contract/p11.h"

namespace cardea::wycheproof {

using p11::Bytes;

enum class Verdict { accepted, rejected, unsupported };

/// What the module made of one vector. `note` says why it is unsupported.
struct Outcome {
  Verdict verdict;
  std::string note = {};
};

inline Outcome accepted_if(bool good) {
  return {good ? Verdict::accepted : Verdict::rejected};
}
inline Outcome unsupported(std::string why) {
  return {Verdict::unsupported, std::move(why)};
}

/// One vector with its group and the name of its file.
struct Vector {
  std::string_view file;
  const boost::json::object& group;
  const boost::json::object& test;

  bool has(std::string_view name) const { return test.contains(name); }
  /// A field of hex digits, from the test or else from its group; empty when neither has it.
  Bytes hex(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::int64_t number(std::string_view name) const;
  bool has_flag(std::string_view part) const;
};

/// The session that vectors run in, and the objects made for the present group.
class Rig {
 public:
  Rig(const p11::Module& module, CK_SLOT_ID slot) : session(module, slot), slot_(slot) {
    for (const CK_MECHANISM_TYPE type : module.mechanisms(slot)) listed_.insert(type);
  }
  bool lists(CK_MECHANISM_TYPE type) const { return listed_.count(type) != 0; }
  CK_FLAGS flags(CK_MECHANISM_TYPE type) const { return session.module().mechanism_flags(slot_, type); }

  /// A session secret key; C_CreateObject's answer.
  CK_RV secret(CK_KEY_TYPE type, const Bytes& value, std::initializer_list<CK_ATTRIBUTE_TYPE> usages,
               CK_OBJECT_HANDLE& key);
  /// The object that `make` creates, kept under this name until another name is asked for.
  template <typename Make>
  CK_RV kept(const std::string& name, Make make, CK_OBJECT_HANDLE& object) {
    if (name != kept_name_) {
      if (kept_rv_ == CKR_OK && kept_object_ != CK_INVALID_HANDLE) session.destroy(kept_object_);
      kept_object_ = CK_INVALID_HANDLE;
      kept_rv_ = make(kept_object_);
      kept_name_ = name;
    }
    object = kept_object_;
    return kept_rv_;
  }

  const p11::Session session;

 private:
  CK_SLOT_ID slot_;
  std::set<CK_MECHANISM_TYPE> listed_;
  std::string kept_name_;
  CK_OBJECT_HANDLE kept_object_ = CK_INVALID_HANDLE;
  CK_RV kept_rv_ = CKR_OK;
};

/// Destroys an object at the end of its life: tens of thousands of vectors must not pile up keys.
class Owned {
 public:
  explicit Owned(const p11::Session& session) : session_(session) {}
  ~Owned() {
    if (handle != CK_INVALID_HANDLE) session_.destroy(handle);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;

 private:
  const p11::Session& session_;
};

/// Names of a hash function in PKCS#11. Zero where there is none.
struct Hash {
  const char* name;  ///< as the vectors write it
  CK_MECHANISM_TYPE digest, hmac, hmac_general, rsa, pss, ecdsa;
  CK_RSA_PKCS_MGF_TYPE mgf;
  CK_PKCS5_PBKD2_PSEUDO_RANDOM_FUNCTION_TYPE pbkdf2;
};
const Hash* find_hash(std::string_view name);

/// DER: the contents of an element of this tag at `at`, which moves past it; absent unless it is there in strict DER.
std::optional<Bytes> der_element(const Bytes& der, std::size_t& at, std::uint8_t tag);
/// A non-negative integer of at most `size` bytes, padded to that size.
std::optional<Bytes> fixed_size(const Bytes& number, std::size_t size);
Bytes from_base64(std::string_view text);

using Handler = Outcome (*)(Rig&, const Vector&);
Outcome run_ecdsa(Rig& rig, const Vector& v);
Outcome run_ecdsa_p1363(Rig& rig, const Vector& v);
Outcome run_ecdh(Rig& rig, const Vector& v);
Outcome run_eddsa(Rig& rig, const Vector& v);
Outcome run_xdh(Rig& rig, const Vector& v);
Outcome run_rsa_decrypt(Rig& rig, const Vector& v);
Outcome run_rsa_oaep(Rig& rig, const Vector& v);
Outcome run_rsa_sign(Rig& rig, const Vector& v);
Outcome run_rsa_verify(Rig& rig, const Vector& v);
Outcome run_rsa_pss(Rig& rig, const Vector& v);
Outcome run_aead(Rig& rig, const Vector& v);
Outcome run_mac(Rig& rig, const Vector& v);
Outcome run_gmac(Rig& rig, const Vector& v);
Outcome run_key_wrap(Rig& rig, const Vector& v);
Outcome run_cbc_pad(Rig& rig, const Vector& v);
Outcome run_hkdf(Rig& rig, const Vector& v);
Outcome run_pbkdf2(Rig& rig, const Vector& v);
Outcome run_primality(Rig& rig, const Vector& v);
Outcome run_ml_dsa_verify(Rig& rig, const Vector& v);
Outcome run_ml_dsa_sign(Rig& rig, const Vector& v);
Outcome run_ml_kem(Rig& rig, const Vector& v);
Outcome run_ml_kem_encapsulate(Rig& rig, const Vector& v);
Outcome run_ml_kem_keygen(Rig& rig, const Vector& v);

}  // namespace cardea::wycheproof
