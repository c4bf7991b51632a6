// People.
#include <boost/json.hpp>

#include "domain/people.h"
#include "http/listing.h"
#include "http/route.h"

namespace cardea::http {
namespace {

using manager::Person;
using manager::Right;
using manager::Transaction;

constexpr std::size_t longest_name = 256;
constexpr std::size_t most_attributes = 64;
constexpr std::size_t longest_attribute = 1024;

// Members that are absent keep their value.
void read_person(JsonReader& reader, Person& person, bool is_new) {
  if (is_new) {
    person.name = reader.required_string("name", longest_name);
  } else if (auto name = reader.optional_string("name", longest_name)) {
    person.name = std::move(*name);
  }
  if (auto text = reader.optional_string("display_name", longest_name)) person.display_name = std::move(*text);
  if (auto text = reader.optional_string("email", longest_name)) person.email = std::move(*text);
  if (auto text = reader.optional_string("department", longest_name)) person.department = std::move(*text);
  if (reader.has("attributes")) {
    person.attributes.clear();
    for (auto& [key, value] : reader.string_map("attributes", most_attributes, longest_attribute))
      person.attributes[key] = std::move(value);
  }
  if (const auto enabled = reader.optional_bool("enabled")) person.enabled = *enabled;
}

}  // namespace

Result<HttpResponse> list_persons(RequestContext& context) {
  return list_rows<Person>(context, Right::person_read, &Transaction::people);
}

Result<HttpResponse> show_person(RequestContext& context) {
  return show_row<Person>(context, Right::person_read, &Transaction::person);
}

Result<HttpResponse> create_person(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  JsonReader reader(body, context.errors);
  Person person;
  read_person(reader, person, true);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Person saved, manager::save_person(context.ports(), context.actor(), person));
  return created("/v1/persons/" + std::to_string(saved.id), shape(saved));
}

Result<HttpResponse> change_person(RequestContext& context) {
  CARDEA_ASSIGN(const auto body, context.body());
  CARDEA_ASSIGN(Person person, find_row<Person>(context, Right::person_write, &Transaction::person));
  CARDEA_TRY(context.if_match(shape(person)));
  JsonReader reader(body, context.errors);
  read_person(reader, person, false);
  CARDEA_TRY(reader.done());
  CARDEA_ASSIGN(const Person saved, manager::save_person(context.ports(), context.actor(), person));
  return entity_answer(shape(saved));
}

}  // namespace cardea::http
