// SPDX-License-Identifier: BSD-3-Clause
// What nearly every file of the stages and workers includes, read once a build: three quarters of
// what such a file takes to compile.
#include "dataplane/stage/core.h"
