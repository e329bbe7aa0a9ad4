// SPDX-License-Identifier: BSD-3-Clause
// What becomes of ports whose devices are reset, go and return; and what interrupts tell.
#include "control/daemon/core/port_keeper.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>

#include "tests/devices/ethdev_model.h"

namespace sluice::control {
namespace {

using test::DeviceModel;
using test::EthdevModel;

class Keeper : public testing::Test {
 protected:
  Keeper() {
    EthdevModel::clear();
    for (const char* name : {"0000:00:05.0", "0000:00:06.0"}) {
      EthdevModel::add(name).dev_flags = RTE_ETH_DEV_INTR_LSC;
      ports.emplace_back(name, std::vector<rte_mempool*>{nullptr});
    }
    keeper = std::make_unique<PortKeeper>(
        ports, std::vector<std::string>{"client", "server"},
        PortKeeper::Hooks{[this](uint32_t now) { set_absent(now); },
                          [](const Port& port) { return EthdevModel::at(port.name()).present; },
                          [this](size_t interface) { back.push_back(interface); }});
  }
  ~Keeper() override { keeper.reset(); }

  void set_absent(uint32_t now) {
    absent = now;
    // A device that is let go or reset must be out of the workers' hands by then.
    closes_then = EthdevModel::at("0000:00:06.0").closes + EthdevModel::at("0000:00:06.0").resets;
  }
  bool readable() const {
    pollfd fd{keeper->fd(), POLLIN, 0};
    return poll(&fd, 1, 0) == 1;
  }

  DeviceModel& server() { return EthdevModel::at("0000:00:06.0"); }

  std::vector<Port> ports = [] {
    std::vector<Port> two;
    two.reserve(2);
    return two;
  }();
  uint32_t absent = 0;
  int closes_then = -1;
  std::vector<size_t> back;
  std::unique_ptr<PortKeeper> keeper;
};

TEST_F(Keeper, AChangeOfLinkIsWorthALook) {
  EXPECT_FALSE(readable());
  EthdevModel::raise(1, RTE_ETH_EVENT_INTR_LSC);
  EXPECT_TRUE(readable());
  EXPECT_FALSE(keeper->look()) << "a link is looked at by others";
  EXPECT_FALSE(readable());
  EXPECT_EQ(absent, 0u);
}

TEST_F(Keeper, AShortLossOfLinkIsCounted) {
  server().link_up = false;
  EthdevModel::raise(1, RTE_ETH_EVENT_INTR_LSC);
  server().link_up = true;
  EthdevModel::raise(1, RTE_ETH_EVENT_INTR_LSC);
  EXPECT_EQ(keeper->link_losses(1), 1u);
  EXPECT_EQ(keeper->link_losses(0), 0u);
}

TEST_F(Keeper, AVfIsResetAfterItsPf) {
  EthdevModel::raise(1, RTE_ETH_EVENT_INTR_RESET);
  EXPECT_TRUE(keeper->look());
  EXPECT_EQ(closes_then, 1) << "last told when it was in use again";
  EXPECT_EQ(server().resets, 1);
  EXPECT_TRUE(server().running);
  EXPECT_EQ(absent, 0u);
  EXPECT_EQ(back, std::vector<size_t>{1});
  EXPECT_EQ(EthdevModel::at("0000:00:05.0").resets, 0);
}

TEST_F(Keeper, AResetThatFailsIsTriedEachSecond) {
  server().reset_result = -EAGAIN;
  EthdevModel::raise(1, RTE_ETH_EVENT_INTR_RESET);
  keeper->look();
  EXPECT_EQ(closes_then, 0) << "out of use before it was touched";
  EXPECT_EQ(absent, 2u);
  EXPECT_EQ(keeper->absence(1).reason, "its device is being reset");
  keeper->tick();
  EXPECT_EQ(server().resets, 2);
  server().reset_result = 0;
  keeper->tick();
  EXPECT_EQ(absent, 0u);
  EXPECT_EQ(keeper->absence(1).reason, "");
  EXPECT_EQ(back, std::vector<size_t>{1});
}

TEST_F(Keeper, ADeviceThatIsUnpluggedIsLetGoAndTakenBack) {
  server().present = false;
  EthdevModel::raise(1, RTE_ETH_EVENT_INTR_RMV);
  EXPECT_TRUE(keeper->look());
  EXPECT_EQ(closes_then, 0) << "out of use before it was closed";
  EXPECT_EQ(server().closes, 1);
  EXPECT_EQ(absent, 2u);
  EXPECT_NE(keeper->absence(1).reason.find("0000:00:06.0 is gone"), std::string::npos);
  keeper->tick();
  EXPECT_TRUE(back.empty());

  server().present = true;
  keeper->tick();
  EXPECT_TRUE(server().running);
  EXPECT_EQ(absent, 0u);
  EXPECT_EQ(back, std::vector<size_t>{1});
  EthdevModel::raise(1, RTE_ETH_EVENT_INTR_RESET);
  EXPECT_TRUE(keeper->look()) << "and it is listened to again";
}

// vfio's: the kernel waits with the removal until the device is let go.
TEST_F(Keeper, ABusThatWantsADeviceBackGetsIt) {
  server().present = false;
  EthdevModel::ask_back("0000:00:06.0");
  EXPECT_TRUE(keeper->look());
  EXPECT_EQ(server().closes, 1);
}

// uio says nothing.
TEST_F(Keeper, ADeviceThatGoesWithoutAWordIsMissed) {
  server().present = false;
  keeper->tick();
  EXPECT_EQ(absent, 2u);
  keeper->tick();
  EXPECT_EQ(server().closes, 1);
}

TEST_F(Keeper, ADeviceThatGoesWhileItIsToBeResetIsGone) {
  server().reset_result = -EAGAIN;
  EthdevModel::raise(1, RTE_ETH_EVENT_INTR_RESET);
  keeper->look();
  server().present = false;
  keeper->tick();
  EXPECT_NE(keeper->absence(1).reason.find("is gone"), std::string::npos);
}

}  // namespace
}  // namespace sluice::control
