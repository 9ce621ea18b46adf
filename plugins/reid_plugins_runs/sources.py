"""The trained models of a matrix: where their figures are, and which checkpoint has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reid_plugins_runs.folders import (
    RESULTS,
    TEST_RESULTS,
    Results,
    RunFolder,
    folders_below,
    is_run,
    read_results,
    read_run,
)
from reidcore.errors import DataError, UserError
from reidcore.utils import checkpoints_in

_UNSAFE = re.compile(r"[^A-Za-z0-9._=,+-]+")


@dataclass(frozen=True)
class Source:
    """A trained model.

    Attributes:
        run: its run, with the figures that are known of it; None if it has no record.
        checkpoint: the file that is tested; None of a run that is tabulated alone.
    """

    run: RunFolder | None
    checkpoint: Path | None = None

    @property
    def name(self) -> str:
        """What it is called: its checkpoint or its folder."""
        return str(self.checkpoint or (self.run.path if self.run else ""))

    def folder(self, top: Path) -> Path:
        """Return a folder of its own below another one, for its tests."""
        return top / _UNSAFE.sub("_", self.name.replace("/", ",")).strip("_,")

    def with_test(self, folder: Path) -> Source:
        """Return it with the figures of a test that wrote into a folder.

        Raises:
            DataError: if there are none, or they are damaged.
        """
        tested = read_results(folder / TEST_RESULTS)
        if tested is None:
            raise DataError(f"the test of {self.name!r} left no {TEST_RESULTS} in {str(folder)!r}")
        run = self.run or RunFolder(Path(self.name), tested)
        return replace(self, run=_with_targets(run, tested))


def read_sources(paths: Sequence[str]) -> list[Source]:
    """Return the models of folders and checkpoints.

    Args:
        paths: checkpoints, and folders of runs or above them.

    Raises:
        UserError: if one is missing, or no run or test is in a folder.
    """
    found: list[Source] = []
    for path in map(Path, paths):
        if path.is_dir():
            below = list(_runs_below(path))
            if not below:
                hint = f"The folder of a run holds {RESULTS}, that of a test {TEST_RESULTS}."
                raise UserError(f"no run and no test in {str(path)!r}", hint)
            found += map(Source, _with_their_tests(below))
        elif path.is_file():
            found.append(_of_checkpoint(path))
        else:
            raise UserError(f"{str(path)!r} is not there", "Give checkpoints or folders of runs.")
    return found


def with_checkpoints(sources: Sequence[Source]) -> list[Source]:
    """Return the models with the checkpoints that their figures are of, each once.

    Raises:
        UserError: if one has none any more.
    """
    found: dict[Path, Source] = {}
    for source in sources:
        if (file := source.checkpoint) is None and source.run is not None:
            file = _checkpoint(source.run)
            if file is None:
                what = f"{source.name!r} has no checkpoint any more that its figures are of"
                raise UserError(what, "Give the checkpoint itself.")
        if file is not None:
            found.setdefault(file.resolve(), replace(source, checkpoint=file))
    return [*found.values()]


def _of_checkpoint(path: Path) -> Source:
    """Return the model of a file: its training tells what it is, not what its figures are."""
    if not (path.parent / RESULTS).is_file():
        return Source(None, path)
    run = read_run(path.parent)
    if run.results is None:
        return Source(None, path)
    # Two checkpoints of one training are two models.
    config = {**run.config, "checkpoint": path.name}
    results = run.results.model_copy(update={"targets": {}, "config": config, "finished": True})
    return Source(replace(run, path=path, results=results), path)


def _runs_below(top: Path) -> Iterator[RunFolder]:
    """Yield the runs and the tests in a folder and below it; a test is known by its file."""
    for folder in folders_below(top):
        if is_run(folder):
            yield read_run(folder)
        if (tested := read_results(folder / TEST_RESULTS)) is not None:
            yield RunFolder(folder / TEST_RESULTS, tested)


def _with_targets(run: RunFolder, tested: Results) -> RunFolder:
    """Return a run with the figures of a test too, which stand before its own."""
    if run.results is None or run.results is tested:
        return replace(run, results=tested)
    targets = {**run.results.targets, **tested.targets}
    return replace(run, results=run.results.model_copy(update={"targets": targets}))


def _with_their_tests(runs: Sequence[RunFolder]) -> list[RunFolder]:
    """Return runs with what tests of their checkpoints found on further targets.

    Tests of other checkpoints stand alone.
    """
    trained = {
        file.resolve(): run
        for run in runs
        if not _is_test(run) and (file := _checkpoint(run)) is not None
    }
    found = {run.path: run for run in runs}
    for test in filter(_is_test, runs):
        file = _checkpoint(test)
        run = trained.get(file.resolve()) if file else None
        if run is None or test.results is None:
            continue
        del found[test.path]
        now = found[run.path]
        further = {name: row for name, row in test.targets.items() if name not in now.targets}
        found[run.path] = _with_targets(now, test.results.model_copy(update={"targets": further}))
    return [*found.values()]


def _is_test(run: RunFolder) -> bool:
    return bool(run.config.get("test", {}).get("evaluate"))


def _checkpoint(run: RunFolder) -> Path | None:
    """Return the checkpoint that the figures of a run are of; None if it is not there any more."""
    if _is_test(run):
        file = Path(run.config.get("model", {}).get("load_weights") or "").expanduser()
        return file if file.is_file() else None
    held = checkpoints_in(run.path)
    epoch = run.selection.get("tested_epoch") or run.epochs
    named = [path for path in held if path.name.endswith(f".pth.tar-{epoch}")]
    if not named and run.selection.get("epoch") == epoch:
        named = [path for path in held if path.name.endswith("-best.pth.tar")]
    return next(iter(named), None)
