// SPDX-License-Identifier: BSD-3-Clause
// Tries transmit queues before they are used: a driver may have more of them than its chip.
#pragma once

#include "control/config/config.h"
#include "control/daemon/core/ports.h"

namespace sluice::control {

// Limits a port to the queues that send, and logs it. `packets` are those of the
// first worker, which does not run yet.
void try_tx_queues(const Config& config, Ports& ports, rte_mempool* packets);

}  // namespace sluice::control
