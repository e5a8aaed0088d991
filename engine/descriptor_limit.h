// How many descriptors this process may open.
#pragma once

#include <cstddef>

namespace weir {

// Raises the soft limit to the hard one and returns what is then in force. The soft limit's usual 1024 is for
// programs that use select(2), which weir does not.
std::size_t RaiseDescriptorLimit();

}  // namespace weir
