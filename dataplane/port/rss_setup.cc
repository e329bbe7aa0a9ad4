// SPDX-License-Identifier: BSD-3-Clause
// Sets and reads back what ethdev knows of RSS.
#include "dataplane/port/rss_setup.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "dataplane/port/dpdk_error.h"

namespace sluice {
namespace {

constexpr size_t kKeyLengthMax = 64;
constexpr uint8_t kKeyLengthUnsaid = 40;  // what a driver means that tells no length
constexpr uint64_t kHashed = RTE_ETH_RSS_NONFRAG_IPV4_TCP;
// Asked for where the device can do it. Datagrams that it does not spread by their ports are handed
// off.
constexpr uint64_t kWished = RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV4 |
                             RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP |
                             RTE_ETH_RSS_IPV6;

rte_eth_dev_info info_of(uint16_t port) {
  rte_eth_dev_info info;
  check(rte_eth_dev_info_get(port, &info), "device info");
  return info;
}

using RetaGroups = std::vector<rte_eth_rss_reta_entry64>;

/// Every queue in turn. A driver may have a table of its own and refuse ours.
void spread_evenly(uint16_t port, uint16_t reta_size, uint16_t queue_count) {
  RetaGroups groups(reta_size / RTE_ETH_RETA_GROUP_SIZE + 1);
  for (uint32_t i = 0; i < reta_size; ++i) {
    rte_eth_rss_reta_entry64& group = groups[i / RTE_ETH_RETA_GROUP_SIZE];
    group.mask |= uint64_t{1} << (i % RTE_ETH_RETA_GROUP_SIZE);
    group.reta[i % RTE_ETH_RETA_GROUP_SIZE] = static_cast<uint16_t>(i % queue_count);
  }
  static_cast<void>(rte_eth_dev_rss_reta_update(port, groups.data(), reta_size));
}

std::vector<uint16_t> read_reta(uint16_t port, uint16_t reta_size) {
  RetaGroups groups(reta_size / RTE_ETH_RETA_GROUP_SIZE + 1);
  for (rte_eth_rss_reta_entry64& group : groups) group.mask = UINT64_MAX;
  check(rte_eth_dev_rss_reta_query(port, groups.data(), reta_size), "its RETA cannot be read");
  std::vector<uint16_t> reta(reta_size);
  for (uint32_t i = 0; i < reta_size; ++i) {
    reta[i] = groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
  }
  return reta;
}

struct HashKey {
  std::vector<uint8_t> bytes;
  bool hashes_v6;
};

/// `asked` is believed of a driver that takes a key and cannot be asked for it; whether it is right
/// shows in what has to be handed off.
HashKey read_key(uint16_t port, uint8_t length, std::span<const uint8_t> asked,
                 uint64_t asked_types) {
  std::vector<uint8_t> key(std::max<size_t>(length, kKeyLengthMax));
  rte_eth_rss_conf conf{};
  conf.rss_key = key.data();
  conf.rss_key_len = static_cast<uint8_t>(key.size());
  const int result = rte_eth_dev_rss_hash_conf_get(port, &conf);
  if (result == -ENOTSUP && !asked.empty()) {
    std::ranges::copy(asked, key.begin());
    conf.rss_hf = asked_types;
  } else {
    check(result, "its RSS key cannot be read");
  }
  if ((conf.rss_hf & kHashed) == 0) throw std::runtime_error("RSS of TCP over IPv4 stays off");
  key.resize(length);
  const bool is_long = length >= Toeplitz<net::Ipv6Address>::kKeyLengthMin;
  return {key, is_long && (conf.rss_hf & RTE_ETH_RSS_NONFRAG_IPV6_TCP) != 0};
}

}  // namespace

uint8_t rss_key_length(const rte_eth_dev_info& info) {
  return info.hash_key_size == 0 ? kKeyLengthUnsaid : info.hash_key_size;
}

std::span<uint8_t> rss_key(uint8_t length) {
  constexpr std::array<uint8_t, 40> kKey = {
      0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
      0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
      0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
  static std::array<uint8_t, UINT8_MAX> key = [&] {
    std::array<uint8_t, UINT8_MAX> repeated;
    for (size_t i = 0; i < repeated.size(); ++i) repeated[i] = kKey[i % kKey.size()];
    return repeated;
  }();
  return {key.data(), length};
}

bool ask_for_rss(const rte_eth_dev_info& info, uint8_t* key, rte_eth_conf& conf) {
  // Of the RETA nothing is known yet: vmxnet3 has none before it is configured.
  if ((info.flow_type_rss_offloads & kHashed) == 0) return false;
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  rte_eth_rss_conf& rss = conf.rx_adv_conf.rss_conf;
  rss.rss_hf = info.flow_type_rss_offloads & (kHashed | kWished);
  rss.rss_key = key;
  rss.rss_key_len = key == nullptr ? uint8_t{0} : rss_key_length(info);
  return true;
}

RssFunction read_rss(uint16_t port, uint32_t worker_count, uint16_t queue_count,
                     std::span<const uint8_t> asked_key) {
  const rte_eth_dev_info info = info_of(port);
  if (queue_count < worker_count) {
    throw std::runtime_error(std::to_string(queue_count) + " rx queues for " +
                             std::to_string(worker_count) + " workers");
  }
  if ((info.flow_type_rss_offloads & kHashed) == 0) {
    throw std::runtime_error("no RSS of TCP over IPv4");
  }
  if (info.reta_size == 0 || (info.reta_size & (info.reta_size - 1)) != 0) {
    throw std::runtime_error("no RETA, or one whose size is no power of two");
  }
  if (rss_key_length(info) < Toeplitz<net::Ipv4Address>::kKeyLengthMin) {
    throw std::runtime_error("its RSS key is too short");
  }
  spread_evenly(port, info.reta_size, queue_count);
  HashKey key = read_key(port, rss_key_length(info), asked_key, info.flow_type_rss_offloads);
  RssFunction rss{std::move(key.bytes), read_reta(port, info.reta_size), key.hashes_v6};
  std::vector<bool> served(worker_count);
  for (const uint16_t queue : rss.reta) {
    if (queue >= worker_count) throw std::runtime_error("its RETA names queues that are not ours");
    served[queue] = true;
  }
  if (std::ranges::find(served, false) != served.end()) {
    throw std::runtime_error("its RETA leaves a worker without packets");
  }
  return rss;
}

}  // namespace sluice
