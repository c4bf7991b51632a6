// Members that are kept as JSON text: documents, lists, maps, approvals, steps.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/model.h"

namespace cardea::manager::store {

std::string write_document(const json::object& document);
std::string write_document(const std::map<std::string, std::string>& texts);
std::string write_document(const std::vector<std::string>& texts);
std::string write_document(const std::vector<Approval>& approvals);
std::string write_document(const std::vector<Step>& steps);

/// The inverses; store_corrupt when the text is not what write_document makes.
Status read_document(std::string_view text, json::object& document);
Status read_document(std::string_view text, std::map<std::string, std::string>& texts);
Status read_document(std::string_view text, std::vector<std::string>& texts);
Status read_document(std::string_view text, std::vector<Approval>& approvals);
Status read_document(std::string_view text, std::vector<Step>& steps);

}  // namespace cardea::manager::store
