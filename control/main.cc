// SPDX-License-Identifier: BSD-3-Clause
// sluice: reads its configuration, starts the dataplane and looks after it until it is told to
// stop.
//
//   config -> log -> preflight -> EAL -> ports, workers, snapshot -> launch -> loop -> stop
//
// Exit status 0: stopped in order; 1: could not start; 2: the configuration or the usage is wrong.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "control/api_server.h"
#include "control/api_socket.h"
#include "control/balancer.h"
#include "control/captured_output.h"
#include "control/commands.h"
#include "control/config_load.h"
#include "control/event_loop.h"
#include "control/log.h"
#include "control/metric_rows.h"
#include "control/metrics.h"
#include "control/pool_watch.h"
#include "control/preflight.h"
#include "dataplane/eal.h"

namespace {

using namespace sluice::control;  // NOLINT: main wires all of it

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr std::chrono::milliseconds kTick{1000};

size_t backend_count(const Config& config) {
  size_t count = 0;
  for (const ServiceConfig& service : config.services) count += service.backends.size();
  return count;
}

void check_before_start(const Config& config) {
  check_lcores(config.eal);
  check_permissions(config);
  check_interfaces(config);
  check_metrics_port(config.control);
}

// Says which memory it uses, and what would be better.
void start_dpdk(const Config& config) {
  std::string advice;
  const bool hugepages = use_hugepages(config.eal, free_hugepages(), advice);
  if (!advice.empty()) spdlog::warn("{}", advice);
  spdlog::info("memory: {} MB {} hugepages", config.eal.memory_mb, hugepages ? "of" : "without");
  sluice::EalOptions options;
  options.main_lcore = config.eal.main_lcore;
  options.worker_lcores.assign(config.eal.worker_lcores.begin(), config.eal.worker_lcores.end());
  options.memory_mb = config.eal.memory_mb;
  options.hugepages = hugepages;
  options.pci = has_pci_device(config);
  options.args = config.eal.args;
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

void log_start(const Balancer& balancer) {
  const Config& config = balancer.config();
  for (size_t i = 0; i < config.interfaces.size(); ++i) {
    spdlog::info("interface {}: {}, link {}", config.interfaces[i].name,
                 config.interfaces[i].device, balancer.ports()[i].link_up() ? "up" : "down");
  }
  for (const ServiceConfig& service : config.services) {
    spdlog::info("service {}: {} {}, backends {}", service.name,
                 sluice::net::to_string(service.vip), to_string(service.scheduler),
                 service.backends.size());
  }
}

// Everything between a started EAL and its end.
void run_balancer(const Config& config, const std::string& file, ApiSocket& socket,
                  EventLoop& loop) {
  Balancer balancer(config);
  Commands commands(balancer, file);
  PoolWatch pool_watch;
  std::unique_ptr<Metrics> metrics;
  if (config.control.metrics_listen) {
    metrics = std::make_unique<Metrics>(*config.control.metrics_listen);
  }
  const auto tick = [&] {
    commands.sample();
    balancer.sweep();
    pool_watch.look(balancer);
    if (metrics) metrics->publish(collect_metrics(commands));
  };
  const auto stop = [&loop] { loop.stop(); };
  loop.on_signal(SIGTERM, stop);
  loop.on_signal(SIGINT, stop);
  loop.on_signal(SIGHUP, [&] {
    try {
      commands.reload();
    } catch (const ApplyError&) {
      // The log has said why.
    }
  });
  loop.every(kTick, tick);

  balancer.launch();
  tick();
  log_start(balancer);
  set_dpdk_log_quiet(false);
  // Listening comes last: who gets an answer may send packets.
  ApiServer server(loop, socket, [&](const auto& request) { return commands.handle(request); });
  socket.listen();
  spdlog::info("ready; ask with: sluicectl --socket {} show services", socket.path());
  loop.run();
  spdlog::info("stopping");
}

int run(const Config& config, const std::string& file) {
  try {
    ApiSocket socket(config.control.socket);
    check_before_start(config);
    EventLoop loop;
    // Before EAL makes its threads, so that signals come here and nowhere else.
    for (int signal : {SIGTERM, SIGINT, SIGHUP}) loop.on_signal(signal, [] {});
    start_dpdk(config);
    run_balancer(config, file, socket, loop);
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
  app.set_version_flag("--version", "sluice " SLUICE_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "sluice: {} (see sluice --help)\n", error.what());
    return kExitUsage;
  }

  const LoadedConfig loaded = load_config(file);
  if (!loaded.ok()) {
    fmt::print(stderr, "{}", describe(loaded.problems, file));
    return kExitUsage;
  }
  signal(SIGPIPE, SIG_IGN);
  set_up_log(loaded.config.control.log_level);
  for (const std::string& warning : loaded.warnings) spdlog::warn("{}", warning);
  if (only_check) {
    fmt::print("{}: good: services {}, backends {}\n", file, loaded.config.services.size(),
               backend_count(loaded.config));
    return 0;
  }
  return run(loaded.config, file);
}
