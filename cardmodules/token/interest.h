// What a search is about, as far as that spares reading the card.
#pragma once

#include "cards/card_objects.h"

namespace cardea::card {

/// The classes, ids and labels that a query admits.
struct Interest {
  explicit Interest(const Query& query)
      : object_class(query.match.get_ulong(CKA_CLASS)),
        id(query.match.get(CKA_ID)),
        label(query.match.get(CKA_LABEL)),
        application(query.match.get(CKA_APPLICATION)),
        object_id(query.match.get(CKA_OBJECT_ID)),
        include_private(query.include_private),
        on_token(query.match.get_bool(CKA_TOKEN, true)) {}

  bool wants(CK_OBJECT_CLASS wanted) const { return on_token && object_class.value_or(wanted) == wanted; }
  bool wants_containers() const {
    return !application && !object_id && (wants(CKO_CERTIFICATE) || wants(CKO_PUBLIC_KEY) || wants(CKO_PRIVATE_KEY));
  }
  bool wants_files() const { return !id && wants(CKO_DATA); }
  bool wants(const ContainerPlace& place) const {
    if (id && !same_bytes(*id, place.id)) return false;
    if (label && !same_bytes(*label, view_of(place.label))) return false;
    return object_class != CKO_PRIVATE_KEY || include_private || !is_private(place);
  }
  bool wants(const FileEntry& file) const {
    if (label && !same_bytes(*label, view_of(file.name))) return false;
    if (application && !same_bytes(*application, view_of(file.application))) return false;
    if (object_id && !same_bytes(*object_id, file.object_id)) return false;
    return include_private || !file.needs_pin;
  }

  std::optional<CK_ULONG> object_class;
  std::optional<ByteView> id;
  std::optional<ByteView> label;
  std::optional<ByteView> application;
  std::optional<ByteView> object_id;
  bool include_private;
  bool on_token;
};

}  // namespace cardea::card
