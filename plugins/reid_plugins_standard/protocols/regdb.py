"""RegDB: people of one camera that sees and one that feels their warmth."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from reid_plugins_standard.protocols.choices import check_choice
from reid_plugins_standard.protocols.over_draws import evaluate_part
from reidcore.errors import DataError, quoted
from reidcore.evaluation import AnyCamera, Distances, Labels, RankingResult

_DIRECTIONS = {
    "visible_to_thermal": ("visible", "thermal"),
    "thermal_to_visible": ("thermal", "visible"),
}


class RegDB(AnyCamera):
    """Images of one modality are searched for among those of the other; nothing is ignored.

    The protocol of RegDB (Nguyen et al., "Person Recognition System Based on a Combination of Body
    Images from Visible Light and Thermal Cameras", Sensors 2017). Papers report both directions,
    each as the mean over ten splits, for each of which a model is trained.

    Args:
        direction: ``"visible_to_thermal"`` or ``"thermal_to_visible"``. Where a side has images of
            both modalities, those of the other one have no part.

    Raises:
        UnknownNameError: if there is no such direction.
    """

    needs: ClassVar[tuple[str, ...]] = ("modality",)

    def __init__(self, direction: str = "visible_to_thermal") -> None:
        self.direction = check_choice("direction", direction, list(_DIRECTIONS))

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        return super().conditions() | {"direction": self.direction}

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate Q queries against G gallery items; arguments and errors as in the base.

        Raises:
            DataError: also if a side has no image of its modality.
        """
        wanted = _DIRECTIONS[self.direction]
        rows = []
        for side, modality, column in zip(
            ("query", "gallery"), wanted, labels.column("modality"), strict=True
        ):
            rows.append(np.flatnonzero(column == modality))
            if not len(rows[-1]):
                found = " and ".join(sorted({quoted(value) for value in column.tolist()}))
                raise DataError(
                    f"searching {self.direction}, no {side} image is {modality}; they are {found}",
                    "Give protocol and dataset the same direction: "
                    "regdb.direction=visible_to_thermal or thermal_to_visible.",
                )
        return evaluate_part(super().evaluate, distances, labels, max_rank, ties, *rows)
