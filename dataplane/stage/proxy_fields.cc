// SPDX-License-Identifier: BSD-3-Clause
// From a flow to the fields of its PROXY header.
#include "dataplane/stage/proxy_fields.h"

#include <cstring>

#include "dataplane/net/siphash.h"

namespace sluice {
namespace {

/// The same for each copy of a flow's header, and no other connection's: no end of a connection
/// uses a number again while its segments may live.
net::ProxyUniqueId unique_id(const Core& core, const Flow& flow) {
  constexpr uint64_t kHigh = 0x736c756963650001, kLow = 0x736c756963650002;
  const net::Endpoint client = core.client(flow);
  const uint32_t isn = flow.bounds.client_first - 1 - flow.adjust.sequence;
  std::array<uint64_t, 5> words{uint64_t{client.port.raw} << 16 | flow.key.service,
                                uint64_t{flow.opened_ms} << 32 | isn, core.worker, 0, 0};
  std::memcpy(&words[3], client.ip.bytes().data(), client.ip.bytes().size());
  std::array<uint64_t, 2> sums{};
  for (const uint64_t word : words) {
    sums = {net::siphash({kHigh, sums[0]}, word), net::siphash({kLow, sums[1]}, word)};
  }
  net::ProxyUniqueId id;
  std::memcpy(id.data(), sums.data(), sizeof sums);
  return id;
}

}  // namespace

const ProxyForm& proxy_form(const Core& core, uint32_t index) {
  return core.snapshot->proxy_forms[core.proxy_track(index).form];
}

net::ProxyFields proxy_fields(const Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  return {.source = core.client(flow),
          .destination = core.vip(flow),
          .protocol = flow.is_udp() ? net::Protocol::kUdp : net::Protocol::kTcp,
          .unique_id = unique_id(core, flow),
          .authority = proxy_form(core, index).authority};
}

void choose_proxy_form(Core& core, uint32_t index, uint16_t form) {
  ProxyTrack& track = core.proxy_track(index);
  track = {};
  track.form = form;
  track.length =
      net::proxy_header_length(proxy_form(core, index).version, proxy_fields(core, index));
  core.flows[index].half_open.extras |= flow_extra::kProxy;
}

}  // namespace sluice
