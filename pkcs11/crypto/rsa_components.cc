#include "crypto/rsa_components.h"

#include <array>
#include <bit>

#include "crypto/library.h"
#include "crypto/openssl_ptr.h"

namespace cardea::crypto {
namespace {

// Computes with numbers that are secret; every failure of an allocation ends in attribute_value_invalid by `ok`.
class Calculator {
 public:
  Calculator() : context_(BN_CTX_new_ex(crypto::context())), ok_(context_ != nullptr) {}

  bool ok() const noexcept { return ok_; }

  BigNumberPtr number(ByteView bytes) {
    BigNumberPtr n = fresh();
    ok_ = ok_ && BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), n.get()) != nullptr;
    return n;
  }
  BigNumberPtr minus_one(const BigNumberPtr& a) {
    BigNumberPtr r = fresh();
    ok_ = ok_ && BN_copy(r.get(), a.get()) != nullptr && BN_sub_word(r.get(), 1) == 1;
    return r;
  }
  BigNumberPtr times(const BigNumberPtr& a, const BigNumberPtr& b) {
    BigNumberPtr r = fresh();
    ok_ = ok_ && BN_mul(r.get(), a.get(), b.get(), context_.get()) == 1;
    return r;
  }
  BigNumberPtr over(const BigNumberPtr& a, const BigNumberPtr& b) {
    BigNumberPtr r = fresh();
    ok_ = ok_ && BN_div(r.get(), nullptr, a.get(), b.get(), context_.get()) == 1;
    return r;
  }
  BigNumberPtr modulo(const BigNumberPtr& a, const BigNumberPtr& m) {
    BigNumberPtr r = fresh();
    ok_ = ok_ && BN_nnmod(r.get(), a.get(), m.get(), context_.get()) == 1;
    return r;
  }
  BigNumberPtr inverse(const BigNumberPtr& a, const BigNumberPtr& m) {
    BigNumberPtr r = fresh();
    ok_ = ok_ && BN_mod_inverse(r.get(), a.get(), m.get(), context_.get()) != nullptr;
    return r;
  }
  BigNumberPtr gcd(const BigNumberPtr& a, const BigNumberPtr& b) {
    BigNumberPtr r = fresh();
    ok_ = ok_ && BN_gcd(r.get(), a.get(), b.get(), context_.get()) == 1;
    return r;
  }
  BigNumberPtr power(const BigNumberPtr& a, const BigNumberPtr& e, const BigNumberPtr& m) {
    BigNumberPtr r = fresh();
    ok_ = ok_ && BN_mod_exp_mont_consttime(r.get(), a.get(), e.get(), m.get(), context_.get(), nullptr) == 1;
    return r;
  }
  BigNumberPtr square(const BigNumberPtr& a, const BigNumberPtr& m) {
    BigNumberPtr r = fresh();
    ok_ = ok_ && BN_mod_sqr(r.get(), a.get(), m.get(), context_.get()) == 1;
    return r;
  }
  SecretBytes bytes(const BigNumberPtr& a) const {
    SecretBytes out(static_cast<std::size_t>(BN_num_bytes(a.get())));
    BN_bn2bin(a.get(), out.data());
    return out;
  }

 private:
  BigNumberPtr fresh() {
    BigNumberPtr n(BN_new());
    ok_ = ok_ && n != nullptr;
    if (n) BN_set_flags(n.get(), BN_FLG_CONSTTIME);
    return n;
  }

  BigNumberContextPtr context_;
  bool ok_;
};

bool is_zero(const BigNumberPtr& a) {
  return BN_is_zero(a.get()) == 1;
}

bool equal(const BigNumberPtr& a, const BigNumberPtr& b) {
  return BN_cmp(a.get(), b.get()) == 0;
}

bool split(Calculator& c, const BigNumberPtr& n, const BigNumberPtr& root, RsaNumbers& numbers) {
  const BigNumberPtr p = c.gcd(c.minus_one(root), n);
  const BigNumberPtr q = c.over(n, p);
  if (!c.ok()) return false;
  // RFC 8017 does not order the primes, but 1/q mod p is customarily taken with p > q.
  const bool p_first = BN_cmp(p.get(), q.get()) > 0;
  numbers.prime_1 = c.bytes(p_first ? p : q);
  numbers.prime_2 = c.bytes(p_first ? q : p);
  return true;
}

// Finds p and q from n, e, d: a square root of 1 modulo n other than 1 and -1 shares a factor with n
// (SP 800-56B rev. 2, appendix C.1, with small fixed bases instead of random ones).
bool factor(Calculator& c, const BigNumberPtr& n, const BigNumberPtr& e, const BigNumberPtr& d, RsaNumbers& numbers) {
  const BigNumberPtr k = c.minus_one(c.times(e, d));
  if (!c.ok() || is_zero(k) || BN_is_odd(k.get())) return false;
  int twos = 0;
  while (!BN_is_bit_set(k.get(), twos)) ++twos;
  const BigNumberPtr odd = c.number({});
  if (!c.ok() || BN_rshift(odd.get(), k.get(), twos) != 1) return false;
  const BigNumberPtr minus_one = c.minus_one(n);
  constexpr Byte last_base = 101;
  for (Byte base = 2; base <= last_base; ++base) {
    BigNumberPtr x = c.power(c.number(ByteView(&base, 1)), odd, n);
    bool reached_one = c.ok() && BN_is_one(x.get()) == 1;
    for (int i = 0; i < twos && c.ok() && !reached_one; ++i) {
      BigNumberPtr squared = c.square(x, n);
      reached_one = c.ok() && BN_is_one(squared.get()) == 1;
      if (reached_one && !equal(x, minus_one)) return split(c, n, x, numbers);
      x = std::move(squared);
    }
    // base^(ed - 1) is not 1: e and d do not belong to this modulus.
    if (!reached_one) return false;
    if (!c.ok()) return false;
  }
  return false;
}

// A private key without its public exponent: nearly all have one of these (the standard once allowed to leave it out).
bool factor_with_usual_exponents(Calculator& c, const BigNumberPtr& n, const BigNumberPtr& d, RsaNumbers& numbers) {
  for (const std::uint32_t candidate : {65537u, 3u, 17u, 5u, 7u, 257u}) {
    const std::array<Byte, 3> bytes{static_cast<Byte>(candidate >> 16), static_cast<Byte>(candidate >> 8),
                                    static_cast<Byte>(candidate)};
    const BigNumberPtr e = c.number(bytes);
    if (!factor(c, n, e, d, numbers)) continue;
    const SecretBytes shortest = c.bytes(e);
    numbers.public_exponent = to_bytes(shortest.view());
    return true;
  }
  return false;
}

// Takes over what was computed where nothing was given, and compares otherwise.
bool agree(SecretBytes& given, SecretBytes computed) {
  if (given.empty()) given = std::move(computed);
  return equal_in_constant_time(given.view(), computed.empty() ? given.view() : computed.view());
}

Status complete_from_primes(Calculator& c, RsaNumbers& numbers) {
  const BigNumberPtr p = c.number(numbers.prime_1.view());
  const BigNumberPtr q = c.number(numbers.prime_2.view());
  const BigNumberPtr n = c.times(p, q);
  if (!c.ok() || BN_is_odd(p.get()) == 0 || BN_is_odd(q.get()) == 0 || BN_is_one(p.get()) || BN_is_one(q.get()) ||
      equal(p, q))
    return Code::attribute_value_invalid;
  const SecretBytes product = c.bytes(n);
  if (numbers.modulus.empty()) numbers.modulus = to_bytes(product.view());
  if (!same_bytes(numbers.modulus, product.view())) return Code::attribute_value_invalid;

  const BigNumberPtr p1 = c.minus_one(p);
  const BigNumberPtr q1 = c.minus_one(q);
  const BigNumberPtr lambda = c.over(c.times(p1, q1), c.gcd(p1, q1));
  if (numbers.public_exponent.empty()) {
    if (numbers.private_exponent.empty()) return Code::template_incomplete;
    const SecretBytes e = c.bytes(c.inverse(c.number(numbers.private_exponent.view()), lambda));
    if (!c.ok()) return Code::attribute_value_invalid;
    numbers.public_exponent = to_bytes(e.view());
  }
  const BigNumberPtr e = c.number(numbers.public_exponent);
  if (numbers.private_exponent.empty()) {
    numbers.private_exponent = c.bytes(c.inverse(e, lambda));
    if (!c.ok()) return Code::attribute_value_invalid;
  }
  const BigNumberPtr d = c.number(numbers.private_exponent.view());
  const BigNumberPtr one = c.modulo(c.times(d, e), lambda);
  if (!c.ok() || BN_is_one(one.get()) == 0) return Code::attribute_value_invalid;
  SecretBytes dp = c.bytes(c.modulo(d, p1));
  SecretBytes dq = c.bytes(c.modulo(d, q1));
  SecretBytes qi = c.bytes(c.inverse(q, p));
  if (!c.ok() || !agree(numbers.exponent_1, std::move(dp)) || !agree(numbers.exponent_2, std::move(dq)) ||
      !agree(numbers.coefficient, std::move(qi)))
    return Code::attribute_value_invalid;
  return {};
}

}  // namespace

std::size_t bit_length(ByteView number) noexcept {
  std::size_t i = 0;
  while (i < number.size() && number[i] == 0) ++i;
  if (i == number.size()) return 0;
  return 8 * (number.size() - i) - static_cast<std::size_t>(std::countl_zero(number[i]));
}

Status check_rsa_public(const RsaNumbers& numbers) {
  const std::size_t bits = bit_length(numbers.modulus);
  const std::size_t exponent_bits = bit_length(numbers.public_exponent);
  if (bits < rsa_min_bits || bits > rsa_max_bits) return Code::key_size_range;
  // OpenSSL refuses exponents beyond 64 bits for moduli beyond 3072 bits; FIPS 186-5, 5.1 stops at 256 bits.
  constexpr std::size_t large_modulus = 3072;
  const std::size_t longest_exponent = bits > large_modulus ? 64 : 256;
  if (exponent_bits < 2 || exponent_bits > longest_exponent) return Code::attribute_value_invalid;
  if ((numbers.modulus.back() & 1u) == 0 || (numbers.public_exponent.back() & 1u) == 0)
    return Code::attribute_value_invalid;
  return {};
}

Status complete_rsa(RsaNumbers& numbers) {
  Calculator c;
  const bool has_primes = !numbers.prime_1.empty() && !numbers.prime_2.empty();
  for (const std::size_t size : {numbers.modulus.size(), numbers.public_exponent.size(),
                                 numbers.private_exponent.size(), numbers.prime_1.size(), numbers.prime_2.size()}) {
    if (size > rsa_max_bits / 8) return Code::attribute_value_invalid;
  }
  if (!has_primes) {
    if (numbers.modulus.empty() || numbers.private_exponent.empty()) return Code::template_incomplete;
    const BigNumberPtr n = c.number(numbers.modulus);
    const BigNumberPtr d = c.number(numbers.private_exponent.view());
    if (!c.ok() || BN_is_odd(n.get()) == 0 || bit_length(numbers.modulus) < rsa_min_bits)
      return Code::attribute_value_invalid;
    const bool found = numbers.public_exponent.empty() ? factor_with_usual_exponents(c, n, d, numbers)
                                                       : factor(c, n, c.number(numbers.public_exponent), d, numbers);
    if (!found) return numbers.public_exponent.empty() ? Code::template_incomplete : Code::attribute_value_invalid;
  }
  Status completed = complete_from_primes(c, numbers);
  CARDEA_TRY(std::move(completed));
  return check_rsa_public(numbers);
}

}  // namespace cardea::crypto
