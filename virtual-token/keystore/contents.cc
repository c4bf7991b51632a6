#include "keystore/contents.h"

#include <algorithm>

namespace cardea::keystore {
namespace {

// A new process that signs once should read one row, not ten thousand; one that keeps asking is better off with all.
constexpr int most_single_reads = 64;
constexpr std::size_t most_candidates = 256;
// Marks generations that come from the database and not from the counter.
constexpr std::uint64_t from_database = std::uint64_t{1} << 63;

/// The index that narrows a search most: CKA_ID, then CKA_LABEL, then CKA_CLASS.
std::optional<std::pair<Column, std::int64_t>> narrowest(const AttributeSet& match) {
  for (const auto& [type, column] : {std::pair(CKA_ID, Column::id_hash), std::pair(CKA_LABEL, Column::label_hash)}) {
    const auto value = match.get(type);
    if (value && !value->empty()) return std::pair(column, index_hash(*value));
  }
  if (const auto value = match.get_ulong(CKA_CLASS)) {
    return std::pair(Column::object_class, static_cast<std::int64_t>(*value));
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t Contents::generation() {
  const std::uint64_t seen = store_.counter().read();
  if (seen % 2 == 0) return seen;
  if (seen == writing_.load(std::memory_order_acquire)) return seen - 1;
  const auto meta = store_.with([](StoreFile& file) { return file.meta(); });
  return from_database | (meta ? meta->change : seen);
}

Status Contents::refresh() {
  const std::uint64_t seen = store_.counter().read();
  if (seen == synchronised_.load(std::memory_order_acquire)) return {};
  if (seen == writing_.load(std::memory_order_acquire)) return {};
  return store_.with([&](StoreFile& file) -> Status {
    const std::uint64_t before = store_.counter().read();
    CARDEA_TRY(synchronise(file));
    synchronised_.store(before % 2 == 0 ? before : never, std::memory_order_release);
    return {};
  });
}

Status Contents::synchronise(StoreFile& file) {
  CARDEA_ASSIGN(const Meta meta, file.meta());
  struct State {
    bool loaded;
    std::uint64_t epoch, change;
  };
  const State state = index_.read([](const ObjectIndex& i) { return State{i.loaded(), i.epoch, i.change}; });
  if (meta.epoch == state.epoch && meta.change == state.change) return {};
  const bool restarted = meta.epoch != state.epoch || meta.change < state.change;
  if (!restarted && state.loaded && state.change >= meta.tombstones_from) return take_changes(file, meta);
  changed_(std::nullopt);
  if (state.loaded) return load(file);
  index_.with([&](ObjectIndex& index) {
    index.clear();
    index.epoch = meta.epoch;
    index.change = meta.change;
  });
  return {};
}

// The description was read first, so rows may be newer than meta.change; they come once more next time, which is
// harmless.
Status Contents::take_changes(StoreFile& file, const Meta& meta) {
  return index_.with([&](ObjectIndex& index) -> Status {
    const auto written = [&](const ObjectRow& row) {
      changed_(row.id);
      index.put(row.id, row.attributes);
    };
    const auto gone = [&](ObjectId id) {
      changed_(id);
      index.erase(id);
    };
    CARDEA_TRY(file.read_changes(index.change, written, gone));
    index.change = meta.change;
    return {};
  });
}

Status Contents::load(StoreFile& file) {
  ObjectIndex fresh;
  fresh.begin_load();
  CARDEA_ASSIGN(const Meta meta, file.meta());
  fresh.epoch = meta.epoch;
  fresh.change = meta.change;
  Status read = file.read_all([&](const ObjectRow& row) { fresh.put(row.id, row.attributes); });
  if (!read && read.code() == Code::store_corrupt) read = load_one_by_one(file, fresh);
  CARDEA_TRY(std::move(read));
  index_.with([&](ObjectIndex& index) { index = std::move(fresh); });
  return {};
}

// A damaged page ends a scan of the table; the ids stand in an index on other pages, and most rows can be had by them.
Status Contents::load_one_by_one(StoreFile& file, ObjectIndex& index) {
  std::vector<ObjectId> ids;
  const Status listed = file.read_ids([&](ObjectId id) { ids.push_back(id); });
  std::sort(ids.begin(), ids.end());
  for (const ObjectId id : ids) {
    const auto row = file.read(id, [&](const ObjectRow& found) { index.put(id, found.attributes); });
    if (!row && row.code() != Code::store_corrupt) return row.error();
    if (!row) index.note_damage(id, row.error().detail);
    if (row && !*row) index.note_damage(id, "its row is missing");
  }
  if (!listed) index.note_damage(0, "the list of objects is damaged: " + listed.error().detail);
  return {};
}

std::uint64_t Contents::epoch() const {
  return index_.read([](const ObjectIndex& index) { return index.epoch; });
}

Status Contents::find(const Query& query, const ObjectSink& sink) {
  CARDEA_TRY(refresh());
  std::vector<ObjectPtr> found;
  const bool warm = index_.read([&](const ObjectIndex& index) {
    if (index.loaded()) index.find(query, found);
    return index.loaded();
  });
  if (!warm) CARDEA_TRY(find_cold(query, found));
  for (const ObjectPtr& object : found) sink(object);
  return {};
}

Status Contents::find_cold(const Query& query, std::vector<ObjectPtr>& found) {
  return store_.with([&](StoreFile& file) -> Status {
    const bool loaded = index_.read([](const ObjectIndex& index) { return index.loaded(); });
    if (!loaded && ++single_reads_ <= most_single_reads) {
      const auto answered = find_by_index(file, query, found);
      if (!answered && answered.code() != Code::store_corrupt) return answered.error();
      if (answered && *answered) return {};
      found.clear();
    }
    if (!loaded) CARDEA_TRY(load(file));
    index_.read([&](const ObjectIndex& index) { index.find(query, found); });
    return {};
  });
}

/// False when no index narrows the search enough.
Result<bool> Contents::find_by_index(StoreFile& file, const Query& query, std::vector<ObjectPtr>& found) {
  const auto index_value = narrowest(query.match);
  if (!index_value) return false;
  std::size_t candidates = 0;
  return index_.with([&](ObjectIndex& index) -> Result<bool> {
    const auto take = [&](const ObjectRow& row) {
      ++candidates;
      ObjectPtr object = index.get(row.id);
      if (!object) object = index.put(row.id, row.attributes);
      if (object && matches(*object, query)) found.push_back(std::move(object));
    };
    CARDEA_TRY(file.read_where(index_value->first, index_value->second, most_candidates + 1, take));
    return candidates <= most_candidates;
  });
}

Result<ObjectPtr> Contents::object(ObjectId id) {
  CARDEA_TRY(refresh());
  ObjectPtr object;
  const bool known = index_.read([&](const ObjectIndex& index) {
    object = index.get(id);
    return index.loaded();
  });
  if (object) return object;
  if (known) return Code::object_handle_invalid;
  return store_.with([&](StoreFile& file) -> Result<ObjectPtr> {
    const auto take = [&](const ObjectRow& row) {
      object = index_.with([&](ObjectIndex& index) { return index.put(id, row.attributes); });
    };
    ++single_reads_;
    CARDEA_ASSIGN(const bool there, file.read(id, take));
    if (!there || !object) return Code::object_handle_invalid;
    return object;
  });
}

Status Contents::write(const std::function<Status(WriteTransaction&)>& body) {
  return store_.with([&](StoreFile& file) -> Status {
    if (!file.writable()) return Code::token_write_protected;
    CARDEA_TRY(file.check_in_place());
    CARDEA_TRY(file.begin());
    // With SQLite's write lock held nobody else commits, so after this the index is the truth until our own commit.
    Status done = synchronise(file);
    if (!done) {
      file.rollback();
      return done;
    }
    const auto [epoch, change] = index_.read([](const ObjectIndex& i) { return std::pair(i.epoch, i.change); });
    const std::uint64_t odd = store_.counter().begin_write();
    writing_.store(odd, std::memory_order_release);
    WriteTransaction transaction{.file = file, .epoch = epoch, .change = change + 1};
    done = body(transaction);
    const bool committing = done.ok();
    if (done) done = file.commit();
    if (!done) file.rollback();
    if (done) apply(transaction);
    // After a failed commit the database is asked once more.
    synchronised_.store(committing && !done ? never : odd + 1, std::memory_order_release);
    store_.counter().end_write(odd);
    writing_.store(never, std::memory_order_release);
    return done;
  });
}

void Contents::apply(const WriteTransaction& transaction) {
  index_.with([&](ObjectIndex& index) {
    if (transaction.restarted) {
      changed_(std::nullopt);
      index.begin_load();
      index.epoch = transaction.epoch + 1;
    }
    for (const ObjectPtr& object : transaction.written) {
      changed_(object->id);
      index.put(object);
    }
    for (const ObjectId id : transaction.gone) {
      changed_(id);
      index.erase(id);
    }
    index.change = transaction.change;
  });
}

Result<std::vector<std::string>> Contents::check() {
  CARDEA_TRY(store_.with([&](StoreFile& file) { return load(file); }));
  return damage();
}

std::vector<std::string> Contents::damage() const {
  std::vector<std::string> sentences;
  index_.read([&](const ObjectIndex& index) {
    for (const auto& [id, why] : index.damage()) {
      sentences.push_back("object " + std::to_string(id) + " is damaged and left out: " + why);
    }
  });
  return sentences;
}

}  // namespace cardea::keystore
