// A token and the agent that works on it, for tests of the domain: runs steps as docs/manager.md describes them.
#pragma once

#include <map>

#include <boost/json/serialize.hpp>

#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/key_der.h"
#include "crypto/key_encoding.h"
#include "domain/archive.h"
#include "domain/journal.h"
#include "domain/journal_parts.h"
#include "domain/token_secrets.h"
#include "x509/encoding.h"

namespace cardea::manager::testing {

class FakeToken {
 public:
  struct Container {
    SecretBytes pkcs8;
    Bytes spki;
    Bytes certificate;
  };

  std::string kind = "piv";
  std::string serial = "1001";
  std::string puk = "12345678";
  std::string so_pin;
  bool exists = true;
  bool blocked = false;
  Bytes admin_key;  ///< empty: the factory's
  std::map<std::string, Container> containers;
  std::vector<Bytes> history;  ///< public keys, newest first
  std::size_t history_places = 20;
  std::string device = "fake:1";  ///< the hardware that it says its keys are in; empty: it says nothing
  std::string attested_pin_policy;
  bool true_statement = true;
  bool right_answer = true;
  bool attests_other_key = false;
  bool lacks_card_uuid = false;
  bool blank = false;  ///< a card without layout and number

  /// Does what the step says and answers its result; a step that was done before has the same end.
  json::object run(const NextStep& step) {
    const auto& in = step.parameters;
    const std::string container = journal::text_of(in, "container");
    if (step.kind == "inspect_token") return facts();
    if (step.kind == "create_token") {
      exists = true;
      so_pin = journal::text_of(in, "so_pin");
      if (kind == "tpm") puk = journal::text_of(in, "puk"), admin_key = journal::bytes_of(in, "admin_key");
      return facts();
    }
    if (step.kind == "initialise_token") {
      blank = false;
      admin_key.clear();
      return facts();
    }
    if (step.kind == "replace_admin_key") {
      admin_key = journal::bytes_of(in, "new_key");
      return {};
    }
    if (step.kind == "replace_puk") return replace_puk(in);
    if (step.kind == "generate_key") return generate(container, journal::text_of(in, "algorithm"));
    if (step.kind == "attest_key") return attest(in, container);
    if (step.kind == "answer_attestation") {
      if (journal::text_of(in, "credential").empty()) return {};
      return {{"answer", journal::base64(Bytes{static_cast<Byte>(right_answer ? 1 : 2)})}};
    }
    if (step.kind == "make_request")
      return {{"csr", journal::base64(*request_for_key(containers.at(container).pkcs8))}};
    if (step.kind == "import_key") {
      containers[container].pkcs8 = SecretBytes(journal::bytes_of(in, "pkcs8"));
      containers[container].spki = journal::bytes_of(in, "spki");
      return {{"spki", in.at("spki")}, {"present", false}};
    }
    if (step.kind == "write_certificate") {
      containers[container].certificate = journal::bytes_of(in, "certificate");
      return {{"certificate_sha256", to_hex(*crypto::digest(Hash::sha256, containers[container].certificate))}};
    }
    if (step.kind == "write_history") return write_history(in);
    if (step.kind == "write_objects") {
      lacks_card_uuid = lacks_card_uuid && !in.at("objects").as_object().contains("chuid");
      return {};
    }
    if (step.kind == "prove_keys") return prove(in);
    if (step.kind == "unblock_pin") {
      if (journal::text_of(in, "puk") == (so_pin.empty() ? puk : so_pin)) blocked = false;
      return {};
    }
    if (step.kind == "erase_token") erase(in);
    return {};
  }

 private:
  json::object facts() const {
    json::array held;
    for (const auto& [name, one] : containers)
      held.push_back(
          json::object{{"container", name},
                       {"spki", journal::base64(one.spki)},
                       {"certificate_sha256",
                        one.certificate.empty() ? "" : to_hex(*crypto::digest(Hash::sha256, one.certificate))}});
    json::object out = {{"kind", kind},
                        {"serial", exists && !blank ? serial : ""},
                        {"model", "fake"},
                        {"containers", held},
                        {"attests", !device.empty()},
                        {"lacks_card_uuid", lacks_card_uuid},
                        {"blank", blank}};
    if (kind == "piv") out["factory"] = {{"admin_key", admin_key.empty()}};
    if (kind == "piv" || kind == "gids") out["admin_algorithm"] = "3des";
    return out;
  }
  json::object replace_puk(const json::object& in) {
    std::string& held = kind == "keystore" ? so_pin : puk;
    const std::string fresh = journal::text_of(in, "new_puk");
    // As a device does: the new one may be there already.
    if (held != fresh && held == journal::text_of(in, "old_puk")) held = fresh;
    return {};
  }
  json::object generate(const std::string& container, const std::string& algorithm) {
    auto fresh = generate_decryption_key(algorithm);
    containers[container] = Container{std::move(fresh->pkcs8), fresh->spki, {}};
    return {{"spki", journal::base64(fresh->spki)}};
  }
  // As FakeVerifier reads it.
  json::object attest(const json::object& in, const std::string& container) const {
    Bytes spki = containers.at(container).spki;
    if (attests_other_key) spki = generate_decryption_key("ec:P-256")->spki;
    return {{"spki", journal::base64(spki)},
            {"format", device.empty() ? "" : "fake"},
            {"about", journal::base64(spki)},
            {"nonce", in.at("nonce")},
            {"device", device},
            {"pin_policy", attested_pin_policy},
            {"true", true_statement}};
  }
  json::object write_history(const json::object& in) {
    json::array written;
    json::array left_out;
    history.clear();
    for (const auto& key : in.at("keys").as_array()) {
      const Bytes spki = journal::bytes_of(key.as_object(), "spki");
      if (history.size() == history_places) {
        left_out.emplace_back(to_hex(*crypto::digest(Hash::sha256, spki)));
        continue;
      }
      history.push_back(spki);
      written.emplace_back(to_hex(*crypto::digest(Hash::sha256, spki)));
    }
    return {{"written", written}, {"left_out", left_out}};
  }
  json::object prove(const json::object& in) {
    json::array proofs;
    for (const auto& one : in.at("containers").as_array()) {
      const std::string container = journal::text_of(one.as_object(), "container");
      const Bytes nonce = journal::bytes_of(one.as_object(), "nonce");
      const auto key = *crypto::from_private_key_info(containers.at(container).pkcs8.view());
      const Bytes digest = *crypto::digest(Hash::sha256, nonce);
      Bytes flat(key->output_size());
      const std::size_t size = *key->ecdsa_sign(digest, flat);
      const Bytes r = crypto::der_integer<Bytes>(ByteView(flat).first(size / 2));
      const Bytes s = crypto::der_integer<Bytes>(ByteView(flat).subspan(size / 2, size / 2));
      proofs.push_back(json::object{{"container", container},
                                    {"mechanism", "ecdsa-sha256"},
                                    {"signature", journal::base64(crypto::der<Bytes>(0x30, {r, s}))}});
    }
    return {{"proofs", proofs}};
  }
  void erase(const json::object& in) {
    containers.clear();
    history.clear();
    admin_key.clear();
    const auto& restore = in.at("restore").as_object();
    if (restore.contains("puk")) puk = journal::text_of(restore, "puk");
    if (kind == "keystore" || kind == "tpm") exists = false;
  }
};

}  // namespace cardea::manager::testing
