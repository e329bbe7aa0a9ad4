// SPDX-License-Identifier: BSD-3-Clause
// TCP frames for the benches, written into buffers as cheaply as they can be, so that what the
// generator costs is small beside what is measured.
//
// Plain frames are 64 bytes on the wire (60 and the FCS, 6 of them payload or padding); with
// timestamps and payload they are 76, as those of real connections are longer, too. Those of IPv6
// are 20 bytes longer. Their addresses are test::v6_of() those of IPv4, so that all else in the
// benches names connections by IPv4.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"

namespace sluice::bench {

inline constexpr net::MacAddress kOurMac{{2, 0, 0, 0, 0, 1}};
inline constexpr net::MacAddress kPeerMac{{2, 0, 0, 0, 0, 2}};
inline constexpr uint8_t kSyn = net::tcp_flag::kSyn;
inline constexpr uint8_t kAck = net::tcp_flag::kAck;
inline constexpr uint8_t kSynAck = kSyn | kAck;
inline constexpr uint8_t kFinAck = net::tcp_flag::kFin | kAck;
inline constexpr uint8_t kData = kAck | net::tcp_flag::kPsh;

inline constexpr net::Ipv4Endpoint kVip{net::be32::from_host(0x0a030001), net::be16::from_host(80)};

/// A client that no other number has; they come from 1,048,576 addresses.
inline net::Ipv4Endpoint client(uint64_t number) {
  constexpr uint32_t kClients = 0x0a400000;  // 10.64.0.0
  return {net::be32::from_host(kClients + 1 + static_cast<uint32_t>(number & 0xfffff)),
          net::be16::from_host(static_cast<uint16_t>(1024 + (number >> 20)))};
}

/// Source and destination of a frame as they stand in it.
struct Tuple {
  net::Ipv4Endpoint source;
  net::Ipv4Endpoint destination;
};
static_assert(sizeof(Tuple) == 12);

/// What of a segment differs within a bench.
struct Numbers {
  uint32_t sequence;
  uint32_t acknowledgement;
  uint32_t tsval = 0;
  uint32_t tsecr = 0;
};

/// A frame all but its tuple, and with it (or given) its numbers.
class FrameTemplate {
 public:
  FrameTemplate(uint8_t flags, bool timestamps, Numbers numbers = {}, bool v6 = false);
  void send_to(net::MacAddress station) { std::memcpy(bytes_, &station, sizeof station); }

  /// A tuple with the checksums that it gives this template.
  struct Prepared {
    Tuple tuple;
    net::be16 ip_word;  // IPv4's checksum; IPv6 has none, and its length is written again
    net::be16 tcp_checksum;
  };
  Prepared prepare(const Tuple& tuple) const;

  void write(rte_mbuf* buffer, const Prepared& prepared) const {
    uint8_t* to = rte_pktmbuf_mtod(buffer, uint8_t*);
    std::memcpy(to, bytes_, kRoom);
    auto& tcp = *reinterpret_cast<net::TcpHeader*>(to + tcp_at_);
    put(to + source_at_, prepared.tuple.source.ip);
    put(to + destination_at_, prepared.tuple.destination.ip);
    put(to + ip_word_at_, prepared.ip_word);
    tcp.source_port = prepared.tuple.source.port;
    tcp.destination_port = prepared.tuple.destination.port;
    tcp.checksum = prepared.tcp_checksum;
    buffer->data_len = length_;
    buffer->pkt_len = length_;
  }

  /// With other numbers; slower, as the checksum is summed here.
  void write(rte_mbuf* buffer, const Tuple& tuple, const Numbers& numbers) const;

  uint16_t length() const { return length_; }

 private:
  static constexpr uint16_t kRoom = 92;

  template <typename Word>
  static void put(uint8_t* at, Word word) {
    std::memcpy(at, &word, sizeof word);
  }
  /// Addresses and ports in `frame`, a copy of ours.
  void put_tuple(uint8_t* frame, const Tuple& tuple) const;
  // Of a frame that is complete otherwise. Whole, so that where instructions are counted all that
  // they cost is the generator's.
  [[gnu::flatten]] net::be16 ip_word_of(const uint8_t* frame) const;
  [[gnu::flatten]] net::be16 tcp_checksum_of(const uint8_t* frame) const;

  alignas(8) uint8_t bytes_[kRoom] = {};
  uint16_t length_;
  uint16_t tcp_length_;
  bool timestamps_;
  bool v6_;
  // Of the last four bytes of addresses; the rest of those of IPv6 stands in the template.
  uint8_t source_at_;
  uint8_t destination_at_;
  uint8_t ip_word_at_;
  uint8_t tcp_at_;
};
static_assert(sizeof(FrameTemplate::Prepared) == 16);

inline bool is_v6(const rte_mbuf* buffer) {
  return rte_pktmbuf_mtod(buffer, const net::EthernetHeader*)->type == net::kEtherTypeIpv6;
}
inline const net::TcpHeader& tcp_of(const rte_mbuf* buffer) {
  const size_t ip = is_v6(buffer) ? sizeof(net::Ipv6Header) : sizeof(net::Ipv4Header);
  return *rte_pktmbuf_mtod_offset(buffer, const net::TcpHeader*, sizeof(net::EthernetHeader) + ip);
}

/// What a frame carries now; TSval where our templates put it.
inline uint32_t sequence_of(const rte_mbuf* buffer) {
  return tcp_of(buffer).sequence.host();
}
inline uint32_t tsval_of(const rte_mbuf* buffer) {
  net::be32 word;
  std::memcpy(&word, reinterpret_cast<const uint8_t*>(&tcp_of(buffer) + 1) + 4, sizeof word);
  return word.host();
}
/// By IPv4, whatever the frame is of.
inline Tuple tuple_of(const rte_mbuf* buffer) {
  const auto* ip = rte_pktmbuf_mtod_offset(buffer, const uint8_t*, sizeof(net::EthernetHeader));
  const bool v6 = is_v6(buffer);
  const auto address = [ip](size_t at) {
    net::Ipv4Address read;
    std::memcpy(&read, ip + at, sizeof read);
    return read;
  };
  const net::TcpHeader& tcp = tcp_of(buffer);
  return {{address(v6 ? 20 : 12), tcp.source_port}, {address(v6 ? 36 : 16), tcp.destination_port}};
}

}  // namespace sluice::bench
