// What the manager needs for itself is renewed by itself: certificates of OCSP signers, of authorities below ours, and
// the server's own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ca/connectors.h"
#include "domain/ports.h"

namespace cardea::manager {

/// Gives each authority of ours whose OCSP signer has less than a third of its time left a new one, with a key of its
/// own, also where its key is missing; audited as a change of the authority. Answers the names of those authorities.
/// The key before stays in the key token until destroy_former_signers(): another daemon on the same database may sign
/// with it at this moment. What fails with one authority is answered after the others were looked at.
Result<std::vector<std::string>> renew_ocsp_signers(const Ports& ports, const ca::ConnectorParts& parts);

/// Destroys the keys of former OCSP signers once no answer that they signed is in use any more. Answers how many.
Result<std::size_t> destroy_former_signers(const Ports& ports);

/// Renews the certificates of authorities below ours that are due: a third of their time before their end, or as their
/// setting renew_before says, unless renews_itself is off. Answers the names. What cannot be renewed is left to
/// ending_authorities; what fails with one authority is answered after the others were looked at.
Result<std::vector<std::string>> renew_authorities(const Ports& ports, const ca::ConnectorParts& parts);

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

/// An authority of ours whose own certificate is due to be replaced, and what somebody has to do about it.
struct EndingAuthority {
  std::string name;
  std::string advice;  ///< a sentence without its full stop, with the command
};
/// Those that renew_authorities leaves over. That is for people to decide: relying parties have to learn of a new root.
Result<std::vector<EndingAuthority>> ending_authorities(const Ports& ports);

}  // namespace cardea::manager
