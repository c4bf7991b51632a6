// cardea-bench-tpm WORK [ARGUMENTS]: signatures with a virtual card's key, and the same without Cardea.
//   start MODULE PIN         one P-256 signature in a new process
//   further MODULE PIN N     the same, and N further ones
//   idle MODULE PIN          the same, then waits with its session for the end of standard input
//   keys MODULE PIN N        makes N P-256 keys, signs with the first and the last, and destroys them all
//   rate MODULE PIN LABEL    signatures a second with the key of that label, in one thread and in two
//   bare TCTI ec|rsa|raw     the same by Esys_Sign with a loaded key and the password session; raw: by Esys_RSA_Decrypt
//                            without scheme, which is what a virtual card's RSA signature is to its TPM
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <thread>

#include "conformance/p11.h"

namespace {

using namespace cardea::p11;
using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds measured{2};

[[noreturn]] void fail(const char* what, unsigned long code) {
  std::cerr << what << " answered 0x" << std::hex << code << "\n";
  std::exit(1);
}
void check(CK_RV rv, const char* what) {
  if (rv != CKR_OK) fail(what, rv);
}

/// How often `once` runs in a second; `waits` gets how long each took.
template <class Once>
double rate(Once&& once, std::vector<std::chrono::nanoseconds>* waits = nullptr) {
  once();
  const auto begin = Clock::now();
  std::size_t times = 0;
  for (auto now = begin; now - begin < measured; ++times) {
    once();
    const auto then = std::exchange(now, Clock::now());
    if (waits != nullptr) waits->push_back(now - then);
  }
  return static_cast<double>(times) / std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A module with a session that is logged in.
struct Card {
  Card(const char* path, const char* pin) : module(path) {
    check(module.initialize(), "C_Initialize");
    slot = module.slots().at(0);
    CK_TOKEN_INFO info{};
    check(module->C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
    session = std::make_unique<Session>(module, slot, false);
    check(session->login(pin), "C_Login");
  }
  CK_OBJECT_HANDLE key(const std::string& label) const {
    const auto found = session->find(Template().ulong(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, label));
    if (found.size() != 1) fail("C_FindObjects", found.size());
    return found.front();
  }
  Module module;
  CK_SLOT_ID slot = 0;
  std::unique_ptr<Session> session;
};

void sign(const Session& session, CK_OBJECT_HANDLE key, bool rsa) {
  const Mechanism mechanism(rsa ? CKM_SHA256_RSA_PKCS : CKM_ECDSA);
  check(session.sign(mechanism, key, Bytes(32, 0x5a)).rv, "C_Sign");
}

void make_and_destroy_keys(const Session& session, int number) {
  const Bytes curve = from_hex("06082a8648ce3d030107");
  struct Pair {
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
  };
  std::vector<Pair> pairs(static_cast<std::size_t>(number));
  for (Pair& pair : pairs) {
    check(session.generate_pair(Mechanism(CKM_EC_KEY_PAIR_GEN),
                                Template().bytes(CKA_EC_PARAMS, curve).boolean(CKA_TOKEN, true),
                                Template().boolean(CKA_TOKEN, true), pair.public_key, pair.private_key),
          "C_GenerateKeyPair");
  }
  for (const Pair& pair : {pairs.front(), pairs.back()}) {
    const Bytes digest(32, 0x5a);
    const Output signature = session.sign(Mechanism(CKM_ECDSA), pair.private_key, digest);
    check(signature.rv, "C_Sign");
    check(session.verify(Mechanism(CKM_ECDSA), pair.public_key, digest, signature.bytes), "C_Verify");
  }
  for (const Pair& pair : pairs) {
    check(session.destroy(pair.private_key), "C_DestroyObject");
    check(session.destroy(pair.public_key), "C_DestroyObject");
  }
}

void measure_card(const Card& card, const std::string& label) {
  const bool rsa = label.starts_with("rsa");
  const CK_OBJECT_HANDLE key = card.key(label);
  std::cout << label << " one thread: " << rate([&] { sign(*card.session, key, rsa); }) << "/s\n";
  std::vector<std::chrono::nanoseconds> waits[2];
  double rates[2]{};
  const auto work = [&](int which) {
    const Session own(card.module, card.slot, false);
    rates[which] = rate([&] { sign(own, key, rsa); }, &waits[which]);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  for (auto& each : waits) std::sort(each.begin(), each.end());
  std::cout << label << " two threads: " << rates[0] << "/s and " << rates[1] << "/s";
  for (const auto& each : waits) {
    std::cout << ", p99 " << std::chrono::duration<double, std::milli>(each[each.size() * 99 / 100]).count() << " ms";
  }
  std::cout << "\n";
}

TPM2B_PUBLIC signing_key(bool rsa) {
  TPM2B_PUBLIC area{};
  area.publicArea.type = rsa ? TPM2_ALG_RSA : TPM2_ALG_ECC;
  area.publicArea.nameAlg = TPM2_ALG_SHA256;
  area.publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                     TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT;
  if (rsa) {
    area.publicArea.parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
    area.publicArea.parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
    area.publicArea.parameters.rsaDetail.keyBits = 2048;
  } else {
    area.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
    area.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    area.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    area.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
  }
  return area;
}

double rate_of_signing(ESYS_CONTEXT* esys, ESYS_TR key, bool rsa) {
  TPM2B_DIGEST digest{};
  digest.size = 32;
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = rsa ? TPM2_ALG_RSASSA : TPM2_ALG_ECDSA;
  scheme.details.any.hashAlg = TPM2_ALG_SHA256;
  TPMT_TK_HASHCHECK ticket{};
  ticket.tag = TPM2_ST_HASHCHECK;
  ticket.hierarchy = TPM2_RH_NULL;
  return rate([&] {
    TPMT_SIGNATURE* signature = nullptr;
    if (const TSS2_RC rc =
            Esys_Sign(esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme, &ticket, &signature)) {
      fail("Esys_Sign", rc);
    }
    Esys_Free(signature);
  });
}

double rate_of_raw_rsa(ESYS_CONTEXT* esys, ESYS_TR key) {
  TPM2B_PUBLIC_KEY_RSA block{};
  block.size = 256;
  std::fill(block.buffer + 1, block.buffer + block.size, 0x5a);
  TPMT_RSA_DECRYPT scheme{};
  scheme.scheme = TPM2_ALG_NULL;
  const TPM2B_DATA no_label{};
  return rate([&] {
    TPM2B_PUBLIC_KEY_RSA* answer = nullptr;
    if (const TSS2_RC rc = Esys_RSA_Decrypt(esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &block, &scheme,
                                            &no_label, &answer)) {
      fail("Esys_RSA_Decrypt", rc);
    }
    Esys_Free(answer);
  });
}

/// The key is a primary one, so that nothing has to be loaded under anything.
void measure_bare(const char* tcti_configuration, const std::string& kind) {
  const bool rsa = kind != "ec";
  TSS2_TCTI_CONTEXT* tcti = nullptr;
  ESYS_CONTEXT* esys = nullptr;
  if (const TSS2_RC rc = Tss2_TctiLdr_Initialize(tcti_configuration, &tcti)) fail("Tss2_TctiLdr_Initialize", rc);
  if (const TSS2_RC rc = Esys_Initialize(&esys, tcti, nullptr)) fail("Esys_Initialize", rc);
  const TPM2B_PUBLIC area = signing_key(rsa);
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION no_pcrs{};
  ESYS_TR key = ESYS_TR_NONE;
  if (const TSS2_RC rc =
          Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &area,
                             &outside, &no_pcrs, &key, nullptr, nullptr, nullptr, nullptr)) {
    fail("Esys_CreatePrimary", rc);
  }
  const double found = kind == "raw" ? rate_of_raw_rsa(esys, key) : rate_of_signing(esys, key, rsa);
  std::cout << kind << " bare ESAPI: " << found << "/s\n";
  Esys_FlushContext(esys, key);
  Esys_Finalize(&esys);
  Tss2_TctiLdr_Finalize(&tcti);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string work = argv[1];
  if (work == "bare") {
    measure_bare(argv[2], argv[3]);
    return 0;
  }
  const Card card(argv[2], argv[3]);
  if (work == "rate" && argc == 5) {
    measure_card(card, argv[4]);
    return 0;
  }
  if (work == "keys" && argc == 5) {
    {
      const Session writing(card.module, card.slot);
      check(writing.status(), "C_OpenSession");
      make_and_destroy_keys(writing, std::max(1, std::atoi(argv[4])));
    }
    check(card.module->C_Finalize(nullptr), "C_Finalize");
    return 0;
  }
  const CK_OBJECT_HANDLE key = card.key("ec");
  sign(*card.session, key, false);
  for (int i = 0; work == "further" && argc == 5 && i < std::atoi(argv[4]); ++i) sign(*card.session, key, false);
  if (work == "idle") std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  if (work == "idle") sign(*card.session, key, false);
  std::quick_exit(0);
}
