// SPDX-License-Identifier: BSD-3-Clause
// From a destination address to a frame on a port: route, neighbour, Ethernet header.
//
// A flow remembers its NextHop, so a packet normally costs one compare and one header write.
// Unknown next hops are asked for (neighbour_protocol.h: ARP, neighbour discovery) with retries
// while a bounded queue of packets waits. Known ones are confirmed while they are used: by unicast
// probes, then by asking everyone, and meanwhile packets go on to the MAC that is known (RFC 1122,
// section 2.3.2.1; RFC 4861, section 7.3). Backends and gateways are confirmed once a second, so
// that a MAC that changes without a word is found within three.
//
// Neither protocol is authenticated. Somebody who claims the address of a next hop that is known is
// not believed before the one that is known has been asked, three times in 0.6 s, and is silent.
// What a flood from the link can take of the table, of the queues and of our requests is bounded.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "dataplane/net/headers.h"
#include "dataplane/net/verdict.h"
#include "dataplane/port/tx.h"
#include "dataplane/stage/neighbour_protocol.h"
#include "dataplane/state/flow.h"
#include "dataplane/state/mac_conflicts.h"
#include "dataplane/state/neighbours.h"

namespace sluice {

/// That an address has a MAC, as somebody on a link says.
template <class Address>
struct NeighbourClaim {
  Address ip;
  // What only neighbour discovery tells or leaves out (RFC 4861, section 7.2.5).
  std::optional<net::MacAddress> mac;  // none: the one that is known
  bool overrides = true;               // false: another MAC that is known is the better one
  bool confirms = true;  // false: nobody was asked, so whether we reach it is not known
};

template <class Address>
class NextHopsOf {
 public:
  using Neighbour = NeighbourOf<Address>;
  using Neighbours = NeighboursOf<Address>;
  using Share = NeighbourKinds::Share;
  using State = NeighbourKinds::State;
  /// An address as an argument: what fits a register goes in one.
  using AddressIn =
      std::conditional_t<sizeof(Address) <= sizeof(uint64_t), Address, const Address&>;

  static constexpr uint32_t kConfirmMs = 1'000;        // backends and gateways in use
  static constexpr uint32_t kConfirmOthersMs = 2'000;  // at least: no more than 500 probes a second
  static constexpr uint8_t kProbes = 3;                // to the MAC that is known, then to all
  static constexpr uint32_t kProbeMs = 250;
  static constexpr uint32_t kContestMs = 200;      // between the questions to who is known
  static constexpr uint32_t kContestLockMs = 100;  // between two looks at claims of an address
  // Requests for strangers, of each interface: a bucket of so many, filled at so many a
  // millisecond.
  static constexpr uint32_t kAsksBurst = 1'000;
  static constexpr uint32_t kAsksPerMs = 2;

  /// `conflicts` is that of both families.
  NextHopsOf(Tx& tx, WorkerCounters& counters, MacConflicts& conflicts,
             uint32_t neighbour_count_max, uint64_t now_ms, std::pmr::memory_resource* memory,
             uint64_t hash_key)
      : tx_(tx),
        counters_(counters),
        conflicts_(conflicts),
        neighbours_(neighbour_count_max, now_ms, memory, hash_key) {
    buckets_.fill({kAsksBurst, now_ms});
  }

  /// Sends a packet of the family (Ethernet header in place, to be filled in) to a destination, now
  /// or when its next hop has answered. A packet that is to be dropped stays the caller's; where
  /// that is for mtu_exceeded, mtu() is what the way out takes. `share` is kFlows for what belongs
  /// to an established flow.
  template <Share share = Share::kStrangers>
  net::Verdict try_send(const Snapshot& snapshot, rte_mbuf* packet, AddressIn destination,
                        NextHop& hop, uint64_t now_ms) {
    if (hop.neighbour != Neighbours::kNone &&
        neighbours_.generation(hop.neighbour) == hop.generation) [[likely]] {
      Neighbour& neighbour = neighbours_[hop.neighbour];
      // None fits where there is no MAC.
      if (packet->pkt_len <= neighbour.frame_max) [[likely]] {
        (share == Share::kFlows ? neighbour.flow_used_ms : neighbour.used_ms) = now_ms;
        transmit(packet, neighbour);
        return net::Fate::kSent;
      }
    }
    return send_unresolved(snapshot, packet, destination, hop, now_ms, share);
  }

  /// The same for packets of our own: what cannot be sent is dropped.
  void send(const Snapshot& snapshot, rte_mbuf* packet, AddressIn destination, NextHop& hop,
            uint64_t now_ms) {
    const net::Verdict verdict = try_send(snapshot, packet, destination, hop, now_ms);
    if (!verdict.passed()) tx_.drop(packet, verdict.reason());
  }

  /// Whether a frame of that length would fit where try_send() would send it, asked before it is
  /// made: mtu_exceeded where not, another reason where there is no way at all.
  net::Verdict room_for(const Snapshot& snapshot, uint32_t frame_length, AddressIn destination,
                        NextHop& hop, uint64_t now_ms, Share share) {
    if (hop.neighbour != Neighbours::kNone &&
        neighbours_.generation(hop.neighbour) == hop.generation &&
        frame_length <= neighbours_[hop.neighbour].frame_max) [[likely]] {
      return net::Verdict::pass();
    }
    return room_unresolved(snapshot, frame_length, destination, hop, now_ms, share);
  }

  /// The connection whose packets go by `hop` is established: it is no stranger's any more.
  void note_established(NextHop hop, uint64_t now_ms) {
    if (hop.neighbour != Neighbours::kNone &&
        neighbours_.generation(hop.neighbour) == hop.generation) {
      neighbours_[hop.neighbour].flow_used_ms = now_ms;
    }
  }

  /// Of the way out that `hop` stands for, after try_send().
  uint16_t mtu(const Snapshot& snapshot, NextHop hop) const {
    return snapshot.interfaces[neighbours_[hop.neighbour].interface].mtu;
  }

  /// Learns from what came in on `interface`. Entries are made only for who asked for one of our
  /// addresses (RFC 826; RFC 4861, section 7.2.3); others update what is there. `counts`: whether a
  /// conflict is to be counted here (of copies for several workers one is).
  void learn(const Snapshot& snapshot, const NeighbourClaim<Address>& claim, uint16_t interface,
             bool asks_for_us, bool counts, uint64_t now_ms);
  /// Somebody else has an address of ours.
  void note_own_conflict(const Snapshot& snapshot, AddressIn ip, net::MacAddress claimed,
                         uint16_t interface);

  /// Retries, probes and ageing that are due.
  void tick(const Snapshot& snapshot, uint64_t now_ms);

  /// Takes routes, backends, gateways and pinned neighbours from a snapshot whose network is
  /// another: their entries are kept for good, and asked for before the first packet needs them. Of
  /// many a part is taken at once, and the rest with each tick().
  void adopt(const Snapshot& snapshot, uint64_t now_ms);
  bool is_adopting() const { return adoption_.step != Adoption::Step::kDone; }
  /// Asks the configured next hops of an interface whose link has come up whether they are the
  /// same: of many a part at once, and the rest with each tick().
  void link_came_up(const Snapshot& snapshot, uint16_t interface, uint64_t now_ms);

  /// Asks for the next hop towards `destination` before the first packet needs it, and keeps it.
  void prepare(const Snapshot& snapshot, AddressIn destination, uint64_t now_ms);

  const Neighbours& neighbours() const { return neighbours_; }

 private:
  struct Bucket {
    uint32_t tokens;
    uint64_t filled_ms;
  };

  /// How far a snapshot's next hops have been taken over. First what it names is marked with the
  /// network's number, then what is configured and has another number loses its place.
  struct Adoption {
    enum class Step : uint8_t { kPinned, kGateways, kBackends, kForget, kDone };
    Step step = Step::kDone;
    uint32_t network = 0;
    uint32_t outer = 0;  // interface, route, service or neighbour
    uint32_t inner = 0;  // pinned neighbour or backend of it
  };
  /// Links that have come up, and how far their next hops have been asked since.
  struct LinkUps {
    uint32_t interfaces = 0;  // a bit for each
    uint32_t next = 0;        // neighbour
  };
  static_assert(kInterfacesMax <= 32);
  void ask_more_again(const Snapshot& snapshot, uint64_t now_ms);
  bool ask_again_later(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);

  void adopt_more(const Snapshot& snapshot, uint64_t now_ms);
  uint32_t adopt_next(const Snapshot& snapshot, uint64_t now_ms);
  void next_step(typename Adoption::Step step) { adoption_ = {step, adoption_.network, 0, 0}; }
  void forget(uint32_t index, uint64_t now_ms);

  using Protocol = NeighbourProtocol<Address>;

  uint32_t resolve(const Snapshot& snapshot, AddressIn destination, Share share, uint64_t now_ms,
                   net::DropReason& reason);
  /// The entry of `link`, which `route` says is on its interface's link; kNone where there is no
  /// room for one.
  uint32_t resolve_on(const Snapshot& snapshot, const RouteOf<Address>& route, AddressIn link,
                      Share share, uint64_t now_ms);
  uint32_t entry_of(const Snapshot& snapshot, const RouteOf<Address>& route, AddressIn link,
                    Share share, uint64_t now_ms);
  net::Verdict find_hop(const Snapshot& snapshot, AddressIn destination, NextHop& hop,
                        uint64_t now_ms, Share share);
  uint32_t make(AddressIn ip, uint16_t interface, Share share, bool has_mac, uint64_t now_ms);
  void transmit(rte_mbuf* packet, const Neighbour& neighbour) {
    *rte_pktmbuf_mtod(packet, net::EthernetHeader*) = neighbour.header;
    tx_.send(neighbour.port, packet);
  }
  net::Verdict send_unresolved(const Snapshot& snapshot, rte_mbuf* packet, AddressIn destination,
                               NextHop& hop, uint64_t now_ms, Share share);
  net::Verdict room_unresolved(const Snapshot& snapshot, uint32_t frame_length,
                               AddressIn destination, NextHop& hop, uint64_t now_ms, Share share);
  net::Verdict wait_for_answer(const Snapshot& snapshot, rte_mbuf* packet, uint32_t index,
                               uint64_t now_ms, Share share);
  void begin_asking(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);
  bool may_ask(const Neighbour& neighbour, uint64_t now_ms);
  /// Everybody, or the one who is probed.
  void ask(const Snapshot& snapshot, const Neighbour& neighbour,
           std::optional<net::MacAddress> probed = {});
  uint32_t confirm_interval_ms(const Neighbour& neighbour) const;

  void keep(const Snapshot& snapshot, AddressIn destination, uint64_t now_ms);
  void keep_entry(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);
  void pin(const Snapshot& snapshot, uint16_t interface, const PinnedNeighbourOf<Address>& pinned,
           uint64_t now_ms);
  void begin_asking_later(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);

  void hear(const Snapshot& snapshot, uint32_t index, net::MacAddress mac,
            const NeighbourClaim<Address>& claim, bool counts, uint64_t now_ms);
  void doubt(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);
  void contest(const Snapshot& snapshot, uint32_t index, net::MacAddress claimed, uint64_t now_ms);
  void set_mac(const Snapshot& snapshot, uint32_t index, net::MacAddress mac);
  void confirm(uint32_t index, uint64_t now_ms);
  void note_conflict(const Neighbour& neighbour, net::MacAddress claimed, uint64_t times);

  void expire(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);
  void expire_reachable(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);
  void probe(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);
  void ask_contested(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);
  void ask_again(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);

  void wait_ended(uint32_t index, net::DropReason reason);
  void remove(uint32_t index, net::DropReason reason);
  void assign(uint32_t index, Share share, uint64_t now_ms);

  Tx& tx_;
  WorkerCounters& counters_;
  MacConflicts& conflicts_;
  Neighbours neighbours_;
  std::array<Bucket, kInterfacesMax> buckets_;
  uint32_t asked_at_once_ = 0;
  Adoption adoption_;
  LinkUps link_ups_;
};

using NextHops = NextHopsOf<net::Ipv4Address>;
using NextHops6 = NextHopsOf<net::Ipv6Address>;

}  // namespace sluice
