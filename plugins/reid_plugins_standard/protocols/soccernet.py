"""Football players, searched for among those of the same action."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from reid_plugins_standard.protocols.candidates import AmongCandidates, Candidates
from reidcore.evaluation import Labels, equal_pairs


class SoccerNet(AmongCandidates):
    """The ranking of a query among the gallery of its own action, and nothing else.

    The rule of SoccerNet's re-identification challenge (https://github.com/SoccerNet/sn-reid): a
    player's number is of one action alone, so that the images of others are neither matches nor
    mistakes. Nothing is ignored for its camera. The challenge's code fills the CMC with zeros
    beyond the smallest gallery of an action; here a query counts as found from where its own
    gallery ends. Rank 1 and mAP, which the challenge reports, are the same.

    The tables need the column ``action``.
    """

    needs: ClassVar[tuple[str, ...]] = ("action",)

    def candidates(self, labels: Labels) -> Candidates:
        """Return the gallery items of each query's action."""
        asked, known = labels.column("action")
        _, action = np.unique(np.concatenate([asked, known]), return_inverse=True)
        queries, items = equal_pairs(*np.split(action.reshape(-1), [len(asked)]))
        return Candidates(queries, items, labels.q_pids[queries] == labels.g_pids[items])

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        return super().conditions() | {"gallery": "the query's action", "junk": "none"}
