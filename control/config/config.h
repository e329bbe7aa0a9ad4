// SPDX-License-Identifier: BSD-3-Clause
// The configuration as values: what the file says once it has been read and checked.
//
// config_keys.cc is the one list of keys (names, kinds, ranges), config_enums.h has the words of
// enumerations; the defaults stand here, beside the members. Every value is plain and comparable,
// so that a reload can say what changed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/address_text.h"
#include "control/config/config_enums.h"
#include "control/config/guard_config.h"
#include "dataplane/net/vlan.h"

namespace sluice::control {

struct EalConfig {
  uint32_t main_lcore = 0;
  std::vector<uint32_t> worker_lcores = {1};
  SteeringChoice steering = SteeringChoice::kAuto;
  uint32_t memory_mb = 512;
  bool hugepages = true;
  bool telemetry = true;
  bool multi_process = false;
  std::chrono::seconds interface_wait{10};  // for a device that is not there yet at the start
  IdleMode idle = IdleMode::kPoll;
  std::vector<std::string> args;
  bool operator==(const EalConfig&) const = default;
};

struct ControlConfig {
  std::string socket = "/run/sluice/sluice.sock";
  std::string read_socket;   // answers questions and changes nothing; empty: none
  std::string socket_group;  // who may ask there, beside the owner; empty: as the process
  std::optional<IpEndpoint> metrics_listen;  // absent: no metrics
  std::optional<IpEndpoint> page_listen;     // absent: no status page
  LogLevel log_level = LogLevel::kInfo;
  bool operator==(const ControlConfig&) const = default;
};

struct NeighbourConfig {
  IpAddress ip;
  net::MacAddress mac;
  bool operator==(const NeighbourConfig&) const = default;
};

inline constexpr size_t kBondMembersMax = 8;

struct InterfaceConfig {
  std::string name;
  std::string device;
  std::vector<IpPrefix> addresses;
  std::string kernel;                       // the tap of the host's kernel; empty: none
  std::optional<uint32_t> mtu;              // absent: what the device has
  std::optional<uint32_t> vlan;             // absent: frames without a tag
  std::optional<uint32_t> outer_vlan;       // of the outer tag of two (QinQ)
  Unmatched unmatched = Unmatched::kDrop;   // what is for none of our addresses
  std::vector<NeighbourConfig> neighbours;  // whose MAC nothing changes; by address
  std::vector<std::string> members;         // of a bond: devices
  bool operator==(const InterfaceConfig&) const = default;
};

struct RouteConfig {
  IpPrefix to;
  IpAddress via;          // of the same family
  std::string interface;  // by its name; empty: the one whose network has the gateway
  bool on_link = false;   // the gateway is on no network of that interface, and answers there
  auto operator<=>(const RouteConfig&) const = default;
};

struct LocalPoolConfig {
  std::string name = "default";
  std::vector<IpAddress> addresses;
  PortRange ports = {1024, 65535};
  bool operator==(const LocalPoolConfig&) const = default;
};

struct TimeWaitConfig {
  std::chrono::seconds backend_time{60};  // how long a backend stays in it
  std::chrono::milliseconds guard_time{100};
  ReusePolicy reuse = ReusePolicy::kRebase;
  bool operator==(const TimeWaitConfig&) const = default;
};

struct LimitsConfig {
  uint32_t flows_per_worker = 1048576;
  uint32_t neighbours_per_worker = 16384;
  uint32_t syns_per_worker = 65536;
  uint32_t half_open_percent = 50;
  FlowIndexKind flow_index = FlowIndexKind::kRteHash;
  uint32_t port_memory_mb = 1024;  // of all workers
  uint32_t why_per_worker = 65536;
  uint32_t clients_per_worker = 65536;   // of guarded services
  uint32_t fragments_per_worker = 2048;  // buffers that may wait; 0: none are put together
  bool operator==(const LimitsConfig&) const = default;
};

// How long without a packet until a flow in that state ends. `established` is RFC 5382's two
// hours and four minutes.
struct TcpTimeoutsConfig {
  std::chrono::seconds syn_sent{60};
  std::chrono::seconds syn_received{60};
  std::chrono::seconds established{7440};
  std::chrono::seconds half_closed{240};
  std::chrono::seconds closing{240};
  std::chrono::seconds closed{10};
  bool operator==(const TcpTimeoutsConfig&) const = default;
};

struct StatusRange {  // both ends belong to it
  uint16_t first;
  uint16_t last;
  bool operator==(const StatusRange&) const = default;
};

// How the backends of a service are checked, and what follows from it.
struct HealthCheckConfig {
  CheckType type = CheckType::kTcp;
  std::chrono::milliseconds interval{1000};
  std::chrono::milliseconds timeout{500};
  uint32_t jitter_percent = 10;
  uint32_t rise = 2;
  uint32_t fall = 2;
  uint32_t port = 0;  // 0: the backend's own
  HttpMethod method = HttpMethod::kGet;
  std::string path = "/";
  std::string host;  // empty: the backend's address
  std::vector<StatusRange> expect_status = {{200, 399}};
  std::string body_matches;  // RE2; empty: any body
  bool tls_verify = false;
  std::string tls_name;              // empty: as host
  std::string tls_ca;                // empty: the system's
  std::vector<std::string> command;  // argv
  std::string payload;               // what a datagram carries
  std::string payload_hex;           // the same as bytes: one of the two
  std::string expect;                // what an answer contains; empty: any answer is good
  std::string expect_hex;            // the same as bytes
  std::string dns_name;
  std::string dns_type = "A";
  std::vector<std::string> dns_rcode = {"NOERROR"};
  std::string dns_expect;  // what a record of the answer says; empty: any answer is good
  bool passive = false;
  std::chrono::seconds slow_start{0};
  OnDown on_down = OnDown::kKeep;
  AllDown all_down = AllDown::kRefuse;
  bool operator==(const HealthCheckConfig&) const = default;
};

struct FlowLogConfig {
  std::string file;     // empty: no flow log
  uint32_t sample = 1;  // one flow in so many
  bool operator==(const FlowLogConfig&) const = default;
};

// What outlives the process.
struct StateConfig {
  bool keep = true;
  std::string directory;  // empty: see state_keeper.h
  bool operator==(const StateConfig&) const = default;
};

struct BackendConfig {
  IpEndpoint address;
  uint32_t weight = 1;           // 0 drains: the flows it has go on, new ones go elsewhere
  std::string quic_server_id;    // as bytes; empty: none
  uint32_t max_connections = 0;  // 0: no limit
  bool operator==(const BackendConfig&) const = default;
};

struct ServiceConfig {
  std::string name;
  IpEndpoint vip;
  net::Protocol protocol = net::Protocol::kTcp;
  SchedulerKind scheduler = SchedulerKind::kRoundRobin;
  std::string local_pool = "default";
  TimestampPolicy tcp_timestamps = TimestampPolicy::kPreserve;
  ProxyProtocol proxy_protocol = ProxyProtocol::kOff;
  bool toa = false;               // the client's address in a TCP option
  std::string proxy_authority;    // a TLV of version 2; empty: none
  std::optional<bool> mss_clamp;  // absent: where MTUs differ
  bool icmp_echo = true;          // of services that share a VIP, that of any
  bool reset_on_timeout = true;
  std::chrono::seconds udp_idle{120};
  bool udp_one_shot = false;
  UdpRefresh udp_refresh = UdpRefresh::kBoth;
  bool quic = false;            // connection IDs name backends
  uint32_t quic_config_id = 0;  // of the IDs that do
  OnRefusal on_refusal = OnRefusal::kReset;
  GuardConfig guard;
  std::optional<HealthCheckConfig> health_check;  // absent: all backends count as up
  std::vector<BackendConfig> backends;
  bool operator==(const ServiceConfig&) const = default;
};

struct Config {
  EalConfig eal;
  ControlConfig control;
  std::vector<InterfaceConfig> interfaces;
  std::vector<RouteConfig> routes;
  std::vector<LocalPoolConfig> local_pools;
  TimeWaitConfig time_wait;
  LimitsConfig limits;
  TcpTimeoutsConfig tcp_timeouts;
  FlowLogConfig flow_log;
  AccessConfig guard;
  StateConfig state;
  std::vector<ServiceConfig> services;
  bool operator==(const Config&) const = default;
};

// Absent ones are 0.
net::VlanIds vlan_of(const InterfaceConfig& interface);

// "eth0" of "net_af_packet0,iface=eth0"; nothing for a device that names no interface.
std::optional<std::string> kernel_interface_of(const std::string& device);
// The devices that carry an interface's packets: a bond's members, else its own.
std::vector<std::string> carriers_of(const InterfaceConfig& interface);
// Of all interfaces; one that several share more than once.
std::vector<std::string> carriers_of(const Config& config);

// The local pool that the service names; the check has made sure that there is one.
const LocalPoolConfig& local_pool_of(const Config& config, const ServiceConfig& service);

}  // namespace sluice::control
