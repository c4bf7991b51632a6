// Single calls in any order: updates without an init, finals after finals, objects destroyed under an operation.
#include "fuzz/verbs.h"

namespace cardea::fuzz {

namespace {

CK_OBJECT_HANDLE handle(Rig& rig, Input& input) {
  return rig.handles.empty() || input.rarely(32) ? input.number() : input.one_of(rig.handles);
}

void objects(Rig& rig, Input& input, Memory& memory) {
  const CK_SESSION_HANDLE session = rig.session();
  const Template attributes =
      make_template(input, memory, input.chance() ? input.up_to(10) : CK_UNAVAILABLE_INFORMATION);
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  CK_RV rv = CKR_GENERAL_ERROR;
  switch (input.up_to(6)) {
    case 0:
      rv = C_CreateObject(session, attributes.list, attributes.count, &made);
      break;
    case 1:
      rv = C_CopyObject(session, handle(rig, input), attributes.list, attributes.count, &made);
      break;
    case 2:
      C_SetAttributeValue(session, handle(rig, input), attributes.list, attributes.count);
      break;
    case 3:
      C_FindObjectsInit(session, attributes.list, attributes.count);
      break;
    case 4: {
      CK_OBJECT_HANDLE found[8];
      CK_ULONG count = 0;
      C_FindObjects(session, found, input.up_to(8), &count);
      break;
    }
    case 5:
      C_FindObjectsFinal(session);
      break;
    default:
      C_DestroyObject(session, handle(rig, input));
  }
  if (rv == CKR_OK) rig.handles.push_back(made);
}

// The attributes of any object into buffers of any size.
void read(Rig& rig, Input& input, Memory& memory) {
  const Template attributes = make_template(input, memory);
  if (attributes.list == nullptr) return;
  C_GetAttributeValue(rig.session(), handle(rig, input), attributes.list, attributes.count);
  for (CK_ULONG i = 0; i < attributes.count; ++i) {
    const CK_ATTRIBUTE& attribute = attributes.list[i];
    if (attribute.pValue == nullptr || attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) continue;
    expect_not_planted(static_cast<const CK_BYTE*>(attribute.pValue), attribute.ulValueLen);
  }
  CK_ULONG size = 0;
  C_GetObjectSize(rig.session(), handle(rig, input), &size);
}

// The parts of messages, whether or not one was begun.
void message_parts(Rig& rig, Input& input, Memory& memory) {
  const CK_SESSION_HANDLE session = rig.session();
  const Span data = span(input, memory, 100),
             parameter = make_message_parameter(input, memory, input.one_of(mechanisms()));
  const CK_FLAGS flags = input.up_to(1);
  constexpr CK_ULONG room = 700;
  CK_BYTE* const out = memory.zeros(room);
  CK_ULONG size = input.rarely(4) ? input.up_to(room) : room;
  switch (input.up_to(9)) {
    case 0:
      C_EncryptMessageBegin(session, parameter.data, parameter.size, data.data, data.size);
      break;
    case 1:
      C_DecryptMessageBegin(session, parameter.data, parameter.size, data.data, data.size);
      break;
    case 2:
      C_EncryptMessageNext(session, parameter.data, parameter.size, data.data, data.size, out, &size, flags);
      break;
    case 3:
      C_DecryptMessageNext(session, parameter.data, parameter.size, data.data, data.size, out, &size, flags);
      break;
    case 4:
      C_SignMessageBegin(session, nullptr, 0);
      break;
    case 5:
      C_SignMessageNext(session, nullptr, 0, data.data, data.size, out, flags == 0 ? nullptr : &size);
      break;
    case 6:
      C_VerifyMessageBegin(session, nullptr, 0);
      break;
    case 7:
      C_VerifyMessageNext(session, nullptr, 0, data.data, data.size, flags == 0 ? nullptr : out, flags * 64);
      break;
    case 8:
      C_MessageEncryptFinal(session);
      break;
    default:
      C_MessageSignFinal(session);
  }
  expect_not_planted(out, room);
}

void parts(Rig& rig, Input& input, Memory& memory) {
  const CK_SESSION_HANDLE session = rig.session();
  const Span data = span(input, memory, 100);
  constexpr CK_ULONG room = 700;
  CK_BYTE* const out = memory.zeros(room);
  CK_ULONG size = input.rarely(4) ? input.up_to(room) : room;
  using Transform = CK_RV (*)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
  static constexpr Transform transforms[]{C_EncryptUpdate,
                                          C_DecryptUpdate,
                                          C_Encrypt,
                                          C_Decrypt,
                                          C_Sign,
                                          C_Digest,
                                          C_SignRecover,
                                          C_VerifyRecover,
                                          C_DigestEncryptUpdate,
                                          C_DecryptDigestUpdate,
                                          C_SignEncryptUpdate,
                                          C_DecryptVerifyUpdate};
  using Take = CK_RV (*)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG);
  static constexpr Take takes[]{C_DigestUpdate,          C_SignUpdate,     C_VerifyUpdate, C_VerifyFinal,
                                C_VerifySignatureUpdate, C_VerifySignature};
  using Give = CK_RV (*)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG*);
  static constexpr Give gives[]{C_EncryptFinal, C_DecryptFinal, C_DigestFinal, C_SignFinal, C_GetOperationState};
  switch (input.up_to(3)) {
    case 0:
      input.one_of(transforms)(session, data.data, data.size, out, &size);
      break;
    case 1:
      input.one_of(takes)(session, data.data, data.size);
      break;
    case 2:
      input.one_of(gives)(session, out, &size);
      break;
    default:
      C_SessionCancel(session, input.number());
  }
  expect_not_planted(out, room);
}

void sessions(Rig& rig, Input& input, Memory& memory) {
  CK_SESSION_HANDLE opened = CK_INVALID_HANDLE;
  const Span text = span(input, memory, 20);
  switch (input.up_to(8)) {
    case 0:
      C_OpenSession(input.chance() ? slot() : input.number(), input.up_to(7), nullptr, nullptr, &opened);
      break;
    case 1:
      C_CloseSession(input.number());
      break;
    case 2:
      C_Logout(rig.session());
      break;
    case 3:
      C_Login(rig.session(), input.up_to(3), text.data, text.size);
      break;
    case 4: {
      std::vector<CK_BYTE> right{'1', '2', '3', '4', '5', '6'};
      C_Login(rig.session(), CKU_USER, right.data(), right.size());
      break;
    }
    case 5: {
      CK_SESSION_INFO info{};
      C_GetSessionInfo(rig.session(), &info);
      break;
    }
    case 6: {
      CK_MECHANISM_INFO info{};
      C_GetMechanismInfo(slot(), input.number(), &info);
      break;
    }
    case 7:
      C_GenerateRandom(rig.session(), text.data, text.size);
      break;
    default:
      C_SeedRandom(rig.session(), text.data, text.size);
  }
}

// Slots, tokens and PINs; the token's own PINs are never given, so that the next input finds it as it was.
void general(Rig& rig, Input& input, Memory& memory) {
  const CK_SLOT_ID which = input.chance() ? slot() : input.number();
  const Span text = span(input, memory, 20), other = span(input, memory, 300);
  CK_ULONG count = input.up_to(300);
  const bool absent = input.rarely();
  CK_ULONG* const numbers = absent ? nullptr : memory.array(std::vector<CK_ULONG>(count));
  switch (input.up_to(11)) {
    case 0:
      C_GetSlotList(static_cast<CK_BBOOL>(input.up_to(2)), numbers, absent ? nullptr : &count);
      break;
    case 1:
      C_GetMechanismList(which, numbers, &count);
      break;
    case 2: {
      CK_SLOT_INFO info{};
      C_GetSlotInfo(which, absent ? nullptr : &info);
      break;
    }
    case 3: {
      CK_TOKEN_INFO info{};
      C_GetTokenInfo(which, absent ? nullptr : &info);
      break;
    }
    case 4:
      C_InitPIN(rig.session(), text.data, text.size);
      break;
    case 5:
      C_SetPIN(rig.session(), text.data, text.size, other.data, other.size);
      break;
    case 6:
      C_LoginUser(rig.session(), input.up_to(3), text.data, text.size, other.data, other.size);
      break;
    case 7: {
      std::vector<CK_BYTE> label(32, ' ');
      C_InitToken(slot(), text.data, text.size, absent ? nullptr : label.data());
      break;
    }
    case 8:
      C_WaitForSlotEvent(CKF_DONT_BLOCK, absent ? nullptr : &count, nullptr);
      break;
    case 9:
      C_CloseAllSessions(input.number());
      break;
    case 10:
      C_SetOperationState(rig.session(), other.data, other.size, handle(rig, input), 0);
      break;
    default:
      C_DigestKey(rig.session(), handle(rig, input));
  }
}

}  // namespace

void any_call(Rig& rig, Input& input, Memory& memory) {
  switch (input.up_to(7)) {
    case 0:
      objects(rig, input, memory);
      break;
    case 1:
      read(rig, input, memory);
      break;
    case 2:
      parts(rig, input, memory);
      break;
    case 3:
      sessions(rig, input, memory);
      break;
    case 4:
      general(rig, input, memory);
      break;
    case 5:
      message_parts(rig, input, memory);
      break;
    case 6:
      begin_operation(rig, input, memory, input.one_of(mechanisms()));
      break;
    default:
      try_mechanism(rig, input, memory, input.rarely() ? input.number() : input.one_of(mechanisms()));
  }
}

}  // namespace cardea::fuzz
