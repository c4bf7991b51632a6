#include "crypto/eddsa_variants.h"

#include <algorithm>
#include <array>
#include <memory>

#include "crypto/gcrypt_library.h"

namespace cardea::crypto::eddsa_variants {
namespace {

struct Release {
  void operator()(gcry_sexp_t expression) const noexcept { gcrypt().sexp_release(expression); }
};
using Expression = std::unique_ptr<gcry_sexp, Release>;

struct Free {
  void operator()(void* memory) const noexcept { gcrypt().free(memory); }
};

Error failure(gcry_error_t error_code, Code code) {
  return error(gcry_err_code(error_code) == GPG_ERR_ENOMEM ? Code::host_memory : code);
}

/// An expression with byte strings in the places of "%b". Wiped when released if one of them is in secure memory.
template <class... Parts>
Result<Expression> build(const char* format, Parts... parts) {
  gcry_sexp_t made = nullptr;
  const gcry_error_t failed = gcrypt().sexp_build(&made, nullptr, format, parts...);
  if (failed != 0) return failure(failed, Code::internal);
  return Expression(made);
}

int length(ByteView bytes) {
  return static_cast<int>(bytes.size());
}

// Only a curve of RFC 8032 gets here, so the other one is Ed448, whose hash is SHAKE256 (5.2).
Result<Expression> data_expression(const Variant& variant, ByteView message) {
  const bool short_curve = variant.curve == KeyAlgorithm::ed25519;
  const char* format = short_curve ? "(data(flags eddsa)(hash-algo sha512)(label %b)(value %b))"
                                   : "(data(flags eddsa)(hash-algo shake256)(label %b)(value %b))";
  if (variant.prehash) {
    format = short_curve ? "(data(flags eddsa prehash)(hash-algo sha512)(label %b)(value %b))"
                         : "(data(flags eddsa prehash)(hash-algo shake256)(label %b)(value %b))";
  }
  return build(format, length(variant.context), variant.context.data(), length(message), message.data());
}

Result<Expression> private_expression(const Variant& variant, const SecretBytes& private_key, ByteView public_key) {
  // libgcrypt keeps, and wipes, a secret like the memory that it came from.
  const std::unique_ptr<void, Free> secret(gcrypt().malloc_secure(private_key.size()));
  if (!secret) return Code::host_memory;
  const MutableBytes copy(static_cast<Byte*>(secret.get()), private_key.size());
  std::copy_n(private_key.data(), private_key.size(), copy.begin());
  auto made =
      build(variant.curve == KeyAlgorithm::ed25519 ? "(private-key(ecc(curve Ed25519)(flags eddsa)(q %b)(d %b)))"
                                                   : "(private-key(ecc(curve Ed448)(flags eddsa)(q %b)(d %b)))",
            length(public_key), public_key.data(), length(copy), copy.data());
  wipe(copy);  // a host may have turned secure memory off
  return made;
}

/// One of the two numbers of a signature. Both are as long as a public key.
Status copy_number(gcry_sexp_t signature, const char* name, MutableBytes out) {
  const Expression found(gcrypt().sexp_find_token(signature, name, 1));
  std::size_t size = 0;
  const char* const data = found ? gcrypt().sexp_nth_data(found.get(), 1, &size) : nullptr;
  if (data == nullptr || size != out.size()) return Code::internal;
  std::copy_n(data, size, out.begin());
  return {};
}

// The orders of the groups (RFC 8032, 5.1 and 5.2), in the little-endian form of S.
constexpr std::array<Byte, 32> order_25519{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                           0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                           0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
constexpr std::array<Byte, 57> order_448{
    0xf3, 0x44, 0x58, 0xab, 0x92, 0xc2, 0x78, 0x23, 0x55, 0x8f, 0xc5, 0x8d, 0x72, 0xc2, 0x6c, 0x21, 0x90, 0x36, 0xd6,
    0xae, 0x49, 0xdb, 0x4e, 0xc4, 0xe9, 0x23, 0xca, 0x7c, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0};

// libgcrypt reduces S, so that adding the order to it would make a second signature.
bool below_order(KeyAlgorithm curve, ByteView s) {
  const ByteView order = curve == KeyAlgorithm::ed25519 ? ByteView(order_25519) : ByteView(order_448);
  return std::lexicographical_compare(s.rbegin(), s.rend(), order.rbegin(), order.rend());
}

}  // namespace

bool available() {
  const GcryptTurn turn;
  return gcrypt().usable;
}

Result<std::size_t> sign(const Variant& variant, const SecretBytes& private_key, ByteView public_key, ByteView message,
                         MutableBytes out) {
  if (message.size() > longest_message) return Code::data_length;
  const GcryptTurn turn;
  if (!gcrypt().usable) return Code::mechanism_param_invalid;
  CARDEA_ASSIGN(const Expression key, private_expression(variant, private_key, public_key));
  CARDEA_ASSIGN(const Expression data, data_expression(variant, message));
  gcry_sexp_t made = nullptr;
  if (const gcry_error_t failed = gcrypt().pk_sign(&made, data.get(), key.get())) {
    return failure(failed, Code::internal);
  }
  const Expression signature(made);
  const std::size_t half = public_key.size();
  CARDEA_TRY(copy_number(signature.get(), "r", out.first(half)));
  CARDEA_TRY(copy_number(signature.get(), "s", out.subspan(half, half)));
  return 2 * half;
}

Status verify(const Variant& variant, ByteView public_key, ByteView message, ByteView signature) {
  if (message.size() > longest_message) return Code::data_length;
  const std::size_t half = public_key.size();
  const ByteView r = signature.first(half);
  const ByteView s = signature.subspan(half);
  if (!below_order(variant.curve, s)) return Code::signature_invalid;
  const GcryptTurn turn;
  if (!gcrypt().usable) return Code::mechanism_param_invalid;
  CARDEA_ASSIGN(const Expression key,
                build(variant.curve == KeyAlgorithm::ed25519 ? "(public-key(ecc(curve Ed25519)(flags eddsa)(q %b)))"
                                                             : "(public-key(ecc(curve Ed448)(flags eddsa)(q %b)))",
                      length(public_key), public_key.data()));
  CARDEA_ASSIGN(const Expression data, data_expression(variant, message));
  CARDEA_ASSIGN(const Expression numbers,
                build("(sig-val(eddsa(r %b)(s %b)))", length(r), r.data(), length(s), s.data()));
  if (const gcry_error_t failed = gcrypt().pk_verify(numbers.get(), data.get(), key.get())) {
    return failure(failed, Code::signature_invalid);
  }
  return {};
}

}  // namespace cardea::crypto::eddsa_variants
