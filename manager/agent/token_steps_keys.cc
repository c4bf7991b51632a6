// The steps around keys, certificates and objects.
#include <fmt/format.h>
#include <boost/json.hpp>

#include "agent/key_use.h"
#include "agent/parameters.h"
#include "agent/token_steps.h"
#include "crypto/digest.h"
#include "x509/encoding.h"
#include "x509/request.h"

namespace cardea::agent {
namespace {

Result<Hash> hash_of(const json::object& parameters) {
  CARDEA_ASSIGN(const std::string word, optional_text(parameters, "hash"));
  if (word.empty()) return Hash::none;
  if (word == "sha256") return Hash::sha256;
  if (word == "sha384") return Hash::sha384;
  if (word == "sha512") return Hash::sha512;
  return error(Code::arguments_bad, fmt::format("the daemon's hash '{}' is unknown", word));
}

x509::Scheme scheme_of(crypto::KeyAlgorithm algorithm) {
  switch (crypto::facts_of(algorithm).family) {
    case crypto::KeyFamily::rsa:
      return x509::Scheme::rsa_pkcs1;
    case crypto::KeyFamily::ec:
      return x509::Scheme::ecdsa;
    case crypto::KeyFamily::edwards:
      return x509::Scheme::eddsa;
    default:
      return x509::Scheme::post_quantum;
  }
}

Result<json::array> key_names(const std::vector<std::size_t>& numbers, const std::vector<ArchivedKey>& keys) {
  json::array names;
  for (const std::size_t number : numbers) {
    CARDEA_ASSIGN(const Bytes key, certified_key(keys[number].certificate));
    CARDEA_ASSIGN(const Bytes digest, key_digest(key));
    names.emplace_back(to_hex(digest));
  }
  return names;
}

/// Whether the token has nothing to state, rather than that it could not be asked.
bool says_nothing(Code code) {
  switch (code) {
    case Code::device_removed:
    case Code::timed_out:
    case Code::device_error:
    case Code::token_absent:
    case Code::function_canceled:
    case Code::user_not_logged_in:
    case Code::pin_incorrect:
    case Code::pin_locked:
      return false;
    default:
      return true;
  }
}

}  // namespace

Result<json::object> TokenSteps::generate_key(const json::object& parameters) {
  CARDEA_ASSIGN(const std::string container, required_text(parameters, "container"));
  CARDEA_ASSIGN(const std::string algorithm, required_text(parameters, "algorithm"));
  CARDEA_ASSIGN(const Bytes replace, optional_hex(parameters, "replace"));
  CARDEA_ASSIGN(KeySpec spec, parse_key_spec(algorithm));
  CARDEA_ASSIGN(spec.pin_policy, optional_text(parameters, "pin_policy"));
  CARDEA_ASSIGN(spec.touch_policy, optional_text(parameters, "touch_policy"));
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(const Bytes key_info, token->generate(*this, container, spec, replace));
  return json::object{{"spki", x509::to_base64(key_info)}};
}

// A token that states nothing is no failure: whether that will do is for the daemon to say.
Result<json::object> TokenSteps::attest_key(const json::object& parameters) {
  CARDEA_ASSIGN(const std::string container, required_text(parameters, "container"));
  CARDEA_ASSIGN(const Bytes nonce, required_bytes(parameters, "nonce"));
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(const Bytes key_info, token->public_key(container));
  json::object result{{"spki", x509::to_base64(key_info)}, {"format", ""}};
  const Result<KeyStatement> statement = token->attest(*this, container, nonce);
  if (!statement && says_nothing(statement.code())) return result;
  if (!statement) return statement.error();
  if (!statement->tpm.empty()) {
    result["format"] = "tpm";
    result["statement"] = statement->tpm;
    return result;
  }
  json::array certificates;
  for (const Bytes& certificate : statement->certificates) certificates.emplace_back(x509::to_base64(certificate));
  result["format"] = "yubico-piv";
  result["certificates"] = std::move(certificates);
  return result;
}

Result<json::object> TokenSteps::answer_attestation(const json::object& parameters) {
  CARDEA_ASSIGN(const std::string credential, optional_text(parameters, "credential"));
  if (credential.empty()) return json::object();
  CARDEA_ASSIGN(const Bytes bytes, required_bytes(parameters, "credential"));
  CARDEA_ASSIGN(Device* const token, device());
  const Result<SecretBytes> answer = token->answer_attestation(bytes);
  // A credential for another TPM is what this step is to find out.
  if (!answer && says_nothing(answer.code())) return json::object{{"answer", ""}};
  if (!answer) return answer.error();
  return json::object{{"answer", x509::to_base64(answer->view())}};
}

Result<json::object> TokenSteps::make_request(const json::object& parameters) {
  CARDEA_ASSIGN(const std::string container, required_text(parameters, "container"));
  x509::RequestSpec spec;
  CARDEA_ASSIGN(spec.subject, optional_text(parameters, "subject"));
  CARDEA_ASSIGN(const Hash hash, hash_of(parameters));
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(const Bytes key_info, token->public_key(container));
  CARDEA_ASSIGN(const SignaturePlan plan, plan_signature(key_info, hash));
  const auto sign = [&](ByteView to_be_signed) -> Result<Bytes> {
    CARDEA_ASSIGN(KeySignature signature, token->sign(*this, container, plan.hash, to_be_signed));
    return std::move(signature.signature);
  };
  CARDEA_ASSIGN(const Bytes request, x509::make_request(spec, key_info, scheme_of(plan.algorithm), plan.hash, sign));
  return json::object{{"csr", x509::to_base64(request)}};
}

Result<json::object> TokenSteps::import_key(const json::object& parameters) {
  CARDEA_ASSIGN(const std::string container, required_text(parameters, "container"));
  CARDEA_ASSIGN(const SecretBytes pkcs8, required_secret(parameters, "pkcs8"));
  CARDEA_ASSIGN(const Bytes expected, required_bytes(parameters, "spki"));
  CARDEA_ASSIGN(const Bytes replace, optional_hex(parameters, "replace"));
  CARDEA_ASSIGN(const Bytes own, public_half(pkcs8));
  if (own != expected) return error(Code::data_invalid, "the daemon's key is not the one it announced");
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(const bool was_there, token->import_key(*this, container, pkcs8, replace));
  return json::object{{"spki", x509::to_base64(own)}, {"present", was_there}};
}

Result<json::object> TokenSteps::write_certificate(const json::object& parameters) {
  CARDEA_ASSIGN(const std::string container, required_text(parameters, "container"));
  CARDEA_ASSIGN(const Bytes certificate, required_bytes(parameters, "certificate"));
  CARDEA_ASSIGN(const std::vector<Bytes> chain, bytes_list(parameters, "chain"));
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(const Bytes read_back, token->write_certificate(*this, container, certificate));
  CARDEA_ASSIGN(const Bytes digest, crypto::digest(Hash::sha256, read_back));
  json::object result{{"certificate_sha256", to_hex(digest)}};
  if (!chain.empty()) {
    CARDEA_ASSIGN(const bool written, write_chain(*token, chain));
    result["chain"] = written ? "written" : "left_out";
  }
  return result;
}

// The credential works without them, so a token that cannot take them does not end the job.
Result<bool> TokenSteps::write_chain(Device& token, const std::vector<Bytes>& chain) {
  const Result<std::size_t> written = token.write_authorities(*this, chain);
  if (written) return true;
  const Code code = written.code();
  if (code != Code::function_not_supported && code != Code::device_memory && code != Code::data_invalid) {
    return written.error();
  }
  user_.tell(fmt::format("the certificates of the CA are left out: {}", describe(written.error())));
  return false;
}

Result<json::object> TokenSteps::write_history(const json::object& parameters) {
  CARDEA_ASSIGN(const auto objects, objects_in(parameters, "keys"));
  std::vector<ArchivedKey> keys;
  for (const json::object* const object : objects) {
    ArchivedKey& key = keys.emplace_back();
    CARDEA_ASSIGN(key.pkcs8, required_secret(*object, "pkcs8"));
    CARDEA_ASSIGN(key.certificate, required_bytes(*object, "certificate"));
  }
  CARDEA_ASSIGN(Device* const token, device());
  CARDEA_ASSIGN(const std::string leaving, optional_text(parameters, "leaving"));
  CARDEA_ASSIGN(const HistoryReport report, token->write_history(*this, keys, leaving));
  if (!report.left_out.empty()) {
    user_.tell(fmt::format("{} of {} former keys do not fit on the token", report.left_out.size(), keys.size()));
  }
  CARDEA_ASSIGN(json::array written, key_names(report.written, keys));
  CARDEA_ASSIGN(json::array present, key_names(report.present, keys));
  CARDEA_ASSIGN(json::array left_out, key_names(report.left_out, keys));
  return json::object{
      {"written", std::move(written)}, {"present", std::move(present)}, {"left_out", std::move(left_out)}};
}

Result<json::object> TokenSteps::write_objects(const json::object& parameters) {
  CARDEA_ASSIGN(const json::object objects, optional_object(parameters, "objects"));
  CARDEA_ASSIGN(Device* const token, device());
  json::array written;
  for (const auto& [name, value] : objects) {
    CARDEA_ASSIGN(const std::optional<SecretBytes> content, optional_secret(objects, name));
    CARDEA_TRY(token->write_object(*this, std::string(name), content ? content->view() : ByteView()));
    written.emplace_back(name);
  }
  return json::object{{"written", std::move(written)}};
}

Result<json::object> TokenSteps::prove_keys(const json::object& parameters) {
  CARDEA_ASSIGN(const auto wishes, objects_in(parameters, "containers"));
  CARDEA_ASSIGN(Device* const token, device());
  json::array proofs;
  for (const json::object* const wish : wishes) {
    CARDEA_ASSIGN(const std::string container, required_text(*wish, "container"));
    CARDEA_ASSIGN(const Bytes nonce, required_bytes(*wish, "nonce"));
    CARDEA_ASSIGN(const KeySignature proof, token->sign(*this, container, Hash::none, nonce));
    proofs.push_back(json::object{
        {"container", container}, {"signature", x509::to_base64(proof.signature)}, {"mechanism", proof.mechanism}});
  }
  return json::object{{"proofs", std::move(proofs)}};
}

}  // namespace cardea::agent
