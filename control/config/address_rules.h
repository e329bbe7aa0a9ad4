// SPDX-License-Identifier: BSD-3-Clause
// Which addresses may stand where: each says in a few words what is wrong, or nothing.
#pragma once

#include <string>

#include "control/config/ip_address.h"

namespace sluice::control {

bool is_loopback(const IpAddress& ip);    // 127.0.0.0/8, ::1
bool is_link_local(const IpAddress& ip);  // fe80::/10; no IPv4 address is called so here

// What a packet may be sent to or from, within sight of routers.
std::string why_not_unicast(const IpAddress& ip);
// The same on a link, where its own addresses are good as well.
std::string why_not_on_a_link(const IpAddress& ip);
// What an HTTP server may listen on. Whether this machine has it shows at the start.
std::string why_not_listened_on(const IpAddress& ip);
// An address of one host on a network that is given with it.
std::string why_not_a_host(const IpPrefix& own);

}  // namespace sluice::control
