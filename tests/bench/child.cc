// The process that is measured from its very start. It links little, so that its own loading does not blur the result.
//   raw KEY START                milliseconds to a P-256 signature by OpenSSL itself: from main(), and from START
//                                (CLOCK_MONOTONIC, ns), which adds what the kernel and the dynamic loader need
//   sign MODULE LABEL PIN START  the same by a module, both with the whole of C_Login, then what C_Login took, and how
//                                much of it all was waiting for the disk
//   make MODULE LABEL PIN        makes a token with a P-256 key
//   renew MODULE LABEL PIN       sets the PIN to itself, so that the token takes the derivation's cost as configured
//   list MODULE LABEL PIN        resident megabytes after every object was listed and a signature made
//   derive MODULE LABEL PIN N    kilobytes that N derived and destroyed keys leave behind: the process's own memory,
//   and
//                                all that is resident
#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fakes/host.h"

namespace {

double waited_ms = 0;  // for the disk

double now_ms();

}  // namespace

// Comes before the C library's in symbol order, so that libraries loaded later call this one.
extern "C" [[gnu::visibility("default")]] int fdatasync(int file) {
  const double before = now_ms();
  const long result = syscall(SYS_fdatasync, file);
  waited_ms += now_ms() - before;
  return static_cast<int>(result);
}

namespace {

using cardea::test::Attributes;
using cardea::test::Blob;
using cardea::test::Host;

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double milliseconds(const char* start_ns) {
  return static_cast<double>(std::strtoll(start_ns, nullptr, 10)) / 1e6;
}

struct Memory {
  long all;  // kilobytes; with the pages of files, which libraries are mapped from
  long own;  // kilobytes that belong to this process alone
};

Memory resident() {
  std::FILE* const file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) throw std::runtime_error("no /proc");
  char line[256];
  Memory memory{-1, -1};
  while (std::fgets(line, sizeof line, file) != nullptr) {
    std::sscanf(line, "VmRSS: %ld", &memory.all);
    std::sscanf(line, "RssAnon: %ld", &memory.own);
  }
  std::fclose(file);
  if (memory.all == -1 || memory.own == -1) throw std::runtime_error("cannot read /proc/self/status");
  return memory;
}

// The key as write_raw_key() left it: public point, then private scalar. Not PEM, because OpenSSL 3 spends longer on
// looking for a decoder than on everything else here.
EVP_PKEY* load_key(const char* path) {
  unsigned char bytes[65 + 32];
  std::FILE* const file = std::fopen(path, "rb");
  if (file == nullptr || std::fread(bytes, 1, sizeof bytes, file) != sizeof bytes) throw std::runtime_error("no key");
  std::fclose(file);
  BIGNUM* const scalar = BN_bin2bn(bytes + 65, 32, nullptr);
  OSSL_PARAM_BLD* const builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, bytes, 65);
  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
  OSSL_PARAM* const parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context) != 1 || EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) != 1) {
    throw std::runtime_error("OpenSSL does not take the key");
  }
  return key;
}

void sign_raw(const char* key_file, const char* start) {
  const double main_began = now_ms();
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_pkey(nullptr, load_key(key_file), nullptr);
  const Blob digest(32, 0x44);
  unsigned char out[128];
  std::size_t size = sizeof out;
  if (EVP_PKEY_sign_init(context) != 1 || EVP_PKEY_sign(context, out, &size, digest.data(), digest.size()) != 1) {
    throw std::runtime_error("OpenSSL does not sign");
  }
  const double now = now_ms();
  std::printf("%f %f\n", now - main_began, now - milliseconds(start));
}

struct Login {
  CK_SESSION_HANDLE session;
  double milliseconds;
};

Login log_in(Host& host, const char* label, const char* pin) {
  host.start();
  const CK_SESSION_HANDLE session = host.open(host.slot(label));
  const double before = now_ms();
  host.login(session, pin);
  return {session, now_ms() - before};
}

CK_OBJECT_HANDLE private_key(const Host& host, CK_SESSION_HANDLE session) {
  Attributes wanted;
  wanted.ulong(CKA_CLASS, CKO_PRIVATE_KEY).bytes(CKA_ID, {'e'});
  const std::vector<CK_OBJECT_HANDLE> found = host.find(session, wanted);
  if (found.empty()) throw std::runtime_error("no private key to sign with");
  return found.front();
}

void sign(const char* module, const char* label, const char* pin, const char* start) {
  const double main_began = now_ms();
  Host host(module);
  const Login login = log_in(host, label, pin);
  host.sign(login.session, private_key(host, login.session), CKM_ECDSA, Blob(32, 0x44));
  const double signed_at = now_ms();
  std::printf("%f %f %f %f\n", signed_at - main_began, signed_at - milliseconds(start), login.milliseconds, waited_ms);
}

void make(const char* module, const char* label, const char* pin) {
  Host host(module);
  host.start();
  host.make_token(label, "87654321", pin);
  const CK_SESSION_HANDLE session = host.open(host.slot(label));
  host.login(session, pin);
  host.make_p256(session, {'e'});
  host.finalize();
}

void renew(const char* module, const char* label, const char* pin) {
  Host host(module);
  const Login login = log_in(host, label, pin);
  auto* const bytes = reinterpret_cast<CK_BYTE*>(const_cast<char*>(pin));
  const CK_ULONG size = std::strlen(pin);
  cardea::test::expect_ok(host->C_SetPIN(login.session, bytes, size, bytes, size), "C_SetPIN");
  host.finalize();
}

void list(const char* module, const char* label, const char* pin) {
  Host host(module);
  const Login login = log_in(host, label, pin);
  host.find(login.session, {});
  host.sign(login.session, private_key(host, login.session), CKM_ECDSA, Blob(32, 0x44));
  std::printf("%f\n", static_cast<double>(resident().all) / 1024);
}

void derive(const char* module, const char* label, const char* pin, long times) {
  Host host(module);
  const Login login = log_in(host, label, pin);
  const CK_OBJECT_HANDLE key = private_key(host, login.session);
  const Blob point = host.value(login.session, host.make_p256(login.session, {'d'}, false).public_key, CKA_EC_POINT);
  Attributes wanted;
  wanted.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_GENERIC_SECRET).boolean(CKA_TOKEN, false);
  CK_ATTRIBUTE* const list = wanted.data();
  CK_ECDH1_DERIVE_PARAMS parameters{CKD_NULL, 0, nullptr, point.size(), const_cast<CK_BYTE*>(point.data())};
  CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &parameters, sizeof parameters};
  const auto derive_many = [&](long count) {
    for (long i = 0; i < count; ++i) {
      CK_OBJECT_HANDLE derived = CK_INVALID_HANDLE;
      cardea::test::expect_ok(host->C_DeriveKey(login.session, &mechanism, key, list, wanted.size(), &derived),
                              "C_DeriveKey");
      cardea::test::expect_ok(host->C_DestroyObject(login.session, derived), "C_DestroyObject");
    }
  };
  derive_many(2000);  // caches and pools reach their size
  malloc_trim(0);
  const Memory before = resident();
  derive_many(times);
  malloc_trim(0);
  const Memory after = resident();
  std::printf("%ld %ld\n", after.own - before.own, after.all - before.all);
}

int run(int count, char** arguments) {
  const std::string mode = count > 1 ? arguments[1] : "";
  if (mode == "raw" && count == 4) {
    sign_raw(arguments[2], arguments[3]);
  } else if (mode == "sign" && count == 6) {
    sign(arguments[2], arguments[3], arguments[4], arguments[5]);
  } else if (mode == "make" && count == 5) {
    make(arguments[2], arguments[3], arguments[4]);
  } else if (mode == "renew" && count == 5) {
    renew(arguments[2], arguments[3], arguments[4]);
  } else if (mode == "list" && count == 5) {
    list(arguments[2], arguments[3], arguments[4]);
  } else if (mode == "derive" && count == 6) {
    derive(arguments[2], arguments[3], arguments[4], std::atol(arguments[5]));
  } else {
    std::fputs("started by cardea-bench only\n", stderr);
    return 2;
  }
  std::fflush(stdout);
  // Leaves without destructors: the measurement is over, and modules differ in what they do at exit.
  _exit(0);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}
