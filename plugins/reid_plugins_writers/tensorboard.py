"""TensorBoard scalars, under Torchreid's tags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_plugins_writers.event_files import drop_events
from reid_plugins_writers.resumption import figures_again
from reid_plugins_writers.writer import Writer, group_rates

if TYPE_CHECKING:
    from reidcore.engine import Engine, Run, TargetResult


class TensorBoard(Writer):
    """Writes event files through ``engine.writer``, which other plugins may use as well.

    Args:
        engine: is given a writer of files in the run's folder, unless it has one.
    """

    def __init__(self, engine: Engine) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._is_ours = engine.writer is None
        if engine.writer is None:
            _drop_what_comes_again(engine)
            engine.writer = SummaryWriter(log_dir=str(engine.plan.save_dir))

    def step_done(self, engine: Engine) -> None:
        """Write the training figures, where they are due."""
        run = engine.active_run
        if run is None or not run.shows_figures:
            return
        at = run.position
        step = (at.epoch - 1) * at.num_batches + at.batch
        figures = run.timings() | _loss(run) | run.figures() | group_rates(engine)
        self._write(engine, "Train", figures, step)

    def test_done(self, engine: Engine, results: Mapping[str, TargetResult]) -> None:
        """Write each target's figures and their averages, by the number of epochs done."""
        from reidcore.evaluation import AVERAGE, averages

        if not engine.record.history:
            return
        epoch = engine.record.history[-1]["epoch"]
        rankings = {target: result.ranking for target, result in results.items()}
        for target, found in rankings.items():
            self._write(engine, f"Test/{target}", found.summary(ranks=[1]) | found.further(), epoch)
        self._write(engine, f"Test/{AVERAGE}", averages(rankings, ranks=[1]), epoch)

    def close(self, engine: Engine) -> None:
        """Close the files, unless they are somebody else's."""
        if self._is_ours and engine.writer is not None:
            engine.writer.close()
            engine.writer = None

    def _write(self, engine: Engine, group: str, scalars: Mapping[str, float], step: int) -> None:
        if engine.writer is not None:
            for name, value in scalars.items():
                engine.writer.add_scalar(f"{group}/{name}", value, step)


def add_summary(engine: Engine, summary: Any, step: int | None = None) -> None:
    """Write what ``SummaryWriter`` has no method for, if the run has one.

    Args:
        engine: whose writer it is.
        summary: TensorBoard's ``Summary``.
        step: of the figures that it stands beside.
    """
    files = engine.writer.file_writer if engine.writer is not None else None
    if files is not None:
        files.add_summary(summary, step)


def _drop_what_comes_again(engine: Engine) -> None:
    """Take out of the folder's event files what this run will write itself."""
    from reidcore.evaluation import AVERAGE

    come_again = figures_again(engine)
    if come_again is None:
        return
    batches = len(engine.train_loader)

    def is_unwanted(tag: str, step: int) -> bool:
        group, _, rest = tag.partition("/")
        if group not in ("Train", "Test"):  # another plugin's, whose steps may count anything
            return False
        if group == "Train":
            epoch, batch = divmod(step - 1, batches)
            return come_again({"kind": "step", "epoch": epoch + 1, "batch": batch + 1})
        target = rest.rpartition("/")[0]
        targets = engine.test_loader if target == AVERAGE else [target]
        return any(come_again({"kind": "test", "epoch": step, "target": name}) for name in targets)

    drop_events(Path(engine.plan.save_dir), is_unwanted)


def _loss(run: Run) -> dict[str, float]:
    """Return Torchreid's ``loss`` where a run has one term alone, and shows it by its own name."""
    terms = [name for name in run.meters.figures.meters if name != "acc"]
    return {"loss": run.figures()[terms[0]]} if len(terms) == 1 else {}
