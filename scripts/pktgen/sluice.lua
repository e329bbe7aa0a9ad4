-- SPDX-License-Identifier: BSD-3-Clause
-- What the scripts beside this share: settings, and connections made of Pktgen-DPDK ranges.
--
--   clients 10.64.0.1.. -- Pktgen port 0 -- [client] Sluice [server] -- Pktgen port 1 -- backend
--   gateway 10.1.255.1                   VIP 10.3.0.1:80   locals 10.2.1.1..         10.2.0.10:80
--
-- Pktgen keeps no state, so all connections have the same sequence numbers, and the local pool in
-- sluice.toml has exactly as many ports as there are connections: each (address, port) of it is then
-- in use, and segments of backends can be sent to all of them, whichever client has which.
--
-- A range steps all its fields at once, so it comes to every pair of two fields only where their
-- counts have no common divisor: SLUICE_LOCALS and SLUICE_PORTS must not have one.
package.path = package.path .. ";?.lua"
require "Pktgen"

local sluice = {}

local function setting(name, default)
  return tonumber(os.getenv("SLUICE_" .. name) or default)
end

-- What sluice.toml says. Connections: locals * ports.
sluice.locals = setting("LOCALS", 1)
sluice.ports = setting("PORTS", 1000)
sluice.first_port = setting("FIRST_PORT", 1024)
-- Sluice's MAC addresses, on the client's side and on the backends'; learnt from its ARP requests
-- where not set.
sluice.macs = { os.getenv("SLUICE_MAC0"), os.getenv("SLUICE_MAC1") }
sluice.size = setting("SIZE", 64)          -- bytes, FCS included
sluice.seconds = setting("SECONDS", 10)    -- of one trial
sluice.start_rate = setting("RATE", 100)   -- percent of the link's speed to begin with
sluice.precision = setting("PRECISION", 1) -- percent of the link's speed at which a search ends
sluice.connections = sluice.locals * sluice.ports

local CLIENT_ISN, BACKEND_ISN = 99, 499

-- Numbers of the segments that Pktgen fills up to the frame size: every one carries payload.
local function payload()
  return sluice.size - 4 - 14 - 20 - 20
end

local function address(text, offset)
  local a, b, c, d = text:match("(%d+)%.(%d+)%.(%d+)%.(%d+)")
  local number = ((a * 256 + b) * 256 + c) * 256 + d + offset
  return string.format("%d.%d.%d.%d", number >> 24, number >> 16 & 255, number >> 8 & 255,
                       number & 255)
end

local function cli(lines)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(table.concat(lines, "\n"), "\n")
  file:close()
  pktgen.load(name)
  os.remove(name)
end

function sluice.log(...)
  local line = string.format(...)
  print(line)
  local name = os.getenv("SLUICE_RESULT")
  if name then
    local file = assert(io.open(name, "a"))
    file:write(line, "\n")
    file:close()
  end
end

-- A field of a range: `count` values from `first` on.
local function span(field, port, first, count, step)
  field(port, "start", first)
  field(port, "min", first)
  field(port, "max", step(first, count - 1))
  field(port, "inc", count > 1 and step(nil, 1) or step(nil, 0))
end

local function ip_step(first, offset)
  return first and address(first, offset) or string.format("0.0.0.%d", offset)
end

local function port_step(first, offset)
  return (first or 0) + offset
end

-- Clients: as many addresses as there are local ports, as many ports as local addresses.
local function from_clients(dport)
  span(pktgen.range.src_ip, "0", "10.64.0.1", sluice.ports, ip_step)
  span(pktgen.range.src_port, "0", 10000, sluice.locals, port_step)
  span(pktgen.range.dst_ip, "0", "10.3.0.1", 1, ip_step)
  span(pktgen.range.dst_port, "0", dport or 80, 1, port_step)
end

local function from_backend()
  span(pktgen.range.src_ip, "1", "10.2.0.10", 1, ip_step)
  span(pktgen.range.src_port, "1", 80, 1, port_step)
  span(pktgen.range.dst_ip, "1", "10.2.1.1", sluice.locals, ip_step)
  span(pktgen.range.dst_port, "1", sluice.first_port, sluice.ports, port_step)
end

-- Which segments a port sends from now on.
local function segments(port, flags, sequence, acknowledgement)
  local lines = {}
  for _, flag in ipairs { "urg", "ack", "psh", "rst", "syn", "fin" } do
    lines[#lines + 1] = string.format("range %d tcp flag %s %s", port,
                                      flags:find(flag) and "set" or "clr", flag)
  end
  lines[#lines + 1] = string.format("range %d tcp seq %d 0 2147483647 0", port, sequence)
  lines[#lines + 1] = string.format("range %d tcp ack %d 0 2147483647 0", port, acknowledgement)
  cli(lines)
end

-- Sluice's MAC address as a port has learnt it: Pktgen answers ARP for its port's own address (the
-- gateway's, or the backend's) and notes who asked.
local function learnt(port)
  return pktgen.portInfo(tostring(port))[port].info.l2_l3_info.dst_mac
end

local function resolve()
  -- No destination that Sluice announces: Pktgen 23.10 dies of an announcement that it knows.
  for port, own in pairs { [0] = "10.1.255.1/16", [1] = "10.2.0.10/16" } do
    pktgen.set_ipaddr(tostring(port), "src", own)
    pktgen.set_ipaddr(tostring(port), "dst", "192.0.2.1")
    pktgen.set_mac(tostring(port), "dst", "00:00:00:00:00:00")
  end
  pktgen.mac_from_arp("on")
  pktgen.process("all", "on")
  for _ = 1, 300 do
    for port = 0, 1 do
      local mac = learnt(port)
      if not mac:find("^00:00:00:00:00:00") then
        sluice.macs[port + 1] = sluice.macs[port + 1] or mac
      end
    end
    if sluice.macs[1] and sluice.macs[2] then break end
    pktgen.delay(100)
  end
  assert(sluice.macs[1] and sluice.macs[2],
         "Sluice does not answer ARP; set SLUICE_MAC0 and SLUICE_MAC1")
end

function sluice.set_up()
  pktgen.screen("off")
  pktgen.stop("all")
  pktgen.reset("all")
  pktgen.delay(500)
  resolve()
  for port = 0, 1 do
    local name = tostring(port)
    pktgen.range.dst_mac(name, "start", sluice.macs[port + 1])
    pktgen.range.ip_proto(name, "tcp")
    pktgen.range.ttl(name, "start", 64)
    pktgen.range.ttl(name, "inc", 0)
    span(pktgen.range.pkt_size, name, sluice.size, 1, port_step)
    pktgen.set_range(name, "on")
  end
  from_clients()
  from_backend()
end

local folder = os.getenv("SLUICE_PKTGEN") or "scripts/pktgen"
local prefix = os.getenv("SLUICE_PREFIX") or "rte"

-- What both ports have sent and received since they started, by port number. Pktgen's own counters
-- are read by a timer that does not run while a script does, so the driver's are asked for.
local function counters()
  local ports = {}
  local pipe = assert(io.popen(folder .. "/ethdev_stats.py " .. prefix))
  for line in pipe:lines() do
    local port, sent, received = line:match("(%d+) (%d+) (%d+)")
    ports[tonumber(port)] = { sent = tonumber(sent), received = tonumber(received) }
  end
  pipe:close()
  assert(ports[0] and ports[1], "no answer from DPDK's telemetry of --file-prefix " .. prefix)
  return ports
end

-- Waits until nothing more arrives.
local function settled()
  local now = counters()
  for _ = 1, 50 do
    local before = now
    pktgen.delay(300)
    now = counters()
    if now[0].received == before[0].received and now[1].received == before[1].received then break end
  end
  return now
end

-- Sends `count` frames (0: for sluice.seconds) from some ports at `rate` percent; returns what each
-- port sent and received.
function sluice.send(ports, count, rate)
  local before = counters()
  for _, port in ipairs(ports) do
    pktgen.set(tostring(port), "rate", rate or 100)
    pktgen.set(tostring(port), "count", count)
  end
  local list = table.concat(ports, ",")
  pktgen.start(list)
  if count == 0 then
    pktgen.delay(sluice.seconds * 1000)
  else
    while pktgen.isSending(list)[ports[1]] == "y" do pktgen.delay(100) end
  end
  pktgen.stop(list)
  local after = settled()
  for port = 0, 1 do
    after[port].sent = after[port].sent - before[port].sent
    after[port].received = after[port].received - before[port].received
  end
  return after
end

-- Opens every connection; returns how many SYNs came out on the backends' side.
function sluice.open(rate)
  from_clients()
  segments(0, "syn", CLIENT_ISN, 0)
  local syns = sluice.send({ 0 }, sluice.connections, rate)[1].received
  segments(1, "syn ack", BACKEND_ISN, CLIENT_ISN + 1)
  local answers = sluice.send({ 1 }, sluice.connections, rate)[0].received
  segments(0, "ack", CLIENT_ISN + 1, BACKEND_ISN + 1)
  local acks = sluice.send({ 0 }, sluice.connections, rate)[1].received
  sluice.log("opened: %d SYNs, %d SYN-ACKs, %d ACKs through, of %d", syns, answers, acks,
             sluice.connections)
  return math.min(syns, answers, acks)
end

-- From now on both sides send data on the connections that are open.
function sluice.data()
  segments(0, "psh ack", CLIENT_ISN + 1, BACKEND_ISN + 1)
  segments(1, "psh ack", BACKEND_ISN + 1, CLIENT_ISN + 1)
end

function sluice.syns(dport)
  from_clients(dport)
  segments(0, "syn", CLIENT_ISN, 0)
end

-- Clients reset their connections, half-open ones, too.
function sluice.reset_all(rate)
  segments(0, "rst ack", CLIENT_ISN + 1, BACKEND_ISN + 1)
  return sluice.send({ 0 }, sluice.connections, rate)
end

-- Client FIN, backend FIN, last ACK.
function sluice.close_all(rate)
  segments(0, "fin ack", CLIENT_ISN + 1, BACKEND_ISN + 1)
  local first = sluice.send({ 0 }, sluice.connections, rate)[1].received
  segments(1, "fin ack", BACKEND_ISN + 1, CLIENT_ISN + 2 + payload())
  local second = sluice.send({ 1 }, sluice.connections, rate)[0].received
  segments(0, "ack", CLIENT_ISN + 2 + payload(), BACKEND_ISN + 2 + payload())
  local third = sluice.send({ 0 }, sluice.connections, rate)[1].received
  return first, second, third
end

-- Ends Pktgen, unless SLUICE_STAY is set: a net_memif peer must not leave before Sluice has.
function sluice.finish()
  sluice.log("done")
  if not os.getenv("SLUICE_STAY") then pktgen.quit() end
end

-- The highest rate at which trial(rate) is true, by halving (RFC 2544, section 26.1).
function sluice.search(trial)
  local low, high = 0, sluice.start_rate
  if trial(high) then return high end
  while high - low > sluice.precision do
    local rate = (low + high) / 2
    if trial(rate) then low = rate else high = rate end
  end
  return low
end

return sluice
