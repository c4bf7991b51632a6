#include "plugin/plugin_card.h"

#include <algorithm>
#include <array>

namespace cardea::card::plugin {
namespace {

// Names of containers 00 to FF (minidriver specification 7.07, 5.4.3).
constexpr std::uint32_t most_containers = 256;
constexpr std::size_t usual_file_size = 4096;
constexpr std::size_t usual_property_size = 64;

std::string text(ByteView bytes, std::size_t longest) {
  std::string out(text_of(bytes.first(std::min(bytes.size(), longest))));
  // Where an UTF-8 sequence was cut, its first bytes go as well.
  while (!out.empty() && out.size() == longest && (static_cast<unsigned char>(out.back()) & 0x80) != 0) out.pop_back();
  return out;
}

Result<cardea_plugin_role> role_of(PinRole role) {
  if (role == PinRole::user) return CARDEA_PLUGIN_ROLE_USER;
  if (role == PinRole::unblock) return CARDEA_PLUGIN_ROLE_UNBLOCK;
  return error(Code::function_not_supported, "the card has no such PIN");
}

PinPolicy policy_of(std::uint8_t number) {
  constexpr std::array<PinPolicy, 3> policies{PinPolicy::never, PinPolicy::once, PinPolicy::always};
  return policies[std::min<std::size_t>(number, 2)];
}

ContainerPlace place_of(std::size_t index, const ContainerRecord* record) {
  ContainerPlace place;
  place.index = static_cast<std::uint32_t>(index);
  place.id = {static_cast<Byte>(index)};
  if (record != nullptr) place.label = record->label();
  return place;
}

bool is_book(std::string_view name) {
  return name == "cmapfile" || name == "cardcf" || name == "cardapps";
}

bool is_certificate(std::string_view name) {
  return name.starts_with("kxc") || name.starts_with("ksc");
}

// The lambda of a call must own its strings and secrets; Pin and SecretBytes are shared with it.
std::shared_ptr<SecretBytes> shared(ByteView secret) {
  return std::make_shared<SecretBytes>(secret);
}

}  // namespace

Result<std::unique_ptr<PluginCard>> PluginCard::make(CardTransaction& transaction,
                                                     std::unique_ptr<PluginCaller> caller) {
  const auto capabilities = std::make_shared<cardea_plugin_capabilities>();
  capabilities->size = sizeof *capabilities;
  CARDEA_TRY(caller->call(transaction, [capabilities](const cardea_plugin& table, cardea_plugin_context* context) {
    return table.query_capabilities(context, capabilities.get());
  }));
  return std::make_unique<PluginCard>(std::move(caller), *capabilities);
}

Status PluginCard::select(CardTransaction& transaction) {
  Status selected = caller_->call(
      transaction, [](const cardea_plugin& table, cardea_plugin_context* context) { return table.select(context); });
  if (!selected && (selected.code() == Code::not_found || selected.code() == Code::data_invalid)) {
    return error(Code::token_not_recognized, selected.error().detail);
  }
  return selected;
}

Result<Bytes> PluginCard::property(CardTransaction& transaction, cardea_plugin_property property) {
  CARDEA_ASSIGN(const SecretBytes value,
                caller_->fetch(
                    transaction,
                    [property](const cardea_plugin& table, cardea_plugin_context* context, std::uint8_t* out,
                               std::size_t* size) { return table.get_property(context, property, out, size); },
                    usual_property_size));
  return to_bytes(value.view());
}

Result<Bytes> PluginCard::content_of(CardTransaction& transaction, std::string directory, std::string name) {
  CARDEA_ASSIGN(
      const SecretBytes content,
      caller_->fetch(
          transaction,
          [directory = std::move(directory), name = std::move(name)](
              const cardea_plugin& table, cardea_plugin_context* context, std::uint8_t* out, std::size_t* size) {
            return table.read_file(context, directory.c_str(), name.c_str(), out, size);
          },
          usual_file_size));
  return to_bytes(content.view());
}

Result<CardDescription> PluginCard::describe(CardTransaction& transaction) {
  CardDescription description;
  const auto label = property(transaction, CARDEA_PLUGIN_LABEL);
  description.label = label && !label->empty() ? text(*label, 32) : caller_->plugin().name;
  if (const auto value = property(transaction, CARDEA_PLUGIN_MANUFACTURER)) description.manufacturer = text(*value, 32);
  if (const auto value = property(transaction, CARDEA_PLUGIN_MODEL)) description.model = text(*value, 16);
  constexpr std::size_t serial_bytes = 8;
  CARDEA_ASSIGN(const Bytes serial, property(transaction, CARDEA_PLUGIN_SERIAL));
  if (serial.empty()) return error(Code::data_invalid, "the card's plug-in tells no serial number");
  description.serial = to_hex(ByteView(serial).first(std::min(serial.size(), serial_bytes)));
  const std::string& name = caller_->plugin().name;
  description.identity.assign(name.begin(), name.end());
  description.identity.push_back(0);
  description.identity.insert(description.identity.end(), serial.begin(), serial.end());
  const auto lengths = property(transaction, CARDEA_PLUGIN_PIN_LENGTHS);
  if (lengths && lengths->size() == 2 && (*lengths)[0] <= (*lengths)[1]) {
    description.min_pin_length = (*lengths)[0];
    description.max_pin_length = (*lengths)[1];
  }
  const bool writes = capabilities_.read_only == 0;
  description.can_generate = writes && capabilities_.generates != 0;
  description.can_import = writes && capabilities_.imports != 0;
  description.user_writes = writes && capabilities_.user_writes != 0;
  return description;
}

Status PluginCard::load_map(CardTransaction& transaction) {
  const auto content = content_of(transaction, std::string(minidriver_directory), "cmapfile");
  if (!content && content.code() != Code::not_found) return content.error();
  std::vector<ContainerRecord> records;
  if (content) records = parse_container_map(*content);
  if (records.size() > most_containers) return error(Code::data_invalid, "the container map is too long");
  map_ = std::move(records);
  return {};
}

Status PluginCard::ensure_map(CardTransaction& transaction) {
  return map_ ? Status() : load_map(transaction);
}

Result<std::vector<ContainerPlace>> PluginCard::places(CardTransaction& transaction) {
  CARDEA_TRY(load_map(transaction));
  const auto space = std::make_shared<cardea_plugin_free_space>();
  space->size = sizeof *space;
  CARDEA_TRY(caller_->call(transaction, [space](const cardea_plugin& table, cardea_plugin_context* context) {
    return table.query_free_space(context, space.get());
  }));
  std::vector<ContainerPlace> places;
  const std::size_t count = std::max<std::size_t>(map_->size(), std::min(space->containers_max, most_containers));
  for (std::size_t i = 0; i < count; ++i) {
    const bool known = i < map_->size() && (*map_)[i].valid();
    places.push_back(place_of(i, known ? &(*map_)[i] : nullptr));
  }
  return places;
}

Primitives PluginCard::primitives_of(const cardea_plugin_container_info& info) const {
  const auto flag = [](Primitive primitive) { return static_cast<Primitives>(primitive); };
  const auto has = [](std::uint32_t set, cardea_plugin_padding padding) { return (set >> padding & 1) != 0; };
  Primitives primitives = 0;
  if (info.key_type != CARDEA_PLUGIN_KEY_RSA) {
    if (info.signs != 0 && capabilities_.ecdsa != 0) primitives |= flag(Primitive::ecdsa_sign);
    const bool agrees = caller_->plugin().table.construct_dh_agreement != nullptr &&
                        caller_->plugin().table.derive_key != nullptr &&
                        caller_->plugin().table.destroy_dh_agreement != nullptr;
    // Our curves' points have prime order: the cofactor is one.
    if (info.decrypts != 0 && capabilities_.ecdh != 0 && agrees) {
      primitives |= Primitive::ecdh | Primitive::ecdh_cofactor;
    }
    return primitives;
  }
  const std::uint32_t signing = info.signs != 0 ? capabilities_.rsa_sign : 0;
  const bool can_decrypt = info.decrypts != 0 && caller_->plugin().table.decrypt != nullptr;
  const std::uint32_t decrypting = can_decrypt ? capabilities_.rsa_decrypt : 0;
  if (has(signing, CARDEA_PLUGIN_PADDING_PKCS1)) primitives |= flag(Primitive::rsa_pkcs1_sign);
  // With the bare operation every padding is done here, with any hash and without telling of wrong ones.
  if (has(decrypting, CARDEA_PLUGIN_PADDING_NONE) || has(signing, CARDEA_PLUGIN_PADDING_NONE)) {
    return primitives | flag(Primitive::rsa_raw);
  }
  if (has(signing, CARDEA_PLUGIN_PADDING_PSS)) primitives |= flag(Primitive::rsa_pss_sign);
  if (has(decrypting, CARDEA_PLUGIN_PADDING_PKCS1)) primitives |= flag(Primitive::rsa_pkcs1_decrypt);
  if (has(decrypting, CARDEA_PLUGIN_PADDING_OAEP)) primitives |= flag(Primitive::rsa_oaep_decrypt);
  return primitives;
}

Status PluginCard::read_certificate(CardTransaction& transaction, bool exchanges, Container& container) {
  const auto content =
      content_of(transaction, std::string(minidriver_directory), certificate_name(container.place.index, exchanges));
  if (!content) return content.code() == Code::not_found ? Status() : content.error();
  add_certificate(container, *content);
  return {};
}

Result<std::optional<Container>> PluginCard::read_container(CardTransaction& transaction, const ContainerPlace& place) {
  CARDEA_TRY(ensure_map(transaction));
  const std::uint32_t index = place.index;
  if (index >= map_->size() || !(*map_)[index].has_key()) return std::optional<Container>();
  const ContainerRecord& record = (*map_)[index];
  const auto info = std::make_shared<cardea_plugin_container_info>();
  info->size = sizeof *info;
  CARDEA_TRY(caller_->call(transaction, [info, index](const cardea_plugin& table, cardea_plugin_context* context) {
    return table.get_container_info(context, index, info.get());
  }));
  Container container;
  container.place = place_of(index, &record);
  container.place.pin = policy_of(info->pin_policy);
  container.has_key = true;
  container.primitives = primitives_of(*info);
  container.signs = info->signs != 0;
  const bool is_rsa = info->key_type == CARDEA_PLUGIN_KEY_RSA;
  container.decrypts = is_rsa && info->decrypts != 0;
  container.derives = !is_rsa && info->decrypts != 0;
  CARDEA_TRY(read_certificate(transaction, record.exchanges(), container));
  if (container.public_key.empty()) {
    CARDEA_ASSIGN(const SecretBytes key_info,
                  caller_->fetch(
                      transaction,
                      [index](const cardea_plugin& table, cardea_plugin_context* context, std::uint8_t* out,
                              std::size_t* size) { return table.get_public_key(context, index, out, size); },
                      usual_file_size));
    container.public_key = to_bytes(key_info.view());
  }
  return std::optional(std::move(container));
}

Result<std::vector<std::string>> PluginCard::names_in(CardTransaction& transaction, std::string directory) {
  CARDEA_ASSIGN(const SecretBytes list,
                caller_->fetch(
                    transaction,
                    [directory = std::move(directory)](const cardea_plugin& table, cardea_plugin_context* context,
                                                       std::uint8_t* out, std::size_t* size) {
                      return table.enumerate_files(context, directory.c_str(), reinterpret_cast<char*>(out), size);
                    },
                    usual_file_size));
  std::vector<std::string> names;
  std::string_view rest = text_of(list.view());
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return error(Code::data_invalid, "a plug-in's list of files has no end");
    if (end != 0) names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return names;
}

Result<std::vector<FileEntry>> PluginCard::files(CardTransaction& transaction) {
  std::vector<FileEntry> files;
  for (const std::string_view directory : {std::string_view(), minidriver_directory}) {
    auto names = names_in(transaction, std::string(directory));
    if (!names && names.code() == Code::not_found) continue;
    if (!names) return std::move(names).error();
    for (const std::string& name : *names) {
      if (!directory.empty() && is_certificate(name)) continue;
      FileEntry file;
      file.name = directory.empty() ? name : std::string(directory) + "/" + name;
      file.application = caller_->plugin().name;
      file.reference = static_cast<std::uint32_t>(files.size());
      file.writable = !is_book(name);
      file.listed = true;
      files.push_back(std::move(file));
    }
  }
  return files;
}

Result<Bytes> PluginCard::read_file(CardTransaction& transaction, const FileEntry& file) {
  const std::size_t slash = file.name.rfind('/');
  const bool root = slash == std::string::npos;
  const std::string name = root ? file.name : file.name.substr(slash + 1);
  CARDEA_ASSIGN(Bytes content, content_of(transaction, root ? std::string() : file.name.substr(0, slash), name));
  if (name == "msroots") return unwrap_file(content);
  return content;
}

Result<std::optional<std::size_t>> PluginCard::free_space(CardTransaction& transaction) {
  const auto space = std::make_shared<cardea_plugin_free_space>();
  space->size = sizeof *space;
  CARDEA_TRY(caller_->call(transaction, [space](const cardea_plugin& table, cardea_plugin_context* context) {
    return table.query_free_space(context, space.get());
  }));
  return std::optional<std::size_t>(space->bytes_available);
}

Status PluginCard::verify(CardTransaction& transaction, PinRole role, const Pin& pin) {
  CARDEA_ASSIGN(const cardea_plugin_role wanted, role_of(role));
  const auto attempts = std::make_shared<std::int32_t>(-1);
  return caller_->call(
      transaction,
      [wanted, attempts, pin = shared(pin.view())](const cardea_plugin& table, cardea_plugin_context* context) {
        return table.authenticate_pin(context, wanted, pin->data(), pin->size(), attempts.get());
      },
      attempts);
}

Status PluginCard::verify_on_pad(CardTransaction&, PinPad&, PinRole) {
  return Code::function_not_supported;
}

Result<PinState> PluginCard::pin_state(CardTransaction& transaction, PinRole role) {
  CARDEA_ASSIGN(const cardea_plugin_role wanted, role_of(role));
  const bool user = wanted == CARDEA_PLUGIN_ROLE_USER;
  CARDEA_ASSIGN(const Bytes tries,
                property(transaction, user ? CARDEA_PLUGIN_USER_TRIES : CARDEA_PLUGIN_UNBLOCK_TRIES));
  if (tries.size() != 2) return error(Code::data_invalid, "the card's plug-in tells no number of tries");
  constexpr Byte unknown = 0xff;
  PinState state;
  state.initialized = true;
  if (tries[0] != unknown) state.retries_left = tries[0];
  state.retry_limit = tries[1];
  state.locked = tries[0] == 0;
  return state;
}

Status PluginCard::change_pin(CardTransaction& transaction, PinRole role, const Pin& old_pin, const Pin& new_pin) {
  CARDEA_ASSIGN(const cardea_plugin_role wanted, role_of(role));
  const auto attempts = std::make_shared<std::int32_t>(-1);
  CARDEA_TRY(caller_->call(
      transaction,
      [wanted, attempts, old_value = shared(old_pin.view()), new_value = shared(new_pin.view())](
          const cardea_plugin& table, cardea_plugin_context* context) -> cardea_plugin_status {
        if (table.change_pin == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
        return table.change_pin(context, wanted, old_value->data(), old_value->size(), new_value->data(),
                                new_value->size(), attempts.get());
      },
      attempts));
  // The PIN has changed; a counter that did not move must not make that look like a failure.
  (void)advance(transaction, {.pins = true});
  return {};
}

Status PluginCard::unblock(CardTransaction& transaction, const Pin& puk, const Pin& new_pin) {
  const auto attempts = std::make_shared<std::int32_t>(-1);
  CARDEA_TRY(caller_->call(
      transaction,
      [attempts, old_value = shared(puk.view()), new_value = shared(new_pin.view())](
          const cardea_plugin& table, cardea_plugin_context* context) -> cardea_plugin_status {
        if (table.unblock_pin == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
        return table.unblock_pin(context, old_value->data(), old_value->size(), new_value->data(), new_value->size(),
                                 attempts.get());
      },
      attempts));
  (void)advance(transaction, {.pins = true});
  return {};
}

Status PluginCard::set_user_pin(CardTransaction& transaction, const Pin& new_pin) {
  return caller_->call(transaction,
                       [new_value = shared(new_pin.view())](const cardea_plugin& table,
                                                            cardea_plugin_context* context) -> cardea_plugin_status {
                         if (table.unblock_pin == nullptr) return CARDEA_PLUGIN_NOT_SUPPORTED;
                         std::int32_t attempts = -1;
                         return table.unblock_pin(context, nullptr, 0, new_value->data(), new_value->size(), &attempts);
                       });
}

bool PluginCard::deauthenticate(CardTransaction& transaction) {
  const Status done = caller_->call(
      transaction, [](const cardea_plugin& table, cardea_plugin_context* context) -> cardea_plugin_status {
        return table.deauthenticate == nullptr ? CARDEA_PLUGIN_NOT_SUPPORTED : table.deauthenticate(context);
      });
  return done.ok();
}

}  // namespace cardea::card::plugin
