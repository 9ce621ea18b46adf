"""``per_query.npz``: what a run's last test found for each query, by target."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from reid_plugins_runs.npz_damage import DAMAGE
from reidcore.errors import DataError, UserError, did_you_mean, quoted
from reidcore.utils import atomic_write

if TYPE_CHECKING:
    from reidcore.data import SampleTable
    from reidcore.engine import Engine, TargetResult
    from reidcore.evaluation import RankingResult

__all__ = ["PER_QUERY", "TEST_PER_QUERY", "PerQuery", "read_per_query"]

PER_QUERY = "per_query.npz"
"""Beside ``results.json``, whose targets it has."""
TEST_PER_QUERY = "test_per_query.npz"
"""Beside ``test_results.json``, of a test alone."""

_log = logging.getLogger(f"reidcore.{__name__}")

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

# The arrays that every target has, by the kinds of their numbers; all others are contributions.
_KINDS = {"pid": "iu", "camid": "iu", "path": "U", "ap": "f", "inp": "f", "first_rank": "iu"}


@dataclass(frozen=True, eq=False)
class PerQuery:
    """What a test on one target found for each of its Q queries.

    Attributes:
        pids: (Q,) identities.
        camids: (Q,) cameras.
        paths: (Q,) image files; of a tracklet the first frame.
        ap: (Q,) average precision; NaN for a query that was skipped.
        inp: (Q,) inverse negative penalty; NaN for a query that was skipped.
        first_rank: (Q,) rank of the nearest match; 0 for a query that has none.
        contributions: figure -> (Q,) numbers, NaN where the query has no part in it; the mean of
            the others is the figure: ``mAP``, ``mINP``, ``rank1``, ... and those of a protocol's
            own.
    """

    pids: Int64
    camids: Int64
    paths: npt.NDArray[np.str_]
    ap: Float64
    inp: Float64
    first_rank: Int64
    contributions: Mapping[str, Float64]

    @classmethod
    def of(cls, ranking: RankingResult, query: SampleTable, ranks: Sequence[int]) -> PerQuery:
        """Return what an evaluation found for each query.

        Args:
            ranking: the figures.
            query: the queries, in the order of the figures.
            ranks: the ranks of the CMC that are reported.
        """
        files = [path if isinstance(path, str) else path[0] for path in query.paths]
        return cls(
            query.pids,
            query.camids,
            np.array(files, dtype=np.str_),
            ranking.ap,
            ranking.inp,
            ranking.first_rank,
            ranking.contributions(ranks),
        )

    def __len__(self) -> int:
        return len(self.pids)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        own = (self.pids, self.camids, self.paths, self.ap, self.inp, self.first_rank)
        return {**self.contributions, **dict(zip(_KINDS, own, strict=True))}


def keep_per_query(engine: Engine, results: Mapping[str, TargetResult]) -> None:
    """Write what a test found for each query into the folder of the run.

    A file that cannot be written is told of, and costs no run.
    """
    targets = {
        name: PerQuery.of(result.ranking, result.query, engine.plan.ranks)
        for name, result in results.items()
    }
    name = TEST_PER_QUERY if engine.plan.test_only else PER_QUERY
    try:
        write_per_query(Path(engine.plan.save_dir) / name, targets)
    except UserError as error:
        _log.warning("%s is left out, and the run goes on: %s", name, error)


def write_per_query(path: str | os.PathLike[str], targets: Mapping[str, PerQuery]) -> None:
    """Write what tests found for each query, in the place of what was there.

    Args:
        path: the file.
        targets: target name -> its queries.

    Raises:
        UserError: if it cannot be written; an older file stays as it was.
    """
    arrays = {
        f"{target}/{_escaped(name)}": values
        for target, queries in targets.items()
        for name, values in queries._arrays().items()
    }
    with atomic_write(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_per_query(path: str | os.PathLike[str]) -> dict[str, PerQuery]:
    """Read what a run's last test found for each query, by target.

    Raises:
        DataError: if there is no such file, it is damaged, or it is no run's.
    """
    found: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for key, values in _read(Path(path)).items():
        target, slash, name = key.rpartition("/")
        if not slash:
            raise _no_run(path, f"it has an array {quoted(key)} of no target")
        found.setdefault(target, {})[unquote(name)] = values
    return {target: _checked(path, target, arrays) for target, arrays in found.items()}


def _read(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise _no_run(path, "it is a single array")
            return dict(archive.items())
    except FileNotFoundError as error:
        what = f"there is no {str(path)!r}"
        raise DataError(what, "A run writes it with its results: test again.") from error
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    except DAMAGE as error:
        raise _no_run(path, str(error).partition("\n")[0]) from error


def _checked(
    path: str | os.PathLike[str], target: str, arrays: dict[str, npt.NDArray[Any]]
) -> PerQuery:
    """Return one target's arrays, if all are there and as long as one another."""
    for name in _KINDS:
        if name not in arrays:
            near = did_you_mean(name, arrays)
            raise _no_run(path, f"target {target!r} has no array {name!r}", near)
    shape = arrays["pid"].shape
    for name, values in arrays.items():
        if values.dtype.kind not in _KINDS.get(name, "f"):
            raise _no_run(path, f"{name!r} of target {target!r} is {values.dtype}")
        if values.ndim != 1 or values.shape != shape:
            what = f"{name!r} of target {target!r} has the shape {values.shape}, 'pid' {shape}"
            raise _no_run(path, what)
    pids, camids, paths, ap, inp, first_rank = (arrays.pop(name) for name in _KINDS)
    return PerQuery(pids, camids, paths, ap, inp, first_rank, arrays)


def _no_run(path: str | os.PathLike[str], why: str, hint: str = "") -> DataError:
    return DataError(f"{os.fspath(path)!r} is no {PER_QUERY} of a run: {why}", hint)


def _escaped(name: str) -> str:
    """Return a figure's name without slashes, which part it from the target's."""
    return name.replace("%", "%25").replace("/", "%2F")
