#include <array>
#include <stdexcept>

#include "bench/cases.h"

namespace cardea::bench {

namespace {

struct Case {
  Operation operation;
  const char* id;
  const char* what;
  double target;  // of raw
};

constexpr std::array cases{
    Case{Operation::rsa_sign, "rsa_sign", "RSA-2048 sign", 0.97},
    Case{Operation::rsa_decrypt, "rsa_decrypt", "RSA-2048 decrypt (PKCS#1)", 0.97},
    Case{Operation::ecdsa_sign, "ecdsa_sign", "ECDSA P-256 sign", 0.90},
    Case{Operation::ecdh, "ecdh", "ECDH P-256 derive and destroy", 0.60},
    Case{Operation::rsa_verify, "rsa_verify", "RSA-2048 verify", 0.90},
    Case{Operation::ecdsa_verify, "ecdsa_verify", "ECDSA P-256 verify", 0.90},
    Case{Operation::aes_gcm, "aes_gcm", "AES-256-GCM 16 KiB", 0.85},
};

constexpr double two_threads_target = 1.9;

Row against_raw(const Case& which, Contender& raw, const Modules& modules, const Plan& plan) {
  std::vector<Work> works{raw.work(which.operation)};
  for (ModuleContender* module : modules) works.push_back(module->work(which.operation));
  const Contest contest = compete(works, plan.effort);
  Row row{which.id, which.what, "of raw", contest.ratio[1], which.target};
  for (std::size_t i = 1; i < modules.size(); ++i) row.others[modules[i]->name()] = contest.ratio[i + 1];
  const double own = 1e6 / contest.rate[1], reference = 1e6 / contest.rate[0];
  row.note = std::to_string(own).substr(0, 6) + " µs, raw " + std::to_string(reference).substr(0, 6) + " µs";
  return row;
}

double gain(Contender& contender, Operation operation, const Plan& plan) {
  return gain_of_two_threads(contender.work(operation), contender.work(operation), plan.thread_effort);
}

Row two_threads(const Case& which, Contender& raw, const Modules& modules, const Plan& plan) {
  Row row{std::string(which.id) + "_2_threads", std::string(which.what) + ", 2 threads over 1", "x",
          gain(*modules.front(), which.operation, plan), two_threads_target};
  row.others["raw"] = gain(raw, which.operation, plan);
  for (std::size_t i = 1; i < modules.size(); ++i) {
    row.others[modules[i]->name()] = gain(*modules[i], which.operation, plan);
  }
  return row;
}

}  // namespace

Work work_by_name(Contender& contender, const std::string& name) {
  for (const Case& which : cases) {
    if (name == which.id) return contender.work(which.operation);
  }
  throw std::runtime_error("no case is called " + name);
}

std::vector<Row> operations(Contender& raw, const Modules& modules, const Plan& plan) {
  std::vector<Row> rows;
  for (const Case& which : cases) rows.push_back(against_raw(which, raw, modules, plan));
  for (const Case& which : cases) rows.push_back(two_threads(which, raw, modules, plan));
  return rows;
}

}  // namespace cardea::bench
