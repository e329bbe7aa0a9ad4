-- SPDX-License-Identifier: BSD-3-Clause
-- SYNs of many sources for sluice.seconds: to the service (SLUICE_DPORT=80: new connections while
-- there are ports, then a flood) or to a port where no service listens (SLUICE_DPORT=81: an attack).
package.path = package.path .. ";" .. (os.getenv("SLUICE_PKTGEN") or "scripts/pktgen") .. "/?.lua"
local sluice = require "sluice"

sluice.set_up()
sluice.syns(tonumber(os.getenv("SLUICE_DPORT") or 80))
local moved = sluice.send({ 0 }, 0, sluice.start_rate)
sluice.log("SYNs: sent %.3f Mpps; forwarded %.3f Mpps, answered to the sender %.3f Mpps",
           moved[0].sent / sluice.seconds / 1e6, moved[1].received / sluice.seconds / 1e6,
           moved[0].received / sluice.seconds / 1e6)
sluice.reset_all(1)
sluice.finish()
