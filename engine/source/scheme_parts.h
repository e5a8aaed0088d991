// The parts of a scheme in TOML, one reader a part. For scheme_toml.cc; includes toml++ by way of
// toml_fields.h.
#pragma once

#include "engine/source/scheme.h"
#include "engine/source/toml_fields.h"

namespace weir::source {

// algorithm, signature, key, timestamp, signed, require, jwt, code. Reads from `fields`, which may hold
// further keys.
Proof ReadProof(TomlFields& fields);

// What only the whole scheme shows: {id} needs an id, a timestamp needs to be signed, the body needs to be
// covered.
void CheckProof(Proof& proof, const EventRules& event, TomlFields& fields);

// event_id, event_type, missing_id, batch, payload, volatile, on_conflict, test_ids, retry_counter, dedupe_window,
// redelivered_by_hand.
EventRules ReadEventRules(TomlFields& fields);

// Whether the signature covers id and type, from what the proofs sign.
void MarkUnsigned(Scheme& scheme);

std::vector<HandshakeRule> ReadHandshakes(TomlFields& fields);

}  // namespace weir::source
