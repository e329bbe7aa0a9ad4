// SPDX-License-Identifier: BSD-3-Clause
// Which SYNs may begin a flow, and which unfinished handshakes make way for them.
//
// A flood of SYNs from sources that never finish must not take what finished connections and real
// clients need. So handshakes that are not finished may hold a part of what there is: for each
// backend of each service `half_open_percent` of its local ports, for all together as much of the
// flow table, and in a flood no more than the SYN store has slots. Beyond that
//
//   - the oldest makes way, one whose client has repeated its SYN last. Its backend gets a RST at
//     the number it expects, its port comes back with what is known of the tuple
//   - but not before it had kHandshakeMs to be finished, which a client on the other side of the
//     world needs: where even the oldest is younger, the new SYN is dropped without an answer and
//     remembered (SynMemory). A real client repeats it after a second, and is then let in before
//     all that have not, but for those of the last kRoundTripMs; a spoofed source does not
//   - and while more than half of a limit is held (and more than a few), what is not finished has
//     kUsefulMs in place of the configured time: within that a lost SYN, SYN-ACK or ACK has been
//     sent again twice
//
// A flood on one service leaves the others their part: where the whole table is meant, the largest
// queue gives. A burst of real clients is no flood: the limit of ports is held only while
// handshakes have been evicted or deferred lately.
//
// UDP flows are held to the same limits until their client has gone on after an answer, of which a
// spoofed source does not know. None makes way before it is kHandshakeMs old, or kRoundTripMs for a
// client that sends again. Those without an answer go first, then those with one. A client that has
// its answer loses nothing by that, so its flow is not remembered, and is no sign of a flood.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

inline constexpr uint32_t kHandshakeMs = 500;
/// Not even for a repeated SYN: the last ACK of a real handshake may be on its way.
inline constexpr uint32_t kRoundTripMs = 100;

/// What a SYN without a flow is: the first, one that was deferred or evicted, sent again, or a copy
/// of one, which is to be dropped.
SynSeen look_up_syn(const Core& core, ServiceId service, const Segment& syn);

/// Keeps the limits before a flow towards `backend` begins; false: its SYN is to be deferred.
bool make_way(Core& core, HalfOpenQueue& queue, const BackendView& backend, bool repeated);

/// Ends the oldest handshake of a queue, if it may be asked to make way for one whose client is
/// `repeated`; false when there is none.
bool evict_oldest(Core& core, HalfOpenQueue& queue, bool repeated);
/// Of the largest queue, for a new flow of `queue`.
bool evict_from_largest(Core& core, const HalfOpenQueue& queue, bool repeated);

/// Whether it is for want of unfinished handshakes' ports or entries that a SYN finds none: then it
/// is deferred, not refused.
bool are_many_half_open(const HalfOpenQueue& queue);
bool is_table_half_open(const Core& core);

/// Room for one more entry; the oldest flow that is over makes way, else one that evict_oldest()
/// may end.
bool make_room(Core& core, HalfOpenQueue& queue, bool repeated);

/// What a datagram without a flow is, as look_up_syn() has it: UDP repeats no number, so that
/// whatever else its client sends counts as the same again.
SynSeen look_up_datagram(const Core& core, const FlowName& name);
/// The same as defer_syn() for a datagram.
net::DropReason defer_datagram(Core& core, HalfOpenQueue& queue, const FlowName& name);

/// Whether handshakes or UDP flows towards a backend have been evicted or deferred lately.
bool is_pressed(const Core& core, HalfOpenQueue& queue);

/// Remembers a SYN that is dropped until its client repeats it.
net::DropReason defer_syn(Core& core, HalfOpenQueue& queue, ServiceId service, const Segment& syn);

/// The client of a flow has sent its SYN again; or a UDP flow has its first answer.
void prefer_repeated(Core& core, uint32_t index);

/// Ends an unfinished handshake without a word to its client.
void evict(Core& core, uint32_t index);

}  // namespace sluice
