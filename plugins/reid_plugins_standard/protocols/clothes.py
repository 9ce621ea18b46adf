"""People who change their clothes: searched for in any, in other or in the same clothes."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal, get_args

from reid_plugins_standard.protocols.beside import beside, unless_matchless
from reid_plugins_standard.protocols.choices import check_choice
from reidcore.evaluation import (
    Distances,
    EvaluationProtocol,
    Labels,
    RankingResult,
    Related,
    Relations,
    SameIdentity,
)

Mode = Literal["standard", "cc", "sc"]
_JUNK = {
    "standard": "own camera",
    "cc": "own camera and own clothes",
    "sc": "own camera and other clothes",
}


class Clothes(EvaluationProtocol):
    """Matches are the query's identity in other cameras, in the clothes that the mode asks for.

    The rules of LTCC (Qian et al., "Long-Term Cloth-Changing Person Re-identification",
    ACCV 2020), PRCC and CCVID, as Gu et al. evaluate them ("Clothes-Changing Person
    Re-identification with RGB Modality Only", CVPR 2022):

    * ``standard``: any clothes match; the query's identity in its own camera is ignored.
    * ``cc``, clothes-changing: other clothes match; the query's identity in its own camera or in
      the query's clothes is ignored.
    * ``sc``, same clothes: the query's clothes match; the query's identity in its own camera or
      in other clothes is ignored.

    A query without a match is skipped. The two other modes stand beside, as the figures
    ``cc_mAP``, ``cc_rank1`` and so on, since papers report several.

    Args:
        mode: which of them CMC, mAP and mINP are of.

    Raises:
        UnknownNameError: if there is no such mode.
    """

    needs: ClassVar[tuple[str, ...]] = ("clothes",)

    def __init__(self, mode: Mode = "standard") -> None:
        self.mode = check_choice("mode", mode, get_args(Mode))

    def relations(self, labels: Labels) -> Relations:
        """Return the gallery items of each query's identity."""
        if self.mode == "standard":
            return SameIdentity(labels)
        return _InClothes(labels, alike=self.mode == "sc")

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        return super().conditions() | {"mode": self.mode, "junk": _JUNK[self.mode]}

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate under the mode, and under the others beside; arguments as in the base."""

        def under(mode: Mode) -> RankingResult:
            alone = copy.copy(self)
            alone.mode = mode
            return EvaluationProtocol.evaluate(alone, distances, labels, max_rank, ties)

        others = [mode for mode in get_args(Mode) if mode != self.mode]
        found = {mode: unless_matchless(partial(under, mode)) for mode in others}
        return beside(under(self.mode), found)


class _InClothes:
    """Relations of `SameIdentity`, of which only the same or only other clothes match."""

    def __init__(self, labels: Labels, alike: bool) -> None:
        self._same_identity = SameIdentity(labels)
        self._worn, self._seen = labels.column("clothes")
        self._alike = alike

    def rows(self, start: int, stop: int) -> Related:
        """Return the gallery items that share an identity with queries ``start`` to ``stop``."""
        related = self._same_identity.rows(start, stop)
        alike = self._worn[start:stop][related.owner] == self._seen[related.items]  # (N,)
        return replace(related, match=related.match & (alike == self._alike))
