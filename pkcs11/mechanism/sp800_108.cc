// Key derivation by a pseudo-random function (SP 800-108r1, 4.1 to 4.3) with the caller's own input encoding.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "crypto/symmetric_key.h"
#include "mechanism/digest.h"
#include "mechanism/generic_secret.h"
#include "token/object_rules.h"

namespace cardea {
namespace {

enum class Mode : std::uint8_t { counter, feedback, double_pipeline };

constexpr CK_ULONG most_fields = 256;
constexpr CK_ULONG most_additional_keys = 64;
constexpr std::size_t longest_field = 65536;

/// One piece of the PRF's input. Numbers are encoded anew for each segment, other fields are bytes.
struct Field {
  CK_PRF_DATA_TYPE type;
  ByteView bytes = {};
  std::size_t width = 0;  ///< bytes of a number
  bool little_endian = false;
  bool of_segments = false;  ///< CK_SP800_108_DKM_LENGTH: the sum of segments rather than of keys
  KeyRef key = {};           ///< keeps `bytes` alive when they are a key's value
};

/// CK_SP800_108_KDF_PARAMS and CK_SP800_108_FEEDBACK_KDF_PARAMS in one form.
struct Inputs {
  CK_SP800_108_PRF_TYPE prf;
  std::vector<Field> fields;
  ByteView iv;
  std::span<const CK_DERIVED_KEY> additional;
};

Result<std::size_t> number_width(CK_ULONG bits) {
  if (bits == 0 || bits > 64 || bits % 8 != 0) return Code::mechanism_param_invalid;
  return bits / 8;
}

template <class Format>
Result<const Format*> format_of(const CK_PRF_DATA_PARAM& given) {
  if (given.pValue == nullptr || given.ulValueLen != sizeof(Format)) return Code::mechanism_param_invalid;
  return static_cast<const Format*>(given.pValue);
}

Result<Field> counter_field(const CK_PRF_DATA_PARAM& given) {
  CARDEA_ASSIGN(const auto* const format, format_of<CK_SP800_108_COUNTER_FORMAT>(given));
  CARDEA_ASSIGN(const std::size_t width, number_width(format->ulWidthInBits));
  return Field{.type = CK_SP800_108_COUNTER, .width = width, .little_endian = format->bLittleEndian != CK_FALSE};
}

Result<Field> parse_field(const CK_PRF_DATA_PARAM& given, Mode mode, DeriveHost& host) {
  switch (given.type) {
    case CK_SP800_108_ITERATION_VARIABLE: {
      Field field{.type = given.type};
      if (mode == Mode::counter) {
        CARDEA_ASSIGN(field, counter_field(given));
        field.type = CK_SP800_108_ITERATION_VARIABLE;
      } else if (given.ulValueLen != 0) {
        return Code::mechanism_param_invalid;
      }
      return field;
    }
    case CK_SP800_108_COUNTER:
      if (mode == Mode::counter) return Code::mechanism_param_invalid;
      return counter_field(given);
    case CK_SP800_108_DKM_LENGTH: {
      CARDEA_ASSIGN(const auto* const format, format_of<CK_SP800_108_DKM_LENGTH_FORMAT>(given));
      CARDEA_ASSIGN(const std::size_t width, number_width(format->ulWidthInBits));
      const bool segments = format->dkmLengthMethod == CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS;
      if (!segments && format->dkmLengthMethod != CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS) {
        return Code::mechanism_param_invalid;
      }
      return Field{.type = given.type,
                   .width = width,
                   .little_endian = format->bLittleEndian != CK_FALSE,
                   .of_segments = segments};
    }
    case CK_SP800_108_BYTE_ARRAY: {
      CARDEA_ASSIGN(const ByteView bytes, parameter_bytes(given.pValue, given.ulValueLen));
      if (bytes.empty() || bytes.size() > longest_field) return Code::mechanism_param_invalid;
      return Field{.type = given.type, .bytes = bytes};
    }
    case CK_SP800_108_KEY_HANDLE: {
      CARDEA_ASSIGN(const auto* const handle, format_of<CK_OBJECT_HANDLE>(given));
      CARDEA_ASSIGN(KeyRef source, host.source_key(*handle));
      const auto* const key = dynamic_cast<const SecretKey*>(source.key.get());
      if (key == nullptr) return Code::key_type_inconsistent;
      return Field{.type = given.type, .bytes = key->value(), .key = std::move(source)};
    }
    default:
      return Code::mechanism_param_invalid;
  }
}

Result<std::vector<Field>> parse_fields(const CK_PRF_DATA_PARAM* given, CK_ULONG count, Mode mode, DeriveHost& host) {
  if (given == nullptr || count == 0 || count > most_fields) return Code::mechanism_param_invalid;
  std::vector<Field> fields;
  for (CK_ULONG i = 0; i < count; ++i) {
    CARDEA_ASSIGN(Field field, parse_field(given[i], mode, host));
    fields.push_back(std::move(field));
  }
  const auto times = [&](CK_PRF_DATA_TYPE type) {
    return std::count_if(fields.begin(), fields.end(), [&](const Field& field) { return field.type == type; });
  };
  if (times(CK_SP800_108_ITERATION_VARIABLE) != 1 || times(CK_SP800_108_COUNTER) > 1 ||
      times(CK_SP800_108_DKM_LENGTH) > 1) {
    return Code::mechanism_param_invalid;
  }
  return fields;
}

Result<std::span<const CK_DERIVED_KEY>> additional_keys(const CK_DERIVED_KEY* keys, CK_ULONG count) {
  if ((keys == nullptr) != (count == 0) || count > most_additional_keys) return Code::mechanism_param_invalid;
  return std::span<const CK_DERIVED_KEY>(keys, count);
}

Result<Inputs> parse(Parameter parameter, Mode mode, DeriveHost& host) {
  if (mode == Mode::feedback) {
    CARDEA_ASSIGN(const auto* const given, parameter.as<CK_SP800_108_FEEDBACK_KDF_PARAMS>());
    CARDEA_ASSIGN(auto fields, parse_fields(given->pDataParams, given->ulNumberOfDataParams, mode, host));
    CARDEA_ASSIGN(const ByteView iv, parameter_bytes(given->pIV, given->ulIVLen));
    if (iv.size() > longest_field) return Code::mechanism_param_invalid;
    CARDEA_ASSIGN(const auto keys, additional_keys(given->pAdditionalDerivedKeys, given->ulAdditionalDerivedKeys));
    return Inputs{given->prfType, std::move(fields), iv, keys};
  }
  CARDEA_ASSIGN(const auto* const given, parameter.as<CK_SP800_108_KDF_PARAMS>());
  CARDEA_ASSIGN(auto fields, parse_fields(given->pDataParams, given->ulNumberOfDataParams, mode, host));
  CARDEA_ASSIGN(const auto keys, additional_keys(given->pAdditionalDerivedKeys, given->ulAdditionalDerivedKeys));
  return Inputs{given->prfType, std::move(fields), {}, keys};
}

Result<crypto::MacContext> start_prf(const KeyRef& base, CK_SP800_108_PRF_TYPE prf) {
  if (prf == CKM_AES_CMAC) {
    CARDEA_ASSIGN(const SecretKey* const key, secret_key(base, {CKK_AES}));
    return key->key().aes_cmac();
  }
  for (const HashMechanisms& hash : hash_mechanisms()) {
    if (hash.hmac != prf) continue;
    CARDEA_ASSIGN(const SecretKey* const key, secret_key(base, {CKK_GENERIC_SECRET, CKK_HKDF, hash.key_type}));
    return key->key().hmac(hash.hash);
  }
  return Code::mechanism_param_invalid;
}

Status feed_number(crypto::MacContext& prf, std::uint64_t number, const Field& field) {
  // SP 800-108 ends where the number no longer fits: a repeated input would repeat key material.
  if (field.width < 8 && number >> 8 * field.width != 0) return Code::mechanism_param_invalid;
  std::array<Byte, 8> encoded{};
  for (std::size_t i = 0; i < field.width; ++i) {
    const std::size_t place = field.little_endian ? i : field.width - 1 - i;
    encoded[place] = static_cast<Byte>(number >> 8 * i);
  }
  return prf.update(ByteView(encoded).first(field.width));
}

/// The stream of PRF outputs K(1), K(2), …
class Segments {
 public:
  Segments(crypto::MacContext prf, Mode mode, const Inputs& inputs, std::uint64_t key_bits, std::uint64_t segment_bits)
      : prf_(std::move(prf)), mode_(mode), inputs_(inputs), key_bits_(key_bits), segment_bits_(segment_bits) {
    if (mode == Mode::feedback) chain_ = SecretBytes(inputs.iv);
  }

  /// The next `size` bytes, from a segment of their own on: no segment serves two keys (PKCS#11 3.2, "Deriving
  /// Additional Keys").
  Result<SecretBytes> take(std::size_t size) {
    SecretBytes value(size);
    SecretBytes segment(prf_.size());
    for (std::size_t offset = 0; offset < size; offset += segment.size()) {
      CARDEA_TRY(next(segment.mutable_view()));
      std::copy_n(segment.data(), std::min(segment.size(), size - offset), value.data() + offset);
    }
    return value;
  }

 private:
  Status next(MutableBytes segment) {
    ++index_;
    if (mode_ == Mode::double_pipeline) CARDEA_TRY(advance_pipeline());
    CARDEA_TRY(prf_.restart());
    for (const Field& field : inputs_.fields) CARDEA_TRY(feed(field));
    CARDEA_TRY(prf_.finish(segment));
    if (mode_ == Mode::feedback) chain_ = SecretBytes(segment);
    return {};
  }

  /// A(i) = PRF(A(i-1)), where A(0) is the input without iteration variable and counter (SP 800-108r1, 4.3).
  Status advance_pipeline() {
    CARDEA_TRY(prf_.restart());
    if (index_ == 1) {
      for (const Field& field : inputs_.fields) {
        if (field.type == CK_SP800_108_ITERATION_VARIABLE || field.type == CK_SP800_108_COUNTER) continue;
        CARDEA_TRY(feed(field));
      }
    } else {
      CARDEA_TRY(prf_.update(chain_.view()));
    }
    SecretBytes following(prf_.size());
    CARDEA_TRY(prf_.finish(following.mutable_view()));
    chain_ = std::move(following);
    return {};
  }

  Status feed(const Field& field) {
    switch (field.type) {
      case CK_SP800_108_ITERATION_VARIABLE:
        return mode_ == Mode::counter ? feed_number(prf_, index_, field) : prf_.update(chain_.view());
      case CK_SP800_108_COUNTER:
        return feed_number(prf_, index_, field);
      case CK_SP800_108_DKM_LENGTH:
        return feed_number(prf_, field.of_segments ? segment_bits_ : key_bits_, field);
      default:
        return prf_.update(field.bytes);
    }
  }

  crypto::MacContext prf_;
  Mode mode_;
  const Inputs& inputs_;
  std::uint64_t key_bits_;
  std::uint64_t segment_bits_;
  std::uint64_t index_ = 0;
  SecretBytes chain_;
};

/// What an additional key's template says of its type and length.
Result<std::size_t> additional_size(const CK_DERIVED_KEY& key, std::size_t natural) {
  if (key.phKey == nullptr || (key.pTemplate == nullptr && key.ulAttributeCount != 0)) {
    return Code::mechanism_param_invalid;
  }
  if (key.ulAttributeCount > template_limit) return Code::template_inconsistent;
  DeriveRequest request;
  for (CK_ULONG i = 0; i < key.ulAttributeCount; ++i) {
    const CK_ATTRIBUTE& attribute = key.pTemplate[i];
    if (attribute.type != CKA_VALUE_LEN && attribute.type != CKA_KEY_TYPE) continue;
    if (attribute.pValue == nullptr || attribute.ulValueLen != sizeof(CK_ULONG)) return Code::attribute_value_invalid;
    CK_ULONG number = 0;
    std::memcpy(&number, attribute.pValue, sizeof number);  // which may lie anywhere, aligned or not
    if (attribute.type == CKA_VALUE_LEN) {
      request.length = number;
    } else {
      request.key_type = number;
    }
  }
  return derived_size(request, natural);
}

class Sp800108Kdf final : public Mechanism {
 public:
  // Key sizes in bits (PKCS#11 3.2, "SP 800-108 Key Derivation").
  Sp800108Kdf(CK_MECHANISM_TYPE type, Mode mode) : Mechanism(type, {8, 8 * longest_secret, CKF_DERIVE}), mode_(mode) {}

  Result<DerivedValue> derive(const KeyRef& base, Parameter parameter, const DeriveRequest& request,
                              DeriveHost& host) const override {
    CARDEA_ASSIGN(const Inputs inputs, parse(parameter, mode_, host));
    CARDEA_ASSIGN(crypto::MacContext prf, start_prf(base, inputs.prf));
    const std::size_t segment = prf.size();
    CARDEA_ASSIGN(const std::size_t principal_size, derived_size(request, segment));
    std::vector<std::size_t> sizes{principal_size};
    for (const CK_DERIVED_KEY& key : inputs.additional) {
      auto size = additional_size(key, segment);
      if (!size) return blamed(key, std::move(size).error());
      sizes.push_back(*size);
    }
    std::uint64_t key_bytes = 0;
    std::uint64_t segment_bytes = 0;
    for (const std::size_t size : sizes) {
      key_bytes += size;
      segment_bytes += (size + segment - 1) / segment * segment;
    }
    Segments segments(std::move(prf), mode_, inputs, 8 * key_bytes, 8 * segment_bytes);
    CARDEA_ASSIGN(SecretBytes principal, segments.take(principal_size));
    for (std::size_t i = 0; i < inputs.additional.size(); ++i) {
      const CK_DERIVED_KEY& key = inputs.additional[i];
      CARDEA_ASSIGN(SecretBytes value, segments.take(sizes[i + 1]));
      auto created = host.create_key(std::move(value), key.pTemplate, key.ulAttributeCount, key.phKey);
      if (!created) return blamed(key, std::move(created).error());
    }
    return DerivedValue(std::move(principal));
  }

 private:
  /// Shows the caller which template was wrong (PKCS#11 3.2, "Deriving Additional Keys").
  static Error blamed(const CK_DERIVED_KEY& key, Error failure) {
    if (key.phKey != nullptr) *key.phKey = CK_INVALID_HANDLE;
    return failure;
  }

  Mode mode_;
};

}  // namespace

void register_sp800_108(MechanismRegistry& registry) {
  registry.emplace<Sp800108Kdf>(CKM_SP800_108_COUNTER_KDF, Mode::counter);
  registry.emplace<Sp800108Kdf>(CKM_SP800_108_FEEDBACK_KDF, Mode::feedback);
  registry.emplace<Sp800108Kdf>(CKM_SP800_108_DOUBLE_PIPELINE_KDF, Mode::double_pipeline);
}

}  // namespace cardea
