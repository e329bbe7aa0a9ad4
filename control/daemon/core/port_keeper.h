// SPDX-License-Identifier: BSD-3-Clause
// Keeps ports over what happens to their devices: a VF that its PF has reset is reset and started
// again, a device that is unplugged is let go, and taken back when it returns. Flows stay.
//
// First the workers let go of the port (`set_absent`, which returns once none can be using it),
// then the device is touched. What fails is tried again each second.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/port/port.h"
#include "dataplane/port/port_events.h"

namespace sluice::control {

class PortKeeper {
 public:
  struct Hooks {
    std::function<void(uint32_t ports)> set_absent;   // a bit for each port that is not to be used
    std::function<bool(const Port& port)> is_there;   // whether its device is, as the host sees it
    std::function<void(size_t interface)> came_back;  // it is in use again; its MAC may be another
  };

  // `names` are those of the interfaces, in the order of `ports`, which outlive the keeper.
  PortKeeper(std::vector<Port>& ports, std::vector<std::string> names, Hooks hooks);

  // Readable when look() is worth a call.
  int fd() const { return events_.fd(); }
  // Takes what was reported by interrupt; whether it concerned more than links.
  bool look();
  // Once a second: asks whether devices are there, and tries again what failed.
  void tick();

  // Why an interface's port is out of use, and the remedy; empty while it is in use.
  struct Absence {
    std::string reason;
    std::string remedy;
  };
  const Absence& absence(size_t interface) const { return kept_[interface].absence; }
  uint32_t link_losses(size_t interface) const {
    return events_.link_losses(ports_[interface].id());
  }

 private:
  enum class State : uint8_t { kInUse, kToReset, kGone };
  struct Kept {
    std::string name;
    State state = State::kInUse;
    Absence absence;
    std::string refused;  // what was logged last of a try that failed
  };

  void take_out(size_t i, State state, Absence absence);
  void put_back(size_t i);
  void try_reset(size_t i);
  void let_go(size_t i);
  void try_return(size_t i);
  void log_refusal(size_t i, const char* what, const std::string& reason);

  std::vector<Port>& ports_;
  std::vector<Kept> kept_;
  Hooks hooks_;
  uint32_t absent_ = 0;
  PortEvents events_;
};

}  // namespace sluice::control
