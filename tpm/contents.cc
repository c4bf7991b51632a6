#include "tpm/contents.h"

namespace cardea::tpm {

Status Contents::load(Known& known) {
  CARDEA_ASSIGN(auto read, file_.read());
  known.state = std::move(read.first);
  known.stamp = read.second;
  known.loaded = true;
  generation_.fetch_add(1, std::memory_order_acq_rel);
  return {};
}

Status Contents::refresh() {
  const FileStamp now = file_.stamp();
  const bool current =
      known_.read([&](const Known& known) { return known.loaded && known.stamp.settled && known.stamp == now; });
  if (current) return {};
  return known_.with([&](Known& known) -> Status {
    if (!known.loaded) return load(known);
    CARDEA_ASSIGN(const auto last, file_.last_change());
    if (last.first != known.state.change) return load(known);
    known.stamp = last.second;
    return {};
  });
}

Status Contents::write(const std::function<Status(CardWriter&)>& work) {
  CARDEA_ASSIGN(CardChanges changes, file_.write(work));
  return known_.with([&](Known& known) -> Status {
    // Others wrote in between, or threads of ours come here in another order than they wrote.
    if (!known.loaded || changes.moved || changes.change != known.state.change + 1) return load(known);
    apply(std::move(changes), known.state);
    known.stamp = {};
    generation_.fetch_add(1, std::memory_order_acq_rel);
    return {};
  });
}

void Contents::apply(CardChanges changes, CardState& state) {
  state.change = changes.change;
  for (StoredObject& object : changes.written) {
    const ObjectId id = object.object->id;
    state.objects.insert_or_assign(id, std::move(object));
  }
  for (const ObjectId id : changes.gone) state.objects.erase(id);
  if (changes.rsa) state.description.rsa = changes.rsa;
  for (auto& [which, blob] : changes.openers) state.openers.insert_or_assign(which, std::move(blob));
}

}  // namespace cardea::tpm
