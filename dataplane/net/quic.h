// SPDX-License-Identifier: BSD-3-Clause
// The server ID that a QUIC connection ID may carry, in plain text.
//
// Backends put it into the connection IDs that they issue (draft-ietf-quic-load-balancers, section
// 3 and its plaintext form), so that a connection whose client has moved to another address or port
// is still known. Only what no version of QUIC may change is read (RFC 8999).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace sluice::net {

/// How the backends of a service make their connection IDs.
struct QuicIdLayout {
  static constexpr uint8_t kConfigIdMax = 6;        // 7: an ID that no balancer shall read
  static constexpr uint8_t kServerIdLengthMax = 8;  // bytes

  uint8_t config_id;         // in the first three bits
  uint8_t server_id_length;  // of the bytes behind the first
};

/// The server ID in the destination connection ID of a datagram, its first byte highest; nothing
/// where the datagram has none of that layout. A client's first packet has an ID of its own making,
/// which may look like one by accident.
std::optional<uint64_t> read_quic_server_id(std::span<const uint8_t> datagram, QuicIdLayout layout);

}  // namespace sluice::net
