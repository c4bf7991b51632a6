// Plug-ins that break the rules: what they do must stay theirs.
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "pcsc/memory_channel.h"
#include "plugin/plugin_card.h"
#include "plugin/plugins.h"

namespace cardea::card::plugin {
namespace {

using Context = cardea_plugin_context*;
constexpr CallLimits short_limits{std::chrono::milliseconds(100), std::chrono::milliseconds(100)};

const cardea_plugin_host* host = nullptr;  // of the last acquire_context
cardea_plugin_connection* connection = nullptr;

cardea_plugin_status acquire(const cardea_plugin_host* given, cardea_plugin_connection* its, cardea_plugin_match* match,
                             Context* context) {
  host = given;
  connection = its;
  *match = CARDEA_PLUGIN_MATCH_POSSIBLE;
  *context = reinterpret_cast<Context>(match);  // any address but null; nobody looks behind it
  return CARDEA_PLUGIN_OK;
}

// The simplest plug-in that keeps the rules.
cardea_plugin obedient() {
  cardea_plugin table{};
  table.size = sizeof table;
  table.abi_version = CARDEA_PLUGIN_ABI_VERSION;
  table.name = "rogue";
  table.version = "1";
  table.acquire_context = acquire;
  table.delete_context = [](Context) {};
  table.select = [](Context) -> cardea_plugin_status { return CARDEA_PLUGIN_OK; };
  table.query_capabilities = [](Context, cardea_plugin_capabilities* out) -> cardea_plugin_status {
    out->rsa_decrypt = 1u << CARDEA_PLUGIN_PADDING_PKCS1;
    return CARDEA_PLUGIN_OK;
  };
  table.query_free_space = [](Context, cardea_plugin_free_space*) -> cardea_plugin_status { return CARDEA_PLUGIN_OK; };
  table.get_property = [](Context, cardea_plugin_property, std::uint8_t* out, std::size_t* size) {
    out[0] = 'x';
    *size = 1;
    return cardea_plugin_status{CARDEA_PLUGIN_OK};
  };
  table.read_file = [](Context, const char*, const char*, std::uint8_t*, std::size_t*) {
    return cardea_plugin_status{CARDEA_PLUGIN_NOT_FOUND};
  };
  table.enumerate_files = [](Context, const char*, char*, std::size_t* size) {
    *size = 0;
    return cardea_plugin_status{CARDEA_PLUGIN_OK};
  };
  table.get_container_info = [](Context, std::uint32_t, cardea_plugin_container_info*) {
    return cardea_plugin_status{CARDEA_PLUGIN_NOT_FOUND};
  };
  table.get_public_key = [](Context, std::uint32_t, std::uint8_t*, std::size_t*) {
    return cardea_plugin_status{CARDEA_PLUGIN_NOT_FOUND};
  };
  table.authenticate_pin = [](Context, cardea_plugin_role, const std::uint8_t*, std::size_t, std::int32_t*) {
    return cardea_plugin_status{CARDEA_PLUGIN_OK};
  };
  table.sign = [](Context, std::uint32_t, const cardea_plugin_operation*, std::uint8_t*, std::size_t*) {
    return cardea_plugin_status{CARDEA_PLUGIN_NOT_SUPPORTED};
  };
  return table;
}

struct Rig {
  explicit Rig(const cardea_plugin& table) {
    auto begun = CardTransaction::begin(channel);
    BOOST_REQUIRE(begun.ok());
    transaction.emplace(std::move(*begun));
    auto plugin = check_table(&table, "rogue.so");
    BOOST_REQUIRE(plugin.ok());
    auto recognition = recognise(*transaction, {*plugin}, short_limits);
    BOOST_REQUIRE(recognition.ok());
    module = std::move(recognition->module);
  }

  std::shared_ptr<MemoryChannel> channel =
      std::make_shared<MemoryChannel>(Bytes{0x3b, 0x00}, ApduLimits{}, [](ByteView) {
        return Result<Bytes>(Bytes{1, 2, 3, 0x90, 0x00});
      });
  std::optional<CardTransaction> transaction;
  std::unique_ptr<CardModule> module;
};

// Holds a plug-in's call until the test lets go.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  int passed = 0;

  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return open; });
    ++passed;
    changed.notify_all();
  }
  void release(int waiters) {
    std::unique_lock lock(mutex);
    open = true;
    changed.notify_all();
    changed.wait(lock, [&] { return passed >= waiters; });
  }
};
Gate* gate = nullptr;

BOOST_AUTO_TEST_SUITE(rogue_plugins)

BOOST_AUTO_TEST_CASE(tables_are_checked) {
  BOOST_TEST((check_table(nullptr, "x").code() == Code::function_not_supported));
  cardea_plugin table = obedient();
  BOOST_TEST(check_table(&table, "x").ok());
  table.abi_version = (CARDEA_PLUGIN_ABI_MAJOR + 1) << 16;
  BOOST_TEST((check_table(&table, "x").code() == Code::function_not_supported));
  table = obedient();
  table.size = 64;
  BOOST_TEST((check_table(&table, "x").code() == Code::data_invalid));
  table = obedient();
  table.sign = nullptr;
  BOOST_TEST((check_table(&table, "x").code() == Code::data_invalid));
  table = obedient();
  table.name = nullptr;
  BOOST_TEST((check_table(&table, "x").code() == Code::data_invalid));
  table = obedient();
  table.name = "\x1b[2Jlong \xff name that goes on and on and on and on and on and on and on";
  const auto plugin = check_table(&table, "x");
  BOOST_REQUIRE(plugin.ok());
  BOOST_TEST(plugin->name.size() == 64u);
  BOOST_TEST(plugin->name.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_newer_minor_version_is_read_as_far_as_it_is_known) {
  struct Newer {
    cardea_plugin known;
    void* more[4];
  } newer{obedient(), {}};
  newer.known.size = sizeof newer;
  newer.known.abi_version = CARDEA_PLUGIN_ABI_VERSION + 1;
  BOOST_TEST(check_table(&newer.known, "x").ok());
}

BOOST_AUTO_TEST_CASE(what_is_left_out_is_not_supported) {
  Rig rig(obedient());
  BOOST_REQUIRE(rig.module != nullptr);
  CardAdministrator& administrator = *rig.module->administrator();
  const Pin pin(view_of("1234"));
  BOOST_TEST(
      (rig.module->change_pin(*rig.transaction, PinRole::user, pin, pin).code() == Code::function_not_supported));
  BOOST_TEST((rig.module->unblock(*rig.transaction, pin, pin).code() == Code::function_not_supported));
  BOOST_TEST(!rig.module->deauthenticate(*rig.transaction));
  BOOST_TEST((administrator.challenge(*rig.transaction).code() == Code::function_not_supported));
  BOOST_TEST((administrator.answer_challenge(*rig.transaction, {}).code() == Code::function_not_supported));
  BOOST_TEST((administrator.authenticate(*rig.transaction, SecretBytes(24)).code() == Code::function_not_supported));
  BOOST_TEST((administrator.set_key(*rig.transaction, SecretBytes(24)).code() == Code::function_not_supported));
  BOOST_TEST(
      (administrator.write_file(*rig.transaction, {.name = "a"}, Bytes(1)).code() == Code::function_not_supported));
  BOOST_TEST((administrator.generate(*rig.transaction, {}, {}).code() == Code::function_not_supported));
}

BOOST_AUTO_TEST_CASE(exceptions_stay_inside) {
  cardea_plugin table = obedient();
  table.get_property = [](Context, cardea_plugin_property, std::uint8_t*, std::size_t*) -> cardea_plugin_status {
    throw std::runtime_error("out of a plug-in");
  };
  table.delete_context = [](Context) { throw 1; };
  Rig rig(table);
  BOOST_REQUIRE(rig.module != nullptr);
  BOOST_TEST((rig.module->describe(*rig.transaction).code() == Code::device_error));
  BOOST_TEST(rig.module->select(*rig.transaction).ok());
  rig.module.reset();
}

BOOST_AUTO_TEST_CASE(writing_beyond_the_buffer_shows) {
  cardea_plugin table = obedient();
  table.get_property = [](Context, cardea_plugin_property, std::uint8_t* out, std::size_t* size) {
    out[*size] = 0;  // one too far
    return cardea_plugin_status{CARDEA_PLUGIN_OK};
  };
  Rig rig(table);
  BOOST_TEST((rig.module->describe(*rig.transaction).code() == Code::device_error));
}

BOOST_AUTO_TEST_CASE(claiming_more_than_there_is_shows) {
  cardea_plugin table = obedient();
  table.get_property = [](Context, cardea_plugin_property, std::uint8_t*, std::size_t* size) {
    ++*size;
    return cardea_plugin_status{CARDEA_PLUGIN_OK};
  };
  Rig rig(table);
  BOOST_TEST((rig.module->describe(*rig.transaction).code() == Code::device_error));
}

BOOST_AUTO_TEST_CASE(a_buffer_never_large_enough_ends) {
  cardea_plugin table = obedient();
  table.get_property = [](Context, cardea_plugin_property, std::uint8_t*, std::size_t* size) {
    *size += 100;
    return cardea_plugin_status{CARDEA_PLUGIN_BUFFER_TOO_SMALL};
  };
  table.read_file = [](Context, const char*, const char*, std::uint8_t*, std::size_t* size) {
    *size = static_cast<std::size_t>(-1);
    return cardea_plugin_status{CARDEA_PLUGIN_BUFFER_TOO_SMALL};
  };
  Rig rig(table);
  BOOST_TEST((rig.module->describe(*rig.transaction).code() == Code::device_error));
  BOOST_TEST((rig.module->places(*rig.transaction).code() == Code::device_error));
}

BOOST_AUTO_TEST_CASE(lists_without_an_end_are_refused) {
  cardea_plugin table = obedient();
  table.enumerate_files = [](Context, const char*, char* out, std::size_t* size) {
    std::memcpy(out, "abc", 3);
    *size = 3;
    return cardea_plugin_status{CARDEA_PLUGIN_OK};
  };
  Rig rig(table);
  BOOST_TEST((rig.module->files(*rig.transaction).code() == Code::data_invalid));
}

BOOST_AUTO_TEST_CASE(a_million_containers_are_not_shown) {
  cardea_plugin table = obedient();
  table.query_free_space = [](Context, cardea_plugin_free_space* space) {
    space->containers_max = 1'000'000;
    return cardea_plugin_status{CARDEA_PLUGIN_OK};
  };
  Rig rig(table);
  const auto places = rig.module->places(*rig.transaction);
  BOOST_REQUIRE(places.ok());
  BOOST_TEST(places->size() == 256u);
}

BOOST_AUTO_TEST_CASE(a_match_without_a_context_is_none) {
  cardea_plugin table = obedient();
  table.acquire_context = [](const cardea_plugin_host*, cardea_plugin_connection*, cardea_plugin_match* match,
                             Context* context) -> cardea_plugin_status {
    *match = CARDEA_PLUGIN_MATCH_CERTAIN;
    *context = nullptr;
    return CARDEA_PLUGIN_OK;
  };
  Rig rig(table);
  BOOST_TEST((rig.module == nullptr));
}

BOOST_AUTO_TEST_CASE(the_last_line_of_a_failure_is_shown_without_control_characters) {
  cardea_plugin table = obedient();
  table.select = [](Context) -> cardea_plugin_status {
    host->log(connection, CARDEA_PLUGIN_LOG_ERROR, "no\x1b[31m luck");
    return CARDEA_PLUGIN_CARD_ERROR;
  };
  Rig rig(table);
  const Status failed = rig.module->select(*rig.transaction);
  BOOST_REQUIRE(!failed.ok());
  BOOST_TEST(failed.error().detail.find("rogue: no [31m luck") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_host_checks_what_it_is_asked) {
  cardea_plugin table = obedient();
  table.select = [](Context) -> cardea_plugin_status {
    std::uint8_t answer[2];
    std::size_t size = sizeof answer;
    std::uint16_t word = 0;
    cardea_plugin_command command{};
    command.size = sizeof command;
    command.expects_data = 1;
    BOOST_TEST(host->transmit(connection, nullptr, answer, &size, &word) == CARDEA_PLUGIN_INVALID_ARGUMENT);
    BOOST_TEST(host->transmit(nullptr, &command, answer, &size, &word) == CARDEA_PLUGIN_INVALID_ARGUMENT);
    BOOST_TEST(host->transmit(connection, &command, nullptr, &size, &word) == CARDEA_PLUGIN_INVALID_ARGUMENT);
    BOOST_TEST(host->transmit(connection, &command, answer, &size, &word) == CARDEA_PLUGIN_BUFFER_TOO_SMALL);
    BOOST_TEST(size == 3u);
    command.data_size = 5;
    BOOST_TEST(host->transmit(connection, &command, answer, &size, &word) == CARDEA_PLUGIN_INVALID_ARGUMENT);
    command.data_size = 0;
    command.size = 4;
    BOOST_TEST(host->transmit(connection, &command, answer, &size, &word) == CARDEA_PLUGIN_INVALID_ARGUMENT);
    size = sizeof answer;
    BOOST_TEST(host->atr(connection, answer, &size) == CARDEA_PLUGIN_OK);
    BOOST_TEST(size == 2u);
    host->wipe(answer, sizeof answer);
    BOOST_TEST(answer[0] == 0);
    host->wipe(nullptr, 10);
    return CARDEA_PLUGIN_OK;
  };
  Rig rig(table);
  BOOST_TEST(rig.module->select(*rig.transaction).ok());
  // Outside a call there is no card to talk to.
  std::size_t size = 0;
  std::uint16_t word = 0;
  cardea_plugin_command command{};
  command.size = sizeof command;
  BOOST_TEST(host->transmit(connection, &command, nullptr, &size, &word) == CARDEA_PLUGIN_CARD_REMOVED);
}

BOOST_AUTO_TEST_CASE(a_call_that_hangs_costs_its_card_only) {
  Gate held;
  gate = &held;
  cardea_plugin table = obedient();
  table.authenticate_pin = [](Context, cardea_plugin_role, const std::uint8_t*, std::size_t, std::int32_t*) {
    gate->wait();
    std::size_t size = 0;
    std::uint16_t word = 0;
    cardea_plugin_command command{};
    command.size = sizeof command;
    BOOST_TEST(host->transmit(connection, &command, nullptr, &size, &word) == CARDEA_PLUGIN_CARD_REMOVED);
    gate->wait();
    return cardea_plugin_status{CARDEA_PLUGIN_OK};
  };
  Rig rig(table);
  BOOST_TEST((rig.module->verify(*rig.transaction, PinRole::user, Pin(view_of("1234"))).code() == Code::timed_out));
  BOOST_TEST((rig.module->select(*rig.transaction).code() == Code::timed_out));
  const std::size_t before = rig.channel->exchanges();
  rig.module.reset();
  held.release(2);
  BOOST_TEST(rig.channel->exchanges() == before);
  Rig again(obedient());
  BOOST_TEST(again.module->select(*again.transaction).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace cardea::card::plugin
