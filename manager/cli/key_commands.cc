// key generate, list, delete.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <memory>
#include <set>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/key_types.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

struct GenerateOptions {
  std::string type;
  std::string type_option;
  std::string label;
  std::string id;
  std::string usage;
  bool extractable = false;
  bool always_authenticate = false;
};

Status refuse_used_id(const Session& session, const Bytes& id) {
  Wanted wanted;
  wanted.id = id;
  for (const CK_OBJECT_CLASS of_class : {CKO_PRIVATE_KEY, CKO_SECRET_KEY}) {
    CARDEA_ASSIGN(const auto found, find_objects(session, wanted, of_class));
    if (found.empty()) continue;
    return failure(Code::exists,
                   fmt::format("A key with id {} is on the token already ('{}'). Choose another --id, or leave "
                               "it out.",
                               to_hex(id), session.text(found.front(), CKA_LABEL)));
  }
  return {};
}

void add_common(Template& attributes, const GenerateOptions& options, const Bytes& id) {
  attributes.flag(CKA_TOKEN, true).bytes(CKA_ID, id);
  if (!options.label.empty()) attributes.text(CKA_LABEL, options.label);
}

void add_protection(Template& attributes, const GenerateOptions& options) {
  attributes.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, options.extractable);
}

Result<CK_OBJECT_HANDLE> generate_secret(const Session& session, const KeyType& type, const GenerateOptions& options,
                                         const std::vector<Usage>& uses, const Bytes& id) {
  Template attributes;
  add_common(attributes, options, id);
  add_protection(attributes, options);
  attributes.number(CKA_VALUE_LEN, type.number);
  std::set<CK_ATTRIBUTE_TYPE> granted;
  for (const Usage& usage : uses) {
    granted.insert(usage.attribute);
    // A MAC key that signs is of no use when it cannot verify.
    if (usage.attribute == CKA_SIGN) granted.insert(CKA_VERIFY);
  }
  for (const CK_ATTRIBUTE_TYPE use :
       {CKA_SIGN, CKA_VERIFY, CKA_DECRYPT, CKA_ENCRYPT, CKA_DERIVE, CKA_UNWRAP, CKA_WRAP}) {
    attributes.flag(use, granted.contains(use));
  }
  CK_MECHANISM mechanism{type.mechanism, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv =
      session.module()->C_GenerateKey(session.handle(), &mechanism, attributes.data(), attributes.size(), &key);
  if (rv != CKR_OK) return p11_failure(rv, "The key could not be generated");
  return key;
}

// Says yes or no to every usage, because a token's own defaults are wider. What a 2.40 token does not know is left out
// unless it was asked for.
void add_pair_usage(const std::vector<Usage>& uses, Template& public_half, Template& private_half) {
  std::set<CK_ATTRIBUTE_TYPE> granted;
  for (const Usage& usage : uses) {
    granted.insert(usage.attribute);
    if (usage.public_attribute) granted.insert(*usage.public_attribute);
  }
  for (const CK_ATTRIBUTE_TYPE use : {CKA_SIGN, CKA_DECRYPT, CKA_DERIVE, CKA_UNWRAP, CKA_DECAPSULATE}) {
    if (use != CKA_DECAPSULATE || granted.contains(use)) private_half.flag(use, granted.contains(use));
  }
  for (const CK_ATTRIBUTE_TYPE use : {CKA_VERIFY, CKA_ENCRYPT, CKA_WRAP, CKA_ENCAPSULATE}) {
    if (use != CKA_ENCAPSULATE || granted.contains(use)) public_half.flag(use, granted.contains(use));
  }
}

Result<CK_OBJECT_HANDLE> generate_pair(const Session& session, const KeyType& type, const GenerateOptions& options,
                                       const std::vector<Usage>& uses, const Bytes& id) {
  Template public_half;
  Template private_half;
  add_common(public_half, options, id);
  add_common(private_half, options, id);
  add_protection(private_half, options);
  if (options.always_authenticate) private_half.flag(CKA_ALWAYS_AUTHENTICATE, true);
  if (type.type == CKK_RSA) {
    constexpr Byte f4[] = {1, 0, 1};
    public_half.number(CKA_MODULUS_BITS, type.number).bytes(CKA_PUBLIC_EXPONENT, f4);
  } else if (!type.parameter.empty()) {
    Bytes parameters;
    if (!from_hex(type.parameter, parameters)) return Code::internal;
    public_half.bytes(CKA_EC_PARAMS, parameters);
  } else {
    public_half.number(CKA_PARAMETER_SET, type.number);
  }
  add_pair_usage(uses, public_half, private_half);
  CK_MECHANISM mechanism{type.mechanism, nullptr, 0};
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv =
      session.module()->C_GenerateKeyPair(session.handle(), &mechanism, public_half.data(), public_half.size(),
                                          private_half.data(), private_half.size(), &public_key, &key);
  if (rv != CKR_OK) return p11_failure(rv, "The key pair could not be generated");
  return key;
}

json::object key_json(const Session& session, CK_OBJECT_HANDLE key) {
  const auto id = session.attribute(key, CKA_ID);
  const auto of_class = session.number(key, CKA_CLASS);
  return {{"label", session.text(key, CKA_LABEL)},
          {"id", id ? to_hex(*id) : ""},
          {"type", describe_key(session, key)},
          {"class", of_class ? uri_type(*of_class) : ""},
          {"usage", describe_usage(session, key)},
          {"extractable", session.flag(key, CKA_EXTRACTABLE)},
          {"always_authenticate", session.flag(key, CKA_ALWAYS_AUTHENTICATE)},
          {"uri", object_uri(session, key)}};
}

Status generate(Context& context, const GenerateOptions& options) {
  const std::string& word = options.type.empty() ? options.type_option : options.type;
  if (word.empty()) {
    return failure(Code::arguments_bad,
                   "Say what kind of key to make, for example `cardea key generate rsa:2048 --label "
                   "NAME`.");
  }
  CARDEA_ASSIGN(const KeyType type, find_key_type(word));
  if (options.always_authenticate && type.is_secret()) {
    return failure(
        Code::arguments_bad,
        fmt::format("Only key pairs ask for the PIN at every use, {} keys do not. Leave --always-authenticate "
                    "out.",
                    type.word));
  }
  CARDEA_ASSIGN(const auto uses, parse_usage(options.usage.empty() ? std::string(type.usage) : options.usage));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::change));
  if ((connection.module->mechanism_flags(connection->token().slot, type.mechanism) &
       (CKF_GENERATE | CKF_GENERATE_KEY_PAIR)) == 0) {
    return failure(Code::mechanism_invalid,
                   fmt::format("Token '{}' makes no keys of type {}. `cardea token show` lists what "
                               "it has.",
                               connection->token().label, type.word));
  }
  Bytes id;
  if (options.id.empty()) {
    CARDEA_ASSIGN(id, connection->random(8));
  } else {
    CARDEA_ASSIGN(id, parse_hex(options.id, "--id"));
  }
  CARDEA_TRY(refuse_used_id(*connection, id));
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  {
    const Progress progress(fmt::format("generating {}", type.word));
    CARDEA_ASSIGN(key, type.is_secret() ? generate_secret(*connection, type, options, uses, id)
                                        : generate_pair(*connection, type, options, uses, id));
  }
  if (context.options.json) return print_json(key_json(*connection, key));
  return print(fmt::format("Made {} key '{}' with id {} on token '{}'.\n", type.word, options.label, to_hex(id),
                           connection->token().label));
}

Status list_keys(Context& context, const ObjectChoice& choice) {
  CARDEA_TRY(take_choice(context, choice));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::look));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, choice));
  json::array list;
  Table table({"LABEL", "ID", "TYPE", "CLASS", "USAGE", "EXTRACTABLE"});
  for (const CK_OBJECT_CLASS of_class : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY}) {
    if (context.uri && context.uri->type && *context.uri->type != uri_type(of_class)) continue;
    CARDEA_ASSIGN(const auto keys, find_objects(*connection, wanted, of_class));
    for (const CK_OBJECT_HANDLE key : keys) {
      const json::object about = key_json(*connection, key);
      const auto text = [&](const char* name) { return std::string(about.at(name).as_string()); };
      const std::string leaves = of_class == CKO_PUBLIC_KEY ? "" : about.at("extractable").as_bool() ? "yes" : "no";
      table.row({text("label"), text("id"), text("type"), text("class"), text("usage"), leaves});
      list.push_back(about);
    }
  }
  if (context.options.json) return print_json({{"token", connection->token().label}, {"keys", list}});
  if (!table.empty()) return print(table.text());
  return print(fmt::format("Token '{}' shows no keys. Private keys show only after login: add --login.\n",
                           connection->token().label));
}

// What goes with a key, in the order of deletion: certificates, the public half, the key itself. The key is last, so
// that a deletion which stopped half way can be repeated with the same words.
Result<std::vector<CK_OBJECT_HANDLE>> doomed_objects(const Session& session, CK_OBJECT_HANDLE key,
                                                     bool with_certificates) {
  std::vector<CK_OBJECT_HANDLE> doomed;
  Wanted same_id;
  same_id.id = session.attribute(key, CKA_ID);
  const bool is_pair = session.number(key, CKA_CLASS) == CKO_PRIVATE_KEY;
  for (const CK_OBJECT_CLASS of_class : {CKO_CERTIFICATE, CKO_PUBLIC_KEY}) {
    if (!same_id.id || !is_pair || (of_class == CKO_CERTIFICATE && !with_certificates)) continue;
    CARDEA_ASSIGN(const auto partners, find_objects(session, same_id, of_class));
    doomed.insert(doomed.end(), partners.begin(), partners.end());
  }
  doomed.push_back(key);
  for (const CK_OBJECT_HANDLE object : doomed) {
    // Absent on tokens older than PKCS#11 2.40, where everything can be destroyed.
    if (!session.attribute(object, CKA_DESTROYABLE) || session.flag(object, CKA_DESTROYABLE)) continue;
    return failure(Code::action_prohibited,
                   fmt::format("Nothing was deleted: '{}' was made so that it cannot be deleted alone. `cardea token "
                               "delete` removes a whole token.",
                               session.text(object, CKA_LABEL)));
  }
  return doomed;
}

Status destroy_all(const Session& session, const std::vector<CK_OBJECT_HANDLE>& doomed) {
  std::size_t deleted = 0;
  for (const CK_OBJECT_HANDLE object : doomed) {
    const Status gone = session.destroy(object);
    if (gone.ok()) {
      ++deleted;
      continue;
    }
    if (deleted == 0) return gone;
    return failure(gone.code(),
                   fmt::format("Only {} of {} objects were deleted, the key itself is still there; run the "
                               "command again to delete the rest. {}",
                               deleted, doomed.size(), gone.error().detail));
  }
  return {};
}

Status delete_key(Context& context, const ObjectChoice& choice, bool with_certificates) {
  if (choice.empty()) return failure(Code::arguments_bad, "Say which key to delete: its label, its URI, or --id HEX.");
  CARDEA_TRY(take_choice(context, choice));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::change));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, choice));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, find_key(*connection, wanted));
  CARDEA_ASSIGN(const auto doomed, doomed_objects(*connection, key, with_certificates));
  const std::string name = fmt::format("{} key '{}'", describe_key(*connection, key), connection->text(key, CKA_LABEL));
  if (!context.options.yes &&
      !confirm(fmt::format("This destroys the {} on token '{}' for ever ({} object{}).", name,
                           connection->token().label, doomed.size(), doomed.size() == 1 ? "" : "s"))) {
    return failure(Code::function_canceled, "Nothing was deleted. Say --yes to delete without being asked.");
  }
  CARDEA_TRY(destroy_all(*connection, doomed));
  if (context.options.json) return print_json({{"deleted_objects", doomed.size()}});
  return print(fmt::format("Deleted the {} ({} object{}).\n", name, doomed.size(), doomed.size() == 1 ? "" : "s"));
}

}  // namespace

void add_key_commands(const Command& root, Context& context) {
  const Command group = root.group("key", "keys on a token");

  const auto made = std::make_shared<GenerateOptions>();
  const Command make =
      group.command(context, "generate", "make a key or key pair on the token",
                    "  cardea key generate rsa:2048 --label mail\n"
                    "  cardea key generate ec:P-256 --label ssh --usage sign --id 01\n"
                    "Types: rsa:2048 rsa:3072 rsa:4096, ec:P-256 ec:P-384 ec:P-521 ec:secp256k1, ed25519 ed448,\n"
                    "  x25519 x448, ml-dsa-44 ml-dsa-65 ml-dsa-87, ml-kem-512 ml-kem-768 ml-kem-1024,\n"
                    "  slh-dsa-sha2-128s and so on (sha2 or shake; 128, 192 or 256; s is small, f is fast),\n"
                    "  aes:128 aes:192 aes:256, secret:128 secret:256 secret:512\n",
                    Needs::user, [&context, made] { return generate(context, *made); });
  make.text("key-type", made->type, "kind of key, see below", "TYPE");
  make.text("--type", made->type_option, "kind of key, instead of naming it first", "TYPE");
  make.text("--label", made->label, "name of the key", "LABEL");
  make.text("--id", made->id, "CKA_ID in hexadecimal (default: random)", "HEX");
  make.text("--usage", made->usage, "what it may do: sign, verify, decrypt, encrypt, derive, unwrap, wrap, decapsulate",
            "LIST");
  make.flag("--extractable", made->extractable, "the key may leave the token, wrapped by another key");
  make.flag("--always-authenticate", made->always_authenticate, "ask for the PIN at every use");

  const auto listed = std::make_shared<ObjectChoice>();
  const Command list =
      group.command(context, "list", "list the keys",
                    "  cardea key list --login\n  cardea key list 'pkcs11:token=demo;type=public' --json\n",
                    Needs::user, [&context, listed] { return list_keys(context, *listed); });
  add_object_options(list, *listed, "only keys");
  list.flag("--login", context.options.login, "log in first, so that private keys show");

  const auto doomed = std::make_shared<ObjectChoice>();
  const auto certificates = std::make_shared<bool>(false);
  const Command remove =
      group.command(context, "delete", "destroy a key and its public half",
                    "  cardea key delete mail\n  cardea key delete --id 01 --with-certificates --yes\n", Needs::user,
                    [&context, doomed, certificates] { return delete_key(context, *doomed, *certificates); });
  add_object_options(remove, *doomed, "the key");
  remove.flag("--with-certificates", *certificates, "delete certificates with the same id as well");
  remove.flag("--yes", context.options.yes, "do not ask first");
}

}  // namespace cardea::cli
