// SPDX-License-Identifier: BSD-3-Clause
// posix_spawn, which does not copy this process' tables, and a pidfd for the end.
#include "control/daemon/health/command_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace sluice::control {
namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& string : strings) out.push_back(string.data());
  out.push_back(nullptr);
  return out;
}

// Signals as a program expects them, a process group of its own, no descriptor of ours. Gives an
// errno.
int spawn(std::vector<std::string> argv, std::vector<std::string> environment, int output,
          pid_t& pid) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&actions);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  const int error = posix_spawn(&pid, argv[0].c_str(), &actions, &attributes, pointers(argv).data(),
                                pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

void check(bool ok, int error, const char* what) {
  if (!ok) throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

CommandRunner::CommandRunner(EventLoop& loop) : loop_(loop) {
  // Ambient capabilities are there to be inherited, and what a program needs that looks whether a
  // backend is well is none of them. This thread keeps what it has.
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  // Inherited from who started us, SIG_IGN would have the kernel take programs' ends away, and
  // their pidfds would be ready for ever.
  signal(SIGCHLD, SIG_DFL);
}

CommandRunner::~CommandRunner() {
  for (const auto& [pid, process] : processes_) {
    ::kill(-pid, SIGKILL);
    loop_.forget(process.handle.get());
    if (process.output) loop_.forget(process.output.get());
  }
}

pid_t CommandRunner::start(const std::vector<std::string>& argv,
                           const std::vector<std::string>& environment,
                           std::function<void(const End&)> done) {
  int ends[2];
  check(pipe2(ends, O_CLOEXEC) == 0, errno, "pipe");
  Process process{{}, UniqueFd(ends[0]), {}, std::move(done)};
  const UniqueFd writing(ends[1]);
  fcntl(process.output.get(), F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  const int error = spawn(argv, environment, writing.get(), pid);
  check(error == 0, error, argv[0].c_str());
  process.handle = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process.handle) {
    const int reason = errno;
    ::kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    check(false, reason, "pidfd_open");
  }
  loop_.watch(
      process.handle.get(), EPOLLIN, [this, pid](uint32_t) { reap(pid); },
      "commands of health checks");
  loop_.watch(
      process.output.get(), EPOLLIN, [this, pid](uint32_t) { read_output(pid); },
      "commands of health checks");
  processes_.emplace(pid, std::move(process));
  return pid;
}

void CommandRunner::kill(pid_t pid) {
  const auto found = processes_.find(pid);
  if (found == processes_.end()) return;
  found->second.done = nullptr;
  ::kill(-pid, SIGKILL);
}

// The beginning is kept, the rest read away, so that a talkative program is not held up.
void CommandRunner::read_output(pid_t pid) {
  Process& process = processes_.at(pid);
  char buffer[4096];
  const ssize_t length = read(process.output.get(), buffer, sizeof buffer);
  if (length > 0) {
    const size_t room = kOutputMax - process.said.size();
    process.said.append(buffer, std::min(static_cast<size_t>(length), room));
  } else if (length == 0 || errno != EAGAIN) {
    loop_.forget(process.output.get());
    process.output = UniqueFd();
  }
}

void CommandRunner::reap(pid_t pid) {
  siginfo_t info{};
  const auto id = static_cast<id_t>(pid);
  if (waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
    if (info.si_pid == 0) return;
    ::kill(-pid, SIGKILL);  // what it has left running, while its number is still its own
    waitid(P_PID, id, &info, WEXITED | WNOHANG);
  }  // else somebody has taken its end away: it is over all the same
  if (processes_.at(pid).output) read_output(pid);
  Process process = std::move(processes_.at(pid));
  processes_.erase(pid);
  loop_.forget(process.handle.get());
  if (process.output) loop_.forget(process.output.get());
  if (process.done) process.done({info.si_code == CLD_EXITED, info.si_status, process.said});
}

}  // namespace sluice::control
