// SPDX-License-Identifier: BSD-3-Clause
// ICMP and path MTU where client and backend are of either family: echo, errors about flows both
// ways, and errors of our own (RFC 4443, 5508, 7915, 8201).
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

constexpr uint16_t kGrowth = 20;  // of a packet on its way from IPv4 to IPv6
constexpr size_t kIcmp6At = kIpAt + sizeof(net::Ipv6Header);
constexpr uint16_t kDontFragment = 0x4000, kMayFragment = 0;

/// Of ICMPv6 in a frame without extension headers, worked out from the pseudo header.
bool icmpv6_checksum_right(const Bytes& frame) {
  Bytes bytes = slice(frame, kIpAt + 8, kIpAt + 40);
  put32(bytes, static_cast<uint32_t>(frame.size() - kIcmp6At));
  put32(bytes, net::kProtocolIcmpv6);
  return reference_checksum(bytes + slice(frame, kIcmp6At, frame.size())) == 0;
}

bool is_v6(const Bytes& raw) {
  return get16(raw, 12) == 0x86dd;
}

class IcmpFamilies : public Stage, public testing::WithParamInterface<const char*> {
 protected:
  static constexpr size_t kQuoted = kTcpAt + 8;  // the quoted IP header, as IPv4 shows it

  void SetUp() override { families_ = families_named(GetParam()); }

  bool is_across() const { return families_.v6_clients != families_.v6_backends; }
  /// What an IPv4 frame of so many bytes is on a link.
  uint16_t on_link(uint16_t interface, uint16_t mtu) const {
    return static_cast<uint16_t>(mtu + (families_.is_v6(interface) ? kGrowth : 0));
  }

  /// A router's error about what came by there.
  void error(uint16_t link, const Sent& about, uint8_t type, uint8_t code, uint32_t rest = 0,
             net::Ipv4Address from = {}) {
    const bool of_backends = link == kBackendLink;
    if (from.raw == 0) from = of_backends ? ip4(10, 2, 0, 200) : ip4(10, 1, 0, 200);
    const Ip ip{.source = from,
                .destination = of_backends ? local_.ip : kVip.ip,
                .to = mac(static_cast<uint8_t>(link + 1))};
    burst(link, {icmp_frame(ip, type, code, rest, slice(about.frame, kIpAt, kTcpAt + 8))});
  }

  /// Takes the only frame out of `sent`: an error on that link, with right checksums.
  Sent only_error(uint16_t link) {
    EXPECT_EQ(sent.size(), 1u);
    if (sent.empty()) return {link, icmp_frame({}, 0, 0, 0, Bytes(28)), {}};
    const Sent error = sent.front();
    sent.clear();
    EXPECT_EQ(error.port, link);
    EXPECT_EQ(is_v6(error.raw), families_.is_v6(link));
    EXPECT_TRUE(is_v6(error.raw) ? icmpv6_checksum_right(error.raw)
                                 : ip_checksum_right(error.raw) && icmp_checksum_right(error.raw));
    EXPECT_EQ(error.frame[kIpAt + 9], net::kProtocolIcmp);
    return error;
  }

  /// Source and destination of an error, and of what it quotes.
  static void expect_ends(const Sent& error, net::Ipv4Endpoint sender, net::Ipv4Endpoint meant,
                          net::Ipv4Address from) {
    const Bytes& frame = error.frame;
    EXPECT_EQ(get32(frame, kIpAt + 12), from.host());
    EXPECT_EQ(get32(frame, kIpAt + 16), sender.ip.host());
    EXPECT_EQ(get32(frame, kQuoted + 12), sender.ip.host());
    EXPECT_EQ(get32(frame, kQuoted + 16), meant.ip.host());
    EXPECT_EQ(get16(frame, kQuoted + 20), sender.port.host());
    EXPECT_EQ(get16(frame, kQuoted + 22), meant.port.host());
  }

  /// A segment that makes an IPv4 packet of `size` bytes.
  static Bytes sized(Tcp tcp, size_t size, uint16_t fragment = kDontFragment) {
    tcp.ip.fragment = fragment;
    for (size_t i = tcp_frame(tcp).size() - kIpAt; i < size; ++i) {
      tcp.payload.push_back(static_cast<uint8_t>(i * 7));
    }
    return tcp_frame(tcp);
  }
  Sent in_flight() {
    Tcp data = inbound(kAck, 1001, 5001);
    data.payload = Bytes(40, 'x');
    from_client(data);
    return only(kBackendLink);
  }
};

INSTANTIATE_TEST_SUITE_P(Families, IcmpFamilies, testing::Values("44", "64", "46", "66"),
                         [](const auto& families) { return std::string(families.param); });

TEST_P(IcmpFamilies, EchoOfEveryAddressIsAnswered) {
  start();
  const auto echo = [&](uint16_t link, net::Ipv4Address from, net::Ipv4Address ours) {
    const Ip ip{.source = from, .destination = ours, .to = mac(static_cast<uint8_t>(link + 1))};
    burst(link, {icmp_frame(ip, 8, 0, 0x00010002, Bytes(57, 'p'))});
    const Sent answer = only_error(link);
    EXPECT_EQ(get32(answer.frame, kIpAt + 12), ours.host());
    EXPECT_EQ(get32(answer.frame, kIpAt + 16), from.host());
    EXPECT_EQ(answer.frame[kIpAt + 8], 64) << "hop limit";
    EXPECT_EQ(answer.to_mac(), host_mac(from));
    EXPECT_EQ(slice(answer.frame, kTcpAt + 4, answer.frame.size()),
              (Bytes{0, 1, 0, 2} + Bytes(57, 'p')));
    EXPECT_EQ(answer.frame[kTcpAt], 0) << "a reply";
  };
  echo(kClientLink, kClient.ip, kVip.ip);
  echo(kClientLink, kClient.ip, ip4(10, 1, 255, 254));
  echo(kBackendLink, ip4(10, 2, 0, 10), ip4(10, 2, 0, 1));
  echo(kBackendLink, ip4(10, 2, 0, 10), ip4(10, 2, 0, 254));
  EXPECT_EQ(events(Event::echo_requests_answered), 4u);
}

TEST_P(IcmpFamilies, AVipIsSilentWhereNoneOfItsServicesWantsEcho) {
  start({.icmp_echo = false});
  const Ip ip{.source = kClient.ip, .destination = kVip.ip, .to = mac(1)};
  const Bytes ping = icmp_frame(ip, 8, 0, 1, Bytes(8));
  EXPECT_DROP(icmp_echo_off, burst(kClientLink, {ping}));
  const Ip own{.source = kClient.ip, .destination = ip4(10, 1, 255, 254), .to = mac(1)};
  burst(kClientLink, {icmp_frame(own, 8, 0, 1, Bytes(8))});
  only_error(kClientLink);
  // Of two services one wants it.
  auto shared = make_snapshot({});
  ServiceView other = shared->services[0];
  other.id = 1;
  other.vip.port = net::be16::from_host(81);
  other.icmp_echo = false;
  shared->services.push_back(other);
  shared->seal();
  core->registry.services.set(1, std::make_unique<ServiceState>(other.vip));
  adopt(std::move(shared));
  sent.clear();
  burst(kClientLink, {ping});
  only_error(kClientLink);
}

TEST_P(IcmpFamilies, ABadChecksumIsNobodysWord) {
  start();
  const Sent syn = open(1000);
  const Ip ip{.source = kBackend.ip, .destination = local_.ip, .to = mac(2)};
  Bytes frame = icmp_frame(ip, 3, 3, 0, slice(syn.frame, kIpAt, kTcpAt + 8));
  frame[kTcpAt + 2] ^= 1;
  EXPECT_DROP(icmp_bad, burst(kBackendLink, {frame}));
  EXPECT_NE(flow(), FlowTable::kNone);
  expect_nothing();
}

TEST_P(IcmpFamilies, AnErrorOfTheBackendsSideReachesTheClientInItsOwnNumbers) {
  start({.ports = {2000, 2000}});
  establish(0x80000000, 5000);
  close_by_backend(0x80000001, 5001);
  next_client();
  const Sent syn = open(1000);  // shifted
  ASSERT_NE(syn.sequence(), 1000u);
  error(kBackendLink, syn, 3, 4, 1400);
  const Sent told = only_error(kClientLink);
  expect_ends(told, client_, kVip, kVip.ip);
  EXPECT_EQ(get32(told.frame, kQuoted + 24), 1000u);
  EXPECT_EQ(get16(told.frame, kTcpAt), 3 << 8 | 4);
  EXPECT_EQ(get32(told.frame, kTcpAt + 4), 1400u) << "the MTU, in the sender's own bytes";
  EXPECT_EQ(events(Event::icmp_errors_translated), 1u);
  EXPECT_NE(flow(), FlowTable::kNone) << "it was too large, not refused";
}

TEST_P(IcmpFamilies, AnErrorOfTheClientsSideReachesTheBackend) {
  start();
  establish(1000, 5000);
  from_backend(outbound(kAck, 5001, 1001));
  const Sent seen = only(kClientLink);
  error(kClientLink, seen, 3, 4, 1400);
  const Sent told = only_error(kBackendLink);
  expect_ends(told, kBackend, local_, local_.ip);
  EXPECT_EQ(get32(told.frame, kQuoted + 24), 5001u);
  EXPECT_EQ(get32(told.frame, kTcpAt + 4), 1400u);
}

TEST_P(IcmpFamilies, NoMtuOfIpv6IsBelow1280) {
  start();
  establish(1000, 5000);
  const Sent seen = in_flight();
  error(kBackendLink, seen, 3, 4, 1000);  // IPv4's; over IPv6 1,020, which nobody has
  if (families_.v6_backends) {
    EXPECT_EQ(drops(net::DropReason::icmp_untranslatable), 1u);
    return expect_nothing();
  }
  const Sent told = only_error(kClientLink);
  EXPECT_EQ(get32(told.frame, kTcpAt + 4), families_.v6_clients ? 1260u : 1000u);
}

TEST_P(IcmpFamilies, NoneEndsAConnectionThatIsOpen) {
  start();
  establish(1000, 5000);
  const Sent of_client = in_flight();
  from_backend(outbound(kAck, 5001, 1001));
  const Sent of_backend = only(kClientLink);
  for (const auto& [type, code] :
       {std::pair<uint8_t, uint8_t>{3, 0}, {3, 1}, {3, 2}, {3, 3}, {3, 13}, {11, 0}, {12, 0}}) {
    error(kBackendLink, of_client, type, code, 0, kBackend.ip);
    error(kClientLink, of_backend, type, code, 0, client_.ip);
    EXPECT_EQ(sent.size(), 2u);
    sent.clear();
  }
  EXPECT_EQ(name_of(state()), "established");
  EXPECT_EQ(backend().refused.value(), 0u);
}

TEST_P(IcmpFamilies, AnErrorAboutASynRefusesIt) {
  start();
  for (const auto& [type, code] :
       {std::pair<uint8_t, uint8_t>{3, 3}, {3, 1}, {3, 13}, {3, 2}, {11, 0}}) {
    const Sent syn = open(1000);
    error(kBackendLink, syn, type, code);
    const Sent told = only_error(kClientLink);
    expect_ends(told, client_, kVip, kVip.ip);
    // IPv6's "prohibited" is IPv4's code 10 (RFC 7915, section 5.2).
    const bool renamed = code == 13 && families_.v6_backends && !families_.v6_clients;
    EXPECT_EQ(get16(told.frame, kTcpAt), type << 8 | (renamed ? 10 : code));
    EXPECT_EQ(flow(), FlowTable::kNone);
    next_client();
  }
  EXPECT_EQ(events(Event::backend_refusals), 5u);
}

TEST_P(IcmpFamilies, AGuessedSequenceIsNotBelieved) {
  start();
  establish(1000, 5000);
  const Sent seen = in_flight();
  for (const uint32_t wrong : {1000u, 1042u, 0x80000000u}) {
    Sent guess = seen;
    for (size_t i = 0; i < 4; ++i) {
      guess.frame[kTcpAt + 4 + i] = static_cast<uint8_t>(wrong >> (24 - 8 * i));
    }
    EXPECT_DROP(icmp_out_of_window, error(kBackendLink, guess, 3, 4, 1400));
  }
  Sent other = seen;
  other.frame[kTcpAt + 1] ^= 1;  // another local port
  EXPECT_DROP(no_flow_icmp, error(kBackendLink, other, 3, 4, 1400));
  expect_nothing();
}

TEST_P(IcmpFamilies, WhatTheOtherFamilyHasNotIsDropped) {
  if (families_.v6_backends) return;  // the harness has no such error of IPv6
  start();
  establish(1000, 5000);
  const Sent seen = in_flight();
  error(kBackendLink, seen, 3, 14);  // precedence violation
  if (!is_across()) {
    only_error(kClientLink);
    return;
  }
  EXPECT_EQ(drops(net::DropReason::icmp_untranslatable), 1u);
  EXPECT_EQ(events(Event::icmp_errors_translated), 0u);
  expect_nothing();
}

TEST_P(IcmpFamilies, APortWithoutAServiceIsUnreachable) {
  start();
  Udp in{.from = client_, .to = endpoint(kVip.ip, 33434), .payload = Bytes(60, 'u')};
  const Bytes frame = udp_frame(in);
  EXPECT_DROP(no_service, burst(kClientLink, {frame}));
  const Sent told = only_error(kClientLink);
  expect_ends(told, client_, in.to, kVip.ip);
  EXPECT_EQ(get16(told.frame, kTcpAt), 3 << 8 | 3);
  EXPECT_EQ(slice(told.frame, kQuoted + 28, told.frame.size()),
            slice(frame, kTcpAt + 8, frame.size()));
}

TEST_P(IcmpFamilies, TimeExceededComesFromTheLinkAndQuotesWhatCame) {
  start();
  establish(1000, 5000);
  Tcp in = inbound(kAck, 1001, 5001), out = outbound(kAck, 5001, 1001);
  in.ip.ttl = out.ip.ttl = 1;
  in.payload = Bytes(100, 'q');
  const auto reason = [&](uint16_t link) {
    return drops(families_.is_v6(link) ? net::DropReason::ipv6_hop_limit_expired
                                       : net::DropReason::ipv4_ttl_expired);
  };
  const uint64_t before = reason(kClientLink);
  from_client(in);
  EXPECT_EQ(reason(kClientLink), before + 1);
  Sent told = only_error(kClientLink);
  expect_ends(told, client_, kVip, ip4(10, 1, 255, 254));
  EXPECT_EQ(get16(told.frame, kTcpAt), 11 << 8);
  const Bytes whole = tcp_frame(in);
  EXPECT_EQ(slice(told.frame, kQuoted + 40, told.frame.size()),
            slice(whole, kTcpAt + 20, whole.size()));
  from_backend(out);
  told = only_error(kBackendLink);
  expect_ends(told, kBackend, local_, ip4(10, 2, 0, 254));
  EXPECT_EQ(events(Event::time_exceeded_sent), 2u);
  EXPECT_EQ(name_of(state()), "established");
}

TEST_P(IcmpFamilies, TimeExceededIsBoundedAndNotAboutErrors) {
  start();
  establish(1000, 5000);
  Tcp in = inbound(kAck, 1001, 5001);
  in.ip.ttl = 1;
  for (int i = 0; i < 30; ++i) from_client(in);
  EXPECT_EQ(sent.size(), IcmpLimit::kBurst);
  EXPECT_EQ(events(Event::time_exceeded_limited), 30 - IcmpLimit::kBurst);
  sent.clear();
  const Sent seen = in_flight();
  const Ip ip{.source = ip4(10, 2, 0, 200), .destination = local_.ip, .ttl = 1, .to = mac(2)};
  burst(kBackendLink, {icmp_frame(ip, 3, 4, 1400, slice(seen.frame, kIpAt, kTcpAt + 8))});
  expect_nothing();
}

class TooLargeFamilies : public IcmpFamilies {
 protected:
  static constexpr uint16_t kSmall = 1400;

  /// The link's MTU as the sender on the other one has it in its own packets, as IPv4 shows them.
  uint32_t told(uint16_t sender, uint16_t mtu) const {
    const uint16_t link = sender == kClientLink ? kBackendLink : kClientLink;
    const uint32_t fits = mtu - (families_.is_v6(link) ? uint32_t{kGrowth} : 0);
    return families_.is_v6(sender) ? std::max(fits, 1260u) : fits;
  }
  /// Takes the only answer out of `sent`.
  void expect_told(uint16_t sender, const Bytes& frame, uint32_t mtu) {
    const Sent answer = only_error(sender);
    EXPECT_EQ(get16(answer.frame, kTcpAt), 3 << 8 | 4);
    EXPECT_EQ(get32(answer.frame, kTcpAt + 4), mtu);
    EXPECT_EQ(get32(answer.frame, kIpAt + 12), get32(frame, kIpAt + 16)) << "who it was meant for";
    EXPECT_EQ(get32(answer.frame, kIpAt + 16), get32(frame, kIpAt + 12));
    const size_t quoted = answer.frame.size() - kQuoted;
    const size_t most = families_.is_v6(sender) ? 1280 - 48 - 20 : 548;  // shown as IPv4
    EXPECT_EQ(quoted, std::min(most, frame.size() - kIpAt));
    // TCP's checksum is over the addresses.
    EXPECT_EQ(slice(answer.frame, kQuoted + 20, kQuoted + 36), slice(frame, kTcpAt, kTcpAt + 16));
    EXPECT_EQ(slice(answer.frame, kQuoted + 38, answer.frame.size()),
              slice(frame, kTcpAt + 18, kIpAt + quoted));
  }
};

INSTANTIATE_TEST_SUITE_P(Families, TooLargeFamilies, testing::Values("44", "64", "46", "66"),
                         [](const auto& families) { return std::string(families.param); });

TEST_P(TooLargeFamilies, BothSendersAreToldWhatFits) {
  start({.client_mtu = kSmall, .backend_mtu = kSmall});
  establish(1000, 5000);
  const uint32_t of_client = told(kClientLink, kSmall), of_backend = told(kBackendLink, kSmall);
  burst(kClientLink, {sized(inbound(kAck, 1001, 5001), of_client)});
  only(kBackendLink);
  Bytes frame = sized(inbound(kAck, 1001, 5001), of_client + 1);
  EXPECT_DROP(mtu_exceeded, burst(kClientLink, {frame}));
  expect_told(kClientLink, frame, of_client);
  burst(kBackendLink, {sized(outbound(kAck, 5001, 1001), of_backend)});
  only(kClientLink);
  frame = sized(outbound(kAck, 5001, 1001), of_backend + 1);
  EXPECT_DROP(mtu_exceeded, burst(kBackendLink, {frame}));
  expect_told(kBackendLink, frame, of_backend);
  EXPECT_EQ(events(Event::fragmentation_needed_sent), 2u);
  EXPECT_EQ(name_of(state()), "established");
}

TEST_P(TooLargeFamilies, OfAShiftedConnectionTheSendersOwnNumbersAreQuoted) {
  start({.ports = {2000, 2000}, .client_mtu = kSmall, .backend_mtu = kSmall});
  establish(0x80000000, 5000, option::timestamps(90'000, 0));
  close_by_backend(0x80000001, 5001, option::timestamps(90'000, 0));
  next_client();
  const Bytes options = option::nop(2) + option::timestamps(17, 1);
  establish(1000, 5000, options);
  const net::SeqAdjust adjust = core->flows[flow()].adjust;
  ASSERT_TRUE(adjust.any());
  Bytes frame = sized(inbound(kAck, 1001, 5001, options), 1450);
  burst(kClientLink, {frame});
  expect_told(kClientLink, frame, told(kClientLink, kSmall));
  frame = sized(outbound(kAck, 5001, 1001 + adjust.sequence,
                         option::nop(2) + option::timestamps(1, 17 + adjust.timestamp)),
                1450);
  burst(kBackendLink, {frame});
  expect_told(kBackendLink, frame, told(kBackendLink, kSmall));
}

TEST_P(TooLargeFamilies, FromIpv4WithoutDfIpv6GetsFragments) {
  if (families_.v6_clients || !families_.v6_backends) return;
  start({.backend_mtu = kSmall});
  establish(1000, 5000);
  const Bytes frame = sized(inbound(kAck, 1001, 5001), 1500, kMayFragment);
  burst(kClientLink, {frame});
  ASSERT_EQ(sent.size(), 2u);
  Bytes payload;
  for (size_t i = 0; i < sent.size(); ++i) {
    const Bytes& raw = sent[i].raw;
    EXPECT_LE(raw.size(), kIpAt + 1280);
    EXPECT_EQ(get16(raw, kIpAt + 4), raw.size() - kIcmp6At);
    EXPECT_EQ(raw[kIpAt + 6], 44) << "a fragment header";
    EXPECT_EQ(raw[kIcmp6At], net::kProtocolTcp);
    EXPECT_EQ(get16(raw, kIcmp6At + 2), payload.size() | (i == 0 ? 1 : 0));
    EXPECT_EQ(get32(raw, kIcmp6At + 4), get32(sent[0].raw, kIcmp6At + 4)) << "one id";
    payload = payload + slice(raw, kIcmp6At + 8, raw.size());
  }
  ASSERT_EQ(payload.size(), 1480u);
  EXPECT_EQ(slice(payload, 20, 1480), slice(frame, kTcpAt + 20, frame.size()));
  Bytes sum = slice(sent[0].raw, kIpAt + 8, kIpAt + 40);
  put32(sum, 1480);
  put32(sum, net::kProtocolTcp);
  EXPECT_EQ(reference_checksum(sum + payload), 0);
  EXPECT_EQ(events(Event::packets_fragmented), 1u);
  sent.clear();
}

TEST_P(TooLargeFamilies, FromIpv6ASmallPacketLeavesInFragmentsOfIpv4) {
  if (!families_.v6_clients || families_.v6_backends) return;
  start({.backend_mtu = 600});
  establish(1000, 5000);
  const Bytes frame = sized(inbound(kAck, 1001, 5001), 1260);
  burst(kClientLink, {frame});
  ASSERT_EQ(sent.size(), 3u);
  Bytes payload;
  for (size_t i = 0; i < sent.size(); ++i) {
    const Bytes& raw = sent[i].raw;
    EXPECT_LE(raw.size(), kIpAt + 600u);
    EXPECT_TRUE(ip_checksum_right(raw));
    EXPECT_EQ(get16(raw, kIpAt + 6), payload.size() / 8 | (i < 2 ? 0x2000 : 0));
    payload = payload + slice(raw, kTcpAt, raw.size());
  }
  EXPECT_EQ(slice(payload, 20, payload.size()), slice(frame, kTcpAt + 20, frame.size()));
  sent.clear();
  // What is larger is told of the least that IPv6 may ask for.
  const Bytes larger = sized(inbound(kAck, 1001, 5001), 1261);
  burst(kClientLink, {larger});
  expect_told(kClientLink, larger, 1260);
}

TEST_P(TooLargeFamilies, WithoutBuffersNothingLeavesInFragments) {
  if (families_.v6_clients) return;
  start({.backend_mtu = families_.v6_backends ? kSmall : uint16_t{576}});
  establish(1000, 5000);
  std::vector<rte_mbuf*> taken;
  const Bytes frame = sized(inbound(kAck, 1001, 5001), 1500, kMayFragment);
  while (rte_mempool_avail_count(packet_pool()) > 1) {
    taken.push_back(rte_pktmbuf_alloc(packet_pool()));
  }
  EXPECT_DROP(mtu_exceeded, burst(kClientLink, {frame}));
  for (rte_mbuf* buffer : taken) rte_pktmbuf_free(buffer);
  expect_nothing();
}

TEST_P(TooLargeFamilies, AcrossFamiliesSynsStateWhatBothWaysCarry) {
  start();
  const auto mss_of = [](const Sent& sent) { return get16(sent.frame, kTcpAt + 22); };
  from_client(inbound(kSyn, 1000, 0, option::mss(1460)));
  const Sent syn = only(kBackendLink);
  EXPECT_EQ(mss_of(syn), is_across() ? 1440 : 1460);
  local_ = syn.from();
  from_backend(outbound(kSynAck, 5000, 1001, option::mss(8960)));
  EXPECT_EQ(mss_of(only(kClientLink)), is_across() ? 1440 : 8960);
}

TEST_P(TooLargeFamilies, WhereItIsWantedSynsStateTheSmallerLinksMss) {
  start({.mss_clamp = true, .backend_mtu = kSmall});
  from_client(inbound(kSyn, 1000, 0, option::mss(1460)));
  const uint16_t headers = families_.v6_backends ? 60 : 40;
  EXPECT_EQ(get16(only(kBackendLink).frame, kTcpAt + 22), kSmall - headers);
}

}  // namespace
}  // namespace sluice::test
