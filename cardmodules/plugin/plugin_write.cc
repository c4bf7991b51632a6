// The administrator's side of a plug-in's card, and the books that the host keeps on it: container map, certificates,
// counters.
#include <algorithm>

#include "plugin/plugin_card.h"

namespace cardea::card::plugin {
namespace {

Result<cardea_plugin_key_request> key_request(const KeyRequest& request) {
  cardea_plugin_key_request wanted{};
  wanted.size = sizeof wanted;
  switch (request.algorithm) {
    case crypto::KeyAlgorithm::rsa:
      wanted.key_type = CARDEA_PLUGIN_KEY_RSA;
      wanted.key_bits = static_cast<std::uint32_t>(request.bits);
      break;
    case crypto::KeyAlgorithm::p256:
      wanted.key_type = CARDEA_PLUGIN_KEY_P256;
      break;
    case crypto::KeyAlgorithm::p384:
      wanted.key_type = CARDEA_PLUGIN_KEY_P384;
      break;
    case crypto::KeyAlgorithm::p521:
      wanted.key_type = CARDEA_PLUGIN_KEY_P521;
      break;
    default:
      return error(Code::key_type_inconsistent, "the plug-in interface knows RSA, P-256, P-384 and P-521");
  }
  if (request.touch.value_or(TouchPolicy::never) != TouchPolicy::never) {
    return error(Code::function_not_supported, "the plug-in interface knows no buttons");
  }
  wanted.decrypts = 1;
  wanted.pin_policy = static_cast<std::uint8_t>(request.pin.value_or(PinPolicy::once));
  return wanted;
}

std::uint16_t map_bits(const KeyRequest& request) {
  return static_cast<std::uint16_t>(
      request.algorithm == crypto::KeyAlgorithm::rsa ? request.bits : crypto::facts_of(request.algorithm).size);
}

bool is_taken(const std::vector<ContainerRecord>& records, std::string_view label) {
  return std::any_of(records.begin(), records.end(),
                     [&](const ContainerRecord& record) { return record.valid() && record.label() == label; });
}

}  // namespace

Status PluginCard::put(CardTransaction& transaction, std::string directory, std::string name, ByteView content,
                       cardea_plugin_access access) {
  struct Owned {
    std::string directory;
    std::string name;
    SecretBytes content;
  };
  const auto owned = std::make_shared<Owned>(Owned{std::move(directory), std::move(name), SecretBytes(content)});
  const PluginCaller::Work write = [owned](const cardea_plugin& table,
                                           cardea_plugin_context* context) -> cardea_plugin_status {
    if (table.write_file == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
    return table.write_file(context, owned->directory.c_str(), owned->name.c_str(), owned->content.data(),
                            owned->content.size());
  };
  Status written = caller_->call(transaction, write);
  if (written || written.code() != Code::not_found) return written;
  CARDEA_TRY(caller_->call(
      transaction, [owned, access](const cardea_plugin& table, cardea_plugin_context* context) -> cardea_plugin_status {
        if (table.create_file == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
        return table.create_file(context, owned->directory.c_str(), owned->name.c_str(), access);
      }));
  return caller_->call(transaction, write);
}

Status PluginCard::erase(CardTransaction& transaction, std::string directory, std::string name) {
  return caller_->call(transaction,
                       [directory = std::move(directory), name = std::move(name)](
                           const cardea_plugin& table, cardea_plugin_context* context) -> cardea_plugin_status {
                         if (table.delete_file == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
                         return table.delete_file(context, directory.c_str(), name.c_str());
                       });
}

Status PluginCard::advance(CardTransaction& transaction, CacheChange change) {
  CacheCounters counters;
  const auto present = content_of(transaction, "", "cardcf");
  if (present) {
    CARDEA_ASSIGN(counters, parse_cache_file(*present));
  } else if (present.code() != Code::not_found) {
    return present.error();
  }
  return put(transaction, "", "cardcf", cache_file(advanced(counters, change)), CARDEA_PLUGIN_EVERYONE_READ_USER_WRITE);
}

Status PluginCard::write_map(CardTransaction& transaction) {
  return put(transaction, std::string(minidriver_directory), "cmapfile", container_map(*map_),
             CARDEA_PLUGIN_EVERYONE_READ_USER_WRITE);
}

Status PluginCard::authenticate(CardTransaction& transaction, const SecretBytes& key) {
  const auto attempts = std::make_shared<std::int32_t>(-1);
  return caller_->call(
      transaction,
      [attempts, value = std::make_shared<SecretBytes>(key.copy())](
          const cardea_plugin& table, cardea_plugin_context* context) -> cardea_plugin_status {
        if (table.authenticate_admin == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
        return table.authenticate_admin(context, value->data(), value->size(), attempts.get());
      },
      attempts);
}

Result<Bytes> PluginCard::challenge(CardTransaction& transaction) {
  constexpr std::size_t usual_size = 64;
  CARDEA_ASSIGN(const SecretBytes value, caller_->fetch(
                                             transaction,
                                             [](const cardea_plugin& table, cardea_plugin_context* context,
                                                std::uint8_t* out, std::size_t* size) -> cardea_plugin_status {
                                               if (table.get_challenge == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
                                               return table.get_challenge(context, out, size);
                                             },
                                             usual_size));
  return to_bytes(value.view());
}

Status PluginCard::answer_challenge(CardTransaction& transaction, ByteView answer) {
  const auto attempts = std::make_shared<std::int32_t>(-1);
  return caller_->call(
      transaction,
      [attempts, value = std::make_shared<SecretBytes>(answer)](
          const cardea_plugin& table, cardea_plugin_context* context) -> cardea_plugin_status {
        if (table.authenticate_challenge == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
        return table.authenticate_challenge(context, value->data(), value->size(), attempts.get());
      },
      attempts);
}

Status PluginCard::set_key(CardTransaction& transaction, const SecretBytes& new_key) {
  return caller_->call(transaction,
                       [value = std::make_shared<SecretBytes>(new_key.copy())](
                           const cardea_plugin& table, cardea_plugin_context* context) -> cardea_plugin_status {
                         if (table.set_property == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
                         return table.set_property(context, CARDEA_PLUGIN_ADMIN_KEY, value->data(), value->size());
                       });
}

// The counters first, so that no cache survives a change that was cut off; the map last, so that it never names what is
// not there.
Status PluginCard::create(CardTransaction& transaction, const ContainerPlace& place, const KeyRequest& request,
                          std::shared_ptr<SecretBytes> pkcs8) {
  CARDEA_ASSIGN(cardea_plugin_key_request wanted, key_request(request));
  CARDEA_TRY(load_map(transaction));
  CARDEA_TRY(advance(transaction, {.containers = true, .files = true}));
  if (pkcs8) {
    wanted.pkcs8 = pkcs8->data();
    wanted.pkcs8_size = pkcs8->size();
  }
  const auto work = [wanted, pkcs8, index = place.index](const cardea_plugin& table,
                                                         cardea_plugin_context* context) -> cardea_plugin_status {
    if (table.create_container == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
    return table.create_container(context, index, &wanted);
  };
  CARDEA_TRY(caller_->call_for(transaction, caller_->limits().key_generation, work));
  ContainerRecord record;
  std::string label = place.label;
  // Windows finds containers by their names, so each name is there once.
  if (label.empty() || is_taken(*map_, label)) {
    CARDEA_ASSIGN(label, random_container_name());
  }
  record.set_label(label);
  const bool has_default = std::any_of(map_->begin(), map_->end(), [](const ContainerRecord& one) {
    return one.valid() && (one.flags & container_default) != 0;
  });
  record.flags = has_default ? container_valid : container_valid | container_default;
  record.exchange_bits = map_bits(request);
  if (place.index >= map_->size()) map_->resize(place.index + 1);
  (*map_)[place.index] = record;
  return write_map(transaction);
}

Result<Bytes> PluginCard::generate(CardTransaction& transaction, const ContainerPlace& place,
                                   const KeyRequest& request) {
  if (capabilities_.generates == 0) return Code::function_not_supported;
  CARDEA_TRY(create(transaction, place, request, nullptr));
  CARDEA_ASSIGN(const std::optional<Container> container, read_container(transaction, place));
  if (!container) return error(Code::device_error, "the plug-in does not show the key that it made");
  return container->public_key;
}

Status PluginCard::import_key(CardTransaction& transaction, const ContainerPlace& place, const SecretBytes& pkcs8,
                              const KeyRequest& request) {
  if (capabilities_.imports == 0) return Code::function_not_supported;
  return create(transaction, place, request, std::make_shared<SecretBytes>(pkcs8.copy()));
}

Status PluginCard::delete_key(CardTransaction& transaction, const ContainerPlace& place) {
  CARDEA_TRY(load_map(transaction));
  if (place.index >= map_->size() || !(*map_)[place.index].valid()) return Code::not_found;
  const std::string certificate = certificate_name(place.index, (*map_)[place.index].exchanges());
  CARDEA_TRY(advance(transaction, {.containers = true, .files = true}));
  (*map_)[place.index] = ContainerRecord{};
  CARDEA_TRY(write_map(transaction));
  Status gone = caller_->call(
      transaction,
      [index = place.index](const cardea_plugin& table, cardea_plugin_context* context) -> cardea_plugin_status {
        return table.delete_container == nullptr ? CARDEA_PLUGIN_NOT_SUPPORTED : table.delete_container(context, index);
      });
  if (!gone && gone.code() != Code::not_found) return gone;
  Status removed = erase(transaction, std::string(minidriver_directory), certificate);
  return !removed && removed.code() == Code::not_found ? Status() : removed;
}

Status PluginCard::write_certificate(CardTransaction& transaction, const ContainerPlace& place, ByteView der) {
  CARDEA_TRY(load_map(transaction));
  if (place.index >= map_->size() || !(*map_)[place.index].has_key()) {
    return error(Code::not_found, "on this card a certificate needs a container with its key");
  }
  const std::string name = certificate_name(place.index, (*map_)[place.index].exchanges());
  CARDEA_TRY(advance(transaction, {.files = true}));
  if (der.empty()) {
    Status removed = erase(transaction, std::string(minidriver_directory), name);
    return !removed && removed.code() == Code::not_found ? Status() : removed;
  }
  CARDEA_ASSIGN(const Bytes wrapped, wrap_file(der));
  return put(transaction, std::string(minidriver_directory), name, wrapped, CARDEA_PLUGIN_EVERYONE_READ_USER_WRITE);
}

Status PluginCard::write_file(CardTransaction& transaction, const FileEntry& file, ByteView content) {
  if (!file.writable) return error(Code::action_prohibited, "the card's own books change with what they describe");
  const std::size_t slash = file.name.rfind('/');
  const bool root = slash == std::string::npos;
  const std::string directory = root ? std::string() : file.name.substr(0, slash);
  const std::string name = root ? file.name : file.name.substr(slash + 1);
  CARDEA_TRY(advance(transaction, {.files = true}));
  if (content.empty()) return erase(transaction, directory, name);
  const cardea_plugin_access access =
      file.needs_pin ? CARDEA_PLUGIN_USER_READ_WRITE : CARDEA_PLUGIN_EVERYONE_READ_USER_WRITE;
  if (name != "msroots") return put(transaction, directory, name, content, access);
  CARDEA_ASSIGN(const Bytes wrapped, wrap_file(content));
  return put(transaction, directory, name, wrapped, access);
}

Status PluginCard::set_default(CardTransaction& transaction, const ContainerPlace& place) {
  CARDEA_TRY(load_map(transaction));
  if (place.index >= map_->size() || !(*map_)[place.index].has_key()) return Code::not_found;
  for (std::size_t i = 0; i < map_->size(); ++i) {
    Byte& flags = (*map_)[i].flags;
    flags = static_cast<Byte>(i == place.index ? flags | container_default : flags & ~container_default);
  }
  CARDEA_TRY(advance(transaction, {.containers = true, .files = true}));
  return write_map(transaction);
}

}  // namespace cardea::card::plugin
