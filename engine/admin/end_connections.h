// Ends the connections of one listener from the outside, whatever the threads that serve them wait for: httplib keeps
// them to itself, and waits for its clients when it stops. They are known by their own address, which is their
// listener's.
#pragma once

#include <cstdint>
#include <filesystem>

namespace weir::admin {

// Both directions of each, of this process, that was accepted there. Reads find the end, writes fail. Any thread.
void EndConnectionsAt(const std::filesystem::path& unix_socket);
void EndConnectionsAt(std::uint16_t tcp_port);

}  // namespace weir::admin
