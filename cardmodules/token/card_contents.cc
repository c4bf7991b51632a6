#include "cards/card_contents.h"

#include "cards/packing.h"

namespace cardea::card {
namespace {

// Each structure names its members once, for writing and reading alike.

template <class P>
void pack(P& p, PinState& v) {
  p.flag(v.initialized);
  p.flag(v.locked);
  p.flag(v.to_be_changed);
  p.optional(v.retries_left, [](P& q, int& n) { q.number(n); });
  p.number(v.retry_limit);
}

template <class P>
void pack(P& p, CardDescription& v) {
  p.text(v.label);
  p.text(v.manufacturer);
  p.text(v.model);
  p.text(v.serial);
  p.bytes(v.identity);
  p.number(v.min_pin_length);
  p.number(v.max_pin_length);
  p.flag(v.initialized);
  p.flag(v.can_generate);
  p.flag(v.can_import);
  p.flag(v.user_writes);
  p.list(v.problems, [](P& q, std::string& text) { q.text(text); });
}

template <class P>
void pack(P& p, ContainerPlace& v) {
  p.number(v.index);
  p.bytes(v.id);
  p.text(v.label);
  p.choice(v.pin, PinPolicy::always);
}

template <class P>
void pack(P& p, Container& v) {
  pack(p, v.place);
  p.flag(v.has_key);
  p.bytes(v.public_key);
  p.bytes(v.certificate);
  p.number(v.primitives);
  p.flag(v.signs);
  p.flag(v.decrypts);
  p.flag(v.derives);
  p.flag(v.local);
  p.choice(v.touch, TouchPolicy::cached);
}

template <class P>
void pack(P& p, FileEntry& v) {
  p.text(v.name);
  p.text(v.application);
  p.bytes(v.object_id);
  p.number(v.reference);
  p.flag(v.needs_pin);
  p.flag(v.writable);
  p.flag(v.listed);
}

template <class P>
void pack(P& p, FileState& v) {
  p.flag(v.exists);
  p.optional(v.content, [](P& q, Bytes& bytes) { q.bytes(bytes); });
}

constexpr auto pack_one = [](auto& p, auto& v) { pack(p, v); };

template <class P>
void pack(P& p, CardContents& v) {
  p.text(v.kind);
  pack(p, v.description);
  p.flag(v.pin_pad);
  p.flag(v.writable);
  p.optional(v.user_pin, pack_one);
  p.optional(v.places, [](P& q, auto& places) { q.list(places, pack_one); });
  p.map(v.containers, [](P& q, auto& container) { q.optional(container, pack_one); });
  p.optional(v.files, [](P& q, auto& files) { q.list(files, pack_one); });
  p.map(v.file_states, pack_one);
}

}  // namespace

Bytes serialise(const CardContents& contents) {
  Packer packer;
  CardContents copy = contents;  // the members are named once, and reading needs them mutable
  pack(packer, copy);
  return packer.take();
}

Result<CardContents> parse_contents(ByteView bytes) {
  Unpacker unpacker(bytes);
  CardContents contents;
  pack(unpacker, contents);
  if (!unpacker.complete()) return Code::data_invalid;
  return contents;
}

}  // namespace cardea::card
