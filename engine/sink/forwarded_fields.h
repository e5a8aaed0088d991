// The sender's header fields that go along with its events: as fields of an HTTP request, as extension
// attributes of a line. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/config/config.h"
#include "storage/event.h"

namespace weir::sink {

class ForwardedFields {
 public:
  // A rule's source "*" is every source.
  explicit ForwardedFields(std::vector<config::ForwardRule> rules) : rules_(std::move(rules)) {}

  // By the lists of all built-in kinds, whatever the event's source: for exports, which know no sink.
  static ForwardedFields OfEveryKind();

  // "Name: value\r\n" each, the sender's own spelling of the name. A name that weir itself writes into a
  // request (ce-id, ce-source, weir-sequence, webhook-id, …) goes along as weir-header-NAME.
  void AppendFields(std::string& out, const storage::Event& event) const;

  // ,"weirheaderNAME":"value" each; of the name what an attribute's name may hold, lower-case letters and
  // digits (CloudEvents 1.0.2, "Attribute Naming Convention"). Lines of one name are joined by ", ".
  void AppendAttributes(std::string& out, const storage::Event& event) const;

 private:
  struct Field {
    std::string_view name;
    std::string_view value;
  };
  std::vector<Field> Of(const storage::Event& event) const;

  std::vector<config::ForwardRule> rules_;
};

}  // namespace weir::sink
