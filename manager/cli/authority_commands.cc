// ca and audit, at the manager.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "cli/api_access.h"
#include "cli/exit_status.h"
#include "cli/files.h"
#include "cli/output.h"
#include "client/api_client.h"
#include "x509/encoding.h"

namespace cardea::cli {
namespace {

namespace json = boost::json;

struct CaOptions {
  std::string name;
  std::string subject;
  std::string parent;
  std::string type;
  std::string key_type;
  std::string scheme;
  std::string validity;
  bool external = false;
  std::string request_out;
  ChangeCondition condition;
};

Status create_ca(Context& context, const CaOptions& options) {
  json::object settings{{"subject", options.subject}};
  put_text(settings, "parent", options.parent);
  put_text(settings, "type", options.type);
  put_text(settings, "key_type", options.key_type);
  put_text(settings, "scheme", options.scheme);
  put_text(settings, "validity", options.validity);
  if (options.external) settings["external"] = true;
  CARDEA_ASSIGN(const json::value made,
                ask_manager(context, "POST", "/v1/cas",
                            json::object{{"name", options.name}, {"connector", "embedded"}, {"settings", settings}}));
  if (!options.external) return print_object(context, made);
  boost::system::error_code absent;
  const json::value* const request = made.find_pointer("/settings/request", absent);
  const auto der = x509::from_base64(request != nullptr && request->is_string() ? request->get_string() : "");
  if (!der || der->empty()) return failure(Code::data_invalid, "The manager's answer is not understood.");
  CARDEA_ASSIGN(const std::string pem, x509::to_pem("CERTIFICATE REQUEST", *der));
  return write_output(options.request_out, view_of(pem), FileMode::open, true);
}

struct CaChangeOptions {
  std::string name;
  std::string file;
  std::string retry_schedule;
  bool enable = false;
  bool disable = false;
  ChangeCondition condition;
};

Status change_ca(Context& context, const CaChangeOptions& options) {
  if (options.enable && options.disable) return failure(Code::arguments_bad, "Say --enable or --disable, not both.");
  json::object body;
  if (options.enable || options.disable) body["enabled"] = options.enable;
  put_text(body, "retry_schedule", options.retry_schedule);
  if (!options.file.empty()) {
    CARDEA_ASSIGN(body["settings"], read_json_file(options.file));
  }
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/cas", "name", options.name));
  return change_object(context, "PATCH", fmt::format("/v1/cas/{}", id), body, options.condition);
}

Status install_ca(Context& context, const CaChangeOptions& options) {
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/cas", "name", options.name));
  CARDEA_ASSIGN(const Bytes chain, read_file(options.file, 128 * 1024));
  return show_object(context, "POST", fmt::format("/v1/cas/{}/certificate", id),
                     json::object{{"chain", std::string(text_of(chain))}});
}

Status renew_ca(Context& context, const CaOptions& options) {
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/cas", "name", options.name));
  json::object body;
  put_text(body, "validity", options.validity);
  CARDEA_ASSIGN(ReadObject read, read_object(context, fmt::format("/v1/cas/{}", id)));
  read.path += "/renewal";
  return change_object(context, "POST", read, body, options.condition);
}

Status about_ca(Context& context, const std::string& name, std::string_view method, std::string_view rest) {
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/cas", "name", name));
  const auto body = method == "POST" ? std::optional(json::object{}) : std::nullopt;
  return show_object(context, method, fmt::format("/v1/cas/{}{}", id, rest), body);
}

Status check_ca(Context& context, const std::string& name) {
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/cas", "name", name));
  CARDEA_ASSIGN(const json::value answer,
                ask_manager(context, "POST", fmt::format("/v1/cas/{}/check", id), json::object{}));
  CARDEA_TRY(print_object(context, answer));
  const json::value* works = answer.is_object() ? answer.get_object().if_contains("works") : nullptr;
  if (works != nullptr && works->is_bool() && works->get_bool()) return {};
  return failure(Code::function_failed,
                 fmt::format("The authority '{}' does not work. The manager's log has more.", printable(name)));
}

Status list_offers(Context& context, const std::string& name) {
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/cas", "name", name));
  return print_list(context, fmt::format("/v1/cas/{}/profiles", id), ListOptions{},
                    {{"ID", "id"}, {"GROUP", "group"}, {"NAME", "name"}, {"DESCRIPTION", "description"}});
}

struct PolicyOptions {
  std::string policy;
  std::string name;
  std::string ca;
  std::string ca_profile;
  std::string file;
  ChangeCondition condition;
};

Status add_policy(Context& context, const PolicyOptions& options) {
  json::object body{{"name", options.name}, {"ca_profile", options.ca_profile}};
  CARDEA_ASSIGN(body["ca"], find_id(context, "/v1/cas", "name", options.ca));
  CARDEA_ASSIGN(body["document"], read_json_file(options.file));
  return show_object(context, "POST", "/v1/policies", body);
}

Status change_policy(Context& context, const PolicyOptions& options) {
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/policies", "name", options.policy));
  json::object body;
  CARDEA_ASSIGN(body["document"], read_json_file(options.file));
  return change_object(context, "PATCH", fmt::format("/v1/policies/{}", id), body, options.condition);
}

Status show_policy(Context& context, const std::string& name) {
  CARDEA_ASSIGN(const auto id, find_id(context, "/v1/policies", "name", name));
  return show_object(context, "GET", fmt::format("/v1/policies/{}", id));
}

void add_policies(const Command& above, Context& context) {
  const Command group = above.group("policy", "certificate policies: what of an authority's profiles is used, and how");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(
      group.command(
          context, "list", "list certificate policies", "  cardea ca policy list\n", Needs::manager,
          [&context, list] {
            return print_list(
                context, "/v1/policies", *list,
                {{"ID", "id"}, {"NAME", "name"}, {"CA", "ca"}, {"CA PROFILE", "ca_profile"}, {"ENABLED", "enabled"}});
          }),
      *list, {"search"});
  const auto shown = std::make_shared<std::string>();
  group
      .command(context, "show", "show a certificate policy", "  cardea ca policy show guests --json\n", Needs::manager,
               [&context, shown] { return show_policy(context, *shown); })
      .required("policy", *shown, "name or number", "POLICY");
  const auto added = std::make_shared<PolicyOptions>();
  group
      .command(context, "add", "add a certificate policy",
               "  cardea ca policy add guests --ca issuing --ca-profile smartcard-authentication --file guests.json\n",
               Needs::manager, [&context, added] { return add_policy(context, *added); })
      .required("name", added->name, "its name", "NAME")
      .required("--ca", added->ca, "the authority, by name or number", "CA")
      .required("--ca-profile", added->ca_profile, "one of `cardea ca profiles`", "ID")
      .required("--file", added->file, "its document, JSON", "FILE");
  const auto changed = std::make_shared<PolicyOptions>();
  const Command change = group.command(context, "change", "change a certificate policy",
                                       "  cardea ca policy change guests --file guests.json\n", Needs::manager,
                                       [&context, changed] { return change_policy(context, *changed); });
  change.required("policy", changed->policy, "name or number", "POLICY")
      .required("--file", changed->file, "its document, JSON", "FILE");
  add_change_condition(change, changed->condition);
}

struct AuditOptions {
  ListOptions list;
  std::string subject;
  std::string action;
  std::string out;
};

Status search_audit(Context& context, const AuditOptions& options) {
  const std::string path = fmt::format("/v1/audit/events?subject={}&action={}", client::encode(options.subject),
                                       client::encode(options.action));
  return print_list(context, path, options.list,
                    {{"NUMBER", "number"}, {"AT", "at"}, {"WHO", "actor"}, {"WHAT", "action"}, {"ABOUT", "subject"}});
}

Status verify_audit(Context& context) {
  CARDEA_ASSIGN(const json::value verdict, ask_manager(context, "GET", "/v1/audit/verification"));
  CARDEA_TRY(print_object(context, verdict));
  const json::value* intact = verdict.is_object() ? verdict.get_object().if_contains("intact") : nullptr;
  if (intact != nullptr && intact->is_bool() && intact->get_bool()) return {};
  return failure(Code::signature_invalid, "The audit log was changed. Compare it with a backup and with exports.");
}

Status export_audit(Context& context, const AuditOptions& options) {
  // A log of years is larger than the memory that should be spent on it.
  CARDEA_ASSIGN(OutputFile output, OutputFile::make(options.out, FileMode::secret));
  std::string from = "1";
  while (!from.empty()) {
    CARDEA_ASSIGN(TextPiece piece, ask_manager_for_text(context, "/v1/audit/export?from=" + client::encode(from)));
    CARDEA_TRY(output.write(view_of(piece.text)));
    from = std::move(piece.next);
  }
  return output.finish();
}

}  // namespace

void add_ca_commands(const Command& root, Context& context) {
  const Command group = root.group("ca", "certification authorities, at the manager");
  const auto list = std::make_shared<ListOptions>();
  add_list_options(group.command(context, "list", "list authorities", "  cardea ca list\n", Needs::manager,
                                 [&context, list] {
                                   return print_list(
                                       context, "/v1/cas", *list,
                                       {{"ID", "id"}, {"NAME", "name"}, {"KIND", "connector"}, {"ENABLED", "enabled"}});
                                 }),
                   *list, {"search"});
  const auto made = std::make_shared<CaOptions>();
  group
      .command(context, "create", "make an authority with a key of its own",
               "  cardea ca create 'sales' --subject 'CN=Sales CA,O=Example' --parent root\n", Needs::manager,
               [&context, made] { return create_ca(context, *made); })
      .required("name", made->name, "its name", "NAME")
      .required("--subject", made->subject, "RFC 4514", "DN")
      .text("--parent", made->parent, "the authority above; a root without", "CA")
      .text("--type", made->type, "intermediate or issuing (default)", "TYPE")
      .text("--key-type", made->key_type,
            "p-256 (default), p-384, p-521, rsa-2048 to rsa-4096, ml-dsa-65, slh-dsa-sha2-128s …", "TYPE")
      .text("--scheme", made->scheme, "how it signs: rsa-pss-sha256, … (default: by the key)", "SCHEME")
      .text("--validity", made->validity, "ISO 8601: P10Y", "DURATION")
      .flag("--external", made->external, "below an authority that somebody else runs: gives a request for it")
      .text("--request-out", made->request_out, "where that request goes (default: standard output)", "FILE");
  const auto installed = std::make_shared<CaChangeOptions>();
  group
      .command(context, "install", "give an authority made with --external its certificate",
               "  cardea ca install sales chain.pem\n", Needs::manager,
               [&context, installed] { return install_ca(context, *installed); })
      .required("ca", installed->name, "name or number", "CA")
      .required("chain", installed->file, "PEM: its certificate, what is above it after that, the root last", "FILE");
  const auto renewed = std::make_shared<CaOptions>();
  group
      .command(context, "renew", "give an authority below one of ours its next certificate, for the same key",
               "  cardea ca renew issuing\n", Needs::manager,
               [&context, renewed] { return renew_ca(context, *renewed); })
      .required("ca", renewed->name, "name or number", "CA")
      .text("--validity", renewed->validity, "ISO 8601: P10Y (default: as long as the present one)", "DURATION");
  const auto changed = std::make_shared<CaChangeOptions>();
  const Command change = group.command(context, "change", "change an authority's settings, or switch it off and on",
                                       "  cardea ca change issuing --file settings.json\n", Needs::manager,
                                       [&context, changed] { return change_ca(context, *changed); });
  change.required("ca", changed->name, "name or number", "CA")
      .text("--file", changed->file, "JSON: crl_lifetime, keep_expired, answers_ocsp, renew_before, profiles …", "FILE")
      .text("--retry-schedule", changed->retry_schedule, "seconds: 15;60;3600;0", "SCHEDULE")
      .flag("--disable", changed->disable, "it issues nothing until --enable; CRLs and OCSP go on")
      .flag("--enable", changed->enable, "undo --disable");
  add_change_condition(change, changed->condition);
  for (const auto& [name, help, method, rest] :
       {std::tuple<const char*, const char*, const char*, const char*>{"show", "show an authority", "GET", ""},
        {"crl", "have a CRL made now", "POST", "/crl"}}) {
    const auto which = std::make_shared<std::string>();
    group
        .command(context, name, help, fmt::format("  cardea ca {} issuing\n", name), Needs::manager,
                 [&context, which, how = std::string(method), where = std::string(rest)] {
                   return about_ca(context, *which, how, where);
                 })
        .required("ca", *which, "name or number", "CA");
  }
  const auto checked = std::make_shared<std::string>();
  group
      .command(context, "check", "try whether an authority works", "  cardea ca check issuing\n", Needs::manager,
               [&context, checked] { return check_ca(context, *checked); })
      .required("ca", *checked, "name or number", "CA");
  const auto offers = std::make_shared<std::string>();
  group
      .command(context, "profiles", "list what an authority offers", "  cardea ca profiles issuing\n", Needs::manager,
               [&context, offers] { return list_offers(context, *offers); })
      .required("ca", *offers, "name or number", "CA");
  add_policies(group, context);
}

void add_audit_commands(const Command& root, Context& context) {
  const Command group = root.group("audit", "the manager's audit log");
  const auto search = std::make_shared<AuditOptions>();
  const Command command =
      group.command(context, "search", "search the audit log", "  cardea audit search --action certificate_revoked\n",
                    Needs::manager, [&context, search] { return search_audit(context, *search); });
  command.text("--subject", search->subject, "about what: token:12, person:3 …", "SUBJECT")
      .text("--action", search->action, "which kind of event", "ACTION");
  add_list_options(command, search->list, {"from", "to"});
  group.command(context, "verify", "verify the log's chain and its signed head", "  cardea audit verify\n",
                Needs::manager, [&context] { return verify_audit(context); });
  const auto exported = std::make_shared<AuditOptions>();
  group
      .command(context, "export", "write the log as JSON lines", "  cardea audit export --out audit.jsonl\n",
               Needs::manager, [&context, exported] { return export_audit(context, *exported); })
      .text("--out", exported->out, "where it goes (default: standard output)", "FILE");
}

}  // namespace cardea::cli
