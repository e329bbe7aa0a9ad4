// SPDX-License-Identifier: BSD-3-Clause
// From a quote to a flow, to a verdict, to the packet's sender.
#include "dataplane/stage/icmp_flow_error.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/net/icmp.h"
#include "dataplane/net/icmp_quote.h"
#include "dataplane/net/serial.h"
#include "dataplane/net/xlat_icmp.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/header_numbers.h"
#include "dataplane/stage/hop_limit.h"
#include "dataplane/stage/ownership.h"
#include "dataplane/stage/splice_numbers.h"

namespace sluice {

using net::DropReason;
using net::Ipv4Address;
using net::Ipv6Address;
using net::Verdict;

namespace {

/// The packet that an error is about, as it left here.
struct Quoted {
  net::IcmpQuote quote;
  net::Endpoint source;
  net::Endpoint destination;
  bool from_client;  // on its way to the backend; else from the backend, on its way to the client

  net::Protocol protocol() const { return quote.protocol; }
  uint32_t sequence() const {
    const uint8_t* tcp = quote.packet.data() + quote.upper_at;
    return reinterpret_cast<const net::TcpHeader*>(tcp)->sequence.host();
  }
};

std::span<const uint8_t> bytes_of(const net::Packet& packet) {
  return {reinterpret_cast<const uint8_t*>(packet.ip), packet.ip_length()};
}

/// Nothing where the error quotes no TCP or UDP that its addressee can have sent.
std::optional<Quoted> read_quoted(const Snapshot& snapshot, const net::Packet& packet) {
  const auto icmp = bytes_of(packet).subspan(packet.ip_header_length());
  const auto quote = packet.is_v6 ? net::read_icmpv6_quote(icmp) : net::read_icmp_quote(icmp);
  if (!quote) return {};
  const net::PortsHeader& ports = quote->ports();
  Quoted quoted{*quote, {}, {}, false};
  if (quote->is_ipv6) {
    quoted.source = {quote->ipv6().source, ports.source_port};
    quoted.destination = {quote->ipv6().destination, ports.destination_port};
  } else {
    quoted.source = {quote->ipv4().source, ports.source_port};
    quoted.destination = {quote->ipv4().destination, ports.destination_port};
  }
  if (quoted.source.ip != packet.destination_ip()) return {};
  quoted.from_client = snapshot.is_local(quoted.source.ip);
  return quoted;
}

uint32_t other_owner(const Core& core, const Quoted& quoted) {
  if (!quoted.from_client) {
    return other_owner_of_client(core, quoted.destination, quoted.source);
  }
  return other_owner_of_port(core, quoted.protocol(), quoted.source, quoted.destination);
}

/// An error about what went to a client is for who has adopted its flow.
uint32_t adopter_of(const Core& core, const Quoted& quoted) {
  if (quoted.from_client || !core.elsewhere.any) return kNotElsewhere;
  const ServiceId service = core.snapshot->service_at(quoted.protocol(), quoted.source);
  return adopter_of(core, {quoted.destination, service}, quoted.source);
}

uint32_t flow_of(const Core& core, const Quoted& quoted) {
  return quoted.from_client
             ? core.flow_of_backend(quoted.protocol(), quoted.destination, quoted.source)
             : core.flow_of_client(quoted.protocol(), quoted.destination, quoted.source);
}

// ---- what it says -------------------------------------------------------------------------------

/// Whether the sender of a quoted segment may have it in flight (RFC 5927, section 4.1): whoever
/// cannot tell is a stranger, and nothing that he says is believed.
bool is_in_flight(const TcpTrack& tcp, bool from_client, uint32_t sequence) {
  const bool unanswered = tcp.state() == FlowState::kSynSent;
  if (!from_client) {
    const uint32_t syn = tcp.state() == FlowState::kSynReceived ? 1 : 0;
    return !unanswered &&
           net::serial_within(sequence, tcp.client_expects() - syn, tcp.backend_snd_nxt());
  }
  if (unanswered) return sequence == tcp.backend_expects() - 1;
  return net::serial_within(sequence, tcp.backend_expects(), tcp.client_snd_nxt());
}

/// Whether an error may be about a packet that is on its way. UDP has no number that would tell.
bool is_believable(const Core& core, const Flow& flow, const Quoted& quoted) {
  if (flow.is_udp()) return true;
  const uint32_t offset = quoted.from_client ? 0 : splice_offset(core, flow);
  return is_in_flight(flow.tcp, quoted.from_client, quoted.sequence() - offset);
}

/// Says that the packet is too large, not that it never gets there.
bool is_too_big(const net::Packet& packet) {
  const net::IcmpHeader& icmp = *packet.icmp;
  if (packet.is_v6) return icmp.type == net::icmpv6_type::kPacketTooBig;
  return icmp.type == net::icmp_type::kUnreachable &&
         icmp.code == net::icmp_code::kFragmentationNeeded;
}

/// That nobody listens there (RFC 1122, section 3.2.2.1; RFC 4443, sections 3.1 and 3.4).
bool is_no_listener(const net::Packet& packet) {
  const net::IcmpHeader& icmp = *packet.icmp;
  if (packet.is_v6) {
    return (icmp.type == net::icmpv6_type::kUnreachable &&
            icmp.code == net::icmpv6_code::kPortUnreachable) ||
           (icmp.type == net::icmpv6_type::kParameterProblem &&
            icmp.code == net::icmpv6_code::kUnknownNextHeader);
  }
  return icmp.type == net::icmp_type::kUnreachable &&
         (icmp.code == net::icmp_code::kPortUnreachable ||
          icmp.code == net::icmp_code::kProtocolUnreachable);
}

/// Whether an error about a client's packet ends the flow. One that is established is not ended by
/// what others say than its backend.
bool is_refusal(const Flow& flow, const net::Packet& packet, const Quoted& quoted) {
  if (!quoted.from_client) return false;
  switch (flow.state()) {
    case FlowState::kSynSent:
    case FlowState::kUdpUnanswered:
      return !is_too_big(packet);
    case FlowState::kUdpAnswered:
    case FlowState::kUdpEstablished:
      return packet.source_ip() == quoted.destination.ip && is_no_listener(packet);
    default:
      return false;
  }
}

/// Ends a UDP flow, or an unanswered handshake as a RST does. The backend never saw the SYN:
/// what it may hold of the tuple it still holds, so the port rests as an unanswered one's.
void end_refused(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  core.backend(flow).refused.add();
  core.count(flow.is_udp() ? Event::udp_refused : Event::backend_refusals);
  end_flow(core, index, flow.is_udp() ? FlowEnd::unreachable : FlowEnd::refused);
}

// ---- on its way ---------------------------------------------------------------------------------

/// What the quoted packet was when its sender sent it; the error comes from whom it was meant for.
struct AsSent {
  net::Endpoint source;
  net::Endpoint destination;
  uint32_t sequence_addend;
};

AsSent as_sent(const Core& core, const Flow& flow, bool from_client) {
  if (from_client) return {core.client(flow), core.vip(flow), 0 - flow.adjust.sequence};
  return {core.backend_address(flow), core.local(flow), 0 - splice_offset(core, flow)};
}

/// Puts another packet into the buffer; false, and nothing done, without room.
bool replace_packet(rte_mbuf* buffer, std::span<const uint8_t> packet) {
  const auto length = static_cast<uint16_t>(sizeof(net::EthernetHeader) + packet.size());
  const uint16_t before = rte_pktmbuf_data_len(buffer);
  if (length <= before) {
    rte_pktmbuf_trim(buffer, static_cast<uint16_t>(before - length));
  } else if (rte_pktmbuf_append(buffer, static_cast<uint16_t>(length - before)) == nullptr) {
    return false;
  }
  std::memcpy(rte_pktmbuf_mtod(buffer, uint8_t*) + sizeof(net::EthernetHeader), packet.data(),
              packet.size());
  return true;
}

net::LinkMtus link_mtus(const Snapshot& snapshot, uint16_t from, const net::IpAddress& addressee) {
  net::LinkMtus mtus;
  mtus.from = snapshot.interfaces[from].mtu;
  const uint16_t to = snapshot.interface_towards(addressee);
  if (to != Snapshot::kNoInterface) mtus.to = snapshot.interfaces[to].mtu;
  return mtus;
}

/// Makes the error anew, for a sender of the family.
template <class Address>
Verdict rewrite_error(Core& core, Segment& segment, uint16_t interface, const AsSent& sent,
                      const net::EndpointOf<Address>& source,
                      const net::EndpointOf<Address>& destination) {
  const net::LinkMtus mtus = link_mtus(*core.snapshot, interface, sent.source.ip);
  const net::IcmpErrorFields<Address> fields{
      .source = destination.ip,
      .destination = source.ip,
      .hop_limit = static_cast<uint8_t>(segment.packet.hop_limit() - 1),
      .id = core.fragment_id++,
      .quoted_source = source.ip,
      .quoted_destination = destination.ip,
      .quoted_source_port = source.port,
      .quoted_destination_port = destination.port,
      .sequence_addend = sent.sequence_addend,
      .mtus = mtus};
  std::array<uint8_t, net::kTranslatedErrorLengthMax> made;
  const auto room = std::span(made).first(std::min<size_t>(made.size(), mtus.to));
  const uint16_t length = net::translate_icmp_error(bytes_of(segment.packet), fields, room);
  if (length == 0) return DropReason::icmp_untranslatable;
  return replace_packet(segment.buffer, room.first(length)) ? Verdict::pass()
                                                            : DropReason::mbuf_exhausted;
}

/// Within IPv4 it is changed in place, and keeps its length, options and extensions.
void rewrite_in_place(net::Packet& packet, const AsSent& sent) {
  const auto quoted = net::icmp_quoted(packet);
  const net::Ipv4Endpoint source = sent.source.v4(), destination = sent.destination.v4();
  net::icmp_translate_error(packet, *quoted, destination.ip, source.ip, source, destination,
                            sent.sequence_addend);
}

Verdict pass_on(Core& core, Segment& segment, uint16_t interface, const AsSent& sent,
                NextHop& hop) {
  const net::IpAddress& to = sent.source.ip;
  if (!to.is_v4()) {
    const Verdict made = rewrite_error<Ipv6Address>(core, segment, interface, sent,
                                                    sent.source.v6(), sent.destination.v6());
    if (!made.passed()) return made;
    return core.next_hops6.try_send(*core.snapshot, segment.buffer, to.v6(), hop, core.now_ms);
  }
  if (segment.packet.is_v6) {
    const Verdict made = rewrite_error<Ipv4Address>(core, segment, interface, sent,
                                                    sent.source.v4(), sent.destination.v4());
    if (!made.passed()) return made;
  } else {
    rewrite_in_place(segment.packet, sent);
  }
  return core.next_hops.try_send(*core.snapshot, segment.buffer, to.v4(), hop, core.now_ms);
}

}  // namespace

FlowErrorResult flow_error_input(Core& core, Segment& segment, uint16_t interface) {
  const auto quoted = read_quoted(*core.snapshot, segment.packet);
  if (!quoted) return {DropReason::icmp_bad, false};
  if (segment.packet.hop_limit() <= 1) return {hop_limit_expired(core, segment), false};
  // What a client sent has gone the backends' way: who speaks of it on another has not seen it.
  if (quoted->from_client && !core.snapshot->interfaces[interface].faces_backends) {
    return {DropReason::no_flow_icmp, false};
  }
  const uint32_t other = other_owner(core, *quoted);
  if (other != kNotElsewhere) return {hand_off(core, other, segment, interface), true};
  const uint32_t index = flow_of(core, *quoted);
  if (index == FlowTable::kNone) {
    const uint32_t adopter = adopter_of(core, *quoted);
    if (adopter != kNotElsewhere) return {hand_off(core, adopter, segment, interface), true};
    // Where the device spreads clients in a way of its own, anybody may have the flow.
    if (core.steering.kind() == SteeringKind::kRteFlow) hand_copies(core, segment, interface);
    return {DropReason::no_flow_icmp, false};
  }
  Flow& flow = core.flows[index];
  if (!is_believable(core, flow, *quoted)) return {DropReason::icmp_out_of_window, false};
  if (quoted->from_client && flow.has_proxy_header() && !flow.is_udp() &&
      is_of_header(core, index, quoted->sequence())) {
    return {DropReason::icmp_own_segment, true};
  }
  const bool refused = is_refusal(flow, segment.packet, *quoted);
  NextHop& hop = quoted->from_client ? flow.to_client : core.backend(flow).next_hop;
  const AsSent sent = as_sent(core, flow, quoted->from_client);
  const Verdict verdict = pass_on(core, segment, interface, sent, hop);
  if (verdict != DropReason::icmp_untranslatable) core.count(Event::icmp_errors_translated);
  if (refused) end_refused(core, index);
  return {verdict, true};
}

}  // namespace sluice
