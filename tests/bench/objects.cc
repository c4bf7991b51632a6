#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "bench/cases.h"

namespace cardea::bench {

using test::Attributes;
using test::Blob;
using test::expect_ok;

namespace {

double find_microseconds(ModuleContender& module, std::size_t objects, int times) {
  module.fill(objects);
  const test::Host& host = module.host();
  const CK_SESSION_HANDLE session = module.session(ModuleContender::many);
  Attributes wanted;
  Blob id = ModuleContender::object_id(0);
  wanted.bytes(CKA_ID, id);
  CK_ATTRIBUTE* const list = wanted.data();
  std::size_t number = 0;
  const auto find = [&] {
    number = (number + 7919) % objects;  // a prime, so that all of them get their turn
    const Blob next = ModuleContender::object_id(number);
    std::copy(next.begin(), next.end(), static_cast<CK_BYTE*>(list->pValue));
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;
    expect_ok(host->C_FindObjectsInit(session, list, 1), "C_FindObjectsInit");
    expect_ok(host->C_FindObjects(session, found, 2, &count), "C_FindObjects");
    expect_ok(host->C_FindObjectsFinal(session), "C_FindObjectsFinal");
    if (count != 1) throw std::runtime_error("the object is not found by its CKA_ID");
  };
  find();
  return 1e6 * seconds_each(find, times);
}

double list_milliseconds(ModuleContender& module, std::size_t objects) {
  module.fill(objects);
  const CK_SESSION_HANDLE session = module.session(ModuleContender::many);
  const auto list = [&] {
    if (module.host().find(session, {}).size() < objects) throw std::runtime_error("objects are missing from the list");
  };
  list();
  return 1e3 * seconds_each(list, 11);
}

double generations(ModuleContender& module, int times) {
  const CK_SESSION_HANDLE session = module.session(ModuleContender::few);
  std::vector<test::KeyPair> pairs;
  const double rate = rate_of([&] { pairs.push_back(module.host().make_p256(session, {'g'})); }, times);
  for (const test::KeyPair& pair : pairs) {
    expect_ok(module.host()->C_DestroyObject(session, pair.public_key), "C_DestroyObject");
    expect_ok(module.host()->C_DestroyObject(session, pair.private_key), "C_DestroyObject");
  }
  return rate;
}

struct Writes {
  double created;
  double destroyed;
};

Writes writes(ModuleContender& module, std::size_t objects, int times) {
  module.fill(objects);
  const CK_SESSION_HANDLE session = module.session(ModuleContender::many);
  std::vector<CK_OBJECT_HANDLE> made;
  Writes rates{};
  std::size_t number = objects;
  rates.created = rate_of([&] { made.push_back(module.create_object(session, ++number)); }, times);
  std::size_t gone = 0;
  rates.destroyed =
      rate_of([&] { expect_ok(module.host()->C_DestroyObject(session, made[gone++]), "C_DestroyObject"); }, times);
  return rates;
}

// What one durable write costs on this disk: 4 KiB appended and fdatasync.
double sync_microseconds(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "sync";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (file == -1) throw std::runtime_error("cannot write to " + folder.string());
  const Blob page(4096, 0x5a);
  off_t offset = 0;
  const double seconds = seconds_each(
      [&] {
        const bool written = pwrite(file, page.data(), page.size(), offset) == static_cast<ssize_t>(page.size());
        if (!written || fdatasync(file) != 0) throw std::runtime_error("cannot write to " + path.string());
        offset = (offset + 4096) % 65536;
      },
      200);
  close(file);
  return 1e6 * seconds;
}

std::string amount(std::size_t count) {
  return count % 1000 == 0 ? std::to_string(count / 1000) + ",000" : std::to_string(count);
}

}  // namespace

std::vector<Row> objects(const Modules& modules, const Plan& plan, const std::filesystem::path& folder) {
  const std::string fewer = amount(plan.fewer_objects), more = amount(plan.more_objects);
  std::vector<Row> rows{
      {"find_fewer", "find by CKA_ID among " + fewer, "µs", 0, 5, Wanted::at_most},
      {"find_more", "find by CKA_ID among " + more, "µs", 0, 5, Wanted::at_most},
      {"list", "list " + more + " objects", "ms", 0, 5, Wanted::at_most},
      {"generate", "P-256 token key generation, durable", "/s", 0, 1000, Wanted::at_least},
      {"create", "create among " + more, "/s", 0, 2000, Wanted::at_least},
      {"destroy", "destroy among " + more, "/s", 0, 2000, Wanted::at_least},
      {"sync", "4 KiB write and fdatasync on this disk", "µs", sync_microseconds(folder)},
  };
  for (std::size_t i = 0; i < modules.size(); ++i) {
    ModuleContender& module = *modules[i];
    std::vector<double> values{find_microseconds(module, plan.fewer_objects, plan.finds),
                               find_microseconds(module, plan.more_objects, plan.finds),
                               list_milliseconds(module, plan.more_objects), generations(module, plan.object_writes)};
    const Writes rates = writes(module, plan.more_objects, plan.object_writes);
    values.push_back(rates.created);
    values.push_back(rates.destroyed);
    for (std::size_t row = 0; row < values.size(); ++row) {
      if (i == 0) {
        rows[row].value = values[row];
      } else {
        rows[row].others[module.name()] = values[row];
      }
    }
  }
  return rows;
}

}  // namespace cardea::bench
