#include "tests/vectors/mutation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/source/scheme.h"

namespace weir::vectors {
namespace {

using From = source::Location::From;

std::optional<SignaturePlace> Whole(std::string& text) {
  return SignaturePlace{.text = &text, .at = 0, .size = text.size()};
}

std::optional<SignaturePlace> InHeader(VectorRow& row, const source::Location& at, bool numbered) {
  const std::string name = numbered ? at.name + "-1" : at.name;
  const auto found = std::ranges::find_if(
      row.headers, [&name](const auto& header) { return http::EqualsIgnoreCase(header.first, name); });
  return found == row.headers.end() ? std::nullopt : Whole(found->second);
}

// The value of `name=` in a query or a form, as it stands there.
std::optional<SignaturePlace> InPairs(std::string& text, std::size_t from, const std::string& name) {
  const std::string key = name + "=";
  std::size_t at = text.find(key, from);
  while (at != std::string::npos && at != from && text[at - 1] != '&' && text[at - 1] != '?') {
    at = text.find(key, at + 1);
  }
  if (at == std::string::npos) return std::nullopt;
  at += key.size();
  return SignaturePlace{.text = &text, .at = at, .size = std::min(text.find('&', at), text.size()) - at};
}

std::optional<SignaturePlace> InJson(std::string& body, const source::JsonPointer& pointer) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (document.is_discarded()) return std::nullopt;
  const nlohmann::json::json_pointer at(pointer.ToString());
  if (!document.contains(at) || !document.at(at).is_string()) return std::nullopt;
  const auto value = document.at(at).get<std::string>();
  const std::size_t found = body.find("\"" + value + "\"");
  if (value.empty() || found == std::string::npos) return std::nullopt;
  return SignaturePlace{.text = &body, .at = found + 1, .size = value.size()};
}

std::optional<SignaturePlace> PlaceAt(VectorRow& row, const source::Location& at, bool numbered) {
  switch (at.from) {
    case From::kHeader:
      return InHeader(row, at, numbered);
    case From::kQuery:
      return InPairs(row.target, std::min(row.target.find('?'), row.target.size()), at.name);
    case From::kForm:
      return InPairs(row.body, 0, at.name);
    case From::kJson:
      return InJson(row.body, at.pointer);
    case From::kEnvelope:
    case From::kClaim:
    case From::kField:
    case From::kBodySha256:
    case From::kConstant:
      break;
  }
  return std::nullopt;
}

std::string WithoutSeparators(std::string_view text) {
  std::string bare(text);
  std::erase_if(bare, [](char c) { return c == ' ' || c == ',' || c == ';'; });
  return bare;
}

}  // namespace

std::optional<SignaturePlace> SignaturePlaceOf(VectorRow& row) {
  const auto source = SourceOf(row);
  if (!source) return std::nullopt;
  for (const source::Proof& proof : source->scheme->proofs) {
    const bool numbered = proof.signature.repetition == source::Repetition::kNumbered;
    for (const source::Location& at : proof.signature.first_of) {
      const auto place = PlaceAt(row, at, numbered);
      if (place && place->size > 0) return place;
    }
  }
  return std::nullopt;
}

std::string MutatedSignature(std::string_view original, std::mt19937_64& random) {
  constexpr std::string_view kAlphabet =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/=-_.,;: ";
  const auto any_character = [&] { return kAlphabet[random() % kAlphabet.size()]; };
  std::string mutated(original);
  switch (random() % 8) {
    case 0:
      mutated.resize(random() % original.size());
      break;
    case 1:
      mutated.insert(random() % original.size(), 1, any_character());
      break;
    case 2:
      std::swap(mutated[random() % original.size()], mutated[random() % original.size()]);
      break;
    default:
      mutated[random() % original.size()] = any_character();
      break;
  }
  const bool same = http::EqualsIgnoreCase(WithoutSeparators(mutated), WithoutSeparators(original));
  return same ? std::string(original) + 'A' : mutated;
}

MutationCount JudgeMutations(VectorRow row, std::uint64_t count, source::Verifier& verifier,
                             std::mt19937_64& random) {
  MutationCount counted;
  const auto place = SignaturePlaceOf(row);
  auto source = SourceOf(row);
  if (!place || !source) return counted;
  std::vector<source::Source> sources;
  sources.push_back(*std::move(source));
  const source::SourceTable table(std::move(sources));  // keyed once, as a server has it
  std::string padded_body;
  const auto is_accepted = [&] {
    const http::Request request = RequestOf(row, padded_body);
    const auto verdict = verifier.Verify(table.sources().front(), request, row.now_unix * 1'000'000);
    return !std::holds_alternative<source::Rejected>(verdict);
  };
  if (!is_accepted()) return counted;
  const std::string before = place->text->substr(0, place->at);
  const std::string original = place->text->substr(place->at, place->size);
  const std::string after = place->text->substr(place->at + place->size);
  for (; counted.tried < count; ++counted.tried) {
    const std::string mutated = MutatedSignature(original, random);
    place->text->assign(before).append(mutated).append(after);
    if (!is_accepted()) continue;
    ++counted.accepted;
    counted.example = mutated;
  }
  return counted;
}

}  // namespace weir::vectors
