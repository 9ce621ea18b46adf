"""Figures in TensorBoard's files."""

from __future__ import annotations

from pathlib import Path

from reid_plugins_writers.event_files import drop_events
from torch.utils.tensorboard import SummaryWriter

from reidcore import hookimpl
from reidcore.engine import Engine
from reidcore.testing import tiny_run


def scalars(folder: Path, tag: str) -> list[int]:
    """Return the steps of a figure, those that TensorBoard hides as well."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), purge_orphaned_data=False)
    events.Reload()
    return [event.step for event in events.Scalars(tag)]


SETTINGS = ["train.max_epoch=2", "test.eval_freq=1", "train.print_freq=1"]


def test_a_resumed_run_has_no_figure_twice(tmp_path: Path) -> None:
    """As of a run that was killed in its second epoch."""
    tiny_run(save_dir=tmp_path, overrides=SETTINGS)
    resume = f"model.resume={tmp_path / 'model.pth.tar-1'}"
    tiny_run(save_dir=tmp_path, overrides=[*SETTINGS, resume])
    steps = scalars(tmp_path, "Train/acc")
    assert steps == list(range(1, len(steps) + 1))
    assert scalars(tmp_path, "Test/tiny/mAP") == [1, 2]


class CountsImages:
    """Writes a figure of its own by the number of images, which is no number of batches."""

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        engine.writer.add_scalar("Own/scale", 1.0, 24 * (engine.epoch + 1))


def test_what_another_plugin_wrote_before_is_not_lost(tmp_path: Path) -> None:
    tiny_run(CountsImages(), save_dir=tmp_path, overrides=SETTINGS)
    resume = f"model.resume={tmp_path / 'model.pth.tar-1'}"
    tiny_run(CountsImages(), save_dir=tmp_path, overrides=[*SETTINGS, resume])
    assert set(scalars(tmp_path, "Own/scale")) == {24, 48}


def test_a_run_that_begins_anew_has_none_of_one_that_left_no_checkpoint(tmp_path: Path) -> None:
    tiny_run(save_dir=tmp_path, overrides=SETTINGS)
    for path in [tmp_path / "results.json", *tmp_path.glob("*.pth.tar*")]:
        path.unlink()
    (events,) = tmp_path.glob("events.*")
    events.write_bytes(events.read_bytes()[:-7])  # killed while it wrote
    tiny_run(save_dir=tmp_path, overrides=SETTINGS)
    steps = scalars(tmp_path, "Train/acc")
    assert steps == list(range(1, len(steps) + 1))
    assert scalars(tmp_path, "Test/tiny/mAP") == [1, 2]


def test_events_that_stay_are_the_same_bytes(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(4):
            writer.add_scalar("a/b", step / 2, step)
            writer.add_scalar("own", step, step)
    (path,) = tmp_path.glob("events.*")
    before = path.read_bytes()
    drop_events(tmp_path, lambda tag, step: False)
    assert path.read_bytes() == before
    drop_events(tmp_path, lambda tag, step: tag == "a/b" and step >= 2)
    assert scalars(tmp_path, "a/b") == [0, 1]
    assert scalars(tmp_path, "own") == [0, 1, 2, 3]
    path.write_bytes(before + before[-20:-1])
    drop_events(tmp_path, lambda tag, step: False)
    assert path.read_bytes() == before
