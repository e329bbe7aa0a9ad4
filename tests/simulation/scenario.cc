// SPDX-License-Identifier: BSD-3-Clause
// The list of scenarios.
#include "tests/simulation/scenario.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace sluice::sim {
namespace {

constexpr std::array<uint16_t, kCloseModes> kBackendFirstOnly = {1};
constexpr std::array<uint16_t, kCloseModes> kNobodyVanishes = {40, 15, 10, 5, 5, 8, 8};

Scenario make(std::string_view name, std::string_view about) {
  Scenario s;
  s.name = name;
  s.about = about;
  return s;
}

void add_ports_and_numbers(std::vector<Scenario>& all) {
  Scenario s =
      make("churn", "backends close first, 1,000 ports each, every port used again and again");
  s.port_last = s.port_first + 999;
  s.users = 64;
  s.modes = kBackendFirstOnly;
  s.think_max_us = 0;
  all.push_back(s);

  s = make("mixed", "every way to close, clients of every kind, 2,000 ports");
  s.port_last = s.port_first + 1999;
  s.users = 300;
  s.pause_us = 40'000;
  s.forge_every_us = 400 * kMillisecond;
  all.push_back(s);

  s = make("wide", "the whole port range, two local addresses");
  s.local_ips = 2;
  s.users = 3'000;
  all.push_back(s);

  s = make("tiny", "16 ports per backend, 8 connections at a time");
  s.port_last = s.port_first + 15;
  s.users = 8;
  s.modes = kBackendFirstOnly;
  s.think_max_us = 0;
  all.push_back(s);

  s = make("numbers", "sequences and clocks side by side, at 0 and at 2^31");
  s.port_last = s.port_first + 199;
  s.users = 32;
  s.close_numbers = true;
  s.bytes_max = 8;
  s.modes = {40, 10, 10, 2, 2, 5, 5};
  s.without_timestamps_ppm = 400'000;
  all.push_back(s);

  s = make("stacks", "Linux, FreeBSD, RFC 6191 and rfc1337 backends");
  s.backends = 4;
  s.stacks = {Stack::linux_, Stack::freebsd, Stack::rfc6191, Stack::linux_rfc1337};
  s.port_last = s.port_first + 499;
  s.users = 200;
  s.modes = kNobodyVanishes;
  all.push_back(s);

  s = make("numbers-stacks", "the same numbers before all four stacks");
  s.backends = 4;
  s.stacks = {Stack::linux_, Stack::freebsd, Stack::rfc6191, Stack::linux_rfc1337};
  s.port_last = s.port_first + 199;
  s.users = 64;
  s.close_numbers = true;
  s.bytes_max = 8;
  s.modes = {40, 10, 10, 2, 2, 5, 5};
  s.without_timestamps_ppm = 400'000;
  all.push_back(s);
}

void add_links(std::vector<Scenario>& all) {
  Scenario s = make("lossy", "1 % lost, 1 % twice, 3 % overtaken on every link");
  s.port_last = s.port_first + 1999;
  s.client_link = s.backend_link = {1'000, 300, 10'000, 10'000, 30'000, 3'000};
  s.users = 200;
  all.push_back(s);

  s = make("disorder", "nothing lost, much twice and overtaken");
  s.port_last = s.port_first + 1999;
  s.client_link = s.backend_link = {500, 200, 0, 30'000, 50'000, 2'000};
  s.users = 200;
  s.modes = kNobodyVanishes;
  all.push_back(s);

  s = make("bursts", "frames reach the balancer in bursts of 200 us");
  s.port_last = s.port_first + 999;
  s.users = 500;
  s.burst_us = 200;
  s.modes = kNobodyVanishes;
  all.push_back(s);
}

void add_narrow_links(std::vector<Scenario>& all) {
  Scenario s = make("narrow-clients", "responses are too large for the clients' link");
  s.port_last = s.port_first + 199;
  s.users = 64;
  s.modes = kNobodyVanishes;
  s.client_mtu = 128;
  all.push_back(s);

  s.name = "narrow-clamped";
  s.about = "the same, and the balancer lowers the MSS of SYNs";
  s.mss_clamp = true;
  all.push_back(s);

  s.name = "narrow-backends";
  s.about = "requests are too large for the backends' link";
  s.client_mtu = kMtuMax;
  s.backend_mtu = 128;
  s.mss_clamp = false;
  all.push_back(s);
}

// The tables are small, so that many instants can be tried.
void add_kills(std::vector<Scenario>& all) {
  Scenario s = make("kill", "killed at any store, and started again on what outlives it");
  s.clients = 200;
  s.users = 50;
  s.port_last = s.port_first + 255;
  s.flows_max = 512;
  s.pause_us = 20'000;
  s.modes = kNobodyVanishes;
  s.burst_us = 50;
  s.kill_ppm = 20'000;
  s.by_name_only = true;
  all.push_back(s);

  s.name = "kill-few-ports";
  s.about = "the same with 60 ports";
  s.port_last = s.port_first + 59;
  all.push_back(s);

  s.name = "kill-rewrite";
  s.about = "the same with timestamps on the balancer's clock";
  s.rewrite_timestamps = true;
  all.push_back(s);

  s.name = "kill-lossy";
  s.about = "the same under loss, disorder and reloads";
  s.rewrite_timestamps = false;
  s.client_link = s.backend_link = {300, 100, 10'000, 10'000, 30'000, 2'000};
  s.reload_every_us = kSecond;
  all.push_back(s);
}

void add_restarts(std::vector<Scenario>& all) {
  Scenario s = make("restart", "all state lost about every second; 300 ports");
  s.port_last = s.port_first + 299;
  s.users = 64;
  s.restart_every_us = kSecond;
  s.pause_us = 20'000;
  s.modes = kNobodyVanishes;
  all.push_back(s);

  s = make("restart-rfc1337", "the same before backends that no RST clears");
  s.stacks = {Stack::linux_rfc1337};
  s.port_last = s.port_first + 299;
  s.users = 64;
  s.restart_every_us = kSecond;
  s.pause_us = 20'000;
  s.modes = kNobodyVanishes;
  all.push_back(s);

  s = make("restart-stacks", "the same before Linux, FreeBSD and RFC 6191");
  s.backends = 3;
  s.stacks = {Stack::linux_, Stack::freebsd, Stack::rfc6191};
  s.port_last = s.port_first + 299;
  s.users = 64;
  s.restart_every_us = 10 * kSecond;
  s.modes = kNobodyVanishes;
  all.push_back(s);

  s = make("same-port", "few clients with three ports each, which come again at once");
  s.clients = 3'000;
  s.client_ports = 3;
  s.port_last = s.port_first + 1999;
  s.users = 100;
  s.modes = {40, 0, 10, 0, 5, 0, 8};  // a client that closes first keeps its port for a minute
  all.push_back(s);

  s = make("reload", "the configuration changes every 200 ms");
  s.port_last = s.port_first + 1999;
  s.users = 300;
  s.pause_us = 40'000;
  s.reload_every_us = 200 * kMillisecond;
  all.push_back(s);
}

void add_lost_connections(std::vector<Scenario>& all) {
  Scenario s =
      make("forgotten", "both ends lose connections without a word, and clients come again");
  s.clients = 300;
  s.client_ports = 3;
  s.users = 100;
  s.port_last = s.port_first + 1999;
  s.forgets = true;
  s.modes = {10, 10, 0, 0, 5, 0, 0, 0, 30, 5, 5};
  all.push_back(s);

  s.name = "forgotten-rewrite";
  s.about = "the same on the balancer's clock; only by name: it takes long for what it adds";
  s.by_name_only = true;
  s.rewrite_timestamps = true;
  s.modes[9] = s.modes[10] = 0;
  all.push_back(s);

  s = make("deaths", "backends die with their connections open, and clients come again");
  s.clients = 300;
  s.client_ports = 3;
  s.backends = 3;
  s.users = 100;
  s.port_last = s.port_first + 1999;
  s.think_max_us = 200'000;
  s.modes = kNobodyVanishes;
  s.modes[1] = s.modes[2] = 0;  // a client that closes first keeps its port for a minute
  s.death_every_us = 4 * kSecond;
  all.push_back(s);

  s = make("copies", "every SYN comes twenty times");
  s.port_last = s.port_first + 999;
  s.users = 64;
  s.modes = kNobodyVanishes;
  s.syn_copies = 19;
  all.push_back(s);
}

void add_floods_and_shortages(std::vector<Scenario>& all) {
  Scenario s = make("strangers",
                    "segments in clients' names, in the window, that acknowledge what never was");
  s.port_last = s.port_first + 499;
  s.users = 200;
  s.modes = kNobodyVanishes;
  s.stranger_every_us = 300;
  all.push_back(s);

  s = make("flood", "SYNs that nobody finishes, 20 a millisecond, beside real clients");
  s.port_last = s.port_first + 7'999;
  s.users = 100;
  s.pause_us = 100'000;
  s.modes = kNobodyVanishes;
  s.flood_every_us = 6 * kSecond;
  s.flood_per_ms = 20;
  s.flood_resets_ppm = 200'000;
  s.flood_copies_ppm = 100'000;
  s.may_wait = true;
  all.push_back(s);

  s.name = "flood-few";
  s.about = "the same where ports and entries are few";
  s.port_last = s.port_first + 127;
  s.flows_max = 256;
  s.users = 8;
  s.pause_us = 2'000;
  s.flood_per_ms = 2;
  s.flood_resets_ppm = 0;
  s.flood_copies_ppm = 300'000;
  all.push_back(s);

  s = make("exhaustion", "more connections wanted than there are ports");
  s.port_last = s.port_first + 31;
  s.users = 100;
  s.modes = kNobodyVanishes;
  s.may_wait = true;
  s.may_refuse = true;
  all.push_back(s);

  s = make("full", "a flow table with too few entries");
  s.users = 200;
  s.flows_max = 128;
  s.may_refuse = true;
  all.push_back(s);
}

void add_storms(std::vector<Scenario>& all) {
  Scenario s = make("arp", "the balancer knows no neighbour and has to ask");
  s.users = 200;
  s.pause_us = 150'000;  // fewer new neighbours a second than strangers may have asked for
  s.port_last = s.port_first + 999;
  s.modes = kNobodyVanishes;
  s.neighbours_known = false;
  all.push_back(s);

  s = make("storm", "all at once: loss, disorder, bursts, restarts, reloads");
  s.client_link = s.backend_link = {300, 100, 10'000, 10'000, 30'000, 2'000};
  s.backends = 3;
  s.stacks = {Stack::linux_, Stack::linux_rfc1337};
  s.port_last = s.port_first + 499;
  s.users = 200;
  s.burst_us = 50;
  s.restart_every_us = 20 * kSecond;
  s.reload_every_us = 3 * kSecond;
  s.modes = kNobodyVanishes;
  all.push_back(s);

  s.name = "storm-stacks";
  s.about =
      "the same before Linux, FreeBSD and RFC 6191; only by name: silence and loss look alike";
  s.by_name_only = true;
  s.stacks = {Stack::linux_, Stack::freebsd, Stack::rfc6191};
  all.push_back(s);
}

void add_policies(std::vector<Scenario>& all) {
  Scenario s = make("never", "reuse = never: no SYN may meet TIME_WAIT at all");
  s.port_last = s.port_first + 999;
  s.users = 100;
  s.reuse = Reuse::never;
  s.may_refuse = true;
  all.push_back(s);

  s = make("natural", "reuse = natural: only SYNs that pass as they are");
  s.port_last = s.port_first + 999;
  s.users = 100;
  s.reuse = Reuse::natural;
  s.may_refuse = true;
  all.push_back(s);

  s = make("limited", "few clients that may have three connections at a time, and want more");
  s.users = 200;
  s.clients = 40;
  s.client_connections = 3;
  s.modes = kNobodyVanishes;
  s.may_refuse = true;
  all.push_back(s);

  s = make("rewrite", "tcp_timestamps = rewrite: one clock towards each backend");
  s.port_last = s.port_first + 999;
  s.users = 200;
  s.rewrite_timestamps = true;
  s.modes = kNobodyVanishes;
  all.push_back(s);

  s.name = "rewrite-restart";
  s.about =
      "all state lost about every second; only by name: a SYN that a heal repeats keeps its first "
      "clock";
  s.by_name_only = true;
  s.restart_every_us = kSecond;
  s.pause_us = 20'000;
  all.push_back(s);
}

/// Of version 2 with the id of the connection, by the family of clients.
uint32_t header_size() {
  const char* const families = std::getenv("SLUICE_FAMILIES");
  return families != nullptr && families[0] == '6' ? 71 : 47;
}

void add_headers(std::vector<Scenario>& all) {
  Scenario s = make("proxy", "a PROXY header in front of each request; 500 ports");
  s.port_last = s.port_first + 499;
  s.users = 100;
  s.modes = kNobodyVanishes;
  s.header_bytes = header_size();
  all.push_back(s);

  s.name = "proxy-lossy";
  s.about = "the same over links that lose, repeat and overtake";
  s.client_link = s.backend_link = {1'000, 300, 20'000, 10'000, 30'000, 3'000};
  all.push_back(s);

  s = make("proxy-forgotten", "the same where both ends lose connections, and clients come again");
  s.clients = 300;
  s.client_ports = 3;
  s.users = 100;
  s.port_last = s.port_first + 1999;
  s.forgets = true;
  s.modes = {10, 10, 0, 0, 5, 0, 0, 0, 30, 5, 5};
  s.header_bytes = header_size();
  all.push_back(s);

  s = make("proxy-restart", "the same where all state is lost about every second");
  s.port_last = s.port_first + 299;
  s.users = 64;
  s.restart_every_us = kSecond;
  s.pause_us = 20'000;
  s.modes = kNobodyVanishes;
  s.header_bytes = header_size();
  all.push_back(s);
}

std::vector<Scenario> make_all() {
  std::vector<Scenario> all;
  add_ports_and_numbers(all);
  add_links(all);
  add_narrow_links(all);
  add_restarts(all);
  add_kills(all);
  add_lost_connections(all);
  add_floods_and_shortages(all);
  add_storms(all);
  add_policies(all);
  add_headers(all);
  return all;
}

const std::vector<Scenario>& all_scenarios() {
  static const std::vector<Scenario> kAll = make_all();
  return kAll;
}

}  // namespace

std::span<const Scenario> scenarios() {
  return all_scenarios();
}

const Scenario* find_scenario(std::string_view name) {
  const auto found = std::find_if(all_scenarios().begin(), all_scenarios().end(),
                                  [&](const Scenario& s) { return s.name == name; });
  return found == all_scenarios().end() ? nullptr : &*found;
}

}  // namespace sluice::sim
