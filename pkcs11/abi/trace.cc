#include "abi/trace.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/bytes.h"
#include "base/trace_line.h"
#include "cryptoki/names.h"
#include "token/object_rules.h"

namespace cardea::abi {

namespace detail {
std::atomic<int> trace_file{-1};
}

namespace {

void write_line(std::string_view line) noexcept;

}  // namespace

void trace_open(const std::filesystem::path& file) {
  if (file.empty() || trace_enabled()) return;
  const int descriptor = open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    fmt::print(stderr, "cardea: cannot write the trace file {}: {}\n", file.string(), std::strerror(errno));
    return;
  }
  int expected = -1;
  if (!detail::trace_file.compare_exchange_strong(expected, descriptor)) close(descriptor);
  set_trace_sink(write_line);
}

namespace {

constexpr std::size_t most_attributes = 64;
constexpr std::size_t longest_value = 64;

/// Whether an attribute's value may stand in a trace: what describes an object, never what it is made of.
bool attribute_is_public(CK_ATTRIBUTE_TYPE type) {
  switch (attribute_form(type)) {
    case AttributeForm::boolean:
    case AttributeForm::number:
    case AttributeForm::text:
    case AttributeForm::date:
      return true;
    default:
      return type == CKA_ID || type == CKA_EC_PARAMS;
  }
}

std::string quoted(ByteView bytes) {
  std::string text = "\"";
  for (const Byte byte : bytes) {
    if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += static_cast<char>(byte);
    }
  }
  return text + "\"";
}

std::string number_text(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  switch (type) {
    case CKA_CLASS:
      return constant_text(ConstantKind::CKO, value);
    case CKA_KEY_TYPE:
      return constant_text(ConstantKind::CKK, value);
    case CKA_CERTIFICATE_TYPE:
      return constant_text(ConstantKind::CKC, value);
    case CKA_KEY_GEN_MECHANISM:
    case CKA_MECHANISM_TYPE:
      return constant_text(ConstantKind::CKM, value);
    default:
      return fmt::format("{}", value);
  }
}

std::string value_text(const CK_ATTRIBUTE& attribute) {
  if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) return "<unavailable>";
  if (attribute.pValue == nullptr) return fmt::format("<{} bytes wanted>", attribute.ulValueLen);
  const ByteView bytes{static_cast<const Byte*>(attribute.pValue), attribute.ulValueLen};
  if (!attribute_is_public(attribute.type) || bytes.size() > longest_value)
    return fmt::format("<{} bytes>", bytes.size());
  switch (attribute_form(attribute.type)) {
    case AttributeForm::boolean:
      if (bytes.size() == 1) return bytes[0] != 0 ? "true" : "false";
      break;
    case AttributeForm::number:
      if (bytes.size() == sizeof(CK_ULONG)) {
        CK_ULONG value = 0;
        std::memcpy(&value, bytes.data(), sizeof value);
        return number_text(attribute.type, value);
      }
      break;
    case AttributeForm::text:
    case AttributeForm::date:
      return quoted(bytes);
    default:
      break;
  }
  return to_hex(bytes);
}

/// Whether the attributes' places hold values: C_GetAttributeValue fills them only with these answers (PKCS#11 3.2,
/// 5.7.5). Otherwise they hold whatever the caller's memory held before, which may be a secret.
bool attributes_are_filled(std::string_view function, CK_RV rv) {
  return function != "C_GetAttributeValue" || rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE ||
         rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_BUFFER_TOO_SMALL;
}

std::string attributes_text(const TraceArgument& attributes, CK_ULONG count, bool filled) {
  const auto* const list = static_cast<const CK_ATTRIBUTE*>(attributes.pointer);
  if (list == nullptr) return "null";
  if (count > template_limit) return fmt::format("<{} attributes>", count);
  std::string text = "[";
  for (CK_ULONG i = 0; i < std::min<CK_ULONG>(count, most_attributes); ++i) {
    if (i != 0) text += ", ";
    text += constant_text(ConstantKind::CKA, list[i].type);
    if (filled) text += "=" + value_text(list[i]);
  }
  if (count > most_attributes) text += ", …";
  return text + "]";
}

/// Arrays that a caller owns: their first number says little and may lie outside a buffer of length zero.
bool is_array(std::string_view function, std::string_view argument) {
  return argument == "slot_list" || argument == "mechanism_list" ||
         (function == "C_FindObjects" && argument == "object");
}

std::string plain_number(CK_ULONG value) {
  if (value == CK_UNAVAILABLE_INFORMATION) return "-1";
  return value > 0xffffffff ? fmt::format("{:#x}", value) : fmt::format("{}", value);
}

std::string argument_text(std::string_view function, std::string_view name, const TraceArgument& argument,
                          CK_ULONG following, CK_RV rv) {
  switch (argument.kind) {
    case TraceArgument::Kind::number:
      if (name == "user_type") return constant_text(ConstantKind::CKU, argument.number);
      if (name == "type") return constant_text(ConstantKind::CKM, argument.number);
      return plain_number(argument.number);
    case TraceArgument::Kind::output_number:
      if (argument.pointer == nullptr) return "null";
      if (is_array(function, name)) return "<array>";
      return "*" + plain_number(*static_cast<const CK_ULONG*>(argument.pointer));
    case TraceArgument::Kind::mechanism: {
      const auto* const mechanism = static_cast<const CK_MECHANISM*>(argument.pointer);
      if (mechanism == nullptr) return "null";
      std::string text = constant_text(ConstantKind::CKM, mechanism->mechanism);
      if (mechanism->ulParameterLen != 0) text += fmt::format("(<{} bytes>)", mechanism->ulParameterLen);
      return text;
    }
    case TraceArgument::Kind::attributes:
      return attributes_text(argument, following, attributes_are_filled(function, rv));
    case TraceArgument::Kind::pointer:
      break;
  }
  return argument.pointer == nullptr ? "null" : "<redacted>";
}

/// Takes the next name off the list "(a, b, c)".
std::string_view next_name(std::string_view& names) {
  const std::size_t begin = names.find_first_not_of("(, ");
  if (begin == std::string_view::npos) return {};
  names.remove_prefix(begin);
  const std::size_t end = std::min(names.find_first_of(",)"), names.size());
  const std::string_view name = names.substr(0, end);
  names.remove_prefix(end);
  return name;
}

std::string timestamp() {
  const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     now.time_since_epoch().count() % 1000000);
}

/// When and where, as every line of the trace begins.
std::string line_start() {
  return fmt::format("{} {}.{} ", timestamp(), getpid(), syscall(SYS_gettid));
}

/// One write, so that lines of several threads and processes stay whole. A full disk must not fail what is traced.
void append(const std::string& line) noexcept {
  static_cast<void>(!write(detail::trace_file.load(std::memory_order_relaxed), line.data(), line.size()));
}

void write_line(std::string_view line) noexcept try { append(line_start() + std::string(line) + "\n"); } catch (...) {
  // Out of memory for a trace line: what it tells of has been done already.
}

}  // namespace

void write_trace(std::string_view name, std::string_view argument_names, CK_RV rv, std::chrono::nanoseconds duration,
                 const TraceArgument* arguments, std::size_t count) noexcept try {
  std::string line = line_start() + fmt::format("{}(", name);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view argument = next_name(argument_names);
    // A template's length follows it in every function of the standard.
    const CK_ULONG following = i + 1 < count ? arguments[i + 1].number : 0;
    line += fmt::format("{}{}={}", i == 0 ? "" : ", ", argument,
                        argument_text(name, argument, arguments[i], following, rv));
  }
  line += fmt::format(") = {} {:.1f}us\n", constant_text(ConstantKind::CKR, rv), duration.count() / 1000.0);
  append(line);
} catch (...) {
  // Out of memory for a trace line: the call it describes has been answered already.
}

}  // namespace cardea::abi
