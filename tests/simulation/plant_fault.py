#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copies a source file with one fault planted in it; fails unless the place is found exactly once.
import sys

source, target, right, wrong = sys.argv[1:]
text = open(source).read()
if text.count(right) != 1:
    sys.exit(f"plant_fault: {source} has {text.count(right)} places like: {right}")
with open(target, "w") as out:
    out.write(text.replace(right, wrong))
