"""How torch's threads wait for one another, for every command, unless the user chose."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SHOW = """
import json, os, sys
from reidcore.cli.app import root
try:
    root.main(["env", "--help"], standalone_mode=False, obj=[])
finally:
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    print(json.dumps({n: os.environ[n] for n in names if n in os.environ}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_WAIT_POLICY": "ACTIVE"}),
        ({"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "7"}),
    ],
)
def test_threads_spin_briefly_unless_the_user_chose(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    unset = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env={**unset, **given}, capture_output=True, text=True
    )
    assert json.loads(done.stderr) == expected
