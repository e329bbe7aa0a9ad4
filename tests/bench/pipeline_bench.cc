// SPDX-License-Identifier: BSD-3-Clause
// What a packet costs in the pipeline: plain flows against fitted and rewritten ones, and new flows.
//
// The real Core and run_burst(), no device: a transmit function that takes everything. Each round sends one
// data segment through every flow in random order, so the table is as cold as its size makes it. Rounds of
// the kinds alternate; medians are printed, and ratios to the plain flow of the same run.
#include <rte_eal.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <vector>

#include "dataplane/alter.h"
#include "dataplane/net/checksum.h"
#include "dataplane/pipeline.h"
#include "dataplane/state/scheduler.h"

namespace {

using namespace sluice;  // NOLINT: a program of one file
using net::be16;
using net::be32;
namespace flag = net::tcp_flag;

constexpr net::MacAddress kOurMac{{2, 0, 0, 0, 0, 1}};
constexpr net::MacAddress kPeerMac{{2, 0, 0, 0, 0, 2}};
constexpr be32 kVip = be32::from_host(0x0a030001);
constexpr be32 kLocal = be32::from_host(0x0a020001);
constexpr be32 kBackend = be32::from_host(0x0a02000a);
constexpr be32 kClients = be32::from_host(0x0a010000);
constexpr uint16_t kFrameLength = 14 + 20 + 32 + 64;
constexpr int kRounds = 41;

uint16_t take_all(void*, uint16_t, rte_mbuf**, uint16_t count) {
  return count;
}

Snapshot make_snapshot() {
  Snapshot s;
  s.interfaces = {{"client", 0, kOurMac, {{be32::from_host(0x0a01fffe), 16}}},
                  {"backend", 1, kOurMac, {{be32::from_host(0x0a02fffe), 16}}}};
  const be32 gateway = be32::from_host(0x0a01ff01);
  s.routes = {
      {{kClients, 17}, gateway, 0, {}}, {{kClients, 16}, {}, 0, {}}, {{kLocal, 16}, {}, 1, {}}};
  s.own_everywhere = {kVip, kLocal};
  s.locals = {kLocal};
  ServiceView service{};
  service.vip = {kVip, be16::from_host(80)};
  service.backends = {{0, {kBackend, be16::from_host(80)}, 1, {0}}};
  service.turns = make_turns(std::vector<uint32_t>{1});
  s.services = {service};
  s.seal();
  return s;
}

/// A frame with timestamps and, without SYN, 64 bytes of payload.
struct Frame {
  uint8_t bytes[kFrameLength];
  uint16_t length;
};

Frame make_frame(net::Endpoint source, net::Endpoint destination, uint32_t sequence, uint32_t ack,
                 uint8_t flags) {
  Frame frame{};
  auto& ethernet = *reinterpret_cast<net::EthernetHeader*>(frame.bytes);
  auto& ip = *reinterpret_cast<net::Ipv4Header*>(&ethernet + 1);
  auto& tcp = *reinterpret_cast<net::TcpHeader*>(&ip + 1);
  const uint16_t tcp_length = (flags & flag::kSyn) != 0 ? 32 : 32 + 64;
  frame.length = static_cast<uint16_t>(34 + tcp_length);
  ethernet = {kOurMac, kPeerMac, net::kEtherTypeIpv4};
  const be16 total = be16::from_host(static_cast<uint16_t>(20 + tcp_length));
  ip = {0x45, 0, total, {0}, {0}, 64, net::kProtocolTcp, {0}, source.ip, destination.ip};
  ip.checksum = net::checksum_of(net::checksum_sum(&ip, 20));
  tcp = {source.port,
         destination.port,
         be32::from_host(sequence),
         be32::from_host(ack),
         0x80,
         flags,
         be16::from_host(65000),
         {0},
         {0}};
  auto* options = reinterpret_cast<be32*>(&tcp + 1);
  options[0] = be32::from_host(0x0101080a);
  options[1] = be32::from_host(1000);
  options[2] = be32::from_host(2000);
  tcp.checksum = net::checksum_of(net::pseudo_header_sum(ip, tcp_length) +
                                  net::checksum_sum(&tcp, tcp_length));
  return frame;
}

class Bench {
 public:
  explicit Bench(uint32_t flow_count) : snapshot_(make_snapshot()), flow_count_(flow_count) {
    pool_ = rte_pktmbuf_pool_create("packets", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    CoreSetup setup{};
    setup.name = "bench";
    setup.limits = {2 * flow_count, 64, 1024};
    setup.packets = pool_;
    setup.transmit = take_all;
    core_ = std::make_unique<Core>(setup);
    net::Random random({1, 2});
    core_->registry.services[0] = std::make_unique<ServiceState>();
    core_->registry.backends[0] = std::make_unique<BackendState>();
    core_->registry.pools[0] = std::make_unique<PoolState>(
        kLocal, net::Endpoint{kBackend, be16::from_host(80)}, PortRange{1024, 65535}, random);
    adopt_snapshot(*core_, snapshot_);
    for (rte_mbuf*& buffer : burst_) buffer = rte_pktmbuf_alloc(pool_);
    know(be32::from_host(0x0a01ff01), 0);
    know(kBackend, 1);
    for (uint32_t i = 0; i < flow_count; ++i) open(i);
    order_.resize(flow_count);
    std::iota(order_.begin(), order_.end(), 0u);
    for (uint32_t i = flow_count - 1; i > 0; --i) std::swap(order_[i], order_[random.below(i + 1)]);
  }

  /// Nanoseconds a packet, one data segment through each flow.
  double round(bool inbound) {
    const auto begin = std::chrono::steady_clock::now();
    for (uint32_t at = 0; at + kBurst <= flow_count_; at += kBurst) {
      for (uint32_t i = 0; i < kBurst; ++i) {
        put(i, inbound ? to_backend_[order_[at + i]] : to_client_[order_[at + i]]);
      }
      run_burst(*core_, inbound ? 0 : 1, burst_, kBurst);
      core_->tx.flush();
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    return spent.count() / (flow_count_ / kBurst * kBurst);
  }

  void alter_all(bool rewrite, net::Shift shift) {
    for (uint32_t i = 0; i < flow_count_; ++i) {
      Flow& flow = core_->flows[flows_[i]];
      flow.shift = shift;
      flow.rewrite_timestamps = rewrite;
      flow.altered = rewrite || shift.any();
      core_->clock_maps[flows_[i]].start(1000, pool_clock(*core_, core_->pool(flow)));
    }
  }

  uint64_t drops() const {
    uint64_t sum = 0;
    for (const Counter& counter : core_->counters.drops) sum += counter.value();
    return sum;
  }

 private:
  static constexpr uint32_t kBurst = 32;

  void put(uint32_t i, const Frame& frame) {
    std::memcpy(rte_pktmbuf_mtod(burst_[i], void*), frame.bytes, frame.length);
    burst_[i]->data_len = frame.length;
    burst_[i]->pkt_len = frame.length;
  }

  void send(uint16_t interface, const Frame& frame) {
    put(0, frame);
    run_burst(*core_, interface, burst_, 1);
    core_->tx.flush();
  }

  void know(be32 ip, uint16_t interface) {
    NextHop hop;
    rte_mbuf* waiting = rte_pktmbuf_alloc(pool_);
    core_->next_hops.send(snapshot_, waiting, ip, hop, 0);
    net::ArpHeader arp{
        be16::from_host(1), net::kEtherTypeIpv4, 6, 4, net::kArpReply, kPeerMac, ip, kOurMac, {}};
    core_->next_hops.learn(snapshot_, arp, interface, false, 0);
    core_->tx.flush();
  }

  void open(uint32_t i) {
    const net::Endpoint client{be32::from_host(kClients.host() + 1 + i % 4096),
                               be16::from_host(static_cast<uint16_t>(10000 + i / 4096))};
    const net::Endpoint vip{kVip, be16::from_host(80)};
    send(0, make_frame(client, vip, 99, 0, flag::kSyn));
    const uint32_t index = core_->flows.lookup({client, vip}).index;
    if (index == FlowTable::kNone) std::abort();
    const Flow& flow = core_->flows[index];
    flows_.push_back(index);
    send(1, make_frame(flow.backend_address(), flow.local(), 499, 100, flag::kSyn | flag::kAck));
    to_backend_.push_back(make_frame(client, vip, 100, 500, flag::kAck | flag::kPsh));
    to_client_.push_back(
        make_frame(flow.backend_address(), flow.local(), 500, 100, flag::kAck | flag::kPsh));
    send(0, to_backend_.back());
  }

  Snapshot snapshot_;
  uint32_t flow_count_;
  rte_mempool* pool_;
  std::unique_ptr<Core> core_;
  rte_mbuf* burst_[kBurst];
  std::vector<uint32_t> flows_;
  std::vector<uint32_t> order_;
  std::vector<Frame> to_backend_;
  std::vector<Frame> to_client_;
};

struct Kind {
  const char* name;
  bool rewrite;
  net::Shift shift;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

void compare(uint32_t flow_count) {
  Bench bench(flow_count);
  constexpr Kind kKinds[] = {{"plain", false, {0, 0}},
                             {"TSval fitted", false, {0, 77777}},
                             {"sequence fitted", false, {77777, 0}},
                             {"both fitted", false, {77777, 77777}},
                             {"clock rewritten", true, {0, 0}}};
  constexpr size_t kCount = std::size(kKinds);
  std::vector<double> in[kCount], out[kCount];
  const uint64_t drops_before = bench.drops();
  for (int round = 0; round < kRounds; ++round) {
    for (size_t k = 0; k < kCount; ++k) {
      // Numbers of plain segments lie in the window of plain flows only: the way in is followed unshifted.
      bench.alter_all(kKinds[k].rewrite, kKinds[k].shift);
      in[k].push_back(bench.round(true));
      out[k].push_back(bench.round(false));
    }
  }
  std::printf("%u flows, 64 bytes of payload, bursts of 32, median of %d rounds\n", flow_count,
              kRounds);
  std::printf("%-16s %12s %8s %12s %8s\n", "", "in ns/packet", "ratio", "out ns", "ratio");
  for (size_t k = 0; k < kCount; ++k) {
    std::printf("%-16s %12.1f %8.2f %12.1f %8.2f\n", kKinds[k].name, median(in[k]),
                median(in[k]) / median(in[0]), median(out[k]), median(out[k]) / median(out[0]));
  }
  std::printf("dropped: %llu\n", static_cast<unsigned long long>(bench.drops() - drops_before));
}

}  // namespace

int main(int argc, char** argv) {
  const uint32_t flow_count = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 32768;
  const char* eal[] = {"bench", "--no-huge", "--no-pci",      "--no-shconf", "--no-telemetry",
                       "-m",    "512",       "--log-level=1", "-l",          "0"};
  if (flow_count < 32 || flow_count > 60000) {
    std::fprintf(stderr, "usage: pipeline_bench [flows, 32 to 60000]\n");
    return 2;
  }
  if (rte_eal_init(std::size(eal), const_cast<char**>(eal)) < 0) return 1;
  compare(flow_count);
  rte_eal_cleanup();
  return 0;
}
