// Reading and writing the fields of a state file. Every reader fails with store_corrupt and names the field.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "card/card_key.h"
#include "card/pin.h"

namespace cardea::vcard {

boost::json::string hex_field(ByteView bytes);

Result<Bytes> bytes_field(const boost::json::object& object, std::string_view name);
Result<SecretBytes> secret_field(const boost::json::object& object, std::string_view name);
/// A whole number between the limits, both included.
Result<std::int64_t> number_field(const boost::json::object& object, std::string_view name, std::int64_t lowest,
                                  std::int64_t highest);
Result<bool> flag_field(const boost::json::object& object, std::string_view name);
Result<const boost::json::object*> object_field(const boost::json::object& object, std::string_view name);
Result<const boost::json::array*> array_field(const boost::json::object& object, std::string_view name);

boost::json::object pin_to_json(const PinState& pin);
Result<PinState> pin_from_json(const boost::json::object& object, std::string_view name);

/// A private key: its algorithm identifier and what CardKey::secret gives, in fields of `object`.
void put_key_fields(boost::json::object& object, const CardKey& key);
Result<CardKey> key_from_fields(const boost::json::object& object);

/// store_corrupt with the field's name.
Error bad_field(std::string_view name);

}  // namespace cardea::vcard
