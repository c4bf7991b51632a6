#include "fuzz/verbs.h"

namespace cardea::fuzz {

namespace {

using Update = CK_RV (*)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
using Finish = CK_RV (*)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG*);

CK_OBJECT_HANDLE handle(Rig& rig, Input& input) {
  return rig.handles.empty() || input.rarely(32) ? input.number() : input.one_of(rig.handles);
}

// A buffer whose length may be too small; what came back is searched for the planted key.
class Output {
 public:
  Output(Input& input, Memory& memory) : size_(input.rarely(4) ? input.up_to(24) : 1200) {
    data_ = input.rarely() ? nullptr : memory.zeros(size_);
    if (data_ == nullptr) size_ = input.number();
    claimed_ = data_ == nullptr ? 0 : size_;
  }
  ~Output() {
    if (data_ != nullptr) expect_not_planted(data_, claimed_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  CK_BYTE* data() { return data_; }
  CK_ULONG* size() { return &size_; }

 private:
  CK_ULONG size_;
  CK_BYTE* data_;
  CK_ULONG claimed_;
};

CK_RV one_part(Update call, CK_SESSION_HANDLE session, Input& input, Memory& memory) {
  const Span data = span(input, memory, 600);
  Output out(input, memory);
  return call(session, data.data, data.size, out.data(), out.size());
}

void in_parts(Update update, Finish finish, CK_SESSION_HANDLE session, Input& input, Memory& memory) {
  for (CK_ULONG parts = input.up_to(4); parts > 0; --parts) one_part(update, session, input, memory);
  Output out(input, memory);
  finish(session, out.data(), out.size());
}

void encrypt(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  const bool decrypting = input.chance();
  const CK_RV rv = (decrypting ? C_DecryptInit : C_EncryptInit)(rig.session(), mechanism, handle(rig, input));
  if (rv != CKR_OK) return;
  if (input.chance()) {
    one_part(decrypting ? C_Decrypt : C_Encrypt, rig.session(), input, memory);
  } else {
    in_parts(decrypting ? C_DecryptUpdate : C_EncryptUpdate, decrypting ? C_DecryptFinal : C_EncryptFinal,
             rig.session(), input, memory);
  }
}

void sign(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  if (C_SignInit(rig.session(), mechanism, handle(rig, input)) != CKR_OK) return;
  if (input.chance()) {
    one_part(C_Sign, rig.session(), input, memory);
    return;
  }
  for (CK_ULONG parts = input.up_to(4); parts > 0; --parts) {
    const Span data = span(input, memory, 300);
    C_SignUpdate(rig.session(), data.data, data.size);
  }
  Output out(input, memory);
  C_SignFinal(rig.session(), out.data(), out.size());
}

void verify(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  const Span data = span(input, memory, 300), signature = span(input, memory, 300);
  switch (input.up_to(2)) {
    case 0:
      if (C_VerifyInit(rig.session(), mechanism, handle(rig, input)) != CKR_OK) return;
      if (input.chance()) {
        C_Verify(rig.session(), data.data, data.size, signature.data, signature.size);
      } else {
        C_VerifyUpdate(rig.session(), data.data, data.size);
        C_VerifyFinal(rig.session(), signature.data, signature.size);
      }
      return;
    case 1: {
      if (C_VerifyRecoverInit(rig.session(), mechanism, handle(rig, input)) != CKR_OK) return;
      Output out(input, memory);
      C_VerifyRecover(rig.session(), signature.data, signature.size, out.data(), out.size());
      return;
    }
    default:
      if (C_VerifySignatureInit(rig.session(), mechanism, handle(rig, input), signature.data, signature.size) !=
          CKR_OK) {
        return;
      }
      C_VerifySignatureUpdate(rig.session(), data.data, data.size);
      C_VerifySignatureFinal(rig.session());
  }
}

void digest(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  if (C_DigestInit(rig.session(), mechanism) != CKR_OK) return;
  if (input.chance()) {
    one_part(C_Digest, rig.session(), input, memory);
    return;
  }
  const Span data = span(input, memory, 300);
  C_DigestUpdate(rig.session(), data.data, data.size);
  if (input.chance()) C_DigestKey(rig.session(), handle(rig, input));
  if (input.chance()) {
    Output state(input, memory);
    C_GetOperationState(rig.session(), state.data(), state.size());
    const Span restored = span(input, memory, 300);
    C_SetOperationState(rig.session(), restored.data, restored.size, 0, 0);
  }
  Output out(input, memory);
  C_DigestFinal(rig.session(), out.data(), out.size());
}

// Reads what a new key lets out; a descendant of the planted key must not let it out.
void read_back(Rig& rig, CK_OBJECT_HANDLE made) {
  rig.handles.push_back(made);
  CK_BYTE value[128]{};
  CK_ATTRIBUTE wanted{CKA_VALUE, value, sizeof value};
  C_GetAttributeValue(rig.session(), made, &wanted, 1);
  expect_not_planted(value, sizeof value);
}

constexpr CK_KEY_TYPE secret_types[]{CKK_AES, CKK_GENERIC_SECRET, CKK_CHACHA20, CKK_HKDF, CKK_SHA256_HMAC};

void derive(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  const CK_OBJECT_CLASS object_class = input.rarely(8) ? input.up_to(8) : CKO_SECRET_KEY;
  const Template wanted = make_template(input, memory, object_class, input.one_of(secret_types));
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  if (C_DeriveKey(rig.session(), mechanism, handle(rig, input), wanted.list, wanted.count, &made) == CKR_OK) {
    read_back(rig, made);
  }
}

void wrap(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  Output out(input, memory);
  const Span associated = span(input, memory, 32);
  if (input.chance()) {
    C_WrapKey(rig.session(), mechanism, handle(rig, input), handle(rig, input), out.data(), out.size());
  } else {
    C_WrapKeyAuthenticated(rig.session(), mechanism, handle(rig, input), handle(rig, input), associated.data,
                           associated.size, out.data(), out.size());
  }
}

void unwrap(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  const Span wrapped = span(input, memory, 400), associated = span(input, memory, 32);
  const bool secret = input.chance();
  const Template wanted = make_template(input, memory, secret ? CKO_SECRET_KEY : CKO_PRIVATE_KEY,
                                        secret ? input.one_of(secret_types) : input.up_to(3));
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  const CK_RV rv = input.chance() ? C_UnwrapKey(rig.session(), mechanism, handle(rig, input), wrapped.data,
                                                wrapped.size, wanted.list, wanted.count, &made)
                                  : C_UnwrapKeyAuthenticated(rig.session(), mechanism, handle(rig, input), wrapped.data,
                                                             wrapped.size, wanted.list, wanted.count, associated.data,
                                                             associated.size, &made);
  if (rv == CKR_OK) read_back(rig, made);
}

void generate(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  // Generating RSA keys takes so long that little else would be tried; the rig has one.
  if (mechanism->mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN || mechanism->mechanism == CKM_RSA_X9_31_KEY_PAIR_GEN) return;
  const Template first = make_template(input, memory), second = make_template(input, memory);
  CK_OBJECT_HANDLE made[2]{};
  if (input.chance()) {
    if (C_GenerateKey(rig.session(), mechanism, first.list, first.count, made) == CKR_OK) read_back(rig, made[0]);
  } else if (C_GenerateKeyPair(rig.session(), mechanism, first.list, first.count, second.list, second.count, &made[0],
                               &made[1]) == CKR_OK) {
    rig.handles.insert(rig.handles.end(), made, made + 2);
  }
}

void messages(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  const bool decrypting = input.chance();
  if ((decrypting ? C_MessageDecryptInit : C_MessageEncryptInit)(rig.session(), mechanism, handle(rig, input)) !=
      CKR_OK) {
    return;
  }
  for (CK_ULONG count = input.up_to(3); count > 0; --count) {
    const Span parameter = make_message_parameter(input, memory, mechanism->mechanism);
    // The calls of one message need not agree with each other.
    const Span later = input.rarely(4) ? make_message_parameter(input, memory, mechanism->mechanism) : parameter;
    const Span associated = span(input, memory, 64), data = span(input, memory, 300);
    Output out(input, memory);
    if (input.chance()) {
      (decrypting ? C_DecryptMessage : C_EncryptMessage)(rig.session(), parameter.data, parameter.size, associated.data,
                                                         associated.size, data.data, data.size, out.data(), out.size());
      continue;
    }
    (decrypting ? C_DecryptMessageBegin : C_EncryptMessageBegin)(rig.session(), parameter.data, parameter.size,
                                                                 associated.data, associated.size);
    (decrypting ? C_DecryptMessageNext : C_EncryptMessageNext)(rig.session(), later.data, later.size, data.data,
                                                               data.size, out.data(), out.size(),
                                                               input.chance() ? CKF_END_OF_MESSAGE : 0);
  }
  (decrypting ? C_MessageDecryptFinal : C_MessageEncryptFinal)(rig.session());
}

void sign_messages(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  if (C_MessageSignInit(rig.session(), mechanism, handle(rig, input)) != CKR_OK) return;
  for (CK_ULONG count = input.up_to(3); count > 0; --count) {
    const Span parameter = input.rarely(4) ? make_message_parameter(input, memory, mechanism->mechanism) : Span{};
    const Span data = span(input, memory, 300);
    Output out(input, memory);
    if (input.chance()) {
      C_SignMessage(rig.session(), parameter.data, parameter.size, data.data, data.size, out.data(), out.size());
      continue;
    }
    C_SignMessageBegin(rig.session(), parameter.data, parameter.size);
    C_SignMessageNext(rig.session(), parameter.data, parameter.size, data.data, data.size, nullptr, nullptr);
    C_SignMessageNext(rig.session(), parameter.data, parameter.size, data.data, data.size, out.data(), out.size());
  }
  C_MessageSignFinal(rig.session());
}

void verify_messages(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  if (C_MessageVerifyInit(rig.session(), mechanism, handle(rig, input)) != CKR_OK) return;
  for (CK_ULONG count = input.up_to(3); count > 0; --count) {
    const Span data = span(input, memory, 300), signature = span(input, memory, 300);
    if (input.chance()) {
      C_VerifyMessage(rig.session(), nullptr, 0, data.data, data.size, signature.data, signature.size);
      continue;
    }
    C_VerifyMessageBegin(rig.session(), nullptr, 0);
    C_VerifyMessageNext(rig.session(), nullptr, 0, data.data, data.size, nullptr, 0);
    C_VerifyMessageNext(rig.session(), nullptr, 0, data.data, data.size, signature.data, signature.size);
  }
  C_MessageVerifyFinal(rig.session());
}

void sign_recover(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  if (C_SignRecoverInit(rig.session(), mechanism, handle(rig, input)) != CKR_OK) return;
  one_part(C_SignRecover, rig.session(), input, memory);
}

void encapsulate(Rig& rig, Input& input, Memory& memory, CK_MECHANISM* mechanism) {
  const Template wanted = make_template(input, memory, CKO_SECRET_KEY, CKK_GENERIC_SECRET);
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  CK_RV rv = CKR_GENERAL_ERROR;
  if (input.chance()) {
    Output out(input, memory);
    rv = C_EncapsulateKey(rig.session(), mechanism, handle(rig, input), wanted.list, wanted.count, out.data(),
                          out.size(), &made);
  } else {
    const Span cipher = span(input, memory, 1200);
    rv = C_DecapsulateKey(rig.session(), mechanism, handle(rig, input), wanted.list, wanted.count, cipher.data,
                          cipher.size, &made);
  }
  if (rv == CKR_OK) read_back(rig, made);
}

}  // namespace

void try_mechanism(Rig& rig, Input& input, Memory& memory, CK_MECHANISM_TYPE type) {
  CK_MECHANISM mechanism = make_mechanism(input, memory, type, rig.handles);
  using Verb = void (*)(Rig&, Input&, Memory&, CK_MECHANISM*);
  static constexpr Verb verbs[]{encrypt,  sign,     verify,      digest,        derive,          wrap,        unwrap,
                                generate, messages, encapsulate, sign_messages, verify_messages, sign_recover};
  input.one_of(verbs)(rig, input, memory, &mechanism);
}

void begin_operation(Rig& rig, Input& input, Memory& memory, CK_MECHANISM_TYPE type) {
  CK_MECHANISM mechanism = make_mechanism(input, memory, type, rig.handles);
  using Init = CK_RV (*)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
  static constexpr Init inits[]{C_EncryptInit,     C_DecryptInit,       C_SignInit,           C_VerifyInit,
                                C_SignRecoverInit, C_VerifyRecoverInit, C_MessageEncryptInit, C_MessageDecryptInit,
                                C_MessageSignInit, C_MessageVerifyInit};
  CK_MECHANISM* const given = input.rarely() ? nullptr : &mechanism;
  if (input.rarely(8)) {
    C_DigestInit(rig.session(), given);
  } else if (input.rarely(12)) {
    const Span signature = span(input, memory, 300);
    C_VerifySignatureInit(rig.session(), given, handle(rig, input), signature.data, signature.size);
  } else {
    input.one_of(inits)(rig.session(), given, handle(rig, input));
  }
}

}  // namespace cardea::fuzz
