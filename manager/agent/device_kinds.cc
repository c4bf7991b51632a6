#include "agent/device_kinds.h"

namespace cardea::agent {
namespace {

struct Row {
  std::string_view kind;
  bool made;
  std::string_view words;
};
constexpr Row rows[] = {
#define CARDEA_DEVICE_KIND(kind, made, words) {#kind, made, words},
#include "agent/device_kinds.def"
#undef CARDEA_DEVICE_KIND
};

const Row* row_of(std::string_view kind) {
  for (const Row& row : rows) {
    if (row.kind == kind) return &row;
  }
  return nullptr;
}

}  // namespace

bool is_made(std::string_view kind) {
  const Row* const row = row_of(kind);
  return row != nullptr && row->made;
}

MadeKind made_kind(std::string_view kind) {
  return kind == kind_name(MadeKind::tpm) ? MadeKind::tpm : MadeKind::keystore;
}

std::string_view words_of_kind(std::string_view kind) {
  const Row* const row = row_of(kind);
  return row == nullptr ? kind : row->words;
}

std::vector<std::string> device_kinds() {
  std::vector<std::string> kinds;
  for (const Row& row : rows) kinds.emplace_back(row.kind);
  return kinds;
}

}  // namespace cardea::agent
