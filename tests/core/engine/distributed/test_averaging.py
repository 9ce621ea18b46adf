"""Processes test one average, and stop together."""

from __future__ import annotations

from typing import Any

import torch


def test_all_test_the_average_of_the_first_with_its_statistics(launched: Any) -> None:
    first, second = launched("averaged")
    own = (first["averages"][0], second["averages"][0])
    assert not torch.equal(*(each["norm.running_mean"] for each in own))
    for key, value in own[0].items():
        assert torch.equal(first["tested"][0][key], value), key
        assert torch.equal(second["tested"][0][key], value), key


def test_all_stop_after_the_same_test(launched: Any) -> None:
    first, second = launched("averaged")
    assert (first["epochs"], second["epochs"]) == (2, 2)
    assert first["stopped"] == second["stopped"]
    assert "1 test in a row had no better rank1 on tiny than" in first["stopped"]
