"""What a user does about a plugin, on the road by which the program came: a command or a script."""

from __future__ import annotations

from contextvars import ContextVar

from reidcore.plugins.discovery import DISABLE_VARIABLE

BY_COMMAND: ContextVar[bool] = ContextVar("reidcore_by_command", default=False)
"""Whether a command runs, which has options that a script has not."""


def leaving_out(name: str = "NAME") -> str:
    """Return how a plugin is left out."""
    if BY_COMMAND.get():
        return f"--no-plugin {name}"
    return f"{DISABLE_VARIABLE}={name} or make_plugins(disabled=[{name!r}])"


def letting_in() -> str:
    """Return how a plugin that is disabled is let in again."""
    option = "--no-plugin" if BY_COMMAND.get() else "make_plugins(disabled=...)"
    return f"Drop it from {option} or {DISABLE_VARIABLE}, or name it among the run's plugins."


def seeing_traceback() -> str:
    """Return how the traceback is seen, on the road that does not show it anyway."""
    return " 'reidcore --debug ...' shows the traceback." if BY_COMMAND.get() else ""
