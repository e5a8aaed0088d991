// Requests that a contract wants answered in its own way and never stored.
//
// Internal to engine/source.
#pragma once

#include <optional>

#include "engine/source/proof_check.h"
#include "engine/source/request_values.h"
#include "engine/source/source.h"
#include "engine/source/verifier.h"

namespace weir::source {

// The first rule that the request has the shape of: those behind a proof, or the others. Rules that hand over
// a secret are looked at only while the source has none.
const HandshakeRule* FindHandshake(const Source& source, bool after_proof, RequestValues& values);

// Whether an unsigned rule may answer: its parameter matches.
bool GuardHolds(const HandshakeRule& rule, const Source& source, RequestValues& values);

// nullopt when a value the reply needs is not there. `key`: the secret that matched, for replies that are
// keyed.
std::optional<Handshake> AnswerHandshake(const HandshakeRule& rule, const Source& source,
                                         const KeyedSecret* key, RequestValues& values);

}  // namespace weir::source
