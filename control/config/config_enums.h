// SPDX-License-Identifier: BSD-3-Clause
// The enumerations of the configuration and their words, each of which stands here alone: the file
// is read by them, and values, errors and answers are printed with them.
#pragma once

#include <cstdint>

#include "control/common/enum_words.h"
#include "control/config/guard_config.h"
#include "dataplane/net/protocol.h"
#include "dataplane/state/flow_index.h"
#include "dataplane/state/idle_mode.h"
#include "dataplane/state/snapshot.h"

namespace sluice::control {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };
template <>
inline constexpr std::array kWordsOf<LogLevel> = {
    EnumWord{"debug", LogLevel::kDebug}, EnumWord{"info", LogLevel::kInfo},
    EnumWord{"warn", LogLevel::kWarning}, EnumWord{"error", LogLevel::kError}};

enum class SteeringChoice : uint8_t { kAuto, kRss, kRteFlow, kHandoff };
template <>
inline constexpr std::array kWordsOf<SteeringChoice> = {
    EnumWord{"auto", SteeringChoice::kAuto}, EnumWord{"rss", SteeringChoice::kRss},
    EnumWord{"rte_flow", SteeringChoice::kRteFlow}, EnumWord{"handoff", SteeringChoice::kHandoff}};

enum class TimestampPolicy : uint8_t { kPreserve, kRewrite };
template <>
inline constexpr std::array kWordsOf<TimestampPolicy> = {
    EnumWord{"preserve", TimestampPolicy::kPreserve},
    EnumWord{"rewrite", TimestampPolicy::kRewrite}};

enum class ProxyProtocol : uint8_t { kOff, kV1, kV2 };  // what a backend is told first
template <>
inline constexpr std::array kWordsOf<ProxyProtocol> = {EnumWord{"off", ProxyProtocol::kOff},
                                                       EnumWord{"v1", ProxyProtocol::kV1},
                                                       EnumWord{"v2", ProxyProtocol::kV2}};

enum class CheckType : uint8_t { kTcp, kHttp, kHttps, kCommand, kUdp, kDns };
template <>
inline constexpr std::array kWordsOf<CheckType> = {
    EnumWord{"tcp", CheckType::kTcp},     EnumWord{"http", CheckType::kHttp},
    EnumWord{"https", CheckType::kHttps}, EnumWord{"command", CheckType::kCommand},
    EnumWord{"udp", CheckType::kUdp},     EnumWord{"dns", CheckType::kDns}};

enum class HttpMethod : uint8_t { kGet, kHead, kOptions };
template <>
inline constexpr std::array kWordsOf<HttpMethod> = {EnumWord{"GET", HttpMethod::kGet},
                                                    EnumWord{"HEAD", HttpMethod::kHead},
                                                    EnumWord{"OPTIONS", HttpMethod::kOptions}};

enum class OnDown : uint8_t { kKeep, kReset };  // the flows of a backend that goes down
template <>
inline constexpr std::array kWordsOf<OnDown> = {EnumWord{"keep", OnDown::kKeep},
                                                EnumWord{"reset", OnDown::kReset}};

enum class AllDown : uint8_t { kRefuse, kUseAll };  // when no backend of a service is up
template <>
inline constexpr std::array kWordsOf<AllDown> = {EnumWord{"refuse", AllDown::kRefuse},
                                                 EnumWord{"use_all", AllDown::kUseAll}};

enum class UdpRefresh : uint8_t { kBoth, kInbound };  // whose datagrams keep a flow
template <>
inline constexpr std::array kWordsOf<UdpRefresh> = {EnumWord{"both", UdpRefresh::kBoth},
                                                    EnumWord{"inbound", UdpRefresh::kInbound}};

template <>
inline constexpr std::array kWordsOf<BackendsFull> = {EnumWord{"refuse", BackendsFull::kRefuse},
                                                      EnumWord{"wait", BackendsFull::kWait}};

// ---- the dataplane's ---------------------------------------------------------------------------

template <>
inline constexpr std::array kWordsOf<net::Protocol> = {EnumWord{"tcp", net::Protocol::kTcp},
                                                       EnumWord{"udp", net::Protocol::kUdp}};
template <>
inline constexpr std::array kWordsOf<IdleMode> = {EnumWord{"poll", IdleMode::kPoll},
                                                  EnumWord{"sleep", IdleMode::kSleep}};
template <>
inline constexpr std::array kWordsOf<ReusePolicy> = {EnumWord{"never", ReusePolicy::kNever},
                                                     EnumWord{"natural", ReusePolicy::kNatural},
                                                     EnumWord{"rebase", ReusePolicy::kRebase}};
template <>
inline constexpr std::array kWordsOf<SchedulerKind> = {
    EnumWord{"round_robin", SchedulerKind::kRoundRobin},
    EnumWord{"least_connections", SchedulerKind::kLeastConnections},
    EnumWord{"source_hash", SchedulerKind::kSourceHash}};
template <>
inline constexpr std::array kWordsOf<SynCookieMode> = {EnumWord{"never", SynCookieMode::kNever},
                                                       EnumWord{"auto", SynCookieMode::kAuto},
                                                       EnumWord{"always", SynCookieMode::kAlways}};
template <>
inline constexpr std::array kWordsOf<OnRefusal> = {EnumWord{"reset", OnRefusal::kReset},
                                                   EnumWord{"drop", OnRefusal::kDrop}};

template <>
inline constexpr std::array kWordsOf<Unmatched> = {EnumWord{"drop", Unmatched::kDrop},
                                                   EnumWord{"kernel", Unmatched::kKernel},
                                                   EnumWord{"forward", Unmatched::kForward}};
template <>
inline constexpr std::array kWordsOf<FlowIndexKind> = {
    EnumWord{"rte_hash", FlowIndexKind::kRteHash}, EnumWord{"compact", FlowIndexKind::kCompact}};

}  // namespace sluice::control
