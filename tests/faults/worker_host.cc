// Tasks of hosts that use OpenSSL themselves, of hosts on damaged or unwritable homes, and the call of every function.
#include <fcntl.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstring>

#include "faults/setting.h"
#include "faults/worker.h"

namespace cardea::test {

namespace {

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

void digest_with_the_hosts_openssl() {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  require(EVP_Digest("abc", 3, out, &size, EVP_sha256(), nullptr) == 1 && size == 32, "the host's own digest fails");
}

// A host whose OPENSSL_CONF loads an engine or provider that loads our module in turn.
int openssl_host(const Arguments& arguments) {
  const bool loaded = OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr) == 1;
  digest_with_the_hosts_openssl();
  ERR_clear_error();
  Token token;
  token.host.login(token.session, user_pin);
  const Blob data(32, 7);
  for (int round = 0; round < 20; ++round) {
    token.host.sign(token.session, signing_key(token.host, token.session), CKM_ECDSA, data);
    digest_with_the_hosts_openssl();
  }
  require(ERR_peek_error() == 0, "the host finds our errors in its queue");
  tell(loaded ? "loaded" : "not loaded");
  return !arguments.empty() && arguments.front() == "must-load" && !loaded ? 1 : 0;
}

// Calls that fail inside the crypto library leave nothing in the host's queue.
int error_queue(const Arguments&) {
  Token token;
  const Host& host = token.host;
  host.try_login(token.session, wrong_pin);
  host.login(token.session, user_pin);
  const test::KeyPair rsa = host.make_rsa2048(token.session, p11::bytes_of("rsa"));
  const test::KeyPair p256 = host.make_p256(token.session, p11::bytes_of("ec"), false);
  require(ERR_peek_error() == 0, "key generation leaves errors in the host's queue");
  // An error that the host has not read yet must still be there afterwards, and be the only one.
  ERR_raise(ERR_LIB_USER, 42);
  const Blob data(32, 7);
  require(host.verify(token.session, p256.public_key, CKM_ECDSA, data, Blob(64, 9)) != CKR_OK,
          "a false signature passes");
  require(host.verify(token.session, rsa.public_key, CKM_RSA_PKCS, data, Blob(256, 9)) != CKR_OK,
          "a false signature passes");
  Blob cipher(256, 3), plain(256);
  CK_ULONG size = plain.size();
  CK_MECHANISM pkcs1{CKM_RSA_PKCS, nullptr, 0};
  expect_ok(host->C_DecryptInit(token.session, &pkcs1, rsa.private_key), "C_DecryptInit");
  host->C_Decrypt(token.session, cipher.data(), cipher.size(), plain.data(), &size);
  Attributes bad_key;
  bad_key.ulong(CKA_CLASS, CKO_PUBLIC_KEY).ulong(CKA_KEY_TYPE, CKK_EC).bytes(CKA_EC_PARAMS, p256_parameters());
  bad_key.bytes(CKA_EC_POINT, Blob{4, 3, 4, 1, 2});
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  require(host->C_CreateObject(token.session, bad_key.data(), bad_key.size(), &made) != CKR_OK, "a false point passes");
  require(ERR_GET_REASON(ERR_get_error()) == 42, "the host's own error is gone or behind one of ours");
  require(ERR_get_error() == 0, "our errors are left in the host's queue");
  return 0;
}

// survive: reads all there is on a token that may be damaged in any way. Ends well whatever the module answers.
int survive(const Arguments&) {
  const Host host(module_path());
  if (host.initialize() != CKR_OK) return 0;
  for (const CK_SLOT_ID slot : host.slots()) {
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    CK_TOKEN_INFO info{};
    host->C_GetTokenInfo(slot, &info);
    if (host->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) != CKR_OK) continue;
    if (host.try_login(session, user_pin) == CKR_OK) tell("login");
    if (host->C_FindObjectsInit(session, nullptr, 0) != CKR_OK) continue;
    CK_OBJECT_HANDLE found[64];
    CK_ULONG count = 0;
    host->C_FindObjects(session, found, 64, &count);
    host->C_FindObjectsFinal(session);
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_BYTE id[64], value[256];
      CK_ATTRIBUTE wanted[]{
          {CKA_ID, id, sizeof id}, {CKA_VALUE, value, sizeof value}, {CKA_EC_POINT, value, sizeof value}};
      host->C_GetAttributeValue(session, found[i], wanted, 3);
      CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
      Blob data(32, 7), signature(128);
      CK_ULONG size = signature.size();
      if (host->C_SignInit(session, &mechanism, found[i]) == CKR_OK) {
        host->C_Sign(session, data.data(), data.size(), signature.data(), &size);
      }
      if (wanted[0].ulValueLen <= sizeof id) {
        tell("object " + std::string(reinterpret_cast<char*>(id), wanted[0].ulValueLen));
      }
    }
    try {
      create_secret(host, session, "more");
    } catch (const CallFailed&) {
      tell("no more");
    }
  }
  host->C_Finalize(nullptr);
  return 0;
}

// read-only WAY UID: signs on a home nobody may write to. "mount": over a read-only mount, 77 where that is not
// allowed.
int read_only(const Arguments& arguments) {
  const std::string home = getenv("CARDEA_HOME");
  if (arguments.at(0) == "mount" &&
      (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
       mount(home.c_str(), home.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
       mount(nullptr, home.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0)) {
    return 77;
  }
  const auto uid = static_cast<uid_t>(std::stoul(arguments.at(1)));
  // Loaded first: the checkout may lie where only its owner may look.
  const Host host(module_path());
  if (uid != 0 && (setgid(uid) != 0 || setuid(uid) != 0)) return 77;
  host.start();
  const CK_SLOT_ID slot = host.slot(token_label);
  CK_TOKEN_INFO info{};
  expect_ok(host->C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
  require((info.flags & CKF_WRITE_PROTECTED) != 0, "the token does not say that it is write-protected");
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  require(host->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) ==
              CKR_TOKEN_WRITE_PROTECTED,
          "a read/write session is opened");
  expect_ok(host->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session), "C_OpenSession");
  host.login(session, user_pin);
  host.sign(session, signing_key(host, session), CKM_ECDSA, Blob(32, 7));
  try {
    create_secret(host, session, "impossible");
  } catch (const CallFailed&) {
    return 0;
  }
  throw std::runtime_error("a read-only home was written to");
}

// Every function once with arguments that are mostly empty; what they answer is of no interest here.
void call_all(const Host& host) {
#define CARDEA_FUNCTION(since, name, parameters, arguments) call_empty(host->name);
  const auto call_empty = []<class... Parameters>(CK_RV (*function)(Parameters...)) { function(Parameters{}...); };
#include "cryptoki/functions.def"
#undef CARDEA_FUNCTION
}

// planted: handles PINs and key bytes that must show neither in a trace nor on standard error, then calls everything.
int planted(const Arguments& arguments) {
  Blob so = p11::bytes_of(arguments.at(0)), pin = p11::bytes_of(arguments.at(1)), next = p11::bytes_of(arguments.at(2));
  Blob secret = p11::bytes_of(arguments.at(3)), bad = p11::bytes_of(arguments.at(4));
  Host host(module_path());
  host.start();
  const CK_SESSION_HANDLE session = host.open(host.make_token("planted", arguments.at(0), arguments.at(1)));
  host->C_Login(session, CKU_USER, bad.data(), bad.size());
  host.login(session, arguments.at(1));
  expect_ok(host->C_SetPIN(session, pin.data(), pin.size(), next.data(), next.size()), "C_SetPIN");
  Attributes key;
  key.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_TOKEN, true);
  key.boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true).bytes(CKA_VALUE, secret).boolean(CKA_SIGN, true);
  const CK_OBJECT_HANDLE object = host.create(session, key);
  require(host.value(session, object, CKA_VALUE) == secret, "the planted key reads differently");
  Attributes search;
  search.bytes(CKA_VALUE, secret);
  host.find(session, search);
  Attributes broken;
  broken.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).bytes(CKA_VALUE, secret);
  broken.boolean(CKA_LOCAL, true);
  CK_OBJECT_HANDLE none = CK_INVALID_HANDLE;
  host->C_CreateObject(session, broken.data(), broken.size(), &none);
  host->C_SetAttributeValue(session, object, broken.data(), broken.size());
  host->C_CopyObject(session, object, broken.data(), broken.size(), &none);
  // A reading that fails leaves the caller's memory as it was, whatever stood there before.
  Blob leftover = secret;
  CK_ATTRIBUTE unread{CKA_LABEL, leftover.data(), leftover.size()};
  host->C_GetAttributeValue(session, ~object, &unread, 1);
  expect_ok(host->C_Logout(session), "C_Logout");
  const auto login_user = host->C_LoginUser;
  login_user(session, CKU_USER, next.data(), next.size(), nullptr, 0);
  host->C_Logout(session);
  expect_ok(host->C_Login(session, CKU_SO, so.data(), so.size()), "C_Login of the SO");
  host->C_InitPIN(session, pin.data(), pin.size());
  call_all(host);
  return 0;
}

// no-cleanup: where the module was the first to use OpenSSL, OpenSSL stays usable until the very end of the process.
int no_cleanup(const Arguments&) {
  Host(module_path()).start();
  OPENSSL_atexit([] { _exit(1); });
  return 0;
}

}  // namespace

std::vector<Task> host_tasks() {
  return {{"openssl-host", openssl_host}, {"no-cleanup", no_cleanup}, {"error-queue", error_queue},
          {"survive", survive},           {"read-only", read_only},   {"planted", planted}};
}

}  // namespace cardea::test
