// tpm_processes MODULE WORK PIN [NUMBER]: what a process does with the virtual card on the module's first slot.
//   keys NUMBER      generates P-256 keys
//   sign NUMBER      signs with the first private key
//   threads NUMBER   signs in two threads; prints the longest wait of each in microseconds
//   wait 0           logs in, signs once, says its process id and waits to be killed
//   idle 0           the same without a login
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "conformance/p11.h"

namespace {

using namespace cardea::p11;
using Clock = std::chrono::steady_clock;

void check(CK_RV rv, const char* what) {
  if (rv == CKR_OK) return;
  std::cerr << what << " answered 0x" << std::hex << rv << "\n";
  std::exit(1);
}

CK_OBJECT_HANDLE first_key(const Session& session) {
  const auto keys = session.find(Template().ulong(CKA_CLASS, CKO_PRIVATE_KEY));
  if (!keys.empty()) return keys.front();
  std::cerr << "there is no private key\n";
  std::exit(1);
}

/// Signs that often; the longest wait.
std::chrono::microseconds sign(const Session& session, CK_OBJECT_HANDLE key, int times) {
  std::chrono::microseconds longest{};
  const Bytes digest(32, 0x5a);
  for (int i = 0; i < times; ++i) {
    const auto begin = Clock::now();
    check(session.sign(Mechanism(CKM_ECDSA), key, digest).rv, "C_Sign");
    longest = std::max(longest, std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin));
  }
  return longest;
}

void generate(const Session& session, int times) {
  const Bytes curve = from_hex("06082a8648ce3d030107");
  for (int i = 0; i < times; ++i) {
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    check(session.generate_pair(Mechanism(CKM_EC_KEY_PAIR_GEN),
                                Template().bytes(CKA_EC_PARAMS, curve).boolean(CKA_TOKEN, true),
                                Template().boolean(CKA_TOKEN, true), public_key, private_key),
          "C_GenerateKeyPair");
  }
}

void sign_in_threads(const Module& module, CK_SLOT_ID slot, int times) {
  std::chrono::microseconds longest[2]{};
  const auto work = [&](int which) {
    const Session own(module, slot, false);
    longest[which] = sign(own, first_key(own), times);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  std::cout << longest[0].count() << " " << longest[1].count() << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const Module module(argv[1]);
  const std::string work = argv[2];
  const int number = std::atoi(argv[4]);
  check(module.initialize(), "C_Initialize");
  const CK_SLOT_ID slot = module.slots().at(0);
  const Session session(module, slot);
  check(session.status(), "C_OpenSession");
  if (work != "idle") check(session.login(argv[3]), "C_Login");
  if (work == "keys") generate(session, number);
  if (work == "sign") sign(session, first_key(session), number);
  if (work == "threads") sign_in_threads(module, slot, number);
  if (work == "wait") sign(session, first_key(session), 1);
  if (work == "wait" || work == "idle") {
    std::cout << getpid() << std::endl;
    for (;;) pause();
  }
  check(module->C_Finalize(nullptr), "C_Finalize");
  return 0;
}
