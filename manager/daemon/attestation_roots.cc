#include "daemon/attestation_roots.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "x509/certificate_view.h"
#include "x509/encoding.h"

namespace cardea::manager {
namespace {

Result<std::vector<Bytes>> certificates_of(const std::vector<std::filesystem::path>& files) {
  std::vector<Bytes> all;
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) return error(Code::not_found, fmt::format("{} of [attestation] cannot be read", file.string()));
    auto found = x509::all_from_pem_or_der("CERTIFICATE", view_of(text));
    // A file without a certificate would be a maker that nobody trusts, unnoticed until a token is refused.
    bool good = found && !text.empty();
    for (std::size_t i = 0; good && i < found->size(); ++i) good = x509::view_certificate((*found)[i]).ok();
    if (!good)
      return error(Code::data_invalid, fmt::format("{} of [attestation] holds no certificates", file.string()));
    all.insert(all.end(), found->begin(), found->end());
  }
  return all;
}

}  // namespace

Result<AttestationRoots> read_attestation_roots(const DaemonSettings& settings) {
  AttestationRoots roots;
  CARDEA_ASSIGN(roots.piv, certificates_of(settings.piv_roots));
  CARDEA_ASSIGN(roots.tpm, certificates_of(settings.tpm_roots));
  return roots;
}

}  // namespace cardea::manager
