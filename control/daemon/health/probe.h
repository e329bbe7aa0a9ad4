// SPDX-License-Identifier: BSD-3-Clause
// One check of one backend, over and over: started, and some time later it has a result.
//
// How long a check may take is its owner's matter: whoever started it gives it up.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "control/config/config.h"
#include "control/config/ip_address.h"

namespace sluice::control {

// What is to be checked, and from where.
struct ProbeTarget {
  std::string service;
  IpEndpoint backend;
  IpAddress source;    // the interface's address towards the backend
  std::string device;  // the interface's tap; empty: it has none
  HealthCheckConfig check;
  std::string
      greeting;  // what the backend is told before anything else: a PROXY header, or nothing
  bool operator==(const ProbeTarget&) const = default;

  // The backend's address, at the port that is checked.
  IpEndpoint checked() const {
    if (check.port == 0) return backend;
    return {backend.ip, net::be16::from_host(static_cast<uint16_t>(check.port))};
  }
};

struct ProbeResult {
  enum class Kind : uint8_t {
    kGood,
    kCritical,
    kNone,  // it could not be made; that says nothing about the backend
  };
  Kind kind;
  std::string reason;  // what was wrong, in a few words

  static ProbeResult good() { return {Kind::kGood, {}}; }
  static ProbeResult bad(std::string reason) { return {Kind::kCritical, std::move(reason)}; }
  static ProbeResult none(std::string reason) { return {Kind::kNone, std::move(reason)}; }
};

class Probe {
 public:
  using Done = std::function<void(const ProbeResult&)>;

  // Gives up what is on its way.
  virtual ~Probe() = default;
  // Whether there is room for one more of its kind just now.
  virtual bool may_start() const { return true; }
  // Calls back once, from within start() or later from the event loop, unless it is given up
  // before. Not to be called again before either.
  virtual void start(Done done) = 0;
  // Ends what is on its way without calling back; how far it had come, in a few words.
  virtual std::string give_up() = 0;
};

}  // namespace sluice::control
