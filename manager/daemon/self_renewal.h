// What the manager needs for itself is renewed by itself: certificates of OCSP signers, and the server's own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ca/connectors.h"
#include "domain/ports.h"

namespace cardea::manager {

/// Gives each authority of ours whose OCSP signer has less than a third of its time left a new one, with a key of its
/// own; audited as a change of the authority. Answers the names of those authorities. The key before stays in the key
/// token: another daemon on the same database may sign with it at this moment. What fails with one authority is
/// answered after the others were looked at.
Result<std::vector<std::string>> renew_ocsp_signers(const Ports& ports, const ca::ConnectorParts& parts);

enum class ServerCertificate : std::uint8_t {
  good,
  renewed,    ///< the file holds a new one: the server has to take it
  not_issued  ///< it ends soon, and whoever made it has to renew it: no authority of ours did
};
/// Renews the server's certificate when less than a third of its time is left: the same names and key, by the same
/// policy, so that there is no moment at which the two files do not fit each other. The one before becomes superseded.
/// Cut off anywhere and called again, it goes on with what was issued.
Result<ServerCertificate> renew_server_certificate(const Ports& ports, const std::filesystem::path& certificate_file,
                                                   const std::filesystem::path& key_file);

/// Names of authorities of ours whose own certificate has less than a third of its time left. That is for people to
/// decide: relying parties have to learn of a new one.
Result<std::vector<std::string>> ending_authorities(const Ports& ports);

}  // namespace cardea::manager
