// SPDX-License-Identifier: BSD-3-Clause
// What a question for flows may say of them; FlowQuery (views.h) is what is made of it.
#pragma once

#include "control/daemon/api/api_call.h"

namespace sluice::control {

ValueKind flow_filter();
ValueKind flow_cursor();

}  // namespace sluice::control
