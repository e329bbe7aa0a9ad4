// SPDX-License-Identifier: BSD-3-Clause
// Cutting frames into fragments, and putting what comes out together again, by hand.
#pragma once

#include <algorithm>
#include <map>

#include "tests/stage/udp_stage.h"

namespace sluice::test {

inline constexpr uint16_t kMore = 0x2000;

/// One fragment of a frame: `length` bytes of its payload from `offset` on.
inline Bytes piece_of(const Bytes& frame, size_t offset, size_t length, bool more,
                      uint16_t flags = 0) {
  const size_t header = ip_header_length(frame);
  Bytes made = slice(frame, 0, kIpAt + header) +
               slice(frame, kIpAt + header + offset, kIpAt + header + offset + length);
  store_checksum(made, kIpAt + 2, static_cast<uint16_t>(header + length));
  store_checksum(made, kIpAt + 6, static_cast<uint16_t>(flags | offset / 8 | (more ? kMore : 0)));
  fix_ip_checksum(made);
  return made;
}

/// All of a frame, in fragments that carry `each` bytes, a multiple of eight.
inline std::vector<Bytes> pieces_of(const Bytes& frame, size_t each, uint16_t flags = 0) {
  const size_t payload = frame.size() - kIpAt - ip_header_length(frame);
  std::vector<Bytes> pieces;
  for (size_t at = 0; at < payload; at += each) {
    const size_t length = std::min(each, payload - at);
    pieces.push_back(piece_of(frame, at, length, at + length < payload, flags));
  }
  return pieces;
}

/// The packet that frames of IPv4 make together, as one frame without DF; a whole one as it is.
/// Every fragment has to have its place and the same Identification.
inline Bytes whole_of(const std::vector<Sent>& sent) {
  std::map<size_t, Bytes> places;
  Bytes whole;
  size_t end = 0;
  for (const Sent& fragment : sent) {
    const Bytes& frame = fragment.frame;
    const uint16_t field = get16(frame, kIpAt + 6);
    const size_t at = size_t{field & 0x1fffu} * 8;
    EXPECT_TRUE(ip_checksum_right(frame));
    EXPECT_EQ(get16(frame, kIpAt + 4), get16(sent[0].frame, kIpAt + 4)) << "one Identification";
    EXPECT_EQ(get16(frame, kIpAt + 2), frame.size() - kIpAt);
    const Bytes payload = slice(frame, kIpAt + ip_header_length(frame), frame.size());
    if ((field & kMore) == 0) end = at + payload.size();
    EXPECT_TRUE(places.emplace(at, payload).second);
    if (at == 0) whole = slice(frame, 0, kIpAt + ip_header_length(frame));
  }
  const size_t header = whole.size();
  for (const auto& [at, payload] : places) {
    EXPECT_EQ(whole.size() - header, at) << "no hole, no overlap";
    whole = whole + payload;
  }
  EXPECT_EQ(whole.size() - header, end);
  if (whole.empty()) return udp_frame({});
  store_checksum(whole, kIpAt + 2, static_cast<uint16_t>(whole.size() - kIpAt));
  store_checksum(whole, kIpAt + 6, 0);
  fix_ip_checksum(whole);
  return whole;
}

class FragmentStage : public UdpStage {
 protected:
  static constexpr uint32_t kFragmentsMax = 32;

  static Scene with_fragments(Scene scene = {}) {
    scene.limits.fragment_count_max = kFragmentsMax;
    return scene;
  }
  static Bytes payload(size_t size, uint8_t seed = 7) {
    Bytes bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 31 + seed + (i >> 8));
    return bytes;
  }
  /// A datagram of the client's, in one frame that no link would carry; it may be cut.
  Bytes large_question(size_t size, uint16_t id = 1) const {
    Udp udp = asked(payload(size));
    udp.ip.fragment = 0;
    return with_id(udp_frame(udp), id);
  }
  Bytes large_answer(size_t size, uint16_t id = 1) const {
    Udp udp = answered(payload(size, 9));
    udp.ip.fragment = 0;
    return with_id(udp_frame(udp), id);
  }
  static Bytes with_id(Bytes frame, uint16_t id) {
    store_checksum(frame, kIpAt + 4, id);
    fix_ip_checksum(frame);
    return frame;
  }
  /// Takes all of `sent`, which is one datagram on that link, with a right checksum.
  Bytes datagram(uint16_t port) {
    for (const Sent& s : sent) EXPECT_EQ(s.port, port);
    const Bytes whole = whole_of(sent);
    sent.clear();
    EXPECT_EQ(reference_checksum(pseudo_header_and_segment(whole)), 0);
    return whole;
  }
  static Bytes payload_of(const Bytes& frame) { return slice(frame, kTcpAt + 8, frame.size()); }
};

}  // namespace sluice::test
