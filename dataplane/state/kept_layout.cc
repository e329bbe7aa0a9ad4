// SPDX-License-Identifier: BSD-3-Clause
// Sets one field after the other of an empty record, and takes a hash of its bytes each time.
#include "dataplane/state/kept_layout.h"

#include <cstring>
#include <new>
#include <string_view>

#include "dataplane/state/clock_map.h"
#include "dataplane/state/flow.h"
#include "dataplane/state/kept_state.h"
#include "dataplane/state/port_chunks.h"
#include "dataplane/state/proxy_track.h"
#include "dataplane/state/splice.h"

namespace sluice {
namespace {

// Raised where the same bytes come to mean something else.
constexpr uint32_t kMeaning = 1;

/// FNV-1a.
class Hash {
 public:
  void add(const void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    for (size_t i = 0; i < size; ++i) hash_ = (hash_ ^ bytes[i]) * 16777619u;
  }
  void add(size_t number) { add(&number, sizeof number); }
  uint32_t value() const { return hash_; }

 private:
  uint32_t hash_ = 2166136261u;
};

/// A record of which one field has all bits set.
template <class Record, class Set>
void add_field(Hash& hash, Set&& set) {
  alignas(Record) unsigned char bytes[sizeof(Record)] = {};
  set(*std::launder(reinterpret_cast<Record*>(bytes)));
  hash.add(bytes, sizeof bytes);
}

template <class Field>
void fill(Field& field) {
  std::memset(static_cast<void*>(&field), 0xff, sizeof field);
}

void add_flow(Hash& hash) {
#define FIELD(name) add_field<Flow>(hash, [](Flow& flow) { fill(flow.name); });
#define FLAG(name) add_field<Flow>(hash, [](Flow& flow) { flow.name = true; });
#define NUMBER(name, value) add_field<Flow>(hash, [](Flow& flow) { flow.name = value; });
  FIELD(key)
  FIELD(path)
  FIELD(local_port)
  FIELD(deltas)
  FLAG(live)
  FLAG(timestamps)
  FLAG(rewrite_timestamps)
  FLAG(reset_on_timeout)
  FLAG(holds_port)
  FLAG(closed_listed)
  FLAG(adjusted)
  FLAG(answer_due)
  NUMBER(heal_attempts, 7)
  NUMBER(syns, 3)
  NUMBER(reuse, PortReuse::kRebased)
  FIELD(last_seen_ms)
  FIELD(ts_recent)
  FIELD(to_client)
  FIELD(bounds)
  FIELD(adjust)
  FIELD(opened_ms)
  FIELD(timer)
  FIELD(passed)
  FIELD(syn_slot)
  FIELD(closed_newer)
  FIELD(half_open)
  NUMBER(half_open.extras, flow_extra::kProxy)
  NUMBER(half_open.extras, flow_extra::kToa)
  NUMBER(half_open.extras, flow_extra::kSpliced)
#undef NUMBER
#undef FLAG
#undef FIELD
}

/// What keeps its fields to itself shows them by what it does.
void add_tracks(Hash& hash) {
  net::TcpHeader header{};
  header.sequence = net::be32::from_host(0x01020304);
  header.acknowledgement = net::be32::from_host(0x11121314);
  header.data_offset = sizeof header / 4 << 4;
  header.flags = net::tcp_flag::kSyn;
  header.window = net::be16::from_host(0x2122);
  net::Packet packet{};
  packet.l4_length = sizeof header;
  packet.tcp = &header;
  add_field<Flow>(hash, [&](Flow& flow) {
    flow.tcp.open(flow.bounds, packet, 3, true);
    header.sequence = net::be32::from_host(0x31323334);
    header.flags = net::tcp_flag::kSyn | net::tcp_flag::kAck;
    flow.tcp.answer(flow.bounds, packet, 5, true);
  });
  add_field<Flow>(hash, [](Flow& flow) {
    flow.udp.open({true, false});
    flow.udp.note_client(77);
    flow.udp.note_backend(99);
    flow.udp.note_client(33);
  });
  add_field<ClockMap>(hash, [](ClockMap& map) {
    map.start(0x41424344, 0x51525354);
    map.to_ours(0x41424444, 0x51526354);
  });
#define FIELD(name) add_field<ProxyTrack>(hash, [](ProxyTrack& track) { fill(track.name); });
  FIELD(tsecr)
  FIELD(sent_ms)
  FIELD(length)
  FIELD(mss)
  FIELD(form)
  FIELD(tries)
#undef FIELD
  add_field<ProxyTrack>(hash, [](ProxyTrack& track) { track.step = ProxyTrack::Step::kAcked; });
#define FIELD(name) add_field<Splice>(hash, [](Splice& splice) { fill(splice.name); });
  FIELD(cookie)
  FIELD(sequence)
  FIELD(timestamp)
  FIELD(tsval_first)
  FIELD(sent_ms)
  FIELD(told_scale)
  FIELD(client_scale)
  FIELD(tries)
#undef FIELD
  add_field<Splice>(hash, [](Splice& splice) { splice.is_open = true; });
#define X(enumerator, name)                                  \
  hash.add(std::string_view(name).data(), sizeof(name) - 1); \
  hash.add(static_cast<size_t>(FlowState::enumerator));
  SLUICE_FLOW_STATES(X)
#undef X
}

void add_ports(Hash& hash) {
#define FIELD(name) add_field<PortChunk>(hash, [](PortChunk& chunk) { fill(chunk.name); });
  FIELD(uses[1])
  FIELD(records[1].closed_ms)
  FIELD(records[1].rcv_nxt)
  FIELD(records[1].ts_recent)
  FIELD(ports[1])
  FIELD(pool.protocol)
  FIELD(pool.local)
  FIELD(pool.backend)
  FIELD(whole)
#undef FIELD
  add_field<PortUse>(hash, [](PortUse& use) { use.flow = PortUse::kNoFlow; });
  add_field<PortUse>(hash, [](PortUse& use) { use.place = PortUse::Place::kBag; });
  add_field<PortUse>(hash, [](PortUse& use) { use.kind = PriorIncarnation::Kind::kTimeWait; });
  add_field<PortUse>(hash, [](PortUse& use) { use.timestamps = true; });
  add_field<PortUse>(hash, [](PortUse& use) { use.touched = true; });
#define FIELD(name) add_field<KeptPath>(hash, [](KeptPath& path) { fill(path.name); });
  FIELD(pool)
  FIELD(vip)
  FIELD(whole)
#undef FIELD
  hash.add(sizeof(net::Ipv6Address));
}

}  // namespace

uint32_t records_layout() {
  Hash hash;
  hash.add(kMeaning);
  add_flow(hash);
  add_tracks(hash);
  add_ports(hash);
  return hash.value();
}

}  // namespace sluice
