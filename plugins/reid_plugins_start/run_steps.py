"""Going a road: each step once, printed before it runs, and none twice that is done already."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from reid_plugins_runs.child import run_reidcore

from reid_plugins_start.journal import DONE, FAILED, LEFT_OUT, RUNNING, Entry, Journal
from reid_plugins_start.step import Step
from reidcore.cli import echo
from reidcore.errors import UserError
from reidcore.utils import atomic_write

_TAIL = 1 << 14


def walk(steps: Iterable[Step], journal: Journal, count: int, leading: Sequence[str] = ()) -> None:
    """Go a road from where it stopped.

    A step is done anew where what it is made from changed, where a product of it is gone, or where
    it failed. One that is not needed may fail: that is told and kept, and the road goes on.

    Args:
        steps: of the road; each is asked for after the one before it is done.
        journal: what is done so far.
        count: how many steps there are, for display.
        leading: options that stand before each command, such as ``-p FILE``.

    Raises:
        UserError: a step that is needed failed.
        KeyboardInterrupt: somebody stopped it; the journal says where.
    """
    before = ""
    for number, step in enumerate(steps, start=1):
        key = step.key(before)
        is_done = _is_done(step, key, journal)
        _tell(step, number, count, is_done)
        if not is_done:
            carry_out(step, key, journal, leading)
        before = f"{key} {journal.entries[step.name].state}"


def show(steps: Iterable[Step], journal: Journal, count: int, leading: Sequence[str] = ()) -> None:
    """Print the steps of a road, as far as they can be known before they are done."""
    before = ""
    for number, step in enumerate(steps, start=1):
        key = step.key(before)
        _tell(step, number, count, _is_done(step, key, journal))
        if step.left_out:
            echo(f"      left out: {step.left_out}")
        else:
            echo(f"      $ {step.shown(leading)}")
        before = f"{key} {DONE if not step.left_out else LEFT_OUT}"


def carry_out(step: Step, key: str, journal: Journal, leading: Sequence[str]) -> None:
    """Do a step, or tell why it is left out, and note how it went.

    Raises:
        UserError: it is needed, and failed.
        KeyboardInterrupt: somebody stopped it.
    """
    if step.left_out:
        echo(f"      left out: {step.left_out}")
        step.otherwise()
        journal.note(step.name, Entry(LEFT_OUT, key, told=step.left_out))
        return
    start, before = time.monotonic(), journal.began(step.name, key)
    further = step.further(before)
    entry = Entry(RUNNING, key, step.shown(leading), began=before or time.time())
    journal.note(step.name, entry)
    echo(f"      $ {step.shown(leading, further)}")
    try:
        if not step.is_own:
            _run(step, [*leading, *map(str, step.command), *further])
        step.act()
    except UserError as error:
        entry.state, entry.told = FAILED, str(error)
        journal.note(step.name, entry)
        if step.needed:
            raise
        step.otherwise()
        echo(f"      not done, and left out of what is handed over: {error}", err=True)
        return
    entry.state, entry.seconds = DONE, round(time.monotonic() - start, 1)
    journal.note(step.name, entry)


def _is_done(step: Step, key: str, journal: Journal) -> bool:
    return journal.holds(step.name, key) and all(path.exists() for path in step.products)


def _tell(step: Step, number: int, count: int, is_done: bool) -> None:
    state = " (done already)" if is_done else ""
    echo(f"[{number}/{count}] {step.name}: {step.title}{state}")


def _run(step: Step, words: list[str]) -> None:
    """Run the command of a step in a process of its own.

    Raises:
        UserError: it failed; the last thing that it told is in the message.
    """
    with nullcontext() if step.stdout is None else atomic_write(step.stdout) as file:
        code, told = _run_heard(words, file.fileno() if file else None, step.needed)
        if code not in step.codes:
            raise UserError(
                told or f"the command of the step {step.name!r} ended with exit code {code}",
                "" if told else "What went wrong is told above.",
            )


def _run_heard(words: list[str], stdout: int | None, needed: bool) -> tuple[int, str]:
    """Return the exit code of a command and, of one that is not needed, its error message.

    A command that is needed keeps the terminal for its standard error, where its bars are drawn.
    """
    if needed:
        return run_reidcore(words, stdout), ""
    with _listening() as heard:
        code = run_reidcore(words, stdout, heard.fileno)
    return code, heard.error()


@dataclass
class _Heard:
    """What a process wrote to its standard error."""

    fileno: int
    tail: bytearray = field(default_factory=bytearray)

    def error(self) -> str:
        lines = self.tail.decode(errors="replace").splitlines()
        errors = [line for line in lines if line.startswith("Error: ")]
        return errors[-1].removeprefix("Error: ") if errors else ""


@contextmanager
def _listening() -> Iterator[_Heard]:
    """Yield a file descriptor whose text goes to standard error, and is kept besides."""
    reading, writing = os.pipe()
    heard = _Heard(writing)

    def hand_on() -> None:
        while piece := os.read(reading, 4096):
            heard.tail += piece
            del heard.tail[:-_TAIL]
            sys.stderr.write(piece.decode(errors="replace"))
            sys.stderr.flush()

    listener = threading.Thread(target=hand_on, daemon=True)
    listener.start()
    try:
        yield heard
    finally:
        os.close(writing)
        listener.join()
        os.close(reading)
