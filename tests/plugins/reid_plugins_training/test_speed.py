"""What ``train.speed=fast`` chooses, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_training import speed
from reid_plugins_training.speed import with_speed

from reidcore.config import Config, load_config
from reidcore.plugins import make_plugins
from reidcore.testing import tiny_run

CPU, CUDA, MPS = map(torch.device, ("cpu", "cuda", "mps"))
Read = Callable[..., Config]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read a configuration on a machine whose devices compute bf16."""
    monkeypatch.setattr(speed, "computes_bf16", lambda device: True)

    def read(*overrides: str, **values: Any) -> Config:
        return load_config(values, list(overrides))

    return read


def chosen(config: Config, device: torch.device) -> dict[str, Any]:
    return with_speed(config, device, make_plugins())[1]


def test_exact_chooses_nothing(read: Read) -> None:
    config = read()
    assert with_speed(config, CPU, make_plugins()) == (config, {})


def test_fast_chooses_by_the_device(read: Read) -> None:
    config = read("train.speed=fast")
    assert chosen(config, CPU) == {
        "train.amp": "bf16",
        "train.channels_last": True,
        "adam.fused": True,
    }
    assert chosen(config, CUDA) == {**chosen(config, CPU), "data.augment": "batch"}
    assert chosen(config, MPS) == {"data.augment": "batch", "adam.fused": True}


def test_without_instructions_for_bf16(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "computes_bf16", lambda device: False)
    config = read("train.speed=fast")
    assert "train.amp" not in chosen(config, CPU)
    assert chosen(config, CUDA)["train.amp"] == "fp16"


@pytest.mark.parametrize(
    "written",
    ["train.amp=off", "train.channels_last=false", "adam.fused=false"],
)
def test_what_the_user_wrote_wins(read: Read, written: str) -> None:
    left = written.partition("=")[0]
    config = read("train.speed=fast", written)
    made, values = with_speed(config, CPU, make_plugins())
    assert left not in values
    assert len(values) == 2
    assert made.train.amp == ("off" if left == "train.amp" else "bf16")


def test_a_value_of_a_recipe_or_a_checkpoint_wins_unless_it_is_the_default(read: Read) -> None:
    config = read(train={"speed": "fast"})
    config.train.amp = "fp16"  # as a hook sets it
    assert "train.amp" not in chosen(config, CPU)


def test_an_optimizer_without_a_fused_kernel_stays(read: Read) -> None:
    assert "radam.fused" not in chosen(read("train.speed=fast", "train.optim=radam"), CPU)


def test_the_configuration_that_was_given_stays_as_it_is(read: Read) -> None:
    config = read("train.speed=fast", "adam.beta1=0.8")
    made, _ = with_speed(config, CPU, make_plugins())
    assert made.sections["adam"] == {"beta1": 0.8, "fused": True}
    assert config.sections["adam"] == {"beta1": 0.8}
    assert (config.train.amp, made.train.amp) == ("off", "bf16")


def test_a_run_tells_and_records_what_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(speed, "computes_bf16", lambda device: True)
    caplog.set_level("INFO")
    run = tiny_run(save_dir=tmp_path, overrides=["train.speed=fast"])
    assert (
        "speed: fast chose train.amp=bf16, train.channels_last=true, adam.fused=true"
        in caplog.messages
    )
    record = json.loads((tmp_path / "results.json").read_text())
    assert record["speed"] == {
        "train.amp": "bf16",
        "train.channels_last": True,
        "adam.fused": True,
    }
    assert record["config"]["train"]["speed"] == "fast"
    assert record["config"]["train"]["amp"] == "off"  # so that another device chooses for itself
    assert run.engine.accelerator.dtype is torch.bfloat16
    assert run.engine.optimizer is not None
    assert run.engine.optimizer.param_groups[0]["fused"]


def test_exact_is_what_a_run_without_the_key_computes(tmp_path: Path) -> None:
    plain = tiny_run(save_dir=tmp_path / "plain")
    exact = tiny_run(save_dir=tmp_path / "exact", overrides=["train.speed=exact"])
    for name, value in exact.engine.model.state_dict().items():
        assert torch.equal(value, plain.engine.model.state_dict()[name]), name
    assert plain.result["speed"] == {}
