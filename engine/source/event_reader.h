// A verified request -> its events: identity, type, and why an event cannot be used.
//
// Internal to engine/source. One a thread.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/lasting_text.h"
#include "engine/source/request_values.h"
#include "engine/source/scheme.h"
#include "engine/source/verifier.h"

namespace weir::source {

class EventReader {
 public:
  explicit EventReader(std::uint64_t seed) : seed_(seed) {}

  // The events live until the next Read. An empty result is a request that is acknowledged and stores
  // nothing.
  // `proof`: the one that passed.
  std::vector<VerifiedEvent>& Read(const Source& source, const Proof& proof, RequestValues& values);
  // The array of the last batch held more events than limits::kEventsPerRequestMax: none of them was read.
  bool too_many() const { return too_many_; }

 private:
  struct Text {
    std::string_view value;
    std::string_view fault = {};  // why there is none; empty when it is merely absent
    bool broken = false;          // where it would stand, the JSON cannot be read
  };

  VerifiedEvent ReadOne(const EventRules& rules, RequestValues& request, RequestValues& element,
                        std::string_view body);
  std::expected<void, JsonMiss> FindElementsInSpite(const EventRules& rules, std::string_view whole);
  void ReadBatch(const EventRules& rules, RequestValues& values);
  void Identify(const EventRules& rules, RequestValues& request, RequestValues& element,
                VerifiedEvent& event);
  void Name(const EventRules& rules, std::string_view lasting, VerifiedEvent& event);
  std::uint32_t AttemptOf(const EventRules& rules, RequestValues& request, RequestValues& element);
  std::string_view QueryText(const Scheme& scheme, const http::Request& request);
  bool Counts(const ExtractorPart& part, RequestValues& request, RequestValues& element);
  Text Extract(const Extractor& extractor, bool is_id, RequestValues& request, RequestValues& element);
  Text Join(const Extractor& extractor, bool is_id, RequestValues& request, RequestValues& element);
  Text FirstOf(std::span<const Location> locations, RequestValues& request, RequestValues& element);
  std::string_view MadeUpId(std::string_view prefix);
  std::string_view ContentHash(std::string_view body);
  std::string& Keep();

  std::uint64_t seed_;
  const Proof* proof_ = nullptr;
  OnConflict on_conflict_ = OnConflict::kDuplicate;
  bool too_many_ = false;
  std::uint64_t made_up_ = 0;
  std::vector<std::string_view> id_parts_;  // of the event that is being read, without decoration
  LastingText lasting_;
  std::vector<VerifiedEvent> events_;
  std::vector<std::string_view> elements_;
  RequestValues element_;  // one event of a batch
  http::Request element_request_;
  std::deque<std::string> kept_;
  std::size_t kept_used_ = 0;
};

}  // namespace weir::source
