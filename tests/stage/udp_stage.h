// SPDX-License-Identifier: BSD-3-Clause
// Datagrams through the stages: of one client, to one UDP service.
#pragma once

#include "tests/stage/stage.h"

namespace sluice::test {

class UdpStage : public Stage {
 protected:
  static Scene udp(Scene scene = {}) {
    scene.protocol = net::Protocol::kUdp;
    return scene;
  }
  Udp asked(const Bytes& payload = {'q'}) const {
    return {.from = client_,
            .to = kVip,
            .payload = payload,
            .ip = {.to = mac(1), .from = host_mac(client_.ip)}};
  }
  Udp answered(const Bytes& payload = {'a'}) const {
    return {.from = backend_,
            .to = local_,
            .payload = payload,
            .ip = {.to = mac(2), .from = host_mac(backend_.ip)}};
  }
  void from_client(const Udp& datagram) { burst(kClientLink, {udp_frame(datagram)}); }
  void from_backend(const Udp& datagram) { burst(kBackendLink, {udp_frame(datagram)}); }

  /// Takes the only frame out of `sent`: a datagram on the right link.
  Sent only_datagram(uint16_t port) {
    EXPECT_EQ(sent.size(), 1u);
    if (sent.empty()) return {port, udp_frame({})};
    const Sent frame = sent.front();
    sent.clear();
    EXPECT_EQ(frame.port, port);
    EXPECT_EQ(frame.frame[kIpAt + 9], net::kProtocolUdp);
    return frame;
  }
  /// The client asks; its datagram is on its way to `backend_` from `local_` then.
  void ask(const Bytes& payload = {'q'}) {
    from_client(asked(payload));
    const Sent out = only_datagram(kBackendLink);
    local_ = out.from();
    backend_ = out.to();
  }
  void answer(const Bytes& payload = {'a'}) {
    from_backend(answered(payload));
    EXPECT_EQ(only_datagram(kClientLink).to(), client_);
  }
  /// Two exchanges.
  void establish_udp() {
    ask(), answer(), ask(), answer();
    EXPECT_EQ(name_of(udp_state()), "udp_established");
  }
  uint32_t udp_flow() const { return core->flow_of_client(net::Protocol::kUdp, client_, kVip); }
  bool has_flow() const { return udp_flow() != FlowTable::kNone; }
  FlowState udp_state() const { return core->flows[udp_flow()].state(); }
};

}  // namespace sluice::test
