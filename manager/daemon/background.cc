#include "daemon/background.h"

#include "domain/crl_publisher.h"
#include "domain/housekeeping.h"
#include "domain/journal.h"

namespace cardea::manager {
namespace {

// How soon a job that the interface made is begun.
constexpr std::chrono::milliseconds job_interval{500};
// After a failure, so that a database that is gone is not asked all the time.
constexpr std::chrono::seconds after_failure{5};

}  // namespace

Background::Background(System& system, Log& log, std::chrono::seconds housekeeping)
    : system_(system), log_(log), interval_(housekeeping) {
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
  log_.warning("housekeeping failed", {{"what", std::string(what)}, {"why", describe(problem)}});
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
  if (const auto done = manager::keep_house(ports); !done) {
    note("expiry, renewals, audit head", done.error());
  } else if (done->clock_set_back) {
    log_.warning(
        "the clock is behind a time that was seen already; nothing expires and nothing is renewed until it is "
        "right");
  }
  const auto authorities = system_.authorities().all_local();
  if (!authorities) return note("authorities", authorities.error());
  for (const http::OwnCa& own : *authorities) {
    if (const Status told = system_.authorities().announce(own); !told) note("authority", told.error());
    if (const auto crl = current_crl(ports, *own.ca, own.id); !crl) note("CRL", crl.error());
  }
}

}  // namespace cardea::manager
