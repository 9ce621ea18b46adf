"""Several processes go on as if they had never stopped; fewer of them go on too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore.testing import tiny_run
from reidcore.utils import load_checkpoint

Launched = Callable[[str], list[Any]]


def test_processes_that_stop_within_an_epoch_go_on_bit_for_bit(launched: Launched) -> None:
    for result in launched("resume"):
        for key, value in result["whole"].items():
            assert torch.equal(value, result["resumed"][key]), key
        whole, resumed = result["figures"]
        assert whole == resumed


def test_a_checkpoint_holds_the_random_state_of_every_process(launched: Launched) -> None:
    own = load_checkpoint(launched("resume")[0]["stopped"])["reidcore"]
    first, (second,) = own["rng"]["torch"], [each["rng"]["torch"] for each in own["other_ranks"]]
    assert not torch.equal(first, second)


def test_one_process_goes_on_from_the_checkpoint_of_two(
    launched: Launched, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    case = launched("resume")[0]
    settings = ["train.max_epoch=2", "train.accumulate=2", f"model.resume={case['stopped']}"]
    result = tiny_run(save_dir=tmp_path, root=case["root"], overrides=settings).result
    assert [epoch["epoch"] for epoch in result["training"]] == [1, 2]
    assert "was written by 2 processes, and 1 go on" in caplog.text


def test_all_processes_have_the_weights_that_validation_chose(launched: Launched) -> None:
    first, second = launched("resume")
    assert first["selection"] == second["selection"]
    assert first["selection"]["tested_epoch"] == first["selection"]["epoch"]
    for key, value in first["chosen"].items():
        assert torch.equal(value, second["chosen"][key]), key
