// cert request, write, list, export.
#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/der.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/signing.h"
#include "cli/text.h"
#include "x509/certificate.h"
#include "x509/encoding.h"
#include "x509/request.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

struct RequestOptions {
  ObjectChoice key;
  SigningOptions signing;
  x509::RequestSpec spec;
  std::string out;
  std::string key_usage;
  std::string ext_key_usage;
  bool der = false;
};

Result<x509::Scheme> x509_scheme(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::rsa_pkcs1:
      return x509::Scheme::rsa_pkcs1;
    case SignatureScheme::rsa_pss:
      return x509::Scheme::rsa_pss;
    case SignatureScheme::ecdsa:
      return x509::Scheme::ecdsa;
    case SignatureScheme::eddsa:
      return x509::Scheme::eddsa;
    case SignatureScheme::post_quantum:
      return x509::Scheme::post_quantum;
    default:
      return failure(Code::key_type_inconsistent,
                     "A key of this kind cannot sign a certificate request. Choose an RSA, EC, "
                     "Ed25519, Ed448, ML-DSA or SLH-DSA key.");
  }
}

Result<Bytes> key_info_of(const Session& session, CK_OBJECT_HANDLE key) {
  if (auto info = public_key_info(session, key)) return std::move(*info);
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE other, public_half(session, key));
  if (auto info = public_key_info(session, other)) return std::move(*info);
  return failure(Code::attribute_type_invalid, "The token does not tell the public key. Choose another key.");
}

Error request_failure(const Error& cause) {
  // Failures of signing are whole sentences already; those of building name the part of the request.
  if (cause.detail.ends_with('.')) return cause;
  const std::string_view next =
      cause.code == Code::arguments_bad ? "See the examples of `cardea cert request --help`." : advice(cause.code);
  return failure(cause.code, fmt::format("The request could not be made: {}. {}",
                                         cause.detail.empty() ? std::string(words(cause.code)) : cause.detail, next));
}

Status request(Context& context, RequestOptions options) {
  options.spec.key_usage = split(options.key_usage, ',');
  options.spec.ext_key_usage = split(options.ext_key_usage, ',');
  if (options.spec.subject.empty() && options.spec.alt_names.empty()) {
    return failure(Code::arguments_bad, "The request names nobody: add --subject 'CN=NAME' or --san email:NAME@HOST.");
  }
  CARDEA_TRY(take_choice(context, options.key));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::use));
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, options.key));
  CARDEA_ASSIGN(const CK_OBJECT_HANDLE key, find_key(*connection, wanted));
  CARDEA_ASSIGN(const SigningPlan plan, plan_signature(*connection, key, options.signing));
  CARDEA_ASSIGN(const x509::Scheme scheme, x509_scheme(plan.scheme));
  CARDEA_ASSIGN(const Bytes info, key_info_of(*connection, key));
  const Progress progress("signing the request");
  const auto sign = [&](ByteView to_be_signed) -> Result<Bytes> {
    CARDEA_ASSIGN(Bytes signature, sign_by_plan(*connection, key, plan, input_of(to_be_signed)));
    return plan.scheme == SignatureScheme::ecdsa ? ecdsa_to_der(signature) : std::move(signature);
  };
  auto made = x509::make_request(options.spec, info, scheme, plan.hash, sign);
  if (!made) return request_failure(made.error());
  CARDEA_ASSIGN(const std::string pem, x509::to_pem("CERTIFICATE REQUEST", *made));
  if (!options.out.empty() || !context.options.json) {
    CARDEA_TRY(write_output(options.out, options.der ? ByteView(*made) : view_of(pem), FileMode::open, !options.der));
  }
  if (!context.options.json) return {};
  return print_json({{"key", object_uri(*connection, key)}, {"request_pem", pem}});
}

struct WriteOptions {
  std::string in;
  std::string label;
  std::string id;
  bool without_key = false;
};

struct MatchingKey {
  Bytes id;
  std::string label;
};

// The key on the token that the certificate is for, by comparing public keys.
Result<std::optional<MatchingKey>> matching_key(const Session& session, const x509::Certificate& certificate) {
  for (const CK_OBJECT_CLASS of_class : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    CARDEA_ASSIGN(const auto keys, find_objects(session, {}, of_class));
    for (const CK_OBJECT_HANDLE key : keys) {
      const auto info = public_key_info(session, key);
      if (!info || *info != certificate.key_info) continue;
      if (of_class == CKO_PUBLIC_KEY) {
        // A public key alone is not enough: the private half carries the same CKA_ID.
        Wanted partner;
        partner.id = session.attribute(key, CKA_ID);
        if (!partner.id) continue;
        CARDEA_ASSIGN(const auto privates, find_objects(session, partner, CKO_PRIVATE_KEY));
        if (privates.empty()) continue;
      }
      const auto label = session.attribute(key, CKA_LABEL);
      return std::optional<MatchingKey>(
          {session.attribute(key, CKA_ID).value_or(Bytes{}), label ? std::string(text_of(*label)) : std::string()});
    }
  }
  return std::optional<MatchingKey>();
}

Status write_certificate(Context& context, const WriteOptions& options) {
  CARDEA_ASSIGN(const x509::Certificate certificate, read_certificate_file(options.in));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::change));
  CARDEA_ASSIGN(auto key, matching_key(*connection, certificate));
  if (!key && !options.without_key) {
    return failure(Code::not_found,
                   fmt::format("Token '{}' has no private key for this certificate ({}). Choose another "
                               "token with --token, or say --without-key for a CA certificate.",
                               connection->token().label, printable(certificate.subject)));
  }
  if (!key) key.emplace();
  if (!options.id.empty()) {
    CARDEA_ASSIGN(key->id, parse_hex(options.id, "--id"));
  }
  if (!options.label.empty()) key->label = options.label;
  Template same;
  same.number(CKA_CLASS, CKO_CERTIFICATE).bytes(CKA_VALUE, certificate.der);
  CARDEA_ASSIGN(const auto present, connection->find(same));
  const bool written = present.empty();
  if (!written) {
    // What is told is what is there, not what was asked for.
    key->id = connection->attribute(present.front(), CKA_ID).value_or(Bytes{});
    key->label = text_of(connection->attribute(present.front(), CKA_LABEL).value_or(Bytes{}));
  } else {
    Template attributes;
    attributes.number(CKA_CLASS, CKO_CERTIFICATE)
        .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
        .flag(CKA_TOKEN, true)
        .flag(CKA_PRIVATE, false)
        .text(CKA_LABEL, key->label)
        .bytes(CKA_ID, key->id)
        .bytes(CKA_SUBJECT, certificate.subject_der)
        .bytes(CKA_ISSUER, certificate.issuer_der)
        .bytes(CKA_SERIAL_NUMBER, certificate.serial_der)
        .bytes(CKA_VALUE, certificate.der);
    CARDEA_TRY(connection->create(attributes, "The certificate could not be written"));
  }
  if (context.options.json) {
    return print_json({{"written", written},
                       {"subject", printable(certificate.subject)},
                       {"id", to_hex(key->id)},
                       {"label", printable(key->label)}});
  }
  return print(fmt::format("{} certificate of {} {} token '{}' with id {}.\n", written ? "Wrote the" : "The",
                           printable(certificate.subject), written ? "to" : "is already on", connection->token().label,
                           key->id.empty() ? "none" : to_hex(key->id)));
}

struct Found {
  CK_OBJECT_HANDLE object;
  x509::Certificate certificate;
};

Result<std::vector<Found>> read_certificates(const Context& context, const Session& session,
                                             const ObjectChoice& choice) {
  CARDEA_ASSIGN(const Wanted wanted, wanted_object(context, choice));
  CARDEA_ASSIGN(const auto objects, find_objects(session, wanted, CKO_CERTIFICATE));
  std::vector<Found> result;
  for (const CK_OBJECT_HANDLE object : objects) {
    const auto value = session.attribute(object, CKA_VALUE);
    auto certificate = x509::read_certificate(value ? *value : Bytes{});
    if (certificate) {
      result.push_back({object, std::move(*certificate)});
    } else {
      note(fmt::format("the certificate object '{}' holds no X.509 certificate; it is left out",
                       session.text(object, CKA_LABEL)));
    }
  }
  return result;
}

json::object certificate_json(const Session& session, const Found& found) {
  const auto id = session.attribute(found.object, CKA_ID);
  return {{"label", session.text(found.object, CKA_LABEL)},  {"id", id ? to_hex(*id) : ""},
          {"subject", printable(found.certificate.subject)}, {"issuer", printable(found.certificate.issuer)},
          {"serial_number", found.certificate.serial},       {"not_before", found.certificate.not_before},
          {"not_after", found.certificate.not_after},        {"authority", found.certificate.is_authority},
          {"uri", object_uri(session, found.object)}};
}

Status list_certificates(Context& context, const ObjectChoice& choice) {
  CARDEA_TRY(take_choice(context, choice));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::look));
  CARDEA_ASSIGN(const auto certificates, read_certificates(context, *connection, choice));
  json::array list;
  Table table({"LABEL", "ID", "SUBJECT", "ISSUER", "VALID UNTIL"});
  for (const Found& found : certificates) {
    const json::object about = certificate_json(*connection, found);
    const auto text = [&](const char* name) { return std::string(about.at(name).as_string()); };
    table.row({text("label"), text("id"), text("subject"), text("issuer"), text("not_after")});
    list.push_back(about);
  }
  if (context.options.json) return print_json({{"token", connection->token().label}, {"certificates", list}});
  if (!table.empty()) return print(table.text());
  return print(fmt::format("Token '{}' has no certificates.\n", connection->token().label));
}

Status export_certificate(Context& context, const ObjectChoice& choice, const std::string& out, bool der) {
  CARDEA_TRY(take_choice(context, choice));
  CARDEA_ASSIGN(const Connection connection, connect(context, Access::look));
  CARDEA_ASSIGN(const auto certificates, read_certificates(context, *connection, choice));
  if (certificates.size() != 1) {
    const bool none = certificates.empty();
    return failure(
        none ? Code::not_found : Code::arguments_bad,
        fmt::format("{} certificate{} on token '{}' fit{}. `cardea cert list` shows them; choose one by label or "
                    "with --id.",
                    none ? "No" : std::to_string(certificates.size()), none ? "" : "s", connection->token().label,
                    none ? "s" : ""));
  }
  const x509::Certificate& certificate = certificates.front().certificate;
  CARDEA_ASSIGN(const std::string pem, x509::to_pem("CERTIFICATE", certificate.der));
  if (!out.empty() || !context.options.json) {
    CARDEA_TRY(write_output(out, der ? ByteView(certificate.der) : view_of(pem), FileMode::open, !der));
  }
  if (context.options.json) {
    json::object about = certificate_json(*connection, certificates.front());
    about["pem"] = pem;
    return print_json(about);
  }
  return {};
}

void add_request(const Command& group, Context& context) {
  const auto asked = std::make_shared<RequestOptions>();
  const Command command = group.command(
      context, "request", "make a certificate request (PKCS#10) signed by a key on the token",
      "  cardea cert request mail --subject 'CN=Alice Example,O=Example,C=DE' --san email:alice@example.org --out "
      "mail.csr\n"
      "  cardea cert request web --subject CN=www.example.org --san dns:www.example.org --ext-key-usage serverAuth\n",
      Needs::user, [&context, asked] { return request(context, *asked); });
  add_object_options(command, asked->key, "the key");
  command.text("--subject", asked->spec.subject, "subject in RFC 4514 form, most specific part first", "NAME");
  command.list("--san", asked->spec.alt_names, "alternative name: dns:, email:, ip:, uri: or upn:; may be repeated",
               "KIND:VALUE");
  command.text("--key-usage", asked->key_usage, "digitalSignature,keyEncipherment …", "LIST");
  command.text("--ext-key-usage", asked->ext_key_usage, "clientAuth,emailProtection,smartcardLogin … or OIDs", "LIST");
  command.text("--digest", asked->signing.digest, "sha256, sha384, sha512 … (default: by key)", "NAME");
  command.flag("--pss", asked->signing.pss, "sign with RSA-PSS");
  command.flag("--der", asked->der, "write DER instead of PEM");
  command.text("--out,--output", asked->out, "request file (default: standard output)", "FILE");
}

void add_write(const Command& group, Context& context) {
  const auto given = std::make_shared<WriteOptions>();
  const Command command =
      group.command(context, "write", "write a certificate beside its key",
                    "  cardea cert write mail.pem\n  cardea cert write ca.pem --without-key --label 'Example CA'\n",
                    Needs::user, [&context, given] { return write_certificate(context, *given); });
  command.text("file", given->in, "certificate in PEM or DER (default: standard input)", "FILE");
  command.text("--in,--input", given->in, "the same, as an option", "FILE");
  command.text("--label", given->label, "label (default: the key's)", "LABEL");
  command.text("--id", given->id, "CKA_ID in hexadecimal (default: the key's)", "HEX");
  command.flag("--without-key", given->without_key, "write it although the token has no key for it");
}

}  // namespace

void add_cert_commands(const Command& root, Context& context) {
  const Command group = root.group("cert", "certificates and certificate requests");
  add_request(group, context);
  add_write(group, context);

  const auto listed = std::make_shared<ObjectChoice>();
  const Command list = group.command(context, "list", "list the certificates", "  cardea cert list --json\n",
                                     Needs::user, [&context, listed] { return list_certificates(context, *listed); });
  add_object_options(list, *listed, "only certificates");

  const auto chosen = std::make_shared<ObjectChoice>();
  const auto out = std::make_shared<std::string>();
  const auto der = std::make_shared<bool>(false);
  const Command save = group.command(
      context, "export", "copy a certificate from the token to a file", "  cardea cert export mail --out mail.pem\n",
      Needs::user, [&context, chosen, out, der] { return export_certificate(context, *chosen, *out, *der); });
  add_object_options(save, *chosen, "the certificate");
  save.text("--out,--output", *out, "file (default: standard output)", "FILE");
  save.flag("--der", *der, "DER instead of PEM");
}

}  // namespace cardea::cli
