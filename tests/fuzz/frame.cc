// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a frame: parsed, and where it parses rewritten and answered as the stages would.
#include <cstdlib>
#include <span>
#include <vector>

#include "dataplane/net/arp.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/packet_checksum.h"
#include "dataplane/net/parse.h"
#include "dataplane/net/rewrite.h"
#include "dataplane/net/tcp_options.h"

namespace {

using namespace sluice::net;  // NOLINT

void require(bool truth) {
  if (!truth) std::abort();
}

bool same(const Packet& a, const Packet& b) {
  return a.kind == b.kind && a.reason == b.reason && a.l4_length == b.l4_length &&
         a.ethernet == b.ethernet && a.ip == b.ip && a.tcp == b.tcp;
}

// The input seldom has a right checksum by chance, and then nothing lies behind it to be found.
void mend_ip(std::span<uint8_t> frame) {
  if (frame.size() < sizeof(EthernetHeader) + sizeof(Ipv4Header)) return;
  auto& ip = *reinterpret_cast<Ipv4Header*>(frame.data() + sizeof(EthernetHeader));
  const uint16_t length = ip.header_length();
  if (length < sizeof(Ipv4Header) || sizeof(EthernetHeader) + length > frame.size()) return;
  ip.checksum = {};
  ip.checksum = checksum_of(checksum_sum(&ip, length));
}

constexpr Ipv4Address kLocal = Ipv4Address::from_host(0x0a020001);
constexpr Ipv6Address kLocal6{{0xfd, 2}};

/// To the source, from one of our addresses.
template <class Network, class Transport, class Address>
void send_back(Network& ip, Transport& transport, const Address& local) {
  const EndpointOf<Address> source{ip.source, transport.source_port};
  const EndpointOf<Address> destination{ip.destination, transport.destination_port};
  const EndpointOf<Address> other{local, be16::from_host(1024)};
  const TranslationOf<Address> to{other, source, make_deltas(source, destination, other, source)};
  translate(ip, transport, to);
}

template <class Transport>
void send_back(Packet& packet, Transport& transport) {
  if (packet.is_v6) {
    send_back(*packet.ip6, transport, kLocal6);
  } else {
    send_back(*packet.ip, transport, kLocal);
    require(ipv4_checksum_ok(*packet.ip));
  }
}

void play_tcp(Packet& packet) {
  const TcpOptions options = parse_tcp_options(*packet.tcp);
  const uint16_t header = packet.tcp->header_length();
  if (options.has_timestamps()) require(options.timestamps_offset + 8 <= header);
  if (options.sack_edge_count > 0) {
    require(options.sack_offset + 4 * options.sack_edge_count <= header);
  }
  require(find_timestamps(*packet.tcp) == options.timestamps_offset);
  if (packet.hop_limit() <= 1) return;  // dropped before anything is rewritten

  // Right checksums stay right, wrong ones wrong.
  const bool sums_right = tcp_checksum_ok(packet);
  adjust_inbound(*packet.tcp, {0x12345678, 0x9abcdef0});
  adjust_outbound(*packet.tcp, {0x12345678, 0x9abcdef0});
  send_back(packet, *packet.tcp);
  require(tcp_checksum_ok(packet) == sums_right);
}

void play_udp(Packet& packet) {
  require(sizeof(UdpHeader) + packet.udp_payload_length() <= packet.l4_length);
  if (packet.hop_limit() <= 1) return;  // as well
  const bool has_sum = packet.udp->checksum.raw != 0;
  const bool sum_right = udp_checksum_ok(packet);
  send_back(packet, *packet.udp);
  require((packet.udp->checksum.raw != 0) == has_sum);
  require(udp_checksum_ok(packet) == sum_right);
}

void play_icmp(Packet& packet) {
  if (packet.is_v6) return;  // ipv6.cc's
  if (icmp_is_error(*packet.icmp)) {
    if (auto quoted = icmp_quoted(packet)) {
      icmp_translate_error(packet, *quoted, quoted->source.ip, quoted->destination.ip,
                           quoted->destination, quoted->source, 77);
    }
  } else if (icmp_checksum_ok(packet)) {
    icmp_echo_answer(packet);
    require(icmp_checksum_ok(packet) && ipv4_checksum_ok(*packet.ip));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool mended = (*data & 1) != 0;
  // A buffer of its own and of the exact size: one byte too far is seen.
  std::vector<uint8_t> frame(data + 1, data + size);
  if (mended) mend_ip(frame);
  Packet packet = parse(frame);
  Packet again{};
  parse_any(frame, again);
  require(same(packet, again));
  switch (packet.kind) {
    case Packet::Kind::kArp:
      arp_answer(*packet.ethernet, *packet.arp, {{2, 0, 0, 0, 0, 1}});
      break;
    case Packet::Kind::kTcp:
      play_tcp(packet);
      break;
    case Packet::Kind::kUdp:
      play_udp(packet);
      break;
    case Packet::Kind::kIcmp:
      play_icmp(packet);
      break;
    case Packet::Kind::kBad:
      require(static_cast<size_t>(packet.reason) < kDropReasonCount);
      break;
  }
  return 0;
}
