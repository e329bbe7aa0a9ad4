// SPDX-License-Identifier: BSD-3-Clause
// A thread, a result and an eventfd that says that it is there.
#include "control/daemon/api/config_loader.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

namespace sluice::control {
namespace {

std::atomic<bool> loader_left_behind = false;

}  // namespace

struct ConfigLoader::Task {
  UniqueFd ready{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  LoadedConfig result;  // the thread's until `ready`
};

ConfigLoader::ConfigLoader(EventLoop& loop, Load load) : loop_(loop), load_(std::move(load)) {}

ConfigLoader::~ConfigLoader() {
  if (!task_) return;
  loop_.forget(task_->ready.get());
  loader_left_behind = true;
}

bool ConfigLoader::left_behind() {
  return loader_left_behind;
}

void ConfigLoader::start(std::string file, Done done) {
  auto task = std::make_shared<Task>();
  if (!task->ready) throw std::system_error(errno, std::generic_category(), "eventfd");
  std::thread([task, load = load_, file = std::move(file)] {
    try {
      task->result = load(file);
    } catch (const std::exception& error) {
      task->result.problems = {{0, "", error.what(), "a file that can be checked"}};
    }
    eventfd_write(task->ready.get(), 1);
  }).detach();
  task_ = std::move(task);
  done_ = std::move(done);
  loop_.watch(
      task_->ready.get(), EPOLLIN, [this](uint32_t) { on_ready(); }, "reloads");
}

void ConfigLoader::give_up() {
  done_ = nullptr;
}

void ConfigLoader::on_ready() {
  const std::shared_ptr<Task> task = std::exchange(task_, nullptr);
  const Done done = std::exchange(done_, nullptr);
  loop_.forget(task->ready.get());
  if (done) done(std::move(task->result));
}

}  // namespace sluice::control
