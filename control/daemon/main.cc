// SPDX-License-Identifier: BSD-3-Clause
// sluice: reads its configuration, starts the dataplane and looks after it until it is told to
// stop.
//
//   config -> log -> preflight -> EAL -> ports, workers, snapshot -> launch -> loop -> stop
//
// Exit status 0: stopped in order; 1: could not start; 2: the configuration or the usage is wrong.
#include <fmt/format.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "control/common/command_line.h"
#include "control/config/config_load.h"
#include "control/daemon/api/api_server.h"
#include "control/daemon/api/api_socket.h"
#include "control/daemon/api/commands.h"
#include "control/daemon/api/config_loader.h"
#include "control/daemon/api/control_keeper.h"
#include "control/daemon/core/conflict_watch.h"
#include "control/daemon/core/dataplane_manager.h"
#include "control/daemon/core/memory_plan.h"
#include "control/daemon/core/watchdog.h"
#include "control/daemon/export/flow_log_writer.h"
#include "control/daemon/export/metric_rows.h"
#include "control/daemon/export/metrics.h"
#include "control/daemon/export/page.h"
#include "control/daemon/export/telemetry.h"
#include "control/daemon/health/health_checker.h"
#include "control/daemon/kernel/kernel_taps.h"
#include "control/daemon/kernel/link_watch.h"
#include "control/daemon/log/log.h"
#include "control/daemon/log/sd_notify.h"
#include "control/daemon/loop/captured_output.h"
#include "control/daemon/loop/event_loop.h"
#include "control/daemon/loop/loop_call.h"
#include "control/host/preflight.h"
#include "dataplane/port/eal.h"

namespace {

using namespace sluice::control;  // NOLINT: main wires all of it

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr std::chrono::milliseconds kTick{1000};
constexpr std::chrono::milliseconds kPortMemoryPeriod{10};
constexpr std::chrono::milliseconds kWatchedByNobody{10'000};  // the log still says what is stuck

size_t backend_count(const Config& config) {
  size_t count = 0;
  for (const ServiceConfig& service : config.services) count += service.backends.size();
  return count;
}

void check_before_start(const Config& config) {
  check_lcores(config.eal);
  check_permissions(config);
  const Say say = [](const std::string& line) {
    spdlog::warn("{}", line);
    tell_status(line);
  };
  constexpr std::chrono::minutes kRestOfStart{5};
  tell_start_may_take(config.eal.interface_wait + kRestOfStart);
  await_devices(config, say);
  check_interfaces(config, say);
  check_listen_ports(config.control);
  check_flow_log(config.flow_log);
  check_memory(config, plan_memory(config));
  for (const std::string& line : owned_twice(config, kernel_addresses())) spdlog::warn("{}", line);
}

std::vector<LinkWatch::Link> links_of(const DataplaneManager& dataplane) {
  std::vector<LinkWatch::Link> links;
  for (size_t i = 0; i < dataplane.ports().size(); ++i) {
    const InterfaceConfig& interface = dataplane.config().interfaces[i];
    links.push_back({interface.name, interface.device, &dataplane.ports()[i]});
  }
  return links;
}

// What is wrong is said by whoever calls; what is doubtful, whatever log_level says, here.
int check_only(const LoadedConfig& loaded, const std::string& file) {
  std::vector<std::string> doubts = loaded.warnings;
  for (const auto& more :
       {lacking_here(loaded.config), owned_twice(loaded.config, kernel_addresses())}) {
    doubts.insert(doubts.end(), more.begin(), more.end());
  }
  for (const std::string& line : doubts) fmt::print(stderr, "{}: warning: {}\n", file, line);
  try {
    check_memory(loaded.config, plan_memory(loaded.config));
  } catch (const StartError& error) {
    fmt::print(stderr, "{}: {}\n", file, error.what());
    return kExitUsage;
  }
  const std::string but = doubts.empty() ? "" : fmt::format(", warnings {}", doubts.size());
  fmt::print("{}: good: services {}, backends {}{}\n", file, loaded.config.services.size(),
             backend_count(loaded.config), but);
  return 0;
}

// Where memory is shared it has files: in a hugetlbfs that is ours to write, which is not the first
// one that DPDK would find.
std::vector<std::string> eal_args_of(const EalConfig& eal) {
  std::vector<std::string> args = eal.args;
  const bool chosen = std::ranges::any_of(
      args, [](const std::string& arg) { return arg.starts_with("--huge-dir"); });
  if (!eal.multi_process || chosen) return args;
  const std::string directory = writable_hugetlbfs();
  if (directory.empty()) throw StartError(no_hugetlbfs());
  args.push_back("--huge-dir=" + directory);
  return args;
}

// Says which memory it uses, and what would be better.
void start_dpdk(const Config& config) {
  std::string advice;
  const bool hugepages = use_hugepages(config.eal, free_hugepages(), advice);
  if (!advice.empty()) spdlog::warn("{}", advice);
  if (config.eal.multi_process && !hugepages) throw StartError(no_secondaries(advice));
  const std::vector<std::string> eal_args = eal_args_of(config.eal);
  const MemoryPlan plan = plan_memory(config);
  spdlog::info("memory: {} MB {} hugepages; {}", config.eal.memory_mb, hugepages ? "of" : "without",
               to_string(plan));
  const std::string doubt = doubt_about_memory(config, plan, hugepages);
  if (!doubt.empty()) spdlog::warn("{}", doubt);
  sluice::EalOptions options;
  options.main_lcore = config.eal.main_lcore;
  options.worker_lcores.assign(config.eal.worker_lcores.begin(), config.eal.worker_lcores.end());
  options.memory_mb = config.eal.memory_mb;
  options.hugepages = hugepages;
  options.allowed = bus_devices_of(config);
  options.telemetry = config.eal.telemetry;
  options.multi_process = config.eal.multi_process;
  options.args = eal_args;
  capture_dpdk_log();
  std::string printed;
  try {
    const CapturedOutput output;
    try {
      sluice::start_eal(options);
    } catch (...) {
      printed = output.text();
      throw;
    }
  } catch (const std::exception& error) {
    const std::string said = line_after(printed, "sluice: ");  // getopt's, about eal.args
    throw StartError(fmt::format("EAL refuses to start: {} ({}); see [eal] in the configuration",
                                 error.what(), said.empty() ? last_dpdk_errors() : said));
  }
}

void log_start(const DataplaneManager& dataplane) {
  const Config& config = dataplane.config();
  for (size_t i = 0; i < config.interfaces.size(); ++i) {
    spdlog::info("interface {}: {}, link {}, MTU {}", config.interfaces[i].name,
                 config.interfaces[i].device, dataplane.links()[i].up ? "up" : "down",
                 dataplane.port_infos()[i].mtu.usable);
  }
  if (dataplane.workers().size() > 1) {
    const std::string& passed_over = dataplane.passed_over();
    spdlog::info("steering: {}, workers {}{}", to_string(dataplane.steering().kind()),
                 dataplane.workers().size(),
                 passed_over.empty() ? "" : fmt::format(" (not {})", passed_over));
  }
  for (const ServiceConfig& service : config.services) {
    spdlog::info("service {}: {} {}, backends {}", service.name, to_string(service.vip),
                 to_string(service.scheduler), service.backends.size());
  }
}

std::vector<WorkerProgress> progress_of(const DataplaneManager& dataplane) {
  std::vector<WorkerProgress> workers;
  for (const auto& worker : dataplane.workers()) {
    workers.push_back({worker->lcore(), worker->counters().polls.value()});
  }
  return workers;
}

void look_after_workers(EventLoop& loop, DataplaneManager& dataplane, Watchdog& watch) {
  loop.every(
      kPortMemoryPeriod, [&] { dataplane.refill_port_memory(); }, "port memory");
  loop.every(watchdog_limit().value_or(kWatchedByNobody) / 2, [&] {
    if (watch.all_progress(progress_of(dataplane))) tell_alive();
  });
}

HealthChecker::Hooks health_hooks(DataplaneManager& dataplane) {
  return {[&dataplane] { dataplane.health_changed(); },
          [&dataplane](const std::vector<BackendKey>& keys) {
            const uint64_t count = dataplane.reset_flows(keys);
            spdlog::info("flows of backends that went down reset: {}", count);
          },
          [&dataplane](const BackendKey& key) { return dataplane.handshake_counts(key); }};
}

// Both are claimed before anything is touched.
struct ApiSockets {
  explicit ApiSockets(const ControlConfig& control) : all(control.socket) {
    if (!control.read_socket.empty()) {
      questions.emplace(control.read_socket,
                        SocketAccess{"control.read_socket", 0660, control.socket_group});
    }
  }
  ApiSocket all;
  std::optional<ApiSocket> questions;
};

// The servers of those sockets, which listen from here on.
struct ApiServers {
  ApiServers(EventLoop& loop, ApiSockets& sockets, Commands& commands)
      : all(loop, sockets.all,
            [&commands](const nlohmann::json& request, const ApiServer::Reply& reply) {
              commands.answer(request, reply, Access::kWrite);
            }) {
    sockets.all.listen();
    if (!sockets.questions) return;
    questions.emplace(loop, *sockets.questions,
                      [&commands](const nlohmann::json& request, const ApiServer::Reply& reply) {
                        commands.answer(request, reply, Access::kRead);
                      });
    sockets.questions->listen();
  }
  ApiServer all;
  std::optional<ApiServer> questions;
};

// Nothing where nobody wants them.
std::unique_ptr<Metrics> metrics_of(const Config& config, LoopCall& calls, Commands& commands) {
  if (!config.control.metrics_listen) return nullptr;
  return std::make_unique<Metrics>(calls, *config.control.metrics_listen, [&commands] {
    return collect_metrics(commands.rows(), commands.status_rows());
  });
}

ControlKeeper::RecallDown recall_by(HealthChecker& health) {
  return [&health](const BackendKey& key, std::string_view reason) {
    return health.recall_down(key, reason);
  };
}

void obey_signals(EventLoop& loop, Operations& operations, FlowLog& flow_log) {
  for (const int signal : {SIGTERM, SIGINT}) loop.on_signal(signal, [&loop] { loop.stop(); });
  loop.on_signal(SIGHUP, [&] { operations.reload_by_signal(); });
  loop.on_signal(SIGUSR1, [&] { flow_log.reopen(); });
}

void leave_or_end_flows(DataplaneManager& dataplane) {
  if (dataplane.leaves_flows()) {
    spdlog::info("stopping: flows left for the next start: {}", dataplane.flow_count());
  } else {
    spdlog::info("stopping: no new flows; flows reset at both ends: {}", dataplane.end_flows());
  }
}

// Everything between a started EAL and its end.
void run_balancer(const LoadedConfig& loaded, const std::string& file, ApiSockets& sockets,
                  EventLoop& loop) {
  const Config& config = loaded.config;
  const auto stop = [&loop] { loop.stop(); };
  DataplaneManager dataplane(config);
  KernelTaps taps(loop, dataplane.config(), dataplane.kernel_interfaces(), dataplane.packets());
  dataplane.on_apply([&](const Config& now) { taps.apply(now); });
  dataplane.on_return([&](const KernelInterface& interface) { taps.renew(interface); });
  FlowLog flow_log(dataplane.flow_log_rings());
  flow_log.apply(dataplane.config());
  dataplane.on_apply([&](const Config& now) { flow_log.apply(now); });
  HealthChecker health(loop, dataplane.health(), health_hooks(dataplane));
  health.apply(dataplane.config());
  dataplane.on_apply([&](const Config& now) { health.apply(now); });
  Operations operations(dataplane, loop, file, loaded.text, stop);
  ControlKeeper keeper(dataplane, operations, recall_by(health));
  keeper.recall();
  Commands commands(dataplane, operations);
  LoopCall calls(loop);
  const auto show = [&commands](const char* what) { return commands.show(what); };
  const auto metrics = metrics_of(config, calls, commands);
  std::unique_ptr<Page> page;
  if (config.control.page_listen) page = std::make_unique<Page>(*config.control.page_listen);
  const Telemetry telemetry(calls, show);
  ConflictWatch conflicts;
  const auto publish_page = [&] {
    if (page) page->publish(commands.status().dump());
  };
  const auto found = [&](size_t i, LinkState link) { return dataplane.set_link(i, link); };
  LinkWatch links(loop, links_of(dataplane), found, [&] {
    commands.links_changed();
    publish_page();
  });
  loop.watch(dataplane.device_events(), EPOLLIN, [&](uint32_t) {
    dataplane.look_at_devices();
    links.look();
  });
  const auto tick = [&] {
    commands.tick();
    dataplane.keep_time();
    dataplane.sweep();
    dataplane.follow_links();
    taps.tick();
    operations.tick();
    keeper.tick();
    conflicts.look(dataplane);
    log_suppressed();
    publish_page();
  };
  obey_signals(loop, operations, flow_log);
  loop.every(kTick, tick, "views and status");
  Watchdog worker_watch;
  look_after_workers(loop, dataplane, worker_watch);

  dataplane.launch();
  tick();
  log_start(dataplane);
  set_dpdk_log_quiet(false);
  // Listening comes last: who gets an answer may send packets.
  const ApiServers servers(loop, sockets, commands);
  if (page) spdlog::info("status page: http://{}/", to_string(*config.control.page_listen));
  spdlog::info("ready; ask with: sluicectl --socket {} show services", sockets.all.path());
  tell_ready(operations.summary());
  loop.run();
  tell_stopping();
  leave_or_end_flows(dataplane);
  keeper.end();
  loop.forget(dataplane.device_events());
  calls.close();
}

int run(const LoadedConfig& loaded, const std::string& file) {
  const Config& config = loaded.config;
  try {
    ApiSockets sockets(config.control);
    check_before_start(config);
    EventLoop loop;
    // Before EAL makes its threads, so that signals come here and nowhere else.
    for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) loop.on_signal(signal, [] {});
    start_dpdk(config);
    run_balancer(loaded, file, sockets, loop);
    sluice::stop_eal();
    spdlog::info("stopped");
    return 0;
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return kExitFailed;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string file;
  bool only_check = false;
  CLI::App app{"Sluice, an inline L4 load balancer on DPDK.", "sluice"};
  app.add_option("--config", file, "the configuration (TOML)")->required();
  app.add_flag("--check", only_check, "check the configuration and exit");
  app.add_flag_callback(
      "--state-layout",
      [] {
        fmt::print("{}\n", sluice::kept_layout());
        throw CLI::Success();
      },
      "print the layout of what outlives the process, and exit");
  app.set_version_flag("--version", "sluice " SLUICE_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}", usage_error("sluice", app, error));
    return kExitUsage;
  }

  const LoadedConfig loaded = load_config(file);
  if (!loaded.ok()) {
    fmt::print(stderr, "{}", describe(loaded.problems, file));
    return kExitUsage;
  }
  signal(SIGPIPE, SIG_IGN);
  set_up_log(loaded.config.control.log_level);
  if (only_check) return check_only(loaded, file);
  for (const std::string& warning : loaded.warnings) spdlog::warn("{}", warning);
  const int status = run(loaded, file);
  // A thread that still reads a configuration uses globals that an orderly end would take away.
  if (ConfigLoader::left_behind()) _exit(status);
  return status;
}
