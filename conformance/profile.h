// Runs the test cases of "PKCS#11 Profiles Version 3.2" (OASIS): XML files of calls and expected responses.
#pragma once

#include <string>
#include <vector>

#include "conformance/check.h"

namespace cardea::conformance {

/// The test cases of a path: the file itself, or every *.xml of a folder in the order of names.
std::vector<std::string> profile_files(const std::string& path);

/// Runs one test case in a child process; a finding for each call, "profile/<file>/<number> <function>".
std::vector<Finding> run_profile(const std::string& file, const Target& target, int seconds);

/// Creates what the test cases expect to find on the token and has not got yet: an RSA-2048 pair labelled testrsa-pub
/// and testrsa-pri, and five certificates that anyone can read. Findings as "prepare/…".
std::vector<Finding> prepare_token(const Target& target, int seconds);

}  // namespace cardea::conformance
