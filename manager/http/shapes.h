// How the values of the model look in JSON. Secrets, check values and sealed keys have no shape.
#pragma once

#include <boost/json/object.hpp>
#include <optional>

#include "domain/certificates.h"
#include "domain/model.h"
#include "domain/rights.h"

namespace cardea::http {

boost::json::object shape(const manager::Person& person);
boost::json::object shape(const manager::Token& token);
boost::json::object shape(const manager::Profile& profile);
boost::json::object shape(const manager::Request& request);
/// With its steps, and the sentence that says where it stands.
boost::json::object shape(const manager::Job& job);
/// With the certificate itself in base64.
boost::json::object shape(const manager::Certificate& certificate);
boost::json::object shape(const manager::ArchivedKey& key);
boost::json::object shape(const manager::CaRecord& ca);
boost::json::object shape(const manager::CertificatePolicy& policy);
boost::json::object shape(const manager::Operator& who);
boost::json::object shape(const manager::AccessToken& token);
boost::json::object shape(const manager::CustomRole& role);
boost::json::object shape(const manager::AuditEvent& event);
boost::json::object shape(const manager::RevocationLine& line);

/// Whom a row is about, for scopes: nothing when it is about nobody.
inline std::optional<manager::Id> person_of(const manager::Person& person) {
  return person.id;
}
inline std::optional<manager::Id> person_of(const manager::Token& token) {
  return token.person;
}
inline std::optional<manager::Id> person_of(const manager::Request& request) {
  return request.person;
}
inline std::optional<manager::Id> person_of(const manager::Certificate& certificate) {
  return certificate.person;
}
inline std::optional<manager::Id> person_of(const manager::ArchivedKey& key) {
  return key.person;
}

}  // namespace cardea::http
