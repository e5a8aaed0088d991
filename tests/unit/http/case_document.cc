#include "tests/unit/http/case_document.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace weir::http {

namespace {

namespace fs = std::filesystem;

std::size_t Number(std::string_view digits, int base) {
  std::size_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [parsed_to, fault] = std::from_chars(digits.begin(), end, value, base);
  if (digits.empty() || fault != std::errc{} || parsed_to != end) {
    throw std::runtime_error("not a number: " + std::string(digits));
  }
  return value;
}

// One escape at the front of `text`, taken off it.
char TakeEscape(std::string_view& text) {
  const char letter = text.size() > 1 ? text[1] : '\0';
  std::size_t length = 2;
  char byte = '\0';
  switch (letter) {
    case 'r':
      byte = '\r';
      break;
    case 'n':
      byte = '\n';
      break;
    case 't':
      byte = '\t';
      break;
    case '0':
      break;
    case '\\':
      byte = '\\';
      break;
    case 'x':
      length = 4;
      byte = static_cast<char>(Number(text.substr(2, 2), 16));
      break;
    default:
      throw std::runtime_error("unknown escape in: " + std::string(text.substr(0, 20)));
  }
  text.remove_prefix(length);
  return byte;
}

std::string TakeRepetition(std::string_view& text) {
  const std::size_t star = text.find('*');
  const std::size_t end = text.find("}}");
  if (star == std::string_view::npos || end == std::string_view::npos || end < star) {
    throw std::runtime_error("not {{N*text}}: " + std::string(text.substr(0, 20)));
  }
  const std::size_t count = Number(text.substr(2, star - 2), 10);
  const std::string unit = Unescape(text.substr(star + 1, end - star - 1));
  text.remove_prefix(end + 2);
  std::string repeated;
  for (std::size_t i = 0; i < count; ++i) repeated += unit;
  return repeated;
}

class DocumentReader {
 public:
  explicit DocumentReader(const fs::path& file) : stem_(file.stem().string()), stream_(file) {}

  std::vector<CaseDocument> ReadAll() {
    for (std::string line; std::getline(stream_, line);) {
      if (line.starts_with("## ")) {
        cases_.push_back({.name = stem_ + "_" + line.substr(3), .bytes = {}, .expect = {}});
      } else if (line == "```http") {
        Current().bytes = Unescape(Block(""));
      } else if (line == "```expect") {
        ReadExpectation();
      }
    }
    for (const CaseDocument& document : cases_) {
      if (!document.expect.contains("status")) throw std::runtime_error(document.name + ": no status");
    }
    return std::move(cases_);
  }

 private:
  CaseDocument& Current() {
    if (cases_.empty()) throw std::runtime_error(stem_ + ": a block before the first case");
    return cases_.back();
  }

  std::string Block(std::string_view line_end) {
    std::string text;
    for (std::string line; std::getline(stream_, line);) {
      if (line == "```") return text;
      text.append(line).append(line_end);
    }
    throw std::runtime_error(stem_ + ": a block without end");
  }

  void ReadExpectation() {
    const std::string block = Block("\n");
    for (std::size_t begin = 0; begin < block.size();) {
      const std::size_t end = block.find('\n', begin);
      const std::string line = block.substr(begin, end - begin);
      const std::size_t colon = line.find(':');
      if (colon == std::string::npos) throw std::runtime_error(stem_ + ": not 'key: value': " + line);
      const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
      Current().expect[line.substr(0, colon)] = line.substr(value);
      begin = end + 1;
    }
  }

  std::string stem_;
  std::ifstream stream_;
  std::vector<CaseDocument> cases_;
};

}  // namespace

std::string Unescape(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (text.starts_with("{{")) {
      bytes += TakeRepetition(text);
    } else if (text.front() == '\\') {
      bytes += TakeEscape(text);
    } else {
      bytes += text.front();
      text.remove_prefix(1);
    }
  }
  return bytes;
}

std::vector<CaseDocument> ReadCaseDocuments(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".md" && entry.path().stem() != "README") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<CaseDocument> documents;
  for (const fs::path& file : files) {
    std::ranges::move(DocumentReader(file).ReadAll(), std::back_inserter(documents));
  }
  return documents;
}

}  // namespace weir::http
