"""The hooks that this package publishes, for other plugins to implement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from reidcore import hookspec

if TYPE_CHECKING:
    from reid_plugins_inspect.checks import Facts, Finding, Subject


@hookspec
def reid_check_data(
    subject: Subject, facts: Facts, reasons: Mapping[int, str]
) -> Iterable[Finding] | None:
    """Say what is wrong with a dataset, whose files have all been read.

    When: in ``reidcore data check``, once. Stop rule: none, every plugin is called; one that fails
    is told among the findings, and the others' findings stay. Stability: provisional.

    Args:
        subject: the tables ``train``, ``query`` and ``gallery``, and ``files``: M files, each once,
            and where the tables use them.
        facts: ``(M,)`` records about the files: ``state``, ``bytes``, ``width``, ``height``,
            ``digest`` and perceptual hashes.
        reasons: place of a file -> why it cannot be read.

    Returns:
        What was found: a list, or yielded one by one.
    """
