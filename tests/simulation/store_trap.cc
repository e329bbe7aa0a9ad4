// SPDX-License-Identifier: BSD-3-Clause
// The memory is write-protected: a store faults, is let through alone (x86's trap flag), and the
// memory is protected again.
#include "tests/simulation/store_trap.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

namespace sluice::sim {
namespace {

constexpr greg_t kTrapFlag = 0x100;

struct Watch {
  std::span<std::byte> memory;
  const std::function<void()>* look = nullptr;

  void protect(bool on) const {
    mprotect(memory.data(), memory.size(), on ? PROT_READ : PROT_READ | PROT_WRITE);
  }
  bool covers(const void* address) const {
    const auto* at = static_cast<const std::byte*>(address);
    return at >= memory.data() && at < memory.data() + memory.size();
  }
};
Watch watch;

greg_t& flags_of(void* context) {
  return static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL];
}

void on_store(int signal, siginfo_t* info, void* context) {
  if (!watch.covers(info->si_addr)) {  // somebody's mistake: again, and to its end
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    sigaction(signal, &usual, nullptr);
    return;
  }
  watch.protect(false);
  flags_of(context) |= kTrapFlag;
}

void after_store(int, siginfo_t*, void* context) {
  flags_of(context) &= ~kTrapFlag;
  (*watch.look)();
  watch.protect(true);
}

void handle(int signal, void (*handler)(int, siginfo_t*, void*), struct sigaction* before) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(signal, &action, before);
}

}  // namespace

void run_store_by_store(std::span<std::byte> memory, const std::function<void()>& look,
                        const std::function<void()>& run) {
  struct sigaction fault_before {
  }, trap_before{};
  handle(SIGSEGV, on_store, &fault_before);
  handle(SIGTRAP, after_store, &trap_before);
  watch = {memory, &look};
  watch.protect(true);
  run();
  watch.protect(false);
  watch = {};
  sigaction(SIGSEGV, &fault_before, nullptr);
  sigaction(SIGTRAP, &trap_before, nullptr);
}

}  // namespace sluice::sim
