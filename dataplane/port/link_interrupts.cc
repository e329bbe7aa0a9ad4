// SPDX-License-Identifier: BSD-3-Clause
// An eventfd behind ethdev's callback.
#include "dataplane/port/link_interrupts.h"

#include <rte_ethdev.h>
#include <rte_pause.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "dataplane/port/dpdk_error.h"

namespace sluice {
namespace {

/// The descriptor itself is the argument, so that nothing has to outlive the callback.
void* as_argument(int fd) {
  return reinterpret_cast<void*>(static_cast<intptr_t>(fd));
}

int on_link_change(uint16_t, rte_eth_event_type, void* fd, void*) {
  eventfd_write(static_cast<int>(reinterpret_cast<intptr_t>(fd)), 1);
  return 0;
}

}  // namespace

LinkInterrupts::LinkInterrupts(std::vector<uint16_t> ports)
    : ports_(std::move(ports)), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (fd_ < 0) throw std::runtime_error("eventfd");
  for (const uint16_t port : ports_) {
    check(rte_eth_dev_callback_register(port, RTE_ETH_EVENT_INTR_LSC, on_link_change,
                                        as_argument(fd_)),
          "link interrupts");
  }
}

LinkInterrupts::~LinkInterrupts() {
  for (const uint16_t port : ports_) {
    // While it runs just now, it cannot be taken away.
    while (rte_eth_dev_callback_unregister(port, RTE_ETH_EVENT_INTR_LSC, on_link_change,
                                           as_argument(fd_)) == -EAGAIN) {
      rte_pause();
    }
  }
  close(fd_);
}

void LinkInterrupts::clear() const {
  eventfd_t changes;
  eventfd_read(fd_, &changes);
}

}  // namespace sluice
