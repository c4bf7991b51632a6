// How a member of the model becomes a cell and back.
#pragma once

#include <concepts>
#include <optional>
#include <type_traits>

#include "store/documents.h"
#include "store/value.h"

namespace cardea::manager::store {

inline Error damaged_cell() {
  return error(Code::store_corrupt, "a row in the database holds a value that is none of ours");
}

template <class T>
struct Codec;

template <>
struct Codec<std::string> {
  static constexpr Kind kind = Kind::text;
  static Value write(const std::string& member) { return text(member); }
  static Status read(const Value& value, std::string& member) { return member = value.text, Status(); }
};

template <std::integral T>
struct Codec<T> {
  static constexpr Kind kind = Kind::integer;
  static Value write(T member) { return integer(static_cast<long long>(member)); }
  static Status read(const Value& value, T& member) { return member = static_cast<T>(value.number), Status(); }
};

template <>
struct Codec<Time> {
  static constexpr Kind kind = Kind::integer;
  static Value write(Time member) { return integer(member.time_since_epoch().count()); }
  static Status read(const Value& value, Time& member) {
    return member = Time(std::chrono::seconds(value.number)), Status();
  }
};

template <>
struct Codec<Bytes> {
  static constexpr Kind kind = Kind::bytes;
  static Value write(const Bytes& member) { return bytes(member); }
  static Status read(const Value& value, Bytes& member) { return member = to_bytes(view_of(value.text)), Status(); }
};

template <class T>
struct Codec<std::optional<T>> {
  static constexpr Kind kind = Codec<T>::kind;
  static Value write(const std::optional<T>& member) { return member ? Codec<T>::write(*member) : none(kind); }
  static Status read(const Value& value, std::optional<T>& member) {
    member.reset();
    return value.null ? Status() : Codec<T>::read(value, member.emplace());
  }
};

/// What documents.h writes.
template <class T, class... Known>
concept OneOf = (std::same_as<T, Known> || ...);
template <class T>
concept Document = OneOf<T, json::object, std::map<std::string, std::string>, std::vector<std::string>,
                         std::vector<Approval>, std::vector<Step>>;

template <Document T>
struct Codec<T> {
  static constexpr Kind kind = Kind::text;
  static Value write(const T& member) { return text(write_document(member)); }
  static Status read(const Value& value, T& member) { return read_document(value.text, member); }
};

template <class T>
requires std::is_enum_v<T>
struct Codec<T> {
  static constexpr Kind kind = Kind::text;
  static Value write(T member) { return text(name(member)); }
  static Status read(const Value& value, T& member) {
    auto state = state_of<T>(value.text);
    if (!state) return damaged_cell();
    member = *state;
    return {};
  }
};

}  // namespace cardea::manager::store
