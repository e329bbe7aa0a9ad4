// SPDX-License-Identifier: BSD-3-Clause
// Out of use, touched, in use again.
#include "control/daemon/core/port_keeper.h"

#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

namespace sluice::control {
namespace {

std::vector<PortEvents::Watched> watched(const std::vector<Port>& ports) {
  std::vector<PortEvents::Watched> all;
  for (const Port& port : ports) all.push_back({port.id(), port.name()});
  return all;
}

}  // namespace

PortKeeper::PortKeeper(std::vector<Port>& ports, std::vector<std::string> names, Hooks hooks)
    : ports_(ports), hooks_(std::move(hooks)), events_(watched(ports)) {
  for (std::string& name : names) kept_.push_back({.name = std::move(name)});
}

bool PortKeeper::look() {
  events_.clear();
  bool found = false;
  for (size_t i = 0; i < ports_.size(); ++i) {
    const PortEvents::Events came = events_.take(ports_[i].id());
    if (kept_[i].state == State::kGone) continue;
    if (came.removed) {
      let_go(i);
    } else if (came.reset) {
      spdlog::warn("interface {}: its device wants a reset", kept_[i].name);
      take_out(i, State::kToReset, {"its device is being reset", "wait; see the log"});
      try_reset(i);
    }
    found |= came.removed || came.reset;
  }
  return found;
}

void PortKeeper::tick() {
  for (size_t i = 0; i < ports_.size(); ++i) {
    switch (kept_[i].state) {
      case State::kInUse:
        if (!hooks_.is_there(ports_[i])) let_go(i);
        break;
      case State::kToReset:
        hooks_.is_there(ports_[i]) ? try_reset(i) : let_go(i);
        break;
      case State::kGone:
        if (hooks_.is_there(ports_[i])) try_return(i);
        break;
    }
  }
}

void PortKeeper::take_out(size_t i, State state, Absence absence) {
  kept_[i].state = state;
  kept_[i].absence = std::move(absence);
  kept_[i].refused.clear();
  const uint32_t all = absent_ | 1u << ports_[i].id();
  if (all != std::exchange(absent_, all)) hooks_.set_absent(absent_);
}

void PortKeeper::put_back(size_t i) {
  kept_[i].state = State::kInUse;
  kept_[i].absence = {};
  absent_ &= ~(1u << ports_[i].id());
  hooks_.set_absent(absent_);
  hooks_.came_back(i);
}

void PortKeeper::try_reset(size_t i) {
  try {
    ports_[i].reset();
  } catch (const std::runtime_error& error) {
    return log_refusal(i, "its device cannot be reset", error.what());
  }
  spdlog::warn("interface {}: its device is reset and in use again", kept_[i].name);
  put_back(i);
}

void PortKeeper::let_go(size_t i) {
  spdlog::error("interface {}: its device {} is gone", kept_[i].name, ports_[i].name());
  take_out(i, State::kGone,
           {"its device " + ports_[i].name() + " is gone",
            "plug it in again, bound as it was: sluice takes it back by itself"});
  events_.forget(ports_[i].id());
  ports_[i].leave();
}

void PortKeeper::try_return(size_t i) {
  try {
    ports_[i].come_back();
  } catch (const std::runtime_error& error) {
    return log_refusal(i, "its device cannot be taken back", error.what());
  }
  events_.listen(ports_[i].id());
  spdlog::warn("interface {}: its device {} is there again", kept_[i].name, ports_[i].name());
  put_back(i);
}

void PortKeeper::log_refusal(size_t i, const char* what, const std::string& reason) {
  if (std::exchange(kept_[i].refused, reason) == reason) return;
  spdlog::error("interface {}: {} yet: {}; trying on", kept_[i].name, what, reason);
}

}  // namespace sluice::control
