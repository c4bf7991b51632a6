#include "domain/renewals.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "domain/certificate_policy.h"
#include "domain/profile.h"
#include "domain/requests.h"

namespace cardea::manager {

namespace {

constexpr std::string_view place_setting = "renewals_place";
constexpr std::size_t largest_page = 1000;

struct Due {
  Id person = 0;
  Id token = 0;
};

/// What a round found, and what was wrong on the way.
struct Round {
  std::vector<Due> due = {};
  std::string before = {};  ///< cursors
  std::string after = {};
  std::optional<Error> failure = {};

  // Whether it goes on with the others. What is wrong with the store is wrong for all of them.
  bool passes(Error problem) {
    const bool about_one = problem.code == Code::action_prohibited || problem.code == Code::arguments_bad ||
                           problem.code == Code::data_invalid || problem.code == Code::not_found ||
                           problem.code == Code::permission_denied;
    if (!failure || !about_one) failure = std::move(problem);
    return about_one;
  }
};

// How far ahead any profile looks: certificates that end later are not even read.
Result<std::chrono::days> longest_window(Transaction& store, Round& round) {
  std::chrono::days longest{0};
  Filter filter;
  filter.limit = largest_page;
  do {
    CARDEA_ASSIGN(const auto page, store.profiles(filter));
    for (const auto& profile : page.items) {
      if (!profile.enabled) continue;
      auto rules = read_profile(profile.document);
      if (!rules && !round.passes(rules.error())) return std::move(rules).error();
      if (rules && rules->automatic_renewal) longest = std::max(longest, std::chrono::days(rules->renewal_window_days));
    }
    filter.cursor = page.cursor;
  } while (!filter.cursor.empty());
  return longest;
}

// Whether the token's profile has its certificates renewed without being asked, and this one's window is open.
Result<bool> is_due(Transaction& store, const Certificate& certificate, const Token& token, Time now) {
  if (token.state != TokenState::issued || !token.profile || !token.person) return false;
  CARDEA_ASSIGN(const Profile profile, store.profile(*token.profile));
  CARDEA_ASSIGN(const ProfileRules rules, read_profile(profile.document));
  CARDEA_ASSIGN(const CertificatePolicy policy, store.policy_by_name(certificate.policy));
  CARDEA_ASSIGN(const PolicyRules policy_rules, read_policy(policy.document));
  return profile.enabled && rules.automatic_renewal && policy_rules.automatic_renewal &&
         *certificate.not_after <= now + std::chrono::days(rules.renewal_window_days);
}

Result<bool> is_asked_for(Transaction& store, Id token) {
  for (const RequestState state : {RequestState::pending, RequestState::approved, RequestState::collecting}) {
    Filter filter;
    filter.token = token;
    filter.kind = "renew";
    filter.state = name(state);
    filter.limit = 1;
    CARDEA_ASSIGN(const auto open, store.requests(filter));
    if (!open.items.empty()) return true;
  }
  return false;
}

Result<bool> wants_renewal(Transaction& store, const Certificate& one, const Round& round, Time now, Token& token) {
  if (!one.token || !one.not_after || *one.not_after <= now) return false;
  if (std::any_of(round.due.begin(), round.due.end(), [&](const Due& due) { return due.token == *one.token; }))
    return false;
  CARDEA_ASSIGN(token, store.token(*one.token));
  CARDEA_ASSIGN(const bool due, is_due(store, one, token, now));
  if (!due) return false;
  CARDEA_ASSIGN(const bool open, is_asked_for(store, token.id));
  return !open;
}

Result<Page<Certificate>> next_page(Transaction& store, Round& round, std::size_t limit, Time now) {
  CARDEA_ASSIGN(const std::chrono::days window, longest_window(store, round));
  CARDEA_ASSIGN(const auto place, store.setting(place_setting));
  round.before = place.value_or("");
  Filter filter;
  filter.state = "active";
  filter.from = now;
  filter.to = now + window + std::chrono::seconds(1);
  filter.limit = std::clamp<std::size_t>(limit, 1, largest_page);
  filter.cursor = round.before;
  auto page = store.certificates(filter);
  // One that an older version wrote differently: from the beginning.
  if (page || page.code() != Code::arguments_bad || filter.cursor.empty()) return page;
  filter.cursor.clear();
  return store.certificates(filter);
}

Status look(Transaction& store, const Ports& ports, std::size_t limit, Round& round) {
  round = Round();
  const Time now = ports.clock.now();
  CARDEA_ASSIGN(const auto page, next_page(store, round, limit, now));
  round.after = page.cursor;
  for (const Certificate& one : page.items) {
    Token token;
    auto wanted = wants_renewal(store, one, round, now, token);
    if (!wanted && !round.passes(wanted.error())) return std::move(wanted).error();
    if (wanted && *wanted) round.due.push_back({*token.person, token.id});
  }
  return {};
}

}  // namespace

Result<std::size_t> request_renewals(const Ports& ports, std::size_t limit) {
  Round round;
  CARDEA_TRY(ports.store.read([&](Transaction& store) { return look(store, ports, limit, round); }));
  std::size_t made = 0;
  for (const Due& due : round.due) {
    NewRequest request;
    request.kind = "renew";
    request.person = due.person;
    request.token = due.token;
    auto created = create_request(ports, manager_actor(), request);
    if (created) ++made;
    // Somebody was faster, or the person is disabled.
    if (created || created.code() == Code::action_prohibited) continue;
    if (!round.passes(created.error())) return std::move(created).error();
  }
  if (round.after != round.before)
    CARDEA_TRY(ports.store.transact([&](Transaction& store) { return store.put_setting(place_setting, round.after); }));
  if (round.failure) return std::move(*round.failure);
  return made;
}

}  // namespace cardea::manager
