"""The hooks that this package publishes, for other plugins to implement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from reidcore import hookspec

if TYPE_CHECKING:
    from reid_plugins_inspect.checks import CheckedDataset, Finding, ImageStats


@hookspec
def reid_check_data(
    dataset: CheckedDataset, image_stats: ImageStats, unreadable: Mapping[int, str]
) -> Iterable[Finding] | None:
    """Say what is wrong with a dataset, whose files have all been read.

    When: in ``reidcore data check``, once. Stop rule: none, every plugin is called; one that fails
    is reported among the findings, and the others' findings stay. Stability: provisional.

    Args:
        dataset: the tables ``train``, ``query`` and ``gallery``, and ``files``: M files, each once,
            and where the tables use them.
        image_stats: ``(M,)`` records of the files: ``state``, ``bytes``, ``width``, ``height``,
            ``digest`` and perceptual hashes.
        unreadable: place of a file -> why it cannot be read.

    Returns:
        What was found: a list, or yielded one by one.
    """
