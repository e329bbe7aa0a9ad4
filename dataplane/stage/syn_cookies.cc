// SPDX-License-Identifier: BSD-3-Clause
// SYN-ACKs without a flow, and flows without a SYN.
#include "dataplane/stage/syn_cookies.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "dataplane/net/segment.h"
#include "dataplane/net/syn_cookie.h"
#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/cookie_clock.h"
#include "dataplane/stage/cookie_state.h"
#include "dataplane/stage/made_syn.h"
#include "dataplane/stage/open_flow.h"
#include "dataplane/stage/splice_numbers.h"

namespace sluice {

using net::DropReason;
using net::SynOffer;
using net::Verdict;
namespace flag = net::tcp_flag;

namespace {

constexpr uint32_t kWindowMs = 1'000;  // in which what comes back is counted
// So many a second that nobody comes back for are no flood.
constexpr uint32_t kFewLost = 64;

/// Who asks whom, for the hash.
struct AskingEnds {
  std::array<uint64_t, 3> words;
  size_t count;
  std::span<const uint64_t> span() const { return {words.data(), count}; }
};
AskingEnds asking_ends(const Segment& segment, ServiceId service) {
  if (!segment.packet.is_v6) {
    return {{FlowKey{segment.source_of<net::Ipv4Address>(), service}.word(), 0, 0}, 1};
  }
  return {FlowKey6{segment.source_of<net::Ipv6Address>(), service}.words(), 3};
}

/// Options of a SYN or a SYN-ACK, as Linux orders them.
class SynOptions {
 public:
  SynOptions(uint16_t mss, const SynOffer& offer, uint32_t tsval, uint32_t tsecr, uint8_t scale) {
    put({2, 4, static_cast<uint8_t>(mss >> 8), static_cast<uint8_t>(mss)});
    if (offer.timestamps) {
      const auto sack = static_cast<uint8_t>(offer.sack ? 4 : 1);
      const auto length = static_cast<uint8_t>(offer.sack ? 2 : 1);
      put({sack, length, 8, 10});
      put_word(tsval);
      put_word(tsecr);
    }
    if (offer.has_window_scale) put({1, 3, 3, scale});
  }
  std::span<const uint8_t> bytes() const { return {bytes_.data(), length_}; }

 private:
  void put(const std::array<uint8_t, 4>& bytes) {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<ptrdiff_t>(length_));
    length_ += bytes.size();
  }
  void put_word(uint32_t value) {
    const net::be32 word = net::be32::from_host(value);
    std::memcpy(bytes_.data() + length_, &word, sizeof word);
    length_ += sizeof word;
  }

  std::array<uint8_t, 20> bytes_;
  size_t length_ = 0;
};

/// Whether far more is answered than comes back.
void follow_flood(const Core& core, CookieState& state) {
  if (core.now32() - state.window_ms >= kWindowMs) {
    if (state.sent > state.accepted + kFewLost) state.flood_ms = core.now32();
    state.window_ms = core.now32();
    state.sent = state.accepted = 0;
  }
  ++state.sent;
}

SynOffer agreed(const SynOffer& client, const CookieState& state) {
  SynOffer offer = client;
  offer.timestamps &= state.timestamps;
  offer.has_window_scale &= state.has_window_scale && offer.timestamps;
  offer.sack &= state.sack && offer.timestamps;
  offer.ecn &= state.ecn && offer.timestamps;
  return offer;
}

/// What the client said, as far as its acknowledgement still tells.
SynOffer offer_of(const net::TcpHeader& ack, uint16_t mss) {
  SynOffer offer;
  offer.mss = mss;
  if (const uint8_t at = net::find_timestamps(ack)) {
    net::read_cookie_tsval(net::tcp_word_at(ack, static_cast<uint8_t>(at + 4)).host(), offer);
  }
  return offer;
}

/// The SYN that the client has sent, in a buffer of our own; false without one.
bool make_syn(Core& core, const Segment& ack, uint32_t isn, const SynOffer& offer, Segment& syn) {
  const net::TcpHeader& tcp = *ack.packet.tcp;
  uint32_t tsval = 0;
  if (const uint8_t at = net::find_timestamps(tcp)) tsval = net::tcp_word_at(tcp, at).host();
  const SynOptions options(offer.mss, offer, tsval, 0, offer.window_scale);
  const uint32_t window = uint32_t{tcp.window.host()} << offer.window_scale;
  const net::SegmentFields fields{
      .source = ack.source(),
      .destination = ack.destination(),
      .sequence = isn,
      .flags = static_cast<uint8_t>(flag::kSyn | (offer.ecn ? flag::kEce | flag::kCwr : 0)),
      .window = static_cast<uint16_t>(std::min<uint32_t>(window, UINT16_MAX)),
      .options = options.bytes()};
  const uint16_t length = net::segment_frame_length(fields);
  syn.buffer = core.tx.allocate(length);
  if (syn.buffer == nullptr) return false;
  auto* frame = rte_pktmbuf_mtod(syn.buffer, uint8_t*);
  net::write_segment({frame, length}, fields);
  syn.packet = net::view_own_segment(frame);
  return true;
}

void begin_splice(Core& core, uint32_t index, uint32_t cookie, const SynOffer& offer) {
  Flow& flow = core.flows[index];
  const CookieState& state = core.service(flow).cookies;
  flow.half_open.extras |= flow_extra::kSpliced;
  flow.adjusted = true;
  Splice& splice = core.splice(index);
  splice = {};
  splice.cookie = cookie;
  splice.told_scale = offer.has_window_scale ? state.told_scale : uint8_t{0};
  splice.client_scale = offer.window_scale;
  splice.sent_ms = core.now32();
  splice.tries = 1;
  hasten_splice(core, index);
}

/// The number of the client's SYN, where `ack` acknowledges a cookie: one before its own, or its
/// own, where it asks for the window (RFC 9293, section 3.8.6.1).
std::optional<std::pair<uint32_t, uint16_t>> read_cookie(Core& core, const AskingEnds& ends,
                                                         const net::TcpHeader& ack) {
  const uint32_t cookie = ack.acknowledgement.host() - 1, sequence = ack.sequence.host();
  for (const uint32_t isn : {sequence - 1, sequence}) {
    if (const auto mss = core.cookies.check(ends.span(), isn, cookie, core.now_ms)) {
      return std::pair(isn, *mss);
    }
  }
  return {};
}

}  // namespace

Verdict answer_by_cookie(Core& core, const ServiceView& service, Segment& segment) {
  CookieState& state = core.registry.services[service.id]->cookies;
  follow_flood(core, state);
  state.sent_ms = core.now32();
  state.any_sent = true;
  const net::TcpHeader& tcp = *segment.packet.tcp;
  const SynOffer client = net::read_offer(tcp), offer = agreed(client, state);
  const uint32_t isn = tcp.sequence.host();
  const uint32_t cookie =
      core.cookies.make(asking_ends(segment, service.id).span(), isn, client.mss, core.now_ms);
  uint32_t tsval = 0;
  if (const uint8_t at = net::find_timestamps(tcp)) tsval = net::tcp_word_at(tcp, at).host();
  SynOffer said = client;
  said.has_window_scale &= offer.has_window_scale;
  said.sack = offer.sack;
  said.ecn = offer.ecn;
  const SynOptions options(state.mss, offer, net::cookie_tsval(cookie_clock(core), said), tsval,
                           state.told_scale);
  const net::SegmentFields fields{
      .source = segment.destination(),
      .destination = segment.source(),
      .sequence = cookie,
      .acknowledgement = isn + 1,
      .flags = static_cast<uint8_t>(flag::kSyn | flag::kAck | (offer.ecn ? flag::kEce : 0)),
      .window = 0,
      .options = options.bytes()};
  rte_mbuf* packet = std::exchange(segment.buffer, nullptr);
  packet->data_len = net::segment_frame_length(fields);
  packet->pkt_len = packet->data_len;
  net::write_segment({rte_pktmbuf_mtod(packet, uint8_t*), packet->data_len}, fields);
  core.count(Event::packets_made);  // in the place of one that is consumed
  core.count(Event::syn_cookies_sent);
  NextHop hop;
  core.send(packet, fields.destination.ip, hop);
  return net::Fate::kConsumed;
}

std::optional<Verdict> open_by_cookie(Core& core, const ServiceView& service, Segment& segment) {
  const net::TcpHeader& tcp = *segment.packet.tcp;
  CookieState& state = core.registry.services[service.id]->cookies;
  const bool any = state.any_sent && core.now32() - state.sent_ms < 2 * net::SynCookies::kPeriodMs;
  if (!any || !tcp.has(flag::kAck) || tcp.has(flag::kSyn | flag::kRst)) return {};
  const auto read = read_cookie(core, asking_ends(segment, service.id), tcp);
  if (!read) return {};
  const auto [isn, mss] = *read;
  const SynOffer offer = offer_of(tcp, mss);
  const uint32_t cookie = tcp.acknowledgement.host() - 1;
  ++state.accepted;
  Segment syn;
  if (!make_syn(core, segment, isn, offer, syn)) return DropReason::mbuf_exhausted;
  uint32_t index;
  const Verdict opened = open_flow(core, service, syn, index, true);
  if (!opened.passed()) {
    // The segment is refused, and counted, in its place.
    core.count(Event::syn_cookies_refused);
    rte_pktmbuf_free(syn.buffer);
    return opened.reason();
  }
  begin_splice(core, index, cookie, offer);
  send_made_syn(core, index, syn);
  core.count(Event::syn_cookies_accepted);
  rte_pktmbuf_free(segment.buffer);
  return net::Fate::kConsumed;
}

}  // namespace sluice
