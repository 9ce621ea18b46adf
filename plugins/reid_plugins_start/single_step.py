"""One step of a road alone, as somebody types it who types the others too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reid_plugins_start.journal import DONE, FAILED, LEFT_OUT, Entry, Journal
from reid_plugins_start.run_steps import carry_out
from reid_plugins_start.step import STEPS, Step
from reidcore.cli import echo
from reidcore.errors import UserError


def do_alone(
    steps: Iterable[Step], journal: Journal, name: str, leading: Sequence[str] = ()
) -> None:
    """Do one step, anew; those before it are taken for done where their files are there.

    Args:
        steps: of the road; each is asked for after the one before it.
        journal: what is done so far.
        name: of the step.
        leading: options that stand before each command, such as ``-p FILE``.

    Raises:
        UserError: a step before it is not done, or the step failed.
        KeyboardInterrupt: somebody stopped it.
    """
    before = ""
    for step in steps:
        key = step.key(before)
        if step.name == name:
            echo(f"[{STEPS.index(name) + 1}/{len(STEPS)}] {name}: {step.title}")
            carry_out(step, key, journal, leading)
            return
        journal.note(step.name, _as_it_went(step, key, journal, leading))
        before = f"{key} {journal.entries[step.name].state}"


def _as_it_went(step: Step, key: str, journal: Journal, leading: Sequence[str]) -> Entry:
    """Return how a step went, whether a road did it or somebody typed its command.

    Raises:
        UserError: it is needed, and not done, or done from something else.
    """
    if step.left_out:
        return Entry(LEFT_OUT, key, told=step.left_out)
    command, known = step.shown(leading), journal.entries.get(step.name)
    missing = [path for path in step.products if not path.exists()]
    why = f"there is no {str(missing[0])!r}" if missing else ""
    if known is not None and known.key != key:
        known, why = None, "what it is made from has changed"
    if not why:
        return known if known and known.state == DONE else Entry(DONE, key, command)
    if step.needed:
        raise UserError(
            f"the step {step.name!r} comes before, and is not done: {why}",
            f"Do it first: {command}",
        )
    if known and known.state == FAILED:
        return known
    return Entry(FAILED, key, told=f"{command} was not run")
