// SPDX-License-Identifier: BSD-3-Clause
// Kinds of values that only checks by a datagram have: bytes to send and to find, words of DNS.
#pragma once

#include <string>

#include "control/config/config_schema.h"

namespace sluice::control {

Kind<std::string> datagram_text();  // as it is, line ends too
Kind<std::string> datagram_hex();   // its bytes
Kind<std::string> dns_name();
Kind<std::string> dns_type();
Kind<std::string> dns_rcode();
Kind<std::string> dns_text();

}  // namespace sluice::control
