#include "daemon/ca_certificates.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "domain/audit_log.h"
#include "domain/certificates.h"
#include "embedded/creation.h"
#include "x509/certificate_view.h"
#include "x509/name.h"

namespace cardea::manager {
namespace {

// An authority of ours with what its row says; without a certificate where it waits for one from elsewhere.
struct Own {
  CaRecord record;
  ca::EmbeddedSettings settings;
};

Result<std::vector<Own>> own_authorities(Transaction& store) {
  std::vector<Own> list;
  Filter filter;
  filter.limit = 1000;
  CARDEA_ASSIGN(auto page, store.cas(filter));
  for (CaRecord& record : page.items) {
    if (record.connector != "embedded") continue;
    CARDEA_ASSIGN(ca::EmbeddedSettings settings, ca::read_settings(record.settings));
    list.push_back({std::move(record), std::move(settings)});
  }
  return list;
}

Result<std::optional<Certificate>> row_of(Transaction& store, Id issuer, ByteView certificate) {
  CARDEA_ASSIGN(const CertificateFacts facts, certificate_facts(certificate));
  auto row = store.certificate_by_serial(issuer, facts.serial);
  if (row) return std::optional(std::move(*row));
  return row.code() == Code::not_found ? Result<std::optional<Certificate>>(std::nullopt) : std::move(row).error();
}

Status audit_authority(Transaction& store, const Actor& actor, const CaRecord& ca) {
  return audit(store, actor, ca.updated, AuditAction::ca_saved, fmt::format("ca:{}", ca.id),
               {{"name", ca.name}, {"connector", ca.connector}, {"enabled", ca.enabled}});
}

// The record of an authority's certificate at its issuer; it is in use from the beginning.
Status record_certificate(Transaction& store, const Actor& actor, const ca::EmbeddedSettings& settings, Time now) {
  CARDEA_ASSIGN(const auto known, row_of(store, settings.issuer, settings.certificate));
  if (known) return {};
  CARDEA_ASSIGN(const CertificateFacts facts, certificate_facts(settings.certificate));
  Certificate row;
  row.state = CertificateState::active;
  row.ca = settings.issuer;
  row.serial = row.reference = facts.serial;
  row.subject = facts.subject;
  row.issuer = facts.issuer;
  row.der = settings.certificate;
  CARDEA_ASSIGN(row.public_key_hash, crypto::digest(Hash::sha256, facts.spki));
  row.not_before = facts.not_before;
  row.not_after = facts.not_after;
  row.created = row.updated = now;
  CARDEA_ASSIGN(row.id, store.insert(row));
  return audit(store, actor, now, AuditAction::certificate_issued, fmt::format("certificate:{}", row.id),
               {{"serial", row.serial}, {"ca", row.ca}});
}

Status supersede(Transaction& store, const Actor& actor, const ca::EmbeddedSettings& before, Time now) {
  CARDEA_ASSIGN(auto row, row_of(store, before.issuer, before.certificate));
  if (!row || row->state != CertificateState::active) return {};
  CARDEA_ASSIGN(row->state, after(row->state, "supersede"));
  row->updated = now;
  CARDEA_TRY(store.update(*row));
  return audit(store, actor, now, AuditAction::certificate_superseded, fmt::format("certificate:{}", row->id), {});
}

// Authorities below go on with the new certificate and what is above it.
Status replace_in_chains(Transaction& store, const Actor& actor, const Bytes& before,
                         const ca::EmbeddedSettings& renewed, Time now) {
  CARDEA_ASSIGN(auto authorities, own_authorities(store));
  for (Own& one : authorities) {
    std::vector<Bytes>& chain = one.settings.chain;
    const auto place = std::ranges::find(chain, before);
    if (place == chain.end()) continue;
    chain.erase(place, chain.end());
    chain.push_back(renewed.certificate);
    chain.insert(chain.end(), renewed.chain.begin(), renewed.chain.end());
    one.record.settings = ca::write_settings(one.settings);
    one.record.updated = now;
    CARDEA_TRY(store.update(one.record));
    CARDEA_TRY(audit_authority(store, actor, one.record));
  }
  return {};
}

Status follow_certificate(Transaction& store, const Actor& actor, const std::optional<CaRecord>& before,
                          const CaRecord& changed, Time now) {
  CARDEA_ASSIGN(const ca::EmbeddedSettings present, ca::read_settings(changed.settings));
  if (present.certificate.empty()) return {};
  if (present.issuer != 0) CARDEA_TRY(record_certificate(store, actor, present, now));
  if (!before) return {};
  CARDEA_ASSIGN(const ca::EmbeddedSettings earlier, ca::read_settings(before->settings));
  if (earlier.certificate.empty() || earlier.certificate == present.certificate) return {};
  if (earlier.issuer != 0) CARDEA_TRY(supersede(store, actor, earlier, now));
  return replace_in_chains(store, actor, earlier.certificate, present, now);
}

// By key and name, since an issuer may have a later certificate by now.
Result<Id> find_issuer(const std::vector<Own>& authorities, const ca::EmbeddedSettings& below) {
  CARDEA_ASSIGN(const x509::CertificateView wanted, x509::view_certificate(below.chain.front()));
  for (const Own& one : authorities) {
    if (one.settings.certificate.empty()) continue;
    CARDEA_ASSIGN(const x509::CertificateView seen, x509::view_certificate(one.settings.certificate));
    CARDEA_ASSIGN(const bool named, x509::same_name(seen.subject, wanted.subject));
    if (named && same_bytes(seen.key_info, wanted.key_info)) return one.record.id;
  }
  return Id{0};
}

}  // namespace

Status store_authority(Transaction& store, const Actor& actor, CaRecord& changed, Time now) {
  changed.updated = now;
  std::optional<CaRecord> before;
  if (changed.id == 0) {
    CARDEA_ASSIGN(changed.id, store.insert(changed));
  } else {
    CARDEA_ASSIGN(before, store.ca(changed.id));
    CARDEA_TRY(store.update(changed));
  }
  if (changed.connector == "embedded") CARDEA_TRY(follow_certificate(store, actor, before, changed, now));
  return audit_authority(store, actor, changed);
}

Result<std::vector<std::string>> record_ca_certificates(const Ports& ports) {
  std::vector<Own> authorities;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(authorities, own_authorities(store));
    return {};
  }));
  std::vector<std::string> recorded;
  for (Own& one : authorities) {
    if (one.settings.issuer != 0 || one.settings.chain.empty()) continue;
    CARDEA_ASSIGN(one.settings.issuer, find_issuer(authorities, one.settings));
    if (one.settings.issuer == 0) continue;
    one.record.settings = ca::write_settings(one.settings);
    const Status stored = ports.store.transact([&](Transaction& store) {
      CaRecord changed = one.record;
      return store_authority(store, manager_actor(), changed, ports.clock.now());
    });
    // Another daemon was faster.
    if (stored.code() == Code::key_changed) continue;
    CARDEA_TRY(stored);
    recorded.push_back(one.record.name);
  }
  return recorded;
}

Result<CaRecord> renew_authority(const Ports& ports, const ca::ConnectorParts& parts, const Actor& actor,
                                 const CaRecord& record, std::optional<IsoDuration> validity) {
  CARDEA_ASSIGN(ca::EmbeddedSettings settings, ca::read_settings(record.settings));
  if (settings.certificate.empty()) return error(Code::action_prohibited, "it has no certificate yet");
  if (settings.chain.empty())
    return error(Code::action_prohibited,
                 "a root is not renewed, since everybody would have to be given the new one: make its successor");
  if (settings.issuer == 0)
    return error(Code::action_prohibited,
                 "it is below an authority that somebody else runs: have its request certified there again, then "
                 "install the certificate");
  std::optional<CaRecord> above;
  std::optional<Certificate> present;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(above, store.ca(settings.issuer));
    CARDEA_ASSIGN(present, row_of(store, settings.issuer, settings.certificate));
    return {};
  }));
  if (present && present->revoked_at)
    return error(Code::action_prohibited, fmt::format("its certificate was revoked ({})", present->revocation_reason));
  if (!above->enabled)
    return error(Code::action_prohibited, fmt::format("the certification authority '{}' is switched off", above->name));
  const ca::EmbeddedParts embedded{parts.keys, parts.status, parts.clock};
  CARDEA_ASSIGN(ca::EmbeddedSettings above_settings, ca::read_settings(above->settings));
  CARDEA_ASSIGN(const auto parent, ca::EmbeddedCa::open(above->id, std::move(above_settings), embedded));
  CARDEA_ASSIGN(settings, ca::renew_certificate(embedded, std::move(settings), *parent, validity));
  CaRecord renewed = record;
  renewed.settings = ca::write_settings(settings);
  CaRecord stored;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) {
    stored = renewed;
    return store_authority(store, actor, stored, ports.clock.now());
  }));
  return stored;
}

}  // namespace cardea::manager
