#include "tpm_text/exchange_text.h"

#include <boost/json.hpp>

#include "base/base64.h"

namespace cardea::tpm {
namespace {

namespace json = boost::json;

constexpr std::string_view statement_format = "cardea-attestation";
constexpr std::string_view challenge_format = "cardea-challenge";
constexpr std::string_view wrapped_format = "cardea-wrapped-key";
constexpr std::int64_t version = 1;

/// The members of a text in our formats. Remembers what was missing.
class TextReader {
 public:
  static Result<TextReader> parse(std::string_view text, std::string_view format) {
    boost::system::error_code problem;
    json::value value = json::parse(text, problem);
    const json::object* const object = value.if_object();
    const json::value* const found = object == nullptr ? nullptr : object->if_contains("format");
    if (problem || found == nullptr || !found->is_string() || std::string_view(found->as_string()) != format) {
      return error(Code::data_invalid, "the text is not of the format " + std::string(format));
    }
    const json::value* const number = object->if_contains("version");
    if (number == nullptr || !number->is_int64() || number->as_int64() != version) {
      return error(Code::store_newer, "the text has a version of " + std::string(format) + " that is not known here");
    }
    return TextReader(std::move(value.as_object()));
  }

  Bytes take(std::string_view name) {
    const json::value* const value = object_.if_contains(name);
    Bytes bytes;
    if (value == nullptr || !value->is_string() || !from_base64(value->as_string(), bytes)) bad_ = name;
    return bytes;
  }
  Bytes take_optional(std::string_view name) { return object_.contains(name) ? take(name) : Bytes(); }

  Status done() const {
    if (bad_.empty()) return {};
    return error(Code::data_invalid, "the member " + bad_ + " is missing or damaged");
  }

 private:
  explicit TextReader(json::object object) : object_(std::move(object)) {}
  json::object object_;
  std::string bad_;
};

/// One member a line, in the order given, so that people can read and compare.
std::string begin_text(std::string_view format) {
  return "{\n  \"format\": \"" + std::string(format) + "\",\n  \"version\": " + std::to_string(version);
}

void append_member(std::string& text, std::string_view name, ByteView value) {
  text += ",\n  \"" + std::string(name) + "\": \"" + to_base64(value) + '"';
}

}  // namespace

std::string to_text(const AttestationStatement& statement) {
  std::string text = begin_text(statement_format);
  append_member(text, "endorsement_key", statement.endorsement_key);
  if (!statement.endorsement_certificate.empty()) {
    append_member(text, "endorsement_certificate", statement.endorsement_certificate);
  }
  append_member(text, "attestation_key", statement.attestation_key);
  append_member(text, "key", statement.key);
  append_member(text, "certification", statement.certification);
  append_member(text, "signature", statement.signature);
  return text + "\n}\n";
}

Result<AttestationStatement> statement_from_text(std::string_view text) {
  CARDEA_ASSIGN(TextReader reader, TextReader::parse(text, statement_format));
  AttestationStatement statement;
  statement.endorsement_key = reader.take("endorsement_key");
  statement.endorsement_certificate = reader.take_optional("endorsement_certificate");
  statement.attestation_key = reader.take("attestation_key");
  statement.key = reader.take("key");
  statement.certification = reader.take("certification");
  statement.signature = reader.take("signature");
  CARDEA_TRY(reader.done());
  return statement;
}

std::string to_text(const KeptChallenge& kept) {
  std::string text = begin_text(challenge_format);
  append_member(text, "endorsement_key_name", kept.endorsement_key_name);
  append_member(text, "attestation_key_name", kept.attestation_key_name);
  append_member(text, "answer_digest", kept.answer_digest);
  return text + "\n}\n";
}

Result<KeptChallenge> kept_challenge_from_text(std::string_view text) {
  CARDEA_ASSIGN(TextReader reader, TextReader::parse(text, challenge_format));
  KeptChallenge kept;
  kept.endorsement_key_name = reader.take("endorsement_key_name");
  kept.attestation_key_name = reader.take("attestation_key_name");
  kept.answer_digest = reader.take("answer_digest");
  CARDEA_TRY(reader.done());
  return kept;
}

SecretBytes to_text(const WrappedKey& wrapped, bool with_inner_key) {
  std::string text = begin_text(wrapped_format);
  append_member(text, "public_area", wrapped.public_area);
  append_member(text, "duplicate", wrapped.duplicate);
  append_member(text, "encrypted_seed", wrapped.encrypted_seed);
  if (with_inner_key) append_member(text, "inner_key", wrapped.inner_key.view());
  text += "\n}\n";
  SecretBytes secret(view_of(text));
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  return secret;
}

Result<WrappedKey> wrapped_key_from_text(std::string_view text) {
  CARDEA_ASSIGN(TextReader reader, TextReader::parse(text, wrapped_format));
  WrappedKey wrapped;
  wrapped.public_area = reader.take("public_area");
  wrapped.duplicate = reader.take("duplicate");
  wrapped.encrypted_seed = reader.take("encrypted_seed");
  Bytes inner_key = reader.take_optional("inner_key");
  wrapped.inner_key = SecretBytes(inner_key);
  wipe(inner_key);
  CARDEA_TRY(reader.done());
  return wrapped;
}

}  // namespace cardea::tpm
