"""The command line in this process."""

from __future__ import annotations

from functools import partial

import pytest

from tests.program import Program


@pytest.fixture
def migrate(here: Program) -> Program:
    """Run ``reidcore migrate`` in an empty folder."""
    return partial(here, "migrate")
