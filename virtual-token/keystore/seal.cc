#include "keystore/seal.h"

#include <argon2.h>

#include <algorithm>
#include <array>

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/random.h"

namespace cardea::keystore {
namespace {

// The numbers inside are the format versions: a later layout takes another label, so that neither opens as the other.
constexpr std::string_view object_label = "cardea keystore object 1";
constexpr std::string_view wrap_label = "cardea keystore unlock 1";
constexpr std::string_view cover_label = "cardea keystore sealed unlock 1";
constexpr std::string_view store_key_label = "cardea keystore store key 1";
constexpr std::string_view sealing_key_label = "cardea keystore sealing key 1";

constexpr std::size_t type_size = 8;
constexpr std::size_t length_size = 4;

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i, value >>= 8) out.push_back(static_cast<Byte>(value));
}

std::uint64_t load_number(ByteView from) {
  std::uint64_t value = 0;
  for (std::size_t i = from.size(); i-- > 0;) value = value << 8 | from[i];
  return value;
}

/// A length before each variable part keeps two different contexts from giving the same bytes.
void append_text(Bytes& out, std::string_view text) {
  append_number(out, text.size(), length_size);
  append(out, view_of(text));
}

Bytes associated_data(const SealContext& context) {
  Bytes data;
  data.reserve(object_label.size() + context.serial.size() + context.attributes.size() + 24);
  append_text(data, object_label);
  append_text(data, context.serial);
  append_number(data, context.id, sizeof(ObjectId));
  append(data, context.attributes);
  return data;
}

Bytes associated_data(std::string_view label, const WrapContext& context, const PinCost& cost) {
  Bytes data;
  append_text(data, label);
  append_text(data, context.serial);
  append_number(data, static_cast<std::uint64_t>(context.method), length_size);
  append_number(data, cost.memory_kib, length_size);
  append_number(data, cost.iterations, length_size);
  append_number(data, cost.lanes, length_size);
  return data;
}

/// type (8) || length (4) || value for each, little-endian like AttributeSet's block.
SecretBytes serialise(const SecretAttributes& secrets) {
  std::size_t size = 0;
  for (const auto& [type, value] : secrets) size += type_size + length_size + value.size();
  SecretBytes out(size);
  Byte* to = out.data();
  for (const auto& [type, value] : secrets) {
    Bytes header;
    append_number(header, type, type_size);
    append_number(header, value.size(), length_size);
    to = std::copy(header.begin(), header.end(), to);
    to = std::copy(value.view().begin(), value.view().end(), to);
  }
  return out;
}

Result<SecretAttributes> parse(ByteView serialised) {
  SecretAttributes secrets;
  while (!serialised.empty()) {
    if (serialised.size() < type_size + length_size) return Code::store_corrupt;
    const CK_ATTRIBUTE_TYPE type = load_number(serialised.first(type_size));
    const std::size_t length = load_number(serialised.subspan(type_size, length_size));
    serialised = serialised.subspan(type_size + length_size);
    if (length > serialised.size()) return Code::store_corrupt;
    secrets.insert_or_assign(type, SecretBytes(serialised.first(length)));
    serialised = serialised.subspan(length);
  }
  return secrets;
}

Result<Bytes> seal(const SecretBytes& key, const Bytes& associated_data, ByteView plaintext) {
  Bytes out(crypto::aead_nonce_size);
  CARDEA_TRY(crypto::random_bytes(out));
  CARDEA_ASSIGN(const Bytes ciphertext, crypto::aead_seal(key.view(), out, associated_data, plaintext));
  append(out, ciphertext);
  return out;
}

Result<SecretBytes> open(const SecretBytes& key, const Bytes& associated_data, ByteView sealed) {
  if (sealed.size() < seal_overhead) return Code::aead_decrypt_failed;
  return crypto::aead_open(key.view(), sealed.first(crypto::aead_nonce_size), associated_data,
                           sealed.subspan(crypto::aead_nonce_size));
}

/// SP 800-56C rev. 2, 4.1 (one-step, SHA-256).
Result<SecretBytes> derive(const SecretBytes& from, std::string_view label, std::string_view serial) {
  constexpr std::array<Byte, 4> counter{0, 0, 0, 1};
  Bytes info;
  append_text(info, label);
  append_text(info, serial);
  CARDEA_ASSIGN(crypto::Digest digest, crypto::Digest::make(Hash::sha256));
  CARDEA_TRY(digest.update(counter));
  CARDEA_TRY(digest.update(from.view()));
  CARDEA_TRY(digest.update(info));
  SecretBytes key(key_size);
  CARDEA_TRY(digest.finish(key.mutable_view()));
  return key;
}

Result<SecretBytes> derive_from_pin(const Pin& pin, ByteView salt, const PinCost& cost) {
  SecretBytes key(key_size);
  const int outcome = argon2id_hash_raw(cost.iterations, cost.memory_kib, cost.lanes, pin.view().data(), pin.size(),
                                        salt.data(), salt.size(), key.data(), key.size());
  if (outcome == ARGON2_MEMORY_ALLOCATION_ERROR) return Code::host_memory;
  if (outcome != ARGON2_OK) return error(Code::store_corrupt, argon2_error_message(outcome));
  return key;
}

}  // namespace

Result<Bytes> seal_secrets(const SecretBytes& store_key, const SealContext& context, const SecretAttributes& secrets) {
  const SecretBytes plaintext = serialise(secrets);
  return seal(store_key, associated_data(context), plaintext.view());
}

Result<SecretAttributes> open_secrets(const SecretBytes& store_key, const SealContext& context, ByteView sealed) {
  auto plaintext = open(store_key, associated_data(context), sealed);
  if (!plaintext) {
    if (plaintext.code() != Code::aead_decrypt_failed) return std::move(plaintext).error();
    return error(Code::store_corrupt, "object " + std::to_string(context.id) + " does not match its seal");
  }
  return parse(plaintext->view());
}

Result<SecretBytes> derive_store_key(const SecretBytes& master_key, std::string_view serial) {
  return derive(master_key, store_key_label, serial);
}

Result<SecretBytes> derive_sealing_key(const SecretBytes& secret, std::string_view serial) {
  return derive(secret, sealing_key_label, serial);
}

Result<WrappedKey> cover(const WrappedKey& wrapped, const SecretBytes& sealing_key, const WrapContext& context) {
  WrappedKey covered = wrapped;
  covered.covered = true;
  CARDEA_ASSIGN(covered.sealed, seal(sealing_key, associated_data(cover_label, context, wrapped.cost), wrapped.sealed));
  return covered;
}

Result<WrappedKey> uncover(const WrappedKey& wrapped, const SecretBytes& sealing_key, const WrapContext& context) {
  auto inner = open(sealing_key, associated_data(cover_label, context, wrapped.cost), wrapped.sealed);
  if (!inner && inner.code() == Code::aead_decrypt_failed) {
    return error(Code::store_corrupt, "a PIN's description does not match the token's seal");
  }
  if (!inner) return std::move(inner).error();
  return WrappedKey{.cost = wrapped.cost, .salt = wrapped.salt, .sealed = to_bytes(inner->view())};
}

Result<WrappedKey> wrap_under_pin(const SecretBytes& master_key, const Pin& pin, const PinCost& cost,
                                  const WrapContext& context) {
  WrappedKey wrapped{.cost = cost, .salt = Bytes(salt_size), .sealed = {}, .covered = false};
  CARDEA_TRY(crypto::random_bytes(wrapped.salt));
  CARDEA_ASSIGN(const SecretBytes key, derive_from_pin(pin, wrapped.salt, cost));
  CARDEA_ASSIGN(wrapped.sealed, seal(key, associated_data(wrap_label, context, cost), master_key.view()));
  return wrapped;
}

Result<SecretBytes> unwrap_with_pin(const WrappedKey& wrapped, const Pin& pin, const WrapContext& context) {
  CARDEA_ASSIGN(const SecretBytes key, derive_from_pin(pin, wrapped.salt, wrapped.cost));
  auto master_key = open(key, associated_data(wrap_label, context, wrapped.cost), wrapped.sealed);
  if (!master_key && master_key.code() == Code::aead_decrypt_failed) return Code::pin_incorrect;
  if (master_key && master_key->size() != key_size)
    return error(Code::store_corrupt, "the master key has a wrong size");
  return master_key;
}

}  // namespace cardea::keystore
