// The PIV card application (NIST SP 800-73-4 part 2) with the extensions that Yubico documents for its firmware 5.7.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/secret.h"
#include "card/applet.h"
#include "card/piv_state.h"
#include "card/tlv.h"

namespace cardea::vcard {

class PivApplet : public Applet {
 public:
  explicit PivApplet(PivState& state) : state_(state) {}

  bool answers_to(ByteView name) const override;
  Response select(const Command& command, bool again) override;
  Response process(const Command& command) override;
  void reset() override;
  bool wants_touch(const Command& command) const override;
  bool take_changed() override;

 private:
  using Handler = Response (PivApplet::*)(const Command&);
  struct Instruction {
    Byte code;
    Handler handler;
    bool vendor;  ///< an extension, not in SP 800-73-4
  };
  static const Instruction instructions[];

  /// What holds until power is lost or another application is selected (SP 800-73-4 part 2, 2.4.2: security status).
  struct Security {
    bool pin = false;
    bool global_pin = false;
    bool management = false;
    bool pin_just_verified = false;  ///< the command before this one verified the PIN: what "PIN always" asks for
    Bytes witness;                   ///< what the host has to find out in mutual authentication
    Bytes challenge;                 ///< what the host has to encrypt in external authentication
  };

  // piv_objects.cc
  Response get_data(const Command& command);
  Response put_data(const Command& command);
  bool readable(std::uint32_t tag) const;

  // piv_pins.cc
  Response verify(const Command& command);
  Response change_reference_data(const Command& command);
  Response reset_retry_counter(const Command& command);
  PinState* reference(Byte p2);
  void set_verified(Byte p2, bool yes);
  bool verified(Byte p2) const;
  bool user_verified() const { return security_.pin || security_.global_pin; }

  // piv_authenticate.cc
  Response general_authenticate(const Command& command);
  Response use_private_key(const Command& command, ByteView dynamic_data);
  Response compute(const PivKey& entry, ByteView dynamic_data);

  // piv_management_key.cc
  Response authenticate_management(const Command& command, ByteView dynamic_data);
  Response give_witness();
  Response give_challenge();
  Response check_witness(ByteView answer, ByteView dynamic_data);
  Response check_response(ByteView answer);
  Response set_management_key(const Command& command);

  // piv_keys.cc
  Response generate_key_pair(const Command& command);
  Response import_key(const Command& command);
  Response move_key(const Command& command);

  // piv_vendor.cc
  Response get_metadata(const Command& command);
  Response get_serial(const Command& command);
  Response get_version(const Command& command);
  Response set_pin_retries(const Command& command);
  Response reset_card(const Command& command);

  // piv_attestation.cc
  Response attest(const Command& command);

  PivState& state_;
  Security security_;
  bool changed_ = false;
};

namespace piv {

inline constexpr Byte key_management_key = 0x9B;
inline constexpr Byte pin_reference = 0x80;
inline constexpr Byte puk_reference = 0x81;
inline constexpr Byte global_pin_reference = 0x00;
inline constexpr Byte firmware[] = {5, 7, 1};  ///< what GET VERSION answers: the semantics that are followed

/// A key reference that can hold a private key: 9A 9C 9D 9E, 82-95, F9 with vendor extensions.
bool is_key_slot(Byte reference, bool vendor_extensions);

/// The public key as GENERATE ASYMMETRIC KEY PAIR returns it, without its 7F49 (SP 800-73-4 part 2, 3.3.2).
Bytes public_key_objects(const CardKey& key);

}  // namespace piv

}  // namespace cardea::vcard
