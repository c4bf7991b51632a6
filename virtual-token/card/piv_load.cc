#include "card/piv_load.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "card/pem.h"
#include "card/piv_applet.h"
#include "card/tlv.h"

namespace cardea::vcard {

namespace {

constexpr std::uint32_t discovery_tag = 0x7E;
constexpr std::string_view certificate_part = "ICAM_PIV_";

// The folders of ICAM test cards number their files. A tag of 0 marks the certificate of that key reference.
struct NumberedFile {
  int number;
  std::uint32_t tag;
  Byte reference;
};
constexpr NumberedFile icam_files[] = {
    {1, discovery_tag, 0}, {2, 0x5FC106, 0}, {3, 0, 0x9A},     {4, 0, 0x9C},      {5, 0, 0x9D},      {6, 0, 0x9E},
    {7, 0x5FC107, 0},      {8, 0x5FC102, 0}, {9, 0x5FC103, 0}, {10, 0x5FC108, 0}, {11, 0x5FC109, 0},
};

std::optional<std::uint32_t> certificate_tag(Byte reference) {
  switch (reference) {
    case 0x9A:
      return 0x5FC105;
    case 0x9C:
      return 0x5FC10A;
    case 0x9D:
      return 0x5FC10B;
    case 0x9E:
      return 0x5FC101;
    case 0xF9:
      return 0x5FFF01;
    default:
      break;
  }
  if (reference < 0x82 || reference > 0x95) return std::nullopt;
  return 0x5FC10D + (reference - 0x82);
}

// The file that a name like "8 - CHUID Object" means. Certificates stand there under two names with the same content.
const NumberedFile* known_file(const std::string& name) {
  int number = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (failure != std::errc() || name.compare(static_cast<std::size_t>(end - name.data()), 3, " - ") != 0) {
    return nullptr;
  }
  const auto* found = std::find_if(std::begin(icam_files), std::end(icam_files),
                                   [&](const NumberedFile& file) { return file.number == number; });
  if (found == std::end(icam_files)) return nullptr;
  if (found->tag != 0) return found;
  const bool usual = name.find(certificate_part) != std::string::npos && name.ends_with(".crt");
  return usual ? found : nullptr;
}

Result<Bytes> certificate_der(ByteView content) {
  if (!content.empty() && content.front() == 0x30) return to_bytes(content);
  const auto decoded = from_pem(content, "CERTIFICATE");
  if (!decoded) return error(Code::data_invalid, "no certificate in PEM or DER");
  return to_bytes(decoded->view());
}

PinPolicy usual_policy(Byte reference) {
  if (reference == 0x9C) return PinPolicy::always;
  return reference == 0x9E || reference == 0xF9 ? PinPolicy::never : PinPolicy::once;
}

}  // namespace

void load_object(PivState& state, std::uint32_t tag, ByteView content) {
  const std::uint32_t outer = tag == discovery_tag || tag == 0x7F61 ? tag : 0x53;
  TlvReader reader(content);
  const auto whole = reader.next();
  const bool wrapped = whole && whole->tag == outer && reader.finished();
  const ByteView value = wrapped ? whole->value : content;
  if (value.empty()) {
    state.objects.erase(tag);
  } else {
    state.objects[tag] = to_bytes(value);
  }
}

Status load_certificate(PivState& state, Byte reference, ByteView content) {
  const auto tag = certificate_tag(reference);
  if (!tag) return error(Code::arguments_bad, "no certificate belongs to that key reference");
  CARDEA_ASSIGN(const Bytes der, certificate_der(content));
  constexpr Byte uncompressed[] = {0x00};
  Bytes object = make_tlv(0x70, der);
  append_tlv(object, 0x71, uncompressed);
  append_tlv(object, 0xFE, {});
  state.objects[*tag] = std::move(object);
  return {};
}

Status load_key(PivState& state, Byte reference, ByteView content) {
  if (!piv::is_key_slot(reference, state.profile.vendor_extensions)) {
    return error(Code::arguments_bad, "that key reference holds no private key");
  }
  CARDEA_ASSIGN(CardKey key, CardKey::from_file(content));
  state.keys.insert_or_assign(reference,
                              PivKey{std::move(key), usual_policy(reference), TouchPolicy::never, KeyOrigin::imported});
  return {};
}

Result<int> load_folder(PivState& state, const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::directory_iterator entries(folder, failure);
  if (failure) return error(Code::not_found, folder.string());
  int loaded = 0;
  for (const auto& entry : entries) {
    const NumberedFile* file = known_file(entry.path().filename().string());
    if (!file) continue;
    CARDEA_ASSIGN(const SecretBytes content, read_whole_file(entry.path()));
    if (file->tag != 0) {
      load_object(state, file->tag, content.view());
    } else if (const Status done = load_certificate(state, file->reference, content.view()); !done) {
      return error(done.code(), entry.path().string());
    }
    ++loaded;
  }
  if (loaded == 0) return error(Code::not_found, "no card objects in " + folder.string());
  return loaded;
}

Result<SecretBytes> read_whole_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return error(Code::not_found, file.string());
  std::string text{std::istreambuf_iterator<char>(in), {}};
  SecretBytes content(view_of(text));
  wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
  return content;
}

}  // namespace cardea::vcard
