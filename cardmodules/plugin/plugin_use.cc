// Uses of private keys through a plug-in.
#include <algorithm>

#include "plugin/plugin_card.h"

namespace cardea::card::plugin {
namespace {

std::optional<cardea_plugin_hash> hash_of(Hash hash) {
  switch (hash) {
    case Hash::none:
      return CARDEA_PLUGIN_HASH_NONE;
    case Hash::sha1:
      return CARDEA_PLUGIN_HASH_SHA1;
    case Hash::sha256:
      return CARDEA_PLUGIN_HASH_SHA256;
    case Hash::sha384:
      return CARDEA_PLUGIN_HASH_SHA384;
    case Hash::sha512:
      return CARDEA_PLUGIN_HASH_SHA512;
    default:
      return std::nullopt;
  }
}

// An operation and the memory that it points into, for a call that may outlive us.
struct OwnedOperation {
  cardea_plugin_operation operation{};
  Bytes label;
  SecretBytes input;
};

Result<std::shared_ptr<OwnedOperation>> own(cardea_plugin_padding padding, const PrimitiveRequest& request,
                                            ByteView input) {
  const auto hash = hash_of(request.hash);
  const auto mgf_hash = hash_of(request.mgf_hash);
  if (!hash || !mgf_hash) return error(Code::mechanism_param_invalid, "cards of plug-ins know SHA-1 and SHA-2");
  auto owned = std::make_shared<OwnedOperation>();
  owned->label = to_bytes(request.label);
  owned->input = SecretBytes(input);
  owned->operation = {.size = sizeof owned->operation,
                      .padding = padding,
                      .hash = *hash,
                      .mgf_hash = *mgf_hash,
                      .salt_size = static_cast<std::uint32_t>(request.salt_length),
                      .label = owned->label.data(),
                      .label_size = owned->label.size(),
                      .input = owned->input.data(),
                      .input_size = owned->input.size()};
  return owned;
}

// A number as long as `size`; leading zeros may have been left out.
Result<std::size_t> copy_number(ByteView number, std::size_t size, MutableBytes out) {
  if (number.empty() || number.size() > size || size > out.size()) {
    return error(Code::device_error, "the plug-in's answer has not the size of its key");
  }
  std::fill_n(out.begin(), size - number.size(), Byte{0});
  std::copy(number.begin(), number.end(), out.begin() + static_cast<std::ptrdiff_t>(size - number.size()));
  return size;
}

Result<std::size_t> copy_message(ByteView message, MutableBytes out) {
  if (message.size() > out.size()) return error(Code::device_error, "the plug-in's answer is longer than its key");
  std::copy(message.begin(), message.end(), out.begin());
  return message.size();
}

}  // namespace

Result<SecretBytes> PluginCard::sign(CardTransaction& transaction, const Container& container,
                                     cardea_plugin_padding padding, const PrimitiveRequest& request, ByteView input,
                                     std::size_t size) {
  CARDEA_ASSIGN(const auto owned, own(padding, request, input));
  return caller_->fetch(
      transaction,
      [owned, index = container.place.index](const cardea_plugin& table, cardea_plugin_context* context,
                                             std::uint8_t* out, std::size_t* room) {
        return table.sign(context, index, &owned->operation, out, room);
      },
      size);
}

Result<SecretBytes> PluginCard::decrypt(CardTransaction& transaction, const Container& container,
                                        cardea_plugin_padding padding, const PrimitiveRequest& request,
                                        ByteView input) {
  CARDEA_ASSIGN(const auto owned, own(padding, request, input));
  return caller_->fetch(
      transaction,
      [owned, index = container.place.index](const cardea_plugin& table, cardea_plugin_context* context,
                                             std::uint8_t* out, std::size_t* room) {
        return table.decrypt(context, index, &owned->operation, out, room);
      },
      input.size());
}

Result<std::size_t> PluginCard::decrypt_pkcs1(CardTransaction& transaction, const Container& container, ByteView input,
                                              MutableBytes out) {
  CARDEA_TRY(replacement_.prepare());
  const auto plain = decrypt(transaction, container, CARDEA_PLUGIN_PADDING_PKCS1, {}, input);
  if (plain) return copy_message(plain->view(), out);
  if (plain.code() == Code::encrypted_data_invalid) return replacement_.message(input, container.public_key, out);
  return plain.error();
}

Result<SecretBytes> PluginCard::agree(CardTransaction& transaction, const Container& container, ByteView peer) {
  const auto agreement = std::make_shared<std::uint32_t>(0);
  const auto point = std::make_shared<Bytes>(to_bytes(peer));
  CARDEA_TRY(caller_->call(transaction, [agreement, point, index = container.place.index](
                                            const cardea_plugin& table, cardea_plugin_context* context) {
    return table.construct_dh_agreement(context, index, point->data(), point->size(), agreement.get());
  }));
  constexpr std::size_t longest_secret = 66;  // P-521
  Result<SecretBytes> secret = caller_->fetch(
      transaction,
      [agreement](const cardea_plugin& table, cardea_plugin_context* context, std::uint8_t* out, std::size_t* room) {
        return table.derive_key(context, *agreement, out, room);
      },
      longest_secret);
  // Whatever came of it; and its own failure changes nothing about the secret.
  (void)caller_->call(transaction, [agreement](const cardea_plugin& table, cardea_plugin_context* context) {
    return table.destroy_dh_agreement(context, *agreement);
  });
  return secret;
}

Result<std::size_t> PluginCard::perform(CardTransaction& transaction, const Container& container,
                                        const PrimitiveRequest& request, ByteView input, MutableBytes out) {
  if ((container.primitives & static_cast<Primitives>(request.primitive)) == 0) return Code::mechanism_invalid;
  switch (request.primitive) {
    case Primitive::rsa_raw: {
      const bool deciphers = container.decrypts && (capabilities_.rsa_decrypt >> CARDEA_PLUGIN_PADDING_NONE & 1) != 0;
      CARDEA_ASSIGN(const SecretBytes number,
                    deciphers ? decrypt(transaction, container, CARDEA_PLUGIN_PADDING_NONE, {}, input)
                              : sign(transaction, container, CARDEA_PLUGIN_PADDING_NONE, {}, input, input.size()));
      return copy_number(number.view(), input.size(), out);
    }
    case Primitive::rsa_pkcs1_sign: {
      CARDEA_ASSIGN(const SecretBytes signature,
                    sign(transaction, container, CARDEA_PLUGIN_PADDING_PKCS1, {}, input, out.size()));
      return copy_message(signature.view(), out);
    }
    case Primitive::rsa_pss_sign: {
      CARDEA_ASSIGN(const SecretBytes signature,
                    sign(transaction, container, CARDEA_PLUGIN_PADDING_PSS, request, input, out.size()));
      return copy_message(signature.view(), out);
    }
    case Primitive::rsa_pkcs1_decrypt:
      return decrypt_pkcs1(transaction, container, input, out);
    case Primitive::rsa_oaep_decrypt: {
      CARDEA_ASSIGN(const SecretBytes plain,
                    decrypt(transaction, container, CARDEA_PLUGIN_PADDING_OAEP, request, input));
      return copy_message(plain.view(), out);
    }
    case Primitive::ecdsa_sign: {
      CARDEA_ASSIGN(const SecretBytes signature,
                    sign(transaction, container, CARDEA_PLUGIN_PADDING_NONE, {}, input, out.size()));
      return copy_message(signature.view(), out);
    }
    case Primitive::ecdh:
    case Primitive::ecdh_cofactor: {
      CARDEA_ASSIGN(const SecretBytes secret, agree(transaction, container, input));
      return copy_message(secret.view(), out);
    }
    default:
      return Code::mechanism_invalid;
  }
}

}  // namespace cardea::card::plugin
