// What a GIDS card answers, in two ways: each parser on its own, and the whole module against a card that answers
// anything.
#include "fuzz/input.h"
#include "gids/gids_card.h"
#include "pcsc/memory_channel.h"

using namespace cardea;
using namespace cardea::card;

namespace {

constexpr std::size_t longest_answer = 600;

void parsers(fuzz::Input& input) {
  const std::vector<CK_BYTE> bytes = input.bytes(4096);
  if (const auto entries = gids::parse_master_file(bytes)) {
    (void)gids::free_place(*entries, gids::user_file);
    (void)gids::find_entry(*entries, "mscp", "cmapfile");
  }
  const auto place = gids::ObjectPlace{gids::user_file, 0xdf24};
  const Bytes with = gids::with_entry(bytes, {"mscp", "kxc00", place});
  (void)gids::without_entry(with, place);
  const auto records = parse_container_map(bytes);
  for (const ContainerRecord& record : records) (void)record.label();
  if (container_map(records).size() > bytes.size()) __builtin_trap();
  (void)gids::with_key_record(bytes, input.up_to(40), {true, 7, true, 0x81}, input.up_to(40));
  (void)parse_cache_file(bytes);
  (void)unwrap_file(bytes);
  (void)gids::parse_application(bytes);
  (void)gids::parse_key_file(bytes);
  (void)gids::public_key_info(bytes);
  Bytes out(132);
  (void)gids::plain_signature(bytes, gids::KeyKind::p521, out);
  ContainerRecord record;
  record.set_label({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  (void)record.label();
}

// Answers that begin right more often than chance would have it.
Result<Bytes> any_answer(fuzz::Input& input) {
  static constexpr std::uint16_t words[]{0x9000, 0x9000, 0x9000, 0x9000, 0x6a82, 0x6a88, 0x6982,
                                         0x63c2, 0x6a80, 0x6a89, 0x6985, 0x6108, 0x6c05, 0x6984};
  if (!input.more()) return Code::device_removed;
  const std::vector<CK_BYTE> data = input.bytes(longest_answer);
  Bytes answer(data.begin(), data.end());
  const std::uint16_t word = input.one_of(words);
  answer.push_back(static_cast<Byte>(word >> 8));
  answer.push_back(static_cast<Byte>(word));
  return answer;
}

void use(CardTransaction& transaction, CardModule& module, Container& container) {
  Bytes out(512);
  const Bytes in(256);
  for (const Primitive primitive : {Primitive::rsa_pkcs1_sign, Primitive::rsa_raw, Primitive::rsa_pkcs1_decrypt,
                                    Primitive::rsa_oaep_decrypt, Primitive::ecdsa_sign}) {
    (void)module.perform(transaction, container, {.primitive = primitive}, in, out);
  }
}

void whole_module(fuzz::Input& input) {
  const auto channel = std::make_shared<MemoryChannel>(Bytes(), ApduLimits{.command_data = 65535, .answer_data = 65536},
                                                       [&](ByteView) { return any_answer(input); });
  auto transaction = CardTransaction::begin(channel);
  if (!transaction) return;
  const auto recognition = recognise_gids(*transaction);
  if (!recognition || !recognition->module) return;
  CardModule& module = *recognition->module;
  (void)module.describe(*transaction);
  const auto places = module.places(*transaction);
  if (!places) return;
  for (const ContainerPlace& place : *places) {
    auto container = module.read_container(*transaction, place);
    if (container && *container) use(*transaction, module, **container);
    if (!input.more()) break;
  }
  if (const auto files = module.files(*transaction)) {
    for (const FileEntry& file : *files) (void)module.read_file(*transaction, file);
  }
  (void)module.free_space(*transaction);
  (void)module.pin_state(*transaction, PinRole::user);
  CardAdministrator& administrator = *module.administrator();
  (void)administrator.authenticate(*transaction, SecretBytes(24));
  (void)administrator.challenge(*transaction);
  if (places->empty()) return;
  (void)administrator.generate(*transaction, places->front(), {.algorithm = crypto::KeyAlgorithm::p256});
  (void)administrator.write_certificate(*transaction, places->front(), Bytes(10));
  (void)administrator.set_default(*transaction, places->front());
  (void)administrator.delete_key(*transaction, places->front());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  if (input.chance()) {
    parsers(input);
  } else {
    whole_module(input);
  }
  return 0;
}
