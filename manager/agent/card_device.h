// PIV and generic minidriver cards as devices, over the card modules.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "agent/device.h"
#include "cardmodules/card_module.h"

namespace cardea::agent {

class CardDevice final : public Device {
 public:
  /// The card behind the channel, recognised. `runtime_directory`: where programs that have the card's contents in
  /// their caches learn that it was written to (cards/shared_state.h); empty: nobody is told. token_not_recognized and
  /// errors of the channel.
  static Result<std::unique_ptr<CardDevice>> open(card::CardChannelPtr channel,
                                                  std::filesystem::path runtime_directory = {});
  ~CardDevice() override;

  const std::string& kind() const noexcept { return kind_; }
  const std::string& serial() const noexcept { return about_.serial; }
  const std::string& label() const noexcept { return about_.label; }
  /// As LocalToken.
  const std::string& maker_number() const noexcept { return maker_number_; }

  Result<DeviceDescription> describe() override;
  Result<std::string> initialise(const Pin& user_pin, const SecretBytes& admin_key) override;
  Status prove_administrator(Authority& authority) override;
  Status set_admin_key(Authority& authority, const SecretBytes& fresh) override;
  Status set_puk(Authority& authority, const Pin& fresh) override;
  Status set_first_pin(Authority& authority, const Pin& fresh) override;
  Status set_user_pin(Authority& authority, const Pin& fresh) override;
  Status change_user_pin(const Pin& old_pin, const Pin& fresh) override;
  Status block_user_pin(Authority& authority) override;
  Status prove_user(Authority& authority) override;
  Result<Bytes> generate(Authority& authority, const std::string& container, const KeySpec& spec,
                         ByteView replace) override;
  Result<Bytes> public_key(const std::string& container) override;
  Result<KeySignature> sign(Authority& authority, const std::string& container, Hash hash, ByteView data) override;
  Result<Bytes> write_certificate(Authority& authority, const std::string& container, ByteView certificate) override;
  Result<std::size_t> write_authorities(Authority& authority, std::span<const Bytes> certificates) override;
  Result<bool> import_key(Authority& authority, const std::string& container, const SecretBytes& pkcs8,
                          ByteView replace) override;
  Result<HistoryReport> write_history(Authority& authority, std::span<const ArchivedKey> newest_first,
                                      const std::string& leaving) override;
  Status remove(Authority& authority, const std::string& container) override;
  Status write_object(Authority& authority, const std::string& name, ByteView content) override;
  Result<KeyStatement> attest(Authority& authority, const std::string& container, ByteView nonce) override;
  Result<SecretBytes> answer_attestation(ByteView credential) override;
  Result<bool> erase(Authority& authority) override;
  Status give_back_number(ByteView object) override;

 private:
  /// What holds while the card is taken.
  struct Work {
    card::CardTransaction transaction;
    card::CardAdministrator* administrator;
  };
  /// A place, and what is in it.
  struct Spot {
    card::ContainerPlace place;
    std::optional<card::Container> held;
  };
  using Writing = std::function<Status(Work& work)>;

  CardDevice(card::CardChannelPtr channel, std::filesystem::path runtime_directory)
      : channel_(std::move(channel)), runtime_directory_(std::move(runtime_directory)) {}

  bool is_piv() const noexcept;
  /// The maker's number is the card's serial number, whatever its CHUID says.
  bool has_makers_serial() const noexcept;
  Result<Work> begin();
  /// What the authority answers for the user, by the tries that are left; nothing: it is typed on the reader's pad.
  Result<std::optional<Pin>> user_pin(Authority& authority, bool refused);
  Status show_user(Work& work, const std::optional<Pin>& pin);
  /// Runs `what` in the login that a PIN typed on the pad began; user_not_logged_in when the card has none.
  Status in_login_of_pad(const Writing& what);
  void end_login_of_pad() noexcept;
  /// Runs `what` with the user's PIN shown; asks again for one that the card refused.
  Status as_user(Authority& authority, const Writing& what);
  /// Runs `what` with the administrator proved.
  Status as_administrator(Authority& authority, const Writing& what);
  /// Whichever of both writes keys and certificates on this kind of card.
  Status as_writer(Authority& authority, const Writing& what);
  Status show_administrator(Work& work, Authority& authority);

  std::string container_name(const card::ContainerPlace& place) const;
  /// arguments_bad for a name that the card has no place for; device_memory when all are taken.
  Result<Spot> spot(Work& work, const std::string& container);
  Result<card::Container> key_in(Work& work, const std::string& container);
  Result<std::vector<Spot>> spots(Work& work);
  Status describe_pins(Work& work, DeviceDescription& about);
  Status describe_containers(Work& work, DeviceDescription& about);
  Result<KeySignature> sign_with(Work& work, const card::Container& container, Hash hash, ByteView data);
  Result<std::vector<card::ContainerPlace>> free_places(Work& work, const std::vector<Spot>& known, std::size_t wanted);
  Status lock_user_pin(Work& work);
  Status erase_contents(Work& work);
  /// The card as it left the factory, but for its serial number; false where it cannot be reset, or would be another
  /// card afterwards.
  Result<bool> reset_card(Work& work);
  /// The card unique identifier of a card that is known by it; empty for others.
  Result<Bytes> number_object(Work& work);
  Status write_number(Work& work, ByteView object);
  /// Tells programs with the card's contents in their caches that they are old.
  void tell_of_writing() const;
  /// The card's file of authorities' certificates; empty when there is none.
  Result<std::optional<card::FileEntry>> root_store(Work& work);
  /// The card holder unique identifier, whether the card has it or not; the entry of its file.
  Result<card::FileEntry> chuid_file(Work& work);
  Result<bool> lacks_card_uuid(Work& work);
  Status renew_card_uuid(Work& work, const card::FileEntry& chuid);

  const card::CardChannelPtr channel_;
  const std::filesystem::path runtime_directory_;
  std::string kind_;
  std::unique_ptr<card::CardModule> module_;
  card::CardDescription about_;
  std::string maker_number_;
  bool written_ = false;
  bool open_by_pad_ = false;  ///< the card has not been reset since the person typed the PIN on the pad
  bool pad_fails_ = false;    ///< the reader's pad turned out not to lay out this card's PIN
};

}  // namespace cardea::agent
