#include "card/piv_applet.h"

#include <algorithm>
#include <utility>

namespace cardea::vcard {

namespace {

// SP 800-73-4 part 1, 2.2: registered provider, PIX and version 1.0.
constexpr Byte application_name[] = {0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00};
constexpr std::size_t provider_size = 5;

constexpr Byte listed_algorithms[] = {0x05, 0x06, 0x07, 0x16, 0x11, 0x14, 0xE0, 0xE1, 0x03, 0x08, 0x0A, 0x0C};

// Algorithms as the template AC lists them, closed by the object identifier of their list (part 2, table 3).
Bytes algorithm_list() {
  Bytes list;
  for (const Byte identifier : listed_algorithms) append_tlv(list, 0x80, ByteView(&identifier, 1));
  constexpr Byte none[] = {0x00};
  append_tlv(list, 0x06, none);
  return list;
}

}  // namespace

const PivApplet::Instruction PivApplet::instructions[] = {
    {0x20, &PivApplet::verify, false},
    {0x24, &PivApplet::change_reference_data, false},
    {0x2C, &PivApplet::reset_retry_counter, false},
    {0x47, &PivApplet::generate_key_pair, false},
    {0x87, &PivApplet::general_authenticate, false},
    {0xCB, &PivApplet::get_data, false},
    {0xDB, &PivApplet::put_data, false},
    {0xF6, &PivApplet::move_key, true},
    {0xF7, &PivApplet::get_metadata, true},
    {0xF8, &PivApplet::get_serial, true},
    {0xF9, &PivApplet::attest, true},
    {0xFA, &PivApplet::set_pin_retries, true},
    {0xFB, &PivApplet::reset_card, true},
    {0xFD, &PivApplet::get_version, true},
    {0xFE, &PivApplet::import_key, true},
    {0xFF, &PivApplet::set_management_key, true},
};

bool PivApplet::answers_to(ByteView name) const {
  return name.size() >= provider_size && name.size() <= sizeof application_name &&
         std::equal(name.begin(), name.end(), application_name);
}

Response PivApplet::select(const Command&, bool again) {
  // Selecting the application that is selected leaves the security status alone (SP 800-73-4 part 2, 3.1.1).
  if (!again || state_.profile.select_forgets) reset();
  security_.pin_just_verified = false;
  const ByteView name(application_name);
  Bytes properties;
  append_tlv(properties, 0x4F, name.subspan(provider_size));
  append_tlv(properties, 0x79, make_tlv(0x4F, name.first(provider_size)));
  append_tlv(properties, 0x50, view_of("Cardea virtual PIV card"));
  if (state_.profile.list_algorithms) append_tlv(properties, 0xAC, algorithm_list());
  return make_tlv(0x61, properties);
}

Response PivApplet::process(const Command& command) {
  const auto* found = std::find_if(std::begin(instructions), std::end(instructions),
                                   [&](const Instruction& known) { return known.code == command.ins; });
  if (found == std::end(instructions) || (found->vendor && !state_.profile.vendor_extensions)) {
    security_.pin_just_verified = false;
    return sw::instruction_not_supported;
  }
  Response response = (this->*found->handler)(command);
  // "PIN always" wants VERIFY right before (SP 800-73-4 part 1, table 4b). A VERIFY that only asks for the status does
  // not come between: middleware sends it to see whether the application is still selected.
  if (found->handler != &PivApplet::verify) security_.pin_just_verified = false;
  return response;
}

void PivApplet::reset() {
  wipe(security_.witness);
  wipe(security_.challenge);
  security_ = {};
}

bool PivApplet::take_changed() {
  return std::exchange(changed_, false);
}

namespace piv {

bool is_key_slot(Byte reference, bool vendor_extensions) {
  switch (reference) {
    case 0x9A:
    case 0x9C:
    case 0x9D:
    case 0x9E:
      return true;
    case 0xF9:
      return vendor_extensions;
    default:
      return reference >= 0x82 && reference <= 0x95;
  }
}

}  // namespace piv

}  // namespace cardea::vcard
