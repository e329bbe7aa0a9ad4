-- SPDX-License-Identifier: BSD-3-Clause
-- The no-loss rate of data on open connections, both ways (RFC 2544, section 26.1): trials of
-- SLUICE_SECONDS (the RFC wants 60), for each size in SLUICE_SIZES. SLUICE_LOSS percent may be lost
-- (0 by the RFC).
package.path = package.path .. ";" .. (os.getenv("SLUICE_PKTGEN") or "scripts/pktgen") .. "/?.lua"
local sluice = require "sluice"

local tolerated = tonumber(os.getenv("SLUICE_LOSS") or 0)

local function trial(rate)
  local moved = sluice.send({ 0, 1 }, 0, rate)
  local sent = moved[0].sent + moved[1].sent
  local lost = sent - moved[0].received - moved[1].received
  sluice.log("  %6.2f %%: %.3f Mpps sent, %d lost", rate, sent / sluice.seconds / 1e6, lost)
  return sent > 0 and lost <= sent * tolerated / 100
end

for size in (os.getenv("SLUICE_SIZES") or "64"):gmatch("%d+") do
  sluice.size = tonumber(size)
  sluice.set_up()
  sluice.open(1)
  sluice.data()
  sluice.log("%d bytes: no loss up to %.2f %% of the link's speed", sluice.size,
             sluice.search(trial))
  sluice.reset_all(1)
end
sluice.finish()
