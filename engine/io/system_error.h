// A failed system call as one readable sentence.
#pragma once

#include <string>
#include <string_view>

namespace weir::io {

// "bind 127.0.0.1:80: EACCES (Permission denied)". `error` is a positive errno.
std::string DescribeError(std::string_view call, int error);

}  // namespace weir::io
