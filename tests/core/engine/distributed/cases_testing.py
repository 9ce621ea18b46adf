"""Tests of models, figures and stops, whose outcome must not depend on the number of processes."""

from __future__ import annotations

import io
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, DistributedSampler

from reidcore import hookimpl
from reidcore.cli import main
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine import Engine, Interrupted, barrier, gather_objects, shared_ranking
from reidcore.engine import agreement as agreeing
from reidcore.engine.agreement import Ballot, ending_together, gather_to_main, on_main_process
from reidcore.engine.shared_ranking import GalleryShare, shared
from reidcore.errors import DataError
from reidcore.evaluation import FeatureDistances, Labels, evaluate
from reidcore.testing import fake_dataset, tiny_run

TEST = ("test.evaluate=true", "test.visrank=false", "data.on_bad_image=skip")
TESTS = {
    "uneven": (*TEST, "test.batch_size=5"),
    "fewer_batches_than_processes": (*TEST, "test.batch_size=1000"),
    "reranked": (*TEST, "test.batch_size=3", "test.rerank=true"),
}


class Calls:
    """A plugin that notes which hooks of a test are called in this process."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.batches: list[int] = []

    @hookimpl(wrapper=True)
    def reid_evaluate(self) -> Iterator[Any]:
        self.names.append("evaluate")
        return (yield)

    @hookimpl(wrapper=True)
    def reid_extract_features(self, images: torch.Tensor) -> Iterator[Any]:
        self.batches.append(len(images))
        return (yield)

    @hookimpl
    def reid_target_tested(self, tested: Any) -> None:
        self.names.append("target_tested")
        tested.result.files["drawn"] = Path("somewhere")

    @hookimpl
    def reid_report(self) -> None:
        self.names.append("report")


def data_in(folder: Path) -> Path:
    """Return the root of a tiny dataset, whose second gallery image is damaged."""
    root = folder / "data"
    if rank_and_world()[0] == 0:
        fake_dataset(root / "tiny")
        images = sorted((root / "tiny" / "gallery").rglob("*.*"))
        images[1].write_bytes(b"no image")
    barrier()
    return root


def own_folder(folder: Path) -> Path:
    """Return a folder for this process alone, which tells what it writes."""
    return folder / f"rank{rank_and_world()[0]}"


def facts_of(engine: Engine, calls: Calls) -> dict[str, Any]:
    """Return what a process knows of a test that is done."""
    (result,) = engine.record.targets.values()
    return {
        "summary": result.ranking.summary([1, 5]),
        "ap": result.ranking.ap,
        "query": [Path(path).name for path in result.query.paths],
        "gallery": [Path(path).name for path in result.gallery.paths],
        "labels": [result.gallery.pids, result.gallery.camids],
        "num_skipped": result.num_skipped,
        "files": result.files,
        "skipped": [Path(path).name for path in engine.data_facts.skipped],
        "calls": calls.names,
        "batches": calls.batches,
    }


def test_model(name: str, folder: Path) -> dict[str, Any]:
    """Test an untrained network in one of several ways."""
    root, calls = data_in(folder), Calls()
    done = tiny_run(calls, save_dir=own_folder(folder), root=root, overrides=TESTS[name])
    return facts_of(done.engine, calls)


def case_tested(folder: Path) -> dict[str, Any]:
    return {name: test_model(name, folder / name) for name in TESTS}


class Foreign:
    """A loader that knows nothing of processes."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        yield from self.loader


def test_by_hand(folder: Path, wraps: Callable[[Any], Any]) -> dict[str, Any]:
    """Call ``engine.test`` outside of a run, with loaders that ``wraps`` gives."""
    root, calls = data_in(folder), Calls()
    overrides = [*TESTS["uneven"], "train.max_epoch=0"]
    engine = tiny_run(calls, save_dir=own_folder(folder), root=root, overrides=overrides).engine
    calls.names.clear()
    calls.batches.clear()
    for pair in engine.test_loader.values():
        for split, loader in pair.items():
            pair[split] = wraps(loader)  # type: ignore[index]
    engine.test()
    return facts_of(engine, calls)


def case_tested_by_hand(folder: Path) -> dict[str, Any]:
    return {
        "own": test_by_hand(folder / "own", lambda loader: loader),
        "foreign": test_by_hand(folder / "foreign", Foreign),
        "sampled": error_of(lambda: test_by_hand(folder / "sampled", sampled)),
    }


def sampled(loader: Any) -> DataLoader[Any]:
    return DataLoader(loader.dataset, sampler=DistributedSampler(loader.dataset))


def error_of(function: Callable[[], object]) -> tuple[str, str]:
    try:
        function()
    except BaseException as error:
        return type(error).__name__, str(error)
    return "", ""


class FailInTest:
    """A plugin that fails in one of the hooks that rank 0 alone is asked for."""

    def __init__(self, hook: str) -> None:
        self.hook = hook

    @hookimpl
    def reid_target_tested(self) -> None:
        if self.hook == "target_tested":
            raise DataError("no place for pictures")

    @hookimpl
    def reid_report(self) -> None:
        if self.hook == "report":
            raise DataError("no place for a report")


def case_test_fails_on_main(folder: Path) -> dict[str, tuple[str, str]]:
    def run(hook: str) -> object:
        place = own_folder(folder / hook)
        return tiny_run(FailInTest(hook), save_dir=place, root=root, overrides=TEST)

    root = data_in(folder)
    return {hook: error_of(lambda h=hook: run(h)) for hook in ("target_tested", "report")}


class Numbers:
    """A plugin whose steps and figures are other numbers in each process."""

    @hookimpl
    def reid_forward_backward(self, engine: Engine, batch: Mapping[str, Any]) -> dict[str, float]:
        assert engine.active_run is not None
        return {"loss": rank_and_world()[0] + engine.active_run.position.batch}

    @hookimpl
    def reid_figures(self, engine: Engine) -> dict[str, float]:
        rank, _ = rank_and_world()
        return {"rank": float(rank)} | ({} if rank else {"of_main": 7.0})

    @hookimpl
    def reid_stop_training(self, engine: Engine) -> str | None:
        is_enough = len(engine.record.history) == 2 and rank_and_world()[0] == 0
        return "two are enough" if is_enough else None


def case_figures(folder: Path) -> dict[str, Any]:
    """Train with a damaged image, which one process meets, and note what each writes and tells."""
    root, place = data_in(folder), own_folder(folder)
    images = sorted((root / "tiny" / "train").rglob("*.*"))
    if rank_and_world()[0] == 0:
        images[0].write_bytes(b"no image")
    barrier()
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("reidcore").addHandler(handler)
    logging.getLogger("reidcore").setLevel(logging.INFO)
    overrides = ["data.on_bad_image=skip", "train.print_freq=1", "train.max_epoch=3"]
    overrides += ["test.visrank=false", "data.transforms=[]", "train.optim=sgd"]
    try:
        done = tiny_run(Numbers(), save_dir=place, root=root, overrides=overrides)
    finally:
        logging.getLogger("reidcore").removeHandler(handler)
    kept = ("loss", "rank", "of_main", "skipped_images")
    return {
        "history": [{name: entry[name] for name in kept} for entry in done.result["training"]],
        "steps": [line for line in lines if line.startswith("epoch: [1/3]")],
        "stopped": done.result["stopped"],
        "written": sorted(path.name for path in place.glob("*")),
        "skipped": [Path(path).name for path in done.engine.data_facts.skipped],
    }


class Ask:
    """A plugin that asks the second process to stop, in a step or in a test.

    Args:
        where: ``step`` or ``test``.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.batches = 0
        self.is_asked = False

    def _maybe_ask(self, engine: Engine) -> None:
        if rank_and_world() == (1, 2) and not self.is_asked:
            self.is_asked = True
            engine.interruption.ask()

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        self.batches += 1
        if self.where == "step":
            self._maybe_ask(engine)

    @hookimpl(tryfirst=True)
    def reid_evaluate(self, engine: Engine) -> None:
        if self.where == "test":
            self._maybe_ask(engine)


def case_stopped(folder: Path) -> dict[str, Any]:
    """Stop where one process was asked to, and go on from what was left."""
    root, found = data_in(folder), {}
    for where in ("step", "test"):
        asked, place = Ask(where), folder / where
        overrides = ["train.max_epoch=1", "test.visrank=false", "train.batch_size=4"]
        overrides.append("data.on_bad_image=skip")
        kind, _ = error_of(
            lambda a=asked, p=place, o=overrides: tiny_run(a, save_dir=p, root=root, overrides=o)
        )
        barrier()  # the other process may still write
        left = sorted(path.name for path in place.glob("model*.tar-*"))
        goes_on = [*overrides, f"model.resume={place / left[0]}"]
        done = tiny_run(save_dir=place, root=root, overrides=goes_on)
        weights = [each.detach().clone() for each in done.engine.model.parameters()]
        found[where] = {
            "kind": kind == Interrupted.__name__,
            "batches": asked.batches,
            "left": left,
            "mAP": done.result["targets"]["tiny"]["mAP"],
            "weights": weights,
        }
    return found


def case_agreement(folder: Path) -> dict[str, Any]:
    rank, _ = rank_and_world()
    ballot, late = Ballot(), Ballot()
    found = {
        "main": on_main_process(lambda: f"of {rank}"),
        "gathered": gather_to_main(np.full(3 - rank, rank)),
        "failed": error_of(lambda: on_main_process(lambda: 1 / 0)),
        "now": [ballot.largest(number, waits=True) for number in (0, rank, 5 - rank)],
        # One call late, and the call that learns of it waits for the votes that were cast with it.
        "late": [late.largest(number) for number in (0, rank, 0, 0)],
    }
    barrier()
    return found


def broken() -> None:
    raise RuntimeError("[gloo/transport/tcp/pair.cc] Connection closed by peer [127.0.0.1]:1")


def terminated() -> None:
    """Get torchrun's SIGTERM while a lost connection ends the run."""
    try:
        broken()
    finally:
        signal.raise_signal(signal.SIGTERM)


def case_endings(folder: Path) -> dict[str, Any]:
    """End as processes do whose partner fails, is killed, or makes the same mistake."""

    def ended(name: str, *failures: Callable[[], object]) -> tuple[str, str]:
        agreeing._ENDED = f"ended/{name}"  # once for each group otherwise
        barrier()

        def end() -> None:
            with ending_together():
                failures[rank]()

        # The second process notices what the first one does only afterwards.
        handler = signal.getsignal(signal.SIGTERM)
        found = error_of(end)
        signal.signal(signal.SIGTERM, handler)  # which who ends has no more need of
        gather_objects(None)
        return found

    def mistake() -> None:
        raise DataError("a damaged image")

    rank, _ = rank_and_world()
    agreeing._ROLL_CALL_S = 0.5
    return {
        "one_fails": ended("one", lambda: (_posted("one", 1), broken()), mistake),
        "both_fail": ended("both", mistake, mistake),
        "one_is_killed": ended("killed", broken, lambda: None),
        "terminated": ended("terminated", terminated, lambda: None),
        "none": ended("none", lambda: None, lambda: None),
    }


def case_refused(folder: Path) -> tuple[int, str]:
    """Give the command line a folder that holds another run; return its exit code and words."""
    agreeing._ENDED = "ended/refused"
    (folder / "model.pth.tar-1").touch()
    barrier()
    told, handler = io.StringIO(), signal.getsignal(signal.SIGTERM)
    try:
        with redirect_stderr(told):
            main(["run", "quickstart", f"data.save_dir={folder}"])
    except SystemExit as ended:
        return int(str(ended.code)), told.getvalue()
    finally:
        signal.signal(signal.SIGTERM, handler)
        barrier()
    return 0, told.getvalue()


def _posted(name: str, rank: int) -> None:
    """Wait until a process has said that it ends, as a connection that it closes shows."""
    store = torch.distributed.distributed_c10d._get_default_store()
    store.wait([f"ended/{name}/{rank}"])


def shared_problem(name: str) -> tuple[Any, Any, Labels]:
    """Return features that are compared in float32 or float64, and their labels."""
    rng = np.random.default_rng(0)
    queries, gallery, ids = (300, 700, 9) if name != "one_item" else (300, 1, 1)
    sides = {
        "normal": [rng.standard_normal((n, 37)).astype(np.float32) for n in (queries, gallery)],
        "ties": [rng.integers(-1, 2, (n, 37)).astype(np.float32) for n in (queries, gallery)],
        "double": [rng.standard_normal((n, 5)) for n in (queries, gallery)],
        "one_item": [rng.standard_normal((n, 40)).astype(np.float32) for n in (queries, gallery)],
    }[name]
    labels = (rng.integers(0, high, n) for high in (ids, 50) for n in (queries, gallery))
    return *sides, Labels(*labels)


def shared_figures() -> dict[str, Any]:
    """Rank features in parts of the gallery, as `evaluate_target` does."""
    found = {}
    for name in ("normal", "ties", "double", "one_item"):
        for metric in ("euclidean", "cosine"):
            query, gallery, labels = shared_problem(name)
            distances = FeatureDistances(query, gallery, metric)
            ranked = on_main_process(
                lambda d=distances, of=labels: evaluate(shared(d), of),
                GalleryShare(torch.device("cpu")),
            )
            found[f"{name} {metric}"] = ranked.ap, ranked.cmc
    return found


def case_shared(folder: Path) -> dict[str, Any]:
    counted: list[int] = []
    own = shared_ranking._Count.of
    try:
        shared_ranking._Count.of = lambda *a: counted.append(1) or own(*a)  # type: ignore[method-assign]
        return {"figures": shared_figures(), "calls": len(counted), "failed": shared_failures()}
    finally:
        shared_ranking._Count.of = own  # type: ignore[method-assign]


def shared_failures() -> dict[str, Any]:
    def fails() -> None:
        shared(FeatureDistances(np.ones((3, 2)), np.ones((4, 2))))
        raise DataError("after the features were shared")

    def fails_in_its_part() -> None:
        query, gallery, labels = shared_problem("normal")
        distances = shared(FeatureDistances(query, gallery))
        shared_ranking._Count.of = lambda *_: 1 / 0  # type: ignore[method-assign, assignment]
        evaluate(distances, labels)

    def error_in(compute: Callable[[], object]) -> tuple[str, str]:
        return error_of(lambda: on_main_process(compute, GalleryShare(torch.device("cpu"))))

    return {
        "before": error_in(lambda: 1 / 0),
        "after": error_in(fails),
        "during": error_in(fails_in_its_part),
    }
