"""Small evaluation problems: few people, few cameras, and distances with many ties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reidcore.evaluation import Labels
from reidcore.evaluation.labels import Columns
from reidcore.evaluation.result import Float64

PROBLEMS = 200


@dataclass(frozen=True)
class Problem:
    """What is evaluated.

    Attributes:
        distances: (Q, G) small whole numbers.
        labels: of the same queries and gallery items.
    """

    distances: Float64
    labels: Labels


def small_problem(
    rng: np.random.Generator,
    queries: int = 6,
    gallery: int = 14,
    people: int = 3,
    cameras: int = 3,
    values: int = 8,
    **columns: int,
) -> Problem:
    """Draw a problem.

    Args:
        rng: where the numbers come from.
        queries: how many there are.
        gallery: how many items there are.
        people: identities are 0..people - 1 on both sides; some may have no match.
        cameras: cameras are 0..cameras - 1.
        values: distances are 0..values - 1, so that many are equal.
        columns: further columns of both sides, name -> number of values.
    """

    def draw(high: int, length: int) -> np.ndarray:
        return rng.integers(0, high, length)

    def side(length: int) -> Columns:
        return {name: draw(high, length) for name, high in columns.items()}

    labels = Labels(
        draw(people, queries),
        draw(people, gallery),
        draw(cameras, queries),
        draw(cameras, gallery),
        side(queries),
        side(gallery),
    )
    return Problem(rng.integers(0, values, (queries, gallery)).astype(np.float64), labels)


def small_problems(count: int = PROBLEMS, seed: int = 0, **sizes: int) -> Iterator[Problem]:
    """Yield problems that are the same at every call; sizes are those of `small_problem`."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield small_problem(rng, **sizes)
