// SPDX-License-Identifier: BSD-3-Clause
// Definitions that the linker finds before those of librte_ethdev.
#include "tests/devices/ethdev_model.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace sluice::test {
namespace {

struct Callback {
  uint16_t port;
  rte_eth_event_type event;
  rte_eth_dev_cb_fn call;
  void* argument;
};

struct DeviceCallback {
  std::string device;
  rte_dev_event_cb_fn call;
  void* argument;
};

struct Bus {
  std::map<std::string, std::unique_ptr<DeviceModel>> devices;
  std::map<uint16_t, std::string> ports;  // names of those that are probed
  std::vector<Callback> callbacks;
  std::vector<DeviceCallback> device_callbacks;
};

Bus& bus() {
  static Bus the_bus;
  return the_bus;
}

DeviceModel* device_of(uint16_t port) {
  const auto name = bus().ports.find(port);
  if (name == bus().ports.end()) return nullptr;
  return bus().devices.at(name->second).get();
}

uint32_t overhead(const rte_eth_dev_info& info) {
  return info.max_mtu != UINT16_MAX ? info.max_rx_pktlen - info.max_mtu : 18;
}

bool takes_mtu(const rte_eth_dev_info& info, uint16_t mtu) {
  return mtu >= info.min_mtu && mtu <= info.max_mtu && mtu + overhead(info) <= info.max_rx_pktlen;
}

}  // namespace

DeviceModel::DeviceModel() {
  info.driver_name = "net_model";
  info.max_rx_queues = info.max_tx_queues = 64;
  info.rx_desc_lim = info.tx_desc_lim = {.nb_max = 4096, .nb_min = 64, .nb_align = 8};
  info.flow_type_rss_offloads = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_IPV4;
  info.hash_key_size = 40;
  info.reta_size = 128;
  info.min_mtu = 68;
  info.max_mtu = 9702;
  info.max_rx_pktlen = 9728;
}

void EthdevModel::clear() {
  bus() = {};
}

DeviceModel& EthdevModel::add(const std::string& name) {
  return *(bus().devices[name] = std::make_unique<DeviceModel>());
}

DeviceModel& EthdevModel::at(const std::string& name) {
  return *bus().devices.at(name);
}

void EthdevModel::raise(uint16_t port, rte_eth_event_type event) {
  for (const Callback& one : std::vector(bus().callbacks)) {
    if (one.port == port && one.event == event) one.call(port, event, one.argument, nullptr);
  }
}

void EthdevModel::ask_back(const std::string& name) {
  for (const DeviceCallback& one : std::vector(bus().device_callbacks)) {
    if (one.device == name) one.call(name.c_str(), RTE_DEV_EVENT_REMOVE, one.argument);
  }
}

}  // namespace sluice::test

using sluice::test::bus;
using sluice::test::device_of;
using sluice::test::DeviceModel;
using sluice::test::takes_mtu;

// With a port that is not there ethdev answers all of them with -ENODEV.
#define DEVICE_OR_ENODEV(port)                 \
  DeviceModel* const device = device_of(port); \
  if (device == nullptr) return -ENODEV

extern "C" {

// ---- the bus ------------------------------------------------------------------------------------

int rte_dev_probe(const char* devargs) {
  const std::string all = devargs, name = all.substr(0, all.find(','));
  const auto found = bus().devices.find(name);
  if (found == bus().devices.end() || !found->second->present) return -ENODEV;
  for (uint16_t port = 0;; ++port) {
    if (bus().ports.contains(port)) continue;
    bus().ports[port] = name;
    found->second->arguments = all.substr(name.size());
    return 0;
  }
}

int rte_dev_remove(struct rte_device*) {
  return 0;
}

int rte_dev_event_callback_register(const char* device, rte_dev_event_cb_fn call, void* argument) {
  bus().device_callbacks.push_back({device, call, argument});
  return 0;
}

int rte_dev_event_callback_unregister(const char* device, rte_dev_event_cb_fn, void* argument) {
  return static_cast<int>(std::erase_if(bus().device_callbacks, [&](const auto& one) {
    return one.device == device && one.argument == argument;
  }));
}

int rte_eth_dev_get_port_by_name(const char* name, uint16_t* port) {
  for (const auto& [number, device] : bus().ports) {
    if (device != name) continue;
    *port = number;
    return 0;
  }
  return -ENODEV;
}

int rte_eth_dev_callback_register(uint16_t port, enum rte_eth_event_type event,
                                  rte_eth_dev_cb_fn call, void* argument) {
  bus().callbacks.push_back({port, event, call, argument});
  return 0;
}

int rte_eth_dev_callback_unregister(uint16_t port, enum rte_eth_event_type event, rte_eth_dev_cb_fn,
                                    void* argument) {
  std::erase_if(bus().callbacks, [&](const auto& one) {
    return one.port == port && one.event == event && one.argument == argument;
  });
  return 0;
}

// ---- configuration ------------------------------------------------------------------------------

int rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info* info) {
  DEVICE_OR_ENODEV(port);
  *info = device->info;
  info->dev_flags = &device->dev_flags;
  return 0;
}

int rte_eth_dev_configure(uint16_t port, uint16_t rx, uint16_t tx,
                          const struct rte_eth_conf* conf) {
  DEVICE_OR_ENODEV(port);
  if (device->running) return -EBUSY;
  if (rx > device->info.max_rx_queues || tx > device->info.max_tx_queues) return -EINVAL;
  const uint32_t flags = device->dev_flags;
  if (conf->intr_conf.lsc && (flags & RTE_ETH_DEV_INTR_LSC) == 0) return -EINVAL;
  if (conf->intr_conf.rmv && (flags & RTE_ETH_DEV_INTR_RMV) == 0) return -EINVAL;
  const auto mtu = static_cast<uint16_t>(conf->rxmode.mtu == 0 ? 1500 : conf->rxmode.mtu);
  if (!takes_mtu(device->info, mtu)) return -EINVAL;
  device->rx_queues = rx;
  device->tx_queues = tx;
  device->conf = *conf;
  ++device->configured;
  if (const int refused = device->configure(*device); refused != 0) return refused;
  device->mtu = mtu;
  device->rx.assign(rx, {});
  if ((conf->rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG) != 0) {
    device->info.reta_size = device->reta_size_configured;
    device->reta.assign(device->reta_size_configured, 0);
    const auto& rss = conf->rx_adv_conf.rss_conf;
    device->key.assign(rss.rss_key, rss.rss_key + (rss.rss_key == nullptr ? 0 : rss.rss_key_len));
    device->key.resize(rss.rss_key == nullptr ? 40 : rss.rss_key_len);
  }
  return 0;
}

int rte_eth_dev_socket_id(uint16_t) {
  return 0;
}

int rte_eth_rx_queue_setup(uint16_t port, uint16_t queue, uint16_t descriptors, unsigned int,
                           const struct rte_eth_rxconf* conf, struct rte_mempool*) {
  DEVICE_OR_ENODEV(port);
  const rte_eth_desc_lim& lim = device->info.rx_desc_lim;
  if (descriptors > lim.nb_max || descriptors < lim.nb_min || descriptors % lim.nb_align != 0) {
    return -EINVAL;
  }
  device->rx.at(queue) = conf == nullptr ? device->info.default_rxconf : *conf;
  device->rx_descriptors = descriptors;
  return 0;
}

int rte_eth_tx_queue_setup(uint16_t port, uint16_t queue, uint16_t descriptors, unsigned int,
                           const struct rte_eth_txconf*) {
  DEVICE_OR_ENODEV(port);
  const rte_eth_desc_lim& lim = device->info.tx_desc_lim;
  if (descriptors > lim.nb_max || descriptors < lim.nb_min || descriptors % lim.nb_align != 0) {
    return -EINVAL;
  }
  device->tx_descriptors = descriptors;
  return queue < device->tx_queues ? 0 : -EINVAL;
}

int rte_eth_dev_start(uint16_t port) {
  DEVICE_OR_ENODEV(port);
  const int refused = device->start(*device);
  device->running = refused == 0;
  return refused;
}

int rte_eth_dev_stop(uint16_t port) {
  DEVICE_OR_ENODEV(port);
  device->running = false;
  return 0;
}

int rte_eth_dev_close(uint16_t port) {
  DEVICE_OR_ENODEV(port);
  ++device->closes;
  device->running = device->hears_all = false;
  bus().ports.erase(port);
  return 0;
}

int rte_eth_dev_reset(uint16_t port) {
  DEVICE_OR_ENODEV(port);
  ++device->resets;
  device->running = device->hears_all = false;
  device->rx_queues = device->tx_queues = 0;
  return device->reset_result;
}

int rte_eth_macaddr_get(uint16_t port, struct rte_ether_addr* mac) {
  DEVICE_OR_ENODEV(port);
  *mac = device->mac;
  return 0;
}

int rte_eth_dev_set_mtu(uint16_t port, uint16_t mtu) {
  DEVICE_OR_ENODEV(port);
  if (!device->has_mtu_set) return -ENOTSUP;
  if (!takes_mtu(device->info, mtu)) return -EINVAL;
  device->mtu = mtu;
  return 0;
}

int rte_eth_dev_get_mtu(uint16_t port, uint16_t* mtu) {
  DEVICE_OR_ENODEV(port);
  *mtu = device->mtu;
  return 0;
}

int rte_eth_link_get_nowait(uint16_t port, struct rte_eth_link* link) {
  DEVICE_OR_ENODEV(port);
  link->link_status = device->link_up ? RTE_ETH_LINK_UP : RTE_ETH_LINK_DOWN;
  return 0;
}

int rte_eth_stats_get(uint16_t port, struct rte_eth_stats* stats) {
  DEVICE_OR_ENODEV(port);
  *stats = device->stats;
  return 0;
}

// ---- multicast ----------------------------------------------------------------------------------

int rte_eth_allmulticast_enable(uint16_t port) {
  DEVICE_OR_ENODEV(port);
  if (!device->all_multicast) return -ENOTSUP;
  device->hears_all = true;
  return 0;
}

int rte_eth_dev_set_mc_addr_list(uint16_t port, struct rte_ether_addr* list, uint32_t count) {
  DEVICE_OR_ENODEV(port);
  if (!device->multicast_list) return -ENOTSUP;
  device->groups.assign(list, list + count);
  return 0;
}

// ---- RSS ----------------------------------------------------------------------------------------

int rte_eth_dev_rss_hash_conf_get(uint16_t port, struct rte_eth_rss_conf* conf) {
  DEVICE_OR_ENODEV(port);
  if (!device->key_can_be_read) return -ENOTSUP;
  std::ranges::copy(device->key, conf->rss_key);
  conf->rss_key_len = static_cast<uint8_t>(device->key.size());
  conf->rss_hf = device->conf.rx_adv_conf.rss_conf.rss_hf;
  return 0;
}

int rte_eth_dev_rss_reta_update(uint16_t port, struct rte_eth_rss_reta_entry64* groups,
                                uint16_t size) {
  DEVICE_OR_ENODEV(port);
  if (size != device->reta.size()) return -EINVAL;
  for (uint16_t i = 0; i < size; ++i) device->reta[i] = groups[i / 64].reta[i % 64];
  return 0;
}

int rte_eth_dev_rss_reta_query(uint16_t port, struct rte_eth_rss_reta_entry64* groups,
                               uint16_t size) {
  DEVICE_OR_ENODEV(port);
  if (size != device->reta.size()) return -EINVAL;
  for (uint16_t i = 0; i < size; ++i) groups[i / 64].reta[i % 64] = device->reta[i];
  return 0;
}

}  // extern "C"
