// Tokens that are made rather than bought, as devices over our PKCS#11 module: software keystores and virtual smart
// cards in the TPM.
#pragma once

#include <functional>
#include <memory>

#include "agent/device.h"
#include "p11client/session.h"
#include "p11client/tpm_cards.h"

namespace cardea::agent {

/// What a new token starts with.
struct NewToken {
  std::string label;      ///< 1 to 32 bytes of UTF-8; no two tokens made here share one
  Pin so_pin;             ///< keystore
  Pin puk;                ///< tpm
  SecretBytes admin_key;  ///< tpm: 32 bytes
};

/// What differs between the kinds.
enum class MadeKind : std::uint8_t { keystore, tpm };
std::string_view kind_name(MadeKind kind);

class Pkcs11Device final : public Device {
 public:
  using ModulePtr = std::shared_ptr<const p11client::Module>;

  /// The token with that serial number; token_absent.
  static Result<std::unique_ptr<Pkcs11Device>> open(ModulePtr module, MadeKind kind, const std::string& serial);
  /// Makes a token. One with that label and these secrets that nobody uses yet is the one: an earlier attempt made it;
  /// where another token has the label, a number follows it.
  static Result<std::unique_ptr<Pkcs11Device>> create(ModulePtr module, MadeKind kind, const NewToken& token);
  /// Serial numbers of the tokens of that kind.
  static Result<std::vector<p11client::TokenInfo>> list(const p11client::Module& module, MadeKind kind);

  const std::string& serial() const noexcept { return token_.serial; }

  Result<DeviceDescription> describe() override;
  Result<std::string> initialise(const Pin&, const SecretBytes&) override {
    return error(Code::function_not_supported, "tokens of this kind are made, not initialised");
  }
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

 private:
  using Objects = std::vector<CK_OBJECT_HANDLE>;
  using Work = std::function<Status(const p11client::Session& session)>;

  Pkcs11Device(ModulePtr module, MadeKind kind, p11client::TokenInfo token)
      : module_(std::move(module)), kind_(kind), token_(std::move(token)) {}

  static Result<std::unique_ptr<Pkcs11Device>> create_keystore(ModulePtr module, const NewToken& token);
  static Result<std::unique_ptr<Pkcs11Device>> create_virtual_card(ModulePtr module, const NewToken& token);

  Result<p11client::Session> session() const;
  /// What the authority answers for the user, by the tries that are left.
  Result<Pin> user_pin(Authority& authority, bool refused) const;
  Status as_user(Authority& authority, const Work& what) const;
  Status as_officer(const Pin& secret, const Work& what) const;
  static Result<Objects> find(const p11client::Session& session, CK_OBJECT_CLASS of_class,
                              const std::string& container);
  static Result<Bytes> key_in(const p11client::Session& session, const std::string& container);
  static Result<Bytes> certificate(const p11client::Session& session, const std::string& container);
  static Status destroy_all(const p11client::Session& session, const std::string& container);
  static Status make_place(const p11client::Session& session, const std::string& container, ByteView replace);
  Status import_into(const p11client::Session& session, const std::string& container, const SecretBytes& pkcs8) const;
  static Status put_certificate(const p11client::Session& session, const std::string& container, ByteView der);
  static Result<bool> has_certificate(const p11client::Session& session, ByteView der);
  static Status put_authority(const p11client::Session& session, ByteView der);
  Result<p11client::TpmCards> virtual_cards() const;
  Status unblock_virtual_card(Authority& authority, const Pin& fresh) const;

  const ModulePtr module_;
  const MadeKind kind_;
  p11client::TokenInfo token_;
};

}  // namespace cardea::agent
