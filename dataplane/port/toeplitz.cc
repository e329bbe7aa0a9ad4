// SPDX-License-Identifier: BSD-3-Clause
// Tables of what each byte contributes: the hash of a tuple in which all others are zero.
#include "dataplane/port/toeplitz.h"

#include <rte_thash.h>

#include <algorithm>

namespace sluice {

template <class Address>
Toeplitz<Address>::Toeplitz(std::span<const uint8_t> key) {
  alignas(uint32_t) std::array<uint8_t, kKeyLengthMin> begin;  // rte_softrss reads words
  std::copy_n(key.begin(), begin.size(), begin.begin());
  for (size_t at = 0; at < sizeof(Tuple); ++at) {
    for (uint32_t value = 0; value < 256; ++value) {
      uint32_t words[sizeof(Tuple) / 4] = {};
      words[at / 4] = value << (24 - 8 * (at % 4));
      table_[at][value] = rte_softrss(words, std::size(words), begin.data());
    }
  }
}

template class Toeplitz<net::Ipv4Address>;
template class Toeplitz<net::Ipv6Address>;

}  // namespace sluice
