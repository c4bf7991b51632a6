// Which columns the values of the model have, in one place for writing, reading and naming them. A visitor is called
// with
//   v(column, member)           a column that is the member
//   v.reference(column, id)     the same for an id that may be 0, kept as NULL so that the database can check the
//   others v.derived(column, make)     a column made from members, written only: folded names, when a job can be
//   claimed
#pragma once

#include <algorithm>
#include <concepts>
#include <type_traits>

#include "domain/model.h"
#include "store/fold.h"
#include "store/value.h"

namespace cardea::manager::store {

template <class T, class Entity>
concept Of = std::same_as<std::remove_const_t<T>, Entity>;

/// What is searched for, beside the text itself: folded.
inline auto folded(const std::string& member) {
  return [&member]() -> Result<Value> {
    CARDEA_ASSIGN(const std::string key, fold(member));
    return text(key);
  };
}

/// When the job can be claimed, in seconds; NULL: it waits for something other than the time, or has ended.
inline Value claimable_at(const Job& job) {
  const bool open = job.state == JobState::ready || job.state == JobState::undoing ||
                    (job.state == JobState::waiting && job.next_attempt);
  if (!open) return none(Kind::integer);
  // What is ready does not wait for a time that was meant for an earlier wait.
  const Time due = job.next_attempt && job.state != JobState::ready ? *job.next_attempt : Time();
  return integer(std::max(due, job.claimed_until.value_or(Time())).time_since_epoch().count());
}

template <class V>
void columns(V& v, Of<Person> auto& p) {
  v("name", p.name);
  v.derived("name_key", folded(p.name));
  v("display_name", p.display_name);
  v.derived("display_name_key", folded(p.display_name));
  v("email", p.email);
  v.derived("email_key", folded(p.email));
  v("department", p.department);
  v.derived("department_key", folded(p.department));
  v("attributes", p.attributes);
  v("enabled", p.enabled);
  v("created", p.created);
  v("updated", p.updated);
}

template <class V>
void columns(V& v, Of<Token> auto& t) {
  v("kind", t.kind);
  v("serial", t.serial);
  v.derived("serial_key", folded(t.serial));
  v("label", t.label);
  v.derived("label_key", folded(t.label));
  v("model", t.model);
  v("location", t.location);
  v("state", t.state);
  v("person", t.person);
  v("profile", t.profile);
  v("card_type", t.card_type);
  v("secret_version", t.secret_version);
  v("puk_version", t.puk_version);
  v("registered_stock", t.registered_stock);
  v("facts", t.facts);
  v("attestation", t.attestation);
  v("pin", t.pin);
  v("created", t.created);
  v("updated", t.updated);
}

template <class V>
void columns(V& v, Of<Profile> auto& p) {
  v("name", p.name);
  v.derived("name_key", folded(p.name));
  v("version", p.version);
  v("enabled", p.enabled);
  v("document", p.document);
  v("created", p.created);
  v("updated", p.updated);
}

template <class V>
void columns(V& v, Of<Request> auto& r) {
  v("kind", r.kind);
  v("state", r.state);
  v.reference("person", r.person);
  v("profile", r.profile);
  v("token", r.token);
  v("requested_by", r.requested_by);
  v("approvals", r.approvals);
  v("approvals_needed", r.approvals_needed);
  v("reason", r.reason);
  v("parameters", r.parameters);
  v("code_check", r.code_check);
  v("code_expires", r.code_expires);
  v("code_attempts", r.code_attempts);
  v("job", r.job);
  v("created", r.created);
  v("updated", r.updated);
}

template <class V>
void columns(V& v, Of<Job> auto& j) {
  v.reference("request", j.request);
  v("kind", j.kind);
  v("state", j.state);
  v("token", j.token);
  v("steps", j.steps);
  v("waits_for", j.waits_for);
  v("next_attempt", j.next_attempt);
  v("ca_attempts", j.ca_attempts);
  v("claimed_by", j.claimed_by);
  v("claimed_until", j.claimed_until);
  v.derived("claimable_at", [&j]() -> Result<Value> { return claimable_at(j); });
  v("agent_check", j.agent_check);
  v("created", j.created);
  v("updated", j.updated);
}

template <class V>
void columns(V& v, Of<Certificate> auto& c) {
  v("state", c.state);
  v.reference("ca", c.ca);
  v("policy", c.policy);
  v("serial", c.serial);
  v.derived("serial_length", [&c]() -> Result<Value> { return integer(static_cast<long long>(c.serial.size())); });
  v("subject", c.subject);
  v.derived("subject_key", folded(c.subject));
  v("issuer", c.issuer);
  v("person", c.person);
  v("token", c.token);
  v("container", c.container);
  v("archived_key", c.archived_key);
  v("public_key_hash", c.public_key_hash);
  v("reference", c.reference);
  v("not_before", c.not_before);
  v("not_after", c.not_after);
  v("revoked_at", c.revoked_at);
  v("invalid_since", c.invalid_since);
  v("revocation_reason", c.revocation_reason);
  v("wish", c.wish);
  v("created", c.created);
  v("updated", c.updated);
  v("der", c.der);
  v("attestation", c.attestation);
}

template <class V>
void columns(V& v, Of<ArchivedKey> auto& k) {
  v.reference("person", k.person);
  v("policy", k.policy);
  v("certificate", k.certificate);
  v("public_key_hash", k.public_key_hash);
  v("public_key", k.public_key);
  v("archive_key", k.archive_key);
  v("wrapped_data_key", k.wrapped_data_key);
  v("sealed_key", k.sealed_key);
  v("created", k.created);
}

template <class V>
void columns(V& v, Of<CaRecord> auto& c) {
  v("name", c.name);
  v.derived("name_key", folded(c.name));
  v("connector", c.connector);
  v("enabled", c.enabled);
  v("retry_schedule", c.retry_schedule);
  v("settings", c.settings);
  v("created", c.created);
  v("updated", c.updated);
}

template <class V>
void columns(V& v, Of<CertificatePolicy> auto& p) {
  v.reference("ca", p.ca);
  v("name", p.name);
  v.derived("name_key", folded(p.name));
  v("ca_profile", p.ca_profile);
  v("enabled", p.enabled);
  v("document", p.document);
  v("created", p.created);
  v("updated", p.updated);
}

template <class V>
void columns(V& v, Of<Operator> auto& o) {
  v("name", o.name);
  v.derived("name_key", folded(o.name));
  v("person", o.person);
  v("roles", o.roles);
  v("scope", o.scope);
  v("department", o.department);
  v("certificates", o.certificates);
  v("enabled", o.enabled);
  v("created", o.created);
  v("updated", o.updated);
}

template <class V>
void columns(V& v, Of<AccessToken> auto& t) {
  v.reference("operator", t.operator_id);
  v("name", t.name);
  v.derived("name_key", folded(t.name));
  v("hash", t.hash);
  v("rights", t.rights);
  v("expires", t.expires);
  v("created", t.created);
}

}  // namespace cardea::manager::store
