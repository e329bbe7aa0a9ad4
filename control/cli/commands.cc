// SPDX-License-Identifier: BSD-3-Clause
// An entry a command; each is made in the file of its name.
#include "control/cli/commands.h"

#include "control/cli/backend_command.h"
#include "control/cli/doctor_command.h"
#include "control/cli/drain_command.h"
#include "control/cli/explain_command.h"
#include "control/cli/reload_command.h"
#include "control/cli/restart_command.h"
#include "control/cli/save_command.h"
#include "control/cli/show_command.h"
#include "control/cli/status_command.h"
#include "control/cli/support_bundle_command.h"
#include "control/cli/top/top.h"
#include "control/cli/trace_command.h"
#include "control/cli/why_command.h"

namespace sluice::control {

std::vector<Command> commands() {
  return {
      show_command(),           status_command(),  doctor_command(), top_command(),
      backend_command(),        reload_command(),  save_command(),   drain_command(),
      undrain_command(),        trace_command(),   why_command(),    explain_command(),
      support_bundle_command(), restart_command(),
  };
}

}  // namespace sluice::control
