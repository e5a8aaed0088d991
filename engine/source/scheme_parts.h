// The parts of a scheme in TOML, one reader a part. For scheme_toml.cc; includes toml++ by way of
// toml_fields.h.
#pragma once

#include "engine/source/scheme.h"
#include "engine/source/toml_fields.h"

namespace weir::source {

// algorithm, signature, key, timestamp, signed, require, jwt, code. Reads from `fields`, which may hold
// further keys.
Proof ReadProof(TomlFields& fields);

// { x-version = "2", x-topic = "*" }: header fields and what they have to be, "*" for anything.
std::vector<FieldRule> ReadHeaderRules(TomlFields& fields, std::string_view key);

// What only the whole scheme shows: {id} needs an id, a timestamp needs to be signed, the body needs to be
// covered. The scheme's event rules and parameters are read before.
void CheckProof(Proof& proof, const Scheme& scheme, TomlFields& fields);

// Names a parameter that the scheme does not declare: it would always be empty. Empty `name`: none is named.
void CheckParameter(const Scheme& scheme, std::string_view name, std::string_view key, TomlFields& fields);
void CheckParameters(const Scheme& scheme, const Template& text, std::string_view key, TomlFields& fields);
// Whether two rules want one header field to be two things.
const FieldRule* FirstContradiction(const std::vector<FieldRule>& rules);

// What the scheme's parts say against each other, once all are read.
void CheckScheme(const Scheme& scheme, TomlFields& fields);

// event_id, event_type, whole_types, missing_id, batch, payload, volatile, on_conflict, test_ids, retry_counter, dedupe_window,
// redelivered_by_hand.
EventRules ReadEventRules(TomlFields& fields);

// Whether the signature covers id and type, from what the proofs sign.
void MarkUnsigned(Scheme& scheme);

// The scheme's methods, proofs and parameters are read before.
std::vector<HandshakeRule> ReadHandshakes(const Scheme& scheme, TomlFields& fields);

}  // namespace weir::source
