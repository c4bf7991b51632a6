#include "mechanism/signature_operation.h"

#include "token/key_attributes.h"

namespace cardea {

Result<ByteView> MessageInput::whole(ByteView message) {
  if (form_ != MessageForm::hashed) return message;
  CARDEA_TRY(update(message));
  return finish();
}

Status MessageInput::update(ByteView part) {
  switch (form_) {
    case MessageForm::single_part:
      return Code::function_not_supported;
    case MessageForm::collected:
      collected_.insert(collected_.end(), part.begin(), part.end());
      return {};
    case MessageForm::hashed:
      break;
  }
  if (!running_) {
    CARDEA_ASSIGN(running_, crypto::Digest::make(hash_));
  }
  return running_->update(part);
}

Result<ByteView> MessageInput::finish() {
  if (form_ == MessageForm::single_part) return Code::function_not_supported;
  if (form_ == MessageForm::collected) return ByteView(collected_);
  CARDEA_TRY(update({}));
  CARDEA_TRY(running_->finish(digest_));
  return ByteView(digest_).first(crypto::hash_size(hash_));
}

Result<std::size_t> PrivateKeySign::single(ByteView data, MutableBytes signature) {
  CARDEA_ASSIGN(const ByteView message, input_.whole(data));
  return sign(message, signature);
}

Result<std::size_t> PrivateKeySign::finish(MutableBytes signature) {
  CARDEA_ASSIGN(const ByteView message, input_.finish());
  return sign(message, signature);
}

Status PublicKeyVerify::single(ByteView data, ByteView signature) {
  CARDEA_ASSIGN(const ByteView message, input_.whole(data));
  return verify(message, signature);
}

Status PublicKeyVerify::finish(ByteView signature) {
  CARDEA_ASSIGN(const ByteView message, input_.finish());
  return verify(message, signature);
}

namespace {

Status fits(const Mechanism& mechanism, const KeyRef& reference, CK_OBJECT_CLASS object_class, CK_KEY_TYPE type) {
  if (reference.object->object_class() != object_class || reference.object->key_type() != type)
    return Code::key_type_inconsistent;
  const std::size_t size = reference.key->size();
  if (size < mechanism.info().ulMinKeySize || size > mechanism.info().ulMaxKeySize) return Code::key_size_range;
  return {};
}

}  // namespace

Result<std::shared_ptr<const PrivateKey>> private_key_for(const Mechanism& mechanism, const KeyRef& reference,
                                                          CK_KEY_TYPE type) {
  CARDEA_TRY(fits(mechanism, reference, CKO_PRIVATE_KEY, type));
  auto key = std::dynamic_pointer_cast<const PrivateKey>(reference.key);
  if (!key || !mechanism.served_by(key->primitives())) return Code::key_type_inconsistent;
  return key;
}

Result<std::shared_ptr<const PublicKey>> public_key_for(const Mechanism& mechanism, const KeyRef& reference,
                                                        CK_KEY_TYPE type) {
  CARDEA_TRY(fits(mechanism, reference, CKO_PUBLIC_KEY, type));
  auto key = std::dynamic_pointer_cast<const PublicKey>(reference.key);
  if (!key) return Code::key_type_inconsistent;
  return key;
}

Result<GeneratedPair> describe_pair(const crypto::AsymmetricKey& key, const AttributeSet& public_template) {
  GeneratedPair pair;
  if (const auto parameters = public_template.get(CKA_EC_PARAMS)) {
    pair.public_attributes.set(CKA_EC_PARAMS, *parameters);
    pair.private_attributes.set(CKA_EC_PARAMS, *parameters);
  }
  CARDEA_TRY(describe_public(key, pair.public_attributes));
  CARDEA_TRY(describe_private(key, pair.private_attributes, pair.private_secrets));
  return pair;
}

Hash hash_of_mechanism(CK_MECHANISM_TYPE type) noexcept {
  switch (type) {
    case CKM_SHA_1:
      return Hash::sha1;
    case CKM_SHA224:
      return Hash::sha224;
    case CKM_SHA256:
      return Hash::sha256;
    case CKM_SHA384:
      return Hash::sha384;
    case CKM_SHA512:
      return Hash::sha512;
    case CKM_SHA512_224:
      return Hash::sha512_224;
    case CKM_SHA512_256:
      return Hash::sha512_256;
    case CKM_SHA3_224:
      return Hash::sha3_224;
    case CKM_SHA3_256:
      return Hash::sha3_256;
    case CKM_SHA3_384:
      return Hash::sha3_384;
    case CKM_SHA3_512:
      return Hash::sha3_512;
    default:
      return Hash::none;
  }
}

}  // namespace cardea
