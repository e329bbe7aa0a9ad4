# SPDX-License-Identifier: BSD-3-Clause
"""bash completion as a shell does it."""

import pytest

from lab_kit.checkout import ROOT, program
from lab_kit.process import run

SCRIPT = """
source /usr/share/bash-completion/bash_completion
source {root}/conf/completion/sluicectl
PATH={programs}:$PATH
COMP_LINE={line!r} COMP_POINT={length} COMP_TYPE=9 COMP_KEY=9
COMP_WORDS=({words}) COMP_CWORD={last}
_{completed} {completed} 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def offered(*words):
    line = " ".join(words)
    script = SCRIPT.format(root=ROOT, programs=program("sluicectl").parent, line=line,
                           length=len(line), words=" ".join(map(repr, words)),
                           last=len(words) - 1, completed=words[0])
    return run("bash", "-c", script).split()


@pytest.mark.parametrize("words, wanted", [
    (("sluicectl", ""), {"show", "reload", "explain"}),
    (("sluicectl", "sh"), {"show"}),
    (("sluicectl", "show", ""), {"services", "backends", "flows", "pools", "workers", "counters"}),
    (("sluicectl", "--json", "show", "co"), {"counters"}),
    (("sluicectl", "explain", "--lo"), {"--local"}),
    (("sluice", "--c"), {"--check", "--config"}),
])
def test_what_the_shell_offers(words, wanted):
    got = set(offered(*words))
    assert wanted <= got
    assert all(word.startswith(words[-1]) for word in got)
