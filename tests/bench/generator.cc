// SPDX-License-Identifier: BSD-3-Clause
// generator: clients on port 0 and backends on port 1 of whatever forwards between them, over two
// ports that EAL makes. Told what to do on standard input; answers with a line of JSON each.
//
//   open N            opens N connections through Sluice by real handshakes (ARP included)
//   raw N             N connections that nobody opens, for a forwarder without state
//   window S RATE     S seconds of segments on them, RATE a second (0: all that fits)
//   quit
//
// It blocks while it waits for a line, so that its core is free in between. Segments carry the time
// at which they were sent; what comes back tells the latency.
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <sys/resource.h>

#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "tests/bench/draw.h"
#include "tests/bench/frames.h"

namespace sluice::bench {
namespace {

using net::be16;
using net::be32;

constexpr uint16_t kClients = 0;
constexpr uint16_t kBackends = 1;
constexpr uint16_t kBurst = 32;
constexpr uint16_t kDescriptors = 1024;
constexpr uint32_t kPicks = 1u << 20;
constexpr size_t kSamplesMax = 1u << 22;
constexpr be32 kGateway = be32::from_host(0x0a01ff01);
constexpr be32 kBackend = be32::from_host(0x0a02000a);
constexpr be32 kOursTowardsClients = be32::from_host(0x0a01fffe);
constexpr be32 kOursTowardsBackends = be32::from_host(0x0a02fffe);

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "generator: %s\n", what);
  std::exit(1);
}

/// Six bytes of payload hold the low 48 bits of the TSC.
constexpr uint64_t kTimeMask = (uint64_t{1} << 48) - 1;
uint8_t* payload_of(rte_mbuf* buffer) {
  return rte_pktmbuf_mtod_offset(buffer, uint8_t*, 54);
}

class Generator {
 public:
  Generator();

  void open(uint32_t flows);
  void raw(uint32_t flows);
  void window(double seconds, double rate);

 private:
  void start_port(uint16_t port);
  void wait_for_links();
  void learn_macs();
  void request_arp(uint16_t port, be32 sender, be32 target);
  bool take_arp(uint16_t port, rte_mbuf* buffer);
  void send(uint16_t port, rte_mbuf* buffer);
  template <typename Write>
  bool exchange(uint16_t from, uint32_t count, Write&& write, std::vector<Tuple>* seen);
  void draw(uint32_t flows, const std::vector<Tuple>& answers);
  uint32_t send_burst(uint16_t port, uint32_t count);
  uint32_t receive(uint16_t port);

  rte_mempool* packets_;
  net::MacAddress stations_[2] = {kOurMac, kOurMac};
  bool known_[2] = {};
  FrameTemplate data_[2] = {{kData, false, {100, 500}}, {kData, false, {500, 100}}};
  std::vector<FrameTemplate::Prepared> picks_[2];
  uint32_t next_[2] = {};
  std::vector<uint64_t> latencies_;
};

Generator::Generator() {
  packets_ = rte_pktmbuf_pool_create("generator", 16383, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                     static_cast<int>(rte_socket_id()));
  if (packets_ == nullptr) fail("no memory for packets");
  if (rte_eth_dev_count_avail() != 2) fail("two ports are wanted: --vdev twice");
  latencies_.reserve(kSamplesMax);
  start_port(kClients);
  start_port(kBackends);
}

void Generator::start_port(uint16_t port) {
  const rte_eth_conf conf{};
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(port));
  if (rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
      rte_eth_rx_queue_setup(port, 0, kDescriptors, socket, nullptr, packets_) != 0 ||
      rte_eth_tx_queue_setup(port, 0, kDescriptors, socket, nullptr) != 0 ||
      rte_eth_dev_start(port) != 0) {
    fail("a port does not start");
  }
}

void Generator::wait_for_links() {
  for (uint16_t port : {kClients, kBackends}) {
    rte_eth_link link{};
    for (int tries = 0; link.link_status != RTE_ETH_LINK_UP; ++tries) {
      if (tries == 10'000) fail("no link: the other end did not connect within 10 s");
      rte_eth_link_get_nowait(port, &link);
      rte_delay_us_sleep(1000);
    }
  }
}

void Generator::send(uint16_t port, rte_mbuf* buffer) {
  if (rte_eth_tx_burst(port, 0, &buffer, 1) != 1) rte_pktmbuf_free(buffer);
}

void Generator::request_arp(uint16_t port, be32 sender, be32 target) {
  rte_mbuf* buffer = rte_pktmbuf_alloc(packets_);
  if (buffer == nullptr) fail("no buffers");
  auto& ethernet = *rte_pktmbuf_mtod(buffer, net::EthernetHeader*);
  auto& arp = *reinterpret_cast<net::ArpHeader*>(&ethernet + 1);
  constexpr net::MacAddress kEverybody{{255, 255, 255, 255, 255, 255}};
  ethernet = {kEverybody, kPeerMac, net::kEtherTypeArp};
  arp = {be16::from_host(1),
         net::kEtherTypeIpv4,
         6,
         4,
         net::kArpRequest,
         kPeerMac,
         sender,
         {},
         target};
  buffer->data_len = buffer->pkt_len = 60;
  send(port, buffer);
}

/// Answers what is asked, learns from answers; true when the buffer was ARP and is gone.
bool Generator::take_arp(uint16_t port, rte_mbuf* buffer) {
  auto& ethernet = *rte_pktmbuf_mtod(buffer, net::EthernetHeader*);
  if (ethernet.type != net::kEtherTypeArp) return false;
  auto& arp = *reinterpret_cast<net::ArpHeader*>(&ethernet + 1);
  stations_[port] = arp.sender_mac;
  known_[port] = true;
  const be32 wanted = port == kClients ? kGateway : kBackend;
  if (arp.operation != net::kArpRequest || arp.target_ip != wanted) {
    rte_pktmbuf_free(buffer);
    return true;
  }
  ethernet = {arp.sender_mac, kPeerMac, net::kEtherTypeArp};
  arp = {be16::from_host(1), net::kEtherTypeIpv4, 6, 4, net::kArpReply, kPeerMac, wanted,
         arp.sender_mac,     arp.sender_ip};
  buffer->data_len = buffer->pkt_len = 60;
  send(port, buffer);
  return true;
}

/// Until both sides know each other.
void Generator::learn_macs() {
  for (int tries = 0; !known_[kClients] || !known_[kBackends]; ++tries) {
    if (tries == 100) fail("ARP requests are not answered");
    request_arp(kClients, kGateway, kOursTowardsClients);
    request_arp(kBackends, kBackend, kOursTowardsBackends);
    for (int i = 0; i < 100; ++i) {
      receive(kClients);
      receive(kBackends);
      rte_delay_us_sleep(1000);
    }
  }
}

/// Sends `count` segments into one side and waits for as many on the other, in the same order;
/// false when some are missing.
template <typename Write>
bool Generator::exchange(uint16_t from, uint32_t count, Write&& write, std::vector<Tuple>* seen) {
  for (uint32_t i = 0; i < count; ++i) {
    rte_mbuf* buffer = rte_pktmbuf_alloc(packets_);
    if (buffer == nullptr) fail("no buffers");
    write(i, buffer);
    send(from, buffer);
  }
  uint32_t got = 0;
  const uint64_t end = rte_rdtsc() + rte_get_tsc_hz();
  while (got < count && rte_rdtsc() < end) {
    for (uint16_t port : {kClients, kBackends}) {
      rte_mbuf* buffers[kBurst];
      const uint16_t received = rte_eth_rx_burst(port, 0, buffers, kBurst);
      for (uint16_t i = 0; i < received; ++i) {
        if (take_arp(port, buffers[i])) continue;
        if (port != from) {
          if (seen != nullptr) seen->push_back(tuple_of(buffers[i]));
          ++got;
        }
        rte_pktmbuf_free(buffers[i]);
      }
    }
  }
  return got == count;
}

void Generator::open(uint32_t flows) {
  wait_for_links();
  learn_macs();
  FrameTemplate syn(kSyn, false, {99, 0});
  FrameTemplate syn_ack(kSynAck, false, {499, 100});
  FrameTemplate ack(kAck, false, {100, 500});
  for (FrameTemplate* frame : {&syn, &ack}) frame->send_to(stations_[kClients]);
  syn_ack.send_to(stations_[kBackends]);
  std::vector<Tuple> answers;
  answers.reserve(flows);
  for (uint32_t base = 0; base < flows; base += kBurst) {
    const uint32_t count = std::min<uint32_t>(kBurst, flows - base);
    const auto from_client = [&](FrameTemplate& frame) {
      return [&, base](uint32_t i, rte_mbuf* buffer) {
        frame.write(buffer, frame.prepare({client(base + i), kVip}));
      };
    };
    if (!exchange(kClients, count, from_client(syn), &answers)) fail("SYNs were lost");
    const auto answer = [&](uint32_t i, rte_mbuf* buffer) {
      const Tuple& seen = answers[base + i];
      syn_ack.write(buffer, syn_ack.prepare({seen.destination, seen.source}));
    };
    if (!exchange(kBackends, count, answer, nullptr)) fail("SYN-ACKs were lost");
    if (!exchange(kClients, count, from_client(ack), nullptr)) fail("ACKs were lost");
  }
  for (Tuple& tuple : answers) std::swap(tuple.source, tuple.destination);
  draw(flows, answers);
  std::printf("{\"opened\": %" PRIu32 "}\n", flows);
}

void Generator::raw(uint32_t flows) {
  wait_for_links();
  std::vector<Tuple> answers;
  for (uint32_t i = 0; i < flows; ++i) {
    answers.push_back({{kBackend, be16::from_host(80)}, client(i)});
  }
  draw(flows, answers);
  std::printf("{\"opened\": %" PRIu32 "}\n", flows);
}

void Generator::draw(uint32_t flows, const std::vector<Tuple>& answers) {
  Draw next(flows, false);
  for (uint16_t side : {kClients, kBackends}) {
    data_[side].send_to(stations_[side]);
    picks_[side].clear();
    picks_[side].reserve(kPicks);
  }
  for (uint32_t i = 0; i < kPicks; ++i) {
    picks_[kClients].push_back(data_[kClients].prepare({client(next()), kVip}));
    picks_[kBackends].push_back(data_[kBackends].prepare(answers[next()]));
  }
}

uint32_t Generator::send_burst(uint16_t port, uint32_t count) {
  rte_mbuf* buffers[kBurst];
  count = std::min<uint32_t>(count, kBurst);
  if (rte_pktmbuf_alloc_bulk(packets_, buffers, count) != 0) return 0;
  const uint64_t now = rte_rdtsc();
  for (uint32_t i = 0; i < count; ++i) {
    data_[port].write(buffers[i], picks_[port][next_[port]]);
    next_[port] = (next_[port] + 1) % kPicks;
    std::memcpy(payload_of(buffers[i]), &now, 6);
  }
  const uint16_t sent = rte_eth_tx_burst(port, 0, buffers, static_cast<uint16_t>(count));
  if (sent < count) rte_pktmbuf_free_bulk(buffers + sent, count - sent);
  return sent;
}

uint32_t Generator::receive(uint16_t port) {
  rte_mbuf* buffers[2 * kBurst];
  const uint16_t received = rte_eth_rx_burst(port, 0, buffers, 2 * kBurst);
  if (received == 0) return 0;
  const uint64_t now = rte_rdtsc();
  uint32_t segments = 0;
  for (uint16_t i = 0; i < received; ++i) {
    if (take_arp(port, buffers[i])) continue;
    ++segments;
    uint64_t sent = 0;
    std::memcpy(&sent, payload_of(buffers[i]), 6);
    if (latencies_.size() < kSamplesMax) latencies_.push_back((now - sent) & kTimeMask);
    rte_pktmbuf_free(buffers[i]);
  }
  return segments;
}

void Generator::window(double seconds, double rate) {
  if (picks_[kClients].empty()) fail("nothing is open");
  latencies_.clear();
  const auto hz = static_cast<double>(rte_get_tsc_hz());
  const uint64_t begin = rte_rdtsc();
  const auto length = static_cast<uint64_t>(seconds * hz);
  uint64_t sent = 0, received = 0, heard = begin, gap = 0;
  for (uint64_t spent = 0; spent < length; spent = rte_rdtsc() - begin) {
    for (uint16_t port : {kClients, kBackends}) {
      uint32_t due = kBurst;
      if (rate > 0) {
        const auto wanted = static_cast<uint64_t>(static_cast<double>(spent) / hz * rate);
        due = wanted > sent ? static_cast<uint32_t>((wanted - sent + 1) / 2) : 0;
      }
      if (due > 0) sent += send_burst(port, due);
      const uint32_t came = receive(port);
      received += came;
      if (came > 0) {
        const uint64_t now = rte_rdtsc();
        gap = std::max(gap, now - std::exchange(heard, now));
      }
    }
  }
  gap = std::max(gap, rte_rdtsc() - heard);
  const double spent = static_cast<double>(rte_rdtsc() - begin) / hz;
  const uint64_t late = rte_rdtsc() + rte_get_tsc_hz() / 50;  // what is still under way
  uint64_t rest = 0;
  while (rte_rdtsc() < late) rest += receive(kClients) + receive(kBackends);
  std::sort(latencies_.begin(), latencies_.end());
  const auto us = [&](double share) {
    if (latencies_.empty()) return 0.0;
    const auto at = static_cast<size_t>(share * static_cast<double>(latencies_.size() - 1));
    return static_cast<double>(latencies_[at]) * 1e6 / hz;
  };
  std::printf("{\"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"lost\": %" PRId64
              ", \"per_second\": %.0f, \"us_p50\": %.2f, \"us_p99\": %.2f, \"us_p999\": %.2f, "
              "\"gap_ms\": %.1f}\n",
              sent, received + rest, static_cast<int64_t>(sent - received - rest),
              static_cast<double>(received) / spent, us(0.5), us(0.99), us(0.999),
              static_cast<double>(gap) * 1e3 / hz);
}

void obey() {
  Generator generator;
  std::printf("{\"ready\": true}\n");
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string word;
    double first = 0, second = 0;
    words >> word >> first >> second;
    if (word == "open" && first >= 1) {
      generator.open(static_cast<uint32_t>(first));
    } else if (word == "raw" && first >= 1) {
      generator.raw(static_cast<uint32_t>(first));
    } else if (word == "window" && first > 0) {
      generator.window(first, second);
    } else if (word == "quit") {
      return;
    } else {
      std::printf("{\"error\": \"open N | raw N | window SECONDS RATE | quit\"}\n");
    }
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  static_cast<void>(setpriority(PRIO_PROCESS, 0, -20));  // as what it measures
  if (rte_eal_init(argc, argv) < 0) return 1;
  sluice::bench::obey();
  // Whoever was connected is gone by now: a memif port must not leave in mid-traffic.
  rte_eal_cleanup();
  return 0;
}
