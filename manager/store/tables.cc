#include "store/tables.h"

namespace cardea::manager::store {
namespace {

constexpr Searched name_only[] = {{"name_key"}};
constexpr Searched of_person[] = {{"name_key"}, {"display_name_key"}, {"email_key"}};
constexpr Searched of_token[] = {{"serial_key"}, {"label_key"}};
// Nobody thinks of a person's certificates as beginning with "CN=".
constexpr Searched of_certificate[] = {{"subject_key"}, {"subject_key", "cn="}, {"serial"}};

constexpr std::string_view persons_department = "person IN (SELECT id FROM people WHERE department_key = ?)";

constexpr Table people{
    .name = "people", .what = "people", .searched = of_person, .person = "id = ?", .department = "department_key = ?"};
constexpr Table tokens{.name = "tokens",
                       .what = "tokens",
                       .searched = of_token,
                       .state = true,
                       .kind = true,
                       .person = "person = ?",
                       .token = "id = ?",
                       .department = persons_department};
constexpr Table profiles{.name = "profiles", .what = "profiles", .searched = name_only};
constexpr Table requests{.name = "requests",
                         .what = "requests",
                         .state = true,
                         .kind = true,
                         .person = "person = ?",
                         .token = "token = ?",
                         .request = "id = ?",
                         .department = persons_department};
constexpr Table jobs{.name = "jobs",
                     .what = "jobs",
                     .state = true,
                     .kind = true,
                     .person = "request IN (SELECT id FROM requests WHERE person = ?)",
                     .token = "token = ?",
                     .request = "request = ?",
                     .department =
                         "request IN (SELECT id FROM requests WHERE person IN (SELECT id FROM people WHERE "
                         "department_key = ?))"};
constexpr Table certificates{.name = "certificates",
                             .what = "certificates",
                             .searched = of_certificate,
                             .time = "not_after",
                             .state = true,
                             .state_by_time = true,
                             .person = "person = ?",
                             .token = "token = ?",
                             .ca = "ca = ?",
                             .department = persons_department};
constexpr Table archived_keys{
    .name = "archived_keys", .what = "archived keys", .person = "person = ?", .department = persons_department};
constexpr Table cas{.name = "cas", .what = "certification authorities", .searched = name_only, .ca = "id = ?"};
constexpr Table policies{.name = "policies", .what = "certificate policies", .searched = name_only, .ca = "ca = ?"};
constexpr Table operators{.name = "operators",
                          .what = "operators",
                          .searched = name_only,
                          .person = "person = ?",
                          .department = persons_department};
constexpr Table access_tokens{.name = "access_tokens", .what = "access tokens", .searched = name_only};

}  // namespace

#define CARDEA_ENTITY(Type, singular, plural) \
  template <>                                 \
  const Table& table_of<Type>() {             \
    return plural;                            \
  }
#include "domain/entities.def"
#undef CARDEA_ENTITY

}  // namespace cardea::manager::store
