// Credential profiles (requirements L1): what a credential consists of and who may ask for it. The document is checked
// when it is saved, so that whatever reads it later can rely on it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.h"
#include "domain/model.h"
#include "domain/ports.h"
#include "domain/rights.h"

namespace cardea::manager {

/// Where a certificate of a profile comes from.
enum class CertificateSource : std::uint8_t {
  issue_new,     ///< a new key and certificate
  use_existing,  ///< the person's live one from the archive, the same on several devices; a new one when there is none
  historic_only  ///< nothing live: only former keys
};
/// What key renewal certifies.
enum class RenewalKey : std::uint8_t {
  same,  ///< the one there is: the old certificate works until the new one does
  fresh  ///< a new one
};

/// One certificate of a profile.
struct CertificateRule {
  std::string container;  ///< authentication, signature, encryption, card_authentication
  std::string policy;     ///< name of a certificate policy; empty for historic_only
  std::string algorithm;  ///< rsa:2048, rsa:3072, rsa:4096, ec:P-256, ec:P-384, ec:P-521
  CertificateSource source = CertificateSource::issue_new;
  bool archived = false;  ///< its key is made by the manager and archived; only for `encryption`
  RenewalKey renewal = RenewalKey::same;
  std::string pin_policy;    ///< never, once, always; empty: the token's own
  std::string touch_policy;  ///< never, cached, always; empty: the token's own
};

enum class InitialPin : std::uint8_t { chosen, random, blocked };
enum class AdminKeyPolicy : std::uint8_t { derived, kept };
enum class AttestationPolicy : std::uint8_t { none, wanted, required };

/// What one-time codes look like and how long they hold (requirements L3).
struct CodeRules {
  std::string alphabet = "numeric";  ///< numeric or alphanumeric
  std::uint32_t min_length = 8;
  std::uint32_t max_length = 8;
  std::uint32_t valid_hours = 72;
  std::uint32_t attempts = 5;
};

/// A profile's document, read.
struct ProfileRules {
  std::string description;
  std::vector<std::string> device_kinds;  ///< piv, gids, tpm, keystore
  std::vector<CertificateRule> certificates;
  json::object pin_policy;  ///< as pins/pin_policy.h reads it
  InitialPin initial_pin = InitialPin::chosen;
  AdminKeyPolicy admin_key = AdminKeyPolicy::derived;
  AttestationPolicy attestation = AttestationPolicy::none;
  std::uint32_t lifetime_days = 0;       ///< of the credential; 0: as long as its certificates
  std::uint32_t devices_per_person = 1;  ///< 0: no limit
  bool registered_stock_only = false;    ///< L6
  /// What a person asks for oneself goes only onto tokens that are registered to that person (L6).
  bool own_devices_only = false;
  std::uint32_t history_depth = 20;  ///< former decryption keys put on the token; 0: none
  bool write_chain = false;          ///< the CA's certificates go onto the token beside its own
  CodeRules code;
  /// Kinds of requests that an agent carries out without a one-time code for whoever holds the very token.
  std::vector<std::string> without_code = {"renew", "update", "rotate"};
  std::uint32_t approvals = 0;            ///< of two different operators at most 2
  std::vector<std::string> self_service;  ///< kinds of requests that a person may make for oneself
  /// Which roles may do what beyond having the right; empty: whoever has the right.
  std::vector<std::string> may_request;
  std::vector<std::string> may_approve;
  std::vector<std::string> may_collect;
  std::vector<std::string> may_unblock;
  std::uint32_t renewal_window_days = 30;  ///< how long before its end a certificate may be renewed (L11)
  bool automatic_renewal = true;           ///< requests are made by the daemon when the window opens
  std::vector<std::uint32_t> reminders;    ///< days before the end, at most three
  bool revoke_replaced = false;            ///< superseded certificates are revoked as well
  json::object notifications;              ///< texts by event
};

/// Reads and checks a document. arguments_bad whose detail names each mistake by its JSON pointer.
Result<ProfileRules> read_profile(const json::object& document);

/// Adds a profile, or saves a new version of one (`id` not 0); checks the document, and that its certificate policies
/// exist and are enabled. Needs profile_write. exists for a name that is taken.
Result<Profile> save_profile(const Ports& ports, const Actor& actor, const Profile& profile);

/// A profile that comes with the product.
struct ExampleProfile {
  std::string_view name;
  std::string_view document;  ///< JSON
};
/// Staff credentials for each kind of token; they name the certificate policies `authentication`, `signature` and
/// `encryption`.
const std::vector<ExampleProfile>& example_profiles();

}  // namespace cardea::manager
