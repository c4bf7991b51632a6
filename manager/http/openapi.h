// The description of the interface (OpenAPI 3.1), made of routes.def and operations.json.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace cardea::http {

/// The whole document.
boost::json::object openapi_document();

/// What does not fit between routes.def and operations.json: operations of one without the other, schemas that nobody
/// uses or that are missing. Empty when all is well; a test sees to that.
std::vector<std::string> openapi_mismatches();

/// A page that shows the document, without scripts and without anything from elsewhere.
std::string openapi_page();

}  // namespace cardea::http
