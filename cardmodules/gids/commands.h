// The commands of the GIDS card edge (GIDS 2.0, "GIDS Command Set APDU"), one function each.
#pragma once

#include "base/secret.h"
#include "gids/layout.h"
#include "pcsc/card_transaction.h"

namespace cardea::card::gids {

/// The file identifier of the application itself.
inline constexpr std::uint16_t application_file = 0x3fff;

/// Password references (GIDS 2.0, table 73).
inline constexpr Byte global_pin = 0x00;
inline constexpr Byte user_pin = 0x80;
inline constexpr Byte unblocking_pin = 0x81;
inline constexpr Byte clear_security_status = 0x82;

/// The administrator's key; its file has the identifier B080.
inline constexpr Byte admin_key = 0x80;
/// The key of the first container.
inline constexpr Byte first_key = 0x81;

/// The value of a data object; not_found when there is none.
Result<Bytes> get_object(CardTransaction& transaction, ObjectPlace place);
/// The card's identifier; empty on a card that has not been initialised, or not to the end.
Result<Bytes> get_card_id(CardTransaction& transaction);
/// Creates or replaces it. An empty value empties it, which Windows takes for deleted.
Status put_object(CardTransaction& transaction, ObjectPlace place, ByteView value);

/// What SELECT of a file in this application answers with that P2 (GIDS 2.0, table 70): 04 control parameters, 08
/// management data.
Result<Bytes> file_information(CardTransaction& transaction, std::uint16_t file, Byte p2);
/// The public key template (7F49 …) of a key.
Result<Bytes> get_public_key(CardTransaction& transaction, Byte key);
/// PUT KEY with a key usage template.
Status put_key(CardTransaction& transaction, ByteView key_usage_template);

/// Creates a file and activates it. A left-over file of the same name is deleted first.
Status create_file(CardTransaction& transaction, std::uint16_t file, ByteView control_parameters);
/// The same for the file of a key.
Status create_key_file(CardTransaction& transaction, Byte key, ByteView control_parameters);
/// not_found when there is none.
Status delete_key_file(CardTransaction& transaction, Byte key);
/// Ends the application's state of initialisation, in which everybody may do everything.
Status activate_application(CardTransaction& transaction);
/// GENERATE ASYMMETRIC KEY PAIR; the public key template.
Result<Bytes> generate_key(CardTransaction& transaction, Byte key, Byte kind);

/// MANAGE SECURITY ENVIRONMENT SET for a use of a private key; `reference_template` is B6 or B8.
Status set_environment(CardTransaction& transaction, Byte reference_template, Byte mechanism, Byte key);
/// PERFORM SECURITY OPERATION: COMPUTE DIGITAL SIGNATURE; with any status word.
Result<Response> compute_signature(CardTransaction& transaction, ByteView input, std::chrono::milliseconds patience);
/// PERFORM SECURITY OPERATION: DECIPHER; with any status word.
Result<Response> decipher(CardTransaction& transaction, ByteView input, std::chrono::milliseconds patience);

}  // namespace cardea::card::gids
