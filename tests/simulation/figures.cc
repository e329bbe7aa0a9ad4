// SPDX-License-Identifier: BSD-3-Clause
// Prints a run's figures.
#include "tests/simulation/figures.h"

#include <cinttypes>

namespace sluice::sim {

void Figures::print(std::FILE* f) const {
  std::fprintf(f,
               "  connections  %" PRIu64 " started, %" PRIu64 " opened, %" PRIu64
               " refused, %" PRIu64 " not opened, %" PRIu64 " opened by a second SYN\n",
               started, opened, refused, not_opened, waited);
  std::fprintf(f, "  closed      ");
  for (unsigned i = 0; i < kCloseModes; i++)
    if (done_by_mode[i] != 0)
      std::fprintf(f, " %s %" PRIu64 ",", name_of(static_cast<CloseMode>(i)), done_by_mode[i]);
  std::fprintf(f, " reset %" PRIu64 ", gave up %" PRIu64 "\n", reset, gave_up);
  std::fprintf(f,
               "  time_wait    %" PRIu64 " SYNs met it, %" PRIu64 " not taken (%" PRIu64
               " in silence), %" PRIu64 " met a half-open connection, %" PRIu64 " healed\n",
               syns_in_time_wait, rejected, rejected_silently, on_live_socket, healed);
  std::fprintf(f,
               "  fixes        %" PRIu64 " TSval, %" PRIu64 " sequence; %" PRIu64
               " packets, %" PRIu64 " said to be too large, %" PRIu64 " restarts, %" PRIu64
               " reloads\n",
               ts_fixes, seq_fixes, packets, path_errors, restarts, reloads);
  if (kills != 0)
    std::fprintf(f, "  kills        %" PRIu64 ", of %" PRIu64 " instants that were tried\n", kills,
                 kills_tried);
  if (open_max != 0)
    std::fprintf(f, "  limits       %" PRIu64 " of one client at a time\n", open_max);
  if (spoofed != 0)
    std::fprintf(f,
                 "  flood        %" PRIu64 " spoofed SYNs passed on, %" PRIu64
                 " unfinished at a time, slowest client %.3f s\n",
                 spoofed, unfinished_max, static_cast<double>(slowest_us) / 1e6);
}

}  // namespace sluice::sim
