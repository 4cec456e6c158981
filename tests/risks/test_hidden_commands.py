"""Where commands hide in a RUN."""

from __future__ import annotations

import pytest

from tests.risks.dockerfiles import Case, fits

CASES = {
    "sh -c": Case("RUN bash -exc 'pip install flask'", fires=("unpinned-pip",)),
    "exec form": Case('RUN ["/bin/sh", "-c", "pip install flask"]', fires=("unpinned-pip",)),
    "here-document": Case("RUN <<EOF\npip install flask\nEOF", fires=("unpinned-pip",)),
    "a script of another language": Case("RUN <<EOF python3\npip install flask\nEOF"),
    "a here-document with an interpreter": Case("RUN <<EOF\n#!/usr/bin/env python3\npip install flask\nEOF"),
    "prefixes": Case("RUN sudo -E env A=b timeout 10 nice -n 5 pip install flask", fires=("unpinned-pip",)),
    "another shell": Case('SHELL ["powershell", "-Command"]\nRUN pip install flask'),
    "a function": Case('RUN f() { pip install "$1"; }; f flask', fires=("unpinned-pip",)),
    "two here-documents in front of their commands": Case(
        "RUN <<A cat > /x && <<B cat > /y\npip install flask\nA\npip install flask\nB"
    ),
    "a here-document in front of its shell": Case(
        "RUN <<A sh -ex 2>&1 | tee l\npip install flask\nA", fires=("unpinned-pip",)
    ),
    "a name in quotes": Case("RUN echo 'pip install flask; date > /d' && grep 'npm install' /x"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_rule_fires_stays_silent_and_is_mended(case: Case) -> None:
    fits(case)
