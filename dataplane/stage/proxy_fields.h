// SPDX-License-Identifier: BSD-3-Clause
// What the PROXY header of a flow says.
#pragma once

#include "dataplane/net/proxy_protocol.h"
#include "dataplane/stage/core.h"

namespace sluice {

/// The form that the flow's header has; its fields, which name the form's texts. The same each time
/// that they are asked for.
const ProxyForm& proxy_form(const Core& core, uint32_t index);
net::ProxyFields proxy_fields(const Core& core, uint32_t index);

/// Gives a flow that has just begun a header of that form.
void choose_proxy_form(Core& core, uint32_t index, uint16_t form);

}  // namespace sluice
