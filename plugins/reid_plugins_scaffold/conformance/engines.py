"""What an engine does: it trains, others take part, and a stop changes nothing."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

import torch

from reid_plugins_scaffold.conformance.base import FactoryConformance, require_equal
from reid_plugins_scaffold.conformance.contract import Broken, contract
from reidcore import hookimpl
from reidcore.testing import TinyRun, tiny_run

SETTINGS = ("train.max_epoch=2", "test.eval_freq=1", "test.visrank=false")


class EngineConformance(FactoryConformance):
    """Checks of engines: two epochs of a tiny run, and the second again from a checkpoint."""

    kind = "engines"

    @contract(
        "It trains: its figures are finite in each epoch, and the weights change.",
        "Call backward(losses) and optimizer_step() in forward_backward, and return "
        "outcome(losses).",
    )
    def test_it_trains(self) -> None:
        """Two epochs."""
        run, _ = self._straight()
        for epoch in run.result["training"]:
            odd = [name for name, value in epoch.items() if not math.isfinite(value)]
            if odd:
                raise Broken(f"gave figures that are not finite: {', '.join(odd)}")
        torch.manual_seed(0)
        start = self._saved(1)["conv.weight"]
        if torch.equal(start, self._saved(2)["conv.weight"]):
            raise Broken("left the weights as they were")

    @contract(
        "Plugins take part: the losses pass through the hook reid_compute_losses in each step.",
        "Ask self.losses(batch) for them instead of calling the criteria.",
    )
    def test_plugins_take_part(self) -> None:
        """A wrapper of the losses is called."""
        run, counting = self._straight()
        steps = 2 * len(run.engine.train_loader)
        if counting.calls < steps:
            raise Broken(f"asked for the losses {counting.calls} times in {steps} steps")

    @contract(
        "A run that stops and resumes gives the same weights as one that never stopped.",
        "Draw from torch's generator alone, and keep other state by reid_checkpoint_save.",
    )
    def test_it_resumes(self) -> None:
        """The second epoch again, from the checkpoint of the first."""
        self._straight()
        checkpoint = self.kept_folder() / "model.pth.tar-1"
        self._run(self.folder, f"model.resume={checkpoint}")
        again = _weights(self.folder / "model.pth.tar-2")
        for name, values in self._saved(2).items():
            require_equal(f"weights {name}, with a stop and without,", values, again[name])

    def _straight(self) -> tuple[TinyRun, Counting]:
        def make() -> tuple[TinyRun, Counting]:
            counting = Counting()
            return self._run(self.kept_folder(), plugin=counting), counting

        return self.once("run", make)

    def _run(self, folder: Path, *overrides: str, plugin: Any = None) -> TinyRun:
        options = [f"loss.{self.entry.name}.{key}={value}" for key, value in self.options.items()]
        return tiny_run(
            *self.plugins,
            *([] if plugin is None else [plugin]),
            save_dir=folder,
            overrides=[*SETTINGS, f"loss.name={self.entry.name}", *options, *overrides],
        )

    def _saved(self, epoch: int) -> dict[str, torch.Tensor]:
        return _weights(self.kept_folder() / f"model.pth.tar-{epoch}")


class Counting:
    """A plugin that counts how often the losses are asked for."""

    calls = 0

    @hookimpl(wrapper=True)
    def reid_compute_losses(self) -> Generator[None, Any, Any]:
        """Count."""
        self.calls += 1
        return (yield)


def _weights(path: Path) -> dict[str, torch.Tensor]:
    from reidcore.utils import load_checkpoint

    found: dict[str, torch.Tensor] = load_checkpoint(str(path))["state_dict"]
    return found
