-- SPDX-License-Identifier: BSD-3-Clause
-- Opens the connections and sends data on all of them, both ways, at SLUICE_RATE percent.
package.path = package.path .. ";" .. (os.getenv("SLUICE_PKTGEN") or "scripts/pktgen") .. "/?.lua"
local sluice = require "sluice"

sluice.set_up()
sluice.open(1)
sluice.data()
local moved = sluice.send({ 0, 1 }, 0, sluice.start_rate)
for port = 0, 1 do
  sluice.log("port %d: sent %.3f Mpps; of these the other port received %.3f Mpps, %.4f %% lost",
             port, moved[port].sent / sluice.seconds / 1e6,
             moved[1 - port].received / sluice.seconds / 1e6,
             100 * (moved[port].sent - moved[1 - port].received) / math.max(moved[port].sent, 1))
end
sluice.reset_all(1)
sluice.finish()
