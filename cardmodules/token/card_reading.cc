// What CardToken reads of a card, when somebody asks for it.
#include "cards/card_token.h"
#include "cards/interest.h"
#include "crypto/certificate.h"

namespace cardea::card {
namespace {

/// Damage of one object, which is left out; everything else on the card is as before.
bool is_damage(Code code) {
  return code == Code::data_invalid || code == Code::data_length || code == Code::public_key_invalid ||
         code == Code::curve_not_supported;
}

}  // namespace

/// What a search may find and nobody has read yet.
struct CardToken::Missing {
  std::vector<ContainerPlace> places;
  bool files = false;           ///< their list, or whether some of them are there
  bool files_with_pin = false;  ///< the same where only the user may look
};

CardToken::Missing CardToken::missing_for(const Interest& interest) const {
  return known_.read([&](const Known& known) {
    Missing missing;
    if (interest.wants_containers() && known.card.places) {
      for (const ContainerPlace& place : *known.card.places) {
        if (interest.wants(place) && !known.card.containers.contains(place.index)) missing.places.push_back(place);
      }
    }
    if (!interest.wants_files()) return missing;
    if (!known.card.files) {
      missing.files = missing.files_with_pin = true;
      return missing;
    }
    for (const FileEntry& file : *known.card.files) {
      if (file.listed || !interest.wants(file) || known.card.file_states.contains(file.reference)) continue;
      (file.needs_pin ? missing.files_with_pin : missing.files) = true;
    }
    return missing;
  });
}

/// Reads it in one transaction. Nothing when all is known.
Status CardToken::read_wanted(const Interest& interest) {
  if (interest.wants_containers()) CARDEA_TRY(places());
  const Missing missing = missing_for(interest);
  if (missing.places.empty() && !missing.files && !missing.files_with_pin) return {};
  const bool as_user = interest.include_private && role_.load(std::memory_order_acquire) == Role::user;
  const Need need = as_user && missing.files_with_pin ? Need::user : Need::nothing;
  CARDEA_TRY(access_->run(need, [&](CardModule& module, CardTransaction& transaction) -> Status {
    for (const ContainerPlace& place : missing.places) CARDEA_TRY(read_place(place, module, transaction));
    if (interest.wants_files()) return read_files(interest, module, transaction);
    return {};
  }));
  save();
  return {};
}

Status CardToken::read_place(const ContainerPlace& place, CardModule& module, CardTransaction& transaction) {
  const bool known_already =
      known_.read([&](const Known& known) { return known.card.containers.contains(place.index); });
  if (known_already) return {};
  Result<std::optional<Container>> container = module.read_container(transaction, place);
  if (!container && !is_damage(container.code())) return std::move(container).error();
  const bool empty = !container || !*container;
  if (empty && access_->on_trust()) return Code::not_found;
  known_.with([&](Known& known) {
    if (!container) {
      known.card.description.problems.push_back(
          "What is in \"" + place.label + "\" does not parse and is not shown: " + cardea::describe(container.error()));
    }
    take_note(known, place.index, container ? std::move(*container) : std::nullopt);
  });
  return {};
}

Status CardToken::read_files(const Interest& interest, CardModule& module, CardTransaction& transaction) {
  auto files = known_.read([](const Known& known) { return known.card.files; });
  if (!files) {
    CARDEA_ASSIGN(files, module.files(transaction));
    known_.with([&](Known& known) {
      known.card.files = files;
      known.unsaved = true;
    });
  }
  for (const FileEntry& file : *files) {
    if (interest.wants(file) && !file.listed) CARDEA_TRY(read_file_state(file, module, transaction));
  }
  return {};
}

/// Whether a file that the card's kind may have is there: only reading it tells.
Status CardToken::read_file_state(const FileEntry& file, CardModule& module, CardTransaction& transaction) {
  const bool known_already =
      known_.read([&](const Known& known) { return known.card.file_states.contains(file.reference); });
  if (known_already) return {};
  Result<Bytes> content = module.read_file(transaction, file);
  FileState state;
  if (content) {
    state.exists = true;
    if (file.needs_pin) {
      wipe(*content);
    } else {
      state.content = std::move(*content);
    }
  } else if (content.code() == Code::user_not_logged_in) {
    state.exists = true;
  } else if (content.code() != Code::not_found && !is_damage(content.code())) {
    return std::move(content).error();
  } else if (content.code() == Code::not_found && access_->on_trust()) {
    return Code::not_found;
  }
  known_.with([&](Known& known) {
    known.card.file_states[file.reference] = std::move(state);
    known.unsaved = true;
  });
  return {};
}

Result<std::vector<ContainerPlace>> CardToken::places() {
  auto known_places = known_.read([](const Known& known) { return known.card.places; });
  if (known_places) return std::move(*known_places);
  std::vector<ContainerPlace> places;
  CARDEA_TRY(access_->run_selected([&](CardModule& module, CardTransaction& transaction) -> Status {
    CARDEA_ASSIGN(places, module.places(transaction));
    return {};
  }));
  known_.with([&](Known& known) {
    known.card.places = places;
    known.unsaved = true;
  });
  return places;
}

Result<std::optional<Container>> CardToken::container_at(std::uint32_t index) {
  using Found = std::optional<std::optional<Container>>;
  const auto look = [&] {
    return known_.read([&](const Known& known) -> Found {
      const auto found = known.card.containers.find(index);
      if (found == known.card.containers.end()) return std::nullopt;
      return found->second;
    });
  };
  if (Found known = look()) return std::move(*known);
  CARDEA_ASSIGN(const std::vector<ContainerPlace> all, places());
  for (const ContainerPlace& place : all) {
    if (place.index != index) continue;
    CARDEA_TRY(access_->run(Need::nothing, [&](CardModule& module, CardTransaction& transaction) {
      return read_place(place, module, transaction);
    }));
    save();
  }
  return look().value_or(std::nullopt);
}

Result<FileEntry> CardToken::file_of(std::uint32_t reference) {
  const auto look = [&] {
    return known_.read([&](const Known& known) -> Result<FileEntry> {
      if (!known.card.files) return Code::not_found;
      for (const FileEntry& file : *known.card.files) {
        if (file.reference == reference) return file;
      }
      return Code::object_handle_invalid;
    });
  };
  Result<FileEntry> file = look();
  if (file || file.code() != Code::not_found) return file;
  CARDEA_TRY(access_->run(Need::nothing, [&](CardModule& module, CardTransaction& transaction) -> Status {
    CARDEA_ASSIGN(std::vector<FileEntry> files, module.files(transaction));
    known_.with([&](Known& known) { known.card.files = std::move(files); });
    return {};
  }));
  return look();
}

Result<Bytes> CardToken::content_of(const FileEntry& file) {
  auto known_content = known_.read([&](const Known& known) -> std::optional<Bytes> {
    const auto state = known.card.file_states.find(file.reference);
    return state == known.card.file_states.end() ? std::nullopt : state->second.content;
  });
  if (known_content) return std::move(*known_content);
  Bytes content;
  CARDEA_TRY(access_->run(file.needs_pin ? Need::user : Need::nothing,
                          [&](CardModule& module, CardTransaction& transaction) -> Status {
                            CARDEA_ASSIGN(content, module.read_file(transaction, file));
                            return {};
                          }));
  if (!file.needs_pin) {
    known_.with([&](Known& known) {
      known.card.file_states[file.reference] = FileState{true, content};
      known.unsaved = true;
    });
    save();
  }
  return content;
}

}  // namespace cardea::card
