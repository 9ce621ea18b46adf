"""Looking at datasets and models: checks, statistics, pictures, cost.

The data checks come through a hook that this package publishes, ``reid_check_data``; its own are
one implementation of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reid_plugins_inspect.checks import Facts, Finding, Subject
    from reidcore.plugins import HookPublisher


@hookimpl
def reid_add_hookspecs(plugins: HookPublisher) -> None:
    """Publish ``reid_check_data``."""
    from reid_plugins_inspect import hookspecs

    plugins.add_hookspecs(hookspecs)


@hookimpl
def reid_check_data(
    subject: Subject, facts: Facts, reasons: Mapping[int, str]
) -> Iterator[Finding]:
    """Check files, duplicates, sizes, identities, cameras and official counts."""
    from reid_plugins_inspect.checks.builtin import find_everything

    return find_everything(subject, facts, reasons)
