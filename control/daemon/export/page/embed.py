#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Puts the page's style and script into its HTML, that into a C++ header: embed.py HTML CSS JS."""

import sys
from pathlib import Path

PIECE = 8000  # characters of a string literal; the compiler joins them

html, css, js = (Path(path).read_text() for path in sys.argv[1:4])
page = html.replace("/*page.css*/", css).replace("/*page.js*/", js)
assert css in page and js in page and ')page"' not in page
print("// Made by control/daemon/export/page/embed.py.\n#pragma once\n\n#include <string_view>\n")
print("namespace sluice::control {\ninline constexpr std::string_view kPageHtml =")
for start in range(0, len(page), PIECE):
    print(f'R"page({page[start:start + PIECE]})page"')
print(";\n}  // namespace sluice::control")
