// SPDX-License-Identifier: BSD-3-Clause
// Who may begin a flow, and how many: lists of prefixes, limits of a service and of each client.
//
// All of it is asked when a flow begins; no packet of a flow that is there is ever judged. Limits
// hold for all workers together: each counts its own flows, and reads what the others have counted,
// so that what is opened at the same moment on several workers may pass a limit by a few. Where a
// client's entry makes way or there is none, its flows are not refused for it (client_table.h).
//
// A backend's max_connections is the scheduler's affair (scheduler.h).
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Whether a list is against the source of a flow's first packet.
net::Verdict check_lists(Core& core, const ServiceView& service, const Segment& first);
/// Whether the service, or the client's part of it, is full.
net::Verdict check_limits(Core& core, const ServiceView& service, const Segment& first);

/// Why a service gives no backend: they are full, or there is none that may take a flow.
net::DropReason without_backend(const ServiceView& service);

/// Whether a refusal for this reason says nothing to the client, whatever the service's on_refusal.
bool is_silent(const ServiceView& service, net::DropReason reason);
/// Remembers whom it was refused, where it is for one of the reasons above or for full backends.
void note_refused_source(Core& core, const Segment& first, net::DropReason reason);

/// A flow was entered; one that was open before was; its handshake is done; it is over.
void count_opened(Core& core, uint32_t index);
void count_adopted(Core& core, uint32_t index);
void count_established(Core& core, uint32_t index);
void count_over(Core& core, uint32_t index);

}  // namespace sluice
