#include "daemon/background.h"

#include "daemon/ca_certificates.h"
#include "daemon/self_renewal.h"
#include "domain/cause.h"
#include "domain/housekeeping.h"
#include "domain/journal.h"

namespace cardea::manager {
namespace {

// How soon a job that the interface made is begun.
constexpr std::chrono::milliseconds job_interval{500};
// After a failure, so that a database that is gone is not asked all the time.
constexpr std::chrono::seconds after_failure{5};
// Between two looks at the manager's own certificates: each has a third of its time left when it is renewed.
constexpr std::chrono::hours renewal_interval{1};

}  // namespace

Background::Background(System& system, Log& log, LiveServer& server, std::chrono::seconds housekeeping)
    : system_(system),
      log_(log),
      server_(server),
      interval_(housekeeping),
      crls_(system.ports(), system.authorities(), log, system.services().failing_authorities) {
  threads_.emplace_back([this] { work_off_jobs(); });
  threads_.emplace_back([this] { keep_house(); });
}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Background::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !stop_changed_.wait_for(lock, time, [this] { return stop_; });
}

void Background::note(std::string_view what, const Error& problem) {
  log_.warning("housekeeping failed", {{"what", std::string(what)}, {"why", cause(problem)}});
}

void Background::work_off_jobs() {
  std::chrono::milliseconds pause(0);
  while (wait(pause)) {
    const auto ran = run_one_job(system_.ports());
    if (!ran) {
      note("jobs", ran.error());
      pause = after_failure;
    } else {
      pause = *ran ? std::chrono::milliseconds(0) : job_interval;
    }
  }
}

void Background::keep_house() {
  do {
    one_round();
  } while (wait(interval_));
}

void Background::one_round() {
  const Ports& ports = system_.ports();
  bool clock_is_right = false;
  if (const auto done = manager::keep_house(ports); !done) {
    note("clock", done.error());
  } else {
    if (done->failure) note("expiry, renewals, audit head", *done->failure);
    clock_is_right = done->clock_behind.count() == 0;
    system_.services().clock_behind = done->clock_behind.count();
    if (!clock_is_right)
      log_.warning(
          "the clock is behind a time that was seen already; nothing expires and nothing is renewed until it is "
          "right",
          {{"seconds", std::to_string(done->clock_behind.count())}});
  }
  if (clock_is_right && std::chrono::steady_clock::now() >= next_renewal_) {
    next_renewal_ = std::chrono::steady_clock::now() + renewal_interval;
    renew_own_certificates();
  }
  if (const Status done = crls_.run(); !done) note("authorities", done.error());
}

void Background::renew_own_certificates() {
  renew_authorities();
  if (const auto renewed = renew_ocsp_signers(system_.ports(), system_.connector_parts()); !renewed) {
    note("OCSP signers", renewed.error());
  } else {
    for (const std::string& name : *renewed) log_.info("OCSP signer renewed", {{"authority", name}});
  }
  if (const auto destroyed = destroy_former_signers(system_.ports()); !destroyed)
    note("keys of former OCSP signers", destroyed.error());
  renew_server_certificate();
}

void Background::renew_authorities() {
  if (const auto recorded = record_ca_certificates(system_.ports()); !recorded) {
    note("records of authorities' certificates", recorded.error());
  } else {
    for (const std::string& name : *recorded)
      log_.info("an authority's certificate was recorded at its issuer", {{"authority", name}});
  }
  if (const auto renewed = manager::renew_authorities(system_.ports(), system_.connector_parts()); !renewed) {
    note("authorities", renewed.error());
  } else {
    for (const std::string& name : *renewed) log_.info("an authority's certificate was renewed", {{"authority", name}});
  }
  if (const auto ending = ending_authorities(system_.ports()); !ending) {
    note("authorities", ending.error());
  } else {
    for (const EndingAuthority& one : *ending)
      log_.warning("an authority's certificate ends soon: " + one.advice, {{"authority", one.name}});
  }
}

void Background::renew_server_certificate() {
  const auto done = manager::renew_server_certificate(system_.ports(), server_.certificate_file(), server_.key_file());
  if (!done) return note("the server's certificate", done.error());
  if (*done == ServerCertificate::not_issued)
    log_.warning("the server's certificate ends soon and is not one of ours: renew it, then reload",
                 {{"file", server_.certificate_file().string()}});
  if (*done != ServerCertificate::renewed) return;
  if (const Status taken = server_.take_files(); !taken) return note("the server's new certificate", taken.error());
  log_.info("the server's certificate was renewed", {{"file", server_.certificate_file().string()}});
}

}  // namespace cardea::manager
