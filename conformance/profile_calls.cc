#include "conformance/profile_calls.h"

#include <algorithm>

#include "cryptoki/names.h"

namespace cardea::conformance {
namespace {

using p11::Bytes;

std::string text_of(const ProfileCall& c, const pugi::xml_node& node) {
  const auto text = resolve(node.attribute("value").value(), c.variables);
  if (!text) throw std::runtime_error(std::string("unbound ") + node.attribute("value").value());
  return *text;
}

CK_ULONG number_of(const ProfileCall& c, const char* element, const char* prefix = "") {
  const auto value = parse_number(text_of(c, c.call.child(element)), prefix);
  if (!value) throw std::runtime_error(std::string("no number in ") + element);
  return *value;
}

CK_SESSION_HANDLE session_of(const ProfileCall& c) {
  return number_of(c, "Session");
}

void put(pugi::xml_node parent, const char* name, const std::string& value) {
  parent.append_child(name).append_attribute("value") = value.c_str();
}
void put(pugi::xml_node parent, const char* name, CK_ULONG value) {
  put(parent, name, std::to_string(value));
}
void put_version(pugi::xml_node parent, const char* name, CK_VERSION version) {
  pugi::xml_node node = parent.append_child(name);
  node.append_attribute("major") = static_cast<unsigned>(version.major);
  node.append_attribute("minor") = static_cast<unsigned>(version.minor);
}
template <std::size_t N>
void put_text(pugi::xml_node parent, const char* name, const CK_BYTE (&text)[N]) {
  put(parent, name, std::string(reinterpret_cast<const char*>(text), N));
}

CK_RV get_info(ProfileCall& c) {
  CK_INFO info{};
  const CK_RV rv = c.module->C_GetInfo(&info);
  pugi::xml_node node = c.answer.append_child("Info");
  put_version(node, "CryptokiVersion", info.cryptokiVersion);
  put_text(node, "ManufacturerID", info.manufacturerID);
  put(node, "Flags", info.flags);
  put_text(node, "LibraryDescription", info.libraryDescription);
  put_version(node, "LibraryVersion", info.libraryVersion);
  return rv;
}

/// A list by the two-call convention: an element without a length asks for the length only.
template <typename Call>
CK_RV answer_list(ProfileCall& c, const char* list, const char* item, CK_ULONG first, Call call) {
  const pugi::xml_node asked = c.call.child(list);
  CK_ULONG count = 0;
  if (!asked.attribute("length")) {
    const CK_RV rv = call(nullptr, &count);
    c.answer.append_child(list).append_attribute("length") = std::to_string(count).c_str();
    return rv;
  }
  const auto length = resolve(asked.attribute("length").value(), c.variables);
  count = parse_number(length.value_or(""), "").value_or(0);
  std::vector<CK_ULONG> values(count);
  const CK_RV rv = call(values.data(), &count);
  values.resize(std::min<std::size_t>(count, values.size()));
  std::stable_partition(values.begin(), values.end(), [first](CK_ULONG value) { return value == first; });
  pugi::xml_node node = c.answer.append_child(list);
  for (const CK_ULONG value : values) put(node, item, value);
  return rv;
}

CK_RV get_slot_list(ProfileCall& c) {
  const std::string present = text_of(c, c.call.child("TokenPresent"));
  const CK_BBOOL token = present == "true" || present == "TRUE" ? CK_TRUE : CK_FALSE;
  return answer_list(c, "SlotList", "SlotID", c.slot,
                     [&](CK_ULONG* list, CK_ULONG* count) { return c.module->C_GetSlotList(token, list, count); });
}

CK_RV get_mechanism_list(ProfileCall& c) {
  return answer_list(c, "MechanismList", "Type", CK_UNAVAILABLE_INFORMATION, [&](CK_ULONG* list, CK_ULONG* count) {
    return c.module->C_GetMechanismList(number_of(c, "SlotID"), list, count);
  });
}

CK_RV get_mechanism_info(ProfileCall& c) {
  CK_MECHANISM_INFO info{};
  const CK_RV rv = c.module->C_GetMechanismInfo(number_of(c, "SlotID"), number_of(c, "Type", "CKM"), &info);
  pugi::xml_node node = c.answer.append_child("MechanismInfo");
  put(node, "MinKeySize", info.ulMinKeySize);
  put(node, "MaxKeySize", info.ulMaxKeySize);
  put(node, "Flags", info.flags);
  return rv;
}

CK_RV get_slot_info(ProfileCall& c) {
  CK_SLOT_INFO info{};
  const CK_RV rv = c.module->C_GetSlotInfo(number_of(c, "SlotID"), &info);
  pugi::xml_node node = c.answer.append_child("SlotInfo");
  put_text(node, "SlotDescription", info.slotDescription);
  put_text(node, "ManufacturerID", info.manufacturerID);
  put(node, "Flags", info.flags);
  put_version(node, "HardwareVersion", info.hardwareVersion);
  put_version(node, "FirmwareVersion", info.firmwareVersion);
  return rv;
}

CK_RV get_token_info(ProfileCall& c) {
  CK_TOKEN_INFO info{};
  const CK_RV rv = c.module->C_GetTokenInfo(number_of(c, "SlotID"), &info);
  pugi::xml_node node = c.answer.append_child("TokenInfo");
  put_text(node, "label", info.label);
  put_text(node, "ManufacturerID", info.manufacturerID);
  put_text(node, "model", info.model);
  put_text(node, "serialNumber", info.serialNumber);
  put(node, "Flags", info.flags);
  put(node, "MaxSessionCount", info.ulMaxSessionCount);
  put(node, "SessionCount", info.ulSessionCount);
  put(node, "MaxRwSessionCount", info.ulMaxRwSessionCount);
  put(node, "RwSessionCount", info.ulRwSessionCount);
  put(node, "MaxPinLen", info.ulMaxPinLen);
  put(node, "MinPinLen", info.ulMinPinLen);
  put(node, "TotalPublicMemory", info.ulTotalPublicMemory);
  put(node, "FreePublicMemory", info.ulFreePublicMemory);
  put(node, "TotalPrivateMemory", info.ulTotalPrivateMemory);
  put(node, "FreePrivateMemory", info.ulFreePrivateMemory);
  put_version(node, "HardwareVersion", info.hardwareVersion);
  put_version(node, "FirmwareVersion", info.firmwareVersion);
  put_text(node, "utcTime", info.utcTime);
  return rv;
}

CK_RV open_session(ProfileCall& c) {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  const CK_RV rv =
      c.module->C_OpenSession(number_of(c, "SlotID"), number_of(c, "Flags", "CKF"), nullptr, nullptr, &session);
  put(c.answer, "Session", session);
  return rv;
}

CK_RV login(ProfileCall& c) {
  Bytes pin = p11::bytes_of(text_of(c, c.call.child("Pin")));
  return c.module->C_Login(session_of(c), number_of(c, "UserType", "CKU"), pin.data(), pin.size());
}

CK_RV find_objects_init(ProfileCall& c) {
  ParsedTemplate parsed = parse_template(c.call.child("Template"), c.variables);
  p11::Template attributes;
  for (std::size_t i = 0; i < parsed.types.size(); ++i) attributes.bytes(parsed.types[i], parsed.values[i]);
  return c.module->C_FindObjectsInit(session_of(c), attributes.data(), attributes.size());
}

/// Attributes that later calls read from `${Object.Object[index]}`, up to the next search.
std::vector<CK_ATTRIBUTE_TYPE> read_later(const pugi::xml_node& from, std::size_t index) {
  const std::string wanted = "${Object.Object[" + std::to_string(index) + "]}";
  std::vector<CK_ATTRIBUTE_TYPE> types;
  for (pugi::xml_node node = from.next_sibling(); node; node = node.next_sibling()) {
    if (std::string(node.name()) == "C_FindObjectsInit") break;
    if (wanted != node.child("Object").attribute("value").value()) continue;
    for (const pugi::xml_node& item : node.child("Template").children("Attribute")) {
      if (const auto type = parse_number(item.attribute("type").value(), "CKA")) types.push_back(*type);
    }
  }
  return types;
}

bool has_attributes(const ProfileCall& c, CK_OBJECT_HANDLE object, const std::vector<CK_ATTRIBUTE_TYPE>& types) {
  return std::all_of(types.begin(), types.end(), [&](CK_ATTRIBUTE_TYPE type) {
    CK_ATTRIBUTE attribute{type, nullptr, 0};
    return c.module->C_GetAttributeValue(session_of(c), object, &attribute, 1) == CKR_OK && attribute.ulValueLen > 0;
  });
}

// A test case speaks of "the first object" of its own token. Objects may vary (6.1.1), so each place gets an object
// that has what the test case reads from it; the search is read to its end for that.
CK_RV find_objects(ProfileCall& c) {
  const CK_ULONG max = c.call.child("Object").attribute("length").as_ullong(1);
  std::vector<CK_OBJECT_HANDLE> found(max);
  CK_ULONG count = 0;
  const CK_RV rv = c.module->C_FindObjects(session_of(c), found.data(), max, &count);
  if (rv != CKR_OK) return rv;
  if (count > max) throw std::runtime_error("more objects than asked for");
  found.resize(count);
  CK_OBJECT_HANDLE more = 0;
  while (count == max && c.module->C_FindObjects(session_of(c), &more, 1, &count) == CKR_OK && count == 1) {
    found.push_back(more);
    count = max;
  }
  pugi::xml_node list = c.answer.append_child("Object");
  for (std::size_t i = 0; i < max && !found.empty(); ++i) {
    const auto types = read_later(c.call, i);
    auto chosen =
        std::find_if(found.begin(), found.end(), [&](CK_OBJECT_HANDLE o) { return has_attributes(c, o, types); });
    if (chosen == found.end()) chosen = found.begin();
    put(list, "Object", *chosen);
    found.erase(chosen);
  }
  return rv;
}

CK_RV get_attribute_value(ProfileCall& c) {
  ParsedTemplate parsed = parse_template(c.call.child("Template"), c.variables);
  const CK_OBJECT_HANDLE object = number_of(c, "Object");
  std::vector<CK_ATTRIBUTE> raw;
  for (std::size_t i = 0; i < parsed.types.size(); ++i) {
    // The length in the test case is that of its own object: a token's object may need more.
    CK_ATTRIBUTE probe{parsed.types[i], nullptr, 0};
    if (parsed.has_buffer[i] && c.module->C_GetAttributeValue(session_of(c), object, &probe, 1) == CKR_OK) {
      parsed.values[i].resize(std::max<std::size_t>(parsed.values[i].size(), probe.ulValueLen));
    }
    void* buffer = parsed.has_buffer[i] ? parsed.values[i].data() : nullptr;
    raw.push_back({parsed.types[i], buffer, parsed.values[i].size()});
  }
  const CK_RV rv = c.module->C_GetAttributeValue(session_of(c), object, raw.data(), raw.size());
  pugi::xml_node list = c.answer.append_child("Template");
  for (std::size_t i = 0; rv == CKR_OK && i < raw.size(); ++i) {
    pugi::xml_node item = list.append_child("Attribute");
    item.append_attribute("length") = std::to_string(raw[i].ulValueLen).c_str();
    if (!parsed.has_buffer[i]) continue;
    parsed.values[i].resize(raw[i].ulValueLen);
    item.append_attribute("value") = attribute_text(raw[i].type, parsed.values[i]).c_str();
  }
  return rv;
}

CK_RV sign_init(ProfileCall& c) {
  const auto type = parse_number(text_of(c, c.call.child("Mechanism").child("Type")), "CKM");
  if (!type) throw std::runtime_error("unknown mechanism");
  CK_MECHANISM mechanism{*type, nullptr, 0};
  return c.module->C_SignInit(session_of(c), &mechanism, number_of(c, "Key"));
}

CK_RV sign(ProfileCall& c) {
  const Bytes data = p11::from_hex(text_of(c, c.call.child("Data")));
  Bytes signature(c.call.child("Signature").attribute("length").as_uint());
  CK_ULONG size = signature.size();
  CK_BYTE* buffer = signature.empty() ? nullptr : signature.data();
  const CK_RV rv = c.module->C_Sign(session_of(c), p11::in(data), data.size(), buffer, &size);
  signature.resize(rv == CKR_OK && buffer != nullptr ? size : 0);
  pugi::xml_node node = c.answer.append_child("Signature");
  node.append_attribute("length") = std::to_string(size).c_str();
  node.append_attribute("value") = attribute_text(CKA_VALUE, signature).c_str();
  return rv;
}

struct Entry {
  const char* name;
  CK_RV (*run)(ProfileCall&);
};
const Entry entries[] = {
    {"C_Initialize", [](ProfileCall& c) { return c.module.initialize(); }},
    {"C_Finalize", [](ProfileCall& c) { return c.module->C_Finalize(nullptr); }},
    {"C_GetInfo", get_info},
    {"C_GetSlotList", get_slot_list},
    {"C_GetSlotInfo", get_slot_info},
    {"C_GetTokenInfo", get_token_info},
    {"C_GetMechanismList", get_mechanism_list},
    {"C_GetMechanismInfo", get_mechanism_info},
    {"C_OpenSession", open_session},
    {"C_CloseSession", [](ProfileCall& c) { return c.module->C_CloseSession(session_of(c)); }},
    {"C_CloseAllSessions", [](ProfileCall& c) { return c.module->C_CloseAllSessions(number_of(c, "SlotID")); }},
    {"C_Login", login},
    {"C_Logout", [](ProfileCall& c) { return c.module->C_Logout(session_of(c)); }},
    {"C_FindObjectsInit", find_objects_init},
    {"C_FindObjects", find_objects},
    {"C_FindObjectsFinal", [](ProfileCall& c) { return c.module->C_FindObjectsFinal(session_of(c)); }},
    {"C_GetAttributeValue", get_attribute_value},
    {"C_SignInit", sign_init},
    {"C_Sign", sign},
};

}  // namespace

CK_RV make_profile_call(ProfileCall& call) {
  for (const Entry& entry : entries) {
    if (std::string(entry.name) == call.call.name()) return entry.run(call);
  }
  throw std::runtime_error(std::string("the runner does not know ") + call.call.name());
}

}  // namespace cardea::conformance
