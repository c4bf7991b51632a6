// Authentication by the card management key 9B (SP 800-73-4 part 2, 3.2.4 and appendix A.1; SP 800-78-4, table 7).
#pragma once

#include <optional>
#include <string>

#include "piv/card_facts.h"

namespace cardea::card::piv {

/// Algorithm identifiers of management keys (SP 800-78-4, table 6-2).
namespace algorithm {
inline constexpr Byte triple_des = 0x03;
inline constexpr Byte aes_128 = 0x08;
inline constexpr Byte aes_192 = 0x0a;
inline constexpr Byte aes_256 = 0x0c;
}  // namespace algorithm

class ManagementKey {
 public:
  explicit ManagementKey(CardFacts& facts) : facts_(&facts) {}

  /// Mutual authentication, or where the card refuses that, ours alone. key_size_range when the card's key has another
  /// length, pin_incorrect, pin_locked.
  Status authenticate(CardTransaction& transaction, const SecretBytes& key);
  /// The two halves of ours alone.
  Result<Bytes> challenge(CardTransaction& transaction);
  Status answer_challenge(CardTransaction& transaction, ByteView answer);
  /// Of the challenge that waits for its answer, as CardAdministrator::challenge_algorithm().
  std::string challenge_algorithm() const;
  /// Replaces the key (Yubico's FF). A key of 24 bytes keeps the kind that the card's key has, if that has 24 bytes.
  Status replace(CardTransaction& transaction, const SecretBytes& new_key);

 private:
  Result<std::optional<Byte>> told_algorithm(CardTransaction& transaction);
  Result<Byte> algorithm_for_new(CardTransaction& transaction, std::size_t size);

  CardFacts* facts_;
  Byte challenged_ = 0;  ///< algorithm of the challenge that waits for its answer; 0: none
};

}  // namespace cardea::card::piv
