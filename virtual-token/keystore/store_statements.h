// The statements that a StoreFile keeps prepared; their texts are in store_file.cc. Internal to the files that
// implement it.
#pragma once

#include "keystore/store_file.h"

namespace cardea::keystore {

enum class StoreFile::Sql : std::uint8_t {
  begin,
  commit,
  meta,
  unlock_method,
  read,
  read_all,
  read_ids,
  by_class,
  by_id_hash,
  by_label_hash,
  rows_after,
  tombstones_after,
  next_change,
  insert,
  update,
  remove,
  add_tombstone,
  prune_tombstones,
  mark_pruned,
  put_unlock_method,
  seal_row,
  count
};

}  // namespace cardea::keystore
