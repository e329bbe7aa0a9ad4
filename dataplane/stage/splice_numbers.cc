// SPDX-License-Identifier: BSD-3-Clause
// From one handshake's numbers to the other's.
#include "dataplane/stage/splice_numbers.h"

#include <algorithm>

#include "dataplane/net/rewrite.h"
#include "dataplane/net/serial.h"
#include "dataplane/net/tcp_options.h"

namespace sluice {

namespace flag = net::tcp_flag;

namespace {

net::SeqAdjust adjust_of(const Splice& splice) {
  return {splice.sequence, splice.timestamp};
}

/// What the client echoes of the SYN-ACK that was Sluice's own came before all that the backend has
/// sent.
void raise_echo(net::TcpHeader& tcp, uint32_t first) {
  const uint8_t at = net::find_timestamps(tcp);
  if (at == 0) return;
  const auto echo = static_cast<uint8_t>(at + 4);
  if (!net::serial_before(net::tcp_word_at(tcp, echo).host(), first)) return;
  net::put_word(tcp, echo, first);
}

}  // namespace

bool is_splice_waiting(const Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  return flow.is_spliced() && flow.state() == FlowState::kSynSent;
}

void hasten_splice(Core& core, uint32_t index) {
  const Splice& splice = core.splice(index);
  const uint32_t since = core.now32() - splice.sent_ms, retry = splice.retry_ms();
  core.flow_timers.set(index, core.now_ms + (since < retry ? retry - since : 0));
}

void splice_inbound(Core& core, uint32_t index, net::TcpHeader& tcp) {
  const Splice& splice = core.splice(index);
  if (!splice.is_open || !tcp.has(flag::kAck)) return;
  net::adjust_outbound(tcp, adjust_of(splice));
  if (splice.timestamp != 0) raise_echo(tcp, splice.tsval_first);
  const uint8_t backends = core.flows[index].tcp.client_window_scale();
  if (splice.client_scale == backends) return;
  const uint32_t window = uint32_t{tcp.window.host()} << splice.client_scale >> backends;
  net::set_window(tcp, static_cast<uint16_t>(std::min<uint32_t>(window, UINT16_MAX)));
}

void splice_outbound(Core& core, uint32_t index, net::TcpHeader& tcp) {
  const Splice& splice = core.splice(index);
  if (!splice.is_open) return;
  net::adjust_inbound(tcp, adjust_of(splice));
  const uint8_t scale = core.flows[index].tcp.backend_scale();
  if (tcp.has(flag::kSyn) || scale == splice.told_scale) return;
  const uint32_t window = uint32_t{tcp.window.host()} << scale >> splice.told_scale;
  net::set_window(tcp, static_cast<uint16_t>(std::min<uint32_t>(window, UINT16_MAX)));
}

uint32_t client_view(const Core& core, const Flow& flow, uint32_t sequence) {
  const Splice& splice = core.splice(core.index_of(flow));
  return splice.is_open ? sequence + splice.sequence : splice.cookie + 1;
}

uint32_t splice_offset(const Core& core, const Flow& flow) {
  return flow.is_spliced() ? core.splice(core.index_of(flow)).sequence : 0;
}

}  // namespace sluice
