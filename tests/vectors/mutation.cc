#include "tests/vectors/mutation.h"

#include <algorithm>
#include <string_view>

#include "engine/source/scheme.h"

namespace weir::vectors {

std::pair<std::string, std::string>* SignatureFieldOf(VectorRow& row) {
  const auto source = SourceOf(row);
  if (!source) return nullptr;
  for (const source::Proof& proof : source->scheme->proofs) {
    for (const source::Location& at : proof.signature.first_of) {
      if (at.from != source::Location::From::kHeader) continue;
      const auto found = std::ranges::find_if(row.headers, [&at](const auto& header) {
        return http::EqualsIgnoreCase(header.first, at.name) ||
               http::EqualsIgnoreCase(header.first, at.name + "-1");
      });
      if (found != row.headers.end()) return &*found;
    }
  }
  return nullptr;
}

std::string MutatedSignature(const std::string& original, std::mt19937_64& random) {
  constexpr std::string_view kAlphabet =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/=-_.,;: ";
  // Inserted between items of a list, a separator would leave the signature as it is.
  constexpr std::string_view kInserted = kAlphabet.substr(0, kAlphabet.find('.'));
  std::string mutated = original;
  switch (random() % 8) {
    case 0:
      mutated.resize(random() % original.size());
      break;
    case 1:
      mutated.insert(random() % original.size(), 1, kInserted[random() % kInserted.size()]);
      break;
    case 2:
      std::swap(mutated[random() % original.size()], mutated[random() % original.size()]);
      break;
    default:
      mutated[random() % original.size()] = kAlphabet[random() % kAlphabet.size()];
      break;
  }
  // Some senders' hex may be of either case.
  const bool same = http::EqualsIgnoreCase(mutated, original);
  return same ? original + kInserted[random() % kInserted.size()] : mutated;
}

MutationCount JudgeMutations(VectorRow row, std::uint64_t count, source::Verifier& verifier,
                             std::mt19937_64& random) {
  MutationCount counted;
  auto* field = SignatureFieldOf(row);
  auto source = SourceOf(row);
  if (field == nullptr || field->second.empty() || !source) return counted;
  std::vector<source::Source> sources;
  sources.push_back(*std::move(source));
  const source::SourceTable table(std::move(sources));  // keyed once, as a server has it
  const std::string original = field->second;
  std::string padded_body;
  for (; counted.tried < count; ++counted.tried) {
    field->second = MutatedSignature(original, random);
    const http::Request request = RequestOf(row, padded_body);
    const auto verdict = verifier.Verify(table.sources().front(), request, row.now_unix * 1'000'000);
    if (!std::holds_alternative<source::Rejected>(verdict)) ++counted.accepted;
  }
  return counted;
}

}  // namespace weir::vectors
