#include "store/documents.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace cardea::manager::store {
namespace {

constexpr std::array<std::string_view, 5> step_states = {"planned", "running", "done", "failed", "undone"};

Error damaged() {
  return error(Code::store_corrupt, "a document in the database is not in the form it was written in");
}

std::int64_t seconds(Time time) {
  return time.time_since_epoch().count();
}

Time time_of(std::int64_t seconds) {
  return Time(std::chrono::seconds(seconds));
}

json::value write_one(const Approval& approval) {
  return json::object{{"operator", approval.operator_id}, {"at", seconds(approval.at)}, {"comment", approval.comment}};
}

json::value write_one(const Step& step) {
  json::object out{{"index", step.index},
                   {"kind", step.kind},
                   {"state", step_states[static_cast<std::size_t>(step.state)]},
                   {"parameters", step.parameters},
                   {"result", step.result},
                   {"problem", step.problem},
                   {"attempts", step.attempts}};
  if (step.started) out["started"] = seconds(*step.started);
  if (step.finished) out["finished"] = seconds(*step.finished);
  return out;
}

json::value write_one(const std::string& text) {
  return json::string(text);
}

template <class T>
std::string write_list(const std::vector<T>& list) {
  json::array out;
  out.reserve(list.size());
  for (const T& one : list) out.push_back(write_one(one));
  return json::serialize(out);
}

/// The members of an object, each of which must be there in the right type.
class Members {
 public:
  explicit Members(const json::value& value) : object_(value.if_object()) {}

  bool text(std::string_view name, std::string& out) {
    const json::value* const member = find(name);
    if (!member || !member->is_string()) return false;
    out = std::string(member->get_string());
    return true;
  }
  template <class Integer>
  bool number(std::string_view name, Integer& out) {
    const json::value* const member = find(name);
    if (!member || !member->is_int64()) return false;
    out = static_cast<Integer>(member->get_int64());
    return true;
  }
  bool time(std::string_view name, Time& out) {
    std::int64_t number_of = 0;
    if (!number(name, number_of)) return false;
    out = time_of(number_of);
    return true;
  }
  bool time(std::string_view name, std::optional<Time>& out) {
    out.reset();
    if (!find(name)) return true;
    return time(name, out.emplace());
  }
  bool object(std::string_view name, json::object& out) {
    const json::value* const member = find(name);
    if (!member || !member->is_object()) return false;
    out = member->get_object();
    return true;
  }

 private:
  const json::value* find(std::string_view name) const { return object_ ? object_->if_contains(name) : nullptr; }
  const json::object* object_;
};

bool read_one(const json::value& value, Approval& approval) {
  Members members(value);
  return members.number("operator", approval.operator_id) && members.time("at", approval.at) &&
         members.text("comment", approval.comment);
}

bool read_one(const json::value& value, Step& step) {
  Members members(value);
  std::string state;
  if (!members.number("index", step.index) || !members.text("kind", step.kind) || !members.text("state", state) ||
      !members.object("parameters", step.parameters) || !members.object("result", step.result) ||
      !members.text("problem", step.problem) || !members.number("attempts", step.attempts) ||
      !members.time("started", step.started) || !members.time("finished", step.finished))
    return false;
  for (std::size_t i = 0; i < step_states.size(); ++i) {
    if (step_states[i] != state) continue;
    step.state = static_cast<StepState>(i);
    return true;
  }
  return false;
}

bool read_one(const json::value& value, std::string& text) {
  if (!value.is_string()) return false;
  text = std::string(value.get_string());
  return true;
}

template <class T>
Status read_list(std::string_view text, std::vector<T>& list) {
  boost::system::error_code problem;
  const json::value value = json::parse(text, problem);
  if (problem || !value.is_array()) return damaged();
  list.clear();
  for (const json::value& one : value.get_array())
    if (!read_one(one, list.emplace_back())) return damaged();
  return {};
}

}  // namespace

std::string write_document(const json::object& document) {
  return json::serialize(document);
}
std::string write_document(const std::map<std::string, std::string>& texts) {
  json::object out;
  for (const auto& [name, value] : texts) out[name] = value;
  return json::serialize(out);
}
std::string write_document(const std::vector<std::string>& texts) {
  return write_list(texts);
}
std::string write_document(const std::vector<Approval>& approvals) {
  return write_list(approvals);
}
std::string write_document(const std::vector<Step>& steps) {
  return write_list(steps);
}

Status read_document(std::string_view text, json::object& document) {
  boost::system::error_code problem;
  json::value value = json::parse(text, problem);
  if (problem || !value.is_object()) return damaged();
  document = std::move(value.get_object());
  return {};
}
Status read_document(std::string_view text, std::map<std::string, std::string>& texts) {
  json::object object;
  CARDEA_TRY(read_document(text, object));
  texts.clear();
  for (const auto& [name, value] : object)
    if (!read_one(value, texts[std::string(name)])) return damaged();
  return {};
}
Status read_document(std::string_view text, std::vector<std::string>& texts) {
  return read_list(text, texts);
}
Status read_document(std::string_view text, std::vector<Approval>& approvals) {
  return read_list(text, approvals);
}
Status read_document(std::string_view text, std::vector<Step>& steps) {
  return read_list(text, steps);
}

}  // namespace cardea::manager::store
