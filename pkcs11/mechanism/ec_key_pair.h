// Key pair generation for everything that CKA_EC_PARAMS or CKA_PARAMETER_SET selects.
#pragma once

#include "mechanism/signature_operation.h"
#include "token/key_attributes.h"

namespace cardea {

/// Generates keys of one type; the public template says on which curve, or with which parameter set.
class CurveKeyPairGen final : public Mechanism {
 public:
  CurveKeyPairGen(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type, CK_MECHANISM_INFO info)
      : Mechanism(type, info), key_type_(key_type) {}
  CK_KEY_TYPE generated_key_type() const noexcept override { return key_type_; }
  Result<GeneratedPair> generate_key_pair(Parameter parameter, const AttributeSet& public_template,
                                          const AttributeSet& private_template) const override;

 private:
  CK_KEY_TYPE key_type_;
};

}  // namespace cardea
