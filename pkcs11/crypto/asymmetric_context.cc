#include "crypto/asymmetric_context.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <string>

#include "base/thread_number.h"
#include "crypto/library.h"

namespace cardea::crypto {
namespace {

// OSSL_PARAM wants mutable strings although it only reads them here.
OSSL_PARAM text_parameter(const char* key, const char* value) {
  return OSSL_PARAM_construct_utf8_string(key, const_cast<char*>(value), 0);
}

int padding_of(ContextTask task) noexcept {
  switch (task) {
    case ContextTask::rsa_raw_private:
    case ContextTask::rsa_raw_public:
      return RSA_NO_PADDING;
    case ContextTask::pss_sign:
    case ContextTask::pss_verify:
      return RSA_PKCS1_PSS_PADDING;
    case ContextTask::oaep_encrypt:
    case ContextTask::oaep_decrypt:
      return RSA_PKCS1_OAEP_PADDING;
    default:
      return RSA_PKCS1_PADDING;
  }
}

int start(EVP_PKEY_CTX* context, ContextTask task, const OSSL_PARAM* parameters) {
  switch (task) {
    case ContextTask::rsa_raw_private:
    case ContextTask::pkcs1_decrypt:
    case ContextTask::oaep_decrypt:
      return EVP_PKEY_decrypt_init_ex(context, parameters);
    case ContextTask::rsa_raw_public:
    case ContextTask::pkcs1_encrypt:
    case ContextTask::oaep_encrypt:
      return EVP_PKEY_encrypt_init_ex(context, parameters);
    case ContextTask::pkcs1_sign:
    case ContextTask::pss_sign:
    case ContextTask::ecdsa_sign:
      return EVP_PKEY_sign_init_ex(context, parameters);
    case ContextTask::pkcs1_verify:
    case ContextTask::pss_verify:
    case ContextTask::ecdsa_verify:
      return EVP_PKEY_verify_init_ex(context, parameters);
    case ContextTask::pkcs1_recover:
      return EVP_PKEY_verify_recover_init_ex(context, parameters);
    case ContextTask::ecdh:
      return EVP_PKEY_derive_init_ex(context, parameters);
    case ContextTask::none:
      break;
  }
  return 0;
}

const char* padding_word(int padding) noexcept {
  switch (padding) {
    case RSA_NO_PADDING:
      return "none";
    case RSA_PKCS1_PSS_PADDING:
      return "pss";
    case RSA_PKCS1_OAEP_PADDING:
      return "oaep";
    default:
      return "pkcs1";
  }
}

// A host may have made an ENGINE its default for RSA (`openssl -engine pkcs11` does). OpenSSL then gives our keys to
// that engine's methods, which pass them on to the library but read no OSSL_PARAMs: they take the same settings as
// words.
bool set_up_engine(EVP_PKEY_CTX* context, const ContextSetup& setup, int padding) {
  const auto say = [context](const char* name, const char* value) {
    return EVP_PKEY_CTX_ctrl_str(context, name, value) == 1;
  };
  const bool oaep = padding == RSA_PKCS1_OAEP_PADDING;
  if (!say("rsa_padding_mode", padding_word(padding))) return false;
  if (setup.hash != Hash::none && !say(oaep ? "rsa_oaep_md" : "digest", hash_name(setup.hash))) return false;
  if (setup.mgf_hash != Hash::none && !say("rsa_mgf1_md", hash_name(setup.mgf_hash))) return false;
  return padding != RSA_PKCS1_PSS_PADDING || say("rsa_pss_saltlen", std::to_string(setup.salt_length).c_str());
}

bool set_up(EVP_PKEY_CTX* context, const ContextSetup& setup) {
  if (setup.task == ContextTask::ecdsa_sign || setup.task == ContextTask::ecdsa_verify ||
      setup.task == ContextTask::ecdh)
    return start(context, setup.task, nullptr) == 1;
  int padding = padding_of(setup.task);
  int salt_length = static_cast<int>(setup.salt_length);
  std::array<OSSL_PARAM, 5> parameters;
  std::size_t count = 0;
  // The digest must be known before the padding that needs it; both families of parameters call it "digest".
  if (setup.hash != Hash::none) parameters[count++] = text_parameter(OSSL_PKEY_PARAM_DIGEST, hash_name(setup.hash));
  parameters[count++] = OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_PAD_MODE, &padding);
  if (setup.mgf_hash != Hash::none)
    parameters[count++] = text_parameter(OSSL_PKEY_PARAM_MGF1_DIGEST, hash_name(setup.mgf_hash));
  if (padding == RSA_PKCS1_PSS_PADDING)
    parameters[count++] = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_length);
  parameters[count] = OSSL_PARAM_construct_end();
  if (start(context, setup.task, parameters.data()) != 1) return false;
  return EVP_PKEY_CTX_get0_provider(context) != nullptr || set_up_engine(context, setup, padding);
}

}  // namespace

KeyContextPool::~KeyContextPool() {
  for (Slot& slot : slots_) delete slot.idle.load(std::memory_order_acquire);
}

KeyContextPool::Slot& KeyContextPool::slot_of_this_thread() noexcept {
  return slots_[thread_number() % slot_count];
}

Result<std::unique_ptr<KeyContext>> KeyContextPool::take(EVP_PKEY* key, const ContextSetup& setup) {
  std::unique_ptr<KeyContext> taken(slot_of_this_thread().idle.exchange(nullptr, std::memory_order_acq_rel));
  if (taken && taken->setup == setup) return taken;
  if (!taken) {
    taken = std::make_unique<KeyContext>();
    taken->context.reset(EVP_PKEY_CTX_new_from_pkey(context(), key, nullptr));
    if (!taken->context) return openssl_error(Code::internal);
  }
  if (!set_up(taken->context.get(), setup)) return openssl_error(Code::internal);
  taken->setup = setup;
  return taken;
}

void KeyContextPool::put(std::unique_ptr<KeyContext> context) noexcept {
  // A thread that shares the slot may have put one there meanwhile: one of the two goes.
  delete slot_of_this_thread().idle.exchange(context.release(), std::memory_order_acq_rel);
}

}  // namespace cardea::crypto
