// What a PIV card answers: each parser by itself, and the whole module over a card that answers anything.
#include "fuzz/input.h"
#include "pcsc/memory_channel.h"
#include "piv/biometric.h"
#include "piv/certificate_object.h"
#include "piv/chuid.h"
#include "piv/commands.h"
#include "piv/data_objects.h"
#include "piv/piv_card.h"
#include "piv/security_object.h"

using namespace cardea;
using namespace cardea::card;

namespace {

void parse_one(fuzz::Input& input) {
  const CK_ULONG which = input.up_to(13);
  const std::vector<CK_BYTE> content = input.bytes(4096);
  switch (which) {
    case 0:
      if (const auto chuid = piv::parse_chuid(content)) (void)piv::chuid_serial(*chuid);
      return;
    case 1:
      if (const auto fascn = piv::decode_fascn(content)) (void)piv::encode_fascn(*fascn);
      return;
    case 2:
      (void)piv::parse_application(content);
      return;
    case 3:
      (void)piv::parse_card_capability(content);
      return;
    case 4:
      (void)piv::parse_discovery(content);
      return;
    case 5:
      if (const auto history = piv::parse_key_history(content)) (void)piv::retired_references(*history);
      return;
    case 6:
      (void)piv::parse_printed_information(content);
      return;
    case 7:
      (void)piv::parse_biometric(content);
      return;
    case 8:
      (void)piv::parse_security_object(content);
      return;
    case 9:
      (void)piv::parse_certificate_object(content);
      return;
    case 10:
      (void)piv::parse_metadata(content);
      return;
    case 11:
      (void)piv::data_object_content(piv::object::chuid, content);
      return;
    case 12:
      (void)piv::authentication_field(content, piv::authentication::response);
      return;
    default: {
      Bytes out(96);
      (void)piv::raw_ecdsa_signature(content, 48, out);
    }
  }
}

// Everything that is asked of a card, whatever it answered before.
void use(CardTransaction& transaction, CardModule& module, fuzz::Input& input) {
  (void)module.describe(transaction);
  (void)module.pin_state(transaction, card::PinRole::user);
  const auto places = module.places(transaction);
  const auto files = module.files(transaction);
  if (places && !places->empty()) {
    const auto container = module.read_container(transaction, (*places)[input.up_to(places->size() - 1)]);
    if (container && *container) {
      Bytes out(1024);
      const std::vector<CK_BYTE> data = input.bytes(512);
      static constexpr Primitive primitives[]{Primitive::rsa_raw, Primitive::ecdsa_sign, Primitive::ecdh,
                                              Primitive::eddsa_sign};
      (void)module.perform(transaction, **container, {.primitive = input.one_of(primitives)}, data, out);
    }
  }
  if (files && !files->empty()) {
    const FileEntry& file = (*files)[input.up_to(files->size() - 1)];
    if (const auto content = module.read_file(transaction, file)) (void)module.explain(file, *content);
  }
  CardAdministrator* const administrator = module.administrator();
  (void)administrator->authenticate(transaction, administrator->factory_key());
  (void)administrator->challenge(transaction);
}

void whole_card(fuzz::Input& input) {
  const auto answer = [&](ByteView) -> Result<Bytes> {
    if (!input.more()) return Code::device_removed;
    std::vector<CK_BYTE> data = input.bytes(2048);
    const bool fine = !input.rarely(4);
    data.push_back(fine ? CK_BYTE{0x90} : static_cast<CK_BYTE>(input.up_to(255)));
    data.push_back(fine ? CK_BYTE{0x00} : static_cast<CK_BYTE>(input.up_to(255)));
    return Bytes(data.begin(), data.end());
  };
  auto transaction = CardTransaction::begin(std::make_shared<MemoryChannel>(Bytes{0x3b, 0x00}, ApduLimits{}, answer));
  if (!transaction) return;
  const auto recognition = recognise_piv(*transaction);
  if (recognition && recognition->module) use(*transaction, *recognition->module, input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  if (input.chance()) {
    parse_one(input);
  } else {
    whole_card(input);
  }
  return 0;
}
