// SPDX-License-Identifier: BSD-3-Clause
// Kinds of values of checks by a datagram, and of others that are bytes: bytes to send and to find,
// words of DNS.
#pragma once

#include <string>

#include "control/config/config_schema.h"

namespace sluice::control {

Kind<std::string> datagram_text();  // as it is, line ends too
Kind<std::string> datagram_hex();   // its bytes
Kind<std::string> hex_bytes(size_t length_max);
Kind<std::string> dns_name();
Kind<std::string> dns_type();
Kind<std::string> dns_rcode();
Kind<std::string> dns_text();

}  // namespace sluice::control
