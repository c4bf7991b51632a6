// Sessions and login states (PKCS#11 3.2, 5.6): what each state allows and which code each mistake gets.
#include "conformance/check.h"

namespace cardea::conformance {
namespace {

constexpr CK_ULONG nobody = 0x7ffffff1;

CK_STATE state_of(const p11::Session& session) {
  CK_SESSION_INFO info{};
  return session.module()->C_GetSessionInfo(session, &info) == CKR_OK ? info.state : CK_UNAVAILABLE_INFORMATION;
}

void check_open(Context& context) {
  const CK_SLOT_ID slot = context.slot();
  const p11::Module& module = context.module();
  CK_SESSION_HANDLE handle = 0;
  context.expect_rv("C_OpenSession without CKF_SERIAL_SESSION",
                    module->C_OpenSession(slot, 0, nullptr, nullptr, &handle), {CKR_SESSION_PARALLEL_NOT_SUPPORTED});
  context.expect_rv("C_OpenSession on an unknown slot",
                    module->C_OpenSession(nobody, CKF_SERIAL_SESSION, nullptr, nullptr, &handle),
                    {CKR_SLOT_ID_INVALID});
  CK_SESSION_HANDLE closed = CK_INVALID_HANDLE;
  {
    const auto session = context.session(false);
    closed = *session;
    context.expect(closed != CK_INVALID_HANDLE, "a session handle of 0");
    CK_SESSION_INFO info{};
    context.require_ok("C_GetSessionInfo", module->C_GetSessionInfo(closed, &info));
    context.expect(info.slotID == slot && (info.flags & CKF_SERIAL_SESSION) != 0 && (info.flags & CKF_RW_SESSION) == 0,
                   "C_GetSessionInfo tells another session");
  }
  CK_SESSION_INFO info{};
  context.expect_rv("a closed session", module->C_GetSessionInfo(closed, &info), {CKR_SESSION_HANDLE_INVALID});
  context.expect_rv("C_CloseSession of a closed session", module->C_CloseSession(closed), {CKR_SESSION_HANDLE_INVALID});
}

void check_close_all(Context& context) {
  const CK_SLOT_ID slot = context.slot();
  const p11::Module& module = context.module();
  const auto a = context.session(), b = context.session(false);
  context.require_ok("C_CloseAllSessions", module->C_CloseAllSessions(slot));
  CK_SESSION_INFO info{};
  context.expect_rv("the first session", module->C_GetSessionInfo(*a, &info), {CKR_SESSION_HANDLE_INVALID});
  context.expect_rv("the second session", module->C_GetSessionInfo(*b, &info), {CKR_SESSION_HANDLE_INVALID});
  context.expect_rv("C_CloseAllSessions of an unknown slot", module->C_CloseAllSessions(nobody), {CKR_SLOT_ID_INVALID});
}

void check_user_states(Context& context) {
  const auto writable = context.session(), readable = context.session(false);
  context.expect(state_of(*writable) == CKS_RW_PUBLIC_SESSION, "a new session is not RW public");
  context.expect(state_of(*readable) == CKS_RO_PUBLIC_SESSION, "a new read-only session is not RO public");
  context.expect_rv("C_Logout without a login", writable->logout(), {CKR_USER_NOT_LOGGED_IN});
  const auto user = context.user_session();
  context.expect(state_of(*writable) == CKS_RW_USER_FUNCTIONS, "login does not reach the other session");
  context.expect(state_of(*readable) == CKS_RO_USER_FUNCTIONS, "login does not reach the read-only session");
  context.expect_rv("a second C_Login", user->login(context.target().pin), {CKR_USER_ALREADY_LOGGED_IN});
  context.expect_rv("C_Login of the security officer beside the user", user->login("x", CKU_SO),
                    {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_SESSION_READ_ONLY_EXISTS});
  context.expect_rv("C_Login of an unknown user type", user->login(context.target().pin, 77), {CKR_USER_TYPE_INVALID});
  context.require_ok("C_Logout", readable->logout());
  context.expect(state_of(*writable) == CKS_RW_PUBLIC_SESSION, "logout does not reach the other session");
}

void check_last_session(Context& context) {
  { const auto user = context.user_session(); }
  const auto fresh = context.session();
  context.expect(state_of(*fresh) == CKS_RW_PUBLIC_SESSION, "closing the last session did not log out");
}

void check_officer_states(Context& context) {
  if (context.target().so_pin.empty()) context.skip("no security officer's PIN was given");
  {
    const auto writable = context.session(), readable = context.session(false);
    context.expect_rv("C_Login of the security officer beside a read-only session",
                      writable->login(context.target().so_pin, CKU_SO), {CKR_SESSION_READ_ONLY_EXISTS});
  }
  const auto session = context.session();
  context.require_ok("C_Login of the security officer", session->login(context.target().so_pin, CKU_SO));
  context.expect(state_of(*session) == CKS_RW_SO_FUNCTIONS, "the state is not RW SO");
  CK_SESSION_HANDLE handle = 0;
  context.expect_rv("a read-only session beside the security officer",
                    context.module()->C_OpenSession(context.slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &handle),
                    {CKR_SESSION_READ_WRITE_SO_EXISTS});
  context.require_ok("C_Logout", session->logout());
}

void check_login_required(Context& context) {
  CK_TOKEN_INFO info{};
  context.require_ok("C_GetTokenInfo", context.module()->C_GetTokenInfo(context.slot(), &info));
  if ((info.flags & CKF_LOGIN_REQUIRED) == 0) context.skip("the token asks for no login");
  const auto session = context.session();
  p11::Template attributes;
  attributes.ulong(CKA_CLASS, CKO_DATA).boolean(CKA_TOKEN, false).boolean(CKA_PRIVATE, true).bytes(CKA_VALUE, {1});
  CK_OBJECT_HANDLE object = 0;
  context.expect_rv("a private object without a login", session->create(attributes, object), {CKR_USER_NOT_LOGGED_IN});
  CK_BYTE pin[] = {'1', '2', '3', '4', '5', '6'};
  context.expect_rv("C_InitPIN without the security officer", context.module()->C_InitPIN(*session, pin, sizeof(pin)),
                    {CKR_USER_NOT_LOGGED_IN});
}

void check_read_only(Context& context) {
  const auto session = context.user_session(false);
  p11::Template attributes;
  attributes.ulong(CKA_CLASS, CKO_DATA).boolean(CKA_TOKEN, true).boolean(CKA_PRIVATE, false).bytes(CKA_VALUE, {1});
  CK_OBJECT_HANDLE object = 0;
  context.expect_rv("a token object in a read-only session", session->create(attributes, object),
                    {CKR_SESSION_READ_ONLY});
  attributes.boolean(CKA_TOKEN, false);
  context.require_ok("a session object in a read-only session", session->create(attributes, object));
}

void check_session_objects(Context& context) {
  const auto keeper = context.session();
  p11::Template attributes;
  attributes.ulong(CKA_CLASS, CKO_DATA).boolean(CKA_TOKEN, false).boolean(CKA_PRIVATE, false);
  attributes.text(CKA_LABEL, "conformance session object").bytes(CKA_VALUE, {1});
  {
    const auto owner = context.session();
    CK_OBJECT_HANDLE object = 0;
    context.require_ok("C_CreateObject", owner->create(attributes, object));
    context.expect(keeper->find(attributes).size() == 1, "another session of the application does not see the object");
  }
  context.expect(keeper->find(attributes).empty(), "a session object outlives its session");
}

void check_unknown_slot(Context& context) {
  context.slot();
  const p11::Module& module = context.module();
  CK_SLOT_INFO slot{};
  CK_TOKEN_INFO token{};
  CK_ULONG count = 0;
  CK_MECHANISM_INFO mechanism{};
  context.expect_rv("C_GetSlotInfo", module->C_GetSlotInfo(nobody, &slot), {CKR_SLOT_ID_INVALID});
  context.expect_rv("C_GetTokenInfo", module->C_GetTokenInfo(nobody, &token), {CKR_SLOT_ID_INVALID});
  context.expect_rv("C_GetMechanismList", module->C_GetMechanismList(nobody, nullptr, &count), {CKR_SLOT_ID_INVALID});
  context.expect_rv("C_GetMechanismInfo", module->C_GetMechanismInfo(nobody, CKM_RSA_PKCS, &mechanism),
                    {CKR_SLOT_ID_INVALID});
}

}  // namespace

void check_sessions(Context& context) {
  context.step("open_and_close", [&] { check_open(context); });
  context.step("close_all", [&] { check_close_all(context); });
  context.step("user_states", [&] { check_user_states(context); });
  context.step("last_session_logs_out", [&] { check_last_session(context); });
  context.step("officer_states", [&] { check_officer_states(context); });
  context.step("login_required", [&] { check_login_required(context); });
  context.step("read_only", [&] { check_read_only(context); });
  context.step("session_objects", [&] { check_session_objects(context); });
  context.step("unknown_slot", [&] { check_unknown_slot(context); });
}

}  // namespace cardea::conformance
