#include "daemon/authorities.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "domain/audit_log.h"
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
  std::string parent;  ///< name of the CA above; empty: a root
};

Result<EmbeddedWish> read_wish(const CaRecord& wanted) {
  DocumentMistakes mistakes;
  DocumentReader reader(wanted.settings, mistakes, "/settings");
  EmbeddedWish wish;
  wish.creation.name = wanted.name;
  wish.creation.subject = reader.required_text("subject", 1024);
  wish.parent = reader.text("parent", "", 64);
  const std::string key_type = reader.text("key_type", "p-256", 32);
  const std::string type = reader.text("type", wish.parent.empty() ? "root" : "issuing", 32);
  const std::string validity = reader.text("validity", "", 32);
  reader.finish();
  if (const auto known = signing_key_type(key_type)) {
    wish.creation.key_type = *known;
  } else {
    mistakes.add("/settings/key_type", known.error().detail);
  }
  if (const auto known = ca::ca_type(type)) {
    wish.creation.type = *known;
  } else {
    mistakes.add("/settings/type", known.error().detail);
  }
  if (!validity.empty()) {
    if (const auto known = IsoDuration::parse(validity)) {
      wish.creation.validity = *known;
    } else {
      mistakes.add("/settings/validity", known.error().detail);
    }
  }
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
  if (!record.enabled)
    return error(Code::not_found, fmt::format("the certification authority '{}' is switched off", record.name));
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

Result<std::vector<http::OwnCa>> Authorities::all_local() {
  std::vector<CaRecord> records;
  CARDEA_TRY(ports_.store.read([&](Transaction& transaction) -> Status {
    Filter filter;
    filter.limit = 1000;
    CARDEA_ASSIGN(auto page, transaction.cas(filter));
    records = std::move(page.items);
    return {};
  }));
  std::vector<http::OwnCa> list;
  for (const CaRecord& record : records) {
    auto own = open(record);
    if (own) list.push_back(std::move(*own));
  }
  return list;
}

Result<CaRecord> Authorities::make_embedded(const CaRecord& wanted) {
  CARDEA_ASSIGN(EmbeddedWish wish, read_wish(wanted));
  wish.creation.urls = urls_of(public_url_, wanted.name);
  const ca::EmbeddedParts parts{parts_.keys, parts_.status, parts_.clock};
  CaRecord made = wanted;
  if (wish.parent.empty()) {
    CARDEA_ASSIGN(const auto settings, ca::create_root(parts, wish.creation));
    made.settings = ca::write_settings(settings);
    return made;
  }
  CARDEA_ASSIGN(const CaRecord above, ca_named(ports_.store, wish.parent));
  if (above.connector != "embedded")
    return error(Code::arguments_bad, fmt::format("'{}' is no authority that we run", wish.parent));
  CARDEA_ASSIGN(auto above_settings, ca::read_settings(above.settings));
  CARDEA_ASSIGN(const auto parent, ca::EmbeddedCa::open(above.id, std::move(above_settings), parts));
  CARDEA_ASSIGN(const auto settings, ca::create_below(parts, wish.creation, *parent));
  made.settings = ca::write_settings(settings);
  return made;
}

Result<CaRecord> Authorities::create(const Actor& actor, const CaRecord& wanted) {
  CARDEA_TRY(require(actor, Right::ca_write));
  if (wanted.connector != "embedded")
    return error(Code::arguments_bad,
                 fmt::format("'{}' is no kind of authority; there is: embedded", wanted.connector));
  if (const auto taken = ca_named(ports_.store, wanted.name); taken)
    return error(Code::exists, fmt::format("there is an authority '{}' already", wanted.name));
  CARDEA_ASSIGN(CaRecord made, make_embedded(wanted));
  if (made.retry_schedule.empty()) made.retry_schedule = RetrySchedule::standard;
  CARDEA_TRY(RetrySchedule::parse(made.retry_schedule));
  made.created = made.updated = ports_.clock.now();
  CARDEA_TRY(ports_.store.transact([&](Transaction& transaction) -> Status {
    CARDEA_ASSIGN(made.id, transaction.insert(made));
    return audit(transaction, actor, made.created, AuditAction::ca_saved, fmt::format("ca:{}", made.id),
                 {{"name", made.name}, {"connector", made.connector}});
  }));
  CARDEA_ASSIGN(const http::OwnCa own, open(made));
  CARDEA_TRY(announce(own));
  return made;
}

Status Authorities::announce(const http::OwnCa& own) {
  if (!told_) return {};
  CARDEA_ASSIGN(const std::string pem, x509::to_pem("CERTIFICATE", own.ca->certificate()));
  told_(pem);
  return {};
}

}  // namespace cardea::manager
