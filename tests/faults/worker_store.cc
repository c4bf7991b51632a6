// Tasks that write to the store, with a failure planned or without, and one that tells what is in it.
#include <sys/mount.h>
#include <unistd.h>

#include <map>
#include <sstream>

#include "cryptoki/seal_interface.h"
#include "fakes/failing_calls.h"
#include "faults/setting.h"
#include "faults/worker.h"

namespace cardea::test {

namespace {

// "killed 17" as the tests pass it.
void plan(const Arguments& arguments, std::size_t at) {
  const std::map<std::string, Failure> names{{"none", Failure::none},
                                             {"killed", Failure::killed},
                                             {"killed_halfway", Failure::killed_halfway},
                                             {"disk_full", Failure::disk_full},
                                             {"input_output_error", Failure::input_output_error}};
  plan_failure(names.at(arguments.at(at)), std::stoull(arguments.at(at + 1)));
}

int make_token(const Arguments&) {
  Host host(module_path());
  host.start();
  const CK_SESSION_HANDLE session = host.open(host.make_token(token_label, so_pin, user_pin));
  host.login(session, user_pin);
  host.make_p256(session, p11::bytes_of("signer"));
  create_secret(host, session, "untouched");
  host.finalize();
  return 0;
}

// C_InitToken and C_InitPIN with a failure planned.
int make_token_failing(const Arguments& arguments) {
  Host host(module_path());
  plan(arguments, 0);
  host.start();
  host.make_token(token_label, so_pin, user_pin);
  return 0;
}

// After a failed make-token-failing: whatever is there can be made a token, and the token works.
int finish_token(const Arguments&) {
  forget_failure();
  Host host(module_path());
  host.start();
  CK_SLOT_ID slot = 0;
  try {
    slot = host.slot(token_label);
  } catch (const std::runtime_error&) {
    slot = host.make_token(token_label, so_pin, user_pin);
  }
  const CK_SESSION_HANDLE session = host.open(slot);
  CK_TOKEN_INFO info{};
  expect_ok(host->C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
  if ((info.flags & CKF_USER_PIN_INITIALIZED) == 0) {
    Blob so = p11::bytes_of(so_pin), pin = p11::bytes_of(user_pin);
    expect_ok(host->C_Login(session, CKU_SO, so.data(), so.size()), "C_Login of the SO");
    expect_ok(host->C_InitPIN(session, pin.data(), pin.size()), "C_InitPIN");
    expect_ok(host->C_Logout(session), "C_Logout");
  }
  host.login(session, user_pin);
  create_secret(host, session, "first");
  return host.slots().size() == 2 ? 0 : 4;  // the token and one uninitialised slot, nothing left over
}

// Runs one write of the loop below and tells how it ended: "try OP ID", then "done OP ID" or "failed OP ID rv".
template <class Call>
bool told(const std::string& what, Call call) {
  tell("try " + what);
  try {
    call();
  } catch (const CallFailed& failure) {
    std::ostringstream rv;
    rv << std::hex << failure.rv();
    tell("failed " + what + " " + rv.str());
    return false;
  }
  tell("done " + what);
  return true;
}

void churn(const Host& host, CK_SESSION_HANDLE session, int rounds, const std::string& prefix) {
  std::map<int, CK_OBJECT_HANDLE> living;
  for (int round = 0; round < rounds; ++round) {
    const std::string id = prefix + std::to_string(round);
    if (told("create " + id, [&] { living[round] = create_secret(host, session, id); })) {
      told("change " + id, [&] {
        Attributes changes;
        changes.text(CKA_LABEL, "changed");
        expect_ok(host->C_SetAttributeValue(session, living[round], changes.data(), changes.size()),
                  "C_SetAttributeValue");
      });
    }
    told("pair " + id, [&] { host.make_p256(session, p11::bytes_of(id)); });
    if (round > 0 && living.count(round - 1) != 0) {
      told("destroy " + prefix + std::to_string(round - 1),
           [&] { expect_ok(host->C_DestroyObject(session, living[round - 1]), "C_DestroyObject"); });
    }
  }
}

// churn FAILURE AT ROUNDS: creates, changes, generates and destroys; the failure may strike from C_Initialize on. When
// it is over, everything must work again in the same process; after an input/output error from C_Initialize on, because
// a store that could not be opened for writing stays read-only until then.
int churn_failing(const Arguments& arguments) {
  Host host(module_path());
  plan(arguments, 0);
  const int rounds = std::stoi(arguments.at(2));
  try {
    host.start();
    const CK_SESSION_HANDLE session = host.open(host.slot(token_label));
    host.login(session, user_pin);
    churn(host, session, rounds, "");
  } catch (const std::exception& failure) {
    tell(std::string("stopped by ") + failure.what());
  }
  const std::uint64_t calls = counted_calls();
  forget_failure();
  if (arguments.at(0) == "input_output_error") host->C_Finalize(nullptr);
  const CK_RV rv = host.initialize();
  if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) expect_ok(rv, "C_Initialize");
  const CK_SESSION_HANDLE session = host.open(host.slot(token_label));
  host.login(session, user_pin);
  create_secret(host, session, "after");
  tell("calls " + std::to_string(calls));
  return 0;
}

// change-pin FAILURE AT NEW
int change_pin(const Arguments& arguments) {
  Token token;
  plan(arguments, 0);
  Blob before = p11::bytes_of(user_pin), after = p11::bytes_of(arguments.at(2));
  expect_ok(token.host->C_SetPIN(token.session, before.data(), before.size(), after.data(), after.size()), "C_SetPIN");
  return 0;
}

// seal FAILURE AT, unseal FAILURE AT: by the user PIN.
int change_seal(const Arguments& arguments, bool sealing) {
  Token token;
  CK_TOKEN_INFO info{};
  expect_ok(token.host->C_GetTokenInfo(token.slot, &info), "C_GetTokenInfo");
  const std::string serial(reinterpret_cast<const char*>(info.serialNumber), sizeof(info.serialNumber));
  CK_UTF8CHAR name[] = CARDEA_SEAL_INTERFACE;
  CK_INTERFACE* found = nullptr;
  expect_ok(token.host.symbol<decltype(&::C_GetInterface)>("C_GetInterface")(name, nullptr, &found, 0),
            "C_GetInterface");
  const auto& seals = *static_cast<const CARDEA_SEAL_FUNCTIONS*>(found->pFunctionList);
  const Blob bytes = p11::bytes_of(user_pin);
  const CARDEA_PIN pin{bytes.data(), bytes.size()};
  const auto ignore_code = [](void*, const CK_UTF8CHAR*, CK_ULONG) {};
  plan(arguments, 0);
  expect_ok(sealing ? seals.seal(serial.c_str(), CKU_USER, &pin, ignore_code, nullptr, nullptr)
                    : seals.unseal(serial.c_str(), CKU_USER, &pin, nullptr, nullptr),
            sealing ? "seal" : "unseal");
  return 0;
}

// can-login PIN
int can_login(const Arguments& arguments) {
  Token token;
  return token.host.try_login(token.session, arguments.at(0)) == CKR_OK ? 0 : 1;
}

std::string text(const Blob& bytes) {
  return {bytes.begin(), bytes.end()};
}

std::map<std::string, int> halves(const Host& host, CK_SESSION_HANDLE session, CK_OBJECT_CLASS object_class) {
  Attributes wanted;
  wanted.ulong(CKA_CLASS, object_class);
  std::map<std::string, int> all;
  for (const CK_OBJECT_HANDLE key : host.find(session, wanted)) ++all[text(host.value(session, key, CKA_ID))];
  return all;
}

// dump PIN: one line an object, after proof that values are right, pairs whole and the store writable.
int dump(const Arguments& arguments) {
  Token token;
  const Host& host = token.host;
  host.login(token.session, arguments.at(0));
  Attributes secrets;
  secrets.ulong(CKA_CLASS, CKO_SECRET_KEY);
  for (const CK_OBJECT_HANDLE object : host.find(token.session, secrets)) {
    const std::string id = text(host.value(token.session, object, CKA_ID));
    if (host.value(token.session, object, CKA_VALUE) != value_of(id)) throw std::runtime_error("wrong value of " + id);
    tell(id + "\t" + text(host.value(token.session, object, CKA_LABEL)));
  }
  const auto private_halves = halves(host, token.session, CKO_PRIVATE_KEY);
  if (private_halves != halves(host, token.session, CKO_PUBLIC_KEY)) throw std::runtime_error("half a key pair");
  for (const auto& [id, count] : private_halves) tell("pair " + id + "\t" + std::to_string(count));
  expect_ok(host->C_DestroyObject(token.session, create_secret(host, token.session, "probe")), "C_DestroyObject");
  host.sign(token.session, signing_key(host, token.session), CKM_ECDSA, Blob(32, 1));
  return 0;
}

// write PREFIX COUNT: creates and changes, destroying every third.
int write_objects(const Arguments& arguments) {
  Token token;
  token.host.login(token.session, user_pin);
  churn(token.host, token.session, std::stoi(arguments.at(1)), arguments.at(0));
  token.host.finalize();
  return 0;
}

// small-disk FOLDER: a file system of one megabyte over it, filled to the last byte. Needs the right to mount; 77
// without.
int small_disk(const Arguments& arguments) {
  const char* const folder = arguments.at(0).c_str();
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("small", folder, "tmpfs", 0, "size=1m,mode=0700") != 0) {
    return 77;
  }
  make_token({});
  std::size_t stored = 0;
  CK_RV refused = CKR_OK;
  {
    Token token;
    token.host.login(token.session, user_pin);
    for (; stored < 100000 && refused == CKR_OK; ++stored) {
      try {
        create_secret(token.host, token.session, std::to_string(stored));
      } catch (const CallFailed& failure) {
        refused = failure.rv();
      }
    }
    --stored;
    token.host.finalize();
  }
  // With no byte left no PIN try can be counted, so none is allowed; a little more space, and all is there.
  if (mount(nullptr, folder, nullptr, MS_REMOUNT, "size=2m") != 0) return 77;
  Token token;
  token.host.login(token.session, user_pin);
  Attributes secrets;
  secrets.ulong(CKA_CLASS, CKO_SECRET_KEY);
  const std::vector<CK_OBJECT_HANDLE> found = token.host.find(token.session, secrets);
  tell("refused with " + std::to_string(refused) + " after " + std::to_string(stored) + ", found " +
       std::to_string(found.size() - 1));
  token.host.sign(token.session, signing_key(token.host, token.session), CKM_ECDSA, Blob(32, 1));
  return refused == CKR_DEVICE_MEMORY && found.size() == stored + 1 ? 0 : 1;  // and "untouched"
}

}  // namespace

std::vector<Task> store_tasks() {
  return {{"make-token", make_token},
          {"make-token-failing", make_token_failing},
          {"finish-token", finish_token},
          {"churn", churn_failing},
          {"change-pin", change_pin},
          {"seal", [](const Arguments& arguments) { return change_seal(arguments, true); }},
          {"unseal", [](const Arguments& arguments) { return change_seal(arguments, false); }},
          {"can-login", can_login},
          {"dump", dump},
          {"write", write_objects},
          {"small-disk", small_disk}};
}

}  // namespace cardea::test
