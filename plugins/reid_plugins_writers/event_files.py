"""TensorBoard's event files: figures that a resumed run writes again are taken out of them.

``SummaryWriter(purge_step=...)`` hides what has that step or a later one, whatever it counts; the
figures of steps are by steps and those of tests by epochs.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from reidcore.utils import atomic_write

# A record is the length of its data, 8 bytes; a checksum; the data; a checksum.
_LENGTH = struct.Struct("<Q")
_CHECKSUM = 4


def drop_events(folder: Path, is_unwanted: Callable[[str, int], bool]) -> None:
    """Take events out of the files of a folder, and what is no record since its writer was killed.

    Args:
        folder: of a run.
        is_unwanted: judges by tag and step.
    """
    from tensorboard.compat.proto.event_pb2 import Event

    def is_kept(data: bytes) -> bool:
        event = Event.FromString(data)
        tags = [value.tag for value in event.summary.value]
        return not tags or not all(is_unwanted(tag, event.step) for tag in tags)

    for path in sorted(folder.glob("events.out.tfevents.[0-9]*")):
        whole = path.read_bytes()
        kept = b"".join(record for record, data in _records(whole) if is_kept(data))
        if len(kept) < len(whole):
            with atomic_write(path) as file:
                file.write(kept)


def _records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each complete record of a file, and its data."""
    begin = 0
    while begin + _LENGTH.size <= len(content):
        (length,) = _LENGTH.unpack_from(content, begin)
        data = begin + _LENGTH.size + _CHECKSUM
        end = data + length + _CHECKSUM
        if end > len(content):
            return
        yield content[begin:end], content[data : data + length]
        begin = end
