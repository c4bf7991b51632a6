#include "embedded/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "domain/words.h"
#include "x509/asn1.h"

namespace cardea::ca {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> ca_type_words{"root", "intermediate", "issuing"};

// RFC 5280, 4.2.1.3, in the order of the bits.
constexpr std::array<std::string_view, 7> usage_words{"digitalSignature", "nonRepudiation", "keyEncipherment",
                                                      "dataEncipherment", "keyAgreement",   "keyCertSign",
                                                      "cRLSign"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> purposes{{
    {"serverAuth", "1.3.6.1.5.5.7.3.1"},
    {"clientAuth", "1.3.6.1.5.5.7.3.2"},
    {"codeSigning", "1.3.6.1.5.5.7.3.3"},
    {"emailProtection", "1.3.6.1.5.5.7.3.4"},
    {"timeStamping", "1.3.6.1.5.5.7.3.8"},
    {"OCSPSigning", "1.3.6.1.5.5.7.3.9"},
    {"ipsecIKE", "1.3.6.1.5.5.7.3.17"},
    {"secureShellClient", "1.3.6.1.5.5.7.3.21"},
    {"cmcRA", "1.3.6.1.5.5.7.3.28"},
    {"documentSigning", "1.3.6.1.5.5.7.3.36"},
    {"pkinitClient", "1.3.6.1.5.2.3.4"},
    {"pkinitKDC", "1.3.6.1.5.2.3.5"},
    {"smartcardLogon", "1.3.6.1.4.1.311.20.2.2"},
    {"encryptingFileSystem", "1.3.6.1.4.1.311.10.3.4"},
    {"pivCardAuthentication", "2.16.840.1.101.3.6.8"},
    {"pivContentSigning", "2.16.840.1.101.3.6.7"},
}};

constexpr std::array<std::string_view, 18> members{"id",
                                                   "based_on",
                                                   "group",
                                                   "name",
                                                   "description",
                                                   "validity",
                                                   "key_usage",
                                                   "extended_key_usage",
                                                   "policies",
                                                   "ca",
                                                   "path_length",
                                                   "ca_types",
                                                   "request_extensions",
                                                   "unknown_extensions",
                                                   "request_names",
                                                   "encryption",
                                                   "ocsp_no_check",
                                                   "publish_status"};

constexpr std::size_t largest_file = std::size_t{1} << 20;

/// Reads members by type, and remembers the first that is wrong.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  std::string text(std::string_view name, bool needed) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr) {
      if (needed) wrong(name, "is missing");
      return "";
    }
    if (const auto* text = value->if_string(); text != nullptr && text->size() <= 500) return std::string(*text);
    wrong(name, "must be a text of at most 500 bytes");
    return "";
  }
  bool flag(std::string_view name, bool absent) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr) return absent;
    if (!value->is_bool()) wrong(name, "must be true or false");
    return value->is_bool() && value->get_bool();
  }
  std::optional<std::uint32_t> number(std::string_view name) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr || value->is_null()) return {};
    if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() <= 100) {
      return static_cast<std::uint32_t>(value->get_int64());
    }
    wrong(name, "must be a number from 0 to 100");
    return {};
  }
  /// Calls `use` with each text of a list; its error becomes the member's.
  template <class Use>
  void each(std::string_view name, Use&& use) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr) return;
    const json::array* const list = value->if_array();
    if (list == nullptr || list->size() > 64) return wrong(name, "must be a list of at most 64 texts");
    for (const json::value& item : *list) {
      if (!item.is_string()) return wrong(name, "must be a list of texts");
      if (const Status status = use(std::string_view(item.get_string())); !status) {
        return wrong(name, status.error().detail);
      }
    }
  }
  /// As each, for one text that may be absent.
  template <class Use>
  void once(std::string_view name, bool needed, Use&& use) {
    const std::string value = text(name, needed);
    if (value.empty()) return;
    if (const Status status = use(std::string_view(value)); !status) wrong(name, status.error().detail);
  }
  void wrong(std::string_view name, std::string_view why) {
    if (problem_.empty()) problem_ = fmt::format("'{}' {}", name, why);
  }
  Status status(std::string_view id) const {
    if (problem_.empty()) return {};
    return error(Code::arguments_bad, fmt::format("certificate profile '{}': {}", id, problem_));
  }

 private:
  const json::object& object_;
  std::string problem_;
};

Status add_usage(std::uint32_t& usage, std::string_view text) {
  CARDEA_ASSIGN(const auto bit, (manager::value_of_word<std::size_t>(usage_words, text, "key usage")));
  usage |= 1u << bit;
  return {};
}

Status add_oid(std::vector<Bytes>& list, std::string_view text, bool purpose) {
  CARDEA_ASSIGN(Bytes oid, purpose ? extended_key_usage_oid(text) : x509::object_identifier(text));
  list.push_back(std::move(oid));
  return {};
}

Status allow_extension(RequestExtensions& extensions, std::string_view text) {
  if (text == "subjectAltName") extensions.subject_alt_name = true;
  if (text == "keyUsage") extensions.key_usage = true;
  if (text == "extendedKeyUsage") extensions.extended_key_usage = true;
  const bool known = text == "subjectAltName" || text == "keyUsage" || text == "extendedKeyUsage";
  if (known) return {};
  return error(Code::arguments_bad, fmt::format("knows subjectAltName, keyUsage and extendedKeyUsage, not '{}'", text));
}

void read_lists(Members& from, CertificateProfile& profile) {
  from.each("key_usage", [&](std::string_view text) { return add_usage(profile.usage, text); });
  from.each("extended_key_usage",
            [&](std::string_view text) { return add_oid(profile.extended_key_usage, text, true); });
  from.each("policies", [&](std::string_view text) { return add_oid(profile.policies, text, false); });
  from.each("ca_types", [&](std::string_view text) -> Status {
    CARDEA_ASSIGN(const CaType type, ca_type(text));
    profile.ca_types.push_back(type);
    return {};
  });
  from.each("request_extensions",
            [&](std::string_view text) { return allow_extension(profile.request_extensions, text); });
  from.each("request_names", [&](std::string_view text) -> Status {
    CARDEA_ASSIGN(const auto kind, manager::alternative_name_kind(text));
    profile.request_names.push_back(kind);
    return {};
  });
}

void check_sense(Members& from, const CertificateProfile& profile) {
  const bool signs_certificates = (profile.usage & key_usage::key_cert_sign) != 0;
  if (profile.is_ca != signs_certificates) from.wrong("key_usage", "must have keyCertSign for a CA, and only then");
  if (!profile.is_ca && profile.path_length) from.wrong("path_length", "makes sense for a CA only");
  if (profile.ca_types.empty()) from.wrong("ca_types", "must name who may issue by this profile");
  if (profile.usage == 0) from.wrong("key_usage", "is empty");
}

json::object merged(const json::object& base, const json::object& own) {
  json::object result = base;
  for (const auto& member : own) result.insert_or_assign(member.key(), member.value());
  result.erase("based_on");
  return result;
}

Result<json::object> with_base(const json::object& document, const std::vector<json::object>& known) {
  const json::value* const base = document.if_contains("based_on");
  if (base == nullptr) return document;
  for (const json::object& other : known) {
    const json::value* const id = other.if_contains("id");
    if (id != nullptr && *id == *base) return merged(other, document);
  }
  return error(Code::arguments_bad, "a certificate profile is based on one that there is not");
}

}  // namespace

std::string_view word(CaType type) {
  return ca_type_words[static_cast<std::size_t>(type)];
}

Result<CaType> ca_type(std::string_view word) {
  return manager::value_of_word<CaType>(ca_type_words, word, "type of CA");
}

Result<Bytes> extended_key_usage_oid(std::string_view word) {
  for (const auto& [name, oid] : purposes) {
    if (name == word) return x509::object_identifier(oid);
  }
  return x509::object_identifier(word);
}

Result<CertificateProfile> read_profile(const json::object& given, const std::vector<json::object>& known) {
  CARDEA_ASSIGN(const json::object document, with_base(given, known));
  Members from(document);
  CertificateProfile profile;
  for (const auto& member : document) {
    if (std::ranges::find(members, std::string_view(member.key())) == members.end()) {
      from.wrong(member.key(), "is no member of a profile");
    }
  }
  profile.id = from.text("id", true);
  profile.group = from.text("group", true);
  profile.name = from.text("name", true);
  profile.description = from.text("description", false);
  from.once("validity", true, [&](std::string_view text) -> Status {
    CARDEA_ASSIGN(profile.validity, manager::IsoDuration::parse(text));
    return {};
  });
  read_lists(from, profile);
  from.once("unknown_extensions", false, [&](std::string_view text) -> Status {
    profile.request_extensions.reject_others = text == "reject";
    if (text == "reject" || text == "ignore") return {};
    return error(Code::arguments_bad, "must be \"ignore\" or \"reject\"");
  });
  profile.is_ca = from.flag("ca", false);
  profile.path_length = from.number("path_length");
  profile.encryption = from.flag("encryption", false);
  profile.no_check = from.flag("ocsp_no_check", false);
  profile.publish_status = from.flag("publish_status", true);
  check_sense(from, profile);
  CARDEA_TRY(from.status(profile.id));
  return profile;
}

Result<std::vector<json::object>> read_profile_files(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code problem;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, problem)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  if (problem || files.empty()) {
    return error(Code::not_found, fmt::format("there are no certificate profiles in {}", folder));
  }
  std::ranges::sort(files);
  std::vector<json::object> profiles;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    std::error_code syntax;
    const std::string content = text.str();
    const json::value value = content.size() <= largest_file ? json::parse(content, syntax) : json::value();
    if (!in || syntax || !value.is_array()) {
      return error(Code::data_invalid, fmt::format("{} is no JSON list of certificate profiles", file.string()));
    }
    for (const json::value& item : value.get_array()) {
      if (!item.is_object()) return error(Code::data_invalid, fmt::format("{} has what is no profile", file.string()));
      profiles.push_back(item.get_object());
    }
  }
  return profiles;
}

std::string profile_folder() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path installed = program.parent_path().parent_path() / "share" / "cardea" / "ca-profiles";
  return fs::exists(installed, ignored) ? installed.string() : std::string(CARDEA_INSTALL_PROFILES);
}

Result<ProfilesById> profiles_with(const std::vector<json::object>& custom) {
  CARDEA_ASSIGN(const std::vector<json::object> known, read_profile_files(profile_folder()));
  ProfilesById profiles;
  for (const auto* list : {&known, &custom}) {
    for (const json::object& document : *list) {
      CARDEA_ASSIGN(CertificateProfile profile, read_profile(document, known));
      std::string id = profile.id;
      if (!profiles.emplace(std::move(id), std::move(profile)).second) {
        return error(Code::arguments_bad, "a certificate profile's id is taken by another");
      }
    }
  }
  return profiles;
}

std::uint32_t usage_for(crypto::KeyFamily family, std::uint32_t usage) {
  using namespace key_usage;
  const std::uint32_t encryption = key_encipherment | data_encipherment | key_agreement;
  switch (family) {
    case crypto::KeyFamily::rsa:
      return usage & ~key_agreement;
    case crypto::KeyFamily::ec: {
      const bool agrees = (usage & (key_encipherment | key_agreement)) != 0;
      return (usage & ~encryption) | (agrees ? key_agreement : 0);
    }
    case crypto::KeyFamily::montgomery:
      return (usage & (key_encipherment | key_agreement)) != 0 ? key_agreement : 0;
    case crypto::KeyFamily::ml_kem:
      return usage & key_encipherment;
    default:
      return usage & ~encryption;
  }
}

}  // namespace cardea::ca
