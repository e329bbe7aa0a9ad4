// SPDX-License-Identifier: BSD-3-Clause
// What arrives only says that it is time to look; the state is what a question then finds.
#include "control/daemon/kernel/link_watch.h"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace sluice::control {
namespace {

constexpr std::chrono::milliseconds kPollPeriod{250};
constexpr int kMessagesPerCall = 64;  // the loop comes back for the rest

}  // namespace

LinkWatch::LinkWatch(EventLoop& loop, std::vector<Link> links, Found found,
                     EventLoop::Callback changed)
    : loop_(loop),
      links_(std::move(links)),
      found_(std::move(found)),
      changed_(std::move(changed)) {
  listen_to_kernel();
  loop_.every(kPollPeriod, [this] { look(); });
  look();
}

LinkWatch::~LinkWatch() {
  if (kernel_) loop_.forget(kernel_.get());
}

void LinkWatch::listen_to_kernel() {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (!fd || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    spdlog::warn("no news of links from the kernel: looking for them {} times a second",
                 std::chrono::seconds(1) / kPollPeriod);
    return;
  }
  kernel_ = std::move(fd);
  loop_.watch(kernel_.get(), EPOLLIN, [this](uint32_t) { read_news(); });
}

void LinkWatch::read_news() {
  alignas(nlmsghdr) std::array<char, 16384> message;
  bool worth_a_look = false;
  for (int i = 0; i < kMessagesPerCall; ++i) {
    const ssize_t length = recv(kernel_.get(), message.data(), message.size(), 0);
    if (length < 0 && errno != ENOBUFS) break;
    worth_a_look |= length < 0 || concerns_us(message.data(), static_cast<size_t>(length));
  }
  if (worth_a_look) look();
}

// A host of containers makes and deletes links all day.
bool LinkWatch::concerns_us(const char* message, size_t length) const {
  const auto* header = reinterpret_cast<const nlmsghdr*>(message);
  for (auto left = static_cast<int>(length); mnl_nlmsg_ok(header, left);
       header = mnl_nlmsg_next(header, &left)) {
    const auto& link = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(header));
    if (mnl_nlmsg_get_payload_len(header) < sizeof link) continue;
    const auto is_his = [&](const Link& ours) {
      return ours.port->kernel_index() == static_cast<unsigned>(link.ifi_index);
    };
    if (std::ranges::any_of(links_, is_his)) return true;
  }
  return false;
}

LinkState LinkWatch::state_of(const Link& link) const {
  const unsigned index = link.port->kernel_index();
  if (index == 0) return judge_link(link.port->link_up());
  return judge_link(read_link(index), kernel_interface_of(link.device).value_or(link.device));
}

void LinkWatch::look() {
  bool changed = false;
  for (size_t i = 0; i < links_.size(); ++i) {
    try {
      changed |= found_(i, state_of(links_[i]));
    } catch (const std::runtime_error& error) {
      spdlog::warn("interface {}: its link cannot be read: {}", links_[i].interface, error.what());
    }
  }
  if (changed && changed_) changed_();
}

}  // namespace sluice::control
