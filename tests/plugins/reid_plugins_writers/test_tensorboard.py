"""Figures in TensorBoard's files."""

from __future__ import annotations

from pathlib import Path

from reidcore.testing import tiny_run


def test_a_resumed_run_hides_figures_that_it_writes_again(tmp_path: Path) -> None:
    """As of a run that was killed in its second epoch."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings = ["train.max_epoch=2", "test.eval_freq=1", "train.print_freq=1"]
    tiny_run(save_dir=tmp_path, overrides=settings)
    resume = f"model.resume={tmp_path / 'model.pth.tar-1'}"
    tiny_run(save_dir=tmp_path, overrides=[*settings, resume])
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    steps = [event.step for event in events.Scalars("Train/acc")]
    assert steps == list(range(1, len(steps) + 1))
    assert {event.step for event in events.Scalars("Test/tiny/mAP")} == {1, 2}
