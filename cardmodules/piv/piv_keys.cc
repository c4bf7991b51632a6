// Use of a PIV card's private keys (SP 800-73-4 part 2, 3.2.4).
#include <algorithm>

#include "crypto/asymmetric_key.h"
#include "piv/commands.h"
#include "piv/piv_card.h"

namespace cardea::card::piv {
namespace {

std::size_t curve_bytes(const KeyKind& kind) {
  return crypto::facts_of(kind.algorithm).private_size;
}

/// The leftmost bits that count (FIPS 186-5, 6.4.1), in the length that cards want: that of the curve.
Bytes digest_block(ByteView digest, std::size_t size) {
  Bytes block(size);
  const std::size_t used = std::min(digest.size(), size);
  std::copy_n(digest.begin(), used, block.end() - static_cast<std::ptrdiff_t>(used));
  return block;
}

/// What the card is asked, and how.
struct Question {
  std::uint32_t field = authentication::challenge;
  Bytes data;
  bool secret_answer = false;
};

Result<Question> question_for(const KeyKind& kind, const PrimitiveRequest& request, ByteView input) {
  switch (request.primitive) {
    case Primitive::rsa_raw:
      if (input.size() != kind.bits / 8) return Code::data_length;
      // A signature and a decryption look the same here.
      return Question{authentication::challenge, to_bytes(input), true};
    case Primitive::ecdsa_sign:
      if (input.empty()) return Code::data_length;
      return Question{authentication::challenge, digest_block(input, curve_bytes(kind)), false};
    case Primitive::ecdh: {
      // Checked here, and uncompressed: what a card does with a point off the curve is its own affair.
      CARDEA_ASSIGN(const crypto::AsymmetricKeyPtr peer, crypto::AsymmetricKey::from_public(kind.algorithm, input));
      CARDEA_ASSIGN(Bytes point, peer->public_value());
      return Question{authentication::exponentiation, std::move(point), true};
    }
    case Primitive::eddsa_sign:
      if (request.prehash || !request.context.empty()) return Code::mechanism_param_invalid;
      return Question{authentication::challenge, to_bytes(input), false};
    default:
      return Code::mechanism_invalid;
  }
}

/// Copies a number to a field of that size; the card may leave out leading zeros.
Result<std::size_t> put_number(ByteView number, std::size_t size, MutableBytes out) {
  if (number.size() > size) return error(Code::device_error, "the card's answer is longer than its key");
  if (out.size() < size) return Code::buffer_too_small;
  std::fill_n(out.begin(), size - number.size(), Byte{0});
  std::copy(number.begin(), number.end(), out.begin() + static_cast<std::ptrdiff_t>(size - number.size()));
  return size;
}

Result<std::size_t> put_exactly(ByteView bytes, std::size_t size, MutableBytes out) {
  if (bytes.size() != size) return error(Code::device_error, "the card's answer has a wrong length");
  return put_number(bytes, size, out);
}

Result<std::size_t> put_answer(const KeyKind& kind, Primitive primitive, ByteView answer, MutableBytes out) {
  switch (primitive) {
    case Primitive::rsa_raw:
      return put_number(answer, kind.bits / 8, out);
    case Primitive::ecdsa_sign:
      return raw_ecdsa_signature(answer, curve_bytes(kind), out);
    case Primitive::ecdh:
      return put_exactly(answer, curve_bytes(kind), out);
    default:
      return put_exactly(answer, crypto::facts_of(kind.algorithm).output_size, out);
  }
}

}  // namespace

Result<std::size_t> PivCard::perform(CardTransaction& transaction, const Container& container,
                                     const PrimitiveRequest& request, ByteView input, MutableBytes out) {
  if ((container.primitives & static_cast<Primitives>(request.primitive)) == 0) return Code::mechanism_invalid;
  CARDEA_ASSIGN(const KeyKind kind, kind_of_public_key(container.public_key));
  CARDEA_ASSIGN(Question question, question_for(kind, request, input));
  // The touch policy of a key with a certificate is not asked for, so any key of a YubiKey may wait for a finger.
  const bool may_wait = is_yubikey_ || container.touch != TouchPolicy::never;
  constexpr std::size_t large_key = 3072;
  const auto usual = kind.bits >= large_key ? patience::long_work : usual_patience;
  const Authentication command{.algorithm = kind.identifier,
                               .key = static_cast<Byte>(container.place.index),
                               .field = question.field,
                               .data = question.data,
                               .secret_answer = question.secret_answer,
                               .patience = may_wait ? patience::touch : usual};
  CARDEA_ASSIGN(const SecretBytes answer, authenticate_for_response(transaction, command));
  return put_answer(kind, request.primitive, answer.view(), out);
}

}  // namespace cardea::card::piv
