// Uses of a GIDS card's private keys (GIDS 2.0, "PERFORM SECURITY OPERATION"): two commands each.
#include <algorithm>
#include <array>

#include "gids/gids_card.h"

namespace cardea::card::gids {
namespace {

// A card that forgot the environment, and one that counts the uses of a key, answer 6985: both are mended by selecting
// and verifying again.
Error failure_of(std::uint16_t status) {
  constexpr std::uint16_t conditions_not_satisfied = 0x6985;
  Error failure = status_error(status);
  if (status == conditions_not_satisfied) failure.code = Code::user_not_logged_in;
  return failure;
}

// Whether the card does not offer this way of using the key, so that another may be tried.
bool refused(Code code) {
  return code == Code::function_not_supported || code == Code::data_invalid || code == Code::not_found ||
         code == Code::data_length || code == Code::function_failed;
}

// Whether a status word speaks of the key or the command, rather than of what was deciphered.
bool speaks_of_command(std::uint16_t status) {
  constexpr std::array<std::uint16_t, 7> words{0x6700, 0x6982, 0x6983, 0x6a81, 0x6a86, 0x6d00, 0x6e00};
  return std::find(words.begin(), words.end(), status) != words.end();
}

Byte key_of(const Container& container) {
  return static_cast<Byte>(first_key + container.place.index);
}

// Cards need some seconds for the larger RSA keys (the low half of a mechanism reference is the kind of key).
std::chrono::milliseconds patience_for(Byte mechanism) {
  constexpr std::chrono::milliseconds large_key{8'000};
  constexpr Byte kind_mask = 0x0f;
  const auto kind = static_cast<KeyKind>(mechanism & kind_mask);
  return kind == KeyKind::rsa_3072 || kind == KeyKind::rsa_4096 ? large_key : usual_patience;
}

Result<Response> signature(CardTransaction& transaction, Byte mechanism, Byte key, ByteView input) {
  CARDEA_TRY(set_environment(transaction, signature_template, mechanism, key));
  CARDEA_ASSIGN(Response response, compute_signature(transaction, input, patience_for(mechanism)));
  if (!response.ok()) return failure_of(response.status);
  return response;
}

// Any status word, since a wrong padding must not show as an error.
Result<Response> deciphered(CardTransaction& transaction, Byte mechanism, Byte key, ByteView input) {
  CARDEA_TRY(set_environment(transaction, confidentiality_template, mechanism, key));
  CARDEA_ASSIGN(Response response, decipher(transaction, input, patience_for(mechanism)));
  if (!response.ok() && speaks_of_command(response.status)) return failure_of(response.status);
  return response;
}

// A number as long as the modulus; some cards leave leading zeros out.
Result<std::size_t> copy_number(ByteView answer, std::size_t size, MutableBytes out) {
  if (answer.empty() || answer.size() > size || size > out.size()) {
    return error(Code::device_error, "the card's answer has not the size of its key");
  }
  std::fill_n(out.begin(), size - answer.size(), Byte{0});
  std::copy(answer.begin(), answer.end(), out.begin() + static_cast<std::ptrdiff_t>(size - answer.size()));
  return size;
}

Result<std::size_t> copy_message(ByteView answer, MutableBytes out) {
  if (answer.size() > out.size()) return error(Code::device_error, "the card's answer is longer than its key");
  std::copy(answer.begin(), answer.end(), out.begin());
  return answer.size();
}

// Deciphering without padding does it for every input; where the key does not allow that, signing without padding is
// the same arithmetic.
Result<std::size_t> raw(CardTransaction& transaction, const KeyUse& use, Byte key, ByteView input, MutableBytes out) {
  const std::optional<Byte> signing = use.reference(Signing::raw);
  if (const std::optional<Byte> mechanism = use.reference(Deciphering::raw)) {
    const Result<Response> response = deciphered(transaction, *mechanism, key, input);
    if (response && response->ok()) return copy_number(response->data, input.size(), out);
    if (response && !signing) return failure_of(response->status);
    if (!response && (!signing || !refused(response.code()))) return response.error();
  }
  if (!signing) return Code::mechanism_invalid;
  CARDEA_ASSIGN(const Response response, signature(transaction, *signing, key, input));
  return copy_number(response.data, input.size(), out);
}

// OAEP with the only parameters that GIDS has ("Confidentiality", notes to table 27).
Result<std::size_t> decrypt_oaep(CardTransaction& transaction, Byte mechanism, Byte key,
                                 const PrimitiveRequest& request, ByteView input, MutableBytes out) {
  if (request.hash != Hash::sha1 || request.mgf_hash != Hash::sha1 || !request.label.empty()) {
    return error(Code::mechanism_param_invalid, "the card knows OAEP only with SHA-1 and without a label");
  }
  CARDEA_ASSIGN(const Response response, deciphered(transaction, mechanism, key, input));
  if (!response.ok()) return Code::encrypted_data_invalid;
  return copy_message(response.data, out);
}

std::size_t modulus_bytes(KeyKind kind) {
  return bits_of(kind) / 8u;
}

}  // namespace

Result<std::size_t> GidsCard::perform(CardTransaction& transaction, const Container& container,
                                      const PrimitiveRequest& request, ByteView input, MutableBytes out) {
  if ((container.primitives & static_cast<Primitives>(request.primitive)) == 0) return Code::mechanism_invalid;
  CARDEA_ASSIGN(const KeyKind kind, kind_of_public_key(container.public_key));
  // What every card allows needs no look at the key's file, should a cache have spared us that so far.
  const bool usual = request.primitive == Primitive::rsa_pkcs1_sign || request.primitive == Primitive::ecdsa_sign;
  if (usual && !uses_.contains(container.place.index)) {
    auto done =
        perform_with(transaction, usual_key_use(kind, container.decrypts), kind, container, request, input, out);
    if (done || !refused(done.code())) return done;
  }
  const Result<KeyUse> told = key_use(transaction, container.place.index);
  // The bare operation is only offered for keys whose file told of it.
  const bool lost = !told && (told.code() == Code::device_removed || told.code() == Code::timed_out);
  if (!told && (lost || request.primitive == Primitive::rsa_raw)) return told.error();
  const KeyUse use = told ? *told : usual_key_use(kind, container.decrypts);
  return perform_with(transaction, use, kind, container, request, input, out);
}

Result<std::size_t> GidsCard::perform_with(CardTransaction& transaction, const KeyUse& use, KeyKind kind,
                                           const Container& container, const PrimitiveRequest& request, ByteView input,
                                           MutableBytes out) {
  const Byte key = key_of(container);
  if (request.primitive == Primitive::rsa_raw) return raw(transaction, use, key, input, out);
  std::optional<Byte> mechanism;
  if (request.primitive == Primitive::rsa_pkcs1_sign) mechanism = use.reference(Signing::pkcs1);
  if (request.primitive == Primitive::rsa_pkcs1_decrypt) mechanism = use.reference(Deciphering::pkcs1);
  if (request.primitive == Primitive::rsa_oaep_decrypt) mechanism = use.reference(Deciphering::oaep);
  if (request.primitive == Primitive::ecdsa_sign && !use.signing.empty()) mechanism = use.signing.front();
  if (!mechanism) return Code::mechanism_invalid;
  switch (request.primitive) {
    case Primitive::rsa_pkcs1_decrypt:
      return decrypt_pkcs1(transaction, container, *mechanism, input, out);
    case Primitive::rsa_oaep_decrypt:
      return decrypt_oaep(transaction, *mechanism, key, request, input, out);
    default:
      break;
  }
  CARDEA_ASSIGN(const Response response, signature(transaction, *mechanism, key, input));
  if (request.primitive == Primitive::ecdsa_sign) return plain_signature(response.data, kind, out);
  return copy_number(response.data, modulus_bytes(kind), out);
}

Result<std::size_t> GidsCard::decrypt_pkcs1(CardTransaction& transaction, const Container& container, Byte mechanism,
                                            ByteView input, MutableBytes out) {
  CARDEA_TRY(replacement_.prepare());
  CARDEA_ASSIGN(const Response response, deciphered(transaction, mechanism, key_of(container), input));
  if (response.ok()) return copy_message(response.data, out);
  return replacement_.message(input, container.public_key, out);
}

}  // namespace cardea::card::gids
