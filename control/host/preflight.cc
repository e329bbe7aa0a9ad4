// SPDX-License-Identifier: BSD-3-Clause
// The checks before DPDK starts.
#include "control/host/preflight.h"

#include <fmt/format.h>
#include <grp.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "control/common/text.h"
#include "control/common/unique_fd.h"
#include "control/config/device_text.h"
#include "control/config/socket_address.h"

namespace sluice::control {
namespace {

uint64_t read_number(const std::filesystem::path& file) {
  uint64_t number = 0;
  std::ifstream(file) >> number;
  return number;
}

bool has_capability(int capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capget, &header, data) != 0) return true;  // cannot tell: let the driver try
  return (data[capability / 32].effective & (1u << (capability % 32))) != 0;
}

std::string join_interfaces() {
  std::vector<std::string> names;
  struct if_nameindex* list = if_nameindex();
  for (auto* item = list; item != nullptr && item->if_index != 0; ++item) {
    if (std::strcmp(item->if_name, "lo") != 0) names.emplace_back(item->if_name);
  }
  if (list != nullptr) if_freenameindex(list);
  return names.empty() ? "none" : join(names, ", ");
}

// The kernel interface that a device takes its packets from; net_tap makes the one that it names.
std::optional<std::string> interface_to_be_there(const std::string& device) {
  return device.starts_with("net_tap") ? std::nullopt : kernel_interface_of(device);
}

// Says so where that one is not there; else empty. `name` is the configured interface's.
std::string lack_of_interface(const std::string& name, const std::string& device) {
  const auto link = interface_to_be_there(device);
  if (!link || if_nametoindex(link->c_str()) != 0) return "";
  return fmt::format("interface {}: there is no network interface \"{}\" here (there are: {})",
                     name, *link, join_interfaces());
}

enum class SetUp : uint8_t { kWasUp, kDone, kFailed };  // errno says why

SetUp set_up(const std::string& interface) {
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) return SetUp::kWasUp;  // cannot tell
  if ((request.ifr_flags & IFF_UP) != 0) return SetUp::kWasUp;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0 ? SetUp::kDone : SetUp::kFailed;
}

// Says what is not there yet of a device; else empty. A card without a driver may get one.
std::string lack_of_device(const std::string& name, const std::string& device) {
  const std::string address = pci_address_of(device);
  if (address.empty()) return lack_of_interface(name, device);
  const std::filesystem::path path = std::filesystem::path("/sys/bus/pci/devices") / address;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return fmt::format("interface {}: there is no PCI device {} here", name, address);
  }
  if (std::filesystem::exists(path / "driver", error)) return "";
  return fmt::format("interface {}: PCI device {} has no driver", name, address);
}

std::string first_lack_of_device(const Config& config) {
  for (const InterfaceConfig& item : config.interfaces) {
    for (const std::string& carrier : carriers_of(item)) {
      std::string lack = lack_of_device(item.name, carrier);
      if (!lack.empty()) return lack;
    }
  }
  return "";
}

bool carrier_is_ready(const std::string& device, unsigned kernel_index, const std::string& sys) {
  const std::filesystem::path buses = sys + "/bus";
  std::error_code error;
  if (const std::string pci = pci_address_of(device); !pci.empty()) {
    return std::filesystem::exists(buses / "pci/devices" / pci / "driver", error);
  }
  if (is_vmbus_device(device)) {
    return std::filesystem::exists(buses / "vmbus/devices" / device_name(device), error);
  }
  const auto name = interface_to_be_there(device);
  if (!name) return true;
  char found[IF_NAMESIZE];
  if (kernel_index != 0) return if_indextoname(kernel_index, found) != nullptr;
  return if_nametoindex(name->c_str()) != 0 && set_up(*name) != SetUp::kFailed;
}

void check_interface(const std::string& name, const std::string& device, const Say& say) {
  const auto link = interface_to_be_there(device);
  if (!link) return;
  const std::string lack = lack_of_interface(name, device);
  if (!lack.empty()) throw StartError(lack + "; mend iface= in its device, or make the interface");
  const SetUp done = set_up(*link);
  if (done == SetUp::kDone) say(fmt::format("interface {}: {} was down: set up", name, *link));
  if (done == SetUp::kFailed) {
    throw StartError(
        fmt::format("interface {}: \"{}\" is down and cannot be set up: {}: ip link set {} up",
                    name, *link, std::strerror(errno), *link));
  }
}

void check_lcore(const char* key, uint32_t lcore, const cpu_set_t& usable) {
  if (lcore < CPU_SETSIZE && CPU_ISSET(lcore, &usable)) return;
  std::vector<std::string> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &usable)) cpus.push_back(std::to_string(cpu));
  }
  throw StartError(fmt::format("{}: this process may not run on CPU {}; choose among {}", key,
                               lcore, join(cpus, ", ")));
}

// As the server will. errno says why not.
bool can_listen(const IpEndpoint& listen) {
  const SocketAddress address(listen);
  const UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return false;
  const bool is_v6 = !listen.ip.is_v4();  // "[::]" is IPv6 alone
  if (is_v6 && setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) return false;
  return bind(fd.get(), address.get(), address.length) == 0 && ::listen(fd.get(), 1) == 0;
}

void check_listen_port(const char* key, const IpEndpoint& listen) {
  if (can_listen(listen)) return;
  const int error = errno;
  const std::string remedy =
      error == EADDRINUSE
          ? fmt::format("stop who has it (ss -ltnp 'sport = :{}'), or choose another",
                        listen.port.host())
          : "choose an address of this machine, or leave the key out";
  throw StartError(
      fmt::format("{} {}: {}; {}", key, to_string(listen), std::strerror(error), remedy));
}

}  // namespace

Hugepages free_hugepages(const std::string& sysfs) {
  Hugepages best;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(sysfs, error)) {
    const std::string name = entry.path().filename();  // hugepages-2048kB
    if (!name.starts_with("hugepages-")) continue;
    const auto page_kb = static_cast<uint32_t>(std::strtoul(name.c_str() + 10, nullptr, 10));
    const uint64_t free_mb = read_number(entry.path() / "free_hugepages") * page_kb / 1024;
    const bool better = free_mb > best.free_mb || best.page_kb == 0 ||
                        (free_mb == best.free_mb && page_kb < best.page_kb);
    if (better) best = {static_cast<uint32_t>(free_mb), page_kb};
  }
  return best;
}

bool use_hugepages(const EalConfig& eal, const Hugepages& free, std::string& advice) {
  if (!eal.hugepages || free.free_mb >= eal.memory_mb) return eal.hugepages;
  const uint32_t page_kb = free.page_kb == 0 ? 2048 : free.page_kb;
  const uint64_t pages = (uint64_t{eal.memory_mb} * 1024 + page_kb - 1) / page_kb;
  advice = fmt::format(
      "{} MB of hugepages are free and eal.memory_mb is {}: running without; for more speed: "
      "sysctl -w vm.nr_hugepages={}",
      free.free_mb, eal.memory_mb, pages);
  return false;
}

std::string no_secondaries(const std::string& advice) {
  return fmt::format(
      "eal.multi_process needs hugepages: without them DPDK's memory has no file that another "
      "process (dpdk-dumpcap) could map{}",
      advice.empty() ? "; set eal.hugepages = true" : "; " + advice);
}

std::string writable_hugetlbfs(const std::string& mounts) {
  std::ifstream file(mounts);
  std::string device, directory, type, rest;
  while (file >> device >> directory >> type && std::getline(file, rest)) {
    if (type == "hugetlbfs" && access(directory.c_str(), W_OK | X_OK) == 0) return directory;
  }
  return "";
}

std::string no_hugetlbfs() {
  return "eal.multi_process needs a hugetlbfs that this user may write, and none is mounted: "
         "systemctl start run-hugepages-sluice.mount (of the package), or: mount -t hugetlbfs -o "
         "uid=USER none DIRECTORY";
}

std::vector<std::string> bus_devices_of(const Config& config) {
  std::vector<std::string> devices;
  for (const std::string& carrier : carriers_of(config)) {
    if (is_bus_device(carrier)) devices.push_back(eal_device(carrier));
  }
  return devices;
}

std::vector<KernelAddress> kernel_addresses() {
  std::vector<KernelAddress> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (item->ifa_addr == nullptr) continue;
    const int family = item->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    found.push_back({item->ifa_name, address_of(*item->ifa_addr)});
  }
  freeifaddrs(list);
  return found;
}

std::vector<std::string> owned_twice(const Config& config,
                                     const std::vector<KernelAddress>& kernel) {
  std::vector<std::string> lines;
  std::set<IpAddress> said;
  const auto look = [&](const std::string& what, const IpAddress& ip) {
    for (const KernelAddress& one : kernel) {
      const bool own_tap = std::ranges::any_of(
          config.interfaces, [&](const auto& item) { return item.kernel == one.interface; });
      if (one.ip != ip || own_tap || !said.insert(ip).second) continue;
      lines.push_back(fmt::format(
          "{} {}: the kernel has it too, on {}, and answers for it; ip address del it there", what,
          to_string(ip), one.interface));
    }
  };
  for (const InterfaceConfig& item : config.interfaces) {
    for (const IpPrefix& own : item.addresses) {
      look(fmt::format("interface {}: address", item.name), own.address);
    }
  }
  for (const LocalPoolConfig& pool : config.local_pools) {
    for (const IpAddress& ip : pool.addresses) {
      look(fmt::format("local_pool {}: address", pool.name), ip);
    }
  }
  for (const ServiceConfig& service : config.services) {
    look(fmt::format("service {}: vip", service.name), service.vip.ip);
    for (const BackendConfig& backend : service.backends) {
      look(fmt::format("service {}: backend", service.name), backend.address.ip);
    }
  }
  return lines;
}

std::vector<std::string> lacking_here(const Config& config, const std::string& sys) {
  std::vector<std::string> lines;
  for (const InterfaceConfig& item : config.interfaces) {
    for (const std::string& carrier : carriers_of(item)) {
      const std::string lack = lack_of_interface(item.name, carrier);
      if (!lack.empty()) lines.push_back(lack);
      const std::string pci = pci_address_of(carrier);
      if (!pci.empty() && !std::filesystem::exists(sys + "/bus/pci/devices/" + pci)) {
        lines.push_back(
            fmt::format("interface {}: there is no PCI device {} here (lspci -D)", item.name, pci));
      }
    }
  }
  const std::string& group = config.control.socket_group;
  if (!group.empty() && getgrnam(group.c_str()) == nullptr) {
    lines.push_back(fmt::format("control.socket_group: there is no group {} here", group));
  }
  const std::filesystem::path folder = std::filesystem::path(config.flow_log.file).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error)) {
    lines.push_back(fmt::format("flow_log.file: there is no folder {} here", folder.string()));
  }
  for (const ServiceConfig& service : config.services) {
    if (!service.health_check || service.health_check->command.empty()) continue;
    const std::string& program = service.health_check->command.front();
    if (access(program.c_str(), X_OK) == 0) continue;
    lines.push_back(fmt::format("service {}: health_check.command {}: {} here", service.name,
                                program, std::strerror(errno)));
  }
  return lines;
}

void check_lcores(const EalConfig& eal) {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return;
  check_lcore("eal.main_lcore", eal.main_lcore, usable);
  for (uint32_t lcore : eal.worker_lcores) check_lcore("eal.worker_lcores", lcore, usable);
}

void await_devices(const Config& config, const Say& say) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLookAgain{100};
  const std::chrono::seconds limit = config.eal.interface_wait;
  const auto until = Clock::now() + limit;
  std::string said;
  for (;;) {
    const std::string lack = first_lack_of_device(config);
    if (lack.empty() || Clock::now() >= until) return;
    if (lack != said) say(fmt::format("{}: waiting up to {} s for it", lack, limit.count()));
    said = lack;
    std::this_thread::sleep_for(kLookAgain);
  }
}

bool is_ready(const InterfaceConfig& item, unsigned kernel_index, const std::string& sys) {
  return std::ranges::all_of(carriers_of(item), [&](const std::string& carrier) {
    return carrier_is_ready(carrier, kernel_index, sys);
  });
}

void check_interfaces(const Config& config, const Say& say) {
  for (const InterfaceConfig& item : config.interfaces) {
    for (const std::string& carrier : carriers_of(item)) check_interface(item.name, carrier, say);
  }
}

void check_permissions(const Config& config) {
  for (const InterfaceConfig& item : config.interfaces) {
    const bool by_sockets = std::ranges::any_of(
        carriers_of(item), [](const std::string& d) { return d.starts_with("net_af_packet"); });
    if (!by_sockets || has_capability(CAP_NET_RAW)) continue;
    throw StartError(fmt::format(
        "interface {}: no permission for packet sockets (CAP_NET_RAW): run as root, or: setcap "
        "cap_net_raw,cap_net_admin+ep $(which sluice)",
        item.name));
  }
}

void check_listen_ports(const ControlConfig& control) {
  if (control.metrics_listen) check_listen_port("control.metrics_listen", *control.metrics_listen);
  if (control.page_listen) check_listen_port("control.page_listen", *control.page_listen);
}

std::vector<std::string> kernel_forwards(const std::string& link, const std::string& proc) {
  std::vector<std::string> keys;
  for (const char* family : {"ipv4", "ipv6"}) {
    if (read_number(fmt::format("{}/{}/conf/{}/forwarding", proc, family, link)) == 0) continue;
    keys.push_back(fmt::format("net.{}.conf.{}.forwarding", family, link));
  }
  return keys;
}

}  // namespace sluice::control
