// attest verify, challenge: what somebody without a TPM makes of a TPM's word about a key.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <memory>
#include <optional>

#include "base/base64.h"
#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/pins.h"
#include "tpm_text/exchange_text.h"
#include "x509/encoding.h"
#include "x509/request_reader.h"

namespace cardea::cli {
namespace {

constexpr std::size_t file_limit = std::size_t{1} << 20;  // bytes

struct VerifyOptions {
  std::string statement;
  std::string roots;
  std::string nonce;
  std::string certificate;
  std::string challenge;
  std::string answer;
};

struct ChallengeOptions {
  std::string statement;
  std::string out;
  std::string keep;
};

Result<tpm::AttestationStatement> read_statement(const std::string& name) {
  CARDEA_ASSIGN(const Bytes file, read_file(name, file_limit));
  auto statement = tpm::statement_from_text(text_of(file));
  if (statement) return statement;
  return library_failure(statement.error(), fmt::format("{} is no statement of `cardea tpm attest`", name));
}

Result<std::vector<Bytes>> read_roots(const std::string& name) {
  if (name.empty()) return std::vector<Bytes>();
  CARDEA_ASSIGN(const Bytes file, read_file(name, file_limit));
  auto roots = x509::all_from_pem_or_der("CERTIFICATE", file);
  if (roots && !file.empty()) return roots;
  return failure(Code::arguments_bad, fmt::format("{} holds no certificates.", name));
}

/// Whether the certificate or request in the file has the attested key.
Status check_certificate(const std::string& name, const tpm::AttestedKey& key) {
  CARDEA_ASSIGN(const Bytes file, read_file(name, file_limit));
  Bytes key_info;
  // A request also begins "-----BEGIN ", so the words decide; DER is tried as both.
  const auto request = x509::from_pem_or_der("CERTIFICATE REQUEST", file);
  const auto requested = request ? x509::read_request(*request) : Result<x509::CertificateRequest>(Code::data_invalid);
  if (requested) {
    key_info = to_bytes(requested->key_info);
  } else if (requested.code() == Code::signature_invalid) {
    return failure(Code::signature_invalid, fmt::format("The request in {} is not signed with its own key.", name));
  } else {
    CARDEA_ASSIGN(x509::Certificate certificate, read_certificate_file(name));
    key_info = std::move(certificate.key_info);
  }
  if (key_info == key.key_info) return {};
  return failure(Code::signature_invalid, fmt::format("{} is about another key than the statement.", name));
}

Status check_challenge(const VerifyOptions& options, const tpm::AttestationStatement& statement) {
  CARDEA_ASSIGN(const Bytes file, read_file(options.challenge, file_limit));
  const auto kept = tpm::kept_challenge_from_text(text_of(file));
  if (!kept)
    return library_failure(kept.error(), fmt::format("{} is not what was kept of a challenge", options.challenge));
  CARDEA_ASSIGN(const Pin text, read_pin_file(options.answer, "answer"));
  Bytes answer;
  if (!from_hex(text_of(text.view()), answer)) {
    return failure(Code::arguments_bad, fmt::format("{} does not hold an answer, hexadecimal digits.", options.answer));
  }
  if (const Status right = tpm::check_answer(statement, *kept, answer); !right) {
    return library_failure(right.error(), "The challenge was not answered rightly");
  }
  return {};
}

struct Findings {
  tpm::AttestedKey key;
  bool certificate = false;
  bool challenge = false;
  bool has_endorsement_certificate = false;
};

std::string key_words(const crypto::AsymmetricKey& key) {
  if (key.algorithm() == crypto::KeyAlgorithm::rsa) return fmt::format("RSA {}", key.size());
  return fmt::format("EC P-{}", key.size());
}

std::string in_words(const Findings& found) {
  std::string proved = fmt::format(
      "Key:     {}, name {}\nSigner:  attestation key {}\n"
      "Proved:  this attestation key says that the key was made in its TPM and never leaves it\n",
      key_words(*found.key.area.key), to_hex(found.key.name), to_hex(found.key.attestation_key_name));
  std::string open;
  const auto tell = [&](bool holds, std::string_view when_proved, std::string_view when_not) {
    if (holds) proved += fmt::format("         {}\n", when_proved);
    if (!holds && !when_not.empty()) open += fmt::format("{}{}\n", open.empty() ? "Not:     " : "         ", when_not);
  };
  tell(found.challenge, "the attestation key is in the TPM that has the endorsement key",
       "that the attestation key is in a TPM at all; `cardea attest challenge` finds out");
  tell(found.key.endorsed, "the endorsement key is of a TPM whose maker leads to --ca",
       found.has_endorsement_certificate
           ? "who made the TPM: no --ca was given"
           : "who made the TPM: it has no endorsement certificate, so this is some TPM or software that plays one");
  tell(found.key.fresh, "the statement was made for this nonce",
       "that the statement is not an old one: no --nonce was given");
  tell(found.certificate, "the certificate or request is about this key", "");
  return proved + open;
}

Status report(const Context& context, const Findings& found) {
  if (!context.options.json) return print(in_words(found));
  return print_json({{"key", to_base64(found.key.key_info)},
                     {"key_name", to_hex(found.key.name)},
                     {"attestation_key_name", to_hex(found.key.attestation_key_name)},
                     {"attestation_key_in_tpm", found.challenge},
                     {"endorsed", found.key.endorsed},
                     {"fresh", found.key.fresh},
                     {"certificate", found.certificate}});
}

Status verify(const Context& context, const VerifyOptions& options) {
  if (options.challenge.empty() != options.answer.empty()) {
    return failure(Code::arguments_bad, "--challenge and --answer go together.");
  }
  CARDEA_ASSIGN(const tpm::AttestationStatement statement, read_statement(options.statement));
  CARDEA_ASSIGN(const std::vector<Bytes> roots, read_roots(options.roots));
  std::optional<Bytes> nonce;
  if (!options.nonce.empty()) {
    CARDEA_ASSIGN(nonce, parse_hex(options.nonce, "--nonce"));
  }
  auto attested = tpm::verify_attestation(statement, nonce, roots);
  if (!attested) return library_failure(attested.error(), "The statement does not hold");
  Findings found{.key = std::move(*attested)};
  found.has_endorsement_certificate = !statement.endorsement_certificate.empty();
  if (!options.challenge.empty()) {
    CARDEA_TRY(check_challenge(options, statement));
    found.challenge = true;
  }
  if (!options.certificate.empty()) {
    CARDEA_TRY(check_certificate(options.certificate, found.key));
    found.certificate = true;
  }
  return report(context, found);
}

Status challenge(const Context& context, const ChallengeOptions& options) {
  CARDEA_ASSIGN(const tpm::AttestationStatement statement, read_statement(options.statement));
  const auto made = tpm::make_challenge(statement);
  if (!made) return library_failure(made.error(), "No challenge was made");
  CARDEA_TRY(write_output(options.keep, view_of(tpm::to_text(made->kept)), FileMode::secret, /*is_text=*/true));
  CARDEA_TRY(write_output(options.out, tpm::credential_file(made->credential), FileMode::open));
  if (!context.options.json) return {};
  return print_json({{"attestation_key_name", to_hex(made->kept.attestation_key_name)},
                     {"endorsement_key_name", to_hex(made->kept.endorsement_key_name)}});
}

}  // namespace

void add_attest_commands(const Command& root, Context& context) {
  const Command group = root.group("attest", "check what a TPM says of its keys");
  const auto options = std::make_shared<VerifyOptions>();
  const Command verifying = group.command(
      context, "verify", "check a statement of `cardea tpm attest`, and say what it proves",
      "  cardea attest verify ssh.attestation --nonce 00112233445566778899 --ca makers.pem\n"
      "  cardea attest verify ssh.attestation --challenge ssh.kept --answer ssh.answer --certificate request.pem\n",
      Needs::nothing, [&context, options] { return verify(context, *options); });
  verifying.required("statement", options->statement, "the statement", "FILE");
  verifying.text("--ca", options->roots, "certificates of TPM makers that are trusted, PEM; the TPM's must lead to one",
                 "FILE");
  verifying.text("--nonce", options->nonce, "the nonce that must be in it", "HEX");
  verifying.text("--certificate", options->certificate, "certificate or request that must be about this key", "FILE");
  verifying.text("--challenge", options->challenge, "what `cardea attest challenge` kept", "FILE");
  verifying.text("--answer", options->answer, "what `cardea tpm activate` answered", "FILE");

  const auto asked = std::make_shared<ChallengeOptions>();
  const Command challenging = group.command(
      context, "challenge", "make a challenge that only the TPM of a statement answers (`cardea tpm activate`)",
      "  cardea attest challenge ssh.attestation --out ssh.credential --keep ssh.kept\n", Needs::nothing,
      [&context, asked] { return challenge(context, *asked); });
  challenging.required("statement", asked->statement, "the statement", "FILE");
  challenging.required("--out", asked->out, "the challenge, as tpm2_activatecredential(1) reads it, too", "FILE");
  challenging.required("--keep", asked->keep, "what `cardea attest verify` needs to check the answer", "FILE");
}

}  // namespace cardea::cli
