// Containers and files of a card as the objects that applications see.
#pragma once

#include <map>

#include "cards/card_contents.h"
#include "token/object.h"

namespace cardea::card {

/// The objects that one place can show.
enum class Part : std::uint8_t { private_key, public_key, certificate, file };

/// What an object stands for: a part of a container (its place's index) or a file (its reference).
struct ObjectOrigin {
  Part part{};
  std::uint32_t reference = 0;
  auto operator<=>(const ObjectOrigin&) const = default;
};

/// Gives objects their ids: the same for as long as the object lives, another when a new one takes its place.
class ObjectNumbers {
 public:
  ObjectId number_of(ObjectOrigin origin);
  std::optional<ObjectOrigin> origin_of(ObjectId id) const;
  void retire(ObjectOrigin origin);

 private:
  std::map<ObjectOrigin, ObjectId> numbers_;
  std::map<ObjectId, ObjectOrigin> origins_;
  ObjectId next_ = 1;
};

/// CKA_PRIVATE of the private key in a place: what works without a PIN is shown without one.
constexpr bool is_private(const ContainerPlace& place) {
  return place.pin != PinPolicy::never;
}

/// The SubjectPublicKeyInfo of a container's key, from the card or from the certificate; empty when neither tells.
Bytes key_info_of(const Container& container);

/// The attributes of that part. not_found when the container has no such part; data_invalid, public_key_invalid,
/// curve_not_supported when it does not parse.
Result<AttributeSet> attributes_of(const CardContents& card, const Container& container, Part part);

/// The attributes of a file's data object. The value is left out: it is read when somebody asks for it.
AttributeSet attributes_of(const CardContents& card, const FileEntry& file);

}  // namespace cardea::card
