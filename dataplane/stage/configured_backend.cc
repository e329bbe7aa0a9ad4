// SPDX-License-Identifier: BSD-3-Clause
// A flow's backend in the snapshot.
#include "dataplane/stage/configured_backend.h"

#include <algorithm>

namespace sluice {

const BackendView* configured_backend(const Core& core, const Flow& flow) {
  const ServiceView* service = core.snapshot->find_service(flow.key.service);
  if (service == nullptr) return nullptr;
  const BackendId id = core.registry.paths[flow.path].backend->id;
  const auto at = std::ranges::find(service->backends, id, &BackendView::id);
  return at == service->backends.end() ? nullptr : &*at;
}

bool is_retired(const Core& core, const Flow& flow) {
  if (core.snapshot->draining) return false;
  const BackendView* backend = configured_backend(core, flow);
  return backend == nullptr || backend->weight == 0;
}

}  // namespace sluice
