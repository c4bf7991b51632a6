// The card edge of the Generic Identity Device Specification 2.0, which Windows' own minidriver drives.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "card/applet.h"
#include "card/gids_state.h"
#include "card/tlv.h"

namespace cardea::vcard {

class GidsApplet : public Applet {
 public:
  explicit GidsApplet(GidsState& state) : state_(state) {}

  bool answers_to(ByteView name) const override;
  Response select(const Command& command, bool again) override;
  Response process(const Command& command) override;
  void reset() override;
  bool take_changed() override;

 private:
  using Handler = Response (GidsApplet::*)(const Command&);
  struct Instruction {
    Byte code;
    Handler handler;
  };
  static const Instruction instructions[];

  /// What an access rule is about, as bits of its access mode byte (ISO/IEC 7816-4, tables 17 to 20).
  enum class Access : Byte {
    delete_child = 0x01,
    create_file = 0x02,
    get_data = 0x01,
    put_data = 0x02,
    public_key = 0x01,
    put_key = 0x02,
    use_key = 0x04,
    generate = 0x08,
    activate = 0x10,
    delete_self = 0x40,
  };

  /// The key and algorithm that MANAGE SECURITY ENVIRONMENT chose.
  struct Environment {
    Byte key = 0;
    Byte algorithm = 0;
    Byte purpose = 0;  ///< B6 signature, B8 confidentiality
  };
  enum class Challenge { none, external, mutual };
  struct Security {
    bool user = false;
    bool admin = false;
    std::optional<std::uint16_t> current_file;
    std::optional<Environment> environment;
    std::optional<Byte> admin_key;  ///< chosen for external or mutual authentication
    Challenge challenge = Challenge::none;
    Bytes card_challenge;
    Bytes host_challenge;
  };

  // gids_applet.cc
  Response select_file(const Command& command);
  Response file_information(Byte p2, const GidsFile* file) const;
  StatusWord check(ByteView control_parameters, Access access) const;
  StatusWord check_file(const GidsFile& file, Access access) const;
  bool condition_holds(Byte condition) const;
  std::size_t free_space() const;
  GidsFile* find_file(std::uint16_t identifier);
  GidsFile* key_file(Byte reference);

  // gids_files.cc
  Response create_file(const Command& command);
  Response activate_file(const Command& command);
  Response delete_file(const Command& command);
  Response get_data(const Command& command);
  Response get_application_data(const Command& command);
  Response get_card_data(const Command& command);
  Response put_data(const Command& command);
  GidsFile* addressed_file(const Command& command);

  // gids_pins.cc
  Response verify(const Command& command);
  Response change_reference_data(const Command& command);
  Response set_reference_data(const Command& command);
  Response reset_retry_counter(const Command& command);
  PinState* reference(Byte p2);
  void log_out();

  // gids_admin.cc
  Response general_authenticate(const Command& command);
  Response give_challenge(ByteView host_challenge);
  Response check_external(ByteView cryptogram, ByteView key);
  Response check_mutual(ByteView cryptogram, ByteView key);

  // gids_security.cc
  Response manage_security_environment(const Command& command);
  Response set_environment(const Command& command);
  Response perform_security_operation(const Command& command);
  Response sign(const CardKey& key, Byte algorithm, ByteView input);
  Response decipher(const CardKey& key, Byte algorithm, ByteView cryptogram);

  // gids_keys.cc
  Response generate_key_pair(const Command& command);
  Response get_public_key(Byte reference);
  Response put_key(ByteView key_usage);

  GidsState& state_;
  Security security_;
  bool changed_ = false;
};

namespace gids {

inline constexpr std::uint16_t application_file = 0x3FFF;

/// File control parameters of the application: user or administrator create and delete files.
inline constexpr Byte application_parameters[] = {0x62, 0x08, 0x82, 0x01, 0x38, 0x8C, 0x03, 0x03, 0x30, 0x30};

/// The key type of an algorithm reference's low half (GIDS 2.0, table 43), as far as this card has it.
std::optional<KeyType> key_type(Byte algorithm);

/// The public key template 7F49.
Bytes public_key_template(const CardKey& key);

}  // namespace gids

}  // namespace cardea::vcard
