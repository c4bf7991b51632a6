// The agent's steps as the daemon sees them: what is sent with each, and what is checked of its result.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "domain/audit_log.h"
#include "domain/certificates.h"
#include "domain/document_reader.h"
#include "domain/journal_parts.h"
#include "domain/key_proof.h"

namespace cardea::manager::journal {

namespace {

constexpr std::size_t max_der = 16 * 1024;

SecretOwner owner_of(const Token& token) {
  return {token.kind, token.serial};
}

// A token that is being made has no number yet: its first secrets follow from the job.
std::string first_owner(const Job& job) {
  return fmt::format("job:{}", job.id);
}

json::string secret_text(ByteView bytes) {
  return json::string(cardea::text_of(bytes));
}

std::string subject(const Token& token) {
  return fmt::format("token:{}", token.id);
}

Status tell(Transaction& store, const Ports& ports, const JobView& view, const Step& step) {
  return audit(store, job_actor(view.job), ports.clock.now(), AuditAction::secret_told,
               view.token ? subject(*view.token) : fmt::format("job:{}", view.job.id),
               {{"step", step.kind}, {"job", view.job.id}});
}

// The PUK or SO PIN of that version; 0: what the token came with, or was made with in this job.
Result<SecretBytes> puk_of(const Ports& ports, const JobView& view, const KindSecrets& secrets, std::uint32_t version) {
  const bool so_pin = secrets.so_pin_digits > 0;
  const SecretPurpose purpose = so_pin ? SecretPurpose::so_pin : SecretPurpose::puk;
  const std::size_t digits = so_pin ? secrets.so_pin_digits : secrets.puk_digits;
  if (version > 0) return derived_digits(ports.keys, purpose, owner_of(*view.token), version, digits);
  if (!secrets.made) return factory_secret(view.token->kind, view.token->card_type, SecretPurpose::puk);
  const std::string owner = first_owner(view.job);
  return derived_digits(ports.keys, purpose, {secrets.kind, owner}, 1, digits);
}

Result<json::object> give_new_token(const Ports& ports, const JobView& view, const Step& step) {
  json::object out = step.parameters;
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(text_of(step.parameters, "kind")));
  const std::string owner = first_owner(view.job);
  if (secrets.so_pin_digits > 0) {
    CARDEA_ASSIGN(const SecretBytes pin,
                  derived_digits(ports.keys, SecretPurpose::so_pin, {secrets.kind, owner}, 1, secrets.so_pin_digits));
    out["so_pin"] = secret_text(pin.view());
    return out;
  }
  CARDEA_ASSIGN(const SecretBytes key, derived_admin_key(ports.keys, {secrets.kind, owner}, 1, "hmac-sha256"));
  CARDEA_ASSIGN(const SecretBytes puk,
                derived_digits(ports.keys, SecretPurpose::puk, {secrets.kind, owner}, 1, secrets.puk_digits));
  out["admin_key"] = base64(key);
  out["puk"] = secret_text(puk.view());
  return out;
}

// A blank card becomes one as they come from the factory; its own secrets follow when it has a number.
Result<json::object> give_first_secrets(const Step& step) {
  json::object out = step.parameters;
  const std::string kind = text_of(step.parameters, "kind");
  CARDEA_ASSIGN(const SecretBytes key, factory_secret(kind, "", SecretPurpose::admin_key));
  CARDEA_ASSIGN(const SecretBytes pin, factory_pin(kind, ""));
  out["admin_key"] = base64(key);
  out["pin"] = secret_text(pin.view());
  return out;
}

Result<json::object> give_admin_key(const Ports& ports, const JobView& view, const Step& step) {
  json::object out = step.parameters;
  CARDEA_ASSIGN(const SecretBytes key,
                derived_admin_key(ports.keys, owner_of(*view.token),
                                  static_cast<std::uint32_t>(number_of(step.parameters, "version")),
                                  text_of(step.parameters, "algorithm")));
  out["new_key"] = base64(key);
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(view.token->kind));
  if (!secrets.made) return out;
  // What was made takes a new key only with the old one itself (docs/manager.md).
  const std::string maker = first_owner(view.job);
  const std::uint32_t version = view.token->secret_version;
  const SecretOwner owner = version > 0 ? owner_of(*view.token) : SecretOwner{secrets.kind, maker};
  CARDEA_ASSIGN(const SecretBytes old, derived_admin_key(ports.keys, owner, std::max<std::uint32_t>(version, 1),
                                                         text_of(step.parameters, "algorithm")));
  out["old_key"] = base64(old);
  return out;
}

Result<json::object> give_puk(const Ports& ports, const JobView& view, const Step& step) {
  json::object out = step.parameters;
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(view.token->kind));
  CARDEA_ASSIGN(const SecretBytes old, puk_of(ports, view, secrets, view.token->puk_version));
  CARDEA_ASSIGN(const SecretBytes fresh,
                puk_of(ports, view, secrets, static_cast<std::uint32_t>(number_of(step.parameters, "version"))));
  out["old_puk"] = secret_text(old.view());
  out["new_puk"] = secret_text(fresh.view());
  return out;
}

// Where a PIN is set without the one before, the secret that does that goes along.
Result<json::object> give_pin_secrets(const Ports& ports, const JobView& view, const Step& step) {
  json::object out = step.parameters;
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(view.token->kind));
  if (secrets.puk_digits + secrets.so_pin_digits > 0) {
    CARDEA_ASSIGN(const SecretBytes puk, puk_of(ports, view, secrets, view.token->puk_version));
    out["puk"] = secret_text(puk.view());
  }
  return out;
}

Result<Certificate> certificate_for(Transaction& store, const JobView& view, const Step& step) {
  if (step.parameters.contains("certificate")) return store.certificate(number_of(step.parameters, "certificate"));
  const Step* issued = step_before(view.job, step.index, "issue_certificate", text_of(step.parameters, "container"));
  if (issued == nullptr) return error(Code::internal, "no certificate was issued for this container");
  return store.certificate(number_of(issued->parameters, "certificate"));
}

Result<json::object> give_certificate(Transaction& store, const JobView& view, const Step& step) {
  json::object out = step.parameters;
  CARDEA_ASSIGN(const Certificate certificate, certificate_for(store, view, step));
  out["certificate"] = base64(certificate.der);
  json::array chain;
  if (view.rules.write_chain)
    if (const Step* issued = step_before(view.job, step.index, "issue_certificate", certificate.container))
      if (const json::value* list = issued->result.if_contains("chain"); list != nullptr && list->is_array())
        chain = list->get_array();
  out["chain"] = chain;
  return out;
}

Result<json::object> give_proof_wishes(Transaction& store, const JobView& view, const Step& step) {
  json::object out = step.parameters;
  for (auto& one : out.at("containers").as_array()) {
    auto& wish = one.as_object();
    Step search = step;
    search.parameters = wish;
    const Step* written = step_before(view.job, step.index, "write_certificate", text_of(wish, "container"));
    if (written != nullptr && written->parameters.contains("certificate"))
      search.parameters["certificate"] = written->parameters.at("certificate");
    CARDEA_ASSIGN(const Certificate certificate, certificate_for(store, view, search));
    wish["certificate"] = base64(certificate.der);
  }
  return out;
}

Result<json::object> give_factory_secrets(const Ports& ports, const JobView& view, const Step& step) {
  json::object out = step.parameters;
  const Token& token = *view.token;
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(token.kind));
  if (secrets.puk_digits + secrets.so_pin_digits > 0) {
    CARDEA_ASSIGN(const SecretBytes puk, puk_of(ports, view, secrets, token.puk_version));
    out["puk"] = secret_text(puk.view());
  }
  json::object restore;
  if (auto key = factory_secret(token.kind, token.card_type, SecretPurpose::admin_key))
    restore["admin_key"] = base64(*key);
  if (auto puk = factory_secret(token.kind, token.card_type, SecretPurpose::puk))
    restore["puk"] = secret_text(puk->view());
  if (auto pin = factory_pin(token.kind, token.card_type)) restore["pin"] = secret_text(pin->view());
  out["restore"] = restore;
  out["algorithm"] = factory_algorithm(token.kind, token.card_type);
  return out;
}

// What the agent read of the token, checked and cut down to what is used.
Result<json::object> checked_facts(const json::object& result) {
  DocumentMistakes mistakes;
  DocumentReader in(result, mistakes, "/report/result");
  json::object facts;
  facts["kind"] = in.required_text("kind", 32);
  facts["serial"] = in.text("serial", "", 128);
  for (const char* member : {"model", "label", "card_type", "admin_algorithm", "write_needs"})
    facts[member] = in.text(member, "", 128);
  facts["attests"] = in.flag("attests", false);
  facts["lacks_card_uuid"] = in.flag("lacks_card_uuid", false);
  facts["blank"] = in.flag("blank", false);
  facts["free_history"] = in.number("free_history", 0, 0, 100000);
  for (const char* member : {"pin", "factory"}) facts[member] = in.object(member);
  json::array containers;
  in.each("containers", 64, [&](DocumentReader& one) {
    json::object container;
    container["container"] = one.required_text("container", 64);
    const Bytes spki = one.bytes("spki", max_der);
    container["spki"] = base64(spki);
    container["certificate_sha256"] = one.text("certificate_sha256", "", 64);
    containers.push_back(container);
  });
  facts["containers"] = containers;
  CARDEA_TRY(mistakes.status());
  return facts;
}

Status save_token(Transaction& store, const Ports& ports, Token& token) {
  token.updated = ports.clock.now();
  return store.update(token);
}

Status accept_secret_version(Transaction& store, const Ports& ports, JobView& view, const Step& step, bool puk) {
  Token& token = *view.token;
  const auto version = static_cast<std::uint32_t>(number_of(step.parameters, "version"));
  (puk ? token.puk_version : token.secret_version) = version;
  // Kinds without an administrator's key have one secret that stands for both.
  CARDEA_ASSIGN(const KindSecrets secrets, kind_secrets(token.kind));
  if (puk && !secrets.admin_key) token.secret_version = version;
  CARDEA_TRY(save_token(store, ports, token));
  return audit(store, job_actor(view.job), token.updated, AuditAction::token_secrets_changed, subject(token),
               {{"purpose", puk ? "puk" : "admin-key"}, {"version", version}});
}

Status accept_pin(Transaction& store, const Ports& ports, JobView& view, const json::object& result) {
  Token& token = *view.token;
  json::object enforced;
  if (const json::value* told = result.if_contains("enforced"); told != nullptr && told->is_object())
    for (const auto& rule : told->get_object())
      if (rule.value().is_string() && rule.key().size() <= 64 && enforced.size() < 32)
        enforced[rule.key()] = rule.value().get_string() == "token" ? "token" : "agent";
  token.pin = {{"enforced", enforced},
               {"changed", ports.clock.now().time_since_epoch().count()},
               {"must_change", flag_of(result, "must_change")}};
  return save_token(store, ports, token);
}

// Results are kept in the journal, which is read at every step, so they must not be of any size: what a token holds may
// be 64 containers with their keys, and what it states about a key is a few certificates.
Status check_size(std::string_view kind, const json::object& result) {
  const bool facts = kind == "inspect_token" || kind == "create_token" || kind == "initialise_token";
  const bool statement = kind == "attest_key" || kind == "answer_attestation";
  const std::size_t longest = 1024 * (facts ? 256 : statement ? 32 : 64);
  if (json::serialize(result).size() <= longest) return {};
  return error(Code::data_invalid, statement ? "what the token states about its key is too long"
                                             : "what the agent reported of the step is too long");
}

Status accept_key(const Step& step, const json::object& result) {
  const Bytes spki = bytes_of(result, "spki");
  CARDEA_ASSIGN(const std::string told, key_algorithm_word(spki));
  const std::string wanted = text_of(step.parameters, "algorithm");
  if (told == wanted) return {};
  return error(Code::data_invalid, fmt::format("the token made a key {} where {} was asked for", told, wanted));
}

// The request must be for the key that the token has just made, or for the one whose certificate is renewed.
Status accept_request(Transaction& store, const JobView& view, const Step& step, const json::object& result) {
  const Bytes csr = bytes_of(result, "csr");
  if (csr.empty() || csr.size() > max_der)
    return error(Code::data_invalid, "the certificate request is missing or too long");
  CARDEA_ASSIGN(const Bytes spki, key_of_request(csr));
  const std::string container = text_of(step.parameters, "container");
  if (const Step* made = step_before(view.job, step.index, "generate_key", container)) {
    if (bytes_of(made->result, "spki") == spki) return {};
    return error(Code::data_invalid, "the certificate request is for another key than the token made");
  }
  CARDEA_ASSIGN(const Bytes hash, crypto::digest(Hash::sha256, spki));
  Filter filter;
  filter.token = view.token->id;
  filter.state = "active";
  filter.limit = 1000;
  CARDEA_ASSIGN(const auto held, store.certificates(filter));
  for (const auto& certificate : held.items)
    if (certificate.container == container && certificate.public_key_hash == hash) return {};
  return error(Code::data_invalid, "the certificate request is for another key than the certificate that is renewed");
}

Status accept_written(Transaction& store, const JobView& view, const Step& step, const json::object& result) {
  CARDEA_ASSIGN(const Certificate certificate, certificate_for(store, view, step));
  CARDEA_ASSIGN(const Bytes hash, crypto::digest(Hash::sha256, certificate.der));
  if (text_of(result, "certificate_sha256") == to_hex(hash)) return {};
  return error(Code::data_invalid, "the token gave back another certificate than was written to it");
}

Status accept_proofs(Transaction& store, const JobView& view, const Step& step, const json::object& result) {
  const json::value* list = result.if_contains("proofs");
  if (list == nullptr || !list->is_array()) return error(Code::data_invalid, "the proofs are missing");
  CARDEA_ASSIGN(const json::object wishes, give_proof_wishes(store, view, step));
  for (const auto& one : wishes.at("containers").as_array()) {
    const auto& wish = one.as_object();
    const std::string container = text_of(wish, "container");
    const Bytes nonce = bytes_of(wish, "nonce");
    if (nonce.empty()) return error(Code::internal, "there was no nonce to prove the keys with");
    const json::object* proof = nullptr;
    for (const auto& given : list->get_array())
      if (given.is_object() && text_of(given.get_object(), "container") == container) proof = &given.get_object();
    if (proof == nullptr) return error(Code::data_invalid, fmt::format("the proof for {} is missing", container));
    CARDEA_ASSIGN(const CertificateFacts facts, certificate_facts(bytes_of(wish, "certificate")));
    if (auto checked = check_key_proof(facts.spki, text_of(*proof, "mechanism"), nonce, bytes_of(*proof, "signature"));
        !checked)
      return error(Code::data_invalid,
                   fmt::format("the key in {} does not fit its certificate: {}", container, describe(checked.error())));
  }
  return {};
}

}  // namespace

Result<json::object> hand_out(Transaction& store, const Ports& ports, const JobView& view, const Step& step,
                              const OpenedKeys& opened) {
  const std::string_view kind = step.kind;
  const bool secret = kind == "create_token" || kind == "replace_admin_key" || kind == "replace_puk" ||
                      kind == "set_pin" || kind == "unblock_pin" || kind == "block_pin" || kind == "erase_token";
  if (secret) CARDEA_TRY(tell(store, ports, view, step));
  if (kind == "create_token") return give_new_token(ports, view, step);
  if (kind == "initialise_token") return give_first_secrets(step);
  if (kind == "replace_admin_key") return give_admin_key(ports, view, step);
  if (kind == "replace_puk") return give_puk(ports, view, step);
  if (kind == "set_pin" || kind == "unblock_pin" || kind == "block_pin") return give_pin_secrets(ports, view, step);
  if (kind == "write_certificate") return give_certificate(store, view, step);
  if (kind == "import_key") return give_archived_key(store, ports, view, step, opened);
  if (kind == "write_history") return give_history(store, ports, view, step, opened);
  if (kind == "prove_keys") return give_proof_wishes(store, view, step);
  if (kind == "answer_attestation") return give_attestation_challenge(view, step);
  if (kind == "erase_token") return give_factory_secrets(ports, view, step);
  return step.parameters;
}

Status accept(Transaction& store, const Ports& ports, JobView& view, Step& step, const json::object& result) {
  const std::string_view kind = step.kind;
  CARDEA_TRY(check_size(kind, result));
  if (kind == "inspect_token" || kind == "create_token" || kind == "initialise_token") {
    CARDEA_ASSIGN(step.result, checked_facts(result));
    return {};
  }
  step.result = result;
  if (kind == "replace_admin_key") return accept_secret_version(store, ports, view, step, false);
  if (kind == "replace_puk") return accept_secret_version(store, ports, view, step, true);
  if (kind == "set_pin" || kind == "unblock_pin") return accept_pin(store, ports, view, result);
  if (kind == "generate_key") return accept_key(step, result);
  if (kind == "make_request") return accept_request(store, view, step, result);
  if (kind == "write_certificate") return accept_written(store, view, step, result);
  if (kind == "prove_keys") return accept_proofs(store, view, step, result);
  if (kind == "erase_token") {
    view.token->secret_version = view.token->puk_version = 0;
    view.token->attestation.clear();
    return save_token(store, ports, *view.token);
  }
  return {};
}

}  // namespace cardea::manager::journal
