// SPDX-License-Identifier: BSD-3-Clause
// The table, in nftables' own words.
#include "control/daemon/kernel/ingress_drop.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <nftables/libnftables.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <set>

#include "control/common/text.h"
#include "control/common/unique_fd.h"
#include "control/config/address_text.h"
#include "control/config/socket_address.h"

namespace sluice::control {
namespace {

std::set<IpAddress> kernels_own(const std::string& link) {
  std::set<IpAddress> own;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return own;
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (item->ifa_addr == nullptr || link != item->ifa_name) continue;
    const int family = item->ifa_addr->sa_family;
    if (family == AF_INET || family == AF_INET6) own.insert(address_of(*item->ifa_addr));
  }
  freeifaddrs(list);
  return own;
}

// A set of one family and the rule that drops what is in it; nothing where there is nothing.
struct Dropping {
  std::string set, rule;
};
Dropping dropping(size_t number, const std::set<IpAddress>& dropped, net::Family family) {
  std::vector<std::string> texts;
  for (const IpAddress& ip : dropped) {
    if (ip.family() == family) texts.push_back(net::to_string(ip));
  }
  if (texts.empty()) return {};
  const bool is_v4 = family == net::Family::kIpv4;
  const std::string name = fmt::format("to{}_{}", number, is_v4 ? "ip" : "ip6");
  return {fmt::format(" set {} {{\n  type {}\n  elements = {{ {} }}\n }}\n", name,
                      is_v4 ? "ipv4_addr" : "ipv6_addr", join(texts, ", ")),
          fmt::format("  {} daddr @{} drop\n", is_v4 ? "ip" : "ip6", name)};
}

}  // namespace

// One chain, and the sets of what it drops.
std::string IngressDrop::chain_of(size_t number, const Link& link,
                                  const std::vector<IpAddress>& own,
                                  const std::set<IpAddress>& kernels) {
  std::set<IpAddress> dropped(own.begin(), own.end());
  std::ranges::copy_if(link.addresses, std::inserter(dropped, dropped.end()),
                       [&](const IpAddress& ip) { return !kernels.contains(ip); });
  const Dropping v4 = dropping(number, dropped, net::Family::kIpv4);
  const Dropping v6 = dropping(number, dropped, net::Family::kIpv6);
  return fmt::format(
      "{0}{1} chain from{2} {{\n  type filter hook ingress device \"{3}\" priority -500\n"
      "{4}{5} }}\n",
      v4.set, v6.set, number, link.name, v4.rule, v6.rule);
}

namespace {

// libnftables ends the process where it gets no socket.
bool has_netfilter_socket() {
  const UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  return static_cast<bool>(fd);
}

std::string first_line_of(const char* text) {
  const std::string all = text == nullptr ? "" : text;
  return all.substr(0, all.find('\n'));
}

}  // namespace

void IngressDrop::Free::operator()(nft_ctx* context) const {
  nft_ctx_free(context);
}

IngressDrop::IngressDrop() : table_(fmt::format("sluice_{}", getpid())) {}
IngressDrop::~IngressDrop() = default;

std::string IngressDrop::run(const std::string& commands) {
  if (!context_) {
    if (!has_netfilter_socket()) return std::strerror(errno);
    context_.reset(nft_ctx_new(NFT_CTX_DEFAULT));
    if (!context_) return "no memory";
    nft_ctx_buffer_output(context_.get());
    nft_ctx_buffer_error(context_.get());
  }
  if (nft_run_cmd_from_buffer(context_.get(), commands.c_str()) == 0) return "";
  return first_line_of(nft_ctx_get_error_buffer(context_.get()));
}

void IngressDrop::apply(std::vector<Link> links, std::vector<IpAddress> own) {
  std::vector<unsigned> indices;
  for (const Link& link : links) {
    if (link.name.find('"') != std::string::npos) {
      problem_ = fmt::format("nftables cannot name the interface {}", link.name);
      return;
    }
    indices.push_back(if_nametoindex(link.name.c_str()));
  }
  if (there_ && links == links_ && indices == indices_ && own == own_) return;
  if (links.empty() && !there_) return;
  std::string commands = there_ ? fmt::format("delete table netdev {}\n", table_) : "";
  commands += fmt::format("table netdev {} {{\n flags owner\n", table_);
  for (size_t i = 0; i < links.size(); ++i) {
    commands += chain_of(i, links[i], own, kernels_own(links[i].name));
  }
  problem_ = run(commands + "}\n");
  if (!problem_.empty()) return;
  there_ = true;
  links_ = std::move(links);
  indices_ = std::move(indices);
  own_ = std::move(own);
}

}  // namespace sluice::control
