// Reads tests/cases/http (its README.md says what the documents look like). For the parser's test and the
// fuzzers' seeds.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

struct CaseDocument {
  std::string name;  // file_case
  std::string bytes;
  std::map<std::string, std::string> expect;
};

// Throws std::runtime_error naming the place where a document is not well formed.
std::vector<CaseDocument> ReadCaseDocuments(const std::filesystem::path& directory);

// Bytes as the documents write them.
std::string Unescape(std::string_view text);

}  // namespace weir::http
