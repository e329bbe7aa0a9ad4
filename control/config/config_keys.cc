// SPDX-License-Identifier: BSD-3-Clause
// The one list of configuration keys: name, member, kind and range. Defaults stand in config.h.
#include "control/config/config_keys.h"

#include <net/if.h>
#include <re2/re2.h>
#include <sys/un.h>

#include <algorithm>

#include "control/common/ranges.h"
#include "control/config/address_rules.h"
#include "control/config/address_text.h"
#include "control/config/datagram_kinds.h"
#include "control/config/guard_keys.h"
#include "control/config/key_kinds.h"
#include "dataplane/net/quic.h"

namespace sluice::control {
namespace {

using namespace kinds;  // NOLINT: nothing but kinds

constexpr size_t kNameLengthMax = 63;
constexpr size_t kPathMax = 4096;
constexpr size_t kGroupNameMax = 32;
constexpr size_t kSocketPathMax = sizeof(sockaddr_un::sun_path) - sizeof(".lock");

// ---- kinds -------------------------------------------------------------------------------------

Kind<std::string> name() {
  return text("a name", kNameLengthMax);
}

// What the kernel takes as the name of a network interface, and what is none of its own words.
Kind<std::string> link_name() {
  Kind<std::string> any = text("a network interface's name, 1 to 15 characters", IFNAMSIZ - 1);
  return {any.expected,
          [any](const toml::value& value, std::string& why) -> std::optional<std::string> {
            auto name = any.convert(value, why);
            if (!name) return std::nullopt;
            const bool reserved = *name == "." || *name == ".." || *name == "all" ||
                                  *name == "default" || *name == "lo";
            if (reserved || name->find_first_of("/:% ") != std::string::npos) {
              why = "without '/', ':', '%' and blanks; none of . .. all default lo";
              return std::nullopt;
            }
            return name;
          }};
}

// What a text gives, unless `why_not` has something against it.
template <class T>
Kind<T> address(std::string expected, std::optional<T> (*parse)(std::string_view),
                std::string (*why_not)(const T&)) {
  return {std::move(expected), [=](const toml::value& value, std::string& why) -> std::optional<T> {
            if (!value.is_string()) return std::nullopt;
            const auto parsed = parse(value.as_string().str);
            why = parsed ? why_not(*parsed) : near_miss(value.as_string().str);
            return why.empty() ? parsed : std::nullopt;
          }};
}

Kind<IpAddress> unicast_address() {
  return address<IpAddress>("an address", parse_ip, why_not_unicast);
}

Kind<IpAddress> gateway() {
  return address<IpAddress>("an address", parse_ip, why_not_on_a_link);
}

Kind<IpEndpoint> unicast_endpoint() {
  return address<IpEndpoint>(
      "\"address:port\" or \"[IPv6 address]:port\" (port 1..65535)", parse_endpoint,
      [](const IpEndpoint& endpoint) { return why_not_unicast(endpoint.ip); });
}

Kind<IpPrefix> interface_address() {
  return address<IpPrefix>("\"address/length\"", parse_prefix, [](const IpPrefix& own) {
    std::string why = why_not_on_a_link(own.address);
    return why.empty() ? why_not_a_host(own) : why;
  });
}

Kind<IpPrefix> network() {
  return address<IpPrefix>("\"network/length\"", parse_prefix, [](const IpPrefix& prefix) {
    if (prefix == prefix.network()) return std::string();
    return fmt::format("host bits are set: the network is \"{}\"", to_string(prefix.network()));
  });
}

Kind<IpEndpoint> listen_address() {
  return address<IpEndpoint>(
      "\"address:port\" or \"[IPv6 address]:port\" (port 1..65535)", parse_endpoint,
      [](const IpEndpoint& endpoint) { return why_not_listened_on(endpoint.ip); });
}

Kind<PortRange> port_range() {
  return {"\"first-last\" within 1..65535",
          [](const toml::value& value, std::string&) -> std::optional<PortRange> {
            return value.is_string() ? parse_port_range(value.as_string().str) : std::nullopt;
          }};
}

std::optional<NeighbourConfig> pinned_neighbour(const std::string& ip, const toml::value& mac,
                                                std::string& why) {
  const auto address = parse_ip(ip);
  if (!address || !why_not_on_a_link(*address).empty()) {
    why = fmt::format("{} is no host's address", in_quotes(ip));
    return std::nullopt;
  }
  const auto station = mac.is_string() ? parse_mac(mac.as_string().str) : std::nullopt;
  if (!station || station->is_multicast() || *station == net::MacAddress{}) {
    why = fmt::format("of {}: \"xx:xx:xx:xx:xx:xx\", one station's", ip);
    return std::nullopt;
  }
  return NeighbourConfig{*address, *station};
}

// { "10.1.255.1" = "02:00:00:00:00:01", ... }
Kind<std::vector<NeighbourConfig>> pinned_neighbours() {
  constexpr size_t kCountMax = 1024;
  return {fmt::format("a table of at most {} {{\"address\" = \"MAC\"}}", kCountMax),
          [](const toml::value& value,
             std::string& why) -> std::optional<std::vector<NeighbourConfig>> {
            if (!value.is_table() || value.as_table().size() > kCountMax) return std::nullopt;
            std::vector<NeighbourConfig> all;
            for (const auto& [ip, mac] : value.as_table()) {
              const auto one = pinned_neighbour(ip, mac, why);
              if (!one) return std::nullopt;
              all.push_back(*one);
            }
            std::ranges::sort(all, {}, &NeighbourConfig::ip);
            return all;
          }};
}

// ---- kinds of a health check ----------------------------------------------------------

// Text, and a rule that it has to keep.
Kind<std::string> ruled_text(std::string expected, size_t length_max,
                             bool (*keeps)(const std::string&, std::string& why)) {
  Kind<std::string> any = text(std::move(expected), length_max);
  return {any.expected,
          [=](const toml::value& value, std::string& why) -> std::optional<std::string> {
            auto string = any.convert(value, why);
            if (!string || keeps(*string, why)) return string;
            return std::nullopt;
          }};
}

// What a request line takes as it is.
Kind<std::string> url_path() {
  return ruled_text("a path that begins with \"/\"", 1024, [](const std::string& path, auto& why) {
    why = "printable ASCII without blanks and '#'";
    return path.front() == '/' &&
           std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  });
}

bool is_host(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

Kind<std::string> host_name() {
  return ruled_text("a host's name", 253,
                    [](const std::string& name, std::string&) { return is_host(name); });
}

/// A name or an address of IPv4, or one of IPv6 in brackets (RFC 3986, section 3.2.2).
bool is_uri_host(const std::string& host) {
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') return is_host(host);
  const std::optional<IpAddress> ip = parse_ip(host.substr(1, host.size() - 2));
  return ip && !ip->is_v4();
}

Kind<std::string> host_header() {
  return ruled_text("\"name\", \"name:port\" or \"[IPv6]:port\" (port 1..65535)", 253,
                    [](const std::string& host, std::string&) {
                      if (is_uri_host(host)) return true;
                      const size_t colon = host.rfind(':');
                      if (colon == std::string::npos) return false;
                      const std::string port = host.substr(colon + 1);
                      return is_uri_host(host.substr(0, colon)) &&
                             parse_port_range(port + "-" + port).has_value();
                    });
}

Kind<std::string> pattern() {
  return ruled_text("a regular expression (RE2)", 1024, [](const std::string& text, auto& why) {
    const re2::RE2 compiled(text, re2::RE2::Quiet);
    why = compiled.error();
    return compiled.ok();
  });
}

Kind<std::string> file_name() {
  return ruled_text("an absolute path", kPathMax,
                    [](const std::string& path, std::string&) { return path.front() == '/'; });
}

// 204, or "200-299".
Kind<StatusRange> status_range() {
  const auto is_status = [](int64_t number) { return number >= 100 && number <= 599; };
  return {"a status 100..599 or a range \"200-299\"",
          [=](const toml::value& value, std::string&) -> std::optional<StatusRange> {
            if (value.is_integer() && is_status(value.as_integer())) {
              const auto status = static_cast<uint16_t>(value.as_integer());
              return StatusRange{status, status};
            }
            const auto range =
                value.is_string() ? parse_port_range(value.as_string().str) : std::nullopt;
            if (!range || !is_status(range->first) || !is_status(range->last)) return std::nullopt;
            return StatusRange{range->first, range->last};
          }};
}

// ---- tables ------------------------------------------------------------------------------------

const Keys<EalConfig> kEalKeys = {
    one("main_lcore", &EalConfig::main_lcore, integer(0, 127)),
    many("worker_lcores", &EalConfig::worker_lcores, integer(0, 127), {1, 64}),
    one("steering", &EalConfig::steering, choice<SteeringChoice>()),
    one("memory_mb", &EalConfig::memory_mb, integer(64, 1048576)),
    one("hugepages", &EalConfig::hugepages, boolean()),
    one("telemetry", &EalConfig::telemetry, boolean()),
    one("multi_process", &EalConfig::multi_process, boolean()),
    one("interface_wait_seconds", &EalConfig::interface_wait, seconds(0, 3600)),
    one("idle", &EalConfig::idle, choice<IdleMode>()),
    many("args", &EalConfig::args, text("an EAL argument", 4096), {0, 64}),
};

const Keys<ControlConfig> kControlKeys = {
    one("socket", &ControlConfig::socket, text("a path", kSocketPathMax)),
    one("read_socket", &ControlConfig::read_socket, text("a path", kSocketPathMax)),
    one("socket_group", &ControlConfig::socket_group, text("a group's name", kGroupNameMax)),
    one("metrics_listen", &ControlConfig::metrics_listen, listen_address()),
    one("page_listen", &ControlConfig::page_listen, listen_address()),
    one("log_level", &ControlConfig::log_level, choice<LogLevel>()),
};

const Keys<InterfaceConfig> kInterfaceKeys = {
    one("name", &InterfaceConfig::name, name(), Need::kRequired),
    one("device", &InterfaceConfig::device, text("an EAL device", 1024), Need::kRequired),
    many("members", &InterfaceConfig::members, text("an EAL device", 1024), {1, kBondMembersMax}),
    many("addresses", &InterfaceConfig::addresses, interface_address(), {1, 64}, Need::kRequired),
    one("kernel", &InterfaceConfig::kernel, link_name()),
    one("mtu", &InterfaceConfig::mtu, integer(576, 9978)),
    one("vlan", &InterfaceConfig::vlan, integer(1, net::kVlanIdMax)),
    one("outer_vlan", &InterfaceConfig::outer_vlan, integer(1, net::kVlanIdMax)),
    one("unmatched", &InterfaceConfig::unmatched, choice<Unmatched>()),
    one("neighbours", &InterfaceConfig::neighbours, pinned_neighbours()),
};

const Keys<RouteConfig> kRouteKeys = {
    one("to", &RouteConfig::to, network(), Need::kRequired),
    one("via", &RouteConfig::via, gateway(), Need::kRequired),
    one("interface", &RouteConfig::interface, name()),
    one("on_link", &RouteConfig::on_link, boolean()),
};

const Keys<LocalPoolConfig> kLocalPoolKeys = {
    one("name", &LocalPoolConfig::name, name()),
    many("addresses", &LocalPoolConfig::addresses, unicast_address(), {1, 256}, Need::kRequired),
    one("ports", &LocalPoolConfig::ports, port_range()),
};

const Keys<TimeWaitConfig> kTimeWaitKeys = {
    one("backend_seconds", &TimeWaitConfig::backend_time, seconds(0, 3600)),
    one("guard_ms", &TimeWaitConfig::guard_time, milliseconds(0, 60000)),
    one("reuse", &TimeWaitConfig::reuse, choice<ReusePolicy>()),
};

const Keys<LimitsConfig> kLimitsKeys = {
    one("flows_per_worker", &LimitsConfig::flows_per_worker, integer(64, 16777215)),
    one("neighbours_per_worker", &LimitsConfig::neighbours_per_worker, integer(16, 1048576)),
    one("syns_per_worker", &LimitsConfig::syns_per_worker, integer(16, 1048576)),
    one("port_memory_mb", &LimitsConfig::port_memory_mb, integer(16, 1048576)),
    one("half_open_percent", &LimitsConfig::half_open_percent, integer(1, 100)),
    one("clients_per_worker", &LimitsConfig::clients_per_worker, integer(0, 16777216)),
    one("fragments_per_worker", &LimitsConfig::fragments_per_worker, integer(0, 8192)),
    one("why_per_worker", &LimitsConfig::why_per_worker, integer(0, 16777216)),
    one("flow_index", &LimitsConfig::flow_index, choice<FlowIndexKind>()),
};

const Keys<TcpTimeoutsConfig> kTcpTimeoutsKeys = {
    one("syn_sent", &TcpTimeoutsConfig::syn_sent, seconds(1, 86400)),
    one("syn_received", &TcpTimeoutsConfig::syn_received, seconds(1, 86400)),
    one("established", &TcpTimeoutsConfig::established, seconds(1, 604800)),
    one("half_closed", &TcpTimeoutsConfig::half_closed, seconds(1, 604800)),
    one("closing", &TcpTimeoutsConfig::closing, seconds(1, 86400)),
    one("closed", &TcpTimeoutsConfig::closed, seconds(1, 86400)),
};

const Keys<FlowLogConfig> kFlowLogKeys = {
    one("file", &FlowLogConfig::file, text("a path", 4095)),
    one("sample", &FlowLogConfig::sample, integer(1, 1000000)),
};

const Keys<StateConfig> kStateKeys = {
    one("keep", &StateConfig::keep, boolean()),
    one("directory", &StateConfig::directory, file_name()),
};

const Keys<BackendConfig> kBackendKeys = {
    one("address", &BackendConfig::address, unicast_endpoint(), Need::kRequired),
    one("weight", &BackendConfig::weight, integer(kWeightRange)),
    one("max_connections", &BackendConfig::max_connections, integer(kConnectionsRange)),
    one("quic_server_id", &BackendConfig::quic_server_id,
        hex_bytes(net::QuicIdLayout::kServerIdLengthMax)),
};

const Keys<HealthCheckConfig> kHealthCheckKeys = {
    one("type", &HealthCheckConfig::type, choice<CheckType>(), Need::kRequired),
    one("interval_ms", &HealthCheckConfig::interval, milliseconds(100, 3600000)),
    one("timeout_ms", &HealthCheckConfig::timeout, milliseconds(10, 600000)),
    one("jitter_percent", &HealthCheckConfig::jitter_percent, integer(0, 50)),
    one("rise", &HealthCheckConfig::rise, integer(1, 100)),
    one("fall", &HealthCheckConfig::fall, integer(1, 100)),
    one("port", &HealthCheckConfig::port, integer(1, 65535)),
    one("method", &HealthCheckConfig::method, choice<HttpMethod>()),
    one("path", &HealthCheckConfig::path, url_path()),
    one("host", &HealthCheckConfig::host, host_header()),
    many("expect_status", &HealthCheckConfig::expect_status, status_range(), {1, 32}),
    one("body_matches", &HealthCheckConfig::body_matches, pattern()),
    one("tls_verify", &HealthCheckConfig::tls_verify, boolean()),
    one("tls_name", &HealthCheckConfig::tls_name, host_name()),
    one("tls_ca", &HealthCheckConfig::tls_ca, file_name()),
    many("command", &HealthCheckConfig::command, text("a word of a command line", kPathMax),
         {1, 64}),
    one("payload", &HealthCheckConfig::payload, datagram_text()),
    one("payload_hex", &HealthCheckConfig::payload_hex, datagram_hex()),
    one("expect", &HealthCheckConfig::expect, datagram_text()),
    one("expect_hex", &HealthCheckConfig::expect_hex, datagram_hex()),
    one("dns_name", &HealthCheckConfig::dns_name, dns_name()),
    one("dns_type", &HealthCheckConfig::dns_type, dns_type()),
    many("dns_rcode", &HealthCheckConfig::dns_rcode, dns_rcode(), {1, 16}),
    one("dns_expect", &HealthCheckConfig::dns_expect, dns_text()),
    one("passive", &HealthCheckConfig::passive, boolean()),
    one("slow_start_seconds", &HealthCheckConfig::slow_start, seconds(0, 3600)),
    one("on_down", &HealthCheckConfig::on_down, choice<OnDown>()),
    one("all_down", &HealthCheckConfig::all_down, choice<AllDown>()),
};

const Keys<ServiceConfig> kServiceKeys = {
    one("name", &ServiceConfig::name, name(), Need::kRequired),
    one("vip", &ServiceConfig::vip, unicast_endpoint(), Need::kRequired),
    one("protocol", &ServiceConfig::protocol, choice<net::Protocol>()),
    one("scheduler", &ServiceConfig::scheduler, choice<SchedulerKind>({"maglev"})),
    one("local_pool", &ServiceConfig::local_pool, name()),
    one("tcp_timestamps", &ServiceConfig::tcp_timestamps, choice<TimestampPolicy>()),
    one("mss_clamp", &ServiceConfig::mss_clamp, boolean()),
    one("toa", &ServiceConfig::toa, boolean()),
    one("proxy_protocol", &ServiceConfig::proxy_protocol, choice<ProxyProtocol>()),
    one("proxy_authority", &ServiceConfig::proxy_authority,
        text("a name", net::kProxyAuthorityMax)),
    one("icmp_echo", &ServiceConfig::icmp_echo, boolean()),
    one("reset_on_timeout", &ServiceConfig::reset_on_timeout, boolean()),
    one("udp_idle_seconds", &ServiceConfig::udp_idle, seconds(1, 86400)),
    one("udp_one_shot", &ServiceConfig::udp_one_shot, boolean()),
    one("udp_refresh", &ServiceConfig::udp_refresh, choice<UdpRefresh>()),
    one("quic", &ServiceConfig::quic, boolean()),
    one("quic_config_id", &ServiceConfig::quic_config_id,
        integer(0, net::QuicIdLayout::kConfigIdMax)),
    one("on_refusal", &ServiceConfig::on_refusal, choice<OnRefusal>()),
    tables("backend", &ServiceConfig::backends, kBackendKeys, {1, 1024}, Need::kRequired),
    table("health_check", &ServiceConfig::health_check, kHealthCheckKeys),
    table("guard", &ServiceConfig::guard, guard_keys()),
};

const Keys<Config> kConfigKeys = {
    table("eal", &Config::eal, kEalKeys),
    table("control", &Config::control, kControlKeys),
    tables("interface", &Config::interfaces, kInterfaceKeys, {1, 16}, Need::kRequired),
    tables("route", &Config::routes, kRouteKeys, {0, 16384}),
    tables("local_pool", &Config::local_pools, kLocalPoolKeys, {1, 64}, Need::kRequired),
    table("time_wait", &Config::time_wait, kTimeWaitKeys),
    table("limits", &Config::limits, kLimitsKeys),
    table("tcp_timeouts", &Config::tcp_timeouts, kTcpTimeoutsKeys),
    table("flow_log", &Config::flow_log, kFlowLogKeys),
    table("guard", &Config::guard, access_keys()),
    table("state", &Config::state, kStateKeys),
    tables("service", &Config::services, kServiceKeys, {1, 1024}, Need::kRequired),
};

template <class Owner>
void append_texts(const std::string& prefix, const Keys<Owner>& keys, std::vector<KeyText>& texts) {
  for (const Key<Owner>& key : keys) texts.push_back({prefix + key.name, key.expected});
}

}  // namespace

const Keys<Config>& config_keys() {
  return kConfigKeys;
}

std::vector<KeyText> config_key_texts() {
  std::vector<KeyText> texts;
  append_texts("eal.", kEalKeys, texts);
  append_texts("control.", kControlKeys, texts);
  append_texts("interface.", kInterfaceKeys, texts);
  append_texts("route.", kRouteKeys, texts);
  append_texts("local_pool.", kLocalPoolKeys, texts);
  append_texts("time_wait.", kTimeWaitKeys, texts);
  append_texts("limits.", kLimitsKeys, texts);
  append_texts("tcp_timeouts.", kTcpTimeoutsKeys, texts);
  append_texts("flow_log.", kFlowLogKeys, texts);
  append_texts("guard.", access_keys(), texts);
  append_texts("state.", kStateKeys, texts);
  append_texts("service.", kServiceKeys, texts);
  append_texts("service.backend.", kBackendKeys, texts);
  append_texts("service.health_check.", kHealthCheckKeys, texts);
  append_texts("service.guard.", guard_keys(), texts);
  return texts;
}

std::vector<std::string> config_key_names() {
  std::vector<std::string> names;
  for (const KeyText& text : config_key_texts()) names.push_back(text.name);
  return names;
}

}  // namespace sluice::control
