// Certificate profiles of the embedded CA: what a certificate of a kind contains, as data (manager/ca/profiles/*.json).
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/key_algorithm.h"
#include "domain/ca_connector.h"
#include "domain/iso_duration.h"

namespace cardea::ca {

/// Bits of keyUsage (RFC 5280, 4.2.1.3), each 1 << its number.
namespace key_usage {
inline constexpr std::uint32_t digital_signature = 1u << 0;
inline constexpr std::uint32_t non_repudiation = 1u << 1;
inline constexpr std::uint32_t key_encipherment = 1u << 2;
inline constexpr std::uint32_t data_encipherment = 1u << 3;
inline constexpr std::uint32_t key_agreement = 1u << 4;
inline constexpr std::uint32_t key_cert_sign = 1u << 5;
inline constexpr std::uint32_t crl_sign = 1u << 6;
}  // namespace key_usage

/// What a CA is for; a profile names the types that may issue by it.
enum class CaType : std::uint8_t { root, intermediate, issuing };
std::string_view word(CaType type);
Result<CaType> ca_type(std::string_view word);

/// Extensions of a request that a profile may let through.
struct RequestExtensions {
  bool subject_alt_name = false;
  bool key_usage = false;           ///< may narrow the profile's, never widen
  bool extended_key_usage = false;  ///< the same
  bool reject_others = false;       ///< false: others are left out silently
};

struct CertificateProfile {
  std::string id;
  std::string group;  ///< requirements row C8
  std::string name;
  std::string description;
  manager::IsoDuration validity;
  std::uint32_t usage = 0;                ///< key_usage bits for an RSA key; see usage_for
  std::vector<Bytes> extended_key_usage;  ///< whole OBJECT IDENTIFIER elements
  std::vector<Bytes> policies;            ///< the same
  bool is_ca = false;
  std::optional<std::uint32_t> path_length;
  std::vector<CaType> ca_types;  ///< who may issue by it
  RequestExtensions request_extensions;
  std::vector<manager::AlternativeName::Kind> request_names;  ///< kinds taken from a request's subjectAltName
  bool encryption = false;                                    ///< its keys decrypt and may be archived
  bool no_check = false;                                      ///< id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1)
  bool publish_status = true;                                 ///< CRL and OCSP addresses inside
};

/// Reads one profile; arguments_bad names the member and what is wrong with it. A profile with "based_on" takes every
/// member that it does not have itself from the profile of that id among `known`.
Result<CertificateProfile> read_profile(const boost::json::object& document,
                                        const std::vector<boost::json::object>& known);

/// The profiles that are part of the product, in the order of their files' names.
Result<std::vector<boost::json::object>> read_profile_files(const std::string& folder);
/// Where those files are: beside the program's build or installation.
std::string profile_folder();

using ProfilesById = std::map<std::string, CertificateProfile, std::less<>>;
/// The product's profiles and those custom ones. arguments_bad in words when one is wrong, or its id is taken.
Result<ProfilesById> profiles_with(const std::vector<boost::json::object>& custom);

/// The keyUsage bits for a key of that family: what it cannot do is left out, encipherment becomes agreement for
/// elliptic curves (RFC 5480, 3), signatures alone remain for those that only sign.
std::uint32_t usage_for(crypto::KeyFamily family, std::uint32_t usage);

/// The identifier for "clientAuth" and other words, or a dotted one; arguments_bad.
Result<Bytes> extended_key_usage_oid(std::string_view word);

}  // namespace cardea::ca
