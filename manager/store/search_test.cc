// Lists: what a filter finds, page by page, and that an index serves it.
#include <algorithm>
#include <set>

#include "store/rows.h"
#include "store/search.h"
#include "store/testing.h"

namespace cardea::manager::store {
namespace {

/// All pages of a list, with how many items each had.
template <class T>
std::vector<T> all_of(const TestStore& store, Filter filter, Result<Page<T>> (Transaction::*list)(const Filter&)) {
  std::vector<T> out;
  for (int pages = 0; pages < 1000; ++pages) {
    const auto page = store.read<Page<T>>([&](Transaction& t) { return (t.*list)(filter); });
    BOOST_REQUIRE(page.items.size() <= filter.limit);
    out.insert(out.end(), page.items.begin(), page.items.end());
    if (page.cursor.empty()) return out;
    filter.cursor = page.cursor;
  }
  BOOST_FAIL("the list has no end");
  return out;
}

std::vector<std::string> names(const std::vector<Person>& people) {
  std::vector<std::string> out;
  for (const Person& person : people) out.push_back(person.name);
  return out;
}

using Names = std::vector<std::string>;

struct Company : TestStore {
  Company() {
    must(store->transact([&](Transaction& t) -> Status {
      for (int i = 0; i < 25; ++i) {
        Person person = person_named("user" + std::to_string(i));
        person.display_name = i % 2 ? "Bob " + std::to_string(i) : "user B" + std::to_string(i);
        person.email = "B" + std::to_string(i) + "@example.org";
        person.department = i < 10 ? "Sales" : "Lab";
        person.created = at(1000 + i % 5);
        auto added = t.insert(person);
        if (!added) return std::move(added).error();
      }
      return {};
    }));
  }
  std::vector<Person> people(const Filter& filter) const { return all_of<Person>(*this, filter, &Transaction::people); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(lists, Company)

BOOST_AUTO_TEST_CASE(a_text_finds_each_row_once_whatever_column_begins_with_it) {
  for (const std::size_t limit : {1, 2, 7, 1000}) {
    Filter filter;
    filter.limit = limit;
    filter.text = "USER1";
    Names found = names(people(filter));
    BOOST_TEST(found == (Names{"user1", "user10", "user11", "user12", "user13", "user14", "user15", "user16", "user17",
                               "user18", "user19"}),
               boost::test_tools::per_element());
    filter.text = "b";  // display names of the odd, e-mail of all
    BOOST_TEST(people(filter).size() == 25U);
    filter.text = "user";  // the names of all, display names of the even
    found = names(people(filter));
    BOOST_TEST(std::set<std::string>(found.begin(), found.end()).size() == 25U);
    BOOST_TEST(found.size() == 25U);
    filter.text = "nobody";
    BOOST_TEST(people(filter).empty());
  }
}

BOOST_AUTO_TEST_CASE(case_and_composition_of_accents_do_not_matter) {
  add(person_named("Zo\u00CB"));
  Filter filter;
  filter.text = "zoe\u0308";
  BOOST_TEST(people(filter).size() == 1U);
  filter.text = "\u00DF";
  add(person_named("STRASSE"));
  filter.text = "stra\u00DFe";
  BOOST_TEST(people(filter).size() == 1U);
}

BOOST_AUTO_TEST_CASE(signs_that_mean_something_in_patterns_are_only_signs) {
  add(person_named("50%"));
  Filter filter;
  for (const char* const text : {"%", "_", "'", "\\", "?", ":p0"}) {
    filter.text = text;
    BOOST_TEST(people(filter).empty());
  }
  filter.text = "50%";
  BOOST_TEST(people(filter).size() == 1U);
}

BOOST_AUTO_TEST_CASE(times_order_the_list_and_both_ends_are_included) {
  Filter filter;
  filter.limit = 3;
  filter.from = at(1001);
  filter.to = at(1003);
  const std::vector<Person> found = people(filter);
  BOOST_TEST(found.size() == 15U);
  BOOST_TEST(std::is_sorted(found.begin(), found.end(), [](const Person& a, const Person& b) {
    return std::pair(a.created, a.id) < std::pair(b.created, b.id);
  }));
  filter.from.reset();
  BOOST_TEST(people(filter).size() == 20U);
  filter.department = "sALES";
  BOOST_TEST(people(filter).size() == 8U);
  filter.text = "user1";
  BOOST_TEST(people(filter).size() == 1U);
}

BOOST_AUTO_TEST_CASE(without_a_filter_everything_comes_in_the_order_of_ids) {
  Filter filter;
  filter.limit = 4;
  const std::vector<Person> found = people(filter);
  BOOST_TEST(found.size() == 25U);
  for (std::size_t i = 1; i < found.size(); ++i) BOOST_TEST(found[i - 1].id < found[i].id);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused_in_words) {
  const auto refused = [&](const Filter& filter) {
    const Status status = store->read([&](Transaction& t) -> Status {
      auto page = t.people(filter);
      return page ? Status() : page.error();
    });
    BOOST_REQUIRE(!status);
    BOOST_TEST((status.code() == Code::arguments_bad));
    return status.error().detail;
  };
  Filter filter;
  filter.state = "issued";
  BOOST_TEST(refused(filter) == "people cannot be narrowed by state");
  filter = {};
  filter.limit = 0;
  BOOST_TEST(refused(filter) == "a page has 1 to 1000 items");
  filter.limit = 1001;
  BOOST_TEST(refused(filter) == "a page has 1 to 1000 items");
  for (const char* const cursor : {"x", "i", "i1x", "i-1", "n1.5", "t1.zz", "i1.1", "t1.61", "i99999999999999999999"}) {
    filter = {};
    filter.cursor = cursor;
    BOOST_TEST(refused(filter) == "the cursor does not belong to this list");
  }
  filter = {};
  filter.text = "a";
  filter.cursor = "t1.ff";  // no UTF-8
  BOOST_TEST(refused(filter) == "the cursor does not belong to this list");
}

BOOST_AUTO_TEST_CASE(certificates_are_found_by_common_name_serial_number_and_expiry) {
  const Id ca = add(CaRecord{.name = "ca"});
  const Id person = add(person_named("owner"));
  for (int i = 0; i < 20; ++i) {
    Certificate one{.state = i % 4 ? CertificateState::active : CertificateState::revoked, .ca = ca};
    one.serial = "a" + std::to_string(i);
    one.subject = "CN=Carol " + std::to_string(i) + ",O=Example";
    one.not_after = at(5000 + i);
    if (i < 5) one.person = person;
    add(one);
  }
  add(Certificate{.ca = ca, .subject = "O=No serial number yet"});
  add(Certificate{.ca = ca, .subject = "O=Nor here"});
  const auto count = [&](const Filter& filter) {
    return all_of<Certificate>(*this, filter, &Transaction::certificates).size();
  };
  Filter filter;
  filter.limit = 3;
  filter.text = "carol";
  BOOST_TEST(count(filter) == 20U);
  filter.text = "CN=Carol 1";
  BOOST_TEST(count(filter) == 11U);
  filter.text = "A1";
  BOOST_TEST(count(filter) == 11U);
  filter.text = "c";  // "cn=carol …" begins with it twice
  BOOST_TEST(count(filter) == 20U);
  filter.state = "revoked";
  BOOST_TEST(count(filter) == 5U);
  filter.person = person;
  BOOST_TEST(count(filter) == 2U);
  filter = {};
  filter.from = at(5005);
  filter.to = at(5009);
  filter.state = "active";
  BOOST_TEST(count(filter) == 4U);
  filter = {};
  filter.ca = ca;
  BOOST_TEST(count(filter) == 22U);
}

// SQLite says how it will find the rows, before there are any (sqlite.org/eqp.html).
BOOST_AUTO_TEST_CASE(no_list_reads_a_whole_table_or_sorts_what_may_be_many) {
  if (!database.sqlite()) return;
  const auto connection = database.connect();
  const auto plan_of = [&](const Query& query) {
    std::string plan;
    const Kind kinds[] = {Kind::integer, Kind::integer, Kind::integer, Kind::text};
    must(connection->query("EXPLAIN QUERY PLAN " + query.sql, query.parameters, kinds, [&](Row row) -> Status {
      plan += row[3].text + "; ";
      return {};
    }));
    return plan;
  };
  const auto check = [&](const Table& table, const Filter& filter, std::string_view columns, bool few) {
    for (const Query& query : must(queries_of(table, filter, columns, Dialect::sqlite))) {
      const std::string plan = plan_of(query);
      BOOST_TEST_CONTEXT(query.sql << " -> " << plan) {
        BOOST_TEST(plan.find("SEARCH") != plan.npos);
        BOOST_TEST(plan.find("SCAN") == plan.npos);
        // Rows of one serial number are few, as are those of one person, token or request.
        if (!few) BOOST_TEST(plan.find("USE TEMP B-TREE FOR ORDER BY") == plan.npos);
      }
    }
  };
  const auto each = [&](const Table& table, std::string_view columns) {
    const std::vector<std::pair<bool, std::function<void(Filter&)>>> narrowings = {
        {!table.searched.empty(), [](Filter& f) { f.text = "a"; }},
        {true, [](Filter& f) { f.from = at(1), f.to = at(2); }},
        {table.state, [](Filter& f) { f.state = "active"; }},
        {table.kind, [](Filter& f) { f.kind = "issue"; }},
        {!table.ca.empty(), [](Filter& f) { f.ca = 1; }},
        {!table.person.empty(), [](Filter& f) { f.person = 1; }},
        {!table.token.empty(), [](Filter& f) { f.token = 1; }},
        {!table.request.empty(), [](Filter& f) { f.request = 1; }}};
    for (const auto& [first_fits, first] : narrowings) {
      for (const auto& [second_fits, second] : narrowings) {
        if (!first_fits || !second_fits) continue;
        Filter filter;
        first(filter);
        second(filter);
        check(table, filter, columns, filter.person || filter.token || filter.request);
      }
    }
  };
#define CARDEA_ENTITY(Type, singular, plural) each(table_of<Type>(), entity_sql<Type>().columns);
#include "domain/entities.def"
#undef CARDEA_ENTITY

  // Of a state by time only what is listed is read, however many rows of other states lie between.
  Filter expired;
  expired.state = "active";
  expired.to = at(1);
  for (const Query& query : must(queries_of(table_of<Certificate>(), expired, "id", Dialect::sqlite)))
    BOOST_TEST(plan_of(query).find("certificates_state_not_after (state=? AND not_after") != std::string::npos,
               query.sql << " -> " << plan_of(query));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::manager::store
