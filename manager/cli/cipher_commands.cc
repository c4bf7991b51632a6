// encrypt, decrypt.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/base64.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/signing.h"
#include "cli/text.h"
#include "cryptoki/names.h"
#include "x509/encoding.h"

namespace cardea::cli {
namespace {

// Ciphers take their input in one piece, because the tag of an authenticated one is checked before anything comes out.
constexpr std::size_t input_limit = std::size_t{1} << 30;
constexpr CK_ULONG tag_size = 16;

struct CipherOptions {
  ObjectChoice key;
  std::string in;
  std::string out;
  std::string mechanism;
  std::string digest;
  std::string iv;
  std::string aad;
  bool force = false;
};

// Bytes of the initialisation vector, counter block or nonce that a mechanism wants.
struct VectorSize {
  CK_MECHANISM_TYPE mechanism;
  std::size_t size;
};
constexpr std::array<VectorSize, 11> vector_sizes{{{CKM_AES_GCM, 12},
                                                   {CKM_AES_CCM, 12},
                                                   {CKM_CHACHA20_POLY1305, 12},
                                                   {CKM_AES_CBC, 16},
                                                   {CKM_AES_CBC_PAD, 16},
                                                   {CKM_AES_CTR, 16},
                                                   {CKM_AES_CTS, 16},
                                                   {CKM_AES_OFB, 16},
                                                   {CKM_AES_CFB1, 16},
                                                   {CKM_AES_CFB8, 16},
                                                   {CKM_AES_CFB128, 16}}};

std::size_t vector_size(CK_MECHANISM_TYPE mechanism) {
  const auto found = std::ranges::find(vector_sizes, mechanism, &VectorSize::mechanism);
  return found != vector_sizes.end() ? found->size : 0;
}

bool takes_aad(CK_MECHANISM_TYPE mechanism) {
  return mechanism == CKM_AES_GCM || mechanism == CKM_AES_CCM || mechanism == CKM_CHACHA20_POLY1305;
}

// What a mechanism's parameter points to; must live as long as the mechanism is in use.
struct CipherInputs {
  Bytes iv;
  Bytes aad;
};

template <class Parameter>
Mechanism with(CK_MECHANISM_TYPE type, const Parameter& parameter) {
  return Mechanism(type, {reinterpret_cast<const Byte*>(&parameter), sizeof parameter});
}

Result<CK_MECHANISM_TYPE> choose_mechanism(const Session& session, CK_OBJECT_HANDLE key, const CipherOptions& options) {
  if (!options.mechanism.empty()) {
    if (const auto named = constant_value(ConstantKind::CKM, options.mechanism)) return CK_MECHANISM_TYPE{*named};
    return failure(Code::arguments_bad,
                   fmt::format("There is no mechanism '{}'. `cardea token show` lists what the token has.",
                               printable(options.mechanism)));
  }
  switch (session.number(key, CKA_KEY_TYPE).value_or(CK_UNAVAILABLE_INFORMATION)) {
    case CKK_RSA:
      return CK_MECHANISM_TYPE{CKM_RSA_PKCS_OAEP};
    case CKK_AES:
      return CK_MECHANISM_TYPE{CKM_AES_GCM};
    case CKK_CHACHA20:
      return CK_MECHANISM_TYPE{CKM_CHACHA20_POLY1305};
    default:
      return failure(Code::key_type_inconsistent,
                     "Only RSA, AES and ChaCha20 keys encrypt and decrypt. Choose another key.");
  }
}

// `plain_size` is the length of the plain text, which CCM binds (NIST SP 800-38C, 5.1).
Result<Mechanism> make_mechanism(CK_MECHANISM_TYPE type, CipherInputs& inputs, std::size_t plain_size,
                                 const std::string& digest) {
  Bytes& iv = inputs.iv;
  Bytes& aad = inputs.aad;
  switch (type) {
    case CKM_RSA_PKCS_OAEP:
      return oaep_mechanism(digest);
    case CKM_AES_GCM:
      return with(type, CK_GCM_PARAMS{iv.data(), iv.size(), iv.size() * 8, aad.data(), aad.size(), tag_size * 8});
    case CKM_AES_CCM:
      return with(type, CK_CCM_PARAMS{plain_size, iv.data(), iv.size(), aad.data(), aad.size(), tag_size});
    case CKM_CHACHA20_POLY1305:
      return with(type, CK_SALSA20_CHACHA20_POLY1305_PARAMS{iv.data(), iv.size(), aad.data(), aad.size()});
    case CKM_AES_CTR: {
      // The whole block counts, as in NIST SP 800-38A, B.1 and everywhere else.
      CK_AES_CTR_PARAMS counter{128, {}};
      if (iv.size() != sizeof counter.cb) return failure(Code::arguments_bad, "AES-CTR takes --iv with 16 bytes.");
      std::ranges::copy(iv, counter.cb);
      return with(type, counter);
    }
    default:
      return iv.empty() ? Mechanism(type) : Mechanism(type, iv);
  }
}

Result<CipherInputs> read_inputs(const CipherOptions& options, CK_MECHANISM_TYPE mechanism) {
  CipherInputs inputs;
  const auto without_meaning = [&](std::string_view option) {
    return failure(Code::arguments_bad, fmt::format("{} has no meaning for {}. Leave it out.", option,
                                                    constant_text(ConstantKind::CKM, mechanism)));
  };
  if (!options.digest.empty() && mechanism != CKM_RSA_PKCS_OAEP) return without_meaning("--digest");
  const bool is_rsa = mechanism == CKM_RSA_PKCS_OAEP || mechanism == CKM_RSA_PKCS || mechanism == CKM_RSA_X_509;
  if (!options.iv.empty() && is_rsa) return without_meaning("--iv");
  if (!options.iv.empty()) {
    CARDEA_ASSIGN(inputs.iv, parse_hex(options.iv, "--iv"));
  }
  if (!options.aad.empty()) {
    if (!takes_aad(mechanism)) {
      return failure(Code::arguments_bad,
                     fmt::format("{} authenticates nothing, so --aad has no meaning. Leave it out, "
                                 "or use CKM_AES_GCM.",
                                 constant_text(ConstantKind::CKM, mechanism)));
    }
    CARDEA_ASSIGN(inputs.aad, parse_hex(options.aad, "--aad"));
  }
  return inputs;
}

Status decrypt(Context& context, const CipherOptions& options) {
  CARDEA_TRY(take_choice(context, options.key));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::use));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, options.key));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, find_key(*connection, wanted));
  CARDEA_ASSIGN(const CK_MECHANISM_TYPE type, choose_mechanism(*connection, key, options));
  CARDEA_ASSIGN(CipherInputs inputs, read_inputs(options, type));
  if (inputs.iv.empty() && vector_size(type) != 0) {
    return failure(Code::arguments_bad,
                   fmt::format("{} needs the initialisation vector that was used for encryption: add --iv HEX.",
                               constant_text(ConstantKind::CKM, type)));
  }
  CARDEA_ASSIGN(const Bytes data, read_file(options.in, input_limit));
  const std::size_t plain_size = data.size() - std::min<std::size_t>(data.size(), tag_size);
  CARDEA_ASSIGN(const Mechanism mechanism, make_mechanism(type, inputs, plain_size, options.digest));
  std::optional<Progress> progress("decrypting");
  CARDEA_ASSIGN(const SecretBytes plain, connection->decrypt(mechanism, key, data));
  progress.reset();
  if (!context.options.json) {
    return write_output(options.out, plain.view(), FileMode::secret,
                        options.force || is_plain_text(text_of(plain.view())));
  }
  if (!options.out.empty()) {
    CARDEA_TRY(write_output(options.out, plain.view(), FileMode::secret));
    return print_json({{"bytes", plain.size()}, {"file", options.out}});
  }
  return print_json({{"bytes", plain.size()}, {"plain_base64", to_base64(plain.view())}});
}

Status encrypt(Context& context, const CipherOptions& options) {
  CARDEA_TRY(take_choice(context, options.key));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::look));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, options.key));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, find_public_or_secret_key(*connection, wanted));
  CARDEA_ASSIGN(const CK_MECHANISM_TYPE type, choose_mechanism(*connection, key, options));
  CARDEA_ASSIGN(CipherInputs inputs, read_inputs(options, type));
  // A vector used twice under one key gives GCM and CTR away, so nobody has to invent one.
  const bool drawn = inputs.iv.empty() && vector_size(type) != 0;
  if (drawn) {
    CARDEA_ASSIGN(inputs.iv, connection->random(vector_size(type)));
  }
  CARDEA_ASSIGN(const Bytes data, read_file(options.in, input_limit));
  CARDEA_ASSIGN(const Mechanism mechanism, make_mechanism(type, inputs, data.size(), options.digest));
  std::optional<Progress> progress("encrypting");
  CARDEA_ASSIGN(const Bytes sealed, connection->encrypt(mechanism, key, data));
  progress.reset();
  const std::string iv = to_hex(inputs.iv);
  if (!context.options.json || !options.out.empty()) {
    CARDEA_TRY(write_output(options.out, sealed, FileMode::open, options.force));
  }
  if (!context.options.json) {
    if (drawn) note(fmt::format("the initialisation vector is {}; decryption needs it: --iv {}", iv, iv));
    return {};
  }
  boost::json::object result{{"mechanism", constant_text(ConstantKind::CKM, type)}, {"bytes", sealed.size()}};
  if (!iv.empty()) result["iv"] = iv;
  if (options.out.empty()) {
    result["cipher_base64"] = to_base64(sealed);
  } else {
    result["file"] = options.out;
  }
  return print_json(result);
}

void add_cipher_options(const Command& command, CipherOptions& options) {
  add_object_options(command, options.key, "the key");
  command.text("--in,--input", options.in, "input file (default: standard input)", "FILE")
      .text("--mechanism", options.mechanism, "mechanism by its PKCS#11 name (default: RSA-OAEP, AES-GCM)", "NAME")
      .text("--digest", options.digest, "digest of RSA-OAEP: sha256 (default), sha1, sha384, sha512 …", "NAME")
      .text("--aad", options.aad, "additional authenticated data in hexadecimal (GCM, CCM)", "HEX")
      .flag("--force", options.force, "write binary data to a terminal");
}

}  // namespace

void add_cipher_commands(const Command& root, Context& context) {
  const auto closing = std::make_shared<CipherOptions>();
  const Command encrypt_command =
      root.command(context, "encrypt", "encrypt a file with a public or secret key on the token",
                   "  cardea encrypt mail --in letter.txt --out letter.enc\n"
                   "  cardea encrypt backup --login --mechanism CKM_AES_CTR --in disk.img --out disk.enc\n"
                   "RSA takes short inputs only (at most 190 bytes for rsa:2048 and sha256).\n",
                   Needs::user, [&context, closing] { return encrypt(context, *closing); });
  add_cipher_options(encrypt_command, *closing);
  encrypt_command.text("--out,--output", closing->out, "output file (default: standard output)", "FILE")
      .text("--iv", closing->iv, "initialisation vector in hexadecimal (default: random, and shown)", "HEX")
      .flag("--login", context.options.login, "log in first, for a secret key, which shows only then");

  const auto opening = std::make_shared<CipherOptions>();
  const Command decrypt_command =
      root.command(context, "decrypt", "decrypt a file with a key on the token",
                   "  cardea decrypt mail --in secret.bin --out secret.txt\n"
                   "  cardea decrypt backup --mechanism CKM_AES_CTR --iv 000102030405060708090a0b0c0d0e0f < in > out\n",
                   Needs::user, [&context, opening] { return decrypt(context, *opening); });
  add_cipher_options(decrypt_command, *opening);
  decrypt_command.text("--out,--output", opening->out, "output file, mode 0600 (default: standard output)", "FILE")
      .text("--iv", opening->iv, "initialisation vector in hexadecimal (AES)", "HEX");
}

}  // namespace cardea::cli
