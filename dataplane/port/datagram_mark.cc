// SPDX-License-Identifier: BSD-3-Clause
// A dynamic flag of mbufs.
#include "dataplane/port/datagram_mark.h"

#include <rte_errno.h>
#include <rte_mbuf_dyn.h>

#include <stdexcept>
#include <string>

namespace sluice {
namespace {

uint64_t datagram_flag = 0;  // written at the start alone

}  // namespace

void register_datagram_mark() {
  if (datagram_flag != 0) return;
  const rte_mbuf_dynflag wanted = {"sluice_reassembled", 0};
  const int bit = rte_mbuf_dynflag_register(&wanted);
  if (bit < 0) throw std::runtime_error(std::string("mbuf flag: ") + rte_strerror(rte_errno));
  datagram_flag = 1ull << bit;
}

void mark_datagram(rte_mbuf* buffer, uint16_t largest) {
  buffer->ol_flags |= datagram_flag;
  buffer->tso_segsz = largest;
}

uint16_t largest_fragment(const rte_mbuf* buffer) {
  return (buffer->ol_flags & datagram_flag) != 0 ? static_cast<uint16_t>(buffer->tso_segsz)
                                                 : uint16_t{0};
}

}  // namespace sluice
