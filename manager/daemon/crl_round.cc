#include "daemon/crl_round.h"

#include <fmt/format.h>

#include "domain/cause.h"
#include "domain/crl_publisher.h"

namespace cardea::manager {

Status CrlRound::work(const Authorities::Local& one) {
  if (!one.own) return one.own.error();
  CARDEA_TRY(current_crl(ports_, *one.own->ca, one.own->id));
  return {};
}

Status CrlRound::run() {
  CARDEA_ASSIGN(const auto authorities, authorities_.all_local());
  std::map<std::string, std::string> found;
  for (const Authorities::Local& one : authorities) {
    if (const Status done = work(one); !done) found[one.name] = cause(done.error());
    if (!one.own) continue;
    if (const Status told = authorities_.announce(*one.own); !told)
      log_.warning("housekeeping failed", {{"what", "authority"}, {"why", cause(told.error())}});
  }
  tell(found);
  return {};
}

void CrlRound::tell(const std::map<std::string, std::string>& found) {
  for (const auto& [name, why] : found) {
    const auto before = told_.find(name);
    if (before != told_.end() && before->second == why) continue;
    log_.warning(fmt::format("an authority does not work, and its CRL will run out: put right what is said here, then "
                             "see 'cardea ca check {}'",
                             name),
                 {{"authority", name}, {"why", why}});
  }
  for (const auto& [name, why] : told_)
    if (!found.contains(name)) log_.info("an authority works again", {{"authority", name}});
  told_ = found;
  failing_.with([&](std::vector<std::string>& names) {
    names.clear();
    for (const auto& [name, why] : found) names.push_back(name);
  });
}

}  // namespace cardea::manager
