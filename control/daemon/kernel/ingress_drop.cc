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

namespace sluice::control {
namespace {

std::set<net::Ipv4Address> kernels_own(const std::string& link) {
  std::set<net::Ipv4Address> own;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return own;
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (item->ifa_addr == nullptr || item->ifa_addr->sa_family != AF_INET) continue;
    if (link != item->ifa_name) continue;
    own.insert({reinterpret_cast<const sockaddr_in*>(item->ifa_addr)->sin_addr.s_addr});
  }
  freeifaddrs(list);
  return own;
}

// One chain, and the set of what it drops.
std::string chain_of(size_t number, const IngressDrop::Link& link,
                     const std::vector<net::Ipv4Address>& own) {
  std::set<net::Ipv4Address> dropped(own.begin(), own.end());
  const std::set<net::Ipv4Address> kernels = kernels_own(link.name);
  std::ranges::copy_if(link.addresses, std::inserter(dropped, dropped.end()),
                       [&](net::Ipv4Address ip) { return !kernels.contains(ip); });
  std::vector<std::string> texts;
  for (const net::Ipv4Address ip : dropped) texts.push_back(net::to_string(ip));
  return fmt::format(
      " set to{0} {{\n  type ipv4_addr\n  elements = {{ {1} }}\n }}\n"
      " chain from{0} {{\n  type filter hook ingress device \"{2}\" priority -500\n"
      "  ip daddr @to{0} drop\n }}\n",
      number, join(texts, ", "), link.name);
}

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

void IngressDrop::apply(std::vector<Link> links, std::vector<net::Ipv4Address> own) {
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
  for (size_t i = 0; i < links.size(); ++i) commands += chain_of(i, links[i], own);
  problem_ = run(commands + "}\n");
  if (!problem_.empty()) return;
  there_ = true;
  links_ = std::move(links);
  indices_ = std::move(indices);
  own_ = std::move(own);
}

}  // namespace sluice::control
