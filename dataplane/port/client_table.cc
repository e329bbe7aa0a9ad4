// SPDX-License-Identifier: BSD-3-Clause
// Entries, and who makes way.
#include "dataplane/port/client_table.h"

namespace sluice {

ClientTable::ClientTable(const Setup& setup)
    : clients_(setup.client_count_max, setup.memory),
      flows_(setup.client_count_max == 0 ? 0 : setup.flow_count_max, setup.memory) {
  for (uint64_t& word : secret_) word = setup.random.next() | 1;
  if (setup.client_count_max == 0) return;
  table_ = std::make_unique<RteHashTable<ClientKey>>(setup.client_count_max, setup.numa_socket,
                                                     setup.is_shared);
}

size_t ClientTable::bytes(uint32_t client_count_max, uint32_t flow_count_max) {
  if (client_count_max == 0) return 0;
  return size_t{client_count_max} * sizeof(Client) + size_t{flow_count_max} * sizeof(FlowRef) +
         RteHashTable<ClientKey>::bytes(client_count_max);
}

const ClientTable::Client* ClientTable::find(const ClientKey& key) const {
  if (table_ == nullptr) return nullptr;
  const uint32_t index = table_->find(key, hash(key));
  return index == RteHashTable<ClientKey>::kNone ? nullptr : &clients_[index];
}

bool ClientTable::flow_opened(uint32_t flow, const ClientKey& key, uint64_t now_ms) {
  const uint32_t index = find_or_make(key);
  if (index == kNone) return false;
  Client& client = clients_[index];
  client.active.add();
  client.opened.add(now_ms);
  flows_[flow] = {index, client.generation & INT32_MAX, 0};
  return true;
}

void ClientTable::flow_established(uint32_t flow, const ClientKey& key) {
  if (table_ == nullptr) return;
  FlowRef& ref = flows_[flow];
  if (!is_current(ref)) {
    const uint32_t index = find_or_make(key);
    if (index == kNone) return;
    clients_[index].active.add();
    ref = {index, clients_[index].generation & INT32_MAX, 0};
  }
  if (ref.established != 0) return;
  ref.established = 1;
  if (clients_[ref.client].established++ == 0) unlink(ref.client);
}

void ClientTable::flow_over(uint32_t flow) {
  if (table_ == nullptr) return;
  FlowRef& ref = flows_[flow];
  if (is_current(ref)) {
    Client& client = clients_[ref.client];
    client.active.subtract();
    if (ref.established != 0 && --client.established == 0) push_newest(ref.client);
  }
  ref = {};
}

bool ClientTable::is_current(const FlowRef& ref) const {
  return ref.client != kNone && ref.generation == (clients_[ref.client].generation & INT32_MAX);
}

uint32_t ClientTable::find_or_make(const ClientKey& key) {
  if (table_ == nullptr) return kNone;
  const uint32_t its_hash = hash(key);
  const uint32_t found = table_->find(key, its_hash);
  if (found != RteHashTable<ClientKey>::kNone) {
    if (clients_[found].established == 0) {
      unlink(found);
      push_newest(found);
    }
    return found;
  }
  const uint32_t index = free_entry();
  if (index == kNone || !table_->insert(key, its_hash, index)) return kNone;
  clients_[index].key = key;
  clients_[index].active.set(0);
  clients_[index].opened.clear();
  push_newest(index);
  return index;
}

/// One that nobody has had, or the oldest stranger's.
uint32_t ClientTable::free_entry() {
  const uint64_t count = client_count_.value();
  if (count < clients_.size()) {
    client_count_.add();
    return static_cast<uint32_t>(count);
  }
  const uint32_t oldest = oldest_;
  if (oldest == kNone) return kNone;
  unlink(oldest);
  Client& client = clients_[oldest];
  table_->erase(client.key, hash(client.key));
  ++client.generation;
  evicted_count_.add();
  return oldest;
}

void ClientTable::push_newest(uint32_t index) {
  clients_[index].older = newest_;
  clients_[index].newer = kNone;
  (newest_ == kNone ? oldest_ : clients_[newest_].newer) = index;
  newest_ = index;
}

void ClientTable::unlink(uint32_t index) {
  const Client& client = clients_[index];
  (client.older == kNone ? oldest_ : clients_[client.older].newer) = client.newer;
  (client.newer == kNone ? newest_ : clients_[client.newer].older) = client.older;
}

}  // namespace sluice
