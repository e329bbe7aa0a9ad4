// SPDX-License-Identifier: BSD-3-Clause
// Healing a handshake.
#include "dataplane/stage/heal.h"

#include "dataplane/net/serial.h"
#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/configured_backend.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/made_syn.h"
#include "dataplane/stage/open_flow.h"
#include "dataplane/stage/port_choice.h"
#include "dataplane/stage/resets.h"
#include "dataplane/stage/seq_adjust.h"

namespace sluice {

using net::DropReason;

namespace {

// Segments of an old stream keep coming until the RST has arrived; they are no news.
constexpr uint32_t kSameNewsMs = 200;
// How long an answer that may be a late segment is given for the SYN-ACK to come.
constexpr uint32_t kLateMs = 30;
// Segments of a connection do not outlive it by more on the way from a backend.
constexpr uint32_t kJustUsedMs = 1000;

/// What a stale answer says about the backend's side of the tuple.
PriorIncarnation learn(const Core& core, const Segment& answer) {
  const net::TcpHeader& tcp = *answer.packet.tcp;
  PriorIncarnation prior{core.now32(), tcp.acknowledgement.host(), 0,
                         PriorIncarnation::Kind::kTimeWait, false};
  if (const uint8_t at = net::find_timestamps(tcp)) {
    prior.ts_recent = net::tcp_word_at(tcp, static_cast<uint8_t>(at + 4)).host();
    prior.timestamps = true;
  }
  return prior;
}

void send_syn(Core& core, uint32_t index, Segment& syn) {
  begin_handshake(core, index, syn);
  send_made_syn(core, index, syn);
}

/// Takes another local port for a flow whose handshake is not done; the old one rests with what was
/// learned of it. Where it does, the flow is not whole until it is committed again.
bool move_flow(Core& core, uint32_t index, const SynNumbers& syn, const PriorIncarnation& learned) {
  const BackendView* backend = configured_backend(core, core.flows[index]);
  if (backend == nullptr) return false;
  const bool rewrite = core.flows[index].rewrite_timestamps;
  const auto choice = choose_port(core, *backend, rewrite, syn, true);
  if (!choice) return false;
  if (choice->taken.old_flow != PortPool::kNoFlow) free_flow(core, choice->taken.old_flow);
  Flow& flow = core.flows[index];
  PoolState& from = core.pool(flow);
  core.flows.retract(index);
  from.ports.give_back(flow.local_port.host(), learned, PortPool::kNoFlow);
  from.flows.subtract();
  set_port(core, index, *choice);
  set_adjust(core, index, rewrite, syn, choice->taken.adjust);
  core.count(Event::heals_moved);
  core.backend(flow).heal_moves.add();
  return true;
}

/// The kept SYN's flow where it stands, with the fit that the answer asks for. The sequence is
/// shifted as soon as anything is, so that an answer to the SYN of before is known by its
/// acknowledgement.
void adjust_in_place(Core& core, uint32_t index, const SynNumbers& syn,
                     const PriorIncarnation& learned) {
  const Flow& flow = core.flows[index];
  const bool rewrite = flow.rewrite_timestamps;
  net::SeqAdjust adjust;
  if (core.snapshot->reuse.policy == ReusePolicy::kRebase) {
    const SynNumbers sent = as_sent(core, core.pool(flow), rewrite, syn);
    adjust = smallest_adjust(learned, sent, core.random);
    if (adjust.any()) adjust.sequence = sequence_step(learned, sent, core.random);
  }
  set_adjust(core, index, rewrite, syn, adjust);
}

void count_heal(Core& core, Flow& flow) {
  core.count(Event::heals_started);
  core.backend(flow).heals.add();
  core.pool(flow).ports.counters().heals.add();
}

DropReason give_up(Core& core, uint32_t index, const Segment* answer) {
  Flow& flow = core.flows[index];
  core.backend(flow).heals_failed.add();
  end_flow(core, index, FlowEnd::heal_exhausted, flow.state(), answer);
  return DropReason::heal_exhausted;
}

/// The numbers of the flow's SYN as it went out last.
SynNumbers sent_numbers(const Flow& flow) {
  return {flow.tcp.backend_expects() - 1, flow.ts_recent, flow.timestamps};
}

bool takes(const Core& core, const PriorIncarnation& prior, const SynNumbers& syn) {
  const bool natural = core.snapshot->reuse.policy == ReusePolicy::kNatural;
  return natural ? linux_takes(prior, syn) : all_take(prior, syn);
}

/// Whether the stale answer may be a delayed segment: the backend would have accepted our SYN, or
/// the tuple was used within kJustUsedMs. Then either the SYN-ACK follows, or the backend still
/// holds a connection and nothing does.
bool may_be_late(Core& core, const Flow& flow, const PriorIncarnation& learned) {
  const PriorIncarnation& known = core.pool(flow).ports.prior(flow.local_port.host());
  const bool just_used = known.kind != PriorIncarnation::Kind::kFresh &&
                         stamp_age_ms(core.now32(), known.closed_ms) < kJustUsedMs &&
                         !net::serial_after(learned.rcv_nxt, known.rcv_nxt);
  return just_used || takes(core, learned, sent_numbers(flow));
}

/// `answer` is the stale one, where it has just come.
DropReason heal_now(Core& core, uint32_t index, const PriorIncarnation& learned,
                    const Segment* answer = nullptr) {
  Flow& flow = core.flows[index];
  reset_backend_at(core, flow, learned.rcv_nxt);
  if (flow.syn_slot == SynStore::kNone) return DropReason::stale_answer;
  if (flow.heal_attempts == kHealAttemptsMax) return give_up(core, index, answer);
  ++flow.heal_attempts;
  count_heal(core, flow);
  flow.stale_ack = learned.rcv_nxt;
  flow.healed_ms = core.now32();
  core.pool(flow).ports.learn(flow.local_port.host(), learned);

  Segment syn;
  if (!copy_syn(core, flow, syn)) return DropReason::stale_answer;
  const SynNumbers numbers = syn_numbers(*syn.packet.tcp);
  core.flows.retract(index);
  const bool moved = flow.heal_attempts > 1 && move_flow(core, index, numbers, learned);
  // A SYN that is as it should be goes again as it was: the backend may have it already.
  if (!moved && !takes(core, learned, sent_numbers(flow))) {
    adjust_in_place(core, index, numbers, learned);
  }
  send_syn(core, index, syn);
  core.flows.commit(index);
  return DropReason::stale_answer;
}

}  // namespace

DropReason heal(Core& core, uint32_t index, const Segment& answer) {
  Flow& flow = core.flows[index];
  const PriorIncarnation learned = learn(core, answer);
  const bool rebase = core.snapshot->reuse.policy == ReusePolicy::kRebase;
  const bool same_news = flow.heal_attempts > 0 && flow.stale_ack == learned.rcv_nxt &&
                         core.now32() - flow.healed_ms < kSameNewsMs;
  if (flow.answer_due || (same_news && rebase)) return DropReason::stale_answer;
  if (!may_be_late(core, flow, learned)) return heal_now(core, index, learned, &answer);
  flow.answer_due = true;
  flow.stale_ack = learned.rcv_nxt;
  core.flow_timers.set(index, core.now_ms + kLateMs);
  return DropReason::stale_answer;
}

void heal_overdue(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  flow.answer_due = false;
  core.flow_timers.set(index, core.now_ms + core.snapshot->timeouts_ms[0]);
  PriorIncarnation learned = core.pool(flow).ports.prior(flow.local_port.host());
  learned.kind = PriorIncarnation::Kind::kTimeWait;
  learned.rcv_nxt = flow.stale_ack;
  const DropReason reason = heal_now(core, index, learned);
  if (reason != DropReason::heal_exhausted) return;
  // The answer was dropped when it came: it is judged a second time.
  core.count(Event::packets_made);
  core.counters.count(reason);
}

void move_unanswered(Core& core, uint32_t index, const Segment& syn) {
  Flow& flow = core.flows[index];
  if (core.snapshot->reuse.policy != ReusePolicy::kRebase) return;
  const net::Endpoint old_local = core.local(flow);
  const uint32_t old_expected = flow.tcp.backend_expects();
  if (move_flow(core, index, syn_numbers(*syn.packet.tcp), prior_incarnation(core, flow))) {
    core.flows.commit(index);
    reset_tuple(core, flow, old_local, old_expected);
  }
}

}  // namespace sluice
