// SPDX-License-Identifier: BSD-3-Clause
// Waits for links, asks through queues.
#include "control/daemon/core/tx_queue_trial.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <thread>

#include "control/daemon/core/queue_questions.h"
#include "dataplane/port/queue_probe.h"

namespace sluice::control {
namespace {

// A card that has just been started may take a while for its link.
bool await_link(const Port& port) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kLinkTime{3};
  for (const auto until = Clock::now() + kLinkTime; Clock::now() < until;) {
    if (port.link_up()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace

// Of a socket of the kernel's nothing need be tried.
void try_tx_queues(const Config& config, Ports& ports, rte_mempool* packets) {
  constexpr std::chrono::milliseconds kEchoTime{70};
  for (size_t device = 0; device < ports.devices().size(); ++device) {
    Port& port = ports.devices()[device];
    const size_t i = ports.first_interface(device);
    if (port.tx_queue_count() < 2 || port.kernel_index() != 0 || !await_link(port)) continue;
    QueueProbe probe{
        port.id(), port.rx_queue_count(), port.tx_queue_count(), packets, port.mac(), {}, {}};
    set_questions(probe, config, i);
    const uint16_t sending = count_sending_queues(probe, kEchoTime);
    if (sending == port.tx_queue_count()) continue;
    spdlog::error("interface {}: what goes into transmit queue {} of {} is never sent: using {}",
                  config.interfaces[i].name, sending, port.tx_queue_count(), sending);
    port.limit_tx_queues(sending);
  }
}

}  // namespace sluice::control
