// SPDX-License-Identifier: BSD-3-Clause
// round-trip: how long a cache line takes from one core to another and back, in nanoseconds. Where
// virtual cores move, this moves with them, and every figure between two processes with it.
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

constexpr int kTrips = 200'000;

bool pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

alignas(128) std::atomic<int> ball = 0;

/// Waits for the ball at odd (or even) numbers and hits it back.
void play(int core, int first) {
  if (!pin(core)) std::exit(1);
  for (int turn = first; turn < 2 * kTrips; turn += 2) {
    while (ball.load(std::memory_order_acquire) != turn) {
    }
    ball.store(turn + 1, std::memory_order_release);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int one = argc > 1 ? std::atoi(argv[1]) : 0;
  const int other = argc > 2 ? std::atoi(argv[2]) : 1;
  std::thread far(play, other, 1);
  const auto begin = std::chrono::steady_clock::now();
  play(one, 0);
  far.join();
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
  std::printf("%.1f\n", spent.count() / kTrips);
  return 0;
}
