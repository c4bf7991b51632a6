#include "embedded/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "x509/encoding.h"

namespace cardea::ca {
namespace {

namespace json = boost::json;

Error wrong(std::string_view name, std::string_view why) {
  return error(Code::arguments_bad, fmt::format("setting '{}' of the CA {}", name, why));
}

Result<std::string> text(const json::object& from, std::string_view name, bool needed) {
  const json::value* const value = from.if_contains(name);
  if (value == nullptr && !needed) return std::string();
  if (value == nullptr || !value->is_string()) return wrong(name, "must be a text");
  return std::string(value->get_string());
}

Result<Bytes> bytes(const json::object& from, std::string_view name, bool needed) {
  CARDEA_ASSIGN(const std::string encoded, text(from, name, needed));
  auto decoded = x509::from_base64(encoded);
  if (!decoded) return wrong(name, "must be base64");
  return decoded;
}

// A whole number; absent where the member is.
Result<std::optional<std::int64_t>> whole_number(const json::object& from, std::string_view name) {
  const json::value* const value = from.if_contains(name);
  if (value == nullptr) return std::optional<std::int64_t>();
  if (!value->is_int64()) return wrong(name, "must be a whole number");
  return std::optional(value->get_int64());
}

Status duration(const json::object& from, std::string_view name, manager::IsoDuration& out) {
  CARDEA_ASSIGN(const std::string given, text(from, name, false));
  if (given.empty()) return {};
  const auto parsed = manager::IsoDuration::parse(given);
  if (!parsed) return wrong(name, parsed.error().detail);
  out = *parsed;
  return {};
}

Result<manager::SignatureScheme> scheme(const json::object& from) {
  CARDEA_ASSIGN(const std::string given, text(from, "scheme", true));
  return manager::signature_scheme(given);
}

Result<PublicUrls> read_urls(const json::object& document) {
  PublicUrls urls;
  const json::value* const found = document.if_contains("urls");
  if (found == nullptr) return urls;
  if (!found->is_object()) return wrong("urls", "must be an object");
  for (const auto& [name, member] : {std::pair("crl", &urls.crl), {"ocsp", &urls.ocsp}, {"issuer", &urls.issuer}}) {
    CARDEA_ASSIGN(*member, text(found->get_object(), name, false));
    const bool fits = member->empty() || member->starts_with("http://") || member->starts_with("https://");
    if (!fits || member->find_first_of(" \t\r\n\"<>") != std::string::npos)
      return wrong(name, "must be an HTTP address");
  }
  return urls;
}

Result<std::optional<OcspSigner>> read_signer(const json::object& document) {
  const json::value* const found = document.if_contains("ocsp");
  if (found == nullptr || found->is_null()) return std::optional<OcspSigner>();
  if (!found->is_object()) return wrong("ocsp", "must be an object");
  OcspSigner signer;
  CARDEA_ASSIGN(signer.key, text(found->get_object(), "key", true));
  CARDEA_ASSIGN(signer.scheme, scheme(found->get_object()));
  CARDEA_ASSIGN(signer.certificate, bytes(found->get_object(), "certificate", true));
  return std::optional(std::move(signer));
}

Status read_flag(const json::object& document, std::string_view name, bool& out) {
  const json::value* const found = document.if_contains(name);
  if (found == nullptr) return {};
  if (!found->is_bool()) return wrong(name, "must be true or false");
  out = found->get_bool();
  return {};
}

Status read_formers(const json::object& document, EmbeddedSettings& settings) {
  const json::value* const found = document.if_contains("former_signers");
  if (found == nullptr) return {};
  if (!found->is_array()) return wrong("former_signers", "must be a list");
  for (const json::value& item : found->get_array()) {
    if (!item.is_object()) return wrong("former_signers", "must hold objects");
    FormerSigner former;
    CARDEA_ASSIGN(former.key, text(item.get_object(), "key", true));
    CARDEA_ASSIGN(const auto until, whole_number(item.get_object(), "until"));
    former.until = std::chrono::sys_seconds(std::chrono::seconds(until.value_or(0)));
    settings.former_signers.push_back(std::move(former));
  }
  return {};
}

// Where the certificate comes from and how it is renewed.
Status read_renewal(const json::object& document, EmbeddedSettings& settings) {
  CARDEA_ASSIGN(const auto issuer, whole_number(document, "issuer"));
  settings.issuer = issuer.value_or(0);
  CARDEA_ASSIGN(const auto since, whole_number(document, "since"));
  if (since) settings.since = std::chrono::sys_seconds(std::chrono::seconds(*since));
  CARDEA_TRY(read_flag(document, "renews_itself", settings.renews_itself));
  CARDEA_ASSIGN(const std::string before, text(document, "renew_before", false));
  if (before.empty()) return {};
  return duration(document, "renew_before", settings.renew_before.emplace());
}

Status check_times(const EmbeddedSettings& settings) {
  for (const auto& [name, length] :
       {std::pair("crl_lifetime", &settings.crl_lifetime), {"crl_interval", &settings.crl_interval}}) {
    if (length->about() < std::chrono::minutes(1)) return wrong(name, "must not be shorter than a minute");
  }
  if (settings.crl_interval.about() > settings.crl_lifetime.about())
    return wrong("crl_interval", "must not be longer than crl_lifetime: there would be times without a valid CRL");
  return {};
}

Status read_lists(const json::object& document, EmbeddedSettings& settings) {
  if (const json::value* const chain = document.if_contains("chain")) {
    if (!chain->is_array()) return wrong("chain", "must be a list");
    for (const json::value& item : chain->get_array()) {
      auto decoded = item.is_string() ? x509::from_base64(item.get_string()) : Result<Bytes>(Code::data_invalid);
      if (!decoded) return wrong("chain", "must hold certificates in base64");
      settings.chain.push_back(std::move(*decoded));
    }
  }
  if (const json::value* const profiles = document.if_contains("profiles")) {
    if (!profiles->is_array()) return wrong("profiles", "must be a list");
    for (const json::value& item : profiles->get_array()) {
      if (!item.is_object()) return wrong("profiles", "must hold objects");
      settings.profiles.push_back(item.get_object());
    }
  }
  return {};
}

// "P7D" for {0, 7, 0}.
std::string iso_text(const manager::IsoDuration& duration) {
  std::string out = "P";
  if (duration.months != 0) out += fmt::format("{}M", duration.months);
  if (duration.days != 0) out += fmt::format("{}D", duration.days);
  if (duration.seconds != 0) out += fmt::format("T{}S", duration.seconds);
  return out;
}

}  // namespace

Result<EmbeddedSettings> read_settings(const json::object& document) {
  EmbeddedSettings settings;
  CARDEA_ASSIGN(const std::string type, text(document, "type", true));
  CARDEA_ASSIGN(settings.type, ca_type(type));
  CARDEA_ASSIGN(settings.key, text(document, "key", true));
  CARDEA_ASSIGN(settings.scheme, scheme(document));
  CARDEA_ASSIGN(settings.certificate, bytes(document, "certificate", false));
  CARDEA_ASSIGN(settings.request, bytes(document, "request", false));
  CARDEA_ASSIGN(settings.urls, read_urls(document));
  CARDEA_ASSIGN(settings.ocsp, read_signer(document));
  CARDEA_TRY(duration(document, "crl_lifetime", settings.crl_lifetime));
  CARDEA_TRY(duration(document, "crl_interval", settings.crl_interval));
  CARDEA_TRY(duration(document, "ocsp_lifetime", settings.ocsp_lifetime));
  CARDEA_TRY(read_flag(document, "keep_expired", settings.keep_expired));
  CARDEA_TRY(read_flag(document, "answers_ocsp", settings.answers_ocsp));
  CARDEA_TRY(read_formers(document, settings));
  CARDEA_TRY(read_renewal(document, settings));
  CARDEA_TRY(read_lists(document, settings));
  CARDEA_TRY(check_times(settings));
  return settings;
}

json::object write_settings(const EmbeddedSettings& settings) {
  json::object document{
      {"type", word(settings.type)},
      {"key", settings.key},
      {"scheme", word(settings.scheme)},
      {"certificate", x509::to_base64(settings.certificate)},
      {"urls", {{"crl", settings.urls.crl}, {"ocsp", settings.urls.ocsp}, {"issuer", settings.urls.issuer}}},
      {"crl_lifetime", iso_text(settings.crl_lifetime)},
      {"crl_interval", iso_text(settings.crl_interval)},
      {"keep_expired", settings.keep_expired},
      {"answers_ocsp", settings.answers_ocsp},
      {"ocsp_lifetime", iso_text(settings.ocsp_lifetime)}};
  if (!settings.request.empty()) document["request"] = x509::to_base64(settings.request);
  json::array chain;
  for (const Bytes& certificate : settings.chain) chain.emplace_back(x509::to_base64(certificate));
  document["chain"] = std::move(chain);
  if (settings.ocsp) {
    document["ocsp"] = {{"key", settings.ocsp->key},
                        {"scheme", word(settings.ocsp->scheme)},
                        {"certificate", x509::to_base64(settings.ocsp->certificate)}};
  }
  json::array formers;
  for (const FormerSigner& former : settings.former_signers)
    formers.push_back({{"key", former.key}, {"until", former.until.time_since_epoch().count()}});
  if (!formers.empty()) document["former_signers"] = std::move(formers);
  if (settings.issuer != 0) document["issuer"] = settings.issuer;
  if (settings.since) document["since"] = settings.since->time_since_epoch().count();
  document["renews_itself"] = settings.renews_itself;
  if (settings.renew_before) document["renew_before"] = iso_text(*settings.renew_before);
  json::array profiles;
  for (const json::object& profile : settings.profiles) profiles.emplace_back(profile);
  document["profiles"] = std::move(profiles);
  return document;
}

Result<EmbeddedSettings> with_changes(const EmbeddedSettings& settings, const json::object& wanted) {
  constexpr std::array free_to_choose{"crl_lifetime",  "crl_interval",  "keep_expired", "answers_ocsp",
                                      "ocsp_lifetime", "renews_itself", "renew_before", "profiles"};
  json::object document = write_settings(settings);
  for (const auto& [name, value] : wanted) {
    if (std::ranges::find(free_to_choose, std::string_view(name)) == free_to_choose.end())
      return wrong(name, "is not known, or cannot be changed");
    document[name] = value;
  }
  CARDEA_ASSIGN(EmbeddedSettings changed, read_settings(document));
  // A CA with a profile that is wrong does not open.
  if (wanted.contains("profiles")) CARDEA_TRY(profiles_with(changed.profiles));
  return changed;
}

}  // namespace cardea::ca
