// SPDX-License-Identifier: BSD-3-Clause
// Keeps the host's kernel from Sluice's packets where both receive them.
//
// A packet socket gets a copy; the kernel goes on with the packet. Where it forwards (ip_forward =
// 1) it sends its copy back by its own routes, and the packets go round; where it has the address
// it answers, with a RST. So a rule of nftables at the interface's ingress hook, which comes after
// the packet sockets' tap, drops what is for an address of Sluice's, and nothing else: the host's
// own traffic on that interface, SSH to it and what it forwards for others, is not touched.
//
// The rule lives in a table that has an owner (NFT_TABLE_F_OWNER): the kernel removes it with our
// netlink socket, so it goes with the process, whatever ends that, and nobody else can remove it
// before.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/config/ip_address.h"

struct nft_ctx;

namespace sluice::control {

class IngressDrop {
 public:
  struct Link {
    std::string name;  // of a kernel interface
    // Sluice's own on that interface. One that the kernel has there as well stays the kernel's.
    std::vector<IpAddress> addresses;
    bool operator==(const Link&) const = default;
  };

  IngressDrop();
  ~IngressDrop();

  // Has the kernel drop what comes in by `links` for `own` or for the link's addresses. Costs
  // nothing where nothing changed. Where it fails, the rule of before stays, and problem() says
  // why.
  void apply(std::vector<Link> links, std::vector<IpAddress> own);
  const std::string& problem() const { return problem_; }

  // The rules of one link, in nftables' words; `kernels` are what the kernel has there.
  static std::string chain_of(size_t number, const Link& link, const std::vector<IpAddress>& own,
                              const std::set<IpAddress>& kernels);

 private:
  struct Free {
    void operator()(nft_ctx* context) const;
  };

  std::string run(const std::string& commands);

  std::string table_;
  std::unique_ptr<nft_ctx, Free> context_;
  bool there_ = false;
  std::vector<Link> links_;
  std::vector<unsigned> indices_;  // of the links, when the rule was made
  std::vector<IpAddress> own_;
  std::string problem_;
};

}  // namespace sluice::control
