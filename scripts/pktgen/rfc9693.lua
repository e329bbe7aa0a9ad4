-- SPDX-License-Identifier: BSD-3-Clause
-- RFC 9693 for a stateful NAT: how many connections it holds (section 4.9), the rate at which it
-- establishes them without losing one (4.5), and the rate at which it tears them down (4.8). The RFC
-- uses UDP and an administrator's order to forget; Sluice balances TCP, so a connection begins with
-- a SYN and ends with what its client sends.
package.path = package.path .. ";" .. (os.getenv("SLUICE_PKTGEN") or "scripts/pktgen") .. "/?.lua"
local sluice = require "sluice"

local function rate_of(step, name, prepare)
  local rate = sluice.search(function(percent)
    if prepare then prepare() end
    local passed = step(percent)
    sluice.log("  %s at %6.2f %%: %d of %d", name, percent, passed, sluice.connections)
    return passed >= sluice.connections
  end)
  return rate
end

sluice.set_up()
-- Capacity: every connection that the pool has ports for is opened, and data passes on all of them.
local opened = sluice.open(1)
sluice.data()
local moved = sluice.send({ 0 }, sluice.connections, 1)
sluice.log("capacity: %d connections opened, data passed on %d, of %d that were tried", opened,
           moved[1].received, sluice.connections)
sluice.reset_all(1)

local establish = rate_of(function(percent)
  sluice.syns(80)
  local syns = sluice.send({ 0 }, sluice.connections, percent)[1].received
  sluice.reset_all(1)
  return syns
end, "establishment")

local tear_down = rate_of(function(percent)
  return sluice.reset_all(percent)[1].received
end, "tear-down", function() sluice.open(1) end)

sluice.log("establishment without loss: %.2f %% of the link's speed", establish)
sluice.log("tear-down without loss: %.2f %% of the link's speed", tear_down)
sluice.finish()
