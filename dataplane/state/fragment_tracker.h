// SPDX-License-Identifier: BSD-3-Clause
// Which fragments wait for the rest of their datagram: what rte_ip_frag, which keeps them, does not
// judge or tell.
//
// Bounded in datagrams and in fragments; the datagram that was begun first makes way. Time is a
// stamp that grows with every fragment, so that each datagram has one of its own: rte_ip_frag goes
// by the same stamps, and both forget the same datagrams (port/reassembly.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/state/flat_map.h"

namespace sluice {

/// Whose fragments belong together. As in rte_ip_frag the protocol is no part of it; a fragment of
/// another protocol spoils its datagram.
struct FragmentKey {
  net::IpAddress source;
  net::IpAddress destination;
  net::be32 id;
  uint32_t zero = 0;

  friend bool operator==(const FragmentKey&, const FragmentKey&) = default;
};
static_assert(std::has_unique_object_representations_v<FragmentKey>);

class FragmentTracker {
 public:
  /// Of a datagram, as rte_ip_frag has them: a first and a last one, and six between.
  static constexpr uint32_t kPiecesMax = 8;
  static constexpr uint32_t kBetweenMax = kPiecesMax - 2;
  static constexpr uint64_t kTimeoutMs = 1'000;
  static constexpr unsigned kStampBits = 16;  // stamps a millisecond
  static constexpr uint64_t kTimeout = kTimeoutMs << kStampBits;

  struct Piece {
    uint16_t offset;
    uint16_t length;  // at least 1
    bool more;
    uint8_t protocol;
    uint16_t packet_length;  // of the fragment as a packet, headers included
  };

  enum class Judgement : uint8_t {
    kStore,      // keep it; the datagram is not whole yet
    kCompletes,  // keep it; the datagram is whole, and forgotten here
    // Not to be kept:
    kDuplicate,  // the same place as one that waits
    kOverlap,    // with another, now or before: the datagram is lost (RFC 5722)
    kBad,        // beyond the end, a second end, or another protocol: the same
    kTooMany     // more pieces than are put together: the same
  };
  struct Answer {
    Judgement judgement;
    uint16_t largest = 0;  // kCompletes: of the datagram's packets
  };

  /// `fragment_count_max` bounds datagrams too. `factor`: an odd secret.
  FragmentTracker(uint32_t fragment_count_max, uint64_t factor,
                  std::pmr::memory_resource* memory = std::pmr::get_default_resource());

  /// Of a fragment that comes now; grows with every call.
  uint64_t next_stamp(uint64_t now_ms);

  /// Forgets datagrams that were begun too long before; how many fragments those had.
  uint32_t expire(uint64_t stamp);
  /// Whether room has to be made before a fragment may be judged.
  bool is_full() const { return held_ >= fragment_count_max_; }
  /// Forgets the datagram that was begun first, and returns its stamp and fragments. There is one.
  struct Evicted {
    uint64_t stamp;
    uint32_t fragments;
  };
  Evicted evict_oldest();

  Answer add(const FragmentKey& key, const Piece& piece, uint64_t stamp);

  uint32_t held() const { return held_; }
  uint32_t datagrams() const { return datagrams_; }

  static size_t bytes(uint32_t fragment_count_max);

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Datagram {
    FragmentKey key{};
    uint64_t begun = 0;  // stamp
    std::array<Piece, kPiecesMax> pieces{};
    uint32_t older = kNone, newer = kNone;  // by `begun`; `newer` chains the free ones
    uint32_t sum = 0;                       // of lengths
    uint32_t end = 0;                       // of the datagram; 0: not known yet
    uint16_t largest = 0;
    uint8_t count = 0;
    uint8_t between = 0;  // pieces that are neither the first nor the last
    bool lost = false;
    Judgement why = Judgement::kOverlap;  // if lost
  };

  uint32_t begin(const FragmentKey& key, uint64_t stamp);
  void forget(uint32_t index);
  static Judgement judge(const Datagram& datagram, const Piece& piece);

  uint32_t fragment_count_max_;
  std::pmr::vector<Datagram> entries_;
  FlatMap<FragmentKey> index_;
  uint32_t oldest_ = kNone, newest_ = kNone, free_ = 0;
  uint32_t held_ = 0, datagrams_ = 0;
  uint64_t stamp_ = 0;
};

}  // namespace sluice
