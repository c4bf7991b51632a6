// The only file that includes p11-kit's headers: their pkcs11.h names clash with those of cryptoki/cryptoki.h.
#include "p11client/uri.h"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace cardea::p11client {
namespace {

struct FreeUri {
  void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
};

Error bad_uri(std::string sentence) {
  return error(Code::arguments_bad, std::move(sentence));
}

// p11-kit marks an absent field of a structure with a first byte of zero.
template <std::size_t size>
std::optional<std::string> field(const unsigned char (&text)[size]) {
  if (text[0] == 0) return {};
  std::string value(reinterpret_cast<const char*>(text), size);
  value.erase(value.find_last_not_of(std::string_view(" \0", 2)) + 1);
  return value;
}

std::optional<std::string> text_attribute(P11KitUri* uri, CK_ATTRIBUTE_TYPE type) {
  const CK_ATTRIBUTE* attribute = p11_kit_uri_get_attribute(uri, type);
  if (attribute == nullptr) return {};
  return std::string(static_cast<const char*>(attribute->pValue), attribute->ulValueLen);
}

std::optional<std::string> object_type(P11KitUri* uri) {
  const CK_ATTRIBUTE* attribute = p11_kit_uri_get_attribute(uri, CKA_CLASS);
  if (attribute == nullptr || attribute->ulValueLen != sizeof(CK_OBJECT_CLASS)) return {};
  CK_OBJECT_CLASS value = 0;
  std::memcpy(&value, attribute->pValue, sizeof value);
  switch (value) {
    case CKO_CERTIFICATE:
      return "cert";
    case CKO_DATA:
      return "data";
    case CKO_PRIVATE_KEY:
      return "private";
    case CKO_PUBLIC_KEY:
      return "public";
    default:
      return "secret-key";
  }
}

Status read_pin_source(P11KitUri* uri, Uri& out) {
  const char* source = p11_kit_uri_get_pin_source(uri);
  if (source == nullptr) return {};
  std::string_view path = source;
  if (path.starts_with('|')) {
    return bad_uri(
        "pin-source names a program, which is not run for safety. Write the PIN to a file of mode 0600 and use "
        "pin-source=file:PATH.");
  }
  if (path.starts_with("file:")) path.remove_prefix(5);
  if (path.starts_with("///")) path.remove_prefix(2);
  out.pin_file = std::string(path);
  return {};
}

bool is_unreserved(unsigned char c) {
  return std::isalnum(c) != 0 || std::strchr("-._~:[]@!$'()*+,=&", c) != nullptr;
}

void append(std::string& out, std::string_view name, std::string_view value, bool always_escape = false) {
  out += out.ends_with(':') ? "" : ";";
  out += name;
  out += '=';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte != 0 && is_unreserved(byte) && !always_escape) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
}

}  // namespace

bool is_uri(std::string_view text) {
  return text.starts_with("pkcs11:") || text.starts_with("PKCS11:");
}

Result<Uri> parse_uri(const std::string& text) {
  const std::unique_ptr<P11KitUri, FreeUri> uri(p11_kit_uri_new());
  if (!uri) return Code::host_memory;
  if (const int status = p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_ANY, uri.get()); status != P11_KIT_URI_OK) {
    return bad_uri(
        "The PKCS#11 URI is not understood. Write it like 'pkcs11:token=NAME;object=LABEL;type=private' "
        "(RFC 7512), in quotes because of the semicolons.");
  }
  if (p11_kit_uri_get_pin_value(uri.get()) != nullptr) {
    return bad_uri(
        "pin-value is refused: the PIN would show in the process list and in the shell's history. Use "
        "pin-source=file:PATH, --pin-file or --pin-stdin, and change this PIN.");
  }
  if (p11_kit_uri_any_unrecognized(uri.get()) != 0) {
    return bad_uri(
        "The PKCS#11 URI contains an attribute that is not known here. Known are token, manufacturer, model, "
        "serial, slot-id, object, id, type, pin-source and module-path.");
  }
  Uri result;
  const CK_TOKEN_INFO* token = p11_kit_uri_get_token_info(uri.get());
  result.token = field(token->label);
  result.manufacturer = field(token->manufacturerID);
  result.model = field(token->model);
  result.serial = field(token->serialNumber);
  if (const CK_SLOT_ID slot = p11_kit_uri_get_slot_id(uri.get()); slot != static_cast<CK_SLOT_ID>(-1)) {
    result.slot_id = slot;
  }
  result.object = text_attribute(uri.get(), CKA_LABEL);
  if (const auto id = text_attribute(uri.get(), CKA_ID)) result.id = to_bytes(view_of(*id));
  result.type = object_type(uri.get());
  if (const char* path = p11_kit_uri_get_module_path(uri.get())) result.module_path = path;
  CARDEA_TRY(read_pin_source(uri.get(), result));
  return result;
}

std::string format_uri(std::string_view label, std::string_view serial, std::string_view object, ByteView id,
                       std::string_view type) {
  std::string result = "pkcs11:";
  if (!label.empty()) append(result, "token", label);
  if (!serial.empty()) append(result, "serial", serial);
  if (!object.empty()) append(result, "object", object);
  if (!id.empty()) append(result, "id", text_of(id), true);
  if (!type.empty()) append(result, "type", type);
  return result;
}

}  // namespace cardea::p11client
