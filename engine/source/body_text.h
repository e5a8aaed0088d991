// What some senders make of body or URL before they sign it. Pure.
//
// Internal to engine/source.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::source {

// CRC-32 of IEEE 802.3, as zlib has it (PayPal).
std::uint32_t Crc32(std::string_view bytes);

// Every UTF-16 unit past '~' as \uxxxx in lower case (Meta); `slashes`: also '/' as \/ unless it is escaped
// already, and DEL counts as past '~' (Box). Bytes that are not UTF-8 stay as they are.
void AppendUnicodeEscaped(std::string& out, std::string_view body, bool slashes);

// HubSpot decodes these escapes of the URL before it signs, and no others: : / ? @ ! $ ' ( ) * , ;
void AppendHubSpotDecoded(std::string& out, std::string_view url);

}  // namespace weir::source
