#include "cards/card_key.h"

namespace cardea::card {

std::size_t CardKey::output_size(const PrimitiveRequest& request) const noexcept {
  const bool agreement = request.primitive == Primitive::ecdh || request.primitive == Primitive::ecdh_cofactor;
  // A coordinate is as long as the scalar on all our curves.
  return agreement ? public_key_->facts().private_size : public_key_->output_size();
}

Result<std::size_t> CardKey::perform(const PrimitiveRequest& request, ByteView input, MutableBytes out) const {
  if (!can(request.primitive)) return Code::mechanism_invalid;
  return token_->perform(container_, request, input, out);
}

}  // namespace cardea::card
