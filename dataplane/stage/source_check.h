// SPDX-License-Identifier: BSD-3-Clause
// Sources that cannot be: our own addresses, broadcast, a backend's from the clients' side.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Refuses what nobody can have sent from `source` and what came in by `interface` all the same.
template <class Address>
net::Verdict check_source(const Core& core, const Address& source, uint16_t interface);

}  // namespace sluice
