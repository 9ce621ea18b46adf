"""What a test-time step may ask about the test that it takes part in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from reidcore.errors import UserError
from reidcore.evaluation import Labels


def _none() -> Tensor:
    raise UserError(
        "a test-time step learns from the features of training images, and there are none",
        "Give them with train=.",
    )


@dataclass(frozen=True)
class Setting:
    """A test, as a step on its features sees it.

    Attributes:
        labels: identities, cameras and further columns of queries and gallery. A step that looks at
            identities would cheat.
        train_features: gives the features (T, D) of the training images, with the steps before this
            one; a UserError where there are none.
    """

    labels: Labels
    train_features: Callable[[], Tensor] = _none
