// A kind's contract as titled lines, in the order in which a person asks: what proves a request, where its id
// and type come from, what is answered, how the sender behaves, what nobody has confirmed.
//
// Internal to engine/source: describe.cc prints them.
#pragma once

#include <string>
#include <vector>

#include "engine/source/kinds.h"
#include "engine/source/scheme.h"

namespace weir::source {

struct ContractLine {
  std::string name;  // "event id"
  std::string value;
};

struct ContractPart {
  std::string title;  // a proof's name where there are several; empty otherwise
  std::vector<ContractLine> lines;
};

std::vector<ContractPart> ContractOf(const Kind& kind);

// One line each, for an overview. `SignedText` is the template of the first proof, or what stands for it.
std::string SignatureLine(const Proof& proof);
std::string SignedText(const Proof& proof);
std::string EventIdLine(const EventRules& event);
std::string EventTypeLine(const EventRules& event);

}  // namespace weir::source
