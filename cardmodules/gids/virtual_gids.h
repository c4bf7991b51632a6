// A virtual GIDS card in this process, for the tests of this folder.
#pragma once

#include "cardmodules/module_rig.h"
#include "crypto/key_encoding.h"
#include "gids/gids_card.h"

namespace cardea::card::gids {

struct Rig : ModuleRig {
  explicit Rig(bool initialised = true, ApduLimits limits = {.command_data = 65535, .answer_data = 65536})
      : ModuleRig(vcard::CardState{initialised ? vcard::new_initialised_gids() : vcard::new_gids()}, limits,
                  recognise_gids) {}

  Bytes generate(std::size_t index, crypto::KeyAlgorithm algorithm, std::size_t bits = 0) {
    log_in();
    const auto made = administrator->generate(*transaction, place(index), {.algorithm = algorithm, .bits = bits});
    BOOST_REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : describe(made.error())));
    return *made;
  }
  Bytes file(std::string_view name) {
    for (const FileEntry& entry : files()) {
      if (entry.name != name) continue;
      const auto content = module->read_file(*transaction, entry);
      BOOST_REQUIRE(content.ok());
      return *content;
    }
    BOOST_FAIL("no such file");
    return {};
  }
  CacheCounters counters() { return *parse_cache_file(file("cardcf")); }
};

inline crypto::AsymmetricKeyPtr key_of(ByteView key_info) {
  auto key = crypto::from_subject_public_key_info(key_info);
  BOOST_REQUIRE(key.ok());
  return *key;
}

}  // namespace cardea::card::gids
