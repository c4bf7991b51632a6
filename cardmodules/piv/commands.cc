#include "piv/commands.h"

#include "base/tlv.h"
#include "piv/data_objects.h"

namespace cardea::card::piv {
namespace {

constexpr std::uint32_t tag_list = 0x5c;
constexpr std::uint32_t data_field = 0x53;
constexpr Byte data_p1 = 0x3f;
constexpr Byte data_p2 = 0xff;

// Two objects stand under their own tags instead of 53 (part 2, 3.1.2).
bool is_self_named(std::uint32_t tag) {
  return tag == object::discovery || tag == object::biometric_template;
}

Bytes tag_bytes(std::uint32_t tag) {
  Bytes bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (tag >> shift != 0) bytes.push_back(static_cast<Byte>(tag >> shift));
  }
  return bytes;
}

}  // namespace

Result<Bytes> get_data(CardTransaction& transaction, std::uint32_t tag) {
  const Bytes name = make_tlv(tag_list, tag_bytes(tag));
  Command command{.ins = instruction::get_data, .p1 = data_p1, .p2 = data_p2, .data = name};
  CARDEA_ASSIGN(const Response answer, transaction.transmit(command));
  if (answer.ok()) return data_object_content(tag, answer.data);
  Error failure = status_error(answer.status);
  // The card is there and has spoken, so it is this object that cannot be had, not the card.
  if (failure.code == Code::device_error) failure.code = Code::data_invalid;
  return failure;
}

Result<Bytes> data_object_content(std::uint32_t tag, ByteView answer) {
  if (answer.empty()) return Code::not_found;
  CARDEA_ASSIGN(const Tlv whole, TlvReader(answer).next());
  if (whole.tag != (is_self_named(tag) ? tag : data_field)) {
    return error(Code::data_invalid, "the card answered with another data object");
  }
  if (whole.value.empty()) return Code::not_found;
  return to_bytes(whole.value);
}

Status put_data(CardTransaction& transaction, std::uint32_t tag, ByteView content) {
  Bytes data;
  if (is_self_named(tag)) {
    append_tlv(data, tag, content);
  } else {
    append_tlv(data, tag_list, tag_bytes(tag));
    append_tlv(data, data_field, content);
  }
  Command command{.ins = instruction::put_data, .p1 = data_p1, .p2 = data_p2, .data = data, .expects_data = false};
  CARDEA_TRY(transaction.call(command));
  return {};
}

Result<Response> general_authenticate(CardTransaction& transaction, Byte algorithm, Byte key, ByteView fields,
                                      bool secret_answer, std::chrono::milliseconds patience) {
  const Bytes data = make_tlv(authentication::whole, fields);
  Command command{.ins = instruction::authenticate, .p1 = algorithm, .p2 = key, .data = data};
  command.secret_answer = secret_answer;
  command.patience = patience;
  return transaction.transmit(command);
}

Result<ByteView> authentication_field(ByteView answer, std::uint32_t field) {
  const Result<ByteView> whole = require_tlv(answer, authentication::whole);
  if (!whole) return error(Code::data_invalid, "the card's answer is no authentication template");
  const Result<ByteView> found = require_tlv(*whole, field);
  if (!found) return error(Code::data_invalid, "the card's answer lacks the field that was asked for");
  return *found;
}

Result<SecretBytes> authenticate_for_response(CardTransaction& transaction, const Authentication& request) {
  Bytes fields;
  append_tlv(fields, authentication::response, {});
  append_tlv(fields, request.field, request.data);
  CARDEA_ASSIGN(const Response answer, general_authenticate(transaction, request.algorithm, request.key, fields,
                                                            request.secret_answer, request.patience));
  if (!answer.ok()) return status_error(answer.status);
  CARDEA_ASSIGN(const ByteView response, authentication_field(answer.data, authentication::response));
  return SecretBytes(response);
}

}  // namespace cardea::card::piv
