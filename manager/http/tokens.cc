// Tokens: the stock and what has become of it.
#include <boost/json.hpp>
#include <limits>

#include "domain/offline_unblock.h"
#include "domain/people.h"
#include "http/listing.h"
#include "http/route.h"

namespace cardea::http {
namespace {

using manager::Right;
using manager::Token;
using manager::Transaction;

constexpr std::size_t longest_text = 256;
constexpr std::size_t longest_challenge = 512;

void read_stock(JsonReader& reader, Token& token) {
  if (auto text = reader.optional_string("label", longest_text)) token.label = std::move(*text);
  if (auto text = reader.optional_string("location", longest_text)) token.location = std::move(*text);
  if (auto text = reader.optional_string("card_type", longest_text)) token.card_type = std::move(*text);
}

}  // namespace

Result<HttpResponse> list_tokens(RequestContext& context) {
  return list_rows<Token>(context, Right::token_read, &Transaction::tokens);
}

Result<HttpResponse> show_token(RequestContext& context) {
  return show_row<Token>(context, Right::token_read, &Transaction::token);
}

Result<HttpResponse> register_token(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  Token token;
  token.kind = reader.required_string("kind", 64);
  token.serial = reader.required_string("serial", longest_text);
  token.person = reader.optional_number("person", 1, std::numeric_limits<manager::Id>::max());
  read_stock(reader, token);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Token saved, manager::register_token(context.ports(), context.actor(), token));
  return created("/v1/tokens/" + std::to_string(saved.id), shape(saved));
}

Result<HttpResponse> change_token(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  CARDEA_ASSIGN(Token token, find_row<Token>(context, Right::token_write, &Transaction::token));
  CARDEA_TRY(context.if_match(shape(token)));
  JsonReader reader(body, context.errors);
  read_stock(reader, token);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Token saved, manager::change_token(context.ports(), context.actor(), token));
  return entity_answer(shape(saved));
}

Result<HttpResponse> restock_token(RequestContext& context) {
  CARDEA_ASSIGN(const manager::Id id, context.id_part("id"));
  CARDEA_ASSIGN(const auto body, context.body());
  CARDEA_TRY(JsonReader(body, context.errors).done());
  CARDEA_ASSIGN(const Token saved, manager::restock_token(context.ports(), context.actor(), id));
  return entity_answer(shape(saved));
}

Result<HttpResponse> unblock_token_offline(RequestContext& context) {
  CARDEA_ASSIGN(const manager::Id id, context.id_part("id"));
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  const std::string challenge = reader.optional_string("challenge", longest_challenge).value_or("");
  const std::string algorithm =
      reader.optional_word("algorithm", {"3des", "aes128", "aes192", "aes256", "hmac-sha256"}).value_or("");
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const manager::OfflineAnswer answer,
                manager::unblock_offline(context.ports(), context.actor(), id, challenge, algorithm));
  context.shows_secret = true;
  return json_answer({{"answer", boost::json::string(text_of(answer.text.view()))},
                      {"is_puk", answer.is_puk},
                      {"rotate", answer.rotate ? boost::json::value(*answer.rotate) : boost::json::value()}});
}

}  // namespace cardea::http
