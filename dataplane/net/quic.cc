// SPDX-License-Identifier: BSD-3-Clause
// Connection IDs of long and short headers.
#include "dataplane/net/quic.h"

namespace sluice::net {
namespace {

constexpr uint8_t kLongHeader = 0x80;

/// RFC 8999, sections 5.1 and 5.2. Of a short header all that follows: its length is not told.
std::span<const uint8_t> destination_id(std::span<const uint8_t> datagram) {
  if (datagram.empty()) return {};
  if ((datagram[0] & kLongHeader) == 0) return datagram.subspan(1);
  constexpr size_t kLengthAt = 5;  // behind the version
  if (datagram.size() <= kLengthAt) return {};
  const size_t length = datagram[kLengthAt];
  const std::span<const uint8_t> rest = datagram.subspan(kLengthAt + 1);
  return length > rest.size() ? std::span<const uint8_t>() : rest.first(length);
}

}  // namespace

std::optional<uint64_t> read_quic_server_id(std::span<const uint8_t> datagram,
                                            QuicIdLayout layout) {
  constexpr int kConfigIdShift = 5;
  const std::span<const uint8_t> id = destination_id(datagram);
  if (id.size() <= layout.server_id_length || id[0] >> kConfigIdShift != layout.config_id) {
    return std::nullopt;
  }
  uint64_t server_id = 0;
  for (const uint8_t byte : id.subspan(1, layout.server_id_length)) {
    server_id = server_id << 8 | byte;
  }
  return server_id;
}

}  // namespace sluice::net
