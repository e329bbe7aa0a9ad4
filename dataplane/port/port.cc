// SPDX-License-Identifier: BSD-3-Clause
// Ethdev set-up.
#include "dataplane/port/port.h"

#include <rte_dev.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "dataplane/port/dpdk_error.h"
#include "dataplane/port/fanout.h"
#include "dataplane/port/port_device.h"
#include "dataplane/port/rss_setup.h"
#include "dataplane/port/tx.h"

namespace sluice {
namespace {

/// What is asked for with or without RSS: interrupts on changes of link and on removal, where the
/// driver has them.
rte_eth_conf plain_configuration(const rte_eth_dev_info& info, bool rx_interrupts,
                                 const PortOptions& options) {
  rte_eth_conf conf{};
  // Where queues interrupt as well, a card with one vector has none left for its link, and ethdev
  // would never look at it again.
  const bool by_interrupt = (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0 && !rx_interrupts;
  conf.intr_conf.lsc = by_interrupt ? 1 : 0;
  conf.intr_conf.rmv = (*info.dev_flags & RTE_ETH_DEV_INTR_RMV) != 0 ? 1 : 0;
  conf.intr_conf.rxq = rx_interrupts ? 1 : 0;
  if (ethdev_takes_mtu(info, options.mtu)) conf.rxmode.mtu = options.mtu;
  // Where a device has neither, tags are taken off and put in by hand (trunk.h).
  if (options.vlan_tags) {
    conf.rxmode.offloads |= info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
    conf.txmode.offloads |= info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
  }
  return conf;
}

rte_eth_dev_info info_of(uint16_t id) {
  rte_eth_dev_info info;
  check(rte_eth_dev_info_get(id, &info), "device info");
  return info;
}

std::string name_of_device(const std::string& device) {
  return device.substr(0, device.find(','));
}

/// The number of a device that is probed, now or by EAL before.
uint16_t probe_device(const std::string& device) {
  const std::string name = name_of_device(device);
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return id;
  check(rte_dev_probe(device.c_str()), "probe");
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0) {
    throw std::runtime_error("probe: '" + name + "' is no Ethernet device");
  }
  return id;
}

/// With its members as arguments, which its driver takes when it is configured.
std::string bond_of(std::string device, const std::vector<std::string>& members) {
  for (const std::string& member : members) device += ",slave=" + name_of_device(member);
  return device;
}

}  // namespace

Port::Port(const std::string& device, const std::vector<rte_mempool*>& packets, PortOptions options)
    : device_(with_defaults(device, packets.size(), options.mtu)),
      name_(name_of_device(device)),
      packets_(packets),
      options_(std::move(options)) {
  probe();
  if (id_ >= kInterfacesMax) throw std::runtime_error("more than 16 ports");
  start(queue_plan(info_of(id_), static_cast<uint16_t>(packets_.size())));
  queues_ = queues_made_;
}

void Port::probe() {
  replace_setsockopt();
  for (const std::string& member : options_.members) {
    probe_device(with_defaults(member, packets_.size(), options_.mtu));
  }
  const uint16_t id = probe_device(bond_of(device_, options_.members));
  if (id_ != kNone && id != id_) {
    // Workers know it by its number; the lowest free one is given away first.
    close_device(id);
    throw std::runtime_error("another device has its number: that one has to come back first");
  }
  id_ = id;
}

/// The first of the plan that the device takes; what it has against the first of all is the error.
/// A card or its bus driver may have no interrupts.
void Port::start(const std::vector<QueueCounts>& plan) {
  std::string reason;
  for (const QueueCounts queues : plan) {
    for (const bool interrupts : {true, false}) {
      if (interrupts && !options_.rx_interrupts) continue;
      try {
        start_with(queues, interrupts);
        queues_made_ = queues;
        learn_rss();
        return;
      } catch (const std::runtime_error& error) {
        if (reason.empty()) reason = error.what();
      }
    }
  }
  throw std::runtime_error(reason);
}

void Port::start_with(QueueCounts queues, bool rx_interrupts) {
  queues_made_ = queues;
  const rte_eth_dev_info info = info_of(id_);
  kernel_index_ = info.if_index;
  refuse_mtu_for(mtu_refusal(info, options_.mtu));
  configure_queues(info, rx_interrupts);
  set_up_queues(info);
  set_mtu(info);
  check(rte_eth_dev_start(id_), "start");
  rte_ether_addr mac;
  check(rte_eth_macaddr_get(id_, &mac), "MAC address");
  std::copy(std::begin(mac.addr_bytes), std::end(mac.addr_bytes), mac_.bytes.begin());
  multicast_.ask(id_, kernel_index_, options_.groups);
}

/// With RSS under our key, else under the driver's, else without.
void Port::configure_queues(const rte_eth_dev_info& info, bool rx_interrupts) {
  const auto [rx, tx] = queues_made_;
  const rte_eth_conf plain = plain_configuration(info, rx_interrupts, options_);
  inserts_tags_ = (plain.txmode.offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) != 0;
  if (rx > 1) {
    uint8_t* const ours = rss_key(rss_key_length(info)).data();
    for (uint8_t* const asked : {ours, static_cast<uint8_t*>(nullptr)}) {
      rte_eth_conf conf = plain;
      if (!ask_for_rss(info, asked, conf)) break;
      asked_key_ = std::span(asked, conf.rx_adv_conf.rss_conf.rss_key_len);
      if (rte_eth_dev_configure(id_, rx, tx, &conf) == 0) return;
    }
  }
  asked_key_ = {};
  check(rte_eth_dev_configure(id_, rx, tx, &plain), "configure");
}

void Port::set_up_queues(const rte_eth_dev_info& info) {
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(id_));
  rte_eth_rxconf rx = info.default_rxconf;
  // A queue whose worker is late must not hold up the others'.
  rx.rx_drop_en = queues_made_.rx > 1 ? 1 : rx.rx_drop_en;
  for (uint16_t queue = 0; queue < queues_made_.rx; ++queue) {
    check(rte_eth_rx_queue_setup(id_, queue, descriptor_count(info.rx_desc_lim), socket, &rx,
                                 packets_[queue]),
          "rx queue");
  }
  for (uint16_t queue = 0; queue < queues_made_.tx; ++queue) {
    check(rte_eth_tx_queue_setup(id_, queue, descriptor_count(info.tx_desc_lim), socket, nullptr),
          "tx queue");
  }
}

void Port::set_mtu(const rte_eth_dev_info& info) {
  if (options_.mtu != 0) refuse_mtu_for(set_device_mtu(id_, info, options_.mtu));
}

void Port::refuse_mtu_for(const std::string& reason) const {
  if (reason.empty()) return;
  throw std::runtime_error("MTU " + std::to_string(options_.mtu) + ": " + reason);
}

void Port::learn_rss() {
  const auto worker_count = static_cast<uint32_t>(packets_.size());
  rss_.reset();
  no_rss_reason_.clear();
  if (worker_count == 1) return;
  try {
    rss_ = read_rss(id_, worker_count, queues_made_.rx, asked_key_);
  } catch (const std::runtime_error& error) {
    no_rss_reason_ = error.what();
  }
}

void Port::hear(std::vector<net::MacAddress> groups) {
  options_.groups = std::move(groups);
  if (!gone_) multicast_.ask(id_, kernel_index_, options_.groups);
}

void Port::reset() {
  check(rte_eth_dev_reset(id_), "reset");
  start({queues_made_});
}

void Port::leave() {
  if (std::exchange(gone_, true)) return;
  close_device(id_);
}

void Port::come_back() {
  probe();
  gone_ = false;
  try {
    start({queues_made_});
  } catch (const std::runtime_error&) {
    leave();
    throw;
  }
}

Port::Port(Port&& other) noexcept
    : device_(std::move(other.device_)),
      name_(std::move(other.name_)),
      packets_(std::move(other.packets_)),
      options_(std::move(other.options_)),
      id_(std::exchange(other.id_, kNone)),
      gone_(other.gone_),
      mac_(other.mac_),
      kernel_index_(other.kernel_index_),
      queues_(other.queues_),
      queues_made_(other.queues_made_),
      inserts_tags_(other.inserts_tags_),
      multicast_(std::move(other.multicast_)),
      asked_key_(other.asked_key_),
      rss_(std::move(other.rss_)),
      no_rss_reason_(std::move(other.no_rss_reason_)) {}

Port::~Port() {
  if (id_ == kNone || gone_) return;
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
  close_members();
}

/// After the bond, which stops them.
void Port::close_members() {
  for (const std::string& member : options_.members) {
    uint16_t id = 0;
    if (rte_eth_dev_get_port_by_name(name_of_device(member).c_str(), &id) == 0) {
      rte_eth_dev_close(id);
    }
  }
}

uint16_t Port::mtu() const {
  uint16_t mtu = 0;
  return !gone_ && rte_eth_dev_get_mtu(id_, &mtu) == 0 ? mtu : RTE_ETHER_MTU;
}

bool Port::link_up() const {
  rte_eth_link link{};
  return !gone_ && rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

}  // namespace sluice
