// The certificates of senders that name theirs by URL (AWS SNS, PayPal), from files.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/config/sections.h"

namespace weir::config {

// `certificates` = paths of PEM files, or of directories of them. Each by its file name, which is the last
// part of the URL.
std::vector<std::pair<std::string, std::string>> ReadCertificates(TableReader& reader,
                                                                  const Context& context);

}  // namespace weir::config
