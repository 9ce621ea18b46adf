"""What a run logs by itself, whatever plugins show."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine, Interrupted, StepOutcome
from reidcore.engine.meters import Position
from reidcore.errors import DataError, UserError
from reidcore.plugins import make_plugins
from reidcore.testing import TinyWorld, tiny_run
from reidcore.utils import save_checkpoint
from tests.stopping import StopAfter

MakeEngine = Callable[..., Engine]


def test_the_rest_of_a_run_is_counted_over_its_epochs() -> None:
    position = Position(epoch=1, max_epoch=2, batch=2, num_batches=5, seconds_per_batch=2.0)
    assert position.batches_left == 8
    assert position.eta == timedelta(seconds=16)


def test_lines_come_every_print_freq_batches_and_at_the_end_of_an_epoch(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    make_engine().run(save_dir=str(tmp_path), max_epoch=2, print_freq=2)
    steps = [text.split("  ")[0] for text in caplog.messages if text.startswith("epoch: [")]
    assert steps == [
        "epoch: [1/2][2/3]",
        "epoch: [1/2][3/3]",
        "epoch: [2/2][2/3]",
        "epoch: [2/2][3/3]",
    ]
    assert "  eta 0:00:0" in caplog.text


def test_figures_are_read_only_when_they_are_due(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Counting:
        """Reading a figure waits for the device."""

        asked = 0

        @hookimpl
        def reid_figures(self) -> dict[str, float]:
            self.asked += 1
            return {}

    counting = Counting()
    make_engine(counting).run(save_dir=str(tmp_path), max_epoch=1, print_freq=10)
    assert counting.asked == 2  # after the last batch, and for the record


def test_a_run_without_writers_is_not_silent(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    engine = make_engine()
    engine.plugins = make_plugins(extra=[TinyWorld()], disabled=["writers"])
    engine.run(save_dir=str(tmp_path), max_epoch=2)
    epochs = [text for text in caplog.messages if text.startswith(("epoch 1/2  ", "epoch 2/2  "))]
    assert len(epochs) == 2
    assert "softmax" in epochs[0]
    table = next(text for text in caplog.messages if "Results (%)" in text)
    assert "tiny" in table
    assert json.loads((tmp_path / "results.json").read_text())["finished"]
    assert engine.writer is None
    assert not list(tmp_path.glob("events.*"))


def test_the_last_to_open_is_the_last_to_close(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Late:
        """Writes a last figure when the run is over."""

        @hookimpl
        def reid_run_end(self, engine: Engine) -> None:
            assert engine.writer is not None
            engine.writer.add_scalar("Train/last", 1.0, 1)

    make_engine(Late()).run(save_dir=str(tmp_path), max_epoch=1)


def test_the_record_and_the_last_line_of_an_epoch_have_the_rate_it_was_trained_at(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    used: list[float] = []

    class Noting:
        @hookimpl
        def reid_epoch_start(self, engine: Engine) -> None:
            used.append(engine.get_current_lr())

    result = make_engine(Noting(), scheduler="single_step").run(
        save_dir=str(tmp_path), max_epoch=3, print_freq=3
    )
    assert used == pytest.approx([0.01, 0.001, 0.0001])
    assert [epoch["lr"] for epoch in result["training"]] == used
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert [line["lr"] for line in told if line["kind"] == "step"] == used
    assert [line["lr"] for line in told if line["kind"] == "epoch"] == used
    shown = [text for text in caplog.messages if text.startswith("epoch ")]
    rates = [re.search("lr [0-9.]+ ", text)[0] for text in shown]  # type: ignore[index]
    assert rates == ["lr 0.01 ", "lr 0.001 ", "lr 0.0001 "]


# -- an epoch without a step -----------------------------------------------------------------------


def unreadable(root: Path, tmp_path: Path, *splits: str) -> Path:
    """Return a copy of the tiny dataset in which the images of some splits are no images."""
    shutil.copytree(root / "tiny", tmp_path / "data" / "tiny")
    for split in splits:
        for image in (tmp_path / "data" / "tiny" / split).iterdir():
            image.write_text("nothing")
    return tmp_path / "data"


def test_a_run_that_can_read_no_training_image_is_an_error(root: Path, tmp_path: Path) -> None:
    broken = unreadable(root, tmp_path, "train")
    with pytest.raises(DataError, match=r"epoch 1 took no .* step: 24 of .* such as .*\(not an im"):
        tiny_run(save_dir=tmp_path / "log", root=broken, overrides=["data.on_bad_image=skip"])
    assert not list((tmp_path / "log").glob("model*"))
    assert not (tmp_path / "log" / "results.json").exists()


def test_so_is_a_test_that_can_read_no_image(root: Path, tmp_path: Path) -> None:
    broken = unreadable(root, tmp_path, "query")
    with pytest.raises(DataError, match=r"the query of tiny is empty: 24 of .* cannot be read"):
        tiny_run(save_dir=tmp_path / "log", root=broken, overrides=["data.on_bad_image=skip"])


def test_a_plugin_that_skips_every_batch_is_named(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Picky:
        @hookimpl(wrapper=True)
        def reid_forward_backward(self) -> Generator[None, Any, StepOutcome]:
            yield
            return StepOutcome.skipped()

    with pytest.raises(UserError, match="epoch 1 took no training step: the step of 'Picky' left"):
        make_engine(Picky()).run(save_dir=str(tmp_path), max_epoch=2)


def test_so_is_an_engine_that_does(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Idle(Engine):
        def forward_backward(self, data: Any) -> StepOutcome:
            return StepOutcome.skipped()

    with pytest.raises(UserError, match="the step of Idle left out all of its 3 batches"):
        make_engine(engine_class=Idle).run(save_dir=str(tmp_path), max_epoch=1)


def test_a_loader_without_a_batch_is_told(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    engine.train_loader = []  # type: ignore[assignment]
    with pytest.raises(DataError, match="the training loader gave no batch"):
        engine.run(save_dir=str(tmp_path), max_epoch=1)


# -- weights that nobody trained -------------------------------------------------------------------


def test_a_test_of_random_weights_says_so(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    tests = tiny_run(save_dir=tmp_path, root=root, overrides=["test.evaluate=true"])
    assert tests.result["weights"] == "random weights"
    assert json.loads((tmp_path / "test_results.json").read_text())["weights"] == "random weights"
    assert any(text.startswith("Results (%) of random weights") for text in caplog.messages)
    assert "These are figures of random weights: give trained ones" in caplog.text


def test_a_test_of_trained_ones_has_nothing_to_say(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    trained = tiny_run(save_dir=tmp_path, root=root)
    weights = f"model.load_weights={tmp_path / 'model.pth.tar-1'}"
    tested = tiny_run(save_dir=tmp_path, root=root, overrides=["test.evaluate=true", weights])
    assert trained.result["weights"] is tested.result["weights"] is None
    assert "untrained" not in caplog.text
    assert "random weights" not in caplog.text


# -- checkpoints -----------------------------------------------------------------------------------


def test_a_checkpoint_is_announced_once(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The last one is written again with the test's rank-1 in it."""
    caplog.set_level("INFO")
    engine = make_engine()
    engine.run(save_dir=str(tmp_path), max_epoch=2, eval_freq=1)
    engine.save_model(2, save_dir=str(tmp_path))
    save_checkpoint({"state_dict": {}, "epoch": 4}, tmp_path)
    told = [text for text in caplog.messages if "Checkpoint saved" in text]
    paths = [tmp_path / f"model.pth.tar-{epoch}" for epoch in (1, 2, 3, 4)]
    assert told == [f"Checkpoint saved to {path}" for path in paths]


def test_so_is_the_one_that_a_stop_leaves(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with pytest.raises(Interrupted):
        make_engine(StopAfter(1)).run(save_dir=str(tmp_path), max_epoch=2)
    assert sum("model-interrupted.pth.tar-0" in text for text in caplog.messages) == 1


class FullDisk:
    """From a moment on nothing can be written to the run's folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
        self.monkeypatch, self.epoch = monkeypatch, epoch

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        def write(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        if engine.epoch + 1 == self.epoch:
            self.monkeypatch.setattr("os.fsync", write)


def test_a_disk_that_gets_full_costs_no_checkpoint_and_the_run_says_how_to_go_on(
    make_engine: MakeEngine,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("INFO")
    whole = make_engine()
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=3)
    folder = tmp_path / "parts"
    with monkeypatch.context() as patched, pytest.raises(UserError) as ended:
        make_engine(FullDisk(patched, epoch=2)).run(save_dir=str(folder), max_epoch=3)
    newest = folder / "model.pth.tar-1"
    assert f"cannot write {str(folder / 'model.pth.tar-2')!r}: No space left" in str(ended.value)
    assert f"model.resume={newest}" in caplog.text
    assert "! Not saved: cannot write" in caplog.text  # the record, which hides nothing
    assert sorted(path.name for path in folder.glob("*tar*")) == [newest.name]
    resumed = make_engine()
    resumed.run(save_dir=str(folder), max_epoch=3, start_epoch=resumed.resume(str(newest)))
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key


def test_a_resumed_run_that_fails_before_its_first_checkpoint_names_the_one_it_began_with(
    make_engine: MakeEngine,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("INFO")
    make_engine().run(save_dir=str(tmp_path), max_epoch=1)
    engine = make_engine(FullDisk(monkeypatch, epoch=2))
    start = engine.resume(str(tmp_path / "model.pth.tar-1"))
    with pytest.raises(UserError, match="No space left"):
        engine.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start)
    assert f"To go on from the last epoch: model.resume={tmp_path}/model.pth.tar-1" in caplog.text


@pytest.mark.parametrize(("batch_size", "drops", "batches"), [(10, True, 2), (10, False, 3)])
def test_the_last_batch_of_an_epoch_is_kept_on_demand(
    tmp_path: Path, batch_size: int, drops: bool, batches: int
) -> None:
    sizes: list[int] = []

    class Sizes:
        @hookimpl(wrapper=True)
        def reid_compute_losses(self, batch: Any) -> Any:
            sizes.append(len(batch["pid"]))
            return (yield)

    keys = [f"train.batch_size={batch_size}", f"train.drop_last={str(drops).lower()}"]
    tiny_run(Sizes(), save_dir=tmp_path, overrides=keys)
    assert sizes == [10, 10, 4][:batches]


def test_a_rest_of_one_image_that_cannot_be_normalised_is_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    keys = ["train.batch_size=23", "train.drop_last=false", "train.max_epoch=2"]
    plain = tiny_run(save_dir=tmp_path / "plain", overrides=keys)
    assert "The last batch" not in caplog.text
    necked = tiny_run(
        save_dir=tmp_path / "neck",
        root=tmp_path / "plain/data",
        overrides=[*keys, "model.head.neck=bnneck"],
    )
    assert caplog.text.count("The last batch of an epoch is one image") == 1
    assert (plain.engine.optimizer, necked.engine.optimizer) != (None, None)
    steps = [
        next(iter(run.engine.optimizer.state.values()))["step"]  # type: ignore[union-attr]
        for run in (plain, necked)
    ]
    assert steps == [4, 2]
