// SPDX-License-Identifier: BSD-3-Clause
// Ethdev set-up.
#include "dataplane/port/port.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "dataplane/port/dpdk_error.h"
#include "dataplane/port/rss_setup.h"
#include "dataplane/port/tx.h"

namespace sluice {
namespace {

constexpr uint16_t kDescriptors = 1024;
constexpr size_t kAfPacketQueuesMax = 16;

/// net_af_packet's rings of 512 frames run over in the few milliseconds for which a shared core may
/// be taken away from a worker, and it has one queue; unless the device string says otherwise it
/// gets more of both.
std::string with_defaults(const std::string& device, size_t worker_count) {
  if (!device.starts_with("net_af_packet")) return device;
  std::string full = device;
  if (device.find("framecnt=") == std::string::npos) full += ",framecnt=4096";
  if (worker_count > 1 && device.find("qpairs=") == std::string::npos) {
    full += ",qpairs=" + std::to_string(std::min(worker_count, kAfPacketQueuesMax));
  }
  return full;
}

/// The chips of this driver have one transmit queue, whatever it says: there is nothing behind a
/// second.
uint16_t tx_queues_there(const rte_eth_dev_info& info) {
  const bool has_one = info.driver_name == std::string_view("net_e1000_em");
  return has_one ? std::min<uint16_t>(1, info.max_tx_queues) : info.max_tx_queues;
}

/// What is asked for with or without RSS: interrupts on changes of link, where the driver has them.
rte_eth_conf plain_configuration(const rte_eth_dev_info& info, bool rx_interrupts) {
  rte_eth_conf conf{};
  conf.intr_conf.lsc = (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0 ? 1 : 0;
  conf.intr_conf.rxq = rx_interrupts ? 1 : 0;
  return conf;
}

}  // namespace

Port::Port(const std::string& device, const std::vector<rte_mempool*>& packets, bool rx_interrupts)
    : device_(with_defaults(device, packets.size())) {
  const std::string name = device.substr(0, device.find(','));
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id_) != 0) {
    check(rte_dev_probe(device_.c_str()), "probe");
    if (rte_eth_dev_get_port_by_name(name.c_str(), &id_) != 0) {
      throw std::runtime_error("probe: '" + name + "' is no Ethernet device");
    }
  }
  if (id_ >= kInterfacesMax) throw std::runtime_error("more than 16 ports");
  try {
    configure(packets, rx_interrupts);
  } catch (const std::runtime_error&) {
    if (!rx_interrupts) throw;
    configure(packets, false);  // a card or its bus driver may have none
  }
  learn_rss(static_cast<uint32_t>(packets.size()));
}

void Port::configure(const std::vector<rte_mempool*>& packets, bool rx_interrupts) {
  rte_eth_dev_info info;
  check(rte_eth_dev_info_get(id_, &info), "device info");
  kernel_index_ = info.if_index;
  const auto wanted = static_cast<uint16_t>(packets.size());
  rx_queue_count_ = std::min(wanted, info.max_rx_queues);
  tx_queue_count_ = std::min(wanted, tx_queues_there(info));
  configure_queues(info, rx_interrupts);
  uint16_t rx = kDescriptors, tx = kDescriptors;
  check(rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx), "descriptor counts");
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(id_));
  for (uint16_t queue = 0; queue < rx_queue_count_; ++queue) {
    check(rte_eth_rx_queue_setup(id_, queue, rx, socket, nullptr, packets[queue]), "rx queue");
  }
  for (uint16_t queue = 0; queue < tx_queue_count_; ++queue) {
    check(rte_eth_tx_queue_setup(id_, queue, tx, socket, nullptr), "tx queue");
  }
  check(rte_eth_dev_start(id_), "start");
  rte_ether_addr mac;
  check(rte_eth_macaddr_get(id_, &mac), "MAC address");
  std::copy(std::begin(mac.addr_bytes), std::end(mac.addr_bytes), mac_.bytes.begin());
}

/// With RSS under our key, else under the driver's, else without.
void Port::configure_queues(const rte_eth_dev_info& info, bool rx_interrupts) {
  const rte_eth_conf plain = plain_configuration(info, rx_interrupts);
  if (rx_queue_count_ > 1) {
    uint8_t* const ours = rss_key(rss_key_length(info)).data();
    for (uint8_t* const asked : {ours, static_cast<uint8_t*>(nullptr)}) {
      rte_eth_conf conf = plain;
      if (!ask_for_rss(info, asked, conf)) break;
      if (rte_eth_dev_configure(id_, rx_queue_count_, tx_queue_count_, &conf) == 0) return;
    }
  }
  check(rte_eth_dev_configure(id_, rx_queue_count_, tx_queue_count_, &plain), "configure");
}

void Port::learn_rss(uint32_t worker_count) {
  if (worker_count == 1) return;
  try {
    rss_ = read_rss(id_, worker_count, rx_queue_count_);
  } catch (const std::runtime_error& error) {
    no_rss_reason_ = error.what();
  }
}

Port::Port(Port&& other) noexcept
    : device_(std::move(other.device_)),
      id_(std::exchange(other.id_, kNone)),
      mac_(other.mac_),
      kernel_index_(other.kernel_index_),
      rx_queue_count_(other.rx_queue_count_),
      tx_queue_count_(other.tx_queue_count_),
      rss_(std::move(other.rss_)),
      no_rss_reason_(std::move(other.no_rss_reason_)) {}

Port::~Port() {
  if (id_ == kNone) return;
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
}

uint16_t Port::mtu() const {
  uint16_t mtu = 0;
  return rte_eth_dev_get_mtu(id_, &mtu) == 0 ? mtu : RTE_ETHER_MTU;
}

bool Port::link_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

namespace {

// Descriptors of both directions; packets that wait for a next hop or in rings, bursts and caches.
constexpr uint32_t kPacketsPerPort = 4096;
constexpr uint32_t kPacketsShared = 8192;

constexpr uint32_t packet_count(uint32_t port_count) {
  return kPacketsShared + port_count * kPacketsPerPort - 1;
}

}  // namespace

rte_mempool* make_packet_pool(uint32_t worker, uint32_t port_count, int numa_socket) {
  constexpr unsigned kCache = 256;
  const std::string name = "packets-" + std::to_string(worker);
  rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), packet_count(port_count), kCache, 0,
                                              RTE_MBUF_DEFAULT_BUF_SIZE, numa_socket);
  if (pool == nullptr) throw std::runtime_error(std::string("buffers: ") + rte_strerror(rte_errno));
  return pool;
}

uint64_t packet_pool_bytes(uint32_t port_count) {
  constexpr uint64_t kBuffer = sizeof(rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE + RTE_CACHE_LINE_SIZE;
  // With the ring of free buffers, a power of two.
  return packet_count(port_count) * (kBuffer + 2 * sizeof(void*));
}

}  // namespace sluice
