// SPDX-License-Identifier: BSD-3-Clause
// The input plays a client, a backend, the network and the clock to a real Core, in bursts. No
// input may crash it, and in the end no flow, port, slot or buffer may be missing
// (Stage::TearDown).
//
// Frames of raw bytes would seldom get past the checksums and never open a flow, so most of the
// input is read as a segment of one of a few connections, near the numbers that these stand at,
// with checksums that are right; its bytes bend flags, numbers, options and lengths.
#include <gtest/gtest.h>
#include <rte_eal.h>

#include <cstdlib>
#include <iterator>

#include "tests/stage/discovery_stage.h"

namespace {

using namespace sluice;        // NOLINT
using namespace sluice::test;  // NOLINT

constexpr size_t kBurstMax = 64;
constexpr size_t kStepsMax = 400;

// Reads the input to its end; then zeroes.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool over() const { return at_ == end_; }
  uint8_t byte() { return over() ? 0 : *at_++; }
  uint32_t word() {
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | byte();
    return value;
  }
  Bytes bytes(size_t count) {
    Bytes out;
    while (count-- > 0 && !over()) out.push_back(*at_++);
    return out;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

class Play : public DiscoveryStage {
 public:
  explicit Play(Input input) : input_(input) { as_ipv4 = true; }

  void TestBody() override {
    Scene scene;
    const uint8_t bits = input_.byte();
    scene.reuse = static_cast<ReusePolicy>(bits % 3);
    scene.rewrite_timestamps = (bits & 4) != 0;
    scene.reset_on_timeout = (bits & 8) != 0;
    scene.backends = (bits & 16) != 0 ? 2 : 1;
    scene.locals = (bits & 32) != 0 ? 2 : 1;
    scene.ports = {2000, static_cast<uint16_t>((bits & 64) != 0 ? 2001 : 2007)};
    if ((bits & 128) != 0) {  // what is long is too large for the other link
      scene.mss_clamp = true;
      scene.client_mtu = scene.backend_mtu = 80;
    }
    scene.limits = {16, 16, 8};
    scene.timeouts_ms.fill(5000);
    scene.end_ms = 20'000;
    start(scene);
    adopt(make_snapshot6(scene));  // IPv6 beside IPv4
    sent.clear();
    for (size_t i = 0; i < kStepsMax && !input_.over(); ++i) step();
    TearDown();
  }

 private:
  void step() {
    const uint8_t what = input_.byte();
    const uint16_t link = what & 1;
    if (link != link_) play_burst();  // what this side says answers what it has heard
    switch (what >> 1 & 7) {
      case 0:
        add(link, input_.bytes(input_.byte()));
        break;
      case 1:
        play_burst();
        pass(input_.byte() * 64u, 64);
        break;
      case 2:
        play_burst();
        tx_room = input_.byte() & 1 ? 65535 : input_.byte();
        answer_arp = (input_.byte() & 3) != 0;
        break;
      case 3:
        add(link, quoting(link));
        break;
      case 7:
        add(link, link_message(link));
        break;
      default:
        add(link, tcp_frame(segment(link)));
    }
  }

  void add(uint16_t link, Bytes frame) {
    if (link != link_ || frames_.size() >= kBurstMax) play_burst();
    link_ = link;
    frames_.push_back(std::move(frame));
  }
  void play_burst() {
    burst(link_, std::exchange(frames_, {}));
    for (const Sent& out : sent) remember(out);
    sent.clear();
  }

  // What the other side would answer to: the tuple and the numbers of the newest segment each way.
  void remember(const Sent& out) {
    if (out.frame.size() < kTcpAt + 20 || out.is_arp() || out.frame[kIpAt + 9] != 6) return;
    Bytes& last = out.port == kBackendLink ? to_backend_ : to_client_;
    last = out.frame;
    if (out.port == kBackendLink) {
      local_ = out.from();
      backend_ = out.to();
    }
  }

  // A segment that answers the newest one, or nearly so.
  Tcp segment(uint16_t link) {
    const uint8_t near = input_.byte();
    Tcp tcp = link == kClientLink ? inbound(input_.byte(), 0) : outbound(input_.byte(), 0);
    if (link == kClientLink)
      tcp.from.port = net::be16::from_host(static_cast<uint16_t>(40000 + (near & 7)));
    const Bytes& last = link == kClientLink ? to_client_ : to_backend_;
    if (last.empty()) {
      tcp.sequence = 1000;
    } else {
      tcp.sequence = get32(last, kTcpAt + 8);
      tcp.acknowledgement = get32(last, kTcpAt + 4) + 1;
    }
    if ((near & 8) != 0) tcp.sequence += static_cast<int8_t>(input_.byte());
    if ((near & 16) != 0) tcp.acknowledgement += static_cast<int8_t>(input_.byte());
    if ((near & 32) != 0) tcp.sequence = input_.word();
    if ((near & 64) != 0) tcp.acknowledgement = input_.word();
    if ((near & 128) != 0) {
      tcp.options = input_.bytes(input_.byte() % 41);
      tcp.payload = Bytes(input_.byte());
    }
    return tcp;
  }

  // An ICMP error about the newest segment that left on that link, or about any bytes.
  Bytes quoting(uint16_t link) {
    const Bytes& last = link == kClientLink ? to_client_ : to_backend_;
    Bytes quoted = last.empty() ? input_.bytes(48) : Bytes(last.begin() + kIpAt, last.end());
    const size_t bend = input_.byte();
    if (bend < quoted.size()) quoted[bend] = static_cast<uint8_t>(quoted[bend] + input_.byte());
    const Ip ip{.source = link == kClientLink ? client_.ip : backend_.ip,
                .destination = link == kClientLink ? kVip.ip : local_.ip,
                .to = mac(static_cast<uint8_t>(link + 1))};
    const uint8_t type = (input_.byte() & 1) != 0 ? 3 : 11;
    return icmp_frame(ip, type, input_.byte(), 0, quoted);
  }

  // Neighbour discovery or MLD of one of a few addresses, valid or nearly so.
  Bytes link_message(uint16_t link) {
    constexpr uint8_t kTypes[] = {135, 136, 133, 134, 137, 130, 131, 143};
    const net::Ipv6Address addresses[] = {kVip6,     kLocal6,        kBackend6, kClientSide6,
                                          kGateway6, ip6(1, 0x1234), kNobody6,  net::kAllNodes};
    const auto address = [&] { return addresses[input_.byte() % std::size(addresses)]; };
    Nd nd;
    nd.type = kTypes[input_.byte() % std::size(kTypes)];
    nd.flags = uint32_t{input_.byte()} << 24;
    nd.target = address();
    nd.source = address();
    const uint8_t bits = input_.byte();
    nd.destination = (bits & 1) != 0 ? net::solicited_node_multicast(nd.target) : address();
    nd.from = mac(input_.byte() & 7);
    if ((bits & 2) != 0) nd.option.reset();
    if ((bits & 4) != 0) nd.hop_limit = input_.byte();
    if ((bits & 8) != 0) nd.code = input_.byte();
    nd.to = link_mac(link);
    Bytes frame = nd_frame(nd);
    if ((bits & 16) != 0) {
      const size_t bend = input_.byte() % frame.size();
      frame[bend] = input_.byte();
    }
    if ((bits & 32) != 0) frame.resize(frame.size() - input_.byte() % 40u);
    return frame;
  }

  Input input_;
  uint16_t link_ = 0;
  std::vector<Bytes> frames_;
  Bytes to_client_;
  Bytes to_backend_;
};

void start_eal_once() {
  static const bool started = [] {
    const char* arguments[] = {
        "fuzz", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
        "-m",   "128",       "-l",       "0",           "--log-level=critical"};
    char* eal_argv[std::size(arguments)];
    for (size_t i = 0; i < std::size(arguments); ++i) {
      eal_argv[i] = const_cast<char*>(arguments[i]);
    }
    // What the stage expects and does not find ends the process, as a crash does.
    testing::GTEST_FLAG(break_on_failure) = true;
    std::atexit([] { rte_eal_cleanup(); });
    return rte_eal_init(static_cast<int>(std::size(arguments)), eal_argv) >= 0;
  }();
  if (!started) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  start_eal_once();
  Play(Input(data, size)).TestBody();
  return 0;
}
