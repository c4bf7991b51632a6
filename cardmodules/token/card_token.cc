#include "cards/card_token.h"

#include <algorithm>

#include "cards/card_key.h"
#include "cards/interest.h"
#include "crypto/key_encoding.h"
#include "token/key_material.h"

namespace cardea::card {
namespace {

std::filesystem::path cache_directory(const Settings& settings) {
  return settings.card.cache ? settings.cache_directory / "cards" : std::filesystem::path();
}

/// What is cut off of a text that PKCS#11 has less room for; never in the middle of a UTF-8 character.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<Byte>(text[most]) & 0xc0u) == 0x80) --most;
  text.resize(most);
  return text;
}

}  // namespace

CardToken::CardToken(const Settings& settings, ReaderStatus reader, std::unique_ptr<CardAccess> access,
                     CardContents card)
    : settings_(settings),
      reader_(std::move(reader)),
      cache_(cache_directory(settings)),
      officer_writes_(!card.description.user_writes),
      access_(std::move(access)),
      shared_(settings.runtime_directory, card.description.identity) {
  known_.with([&](Known& known) {
    known.card = std::move(card);
    known.stamp = shared_.stamp();
  });
}

/// Reads what tells the card and its directory. Both at once, while it is certain whose application is selected.
Result<CardContents> CardToken::read_description(CardAccess& access) {
  CardContents card;
  CARDEA_TRY(access.run_selected([&](CardModule& module, CardTransaction& transaction) -> Status {
    CARDEA_ASSIGN(card.description, module.describe(transaction));
    CARDEA_ASSIGN(card.places, module.places(transaction));
    card.pin_pad = transaction.pin_pad() != nullptr;
    card.writable = module.administrator() != nullptr;
    return {};
  }));
  card.kind = access.kind();
  return card;
}

Result<std::shared_ptr<CardToken>> CardToken::open(const Settings& settings, const ReaderStatus& reader,
                                                   CardChannelPtr channel, std::span<const CardKind> kinds) {
  const ContentsCache cache(cache_directory(settings));
  auto cached = cache.load(reader.name, reader.insertion_identity, [&](ByteView identity) {
    return SharedState(settings.runtime_directory, identity).stamp();
  });
  const bool fresh = !cached;
  auto access = std::make_unique<CardAccess>(
      std::move(channel), kinds, fresh ? std::string() : cached->kind,
      std::make_unique<SharedState>(settings.runtime_directory, view_of("reader " + reader.name)));
  if (fresh) {
    CARDEA_ASSIGN(cached, read_description(*access));
  }
  std::shared_ptr<CardToken> token(new CardToken(settings, reader, std::move(access), std::move(*cached)));
  token->known_.with([&](Known& known) { known.unsaved = fresh; });
  token->save();
  return token;
}

void CardToken::save() {
  auto to_save = known_.with([](Known& known) -> std::optional<Known> {
    if (!std::exchange(known.unsaved, false)) return std::nullopt;
    return known;
  });
  if (to_save) cache_.store({reader_.name, reader_.insertion_identity, to_save->stamp}, to_save->card);
}

/// Forgets what another process may have changed; what did not change is in the cache that it left.
void CardToken::take_in_foreign_changes() {
  const std::uint64_t stamp = shared_.stamp();
  const bool changed = known_.with([&](Known& known) { return std::exchange(known.stamp, stamp) != stamp; });
  if (!changed) return;
  auto fresh = cache_.load(reader_.name, reader_.insertion_identity, [&](ByteView) { return stamp; });
  known_.with([&](Known& known) {
    if (!fresh) {
      fresh.emplace();
      fresh->kind = known.card.kind;
      fresh->description = known.card.description;
      fresh->pin_pad = known.card.pin_pad;
      fresh->writable = known.card.writable;
    }
    for (auto& [index, container] : known.card.containers) {
      if (container) known.former.insert_or_assign(index, std::move(*container));
    }
    auto present = std::exchange(fresh->containers, {});
    known.card = std::move(*fresh);
    for (auto& [index, container] : present) take_note(known, index, std::move(container));
  });
  generation_.fetch_add(1, std::memory_order_acq_rel);
}

void CardToken::take_note(Known& known, std::uint32_t index, std::optional<Container> container) {
  if (const auto former = known.former.extract(index); !former.empty()) {
    const Container& before = former.mapped();
    const Container nothing;
    const Container& now = container ? *container : nothing;
    if (!same_bytes(key_info_of(before), key_info_of(now))) {
      known.numbers.retire({Part::private_key, index});
      known.numbers.retire({Part::public_key, index});
    }
    if (!same_bytes(before.certificate, now.certificate)) known.numbers.retire({Part::certificate, index});
  }
  known.card.containers[index] = std::move(container);
  known.unsaved = true;
}

/// After a write of this process.
void CardToken::contents_changed() {
  const std::uint64_t stamp = shared_.stamp_anew();
  known_.with([&](Known& known) {
    known.stamp = stamp;
    known.unsaved = true;
  });
  generation_.fetch_add(1, std::memory_order_acq_rel);
  save();
}

void CardToken::refresh_pin_state() {
  std::optional<PinState> state;
  // A card that cannot be asked is described without it.
  static_cast<void>(access_
                        ->run(Need::nothing,
                              [&](CardModule& module, CardTransaction& transaction) -> Status {
                                CARDEA_ASSIGN(state, module.pin_state(transaction, PinRole::user));
                                return {};
                              })
                        .ok());
  known_.with([&](Known& known) {
    known.card.user_pin = state;
    known.unsaved = known.unsaved || state.has_value();
  });
  save();
}

TokenDescription CardToken::describe() {
  // Another program may have set a PIN anew that was locked or had one try left, and callers refuse such a PIN unseen.
  const bool to_be_asked = known_.read([](const Known& known) {
    const std::optional<PinState>& pin = known.card.user_pin;
    return !pin || pin->locked || (pin->retries_left && *pin->retries_left <= 1);
  });
  if (to_be_asked && present()) refresh_pin_state();
  return known_.read([](const Known& known) {
    const CardDescription& card = known.card.description;
    TokenDescription description;
    description.label = shortened(card.label, 32);
    description.manufacturer = shortened(card.manufacturer, 32);
    description.model = shortened(card.model, 16);
    description.serial = shortened(card.serial, 16);
    // C_InitToken is not how cards are made new, so one without its objects is no uninitialised token either.
    description.initialized = true;
    description.protected_authentication_path = known.card.pin_pad;
    description.min_pin_length = card.min_pin_length;
    description.max_pin_length = card.max_pin_length;
    description.user_pin = known.card.user_pin.value_or(PinState{});
    if (!known.card.user_pin) description.user_pin.initialized = card.initialized;
    description.so_pin.initialized = known.card.writable;
    description.problems = card.problems;
    return description;
  });
}

Status CardToken::find(const Query& query, const ObjectSink& sink) {
  if (!present()) return Code::device_removed;
  take_in_foreign_changes();
  const Interest interest(query);
  CARDEA_TRY(read_wanted(interest));
  std::vector<ObjectPtr> found;
  known_.with([&](Known& known) {
    if (known.card.places && interest.wants_containers()) {
      for (const ContainerPlace& place : *known.card.places) {
        const auto container = known.card.containers.find(place.index);
        if (container == known.card.containers.end() || !container->second || !interest.wants(place)) continue;
        add_container_objects(known, *container->second, query, found);
      }
    }
    if (!known.card.files || !interest.wants_files()) return;
    for (const FileEntry& file : *known.card.files) {
      const auto state = known.card.file_states.find(file.reference);
      const bool exists = state == known.card.file_states.end() ? file.listed : state->second.exists;
      if (!exists || !interest.wants(file)) continue;
      const ObjectId id = known.numbers.number_of({Part::file, file.reference});
      found.push_back(std::make_shared<const Object>(Object{id, attributes_of(known.card, file)}));
    }
  });
  std::sort(found.begin(), found.end(), [](const ObjectPtr& a, const ObjectPtr& b) { return a->id < b->id; });
  for (const ObjectPtr& object : found) {
    if (matches(*object, query)) sink(object);
  }
  return {};
}

void CardToken::add_container_objects(Known& known, const Container& container, const Query& query,
                                      std::vector<ObjectPtr>& found) {
  for (const Part part : {Part::private_key, Part::public_key, Part::certificate}) {
    Result<AttributeSet> attributes = attributes_of(known.card, container, part);
    // A part that is not there, or does not parse, is not shown; the others are.
    if (!attributes) continue;
    Object object{0, std::move(*attributes)};
    if (!matches(object, query)) continue;
    object.id = known.numbers.number_of({part, container.place.index});
    found.push_back(std::make_shared<const Object>(std::move(object)));
  }
}

Result<ObjectPtr> CardToken::object(ObjectId id) {
  const auto origin = known_.read([&](const Known& known) { return known.numbers.origin_of(id); });
  if (!origin) return Code::object_handle_invalid;
  CARDEA_ASSIGN(ObjectPtr object, object_of(*origin));
  // Reading may have shown that another object has taken its place.
  if (object->id != id) return Code::object_handle_invalid;
  return object;
}

Result<ObjectPtr> CardToken::object_of(ObjectOrigin origin) {
  const auto make = [&](const auto& attributes_in) -> Result<ObjectPtr> {
    return known_.with([&](Known& known) -> Result<ObjectPtr> {
      Result<AttributeSet> attributes = attributes_in(known.card);
      if (!attributes) return Code::object_handle_invalid;
      const ObjectId id = known.numbers.number_of(origin);
      return std::make_shared<const Object>(Object{id, std::move(*attributes)});
    });
  };
  if (origin.part == Part::file) {
    CARDEA_ASSIGN(const FileEntry file, file_of(origin.reference));
    return make([&](const CardContents& card) -> Result<AttributeSet> { return attributes_of(card, file); });
  }
  CARDEA_ASSIGN(const std::optional<Container> container, container_at(origin.reference));
  if (!container) return Code::object_handle_invalid;
  return make([&](const CardContents& card) { return attributes_of(card, *container, origin.part); });
}

Result<KeyPtr> CardToken::key(const Object& object) {
  const auto origin = known_.read([&](const Known& known) { return known.numbers.origin_of(object.id); });
  if (!origin) return Code::object_handle_invalid;
  if (origin->part == Part::public_key) return make_key(object.attributes, {});
  if (origin->part != Part::private_key) return Code::key_handle_invalid;
  CARDEA_ASSIGN(std::optional<Container> container, container_at(origin->reference));
  if (!container) return Code::object_handle_invalid;
  if (is_private(container->place) && role_.load(std::memory_order_acquire) != Role::user) {
    return Code::user_not_logged_in;
  }
  CARDEA_ASSIGN(crypto::AsymmetricKeyPtr public_key, crypto::from_subject_public_key_info(key_info_of(*container)));
  return KeyPtr(std::make_shared<const CardKey>(shared_from_this(), std::move(*container), std::move(public_key)));
}

Result<std::size_t> CardToken::perform(const Container& container, const PrimitiveRequest& request, ByteView input,
                                       MutableBytes out) {
  std::size_t written = 0;
  CARDEA_TRY(access_->run(is_private(container.place) ? Need::user : Need::nothing,
                          [&](CardModule& module, CardTransaction& transaction) -> Status {
                            CARDEA_ASSIGN(written, module.perform(transaction, container, request, input, out));
                            return {};
                          }));
  return written;
}

Result<SecretAttributes> CardToken::secrets(const Object& object) {
  SecretAttributes secrets;
  const auto origin = known_.read([&](const Known& known) { return known.numbers.origin_of(object.id); });
  if (!origin) return Code::object_handle_invalid;
  if (origin->part != Part::file) return secrets;
  CARDEA_ASSIGN(const FileEntry file, file_of(origin->reference));
  CARDEA_ASSIGN(Bytes content, content_of(file));
  secrets.emplace(CKA_VALUE, SecretBytes(content));
  wipe(content);
  return secrets;
}

}  // namespace cardea::card
