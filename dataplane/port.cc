// SPDX-License-Identifier: BSD-3-Clause
// Ethdev set-up.
#include "dataplane/port.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <stdexcept>
#include <utility>

#include "dataplane/tx.h"

namespace sluice {
namespace {

constexpr uint16_t kDescriptors = 1024;

void check(int result, const char* step) {
  if (result < 0) throw std::runtime_error(std::string(step) + ": " + rte_strerror(-result));
}

/// net_af_packet's rings of 512 frames run over in the few milliseconds for which a shared core may
/// be taken away from a worker; unless the device string says otherwise they get more.
std::string with_defaults(const std::string& device) {
  const bool af_packet = device.starts_with("net_af_packet");
  return af_packet && device.find("framecnt=") == std::string::npos ? device + ",framecnt=4096"
                                                                    : device;
}

}  // namespace

Port::Port(const std::string& device, uint16_t queue_count, rte_mempool* packets)
    : device_(with_defaults(device)) {
  const std::string name = device.substr(0, device.find(','));
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id_) != 0) {
    check(rte_dev_probe(device_.c_str()), "probe");
    if (rte_eth_dev_get_port_by_name(name.c_str(), &id_) != 0) {
      throw std::runtime_error("probe: '" + name + "' is no Ethernet device");
    }
  }
  if (id_ >= kInterfacesMax) throw std::runtime_error("more than 16 ports");
  configure(queue_count, packets);
}

void Port::configure(uint16_t queue_count, rte_mempool* packets) {
  rte_eth_dev_info info;
  check(rte_eth_dev_info_get(id_, &info), "device info");
  rte_eth_conf conf{};
  check(rte_eth_dev_configure(id_, queue_count, queue_count, &conf), "configure");
  uint16_t rx = kDescriptors, tx = kDescriptors;
  check(rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx), "descriptor counts");
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(id_));
  for (uint16_t queue = 0; queue < queue_count; ++queue) {
    check(rte_eth_rx_queue_setup(id_, queue, rx, socket, nullptr, packets), "rx queue");
    check(rte_eth_tx_queue_setup(id_, queue, tx, socket, nullptr), "tx queue");
  }
  check(rte_eth_dev_start(id_), "start");
  rte_ether_addr mac;
  check(rte_eth_macaddr_get(id_, &mac), "MAC address");
  std::copy(std::begin(mac.addr_bytes), std::end(mac.addr_bytes), mac_.bytes.begin());
}

Port::Port(Port&& other) noexcept
    : device_(std::move(other.device_)), id_(std::exchange(other.id_, kNone)), mac_(other.mac_) {}

Port::~Port() {
  if (id_ == kNone) return;
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
}

bool Port::link_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

rte_mempool* make_packet_pool(uint32_t count, int numa_socket) {
  constexpr unsigned kCache = 256;
  rte_mempool* pool =
      rte_pktmbuf_pool_create("packets", count, kCache, 0, RTE_MBUF_DEFAULT_BUF_SIZE, numa_socket);
  if (pool == nullptr) throw std::runtime_error(std::string("buffers: ") + rte_strerror(rte_errno));
  return pool;
}

}  // namespace sluice
