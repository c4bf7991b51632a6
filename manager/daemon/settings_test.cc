#include "daemon/settings.h"

#include <boost/test/unit_test.hpp>
#include <sstream>

using cardea::manager::DaemonSettings;
using cardea::manager::default_settings_text;
using cardea::manager::parse_settings;

namespace {

std::string mistake_in(std::string_view text) {
  const auto parsed = parse_settings(text, "/etc/cardea/manager.toml");
  BOOST_REQUIRE(!parsed);
  return parsed.error().detail;
}

// The default file with every setting that is a comment switched on.
std::string with_all_settings(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const auto equals = line.find(" = ");
    const bool setting = line.starts_with("# ") && equals != std::string::npos &&
                         line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 2) == equals;
    out += (setting ? line.substr(2) : line) + "\n";
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_empty_file_means_the_defaults) {
  const auto parsed = parse_settings("", "/etc/cardea/manager.toml");
  BOOST_REQUIRE(parsed.ok());
  BOOST_TEST(parsed->database == "sqlite:/var/lib/cardea-manager/manager.db");
  BOOST_TEST(parsed->server.port == 8443);
  BOOST_TEST(parsed->server.plain);
  BOOST_TEST(!parsed->name.empty());
}

BOOST_AUTO_TEST_CASE(the_printed_default_says_what_is_the_default) {
  const std::string text = default_settings_text("/var/lib/cardea-manager");
  const auto plain = parse_settings(text, "/x/manager.toml");
  const auto all = parse_settings(with_all_settings(text), "/x/manager.toml");
  BOOST_REQUIRE_MESSAGE(plain.ok(), (plain.ok() ? "" : plain.error().detail));
  BOOST_REQUIRE_MESSAGE(all.ok(), (all.ok() ? "" : all.error().detail));
  BOOST_TEST(with_all_settings(text) != text);
  BOOST_TEST(all->database == plain->database);
  BOOST_TEST(all->server.certificate_file == plain->server.certificate_file);
  BOOST_TEST(all->server.address == plain->server.address);
  BOOST_TEST(all->server.port == plain->server.port);
  BOOST_TEST(all->server.limits.connections == plain->server.limits.connections);
  BOOST_TEST(all->server.limits.device_sessions == plain->server.limits.device_sessions);
  BOOST_TEST((all->server.limits.header == plain->server.limits.header));
  BOOST_TEST((all->drain == plain->drain));
  BOOST_TEST((all->housekeeping == plain->housekeeping));
  BOOST_TEST(all->keys.pin_source == plain->keys.pin_source);
  BOOST_TEST(all->log.file_bytes == plain->log.file_bytes);
  BOOST_TEST(all->public_url == plain->public_url);
  BOOST_TEST((all->piv_roots == plain->piv_roots));
}

BOOST_AUTO_TEST_CASE(mistakes_name_their_line) {
  BOOST_TEST(mistake_in("[server]\nport = \"x\"\n") ==
             "/etc/cardea/manager.toml, line 2: 'port' must be a whole number from 0 to 65535");
  BOOST_TEST(mistake_in("[server]\n\nprot = 1\n") ==
             "/etc/cardea/manager.toml, line 3: 'prot' is not known in [server]");
  BOOST_TEST(mistake_in("[sever]\n").find("'sever' is no section") != std::string::npos);
  BOOST_TEST(mistake_in("server = 1\n").find("[server] must be a table") != std::string::npos);
  BOOST_TEST(mistake_in("[log]\nlevel = \"loud\"\n").find("must be one of \"debug\"") != std::string::npos);
  BOOST_TEST(mistake_in("[published]\nurl = \"https://x\"\n").find("must begin with http://") != std::string::npos);
  BOOST_TEST(mistake_in("[server\n").find("line 1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(paths_count_from_the_file) {
  const auto parsed = parse_settings(
      "[manager]\ndata_directory = \"data\"\n[server]\nkey = \"/k\"\nclient_cas = [\"a\", \"/b\"]\n", "/x/m.toml");
  BOOST_REQUIRE(parsed.ok());
  BOOST_TEST(parsed->data_directory == "/x/data");
  BOOST_TEST(parsed->server.key_file == "/k");
  BOOST_REQUIRE(parsed->client_ca_files.size() == 2U);
  BOOST_TEST(parsed->client_ca_files[0] == "/x/a");
  BOOST_TEST(parsed->client_ca_files[1] == "/b");
  const auto roots = parse_settings("[attestation]\npiv_roots = [\"a\"]\ntpm_roots = [\"/b\", \"c\"]\n", "/x/m.toml");
  BOOST_REQUIRE(roots.ok());
  BOOST_TEST((roots->piv_roots == std::vector<std::filesystem::path>{"/x/a"}));
  BOOST_TEST((roots->tpm_roots == std::vector<std::filesystem::path>{"/b", "/x/c"}));
}

BOOST_AUTO_TEST_CASE(how_long_a_session_lasts_is_a_setting) {
  const auto usual = parse_settings("", "/x/m.toml");
  const auto parsed = parse_settings("[agents]\nsession_seconds = 900\n", "/x/m.toml");
  BOOST_REQUIRE((usual.ok() && parsed.ok()));
  BOOST_TEST((usual->session_lasts == std::chrono::hours(24)));
  BOOST_TEST((parsed->session_lasts == std::chrono::minutes(15)));
  BOOST_TEST((sections_for_restart(*usual, *parsed) == std::vector<std::string_view>{"agents"}));
  BOOST_TEST(mistake_in("[agents]\nsession_seconds = 899\n").find("from 900 to 2592000") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(limits_of_attempts_are_settings) {
  const auto usual = parse_settings("", "/x/m.toml");
  BOOST_REQUIRE(usual.ok());
  BOOST_TEST((usual->wrong_codes == cardea::http::AttemptLimit::usual &&
              usual->refused_contacts == cardea::http::AttemptLimit::usual));
  const auto parsed = parse_settings(
      "[agents]\nwrong_codes_of_one = 2\nwrong_codes_of_all = 3\nwrong_codes_seconds = 4\n"
      "refused_contacts_of_one = 5\nrefused_contacts_of_all = 6\nrefused_contacts_seconds = 7\n",
      "/x/m.toml");
  BOOST_REQUIRE(parsed.ok());
  BOOST_TEST((parsed->wrong_codes == cardea::http::AttemptLimit::Bounds{2, 3, std::chrono::seconds(4)}));
  BOOST_TEST((parsed->refused_contacts == cardea::http::AttemptLimit::Bounds{5, 6, std::chrono::seconds(7)}));
  BOOST_TEST((sections_for_restart(*usual, *parsed) == std::vector<std::string_view>{"agents"}));
  BOOST_TEST(mistake_in("[agents]\nwrong_codes_of_one = 0\n").find("from 1 to 100000") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_reload_names_what_takes_a_restart) {
  const auto running = parse_settings("", "/etc/cardea/manager.toml");
  const auto same = parse_settings("[server]\ncertificate = \"x.pem\"\nkey = \"x.key\"\ntrust_own_cas = false\n",
                                   "/etc/cardea/manager.toml");
  BOOST_REQUIRE((running.ok() && same.ok()));
  BOOST_TEST(sections_for_restart(*running, *same).empty());
  const auto other = parse_settings(
      "[manager]\nhousekeeping_seconds = 5\n[server]\nport = 1\n[published]\nport = 2\n[agents]\nmax_sessions = 3\n"
      "[database]\nreaders = 4\n[keys]\ntoken = \"t\"\n[attestation]\npiv_roots = [\"r.pem\"]\n"
      "[log]\nlevel = \"debug\"\n",
      "/etc/cardea/manager.toml");
  BOOST_REQUIRE(other.ok());
  const std::vector<std::string_view> all = {"manager",  "server", "published",   "agents",
                                             "database", "keys",   "attestation", "log"};
  BOOST_TEST((sections_for_restart(*running, *other) == all));
}
