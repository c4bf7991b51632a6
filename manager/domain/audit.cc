#include "domain/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <vector>

#include "crypto/digest.h"

namespace cardea::manager {
namespace {

/// Collects what is hashed.
class Canonical {
 public:
  void number(std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes_.push_back(static_cast<Byte>(value >> shift));
  }
  void field(ByteView value) {
    number(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void field(std::string_view value) { field(view_of(value)); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

void write(const json::value& value, std::string& out);

void write(const json::object& object, std::string& out) {
  std::vector<const json::key_value_pair*> members;
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return std::string_view(a->key()) < std::string_view(b->key()); });
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) out += ',';
    out += json::serialize(member->key());
    out += ':';
    write(member->value(), out);
  }
  out += '}';
}

void write(const json::array& array, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i != 0) out += ',';
    write(array[i], out);
  }
  out += ']';
}

void write(const json::value& value, std::string& out) {
  if (const auto* object = value.if_object()) return write(*object, out);
  if (const auto* array = value.if_array()) return write(*array, out);
  out += json::serialize(value);
}

}  // namespace

Bytes audit_chain_start() {
  return Bytes(crypto::hash_size(Hash::sha256), Byte{0});
}

std::string canonical_json(const json::value& value) {
  std::string out;
  write(value, out);
  return out;
}

Result<Bytes> audit_hash(const AuditEvent& event) {
  Canonical form;
  form.field("cardea audit 1");
  form.field(event.previous);
  form.number(event.number);
  form.number(static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
  form.field(event.actor);
  form.field(event.action);
  form.field(event.subject);
  form.field(canonical_json(event.detail));
  return crypto::digest(Hash::sha256, form.bytes());
}

Status AuditChain::broken(std::string sentence) {
  broken_ = error(Code::data_invalid, std::move(sentence));
  return *broken_;
}

Status AuditChain::take(const AuditEvent& event) {
  if (broken_) return *broken_;
  if (event.number > next_) return broken(fmt::format("event {} is missing from the audit log", next_));
  if (event.number < next_) return broken(fmt::format("event {} stands twice in the audit log", event.number));
  if (!same_bytes(event.previous, previous_))
    return broken(next_ == 1
                      ? fmt::format("event {} of the audit log was changed", event.number)
                      : fmt::format("event {} or {} of the audit log was changed: the second does not follow the "
                                    "first",
                                    next_ - 1, event.number));
  CARDEA_ASSIGN(Bytes hash, audit_hash(event));
  if (!same_bytes(hash, event.hash)) return broken(fmt::format("event {} of the audit log was changed", event.number));
  if (tail_ && tail_->number == event.number && !same_bytes(tail_->hash, hash))
    return broken(fmt::format("event {} of the audit log is not the one that was written", event.number));
  previous_ = std::move(hash);
  ++next_;
  return {};
}

Status AuditChain::end() {
  if (broken_) return *broken_;
  if (tail_ && tail_->number > last())
    return broken(fmt::format("events {} to {} are missing at the end of the audit log", next_, tail_->number));
  return {};
}

}  // namespace cardea::manager
