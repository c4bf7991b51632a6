// The daemon's steps, run against one local token (docs/manager.md, "Parameters and results of the agent's steps").
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/local_tokens.h"
#include "agent/pin_history.h"
#include "agent/server.h"
#include "agent/user.h"
#include "pins/pin_policy.h"

namespace cardea::agent {

/// Runs steps of one job. Keeps the token, the user's PIN and what the daemon told for as long as the job lasts.
class TokenSteps final : private Authority {
 public:
  /// `wanted`: a kind, a serial number or a part of the token's place; empty: the only one that fits.
  /// All references must outlive the object.
  TokenSteps(Server& server, const AgentSession& session, LocalTokens& tokens, User& user, const PinHistory& history,
             std::string wanted)
      : server_(server),
        session_(session),
        tokens_(tokens),
        user_(user),
        history_(history),
        wanted_(std::move(wanted)) {}

  /// The step's result. token_absent and device_removed when the token is not there, arguments_bad when several fit or
  /// the parameters make no sense, function_not_supported for an unknown kind of step; otherwise those of Device.
  Result<json::object> run(const NextStep& step);

  /// The job began with this token, and goes on with no other.
  void bind(LocalToken token) {
    token_ = std::move(token);
    was_told_ = true;
  }
  const std::optional<LocalToken>& token() const noexcept { return token_; }
  /// Opens the token anew before the next step.
  void let_go() noexcept { device_.reset(); }

 private:
  using Action = Result<json::object> (TokenSteps::*)(const json::object& parameters);
  static Action action_of(std::string_view kind);

  // Authority
  Result<Pin> user_pin(bool refused) override;
  Result<Pin> last_user_pin() override;
  Result<bool> types_on_pad(bool refused, bool last) override;
  Result<Bytes> answer(const AdminChallenge& challenge, int attempt) override;
  Result<Pin> unblocking_secret() override;
  Result<SecretBytes> admin_key() override;

  Result<json::object> inspect_token(const json::object& parameters);
  Result<json::object> create_token(const json::object& parameters);
  Result<json::object> initialise_token(const json::object& parameters);
  Result<json::object> replace_admin_key(const json::object& parameters);
  Result<json::object> replace_puk(const json::object& parameters);
  Result<json::object> set_pin(const json::object& parameters);
  Result<json::object> block_pin(const json::object& parameters);
  Result<json::object> unblock_pin(const json::object& parameters);
  Result<json::object> generate_key(const json::object& parameters);
  Result<json::object> attest_key(const json::object& parameters);
  Result<json::object> answer_attestation(const json::object& parameters);
  Result<json::object> make_request(const json::object& parameters);
  Result<json::object> import_key(const json::object& parameters);
  Result<json::object> write_certificate(const json::object& parameters);
  /// Whether the token has the certificates of the CA now.
  Result<bool> write_chain(Device& token, const std::vector<Bytes>& chain);
  Result<json::object> write_history(const json::object& parameters);
  Result<json::object> write_objects(const json::object& parameters);
  Result<json::object> prove_keys(const json::object& parameters);
  Result<json::object> erase_token(const json::object& parameters);

  /// The token in hand; nothing when one is to be made.
  Result<std::optional<LocalToken>> choose(const std::vector<std::string>& kinds, std::string_view serial);
  Result<Device*> device();
  /// The card of this job whose erasure was cut off when it had lost its number, which it gets back.
  Result<Device*> device_without_number();
  /// The token that the job began with, where another agent did that; nothing when the job has none yet.
  Result<std::optional<LocalToken>> begun_with();
  /// A token that had no number when it was chosen may have one by now, or be another: it is chosen anew.
  void choose_anew_without_number();
  /// So is one that the daemon was told of and does not want, or that was exchanged since.
  Status choose_anew_where_another_is_wanted(std::string_view serial);
  Result<json::object> facts();
  std::string token_words() const;
  /// The policy in the parameters, within the token's lengths.
  Result<pins::PinPolicy> policy_of(const json::object& parameters, DeviceDescription& about);
  /// `about_pad`: why a pad that is there is of no use for it; may be empty.
  Result<Pin> choose_pin(const pins::PinPolicy& policy, const Pin* present, const std::string& about_pad);
  Status put_pin(const json::object& parameters, const Pin& fresh, const Pin* present);
  Status restore_pin(Device& token, const Pin& factory_pin, const std::optional<Pin>& factory_puk);
  void keep_pin(const Pin& pin);

  Server& server_;
  const AgentSession& session_;
  LocalTokens& tokens_;
  User& user_;
  const PinHistory& history_;
  const std::string wanted_;

  std::optional<LocalToken> token_;
  bool was_told_ = false;  ///< the daemon was told of the token
  std::unique_ptr<Device> device_;
  std::uint32_t step_ = 0;
  std::optional<Pin> pin_;
  std::optional<Pin> unblocking_secret_;
  std::optional<SecretBytes> admin_key_;
  bool factory_key_ = false;  ///< the administrator's key is believed to be the factory's
};

}  // namespace cardea::agent
