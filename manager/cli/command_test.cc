#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/test/unit_test.hpp>

namespace cardea::cli {
namespace {

struct Program {
  Program() : root(app) {
    const Command group = root.group("thing", "things");
    const Command make = group.command(context, "make", "makes one", "  x thing make\n", Needs::officer,
                                       [this] { return Status(++runs > 0 ? Status() : Status(Code::internal)); });
    make.required("name", name, "its name", "NAME")
        .text("--in,--input", in, "input", "FILE")
        .choice("--format", format, "form", "FORM", {"hex", "raw"})
        .list("--san", names, "names", "NAME")
        .number("--count", count, "how many", 1, 10)
        .flag("--yes", yes, "do not ask");
  }
  bool accepts(std::vector<std::string> arguments) {
    std::ranges::reverse(arguments);  // as CLI11 wants them
    try {
      app.parse(std::move(arguments));
      return true;
    } catch (const CLI::ParseError&) {
      return false;
    }
  }

  CLI::App app;
  Context context;
  Command root;
  int runs = 0;
  std::string name;
  std::string in;
  std::string format = "hex";
  std::vector<std::string> names;
  std::size_t count = 3;
  bool yes = false;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(command)

BOOST_AUTO_TEST_CASE(every_kind_of_argument_reaches_its_variable) {
  Program program;
  BOOST_REQUIRE(program.accepts({"thing", "make", "mail", "--input", "file", "--format=raw", "--san", "a", "--san", "b",
                                 "--count", "10", "--yes", "--json", "--token", "demo", "--pin-stdin"}));
  BOOST_TEST(program.name == "mail");
  BOOST_TEST(program.in == "file");
  BOOST_TEST(program.format == "raw");
  BOOST_TEST(program.names == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
  BOOST_TEST(program.count == 10U);
  BOOST_TEST(program.yes);
  BOOST_TEST(program.context.options.json);
  BOOST_TEST(program.context.options.token == "demo");
  BOOST_TEST(program.context.options.pin_stdin);
  BOOST_REQUIRE(program.context.action);
  BOOST_TEST(program.context.action().ok());
  BOOST_TEST(program.runs == 1);
}

BOOST_AUTO_TEST_CASE(parsing_alone_runs_nothing) {
  Program program;
  BOOST_REQUIRE(program.accepts({"thing", "make", "mail"}));
  BOOST_TEST(program.runs == 0);
  BOOST_TEST(program.count == 3U);
}

BOOST_AUTO_TEST_CASE(what_is_not_foreseen_is_refused) {
  const std::vector<std::vector<std::string>> refused{{"thing"},
                                                      {"nothing"},
                                                      {"thing", "make"},
                                                      {"thing", "make", "a", "b"},
                                                      {"thing", "make", "a", "--nosuch"},
                                                      {"thing", "make", "a", "--count", "0"},
                                                      {"thing", "make", "a", "--count", "11"},
                                                      {"thing", "make", "a", "--count", "-1"},
                                                      {"thing", "make", "a", "--count", "many"},
                                                      {"thing", "make", "a", "--format", "der"},
                                                      {"thing", "make", "a", "--pin", "1234"},
                                                      {"thing", "make", "a", "--input"},
                                                      {"thing", "make", ""},
                                                      {"thing", "make", "a", "--input", ""},
                                                      {"thing", "make", "a", "--input="},
                                                      {"thing", "make", "a", "--san", "b", "--san", ""}};
  for (const auto& arguments : refused) {
    Program program;
    BOOST_TEST(!program.accepts(arguments), arguments.back());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cardea::cli
