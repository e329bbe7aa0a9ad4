# SPDX-License-Identifier: BSD-3-Clause
"""What tests and scripts share of the lab: namespaces, what stands in the middle, load, captures.

pytest finds it by `pythonpath` in tests/pytest.ini, scripts by the PYTHONPATH that their shell
wrappers set.
"""
