// SPDX-License-Identifier: BSD-3-Clause
// What systemd is told of this service, by its notification protocol (sd_notify(3)).
//
// All of it does nothing where no service manager listens: in a shell, a test, a container. The
// watchdog is the service manager's: it ends and restarts a sluice that has not said that it is
// alive for WatchdogSec, so that may be said only when the workers are, too (worker_watch.h).
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace sluice::control {

void tell_ready(const std::string& status);
// Where it may take longer than TimeoutStartSec.
void tell_start_may_take(std::chrono::seconds time);
void tell_reloading();
void tell_stopping();
void tell_status(const std::string& status);
void tell_alive();

// Within which tell_alive() must be called again and again; nothing where nobody waits for it.
std::optional<std::chrono::milliseconds> watchdog_limit();

// Whether standard error is a stream of the journal, which keeps time and priority by itself.
bool logs_to_journal();

}  // namespace sluice::control
