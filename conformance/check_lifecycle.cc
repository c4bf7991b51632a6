// C_Initialize, C_Finalize, fork and unloading (PKCS#11 3.2, 5.4 and 6.6).
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "conformance/check.h"
#include "conformance/isolate.h"
#include "conformance/waiting.h"

namespace cardea::conformance {
namespace {

void check_arguments_of_initialize(Context& context) {
  const p11::Module& module = context.module();
  CK_C_INITIALIZE_ARGS args{};
  args.pReserved = &args;
  context.expect_rv("C_Initialize with a reserved pointer", module->C_Initialize(&args), {CKR_ARGUMENTS_BAD});
  args.pReserved = nullptr;
  args.CreateMutex = [](void**) -> CK_RV { return CKR_OK; };
  context.expect_rv("C_Initialize with one mutex function of four", module->C_Initialize(&args), {CKR_ARGUMENTS_BAD});
  context.expect_rv("C_Finalize before C_Initialize", module->C_Finalize(nullptr), {CKR_CRYPTOKI_NOT_INITIALIZED});
  context.require_ok("C_Initialize without arguments", module->C_Initialize(nullptr));
  context.expect_rv("a second C_Initialize", module->C_Initialize(nullptr), {CKR_CRYPTOKI_ALREADY_INITIALIZED});
  context.expect_rv("C_Finalize with a reserved pointer", module->C_Finalize(&args), {CKR_ARGUMENTS_BAD});
  context.require_ok("C_Finalize", module->C_Finalize(nullptr));
  context.expect_rv("a second C_Finalize", module->C_Finalize(nullptr), {CKR_CRYPTOKI_NOT_INITIALIZED});
}

void check_not_initialized(Context& context) {
  const p11::Module& module = context.module();
  CK_ULONG number = 0;
  CK_INFO info{};
  CK_BYTE byte = 0;
  const auto expect = [&](const char* call, CK_RV rv) { context.expect_rv(call, rv, {CKR_CRYPTOKI_NOT_INITIALIZED}); };
  expect("C_GetInfo", module->C_GetInfo(&info));
  expect("C_GetSlotList", module->C_GetSlotList(CK_FALSE, nullptr, &number));
  expect("C_OpenSession", module->C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &number));
  expect("C_CloseSession", module->C_CloseSession(1));
  expect("C_CloseAllSessions", module->C_CloseAllSessions(0));
  expect("C_Login", module->C_Login(1, CKU_USER, &byte, 1));
  expect("C_FindObjectsInit", module->C_FindObjectsInit(1, nullptr, 0));
  expect("C_GenerateRandom", module->C_GenerateRandom(1, &byte, 1));
  expect("C_WaitForSlotEvent", module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &number, nullptr));
}

void check_cycles(Context& context) {
  const p11::Module& module = context.module();
  for (int i = 0; i < 20; ++i) {
    context.require_ok("C_Initialize, cycle " + std::to_string(i), module.initialize());
    const auto slots = module.slots();
    context.require(!slots.empty(), "no slots in cycle " + std::to_string(i));
    CK_SESSION_HANDLE session = 0;
    context.require_ok("C_OpenSession",
                       module->C_OpenSession(slots[0], CKF_SERIAL_SESSION, nullptr, nullptr, &session));
    context.require_ok("C_Finalize with an open session", module->C_Finalize(nullptr));
    CK_SESSION_INFO info{};
    context.expect_rv("a session after C_Finalize", module->C_GetSessionInfo(session, &info),
                      {CKR_CRYPTOKI_NOT_INITIALIZED});
  }
}

void check_unload(Context& context) {
  for (int i = 0; i < 20; ++i) {
    p11::Module module(context.target().module_path);
    // Unloading does not finalize: a module that stays in memory is still initialised when it is loaded again.
    const CK_RV rv = module.initialize();
    if (rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) context.require_ok("C_Initialize", rv);
    if (i % 2 == 0) context.require_ok("C_Finalize", module->C_Finalize(nullptr));
  }
}

/// Runs in a forked child of an initialised process.
void life_in_child(const p11::Module& module, CK_SLOT_ID slot, CK_SESSION_HANDLE inherited) {
  const auto require = [](bool condition, const char* otherwise) {
    if (!condition) throw StepFailed{otherwise};
  };
  CK_SESSION_INFO info{};
  require(module->C_GetSessionInfo(inherited, &info) != CKR_OK, "a session of the parent works in the child");
  require(module.initialize() == CKR_OK, "C_Initialize fails in the child");
  p11::Session session(module, slot);
  CK_BYTE random[16];
  require(session.status() == CKR_OK, "C_OpenSession fails in the child");
  require(module->C_GenerateRandom(session, random, sizeof(random)) == CKR_OK, "C_GenerateRandom fails in the child");
  require(module->C_Finalize(nullptr) == CKR_OK, "C_Finalize fails in the child");
}

void check_fork(Context& context) {
  constexpr int seconds = 10;
  const CK_SLOT_ID slot = context.slot();
  const p11::Module& module = context.module();
  const auto session = context.session();
  const auto life = [&](const Context::Sink&, const Context::Announce&) { life_in_child(module, slot, *session); };
  for (const Finding& finding : isolate("child", seconds, life)) {
    context.expect(finding.verdict == Verdict::pass, "the forked child: " + finding.detail);
  }
  CK_SESSION_INFO info{};
  context.require_ok("the parent's session after the child's end", module->C_GetSessionInfo(*session, &info));
}

void check_slot_event(Context& context) {
  context.slot();
  const p11::Module& module = context.module();
  CK_SLOT_ID slot = 0;
  CK_RV rv = CKR_OK;
  do {
    rv = module->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr);
    if (rv == CKR_FUNCTION_NOT_SUPPORTED) context.skip("the module waits for no slot events");
  } while (rv == CKR_OK);
  context.expect_rv("C_WaitForSlotEvent without an event", rv, {CKR_NO_EVENT});
  CK_RV waited = CKR_OK;
  std::atomic<pid_t> inside = 0;
  std::thread waiter([&] {
    inside = static_cast<pid_t>(syscall(SYS_gettid));
    waited = module->C_WaitForSlotEvent(0, &slot, nullptr);
  });
  const bool blocked = p11::falls_asleep(inside);
  const CK_RV finalized = module->C_Finalize(nullptr);
  waiter.join();  // the check's own time limit bounds this
  context.require_ok("C_Finalize", finalized);
  context.expect(blocked, "C_WaitForSlotEvent does not wait for an event");
  context.expect_rv("a C_WaitForSlotEvent that C_Finalize woke", waited, {CKR_CRYPTOKI_NOT_INITIALIZED});
  context.require_ok("C_Initialize again", module.initialize());
}

}  // namespace

void check_lifecycle(Context& context) {
  context.isolated_step("initialize_arguments", [&] { check_arguments_of_initialize(context); });
  context.isolated_step("not_initialized", [&] { check_not_initialized(context); });
  context.isolated_step("cycles", [&] { check_cycles(context); });
  context.isolated_step("load_and_unload", [&] { check_unload(context); });
  context.isolated_step("fork", [&] { check_fork(context); });
  context.isolated_step("slot_event", [&] { check_slot_event(context); });
}

}  // namespace cardea::conformance
