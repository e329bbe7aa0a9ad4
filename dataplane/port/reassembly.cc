// SPDX-License-Identifier: BSD-3-Clause
// Calls of rte_ip_frag, and what they leave over.
#include "dataplane/port/reassembly.h"

#include <rte_errno.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>

#include "dataplane/port/datagram_mark.h"
#include "dataplane/port/trunk.h"

namespace sluice {

using net::DropReason;
using net::Verdict;
using Judgement = FragmentTracker::Judgement;

namespace {

constexpr uint32_t kBucketEntries = 4;
// Of rte_ip_frag's own: eight fragments of 16 bytes each, key, times and lists.
constexpr uint64_t kDatagramEntryBytes = 256;

/// Twice as many places as datagrams: each has two buckets that it may be in, and needs one place.
uint32_t bucket_count(uint32_t fragment_count_max) {
  return std::bit_ceil(std::max(fragment_count_max / kBucketEntries, 1u));
}

/// All fragments of a datagram, each as large as a packet buffer.
uint16_t datagram_room(uint32_t buffer_bytes) {
  constexpr uint32_t kMost = RTE_PKTMBUF_HEADROOM + net::kDatagramLengthMax;
  static_assert(kMost <= UINT16_MAX);
  return static_cast<uint16_t>(
      std::min(kMost, RTE_PKTMBUF_HEADROOM + FragmentTracker::kPiecesMax * buffer_bytes));
}

rte_mempool* make_datagram_pool(const ReassemblySetup& setup) {
  const uint32_t room = rte_pktmbuf_data_room_size(setup.packets) - RTE_PKTMBUF_HEADROOM;
  const std::string name = "datagrams-" + std::to_string(setup.worker);
  rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), Reassembly::kDatagrams, 0, 0,
                                              datagram_room(room), setup.numa_socket);
  if (pool == nullptr) throw std::runtime_error(name + ": " + rte_strerror(rte_errno));
  return pool;
}

DropReason drop_reason_of(Judgement judgement) {
  switch (judgement) {
    case Judgement::kDuplicate:
      return DropReason::fragment_duplicate;
    case Judgement::kOverlap:
      return DropReason::fragment_overlap;
    case Judgement::kTooMany:
      return DropReason::fragments_too_many;
    case Judgement::kStore:
    case Judgement::kCompletes:
    case Judgement::kBad:
      break;
  }
  return DropReason::fragment_bad;
}

FragmentTracker::Piece piece_of(const net::FragmentView& view) {
  return {view.offset, view.length, view.more, view.protocol,
          static_cast<uint16_t>(view.header_length + view.length)};
}

// Experimental since DPDK 18.11, and the same ever since.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
void delete_expired(rte_ip_frag_tbl* table, rte_ip_frag_death_row& dead, uint64_t stamp) {
  rte_ip_frag_table_del_expired_entries(table, &dead, stamp);
}
#pragma GCC diagnostic pop

}  // namespace

Reassembly::Reassembly(const ReassemblySetup& setup, WorkerCounters& counters)
    : packets_(setup.packets),
      counters_(counters),
      tracker_(setup.fragment_count_max, setup.factor, setup.memory),
      table_(rte_ip_frag_table_create(bucket_count(setup.fragment_count_max), kBucketEntries,
                                      setup.fragment_count_max, FragmentTracker::kTimeout,
                                      setup.numa_socket)),
      datagrams_(make_datagram_pool(setup)) {
  if (!table_) throw std::runtime_error("fragments: not enough memory");
  register_datagram_mark();
}

/// Which fragments of other workers' buffers may be among.
Reassembly::~Reassembly() = default;

uint64_t Reassembly::bytes(uint32_t fragment_count_max, uint32_t buffer_bytes) {
  if (fragment_count_max == 0) return 0;
  const uint64_t places = uint64_t{bucket_count(fragment_count_max)} * kBucketEntries * 2;
  return places * kDatagramEntryBytes +
         kDatagrams * (sizeof(rte_mbuf) + datagram_room(buffer_bytes) + RTE_CACHE_LINE_SIZE) +
         FragmentTracker::bytes(fragment_count_max);
}

void Reassembly::drop_dead(DropReason reason) {
  for (uint32_t i = 0; i < dead_.cnt; ++i) counters_.count(reason);
  counters_.fragments_waiting.subtract(dead_.cnt);
  rte_ip_frag_free_death_row(&dead_, 3);
}

/// Of datagrams begun more than the timeout before `stamp`; the row of the dead may be too short
/// for all at once.
void Reassembly::drop_until(uint64_t stamp, DropReason reason) {
  do {
    drop_dead(reason);
    delete_expired(table_.get(), dead_, stamp);
  } while (dead_.cnt > 0);
}

void Reassembly::expire(uint64_t now_ms) {
  if (counters_.fragments_waiting.value() == 0 || now_ms == expired_ms_) [[likely]]
    return;
  expired_ms_ = now_ms;
  const uint64_t stamp = tracker_.next_stamp(now_ms);
  static_cast<void>(tracker_.expire(stamp));
  drop_until(stamp, DropReason::fragment_timeout);
}

bool Reassembly::may_take(uint64_t now_ms) {
  const uint64_t filled = (now_ms - filled_ms_) * kFragmentsPerMs;
  filled_ms_ = now_ms;
  tokens_ = static_cast<uint32_t>(std::min<uint64_t>(kFragmentsBurst, tokens_ + filled));
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

void Reassembly::make_room() {
  while (tracker_.is_full()) {
    const uint64_t begun = tracker_.evict_oldest().stamp;
    drop_until(begun + FragmentTracker::kTimeout + 1, DropReason::fragment_evicted);
  }
}

rte_mbuf* Reassembly::keep(rte_mbuf* fragment, const net::Packet& packet,
                           const net::FragmentView& view, uint64_t stamp) {
  fragment->l2_len = sizeof(net::EthernetHeader);
  fragment->l3_len = view.header_length;
  if (!packet.is_v6) {
    return rte_ipv4_frag_reassemble_packet(table_.get(), &dead_, fragment, stamp,
                                           reinterpret_cast<rte_ipv4_hdr*>(packet.ip));
  }
  return rte_ipv6_frag_reassemble_packet(table_.get(), &dead_, fragment, stamp,
                                         reinterpret_cast<rte_ipv6_hdr*>(packet.ip6),
                                         reinterpret_cast<rte_ipv6_fragment_ext*>(packet.ip6 + 1));
}

rte_mbuf* Reassembly::allocate(uint32_t length) {
  const uint32_t room = rte_pktmbuf_data_room_size(packets_) - RTE_PKTMBUF_HEADROOM;
  rte_mbuf* made = rte_pktmbuf_alloc(length <= room ? packets_ : datagrams_.get());
  if (made == nullptr || length > rte_pktmbuf_tailroom(made)) {
    rte_pktmbuf_free(made);
    return nullptr;
  }
  made->data_len = static_cast<uint16_t>(length);
  made->pkt_len = length;
  return made;
}

/// A copy of a datagram in pieces, with the right checksum of its header; nullptr without a buffer.
rte_mbuf* Reassembly::in_one_buffer(rte_mbuf* chain, uint16_t header_length, uint16_t largest) {
  rte_mbuf* made = allocate(chain->pkt_len);
  if (made == nullptr) return nullptr;
  auto* to = rte_pktmbuf_mtod(made, uint8_t*);
  for (const rte_mbuf* piece = chain; piece != nullptr; piece = piece->next) {
    std::memcpy(to, rte_pktmbuf_mtod(piece, const uint8_t*), piece->data_len);
    to += piece->data_len;
  }
  made->port = chain->port;
  keep_priority(made, chain);
  mark_datagram(made, largest);
  auto* frame = rte_pktmbuf_mtod(made, net::EthernetHeader*);
  if (frame->type == net::kEtherTypeIpv4) {
    auto* ip = reinterpret_cast<net::Ipv4Header*>(frame + 1);
    ip->checksum = net::checksum_of(net::checksum_sum(ip, header_length));
  }
  return made;
}

Verdict Reassembly::add(rte_mbuf* fragment, const net::Packet& packet,
                        const net::FragmentView& view, uint64_t now_ms, rte_mbuf*& whole) {
  whole = nullptr;
  expire(now_ms);
  make_room();
  const uint64_t stamp = tracker_.next_stamp(now_ms);
  const auto answer = tracker_.add({view.source, view.destination, view.id}, piece_of(view), stamp);
  const bool completes = answer.judgement == Judgement::kCompletes;
  if (!completes && answer.judgement != Judgement::kStore) return drop_reason_of(answer.judgement);
  counters_.fragments_waiting.add();
  rte_mbuf* chain = keep(fragment, packet, view, stamp);
  drop_dead(DropReason::fragment_evicted);  // where its buckets are full: by somebody's design
  if (chain == nullptr) return net::Fate::kHeld;
  counters_.fragments_waiting.subtract(chain->nb_segs);
  counters_.count(Event::fragments_reassembled, chain->nb_segs);
  const auto header_length = static_cast<uint16_t>(chain->l3_len);
  whole = in_one_buffer(chain, header_length, answer.largest);
  rte_pktmbuf_free(chain);
  counters_.count(Event::datagrams_reassembled);
  if (whole == nullptr) counters_.count(DropReason::mbuf_exhausted);
  return net::Fate::kHeld;
}

}  // namespace sluice
