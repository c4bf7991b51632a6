// Steps that give archived keys to the agent: what is opened for them, outside of any transaction, and what is sent.
#include <fmt/format.h>

#include "domain/archive.h"
#include "domain/journal_parts.h"

namespace cardea::manager::journal {

namespace {

Result<Id> archived_key_for(const JobView& view, const Step& step) {
  if (step.parameters.contains("archived_key")) return number_of(step.parameters, "archived_key");
  const Step* made = step_before(view.job, step.index, "generate_archived_key", text_of(step.parameters, "container"));
  if (made == nullptr) return error(Code::internal, "no key was archived for this container");
  return number_of(made->result, "archived_key");
}

// A former key with its certificate, which one that nothing was encrypted to lacks.
struct Former {
  ArchivedKey key;
  Certificate certificate;
};

Result<std::vector<Former>> history_for(Transaction& store, const JobView& view, const Step& step) {
  std::vector<Former> history;
  for (const auto& id : step.parameters.at("keys").as_array()) {
    Former former;
    CARDEA_ASSIGN(former.key, store.archived_key(id.as_int64()));
    if (former.key.person != view.person.id)
      return error(Code::permission_denied, fmt::format("the archived key {} is another person's", former.key.id));
    if (!former.key.certificate) continue;
    CARDEA_ASSIGN(former.certificate, store.certificate(*former.key.certificate));
    if (!former.certificate.der.empty()) history.push_back(std::move(former));
  }
  return history;
}

// The key as it is sent. That it was read is written down in the transaction that hands it out.
Result<json::string> told(Transaction& store, const Ports& ports, const JobView& view, const ArchivedKey& key,
                          const OpenedKeys& opened, std::string_view why) {
  const auto found = opened.find(key.id);
  if (found == opened.end()) return error(Code::internal, fmt::format("the archived key {} was not opened", key.id));
  CARDEA_TRY(record_key_read(store, key, job_actor(view.job), ports.clock.now(), why));
  return base64(found->second);
}

}  // namespace

Result<std::vector<ArchivedKey>> keys_to_open(Transaction& store, const JobView& view, const Step& step,
                                              const OpenedKeys& opened) {
  std::vector<ArchivedKey> keys;
  if (step.kind == "import_key") {
    CARDEA_ASSIGN(const Id id, archived_key_for(view, step));
    CARDEA_ASSIGN(ArchivedKey key, store.archived_key(id));
    keys.push_back(std::move(key));
  }
  if (step.kind == "write_history") {
    CARDEA_ASSIGN(auto history, history_for(store, view, step));
    for (auto& one : history) keys.push_back(std::move(one.key));
  }
  std::erase_if(keys, [&](const ArchivedKey& key) { return opened.contains(key.id); });
  return keys;
}

Result<json::object> give_archived_key(Transaction& store, const Ports& ports, const JobView& view, const Step& step,
                                       const OpenedKeys& opened) {
  json::object out = step.parameters;
  CARDEA_ASSIGN(const Id id, archived_key_for(view, step));
  CARDEA_ASSIGN(const ArchivedKey key, store.archived_key(id));
  CARDEA_ASSIGN(out["pkcs8"], told(store, ports, view, key, opened, "onto a token"));
  out["spki"] = base64(key.public_key);
  return out;
}

Result<json::object> give_history(Transaction& store, const Ports& ports, const JobView& view, const Step& step,
                                  const OpenedKeys& opened) {
  json::object out = step.parameters;
  CARDEA_ASSIGN(const auto history, history_for(store, view, step));
  json::array keys;
  for (const auto& [key, certificate] : history) {
    CARDEA_ASSIGN(json::string pkcs8, told(store, ports, view, key, opened, "history onto a token"));
    keys.push_back(json::object{
        {"pkcs8", std::move(pkcs8)}, {"certificate", base64(certificate.der)}, {"spki", base64(key.public_key)}});
  }
  out["keys"] = keys;
  return out;
}

}  // namespace cardea::manager::journal
