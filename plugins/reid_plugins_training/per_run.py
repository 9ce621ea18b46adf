"""What a trick keeps of each engine's run: one plugin serves any number of engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from reidcore.engine import Engine

T = TypeVar("T")


class PerRun(Generic[T]):
    """A value for each run under way, and the state of a checkpoint that the next one begins with.

    Engines are told apart by their ``id``, which another may have later: a run's end forgets both.
    """

    def __init__(self) -> None:
        self._values: dict[int, T] = {}
        self._states: dict[int, dict[str, Any]] = {}

    def resume(self, engine: Engine, state: dict[str, Any]) -> None:
        """Keep the state that a checkpoint holds: it is loaded before a run starts."""
        self._states[id(engine)] = state

    def resumed(self, engine: Engine) -> dict[str, Any]:
        """Return the state that a run begins with; empty where none was loaded."""
        return self._states.get(id(engine), {})

    def start(self, engine: Engine, value: T) -> None:
        """Keep a value until the run's end."""
        self._values[id(engine)] = value

    def get(self, engine: Engine) -> T | None:
        """Return the value; None outside of a run that has one."""
        return self._values.get(id(engine))

    def end(self, engine: Engine) -> T | None:
        """Forget a run, and return its value for the last time."""
        self._states.pop(id(engine), None)
        return self._values.pop(id(engine), None)
