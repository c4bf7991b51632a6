// The card of the example plug-in: files by name, PINs, a few keys. Its commands are our own invention, as a vendor's
// are (docs/card-plugins.md, "The sample card").
#pragma once

#include "card/applet.h"
#include "card/sample_state.h"

namespace cardea::vcard {

class SampleApplet final : public Applet {
 public:
  explicit SampleApplet(SampleState& state) : state_(state) {}

  bool answers_to(ByteView name) const override;
  Response select(const Command& command, bool again) override;
  Response process(const Command& command) override;
  void reset() override;
  bool take_changed() override;

 private:
  using Handler = Response (SampleApplet::*)(const Command&);
  struct Instruction {
    Byte code;
    Handler handler;
  };
  static const Instruction instructions[];

  // sample_applet.cc
  Response read_file(const Command& command);
  Response write_file(const Command& command);
  Response create_file(const Command& command);
  Response delete_file(const Command& command);
  Response get_data(const Command& command);
  bool may_write(const SampleFile& file) const;
  std::size_t memory_left() const;

  // sample_security.cc
  Response verify(const Command& command);
  Response change_pin(const Command& command);
  Response unblock(const Command& command);
  Response get_challenge(const Command& command);
  Response external_authenticate(const Command& command);
  Response set_admin_key(const Command& command);
  PinState* reference(Byte role);
  void set_verified(Byte role, bool yes);

  // sample_keys.cc
  Response generate_key(const Command& command);
  Response import_key(const Command& command);
  Response delete_key(const Command& command);
  Response use_key(const Command& command);

  SampleState& state_;
  bool user_ = false;
  bool admin_ = false;
  Bytes challenge_;  ///< that waits for its answer
  bool changed_ = false;
};

}  // namespace cardea::vcard
