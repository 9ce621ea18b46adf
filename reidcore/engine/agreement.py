"""What the processes of a run agree on: rank 0's results, when to stop, and whose failure it was.

They talk over a group of gloo beside the one that gradients use, which needs no device and leaves
rank 0 the time for a long ranking. A process that ends breaks it, so that none waits for a dead
one.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, distributed

from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine.process_group import TIMEOUT
from reidcore.errors import ToldElsewhereError, UserError

T = TypeVar("T")

_PATIENCE = timedelta(days=1)
"""How long processes wait for rank 0; one that dies is noticed at once."""

_HEAD_START_S, _ROLL_CALL_S = 0.3, 2.0
_ENDED = "reidcore/ended"
_NO_MORE = "no more requests"
_BROKEN = re.compile(r"gloo|nccl|(closed|reset) by peer|broken pipe", re.IGNORECASE)

# One for each default group, and gone with it: a group's threads that outlive Python may abort.
_side_groups: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def on_main_process(compute: Callable[[], T], assist: Callable[[Any], None] | None = None) -> T:
    """Compute something on rank 0 alone, and hand the result to all; every process calls this.

    Args:
        compute: what rank 0 does.
        assist: what the others do meanwhile, with each request that rank 0 makes by `ask_others`.

    Raises:
        ToldElsewhereError: on the others, if it failed on rank 0, where its own error is raised.
    """
    rank, world = rank_and_world()
    if world == 1:
        return compute()
    result, failure = None, None
    if rank == 0:
        try:
            result = compute()
        except BaseException as error:
            failure = error
    elif assist is not None:
        while (request := _told_by_main(None)) != _NO_MORE:
            assist(request)
    if rank == 0 and assist is not None:
        _told_by_main(_NO_MORE)
    ended = _told_by_main((result, None if failure is None else isinstance(failure, UserError)))
    if failure is not None:
        raise failure
    given, is_mistake = ended
    if is_mistake is not None:
        raise ToldElsewhereError(is_mistake)
    agreed: T = given
    return agreed


def ask_others(request: object) -> None:
    """Have the other processes assist rank 0, inside of `on_main_process`."""
    _told_by_main(request)


def send_from_main(parts: Sequence[Tensor]) -> None:
    """Send each other process a tensor, that of its rank; it calls `receive_from_main`."""
    for rank, part in enumerate(parts):
        if rank:
            distributed.send(part.contiguous(), rank, group=_side_group())


def receive_from_main(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Return the tensor that rank 0 sends this process."""
    part = torch.empty(*shape, dtype=dtype)
    distributed.recv(part, 0, group=_side_group())
    return part


def add_up_on_main(numbers: Tensor) -> None:
    """Add the numbers of all processes, which all call this, into those of rank 0."""
    _await(distributed.reduce(numbers, 0, group=_side_group(), async_op=True))


def gather_to_main(value: T) -> list[T]:
    """Return the values of all processes, in the order of ranks, on rank 0; none on the others."""
    rank, world = rank_and_world()
    if world == 1:
        return [value]
    gathered: list[Any] = [None] * world if rank == 0 else []
    # The slowest is waited for where signals are heard, which the exchange itself does not.
    _await(distributed.barrier(group=_side_group(), async_op=True))
    distributed.gather_object(value, gathered or None, 0, group=_side_group())
    return gathered


class Ballot:
    """Lets processes learn the largest number that any of them named.

    Without a wait it is told one call late: the exchange goes on while a step is computed.
    """

    def __init__(self) -> None:
        self._cast: tuple[Any, torch.Tensor] | None = None

    def largest(self, number: int, *, waits: bool = False) -> int:
        """Name a number; every process calls this at the same places.

        Returns:
            The largest of the last call; of this one, if it waits for that.
        """
        if rank_and_world()[1] == 1:
            return number
        known = self._counted()
        named = torch.tensor([number])
        group, largest = _side_group(), distributed.ReduceOp.MAX
        self._cast = distributed.all_reduce(named, largest, group=group, async_op=True), named
        return max(known, self._counted()) if waits or known else known

    def forget(self) -> None:
        """Ask no more for the outcome of the last call."""
        self._cast = None

    def _counted(self) -> int:
        if self._cast is None:
            return 0
        work, named = self._cast
        self._cast = None
        work.wait(TIMEOUT)  # a step's, unlike the patience that rank 0 is given
        return int(named)


@contextmanager
def ending_together() -> Iterator[None]:
    """Within it the failure of one process is told once, by that process, and ends all.

    Raises:
        ToldElsewhereError: where another process has told why all of them end.
        UserError: naming those that ended without a word, such as by SIGKILL.
    """
    if rank_and_world()[1] == 1:
        yield
        return
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except BaseException as error:
        # Where one process ended, torchrun sends it to the others: they have to tell that first.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        told = error if isinstance(error, ToldElsewhereError) else _to_tell(error)
        if told is error:
            raise
        raise told from error
    signal.signal(signal.SIGTERM, former)


def _to_tell(error: BaseException) -> BaseException:
    """Say to the others that this process ends; return what is to be told of it."""
    rank, world = rank_and_world()
    is_broken = _is_broken(error)
    if not is_broken and rank:
        time.sleep(_HEAD_START_S)  # what is wrong in all of them is told by rank 0
    silent: list[int] = []
    with suppress(distributed.DistError):  # the store may be gone with its process
        store = distributed.distributed_c10d._get_default_store()
        is_first = store.add(_ENDED, 1) == 1  # before others can see that this one ends
        store.set(f"{_ENDED}/{rank}", "")
        if not is_first and (is_broken or isinstance(error, Exception)):
            return ToldElsewhereError(isinstance(error, UserError))
        silent = _silent(store, world) if is_broken else []
    return _lost(silent, world, error) if is_broken else error


def _is_broken(error: BaseException | None) -> bool:
    """Whether an error, or what was under way when SIGTERM came, is of a lost connection."""
    while isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return isinstance(error, RuntimeError) and bool(_BROKEN.search(str(error)))


def _silent(store: Any, world: int) -> list[int]:
    """Return the ranks that do not say within a moment that they end."""
    until = time.monotonic() + _ROLL_CALL_S
    missing = list(range(world))
    while missing and time.monotonic() < until:
        missing = [rank for rank in missing if not store.check([f"{_ENDED}/{rank}"])]
        time.sleep(0.05)
    return missing


def _lost(silent: list[int], world: int, error: BaseException) -> UserError:
    who = f"process {' and '.join(map(str, silent))} of {world} (counted from 0)"
    what = f"{who} ended without a word; it may have been killed, or have had too little memory"
    return UserError(
        what if silent else f"the {world} processes lost one another: {error}",
        "To go on from the last checkpoint, run the same command with --resume auto",
    )


def _told_by_main(value: Any) -> Any:
    """Return rank 0's value in all processes, waiting for it where signals are heard."""
    _await(distributed.broadcast(torch.zeros(1), 0, group=_side_group(), async_op=True))
    box = [value]
    distributed.broadcast_object_list(box, 0, group=_side_group())
    return box[0]


def _side_group() -> Any:
    """Return the group of gloo; the first call of all processes is at the same place."""
    main = distributed.group.WORLD
    if main not in _side_groups:
        _side_groups[main] = distributed.new_group(backend="gloo", timeout=_PATIENCE)
    return _side_groups[main]


def _await(work: Any) -> None:
    """Wait for an exchange in Python, where signals are heard."""
    while not work.is_completed():
        time.sleep(0.002)
    work.wait()
