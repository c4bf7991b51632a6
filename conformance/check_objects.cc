// Objects: creation, copies, attribute rules, ladders, visibility, search (PKCS#11 3.2, chapter 4 and 5.7).
#include <algorithm>

#include "conformance/check.h"

namespace cardea::conformance {
namespace {

p11::Template data_object(const std::string& label) {
  p11::Template out;
  out.ulong(CKA_CLASS, CKO_DATA).boolean(CKA_TOKEN, false).boolean(CKA_PRIVATE, false);
  return out.text(CKA_LABEL, label).bytes(CKA_VALUE, {1, 2, 3});
}

p11::Template aes_key() {
  p11::Template out;
  out.ulong(CKA_CLASS, CKO_SECRET_KEY).ulong(CKA_KEY_TYPE, CKK_AES).boolean(CKA_TOKEN, false);
  return out.bytes(CKA_VALUE, p11::Bytes(16, 7));
}

void check_create(Context& context) {
  const auto session = context.user_session();
  CK_OBJECT_HANDLE object = 0;
  p11::Template no_class;
  no_class.bytes(CKA_VALUE, {1});
  context.expect_rv("an object without a class", session->create(no_class, object),
                    {CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_VALUE_INVALID});
  p11::Template unknown_class = data_object("x").ulong(CKA_CLASS, 0x7ffffff1);
  context.expect_rv("an object of an unknown class", session->create(unknown_class, object),
                    {CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT});
  p11::Template strange = data_object("x").bytes(0x4fffffff, {1});
  context.expect_rv("an attribute that does not exist", session->create(strange, object),
                    {CKR_ATTRIBUTE_TYPE_INVALID, CKR_TEMPLATE_INCONSISTENT});
  p11::Template foreign = data_object("x").bytes(CKA_MODULUS, {1});
  context.expect_rv("an attribute of another class", session->create(foreign, object),
                    {CKR_ATTRIBUTE_TYPE_INVALID, CKR_TEMPLATE_INCONSISTENT});
  p11::Template wide = data_object("x").bytes(CKA_TOKEN, {0, 0});
  context.expect_rv("a CK_BBOOL of two bytes", session->create(wide, object),
                    {CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT});
  p11::Template local = aes_key().boolean(CKA_LOCAL, true);
  context.expect_rv("CKA_LOCAL given", session->create(local, object),
                    {CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_TYPE_INVALID});
  p11::Template short_key = aes_key().bytes(CKA_VALUE, p11::Bytes(15, 1));
  context.expect_rv("an AES key of 15 bytes", session->create(short_key, object),
                    {CKR_ATTRIBUTE_VALUE_INVALID, CKR_KEY_SIZE_RANGE, CKR_TEMPLATE_INCONSISTENT});
  p11::Template no_value = aes_key().without(CKA_VALUE);
  context.expect_rv("an AES key without a value", session->create(no_value, object),
                    {CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT});
}

void check_get(Context& context) {
  const auto session = context.user_session();
  CK_OBJECT_HANDLE object = 0;
  context.require_ok("C_CreateObject", session->create(data_object("conformance get"), object));
  CK_BYTE value[2], label[64];
  CK_ATTRIBUTE several[] = {
      {CKA_VALUE, value, sizeof(value)}, {CKA_MODULUS, nullptr, 0}, {CKA_LABEL, label, sizeof(label)}};
  context.expect_rv("a short buffer and an attribute the object lacks",
                    context.module()->C_GetAttributeValue(*session, object, several, 3),
                    {CKR_BUFFER_TOO_SMALL, CKR_ATTRIBUTE_TYPE_INVALID});
  context.expect(several[0].ulValueLen == CK_UNAVAILABLE_INFORMATION,
                 "the short buffer's length is not CK_UNAVAILABLE_INFORMATION");
  context.expect(several[1].ulValueLen == CK_UNAVAILABLE_INFORMATION,
                 "the missing attribute's length is not CK_UNAVAILABLE_INFORMATION");
  context.expect(several[2].ulValueLen == 15, "an attribute after a bad one is not filled in");
  CK_ULONG size = 0;
  const CK_RV rv = context.module()->C_GetObjectSize(*session, object, &size);
  context.expect_rv("C_GetObjectSize", rv, {CKR_OK, CKR_INFORMATION_SENSITIVE});
  context.require_ok("C_DestroyObject", session->destroy(object));
  context.expect_rv("a destroyed object", session->get(object, CKA_LABEL).rv, {CKR_OBJECT_HANDLE_INVALID});
  context.expect_rv("C_DestroyObject of it", session->destroy(object), {CKR_OBJECT_HANDLE_INVALID});
  context.expect_rv("C_GetObjectSize of it", context.module()->C_GetObjectSize(*session, object, &size),
                    {CKR_OBJECT_HANDLE_INVALID});
  CK_OBJECT_HANDLE made = 0;
  context.expect_rv("C_CopyObject of it", session->copy(object, {}, made), {CKR_OBJECT_HANDLE_INVALID});
}

void check_set(Context& context) {
  const auto session = context.user_session();
  CK_OBJECT_HANDLE object = 0;
  context.require_ok("C_CreateObject", session->create(data_object("before"), object));
  p11::Template change;
  change.text(CKA_LABEL, "after");
  context.require_ok("C_SetAttributeValue", session->set(object, change));
  context.expect(session->get(object, CKA_LABEL).bytes == p11::bytes_of("after"), "the change does not show");
  p11::Template fixed;
  fixed.ulong(CKA_CLASS, CKO_SECRET_KEY);
  context.expect_rv("a change of the class", session->set(object, fixed),
                    {CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT});
  p11::Template half;
  half.text(CKA_LABEL, "half").ulong(CKA_CLASS, CKO_SECRET_KEY);
  context.expect(session->set(object, half) != CKR_OK, "a change that holds a forbidden part works");
  context.expect(session->get(object, CKA_LABEL).bytes == p11::bytes_of("after"), "a refused change was made in part");
}

void check_modifiable(Context& context) {
  const auto session = context.user_session();
  CK_OBJECT_HANDLE object = 0, made = 0;
  p11::Template fixed = data_object("fixed").boolean(CKA_MODIFIABLE, false);
  context.require_ok("an unmodifiable object", session->create(fixed, object));
  p11::Template change;
  change.text(CKA_LABEL, "changed");
  context.expect_rv("a change of an unmodifiable object", session->set(object, change),
                    {CKR_ACTION_PROHIBITED, CKR_ATTRIBUTE_READ_ONLY});
  p11::Template kept = data_object("kept").boolean(CKA_DESTROYABLE, false);
  if (session->create(kept, object) == CKR_OK) {
    context.expect_rv("C_DestroyObject of an undestroyable object", session->destroy(object), {CKR_ACTION_PROHIBITED});
  }
  p11::Template single = data_object("single").boolean(CKA_COPYABLE, false);
  if (session->create(single, object) == CKR_OK) {
    context.expect_rv("C_CopyObject of an uncopyable object", session->copy(object, {}, made), {CKR_ACTION_PROHIBITED});
    p11::Template open;
    open.boolean(CKA_COPYABLE, true);
    context.expect(session->set(object, open) != CKR_OK, "CKA_COPYABLE turns true again");
  }
}

void check_copy(Context& context) {
  const auto session = context.user_session();
  CK_OBJECT_HANDLE object = 0, made = 0;
  context.require_ok("C_CreateObject", session->create(data_object("original"), object));
  context.require_ok("C_CopyObject without changes",
                     context.module()->C_CopyObject(*session, object, nullptr, 0, &made));
  context.expect(made != object, "a copy has its original's handle");
  context.expect(session->get(made, CKA_VALUE).bytes == p11::Bytes{1, 2, 3}, "a copy has another value");
  p11::Template change;
  change.text(CKA_LABEL, "copy");
  context.require_ok("C_CopyObject with a new label", session->copy(object, change, made));
  context.expect(session->get(made, CKA_LABEL).bytes == p11::bytes_of("copy"), "a copy's change does not show");
  context.expect(session->get(object, CKA_LABEL).bytes == p11::bytes_of("original"), "copying changed the original");
}

/// One-way attributes: from the first value to the second and never back (PKCS#11 3.2, 4.9.1, footnotes 11 and 12).
void check_ladders(Context& context) {
  const auto session = context.user_session();
  CK_OBJECT_HANDLE key = 0, made = 0;
  p11::Template open = aes_key().boolean(CKA_SENSITIVE, false).boolean(CKA_EXTRACTABLE, true);
  context.require_ok("C_CreateObject", session->create(open, key));
  context.expect(!session->flag(key, CKA_ALWAYS_SENSITIVE, true), "a created key claims to be always sensitive");
  context.expect(!session->flag(key, CKA_NEVER_EXTRACTABLE, true), "a created key claims to be never extractable");
  context.expect(session->get(key, CKA_VALUE).ok(), "the value of an open key cannot be read");
  p11::Template up, down;
  up.boolean(CKA_SENSITIVE, true);
  down.boolean(CKA_SENSITIVE, false);
  context.require_ok("CKA_SENSITIVE to true", session->set(key, up));
  context.expect_rv("the value of a sensitive key", session->get(key, CKA_VALUE).rv, {CKR_ATTRIBUTE_SENSITIVE});
  context.expect(session->set(key, down) != CKR_OK && session->flag(key, CKA_SENSITIVE), "CKA_SENSITIVE goes back");
  context.expect(session->copy(key, down, made) != CKR_OK, "a copy of a sensitive key is not sensitive");
  up = {}, down = {};
  up.boolean(CKA_EXTRACTABLE, false);
  down.boolean(CKA_EXTRACTABLE, true);
  context.require_ok("CKA_EXTRACTABLE to false", session->set(key, up));
  context.expect(session->set(key, down) != CKR_OK && !session->flag(key, CKA_EXTRACTABLE, true),
                 "CKA_EXTRACTABLE goes back");
  context.expect(session->copy(key, down, made) != CKR_OK, "a copy of an unextractable key is extractable");
  p11::Template trusted;
  trusted.boolean(CKA_TRUSTED, true);
  context.expect(session->set(key, trusted) != CKR_OK, "the user sets CKA_TRUSTED");
  const p11::Template trusted_key = aes_key().boolean(CKA_TRUSTED, true);
  context.expect(session->create(trusted_key, made) != CKR_OK, "the user creates a trusted key");
}

void check_generated_shadows(Context& context) {
  const auto session = context.user_session();
  if ((context.module().mechanism_flags(context.slot(), CKM_AES_KEY_GEN) & CKF_GENERATE) == 0)
    context.skip("no AES keys");
  p11::Template closed;
  closed.ulong(CKA_VALUE_LEN, 16)
      .boolean(CKA_TOKEN, false)
      .boolean(CKA_SENSITIVE, true)
      .boolean(CKA_EXTRACTABLE, false);
  CK_OBJECT_HANDLE key = 0;
  context.require_ok("C_GenerateKey", session->generate(p11::Mechanism(CKM_AES_KEY_GEN), closed, key));
  for (const CK_ATTRIBUTE_TYPE type : {CKA_LOCAL, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE}) {
    context.expect(session->flag(key, type), "attribute " + std::to_string(type) + " is not true");
  }
  context.expect(session->number(key, CKA_KEY_GEN_MECHANISM) == CKM_AES_KEY_GEN, "CKA_KEY_GEN_MECHANISM is wrong");
}

void check_visibility(Context& context) {
  CK_TOKEN_INFO info{};
  context.require_ok("C_GetTokenInfo", context.module()->C_GetTokenInfo(context.slot(), &info));
  if ((info.flags & CKF_LOGIN_REQUIRED) == 0) context.skip("the token asks for no login");
  const auto session = context.user_session();
  p11::Template hidden = data_object("conformance private").boolean(CKA_PRIVATE, true).boolean(CKA_TOKEN, true);
  CK_OBJECT_HANDLE object = 0;
  context.require_ok("C_CreateObject", session->create(hidden, object));
  p11::Template search;
  search.text(CKA_LABEL, "conformance private");
  context.expect(session->find(search).size() == 1, "the user does not find the private object");
  context.require_ok("C_Logout", session->logout());
  context.expect(session->find(search).empty(), "a private object is found without a login");
  context.expect(!session->get(object, CKA_VALUE).ok(), "a private object is read without a login");
  context.require_ok("C_Login", session->login(context.target().pin));
  const auto again = session->find(search);
  context.require(again.size() == 1, "the private object is gone after a new login");
  context.require_ok("C_DestroyObject", session->destroy(again[0]));
}

void check_search(Context& context) {
  const auto session = context.user_session();
  for (int i = 0; i < 5; ++i) {
    CK_OBJECT_HANDLE object = 0;
    context.require_ok("C_CreateObject", session->create(data_object("conformance search"), object));
  }
  p11::Template wanted;
  wanted.text(CKA_LABEL, "conformance search");
  context.expect(session->find(wanted).size() == 5, "the search does not give all five");
  CK_OBJECT_HANDLE two[3] = {0, 0, 77};
  CK_ULONG count = 0;
  const p11::Module& module = context.module();
  context.expect_rv("C_FindObjects without a search", module->C_FindObjects(*session, two, 2, &count),
                    {CKR_OPERATION_NOT_INITIALIZED});
  context.expect_rv("C_FindObjectsFinal without a search", module->C_FindObjectsFinal(*session),
                    {CKR_OPERATION_NOT_INITIALIZED});
  context.require_ok("C_FindObjectsInit", module->C_FindObjectsInit(*session, wanted.data(), wanted.size()));
  context.expect_rv("a second C_FindObjectsInit", module->C_FindObjectsInit(*session, nullptr, 0),
                    {CKR_OPERATION_ACTIVE});
  context.require_ok("C_FindObjects", module->C_FindObjects(*session, two, 2, &count));
  context.expect(count == 2 && two[2] == 77, "C_FindObjects gives more than asked for");
  context.require_ok("C_FindObjectsFinal before the end", module->C_FindObjectsFinal(*session));
  wanted.bytes(CKA_VALUE, {9, 9, 9});
  context.expect(session->find(wanted).empty(), "an object of another value is found");
  wanted.without(CKA_VALUE).text(CKA_LABEL, "conformance searc");
  context.expect(session->find(wanted).empty(), "a beginning of the label is enough");
}

void check_key_handles(Context& context) {
  const auto session = context.user_session();
  CK_OBJECT_HANDLE object = 0;
  context.require_ok("C_CreateObject", session->create(data_object("no key"), object));
  p11::Mechanism hmac(CKM_SHA256_HMAC);
  if ((context.module().mechanism_flags(context.slot(), CKM_SHA256_HMAC) & CKF_SIGN) == 0) context.skip("no HMAC");
  const auto wrong = {CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID, CKR_KEY_TYPE_INCONSISTENT};
  context.expect_rv("a data object as a key", context.module()->C_SignInit(*session, hmac, object), wrong);
  context.expect_rv("an unknown key", context.module()->C_SignInit(*session, hmac, 0x7ffffff1),
                    {CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID});
  CK_OBJECT_HANDLE key = 0;
  const p11::Template silent = aes_key().boolean(CKA_SIGN, false).boolean(CKA_ENCRYPT, false);
  context.require_ok("C_CreateObject", session->create(silent, key));
  context.expect_rv("a key of another type", context.module()->C_SignInit(*session, hmac, key),
                    {CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED});
  p11::Mechanism ecb(CKM_AES_ECB);
  context.expect_rv("a key without CKA_ENCRYPT", context.module()->C_EncryptInit(*session, ecb, key),
                    {CKR_KEY_FUNCTION_NOT_PERMITTED});
}

}  // namespace

void check_objects(Context& context) {
  context.step("create", [&] { check_create(context); });
  context.step("get", [&] { check_get(context); });
  context.step("set", [&] { check_set(context); });
  context.step("modifiable", [&] { check_modifiable(context); });
  context.step("copy", [&] { check_copy(context); });
  context.step("ladders", [&] { check_ladders(context); });
  context.step("generated", [&] { check_generated_shadows(context); });
  context.step("visibility", [&] { check_visibility(context); });
  context.step("search", [&] { check_search(context); });
  context.step("key_handles", [&] { check_key_handles(context); });
}

}  // namespace cardea::conformance
