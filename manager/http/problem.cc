#include "http/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace cardea::http {
namespace {

struct Entry {
  std::string_view name;
  unsigned status;
  std::string_view title;
};

constexpr Entry entries[] = {
#define PROBLEM(name, status, title) {#name, status, title},
#include "http/problems.def"
#undef PROBLEM
};

const Entry& entry(Problem kind) {
  return entries[static_cast<std::size_t>(kind)];
}

// "the PIN is wrong" as a sentence.
std::string sentence(std::string text) {
  if (text.empty()) return text;
  if (text.front() >= 'a' && text.front() <= 'z') text.front() = static_cast<char>(text.front() - 'a' + 'A');
  if (!text.ends_with('.') && !text.ends_with('?')) text += '.';
  return text;
}

}  // namespace

unsigned status(Problem kind) {
  return entry(kind).status;
}

std::string_view title(Problem kind) {
  return entry(kind).title;
}

std::string type_uri(Problem kind) {
  std::string uri = "urn:cardea:problem:";
  for (const char letter : entry(kind).name) uri += letter == '_' ? '-' : letter;
  return uri;
}

HttpResponse problem(Problem kind, std::string_view detail, const std::vector<FieldError>& errors) {
  boost::json::object body{{"type", type_uri(kind)}, {"title", title(kind)}, {"status", status(kind)}};
  if (!detail.empty()) body["detail"] = sentence(std::string(detail));
  if (!errors.empty()) {
    boost::json::array list;
    for (const FieldError& one : errors)
      list.push_back(boost::json::object{{"pointer", one.pointer}, {"detail", one.detail}});
    body["errors"] = std::move(list);
  }
  HttpResponse response;
  response.status = status(kind);
  response.content_type = "application/problem+json";
  response.body = boost::json::serialize(body);
  return response;
}

Problem problem_of(Code code) {
  switch (code) {
    case Code::arguments_bad:
    case Code::data_invalid:
    case Code::data_length:
    case Code::attribute_type_invalid:
    case Code::attribute_value_invalid:
    case Code::template_incomplete:
    case Code::template_inconsistent:
    case Code::signature_invalid:
    case Code::signature_length:
    case Code::encrypted_data_invalid:
    case Code::encrypted_data_length:
    case Code::aead_decrypt_failed:
    case Code::mechanism_param_invalid:
    case Code::key_type_inconsistent:
    case Code::key_size_range:
    case Code::key_not_needed:
    case Code::key_needed:
    case Code::key_indigestible:
    case Code::wrapped_key_invalid:
    case Code::wrapped_key_length:
    case Code::public_key_invalid:
    case Code::domain_params_invalid:
    case Code::pin_invalid:
    case Code::pin_length:
    case Code::pin_too_weak:
    case Code::token_not_recognized:
    case Code::user_type_invalid:
      return Problem::invalid_content;

    case Code::permission_denied:
    case Code::function_rejected:
    case Code::information_sensitive:
    case Code::attribute_sensitive:
    case Code::key_function_not_permitted:
    case Code::key_not_wrappable:
    case Code::key_unextractable:
      return Problem::not_permitted;

    case Code::user_not_logged_in:
      return Problem::not_authenticated;

    // One-time codes are the only PINs that reach this interface.
    case Code::pin_incorrect:
      return Problem::code_wrong;
    case Code::pin_locked:
      return Problem::code_locked;
    case Code::pin_expired:
      return Problem::code_expired;
    case Code::session_exists:
      return Problem::code_used;

    case Code::key_changed:
      return Problem::precondition_failed;

    case Code::not_found:
    case Code::no_event:
    case Code::slot_invalid:
    case Code::session_invalid:
    case Code::key_handle_invalid:
    case Code::object_handle_invalid:
    case Code::wrapping_key_handle_invalid:
    case Code::unwrapping_key_handle_invalid:
      return Problem::not_found;

    case Code::exists:
    case Code::already_initialized:
      return Problem::already_exists;

    case Code::attribute_read_only:
    case Code::operation_active:
    case Code::operation_not_initialized:
    case Code::operation_cancel_failed:
    case Code::function_canceled:
    case Code::function_failed:
    case Code::action_prohibited:
    case Code::session_read_only:
    case Code::session_read_only_exists:
    case Code::session_read_write_so_exists:
    case Code::user_already_logged_in:
    case Code::user_another_logged_in:
    case Code::user_pin_not_initialized:
    case Code::saved_state_invalid:
    case Code::state_unsaveable:
    case Code::token_write_protected:
      return Problem::conflict;

    case Code::function_not_supported:
    case Code::function_not_parallel:
    case Code::session_parallel_not_supported:
    case Code::mechanism_invalid:
    case Code::curve_not_supported:
    case Code::random_seed_not_supported:
    case Code::wrapping_key_size_range:
    case Code::wrapping_key_type_inconsistent:
    case Code::unwrapping_key_size_range:
    case Code::unwrapping_key_type_inconsistent:
      return Problem::not_supported;

    case Code::token_absent:
    case Code::device_error:
    case Code::device_memory:
    case Code::device_removed:
    case Code::timed_out:
    case Code::session_count:
    case Code::host_memory:
    case Code::store_corrupt:
    case Code::store_newer:
    case Code::not_initialized:
      return Problem::unavailable;

    case Code::internal:
    case Code::locking_impossible:
    case Code::need_to_create_threads:
    case Code::buffer_too_small:
      return Problem::internal_error;
  }
  return Problem::internal_error;
}

HttpResponse problem(const Error& error, std::string_view request_id) {
  const Problem kind = problem_of(error.code);
  if (kind == Problem::internal_error || kind == Problem::unavailable) {
    HttpResponse response = problem(
        kind, fmt::format("{}. Try again in a while; if it stays, the server's log has the cause under request {}.",
                          kind == Problem::unavailable ? "The server cannot do its work at the moment"
                                                       : "The request met a failure inside the server",
                          request_id));
    if (kind == Problem::unavailable) response.headers.emplace_back("Retry-After", "10");
    return response;
  }
  return problem(kind, error.detail.empty() ? std::string(words(error.code)) : error.detail);
}

}  // namespace cardea::http
