// The same contracts twice: for a terminal, and for docs/providers.md.
#include <string>
#include <string_view>

#include "engine/source/contract.h"
#include "engine/source/kinds.h"
#include "engine/source/scheme.h"

namespace weir::source {
namespace {

// Text in a table's cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_' || c == '`') cell += '\\';
    cell += c;
  }
  return cell;
}

std::string Code(std::string_view text) {
  std::string cell = "`";
  for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell + "`";
}

// What a template looks like is code; everything else is a sentence.
std::string Value(const ContractLine& line) {
  const bool code = line.name == "algorithm" || (line.name == "signed" && line.value.contains('{'));
  return code ? Code(line.value) : Cell(line.value);
}

void AppendOverview(std::string& out) {
  out += "| kind | sender | signed | event id | event type |\n|---|---|---|---|---|\n";
  for (const Kind& kind : Kinds()) {
    const Scheme& scheme = *kind.scheme;
    std::string texts;
    for (const Proof& proof : scheme.proofs) {
      const std::string text = SignedText(proof);
      const std::string shown = text.contains('{') ? Code(text) : Cell(text);
      if (!texts.contains(shown)) texts += (texts.empty() ? "" : "; ") + shown;
    }
    out += "| [" + kind.name + "](#" + kind.name + ") | " + Cell(kind.title) + " | " + texts + " | " +
           Cell(EventIdLine(scheme.event)) + " | " + Cell(EventTypeLine(scheme.event)) + " |\n";
  }
}

void AppendKind(std::string& out, const Kind& kind) {
  out += "\n### " + kind.name + "\n\n" + kind.title + "\n";
  for (const ContractPart& part : ContractOf(kind)) {
    out += "\n";
    if (!part.title.empty()) out += "Proof: " + part.title + "\n\n";
    out += "| | |\n|---|---|\n";
    for (const ContractLine& line : part.lines) out += "| " + line.name + " | " + Value(line) + " |\n";
  }
}

}  // namespace

std::string DescribeKind(const Kind& kind) {
  constexpr std::size_t kColumn = 14;
  std::string out = kind.title + "  (kind = \"" + kind.name + "\")\n";
  const auto parts = ContractOf(kind);
  for (const ContractPart& part : parts) {
    if (!part.title.empty()) out += "\n" + part.title + "\n";
    if (part.title.empty() && parts.size() > 1) out += "\n";
    for (const ContractLine& line : part.lines) {
      out.append("  ").append(line.name);
      out.append(line.name.size() < kColumn ? kColumn - line.name.size() : 1, ' ');
      out.append(line.value).append("\n");
    }
  }
  return out;
}

std::string KindsMarkdown() {
  std::string out;
  AppendOverview(out);
  for (const Kind& kind : Kinds()) AppendKind(out, kind);
  return out;
}

}  // namespace weir::source
