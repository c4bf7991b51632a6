// The command line of cardea-vcard.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "card_program/commands.h"

namespace cardea::vcard {

namespace {

constexpr int exit_usage = 2;

struct Arguments {
  CreateOptions create;
  ServiceOptions service;
  LoadOptions load;
  std::vector<std::string> load_objects;
  std::vector<std::string> load_certificates;
  std::vector<std::string> load_keys;
  std::filesystem::path state;
  std::filesystem::path control;
  std::vector<std::string> faults;
  std::vector<std::string> words;
  int delay_ms = 0;
  int touch_seconds = 0;
  bool removed = false;
};

void add_create(CLI::App& root, Arguments& arguments) {
  CLI::App* command = root.add_subcommand("create", "Make a new card in a state file");
  command->add_option("--kind", arguments.create.kind, "piv, gids or sample")->required();
  command->add_option("--state", arguments.create.state, "The file that is the card")->required();
  command->add_flag("--replace", arguments.create.replace, "Overwrite a card that is there");
  command->add_flag("!--no-vendor-extensions", arguments.create.piv.vendor_extensions,
                    "PIV: the standard's commands only");
  command->add_flag("--list-algorithms", arguments.create.piv.list_algorithms,
                    "PIV: name the algorithms in the answer to SELECT");
  command->add_flag("--select-forgets", arguments.create.piv.select_forgets,
                    "PIV: selecting the application again logs out");
  command->add_flag("--initialised", arguments.create.initialised,
                    "GIDS: as Windows' minidriver leaves a card, ready for use");
  command->add_option("--puk", arguments.create.puk, "GIDS: the card also has a PUK, this one");
  const std::map<std::string, BlockCipher> ciphers = {{"3des", BlockCipher::des3},
                                                      {"aes128", BlockCipher::aes128},
                                                      {"aes192", BlockCipher::aes192},
                                                      {"aes256", BlockCipher::aes256}};
  command
      ->add_option("--management-key", arguments.create.piv.management_cipher,
                   "PIV: cipher of the first management key, 0102…08 repeated (3des, aes128, aes192, aes256)")
      ->transform(CLI::CheckedTransformer(ciphers));
  command->add_option("--global-pin", arguments.create.global_pin, "PIV: the card also has a global PIN, this one");
}

void add_run(CLI::App& root, Arguments& arguments) {
  CLI::App* command = root.add_subcommand("run", "Put a card into vpcd's reader and serve it");
  command->add_option("--state", arguments.state, "The file that is the card")->required();
  command->add_option("--host", arguments.service.host, "IPv4 address of vpcd")->capture_default_str();
  command->add_option("--port", arguments.service.port, "Port of vpcd")->capture_default_str();
  command->add_option("--control", arguments.service.control, "Unix socket that takes commands");
  command->add_flag("--removed", arguments.removed, "Wait outside the reader for the command insert");
  command->add_flag("--short", arguments.service.short_only, "Refuse extended lengths");
  command->add_flag("--exact", arguments.service.exact_length, "Answer 6Cxx unless Le is exact");
  command->add_option("--delay", arguments.delay_ms, "Milliseconds before each answer")->check(CLI::Range(0, 60000));
  command->add_option("--touch", arguments.touch_seconds, "Seconds that keys with a touch policy wait for the touch")
      ->check(CLI::Range(0, 600));
  command->add_option("--fault", arguments.faults,
                      "pull@N, mute@N, status@N=SW, garbage@N, truncate@N or forget@N: at the N-th command");
}

void add_load(CLI::App& root, Arguments& arguments) {
  CLI::App* command = root.add_subcommand("load", "Fill a PIV card from files, while it is not run");
  command->add_option("--state", arguments.load.state, "The file that is the card")->required();
  command->add_option("--objects", arguments.load.folder, "Folder laid out like an ICAM test card");
  command->add_option("--object", arguments.load_objects, "TAG=FILE: a data object, for example 5FC102=chuid");
  command->add_option("--certificate", arguments.load_certificates, "REFERENCE=FILE: a certificate, PEM or DER");
  command->add_option("--key", arguments.load_keys, "REFERENCE=FILE: an unencrypted private key, PEM or DER");
}

void add_control(CLI::App& root, Arguments& arguments) {
  CLI::App* command = root.add_subcommand("control", "Send a command to a running card");
  command->add_option("socket", arguments.control, "Its --control socket")->required();
  command->add_option("words", arguments.words, "status, insert, remove, reset, count, log, fault …")->required();
}

Status parse_items(const std::vector<std::string>& texts, std::uint32_t highest, std::vector<LoadItem>& items) {
  for (const std::string& text : texts) {
    CARDEA_ASSIGN(LoadItem item, parse_load_item(text));
    if (item.number > highest) return error(Code::arguments_bad, "\"" + text + "\": the number is too large");
    items.push_back(std::move(item));
  }
  return {};
}

Status load(Arguments& arguments) {
  CARDEA_TRY(parse_items(arguments.load_objects, 0xFFFFFF, arguments.load.objects));
  CARDEA_TRY(parse_items(arguments.load_certificates, 0xFF, arguments.load.certificates));
  CARDEA_TRY(parse_items(arguments.load_keys, 0xFF, arguments.load.keys));
  return load_card(arguments.load);
}

Status serve(Arguments& arguments) {
  arguments.service.inserted = !arguments.removed;
  arguments.service.delay = std::chrono::milliseconds(arguments.delay_ms);
  arguments.service.touch = std::chrono::seconds(arguments.touch_seconds);
  for (const std::string& text : arguments.faults) {
    CARDEA_ASSIGN(const Fault fault, parse_fault(text));
    arguments.service.faults.push_back(fault);
  }
  return run_card(arguments.state, arguments.service);
}

Status perform(const CLI::App& root, Arguments& arguments) {
  if (root.got_subcommand("create")) return create_card(arguments.create);
  if (root.got_subcommand("load")) return load(arguments);
  if (root.got_subcommand("run")) return serve(arguments);
  return control_card(arguments.control, arguments.words);
}

}  // namespace

int run_program(int argc, char** argv) {
  CLI::App root("Virtual smart cards for tests, demonstrations and training. Not a safe place for real keys.");
  root.require_subcommand(1);
  root.set_version_flag("--version", CARDEA_VERSION);
  Arguments arguments;
  add_create(root, arguments);
  add_run(root, arguments);
  add_load(root, arguments);
  add_control(root, arguments);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return root.exit(problem) == 0 ? 0 : exit_usage;
  }
  const Status outcome = perform(root, arguments);
  if (outcome) return 0;
  std::fprintf(stderr, "cardea-vcard: %s\n", describe(outcome.error()).c_str());
  return outcome.code() == Code::arguments_bad ? exit_usage : 1;
}

}  // namespace cardea::vcard
