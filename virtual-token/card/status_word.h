// Status words of ISO/IEC 7816-4, 5.6, under the names the card code uses.
#pragma once

#include <cstdint>

namespace cardea::vcard {

using StatusWord = std::uint16_t;

namespace sw {
inline constexpr StatusWord ok = 0x9000;
inline constexpr StatusWord more_data = 0x6100;  ///< SW2: how many bytes remain, 00 for 256 and more
inline constexpr StatusWord wrong_pin = 0x63C0;  ///< lowest four bits: tries left
inline constexpr StatusWord memory_failure = 0x6581;
inline constexpr StatusWord wrong_length = 0x6700;
inline constexpr StatusWord channel_not_supported = 0x6881;
inline constexpr StatusWord secure_messaging_not_supported = 0x6882;
inline constexpr StatusWord security_status_not_satisfied = 0x6982;
inline constexpr StatusWord authentication_blocked = 0x6983;
inline constexpr StatusWord data_invalid = 0x6984;
inline constexpr StatusWord conditions_not_satisfied = 0x6985;
inline constexpr StatusWord command_not_allowed = 0x6986;
inline constexpr StatusWord wrong_data = 0x6A80;
inline constexpr StatusWord function_not_supported = 0x6A81;
inline constexpr StatusWord file_not_found = 0x6A82;
inline constexpr StatusWord not_enough_memory = 0x6A84;
inline constexpr StatusWord wrong_p1_p2 = 0x6A86;
inline constexpr StatusWord reference_not_found = 0x6A88;
inline constexpr StatusWord file_exists = 0x6A89;
inline constexpr StatusWord wrong_expected_length = 0x6C00;  ///< SW2: the length that is there
inline constexpr StatusWord instruction_not_supported = 0x6D00;
inline constexpr StatusWord class_not_supported = 0x6E00;
inline constexpr StatusWord unknown_failure = 0x6F00;
}  // namespace sw

}  // namespace cardea::vcard
