// Hex and base64 (RFC 4648), strictly: an encoding that two texts share is a signature that two texts share,
// so stray bits, missing padding, white space and the other alphabet are all refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::source {

enum class HexCase : std::uint8_t { kLower, kAny };
enum class Base64Form : std::uint8_t { kPadded, kUrlUnpadded, kUrlPadded };

// Bytes written to `out`, or nullopt when the text is not of the form or does not fit.
std::optional<std::size_t> DecodeHex(std::string_view text, std::span<std::uint8_t> out, HexCase hex_case);
std::optional<std::size_t> DecodeBase64(std::string_view text, std::span<std::uint8_t> out, Base64Form form);

// For keys in a configuration file: people lose padding when they copy, and senders print both alphabets.
// Ignores nothing else.
std::optional<std::vector<std::uint8_t>> DecodeKeyBase64(std::string_view text);

void AppendHex(std::string& out, std::span<const std::uint8_t> bytes);
void AppendBase64(std::string& out, std::span<const std::uint8_t> bytes, Base64Form form);

}  // namespace weir::source
