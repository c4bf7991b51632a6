// Input files and standard input.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "cli/p11.h"
#include "x509/certificate.h"

namespace cardea::cli {

/// The file, or standard input for "-" and "", piece by piece. not_found or permission_denied in words.
Result<Input> open_input(const std::string& file);

/// The certificate that a file holds in PEM or DER; data_invalid in words.
Result<x509::Certificate> read_certificate_file(const std::string& file);

/// A private key in PKCS#8 without encryption, PEM or DER in the file; its DER. arguments_bad in words.
Result<SecretBytes> read_private_key_file(const std::string& file);

/// The whole file; arguments_bad in words when it is longer than `limit` bytes.
Result<Bytes> read_file(const std::string& file, std::size_t limit);

}  // namespace cardea::cli
