#include "daemon/authorities.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "daemon/ca_certificates.h"
#include "domain/ca_retry.h"
#include "domain/document_reader.h"
#include "domain/iso_duration.h"
#include "embedded/creation.h"
#include "embedded/embedded_ca.h"
#include "embedded/settings.h"
#include "x509/encoding.h"

namespace cardea::manager {
namespace {

// How long a name is believed to mean the same authority, so that an OCSP request needs no look into the store for it.
constexpr std::chrono::seconds name_lifetime{1};

// What a new embedded CA is to be, as the interface takes it.
struct EmbeddedWish {
  ca::CaCreation creation;
  std::string parent;     ///< name of the CA above; empty: a root
  bool external = false;  ///< the certificate will come from an authority that somebody else runs
  json::object chosen;    ///< settings that can be changed later, too
};

constexpr std::array creation_settings{"subject", "parent", "external", "type", "key_type", "scheme", "validity"};

// Reads a word by `parse` when it is there.
template <class T, class Parse>
void read_word(DocumentReader& reader, DocumentMistakes& mistakes, std::string_view name, T& out, Parse&& parse) {
  const std::string given = reader.text(name, "", 32);
  if (given.empty()) return;
  if (const auto known = parse(given)) {
    out = *known;
  } else {
    mistakes.add(fmt::format("/settings/{}", name), known.error().detail);
  }
}

Result<EmbeddedWish> read_wish(const CaRecord& wanted) {
  EmbeddedWish wish;
  json::object creation;
  for (const auto& [name, value] : wanted.settings) {
    const bool first = std::ranges::find(creation_settings, std::string_view(name)) != creation_settings.end();
    (first ? creation : wish.chosen)[name] = value;
  }
  DocumentMistakes mistakes;
  DocumentReader reader(creation, mistakes, "/settings");
  wish.creation.name = wanted.name;
  wish.creation.subject = reader.required_text("subject", 1024);
  wish.parent = reader.text("parent", "", 64);
  wish.external = reader.flag("external", false);
  if (wish.external && !wish.parent.empty())
    mistakes.add("/settings/external", "An authority is below one of ours or below another's, not both.");
  if (wish.external || !wish.parent.empty()) wish.creation.type = ca::CaType::issuing;
  read_word(reader, mistakes, "type", wish.creation.type, ca::ca_type);
  read_word(reader, mistakes, "key_type", wish.creation.key_type, signing_key_type);
  read_word(reader, mistakes, "scheme", wish.creation.scheme, signature_scheme);
  read_word(reader, mistakes, "validity", wish.creation.validity, IsoDuration::parse);
  reader.finish();
  CARDEA_TRY(mistakes.status());
  return wish;
}

// Blanks are allowed in names.
std::string in_url(std::string_view name) {
  std::string out;
  for (const char letter : name) {
    if (letter == ' ') {
      out += "%20";
    } else {
      out += letter;
    }
  }
  return out;
}

ca::PublicUrls urls_of(const std::string& base, std::string_view name) {
  if (base.empty()) return {};
  const std::string place = in_url(name);
  return {.crl = fmt::format("{}/crl/{}.crl", base, place),
          .ocsp = fmt::format("{}/ocsp/{}", base, place),
          .issuer = fmt::format("{}/certificates/{}.cer", base, place)};
}

Status check_embedded(const CaRecord& ca) {
  if (ca.connector == "embedded") return {};
  return error(Code::arguments_bad, fmt::format("'{}' is no authority that we run", ca.name));
}

Result<CaRecord> ca_named(Store& store, std::string_view name) {
  std::optional<CaRecord> found;
  CARDEA_TRY(store.read([&](Transaction& transaction) -> Status {
    CARDEA_ASSIGN(found, transaction.ca_by_name(name));
    return {};
  }));
  return std::move(*found);
}

}  // namespace

Result<http::OwnCa> Authorities::open(const CaRecord& record) {
  CARDEA_ASSIGN(const auto connector, ports_.authorities.connector(record));
  LocalCa* const local = connector->local();
  if (local == nullptr)
    return error(Code::not_found, fmt::format("the certification authority '{}' is run elsewhere", record.name));
  return http::OwnCa{record.id, std::shared_ptr<LocalCa>(connector, local)};
}

Result<http::OwnCa> Authorities::local(std::string_view name) {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(name);
    if (found != known_.end() && now < found->second.until) return found->second.ca;
  }
  CARDEA_ASSIGN(const CaRecord record, ca_named(ports_.store, name));
  CARDEA_ASSIGN(http::OwnCa own, open(record));
  const std::lock_guard lock(mutex_);
  known_.insert_or_assign(std::string(name), Known{own, now + name_lifetime});
  return own;
}

Result<Bytes> Authorities::certificate(std::string_view name) {
  CARDEA_ASSIGN(const CaRecord record, ca_named(ports_.store, name));
  if (record.connector != "embedded")
    return error(Code::not_found, fmt::format("the certification authority '{}' is run elsewhere", name));
  CARDEA_ASSIGN(ca::EmbeddedSettings settings, ca::read_settings(record.settings));
  if (settings.certificate.empty())
    return error(Code::not_found, fmt::format("the certification authority '{}' has no certificate yet", name));
  return std::move(settings.certificate);
}

Result<std::vector<CaRecord>> Authorities::records() {
  std::vector<CaRecord> records;
  CARDEA_TRY(ports_.store.read([&](Transaction& transaction) -> Status {
    Filter filter;
    filter.limit = 1000;
    CARDEA_ASSIGN(auto page, transaction.cas(filter));
    records = std::move(page.items);
    return {};
  }));
  std::erase_if(records, [](const CaRecord& one) { return one.connector != "embedded"; });
  return records;
}

Result<std::vector<Authorities::Local>> Authorities::all_local() {
  CARDEA_ASSIGN(const auto list, records());
  std::vector<Local> found;
  for (const CaRecord& record : list) {
    const auto settings = ca::read_settings(record.settings);
    // One that waits for its certificate has nothing to publish yet.
    if (settings && settings->certificate.empty()) continue;
    found.push_back({record.name, open(record)});
  }
  return found;
}

Result<std::vector<Bytes>> Authorities::local_certificates() {
  CARDEA_ASSIGN(const auto list, records());
  std::vector<Bytes> certificates;
  for (const CaRecord& record : list) {
    auto settings = ca::read_settings(record.settings);
    if (settings && !settings->certificate.empty()) certificates.push_back(std::move(settings->certificate));
  }
  return certificates;
}

Result<ca::EmbeddedSettings> Authorities::make_embedded(const CaRecord& wanted) {
  CARDEA_ASSIGN(EmbeddedWish wish, read_wish(wanted));
  // What was chosen is looked at before a key is made for it.
  CARDEA_TRY(ca::with_changes(ca::EmbeddedSettings(), wish.chosen));
  wish.creation.urls = urls_of(public_url_, wanted.name);
  const json::value* const answers = wish.chosen.if_contains("answers_ocsp");
  if (answers != nullptr && !answers->get_bool()) {
    wish.creation.urls.ocsp.clear();
    wish.creation.ocsp_signer = false;
  }
  const ca::EmbeddedParts parts{parts_.keys, parts_.status, parts_.clock};
  ca::EmbeddedSettings made;
  if (wish.external) {
    CARDEA_ASSIGN(made, ca::request_ca(parts, wish.creation));
  } else if (wish.parent.empty()) {
    CARDEA_ASSIGN(made, ca::create_root(parts, wish.creation));
  } else {
    CARDEA_ASSIGN(const CaRecord above, ca_named(ports_.store, wish.parent));
    CARDEA_TRY(check_embedded(above));
    CARDEA_ASSIGN(auto above_settings, ca::read_settings(above.settings));
    CARDEA_ASSIGN(const auto parent, ca::EmbeddedCa::open(above.id, std::move(above_settings), parts));
    CARDEA_ASSIGN(made, ca::create_below(parts, wish.creation, *parent));
  }
  return ca::with_changes(made, wish.chosen);
}

Result<CaRecord> Authorities::create(const Actor& actor, const CaRecord& wanted) {
  CARDEA_TRY(require(actor, Right::ca_write));
  if (wanted.connector != "embedded")
    return error(Code::arguments_bad,
                 fmt::format("'{}' is no kind of authority; there is: embedded", wanted.connector));
  CaRecord made = wanted;
  if (made.retry_schedule.empty()) made.retry_schedule = RetrySchedule::standard;
  CARDEA_TRY(RetrySchedule::parse(made.retry_schedule));
  if (const auto taken = ca_named(ports_.store, wanted.name); taken)
    return error(Code::exists, fmt::format("there is an authority '{}' already", wanted.name));
  CARDEA_ASSIGN(const ca::EmbeddedSettings settings, make_embedded(wanted));
  made.settings = ca::write_settings(settings);
  made.created = ports_.clock.now();
  if (const Status saved = save(actor, made); !saved) {
    discard_keys(made.name, settings);
    return saved.error();
  }
  return made;
}

// Only when the store surely has no authority with these keys: an error may come after what was wanted is done.
void Authorities::discard_keys(std::string_view name, const ca::EmbeddedSettings& unused) {
  const auto there = ca_named(ports_.store, name);
  if (!there && there.code() != Code::not_found) return;
  const json::value* const key = there ? there->settings.if_contains("key") : nullptr;
  if (key != nullptr && *key == json::string_view(unused.key)) return;
  static_cast<void>(ports_.keys.destroy_key(unused.key));
  if (unused.ocsp) static_cast<void>(ports_.keys.destroy_key(unused.ocsp->key));
}

Result<CaRecord> Authorities::change(const Actor& actor, CaRecord ca, const http::CaChange& wanted) {
  CARDEA_TRY(require(actor, Right::ca_write));
  if (wanted.enabled) ca.enabled = *wanted.enabled;
  if (wanted.retry_schedule) {
    CARDEA_TRY(RetrySchedule::parse(*wanted.retry_schedule));
    ca.retry_schedule = *wanted.retry_schedule;
  }
  if (!wanted.settings.empty()) {
    CARDEA_TRY(check_embedded(ca));
    CARDEA_ASSIGN(const ca::EmbeddedSettings before, ca::read_settings(ca.settings));
    CARDEA_ASSIGN(const ca::EmbeddedSettings after, ca::with_changes(before, wanted.settings));
    ca.settings = ca::write_settings(after);
    // Custom profiles are understood only by an authority that opens.
    if (!after.certificate.empty()) CARDEA_TRY(ports_.authorities.connector(ca));
  }
  CARDEA_TRY(save(actor, ca));
  return ca;
}

Result<CaRecord> Authorities::install(const Actor& actor, CaRecord ca, ByteView pem) {
  CARDEA_TRY(require(actor, Right::ca_write));
  CARDEA_TRY(check_embedded(ca));
  CARDEA_ASSIGN(ca::EmbeddedSettings settings, ca::read_settings(ca.settings));
  if (settings.request.empty())
    return error(Code::arguments_bad, fmt::format("'{}' is certified by an authority of ours", ca.name));
  auto chain = x509::all_from_pem_or_der("CERTIFICATE", pem);
  if (!chain || chain->empty())
    return error(Code::arguments_bad, "give the certificate and those above it in PEM form, the root last");
  Bytes own = std::move(chain->front());
  chain->erase(chain->begin());
  const bool signer = settings.answers_ocsp;
  CARDEA_ASSIGN(settings, ca::complete_ca({parts_.keys, parts_.status, parts_.clock}, std::move(settings),
                                          std::move(own), std::move(*chain), signer));
  ca.settings = ca::write_settings(settings);
  CARDEA_TRY(save(actor, ca));
  return ca;
}

Result<CaRecord> Authorities::renew(const Actor& actor, const CaRecord& ca, std::optional<IsoDuration> validity) {
  CARDEA_TRY(require(actor, Right::ca_write));
  CARDEA_TRY(check_embedded(ca));
  CARDEA_ASSIGN(const CaRecord renewed, renew_authority(ports_, parts_, actor, ca, validity));
  CARDEA_TRY(publish(renewed));
  return renewed;
}

Status Authorities::save(const Actor& actor, CaRecord& changed) {
  const CaRecord wanted = changed;
  CARDEA_TRY(ports_.store.transact([&](Transaction& transaction) {
    changed = wanted;
    return store_authority(transaction, actor, changed, ports_.clock.now());
  }));
  return publish(changed);
}

Status Authorities::publish(const CaRecord& changed) {
  {
    const std::lock_guard lock(mutex_);
    known_.erase(changed.name);
  }
  // One without a certificate, or switched off, has nothing to tell yet.
  auto own = open(changed);
  return own ? announce(*own) : Status();
}

Status Authorities::announce(const http::OwnCa& own) {
  if (!told_) return {};
  CARDEA_ASSIGN(const std::string pem, x509::to_pem("CERTIFICATE", own.ca->certificate()));
  told_(pem);
  return {};
}

}  // namespace cardea::manager
