#include <cstdlib>
#include <cstring>

#include "bench/contender.h"

namespace cardea::bench {

using test::Attributes;
using test::Blob;
using test::expect_ok;

namespace {

constexpr const char* default_suffix = ".default";  // of the configuration that sets nothing

// A home of its own for every module we know how to give one; each reads only its own variables. Ours keeps its default
// settings but for the PIN derivation, which costs as little as can be set: what remains of C_Login can then be
// counted.
test::Environment write_environment(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "home");
  std::filesystem::create_directories(folder / "softhsm");
  test::write_file(folder / "cardea.toml", "[keystore.pin_cost]\nmemory_kib = 8\niterations = 1\nlanes = 1\n");
  test::write_file(folder / "softhsm2.conf", "directories.tokendir = " + (folder / "softhsm").string() +
                                                 "\nobjectstore.backend = file\nlog.level = ERROR\n");
  test::write_file(folder / (std::string("cardea.toml") + default_suffix), "");
  return {{"CARDEA_HOME", (folder / "home").string()},
          {"CARDEA_CONF", (folder / "cardea.toml").string()},
          {"SOFTHSM2_CONF", (folder / "softhsm2.conf").string()}};
}

test::Environment use_environment(const test::Environment& environment) {
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  return environment;
}

}  // namespace

ModuleContender::ModuleContender(std::string name, std::string path, const std::filesystem::path& folder)
    : name_(std::move(name)),
      path_(std::move(path)),
      environment_(use_environment(write_environment(folder))),
      single_(write_environment(folder / "single")),
      host_(path_) {
  host_.start();
  host_.make_token(few, "87654321", pin);
  host_.make_token(many, "87654321", pin);
  const CK_SESSION_HANDLE own = session(few);
  rsa_ = host_.make_rsa2048(own, {'r'});
  p256_ = host_.make_p256(own, {'e'});
  peer_ = host_.make_p256(own, {'p'});
  aes_ = host_.make_aes256(own, {'a'});
  host_.make_p256(session(many), {'e'});
}

test::Environment ModuleContender::default_environment() const {
  test::Environment environment = single_;
  environment["CARDEA_CONF"] += default_suffix;
  return environment;
}

CK_SESSION_HANDLE ModuleContender::session(const char* label) const {
  const CK_SESSION_HANDLE made = host_.open(host_.slot(label));
  host_.login(made, pin);
  return made;
}

Work ModuleContender::work(Operation operation) {
  switch (operation) {
    case Operation::rsa_sign:
      return sign(CKM_RSA_PKCS, rsa_.private_key, Blob(51, 0x33));
    case Operation::ecdsa_sign:
      return sign(CKM_ECDSA, p256_.private_key, Blob(32, 0x44));
    case Operation::rsa_verify:
      return verify(CKM_RSA_PKCS, rsa_, Blob(51, 0x33));
    case Operation::ecdsa_verify:
      return verify(CKM_ECDSA, p256_, Blob(32, 0x44));
    case Operation::rsa_decrypt:
      return decrypt();
    case Operation::ecdh:
      return derive();
    case Operation::aes_gcm:
      return encrypt();
  }
  throw std::logic_error("unknown operation");
}

Work ModuleContender::sign(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key, Blob data) {
  return [this, type, key, data, own = session(few), out = Blob(512)]() mutable {
    CK_MECHANISM mechanism{type, nullptr, 0};
    CK_ULONG size = out.size();
    expect_ok(host_->C_SignInit(own, &mechanism, key), "C_SignInit");
    expect_ok(host_->C_Sign(own, data.data(), data.size(), out.data(), &size), "C_Sign");
  };
}

Work ModuleContender::verify(CK_MECHANISM_TYPE type, const test::KeyPair& keys, Blob data) {
  const CK_SESSION_HANDLE own = session(few);
  Blob signature = host_.sign(own, keys.private_key, type, data);
  return [this, type, key = keys.public_key, data, own, signature]() mutable {
    CK_MECHANISM mechanism{type, nullptr, 0};
    expect_ok(host_->C_VerifyInit(own, &mechanism, key), "C_VerifyInit");
    expect_ok(host_->C_Verify(own, data.data(), data.size(), signature.data(), signature.size()), "C_Verify");
  };
}

Work ModuleContender::decrypt() {
  const CK_SESSION_HANDLE own = session(few);
  CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
  Blob data(32, 0x44), cipher(256);
  CK_ULONG size = cipher.size();
  expect_ok(host_->C_EncryptInit(own, &mechanism, rsa_.public_key), "C_EncryptInit");
  expect_ok(host_->C_Encrypt(own, data.data(), data.size(), cipher.data(), &size), "C_Encrypt");
  return [this, own, cipher, out = Blob(256)]() mutable {
    CK_MECHANISM pkcs1{CKM_RSA_PKCS, nullptr, 0};
    CK_ULONG written = out.size();
    expect_ok(host_->C_DecryptInit(own, &pkcs1, rsa_.private_key), "C_DecryptInit");
    expect_ok(host_->C_Decrypt(own, cipher.data(), cipher.size(), out.data(), &written), "C_Decrypt");
  };
}

// A derivation makes a session key, so its destruction belongs to the unit: an application that forgets it runs full.
Work ModuleContender::derive() {
  const CK_SESSION_HANDLE own = session(few);
  Blob point = host_.value(own, peer_.public_key, CKA_EC_POINT);
  auto wanted = std::make_shared<Attributes>();
  wanted->ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_TOKEN, false);
  wanted->boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true).ulong(CKA_VALUE_LEN, 32);
  CK_ATTRIBUTE* const list = wanted->data();
  return [this, own, point, wanted, list]() mutable {
    CK_ECDH1_DERIVE_PARAMS parameters{CKD_NULL, 0, nullptr, point.size(), point.data()};
    CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &parameters, sizeof parameters};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    expect_ok(host_->C_DeriveKey(own, &mechanism, p256_.private_key, list, wanted->size(), &key), "C_DeriveKey");
    expect_ok(host_->C_DestroyObject(own, key), "C_DestroyObject");
  };
}

Work ModuleContender::encrypt() {
  return [this, own = session(few), nonce = Blob(12, 0x22), data = Blob(gcm_bytes, 0x55),
          out = Blob(gcm_bytes + 16)]() mutable {
    ++nonce[0];
    CK_GCM_PARAMS parameters{nonce.data(), nonce.size(), nonce.size() * 8, nullptr, 0, 128};
    CK_MECHANISM mechanism{CKM_AES_GCM, &parameters, sizeof parameters};
    CK_ULONG size = out.size();
    expect_ok(host_->C_EncryptInit(own, &mechanism, aes_), "C_EncryptInit");
    expect_ok(host_->C_Encrypt(own, data.data(), data.size(), out.data(), &size), "C_Encrypt");
  };
}

Blob ModuleContender::object_id(std::size_t number) {
  Blob id(8);
  std::memcpy(id.data(), &number, sizeof number);
  return id;
}

CK_OBJECT_HANDLE ModuleContender::create_object(CK_SESSION_HANDLE session, std::size_t number) const {
  Attributes attributes;
  attributes.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).boolean(CKA_TOKEN, true);
  attributes.boolean(CKA_PRIVATE, true).boolean(CKA_SENSITIVE, true).bytes(CKA_ID, object_id(number));
  attributes.text(CKA_LABEL, "object " + std::to_string(number)).boolean(CKA_ENCRYPT, true);
  attributes.bytes(CKA_VALUE, Blob(32, static_cast<CK_BYTE>(number)));
  return host_.create(session, attributes);
}

void ModuleContender::fill(std::size_t count) {
  const CK_SESSION_HANDLE own = session(many);
  for (; filled_ < count; ++filled_) create_object(own, filled_);
}

}  // namespace cardea::bench
