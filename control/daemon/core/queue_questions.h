// SPDX-License-Identifier: BSD-3-Clause
// Whom a probe of transmit queues asks.
#pragma once

#include "control/config/config.h"
#include "dataplane/port/queue_probe.h"

namespace sluice::control {

// Who is asked, and from where: IPv4's neighbours where there are any.
void set_questions(QueueProbe& probe, const Config& config, size_t interface);

}  // namespace sluice::control
