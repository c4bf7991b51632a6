#include "tpm/administration.h"

#include "tpm/directories.h"
#include "tpm/tpm_token.h"

namespace cardea::tpm {
namespace {

Result<CardState> read_card(const Settings& settings, const std::string& serial) {
  const std::filesystem::path directory = state_directory(settings);
  const bool for_group = !settings.tpm.state_directory.empty();
  if (!is_serial(serial)) return error(Code::not_found, "no virtual card has the serial number " + serial);
  CARDEA_TRY(check_directory(directory, for_group));
  CARDEA_TRY(check_directory(directory / serial, for_group));
  CARDEA_ASSIGN(auto read, StateFile(directory / serial).read());
  return std::move(read.first);
}

/// How the card and the TPM get along.
void compare(Tpm& tpm, const CardState& card, CardReport& report) {
  const Status asked = tpm.run([&](TpmAccess& access) -> Status {
    CARDEA_ASSIGN(report.lock_out, access.connection.lock_out());
    return {};
  });
  const auto derive = [&](TpmAccess& access) -> Status {
    CARDEA_TRY(storage_key(tpm, access, card.description));
    access.release_storage_key();
    return {};
  };
  const Status derived = asked ? tpm.run(derive) : asked;
  if (!derived) {
    const bool other = asked && derived.code() == Code::device_error;
    report.health = other ? CardHealth::other_tpm : CardHealth::no_tpm;
    report.words = derived.error().detail;
  } else if (report.lock_out.active) {
    report.health = CardHealth::locked_out;
    report.words = "the TPM is locked out after wrong PINs and forgets one every " +
                   std::to_string(report.lock_out.seconds_per_try) + " seconds";
  }
}

Result<std::shared_ptr<TpmToken>> open_card(const Settings& settings, const std::string& serial) {
  if (!is_serial(serial)) return error(Code::not_found, "no virtual card has the serial number " + serial);
  return TpmToken::open(settings, serial, shared_tpm(settings.tpm));
}

Result<std::shared_ptr<TpmToken>> open_card(const Settings& settings, const std::string& serial, const Pin& user_pin) {
  CARDEA_ASSIGN(std::shared_ptr<TpmToken> card, open_card(settings, serial));
  CARDEA_TRY(card->login(Role::user, user_pin));
  return card;
}

Result<ObjectId> choose_key(TpmToken& card, const KeyChoice& choice) {
  Query query{.match = {}, .include_private = true};
  query.match.set_ulong(CKA_CLASS, CKO_PRIVATE_KEY);
  if (choice.label) query.match.set(CKA_LABEL, view_of(*choice.label));
  if (choice.id) query.match.set(CKA_ID, *choice.id);
  std::vector<ObjectId> found;
  CARDEA_TRY(card.find(query, [&](const ObjectPtr& object) { found.push_back(object->id); }));
  if (found.empty()) return error(Code::not_found, "the card has no such private key");
  if (found.size() > 1) return error(Code::arguments_bad, "several private keys fit");
  return found.front();
}

}  // namespace

Result<AttestationStatement> attest_key(const Settings& settings, const std::string& serial, const Pin& user_pin,
                                        const KeyChoice& choice, ByteView nonce) {
  CARDEA_ASSIGN(const std::shared_ptr<TpmToken> card, open_card(settings, serial, user_pin));
  CARDEA_ASSIGN(const ObjectId key, choose_key(*card, choice));
  return card->attest(key, nonce);
}

Result<SecretBytes> activate_credential(const Settings& settings, const std::string& serial,
                                        const Credential& credential) {
  CARDEA_ASSIGN(const std::shared_ptr<TpmToken> card, open_card(settings, serial));
  return card->activate(credential);
}

Result<Bytes> storage_key_area(const Settings& settings, const std::string& serial) {
  CARDEA_ASSIGN(const std::shared_ptr<TpmToken> card, open_card(settings, serial));
  return card->storage_key_area();
}

Status import_wrapped_key(const Settings& settings, const std::string& serial, const Pin& user_pin,
                          const WrappedKey& wrapped, const std::string& label, ByteView id) {
  CARDEA_ASSIGN(const std::shared_ptr<TpmToken> card, open_card(settings, serial, user_pin));
  return card->import_wrapped(wrapped, label, id);
}

Result<std::string> create_card(const Settings& settings, const NewCard& card) {
  return create_card(settings, *shared_tpm(settings.tpm), card);
}

std::vector<CardReport> look_at_cards(const Settings& settings) {
  std::vector<CardReport> reports;
  const std::shared_ptr<Tpm> tpm = shared_tpm(settings.tpm);
  for (const std::string& serial : list_cards(state_directory(settings))) {
    CardReport report{.serial = serial, .label = {}, .words = {}, .lock_out = {}};
    const Result<CardState> card = read_card(settings, serial);
    if (card) {
      report.label = card->description.label;
      for (const auto& [id, stored] : card->objects) report.keys += stored.key ? 1 : 0;
      compare(*tpm, *card, report);
    } else {
      report.health = CardHealth::unreadable;
      report.words = describe(card.error());
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

Status destroy_card(const Settings& settings, const std::string& serial) {
  CARDEA_TRY(check_directory(state_directory(settings), !settings.tpm.state_directory.empty()));
  return remove_directory(state_directory(settings), serial, "virtual card");
}

Status renew_card(const Settings& settings, const std::string& serial, const NewCard& secrets) {
  CARDEA_ASSIGN(const CardState card, read_card(settings, serial));
  const std::shared_ptr<Tpm> tpm = shared_tpm(settings.tpm);
  CARDEA_ASSIGN(const Enrolment enrolment, enrol(*tpm, serial, secrets, pin_lengths(card.description, settings.tpm)));
  if (enrolment.storage_key_name == card.description.storage_key_name) {
    return error(Code::exists, "the card is this TPM's, and its keys are there");
  }
  const StateFile file(state_directory(settings) / serial);
  CARDEA_TRY(file.write([&](CardWriter& writer) -> Status {
    CARDEA_TRY(writer.move_to(enrolment.storage_key_name));
    CARDEA_TRY(writer.remember(enrolment.rsa));
    for (const auto& [which, blob] : enrolment.openers) CARDEA_TRY(writer.put(which, blob));
    return {};
  }));
  return {};
}

Status unblock_card(const Settings& settings, const std::string& serial, const Answerer& answerer, const Pin& new_pin) {
  CARDEA_ASSIGN(const CardState card, read_card(settings, serial));
  CARDEA_TRY(check_pin_length(pin_lengths(card.description, settings.tpm), new_pin));
  const std::shared_ptr<Tpm> tpm = shared_tpm(settings.tpm);
  CARDEA_ASSIGN(const SecretBytes secret, open_with_answer(*tpm, card, answerer));
  CARDEA_ASSIGN(const Blob blob, seal_with_pin(*tpm, card.description, secret, Opener::user_pin, new_pin));
  const StateFile file(state_directory(settings) / serial);
  CARDEA_TRY(file.write([&](CardWriter& writer) { return writer.put(Opener::user_pin, blob); }));
  return {};
}

}  // namespace cardea::tpm
