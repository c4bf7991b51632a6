#include "daemon/self_renewal.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "crypto/digest.h"
#include "daemon/ca_certificates.h"
#include "daemon/private_files.h"
#include "domain/archive.h"
#include "domain/audit_log.h"
#include "domain/certificates.h"
#include "embedded/alternative_names.h"
#include "embedded/creation.h"
#include "embedded/settings.h"
#include "x509/certificate_view.h"
#include "x509/encoding.h"

namespace cardea::manager {
namespace {

namespace fs = std::filesystem;

// id-ce 17 (RFC 5280, 4.2.1.6).
constexpr std::array<Byte, 5> alternative_name_oid{0x06, 0x03, 0x55, 0x1d, 0x11};

bool ends_soon(const CertificateFacts& facts, Time now) {
  return now >= facts.not_after - (facts.not_after - facts.not_before) / 3;
}

// Whether an authority's own certificate is to be replaced.
Result<bool> is_due(const ca::EmbeddedSettings& settings, Time now) {
  if (settings.certificate.empty()) return false;
  CARDEA_ASSIGN(const CertificateFacts own, certificate_facts(settings.certificate));
  return settings.renew_before ? settings.renew_before->after(now) >= own.not_after : ends_soon(own, now);
}

// Authorities that we run and that have a certificate.
Result<std::vector<CaRecord>> own_authorities(const Ports& ports) {
  std::vector<CaRecord> records;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    Filter filter;
    filter.limit = 1000;
    CARDEA_ASSIGN(auto page, store.cas(filter));
    records = std::move(page.items);
    return {};
  }));
  std::erase_if(records, [](const CaRecord& one) { return !one.enabled || one.connector != "embedded"; });
  return records;
}

Result<bool> renew_ocsp_signer(const Ports& ports, const ca::ConnectorParts& parts, const CaRecord& record) {
  CARDEA_ASSIGN(ca::EmbeddedSettings settings, ca::read_settings(record.settings));
  if (!settings.ocsp || settings.certificate.empty()) return false;
  const Time now = ports.clock.now();
  CARDEA_ASSIGN(const CertificateFacts signer, certificate_facts(settings.ocsp->certificate));
  CARDEA_ASSIGN(const CertificateFacts own, certificate_facts(settings.certificate));
  const auto key = ports.keys.signing_key(settings.ocsp->key);
  if (!key && key.code() != Code::not_found) return std::move(key).error();
  // No signer lasts longer than its authority.
  const bool due = ends_soon(signer, now) && signer.not_after < own.not_after;
  if (key && !due) return false;
  CARDEA_ASSIGN(const ca::EmbeddedSettings renewed,
                ca::renew_ocsp_signer({parts.keys, parts.status, parts.clock}, std::move(settings)));
  const Status stored = ports.store.transact([&](Transaction& store) -> Status {
    CaRecord changed = record;
    changed.settings = ca::write_settings(renewed);
    changed.updated = now;
    CARDEA_TRY(store.update(changed));
    return audit(store, manager_actor(), now, AuditAction::ca_saved, fmt::format("ca:{}", record.id),
                 {{"name", record.name}, {"ocsp_signer", renewed.ocsp->key}});
  });
  if (stored) return true;
  // Another daemon was faster, or nothing can be stored: a key that nobody names is of no use.
  static_cast<void>(ports.keys.destroy_key(renewed.ocsp->key));
  return stored.code() == Code::key_changed ? Result<bool>(false) : Result<bool>(stored.error());
}

// Answers how many were destroyed.
Result<std::size_t> destroy_former_signers_of(const Ports& ports, const CaRecord& record) {
  CARDEA_ASSIGN(const ca::EmbeddedSettings settings, ca::read_settings(record.settings));
  const Time now = ports.clock.now();
  std::vector<std::string> gone;
  for (const ca::FormerSigner& former : settings.former_signers) {
    if (former.until > now) continue;
    // not_found: an earlier run was cut off before it could store that, or another daemon is faster.
    if (const Status done = ports.keys.destroy_key(former.key); !done && done.code() != Code::not_found)
      return done.error();
    gone.push_back(former.key);
  }
  if (gone.empty()) return 0;
  CARDEA_TRY(ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(CaRecord changed, store.ca(record.id));
    CARDEA_ASSIGN(ca::EmbeddedSettings left, ca::read_settings(changed.settings));
    const std::size_t erased = std::erase_if(left.former_signers, [&](const ca::FormerSigner& one) {
      return std::ranges::find(gone, one.key) != gone.end();
    });
    if (erased == 0) return {};
    changed.settings = ca::write_settings(left);
    changed.updated = now;
    CARDEA_TRY(store.update(changed));
    json::array keys(gone.begin(), gone.end());
    return audit(store, manager_actor(), now, AuditAction::ca_saved, fmt::format("ca:{}", changed.id),
                 {{"name", changed.name}, {"destroyed_keys", std::move(keys)}});
  }));
  return gone.size();
}

Result<bool> renew_due_authority(const Ports& ports, const ca::ConnectorParts& parts, Id id) {
  // Read now: the renewal of one above may have changed it.
  std::optional<CaRecord> record;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(record, store.ca(id));
    return {};
  }));
  CARDEA_ASSIGN(const ca::EmbeddedSettings settings, ca::read_settings(record->settings));
  CARDEA_ASSIGN(const bool due, is_due(settings, ports.clock.now()));
  if (!due || !settings.renews_itself || settings.issuer == 0) return false;
  const auto renewed = renew_authority(ports, parts, manager_actor(), *record, std::nullopt);
  if (renewed) return true;
  const bool expected = renewed.code() == Code::action_prohibited || renewed.code() == Code::key_changed;
  return expected ? Result<bool>(false) : Result<bool>(renewed.error());
}

std::string advice_for(const CaRecord& record, const ca::EmbeddedSettings& settings) {
  if (settings.chain.empty()) return "make its successor with 'cardea ca create' and give that to relying parties";
  if (settings.issuer == 0)
    return fmt::format("have its request certified again by the authority above, then 'cardea ca install {} FILE'",
                       record.name);
  if (!settings.renews_itself) return fmt::format("'cardea ca renew {}' gives it the next certificate", record.name);
  return fmt::format(
      "it could not be renewed by itself, as when the authority above ends no later; 'cardea ca renew {}' says why",
      record.name);
}

Result<std::string> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return error(Code::not_found, fmt::format("{} cannot be read", file.string()));
  return text.str();
}

Result<std::vector<Bytes>> certificates_in(const fs::path& file) {
  CARDEA_ASSIGN(const std::string text, read_file(file));
  return x509::all_from_pem_or_der("CERTIFICATE", view_of(text));
}

Result<SecretBytes> key_in(const fs::path& file) {
  CARDEA_ASSIGN(std::string text, read_file(file));
  auto der = x509::from_pem_or_der("PRIVATE KEY", view_of(text));
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  if (!der) return error(Code::data_invalid, fmt::format("{} holds no key in PKCS#8 form", file.string()));
  SecretBytes key(*der);
  wipe(*der);
  return key;
}

// The row of a certificate that an authority of ours issued.
Result<std::optional<Certificate>> row_of(const Ports& ports, const CertificateFacts& facts, const Bytes& der) {
  CARDEA_ASSIGN(const auto authorities, own_authorities(ports));
  std::optional<Certificate> found;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    found.reset();
    for (const CaRecord& one : authorities) {
      auto row = store.certificate_by_serial(one.id, facts.serial);
      if (!row && row.code() != Code::not_found) return std::move(row).error();
      if (row && row->der == der) found = std::move(*row);
    }
    return {};
  }));
  return found;
}

// What an earlier run had issued before it was cut off.
Result<std::optional<Certificate>> issued_before(const Ports& ports, const Certificate& old) {
  std::optional<Certificate> found;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    found.reset();
    Filter filter;
    filter.state = name(CertificateState::active);
    filter.ca = old.ca;
    filter.from = old.not_after;
    filter.limit = 1000;
    do {
      CARDEA_ASSIGN(auto page, store.certificates(filter));
      for (auto& one : page.items)
        if (one.id != old.id && one.public_key_hash == old.public_key_hash && one.policy == old.policy)
          found = std::move(one);
      filter.cursor = page.cursor;
    } while (!filter.cursor.empty() && !found);
    return {};
  }));
  return found;
}

Result<Certificate> issue_again(const Ports& ports, const Certificate& old, const fs::path& key_file) {
  CARDEA_ASSIGN(auto before, issued_before(ports, old));
  if (before) return std::move(*before);
  CARDEA_ASSIGN(const SecretBytes key, key_in(key_file));
  CsrIssuance wanted;
  wanted.policy = old.policy;
  CARDEA_ASSIGN(wanted.csr, request_for_key(key));
  wanted.subject = old.subject;
  CARDEA_ASSIGN(const x509::CertificateView seen, x509::view_certificate(old.der));
  wanted.alternative_names.emplace();
  if (const auto* names = x509::find_extension(seen.extensions, alternative_name_oid)) {
    CARDEA_ASSIGN(ca::DecodedNames decoded, ca::decode_alternative_names(names->value));
    wanted.alternative_names = std::move(decoded.names);
  }
  CARDEA_ASSIGN(Certificate issued, issue_for_csr(ports, manager_actor(), wanted));
  if (issued.state != CertificateState::active)
    return error(Code::timed_out, "the authority has not decided on the server's new certificate yet");
  return issued;
}

// The certificate and what is above it, without the root.
Result<std::string> chain_text(const Ports& ports, const Certificate& issued) {
  std::optional<CaRecord> record;
  CARDEA_TRY(ports.store.read([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(record, store.ca(issued.ca));
    return {};
  }));
  CARDEA_ASSIGN(const auto connector, ports.authorities.connector(*record));
  CARDEA_ASSIGN(std::string text, x509::to_pem("CERTIFICATE", issued.der));
  const LocalCa* const local = connector->local();
  if (local == nullptr || local->chain().empty()) return text;
  CARDEA_ASSIGN(const std::string issuer, x509::to_pem("CERTIFICATE", local->certificate()));
  text += issuer;
  for (std::size_t i = 0; i + 1 < local->chain().size(); ++i) {
    CARDEA_ASSIGN(const std::string above, x509::to_pem("CERTIFICATE", local->chain()[i]));
    text += above;
  }
  return text;
}

Status supersede(const Ports& ports, Id id) {
  return ports.store.transact([&](Transaction& store) -> Status {
    CARDEA_ASSIGN(Certificate row, store.certificate(id));
    if (row.state != CertificateState::active) return {};
    CARDEA_ASSIGN(row.state, after(row.state, "supersede"));
    row.updated = ports.clock.now();
    CARDEA_TRY(store.update(row));
    return audit(store, manager_actor(), row.updated, AuditAction::certificate_superseded,
                 fmt::format("certificate:{}", id));
  });
}

}  // namespace

Result<std::vector<std::string>> renew_ocsp_signers(const Ports& ports, const ca::ConnectorParts& parts) {
  CARDEA_ASSIGN(const auto authorities, own_authorities(ports));
  std::vector<std::string> renewed;
  std::optional<Error> failure;
  for (const CaRecord& record : authorities) {
    auto done = renew_ocsp_signer(ports, parts, record);
    if (done && *done) renewed.push_back(record.name);
    if (!done && !failure) failure = std::move(done).error();
  }
  if (failure) return std::move(*failure);
  return renewed;
}

Result<std::size_t> destroy_former_signers(const Ports& ports) {
  CARDEA_ASSIGN(const auto authorities, own_authorities(ports));
  std::size_t destroyed = 0;
  std::optional<Error> failure;
  for (const CaRecord& record : authorities) {
    const auto count = destroy_former_signers_of(ports, record);
    if (count) destroyed += *count;
    if (!count && !failure) failure = count.error();
  }
  if (failure) return std::move(*failure);
  return destroyed;
}

Result<std::vector<std::string>> renew_authorities(const Ports& ports, const ca::ConnectorParts& parts) {
  CARDEA_ASSIGN(const auto authorities, own_authorities(ports));
  std::vector<std::string> renewed;
  std::optional<Error> failure;
  for (const CaRecord& record : authorities) {
    auto done = renew_due_authority(ports, parts, record.id);
    if (done && *done) renewed.push_back(record.name);
    if (!done && !failure) failure = std::move(done).error();
  }
  if (failure) return std::move(*failure);
  return renewed;
}

Result<ServerCertificate> renew_server_certificate(const Ports& ports, const fs::path& certificate_file,
                                                   const fs::path& key_file) {
  CARDEA_ASSIGN(const auto present, certificates_in(certificate_file));
  CARDEA_ASSIGN(const CertificateFacts facts, certificate_facts(present.front()));
  if (!ends_soon(facts, ports.clock.now())) return ServerCertificate::good;
  CARDEA_ASSIGN(const auto old, row_of(ports, facts, present.front()));
  if (!old) return ServerCertificate::not_issued;
  CARDEA_ASSIGN(const Certificate issued, issue_again(ports, *old, key_file));
  CARDEA_ASSIGN(const std::string text, chain_text(ports, issued));
  CARDEA_TRY(replace_file(certificate_file, view_of(text), FileAccess::all));
  CARDEA_TRY(supersede(ports, old->id));
  return ServerCertificate::renewed;
}

Result<std::vector<EndingAuthority>> ending_authorities(const Ports& ports) {
  CARDEA_ASSIGN(const auto authorities, own_authorities(ports));
  std::vector<EndingAuthority> ending;
  for (const CaRecord& record : authorities) {
    CARDEA_ASSIGN(const ca::EmbeddedSettings settings, ca::read_settings(record.settings));
    CARDEA_ASSIGN(const bool due, is_due(settings, ports.clock.now()));
    if (due) ending.push_back({record.name, advice_for(record, settings)});
  }
  return ending;
}

}  // namespace cardea::manager
