// Reads tests/cases/http and tests/cases/answers (their README.md say what the documents look like). For the parsers'
// tests and the fuzzers' seeds.
#pragma once

#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

struct CaseDocument {
  std::string name;  // file_case
  std::string bytes;
  std::map<std::string, std::string> expect;

  friend void PrintTo(const CaseDocument& document, std::ostream* out) { *out << document.name; }
};

// Throws std::runtime_error naming the place where a document is not well formed.
std::vector<CaseDocument> ReadCaseDocuments(const std::filesystem::path& directory);

// Bytes as the documents write them.
std::string Unescape(std::string_view text);

}  // namespace weir::http
