// What Twilio signs: the URL it called, with the form's parameters sorted behind it, or with the body's hash
// in the query. docs: www.twilio.com/docs/usage/security; candidates as its library (twilio 6) tries them.
//
// Internal to engine/source. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/source/request_values.h"

namespace weir::source {

// The texts that may have been signed, likeliest first. Empty when the request is not of a form Twilio sends:
// a body that is no form needs bodySHA256 in the query, and it must be the body's.
std::vector<std::string> TwilioTexts(std::string_view public_url, RequestValues& values);

// The URL as configured, without and with its default port; host in lower case; then with ' and the like
// escaped or plain.
std::vector<std::string> TwilioUrls(std::string_view url);

}  // namespace weir::source
