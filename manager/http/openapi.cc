#include "http/openapi.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <set>

#include "http/problem.h"
#include "http/route.h"

namespace cardea::http {
namespace {

namespace json = boost::json;

// Assembled by CMake from operations.json.
constexpr std::string_view operations_text =
#include "operations.inc"
    ;

const json::object& operations_json() {
  static const json::object& parsed = *new json::object(json::parse(operations_text).get_object());
  return parsed;
}

const json::object* operation_of(const Route& route) {
  const json::value* found = operations_json().at("operations").get_object().if_contains(route.operation);
  return found == nullptr ? nullptr : found->if_object();
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::object reference(std::string_view schema) {
  return {{"$ref", fmt::format("#/components/schemas/{}", schema)}};
}

json::object content(std::string_view type, json::object schema) {
  return {{"content", json::object{{type, json::object{{"schema", std::move(schema)}}}}}};
}

json::object list_schema(std::string_view item) {
  const json::object cursor{{"anyOf", json::array{json::object{{"type", "string"}}, json::object{{"type", "null"}}}}};
  return {{"type", "object"},
          {"properties",
           json::object{{"items", json::object{{"type", "array"}, {"items", reference(item)}}}, {"next", cursor}}},
          {"required", json::array{"items"}}};
}

json::object parameter(std::string_view name, std::string_view in, json::object schema, std::string_view what) {
  json::object made{{"name", name}, {"in", in}, {"schema", std::move(schema)}};
  if (in == "path") made["required"] = true;
  if (!what.empty()) made["description"] = what;
  return made;
}

// "/v1/persons/{id}" has one; "{request...}" is written without dots here.
json::array path_parameters(std::string_view pattern) {
  json::array list;
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    std::string_view name = pattern.substr(open + 1, pattern.find('}', open) - open - 1);
    if (name.ends_with("...")) name.remove_suffix(3);
    const bool number = name == "id";
    list.push_back(parameter(name, "path", {{"type", number ? "integer" : "string"}}, ""));
  }
  return list;
}

void add_list_parameters(json::array& list) {
  constexpr std::pair<std::string_view, std::string_view> filters[] = {
      {"q", "Text that names, serial numbers and the like begin with"},
      {"state", "Only rows in this state"},
      {"kind", "Only rows of this kind"},
      {"person", "Only rows of this person (id)"},
      {"token", "Only rows of this token (id)"},
      {"ca", "Only rows of this certification authority (id)"},
      {"request", "Only rows of this request (id)"},
      {"from", "Not before this time; of certificates: when they expire"},
      {"to", "Not after this time"},
      {"cursor", "'next' of the page before"}};
  for (const auto& [name, what] : filters) list.push_back(parameter(name, "query", {{"type", "string"}}, what));
  list.push_back(parameter("limit", "query", {{"type", "integer"}, {"minimum", 1}, {"maximum", 1000}},
                           "Rows of a page; 50 unless told"));
}

json::object answers_of(const json::object& operation) {
  json::object answers;
  const auto described = [](json::object made, std::string_view what) {
    made["description"] = what;
    return made;
  };
  if (const auto schema = text_member(operation, "answer"); !schema.empty())
    answers["200"] = described(content("application/json", reference(schema)), "Done");
  if (const auto schema = text_member(operation, "created"); !schema.empty())
    answers["201"] = described(content("application/json", reference(schema)), "Made");
  for (const std::string_view list : {"list", "items"}) {
    if (const auto schema = text_member(operation, list); !schema.empty())
      answers["200"] = described(content("application/json", list_schema(schema)), "A list");
  }
  if (const auto type = text_member(operation, "content_type"); !type.empty())
    answers["200"] = described(content(type, {}), "The document");
  if (operation.contains("empty")) answers["204"] = json::object{{"description", "Done"}};
  answers["default"] = described(content("application/problem+json", reference("Problem")), "A problem (RFC 9457)");
  return answers;
}

json::object describe_route(const Route& route, const json::object& operation) {
  json::object made{{"operationId", route.operation}, {"summary", route.summary}, {"x-access", route.access}};
  json::array parameters = path_parameters(route.pattern);
  if (operation.contains("list")) add_list_parameters(parameters);
  if (const json::value* query = operation.if_contains("query")) {
    for (const json::value& name : query->get_array())
      parameters.push_back(parameter(name.get_string(), "query", {{"type", "string"}}, ""));
  }
  const bool logged_on = route.access == "anyone" || route.needs_right();
  if (logged_on && route.method == Method::post)
    parameters.push_back(parameter("Idempotency-Key", "header", {{"type", "string"}, {"maxLength", 128}},
                                   "A request with the same key and content is carried out once"));
  if (route.method == Method::patch)
    parameters.push_back(parameter("If-Match", "header", {{"type", "string"}}, "The ETag of what is to be changed"));
  if (!parameters.empty()) made["parameters"] = std::move(parameters);
  if (const auto schema = text_member(operation, "body"); !schema.empty())
    made["requestBody"] = content("application/json", reference(schema));
  if (const auto type = text_member(operation, "body_type"); !type.empty()) made["requestBody"] = content(type, {});
  made["responses"] = answers_of(operation);
  json::array security;
  if (logged_on) {
    security.push_back(json::object{{"certificate", json::array{}}});
    security.push_back(json::object{{"access_token", json::array{}}});
  } else if (route.access == "agent") {
    security.push_back(json::object{{"access_token", json::array{}}});
  }
  made["security"] = std::move(security);
  return made;
}

std::string documented_path(std::string_view pattern) {
  std::string path(pattern);
  if (const auto dots = path.find("...}"); dots != std::string::npos) path.erase(dots, 3);
  return path;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& letter : out) letter = static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter);
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += letter;
    }
  }
  return out;
}

void collect_references(const json::value& value, std::set<std::string>& found) {
  if (const json::object* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      constexpr std::string_view prefix = "#/components/schemas/";
      if (key == "$ref" && member.is_string() && std::string_view(member.get_string()).starts_with(prefix))
        found.emplace(std::string_view(member.get_string()).substr(prefix.size()));
      collect_references(member, found);
    }
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) collect_references(item, found);
  }
}

std::string schema_section(const json::object& schemas) {
  std::string out = "<h2>Schemas</h2>\n";
  for (const auto& [name, schema] : schemas)
    out += fmt::format("<details id=\"{0}\"><summary><code>{0}</code></summary><pre>{1}</pre></details>\n",
                       escaped(name), escaped(json::serialize(schema)));
  return out;
}

std::string schema_link(const json::object& operation) {
  std::string out;
  for (const std::string_view member : {"body", "answer", "created", "list", "items"}) {
    const std::string schema = text_member(operation, member);
    if (!schema.empty()) out += fmt::format(" {} <a href=\"#{}\">{}</a>", member, escaped(schema), escaped(schema));
  }
  return out;
}

}  // namespace

json::object openapi_document() {
  json::object paths;
  for (const Route& route : routes()) {
    const json::object* operation = operation_of(route);
    if (operation == nullptr) continue;
    json::value& path = paths[documented_path(route.pattern)];
    if (!path.is_object()) path = json::object{};
    path.get_object()[lower(name(route.method))] = describe_route(route, *operation);
  }
  const json::object schemes{
      {"certificate", json::object{{"type", "mutualTLS"}, {"description", "An operator's certificate"}}},
      {"access_token", json::object{{"type", "http"}, {"scheme", "bearer"}}}};
  return {{"openapi", "3.1.0"},
          {"info", json::object{{"title", "Cardea manager"},
                                {"version", "1"},
                                {"description", "Credentials on tokens: issued, kept through their lives, recovered."},
                                {"license", json::object{{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
          {"paths", std::move(paths)},
          {"components", json::object{{"schemas", operations_json().at("schemas")}, {"securitySchemes", schemes}}}};
}

std::vector<std::string> openapi_mismatches() {
  std::vector<std::string> wrong;
  std::set<std::string> of_routes;
  for (const Route& route : routes()) {
    of_routes.emplace(route.operation);
    if (operation_of(route) == nullptr)
      wrong.push_back(fmt::format("{} is in routes.def and not in operations.json", route.operation));
  }
  for (const auto& [name, operation] : operations_json().at("operations").get_object()) {
    if (!of_routes.contains(std::string(name)))
      wrong.push_back(fmt::format("{} is in operations.json and not in routes.def", std::string_view(name)));
  }
  std::set<std::string> used;
  const json::object document = openapi_document();
  collect_references(document, used);
  const json::object& schemas = operations_json().at("schemas").get_object();
  for (const std::string& schema : used) {
    if (!schemas.contains(schema)) wrong.push_back(fmt::format("the schema {} is used and missing", schema));
  }
  for (const auto& [name, schema] : schemas) {
    if (!used.contains(std::string(name)))
      wrong.push_back(fmt::format("the schema {} is of no use", std::string_view(name)));
  }
  return wrong;
}

std::string openapi_page() {
  std::string page =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Cardea manager: interface</title><style>"
      "body{font:16px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em}"
      "td,th{padding:.2em .8em .2em 0;text-align:left;vertical-align:top}pre{white-space:pre-wrap}"
      "code{font-size:95%}</style></head><body><h1>Cardea manager: interface</h1>"
      "<p>Version 1. The same for programs: <a href=\"/v1/openapi.json\">/v1/openapi.json</a>. Problems are answered "
      "as "
      "RFC 9457 says.</p><table><tr><th>Method</th><th>Path</th><th>What it does</th><th>Access</th><th>Content</th>"
      "</tr>\n";
  for (const Route& route : routes()) {
    const json::object* operation = operation_of(route);
    page += fmt::format("<tr><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                        name(route.method), escaped(documented_path(route.pattern)), escaped(route.summary),
                        escaped(route.access), operation == nullptr ? std::string() : schema_link(*operation));
  }
  page += "</table>\n" + schema_section(operations_json().at("schemas").get_object());
  page += "<h2>Problems</h2><table><tr><th>Type</th><th>Status</th><th>Meaning</th></tr>\n";
  for (const Problem kind : {
#define PROBLEM(name, status, title) Problem::name,
#include "http/problems.def"
#undef PROBLEM
       })
    page += fmt::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>\n", type_uri(kind), status(kind),
                        escaped(title(kind)));
  return page + "</table></body></html>\n";
}

Result<HttpResponse> show_openapi(RequestContext&) {
  return json_answer(openapi_document());
}

Result<HttpResponse> show_docs(RequestContext&) {
  HttpResponse response;
  response.content_type = "text/html; charset=utf-8";
  response.body = openapi_page();
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  return response;
}

}  // namespace cardea::http
