#include "token/token.h"

#include "crypto/random.h"

namespace cardea {

Status Token::random(MutableBytes out) {
  return crypto::random_bytes(out);
}

}  // namespace cardea
