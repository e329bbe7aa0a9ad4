// SPDX-License-Identifier: BSD-3-Clause
// Packets, flows and verdicts in words, the same in `trace` and in `why`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sluice::control {

// "10.1.0.1:3450 > 10.3.0.1:80  SYN  seq ..."
std::string segment_line(const nlohmann::json& segment);
// "none" of no flow.
std::string state_of(const nlohmann::json& flow);
// "10.2.0.1:1028 towards 10.2.0.10:80, fresh: never used since Sluice started"
std::string port_line(const nlohmann::json& flow);
// Offsets; empty where the client's numbers go as they are.
std::string fix_line(const nlohmann::json& flow);
std::string verdict_line(const nlohmann::json& row);
// "23:13:18.825", of Unix time.
std::string clock_time(double ms);
// A line of what became of a packet; nothing where there is nothing to say.
std::string stage_line(const char* stage, const std::string& text);

}  // namespace sluice::control
