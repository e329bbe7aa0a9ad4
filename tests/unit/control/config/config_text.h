// SPDX-License-Identifier: BSD-3-Clause
// Text of configurations for tests.
#pragma once

#include <string>

namespace sluice::control {

// The smallest good configuration, with room for a mistake at every place.
struct Text {
  std::string top;
  std::string interface = R"(addresses = ["10.1.255.254/16"])";
  std::string route;
  std::string pool = R"(addresses = ["10.2.0.1"])";
  std::string service = R"(vip = "10.3.0.1:80")";
  std::string backend = R"(address = "10.1.0.10:80")";
  std::string more;

  std::string str() const {
    return top + "\n[[interface]]\nname = \"a\"\ndevice = \"net_null0\"\n" + interface + "\n" +
           route + "\n[[local_pool]]\n" + pool + "\n[[service]]\nname = \"web\"\n" + service +
           "\n[[service.backend]]\n" + backend + "\n" + more + "\n";
  }
};

}  // namespace sluice::control
