#include "engine/source/scheme_toml.h"

#include "engine/limits.h"
#include "engine/source/scheme_parts.h"

namespace weir::source {
namespace {

SchemeNotes ReadNotes(TomlFields& fields) {
  SchemeNotes about;
  about.title = fields.Text("title").value_or("");
  about.documentation = fields.Text("documentation").value_or("");
  about.timeout = fields.Text("timeout").value_or("");
  about.retries = fields.Text("retries").value_or("");
  about.notes = fields.Texts("notes");
  about.unverified = fields.Texts("unverified");
  about.aliases = fields.Texts("aliases");
  return about;
}

void ReadMethods(TomlFields& fields, Scheme& scheme) {
  const std::vector<std::string> names = fields.Texts("methods");
  if (names.empty()) {
    if (fields.Has("methods")) fields.Note("methods", "is empty, so that no request would be taken");
    return;
  }
  scheme.methods.clear();
  for (const std::string& name : names) {
    http::Method method = http::Method::kOther;
    for (int i = 0; i < static_cast<int>(http::Method::kOther); ++i) {
      if (http::MethodName(static_cast<http::Method>(i)) == name) method = static_cast<http::Method>(i);
    }
    if (method == http::Method::kOther) {
      fields.Note("methods", "\"" + name + "\" is not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    } else {
      scheme.methods.push_back(method);
    }
  }
}

void ReadResponses(TomlFields& fields, Scheme& scheme) {
  if (const toml::table* table = fields.Table("accepted")) {
    TomlFields reply(*table, fields.KeyPath("accepted"), fields.errors());
    scheme.accepted.status = static_cast<int>(reply.Integer("status", 200, 299).value_or(200));
    scheme.accepted.content_type = reply.Text("content_type").value_or("");
    scheme.accepted.body = reply.Text("body").value_or("");
    if (scheme.accepted.status == 204 && !scheme.accepted.body.empty()) {
      reply.Note("body", "cannot be sent with status = 204, which has none (RFC 9110 §15.3.5)");
    }
    reply.RefuseUnknown();
  }
  if (const toml::table* table = fields.Table("rejected")) {
    TomlFields reply(*table, fields.KeyPath("rejected"), fields.errors());
    scheme.invalid_status = static_cast<int>(reply.Integer("invalid", 400, 599).value_or(401));
    scheme.stale_status = static_cast<int>(reply.Integer("stale", 400, 599).value_or(400));
    scheme.rejected_without_body = reply.Boolean("empty_body").value_or(false);
    reply.RefuseUnknown();
  }
}

void ReadParameters(TomlFields& fields, Scheme& scheme) {
  const toml::table* table = fields.Table("parameters");
  if (table == nullptr) return;
  for (const auto& [name, value] : *table) {
    const toml::table* details = value.as_table();
    if (details == nullptr) {
      fields.NoteAt(value, "parameters",
                    "is not { help = \"…\", required = true }: " + std::string(name.str()));
      continue;
    }
    TomlFields one(*details, fields.KeyPath("parameters." + std::string(name.str())), fields.errors());
    scheme.parameters.push_back({.name = std::string(name.str()),
                                 .help = one.Text("help").value_or(""),
                                 .required = one.Boolean("required").value_or(true)});
    one.RefuseUnknown();
  }
}

void ReadProofs(TomlFields& fields, Scheme& scheme) {
  if (!fields.Has("proof")) {
    scheme.proofs.push_back(ReadProof(fields));
    CheckProof(scheme.proofs.back(), scheme, fields);
    return;
  }
  const toml::array* array = fields.Tables("proof");
  if (array == nullptr) return;
  std::size_t position = 0;
  for (const toml::node& element : *array) {
    TomlFields proof(*element.as_table(), fields.KeyPath("proof[" + std::to_string(position++) + "]"),
                     fields.errors());
    scheme.proofs.push_back(ReadProof(proof));
    CheckProof(scheme.proofs.back(), scheme, proof);
    proof.RefuseUnknown();
  }
  const auto which = fields.Choice<bool>("proofs", {{"first", false}, {"any", true}});
  scheme.any_proof = which.value_or(false);
}

}  // namespace

std::expected<std::shared_ptr<const Scheme>, std::vector<SchemeError>> CompileScheme(
    const toml::table& table) {
  std::vector<SchemeError> errors;
  auto scheme = std::make_shared<Scheme>();
  TomlFields fields(table, "", errors);
  scheme->about = ReadNotes(fields);
  scheme->event = ReadEventRules(fields);
  ReadParameters(fields, *scheme);
  ReadProofs(fields, *scheme);
  ReadMethods(fields, *scheme);
  scheme->content_types = fields.Texts("content_types");
  scheme->body_required = fields.Boolean("body_required").value_or(false);
  scheme->body_bytes = static_cast<std::size_t>(
      fields.Integer("body_bytes", 1, static_cast<std::int64_t>(limits::kBodyBytesCeiling)).value_or(0));
  scheme->encoded_fields = fields.Text("encoded_fields").value_or("");
  scheme->other_credentials = fields.Texts("other_credentials");
  scheme->forward_headers = fields.Texts("forward_headers");
  scheme->handshakes = ReadHandshakes(*scheme, fields);
  ReadResponses(fields, *scheme);
  scheme->sample_type = fields.Text("sample_type").value_or("");
  CheckScheme(*scheme, fields);
  MarkUnsigned(*scheme);
  fields.RefuseUnknown();
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return scheme;
}

}  // namespace weir::source
