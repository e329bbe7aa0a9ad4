// SPDX-License-Identifier: BSD-3-Clause
// Everything that sluicectl makes of an answer; for the fuzz target and its seeded twin among the
// unit tests.
#pragma once

#include <cstdlib>
#include <string>

#include "control/cli/doctor_command.h"
#include "control/cli/explain_command.h"
#include "control/cli/status_command.h"
#include "control/cli/table.h"
#include "control/cli/top/top_screen.h"
#include "control/cli/trace_command.h"
#include "control/cli/why_command.h"
#include "control/common/api_answer.h"

namespace sluice::test {

// What a terminal would take for a command.
inline void require_printable(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || byte == 0x7f) std::abort();
  }
}

inline void show_on_screen(const nlohmann::json& answer) {
  using namespace sluice::control;  // NOLINT
  TopScreen screen;
  screen.set_status(answer);
  for (const char key : std::string("bspwd/1\no>")) {
    screen.press(key);
    for (const ScreenLine& line : screen.render(100, 30)) {
      for (const Span& span : line) require_printable(span.text);
    }
  }
}

inline void show_in_every_way(const nlohmann::json& answer) {
  using namespace sluice::control;  // NOLINT
  for (const std::string& what : table_names()) {
    for (const Width width : {Width::kTerminal, Width::kWide}) {
      require_printable(render_table(what, answer, width));
    }
  }
  require_printable(render_explanation(answer));
  require_printable(render_status(answer));
  require_printable(render_doctor(answer));
  require_printable(render_packet(answer));
  require_printable(render_why(answer, "10.1.0.7", "10m"));
  static_cast<void>(dumped(answer));
  static_cast<void>(is_red(answer));
  static_cast<void>(is_ill(answer));
  show_on_screen(answer);
}

}  // namespace sluice::test
