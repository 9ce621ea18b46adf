"""Standard output and error that are lost, or lack characters."""

from __future__ import annotations

import copy
import errno
import io
import os
import subprocess
import sys
from typing import Any

import pytest
from reid_plugins_writers.streams import (
    LostOutputError,
    StandardStream,
    output_not_needed,
    standard_streams,
)


class Full(io.RawIOBase):
    """A file on a full disk."""

    def __init__(self, code: int = errno.ENOSPC) -> None:
        self.code = code

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raise OSError(self.code, os.strerror(self.code))


def full(code: int = errno.ENOSPC) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(Full(code)), encoding="utf-8")


def test_what_is_needed_and_lost_is_an_error() -> None:
    stream = StandardStream(full(), "Standard output", is_needed=True)
    stream.write("a line\n")
    with pytest.raises(LostOutputError, match="cannot be written: No space left on device"):
        stream.flush()
    with pytest.raises(LostOutputError):
        stream.write("another\n")


def test_lines_are_lost_as_text_is() -> None:
    stream = StandardStream(full(), "Standard output", is_needed=True)
    with pytest.raises(LostOutputError):
        stream.writelines(["a line\n" * 10_000, "another\n" * 10_000])
    other = StandardStream(full(), "Standard output", is_needed=False)
    other.writelines(["a line\n" * 10_000] * 3)


def test_a_stream_can_be_copied() -> None:
    written = io.StringIO()
    copied = copy.copy(StandardStream(written, "Standard output", is_needed=True))
    copied.write("a line\n")
    assert written.getvalue() == "a line\n"


def test_what_is_not_needed_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    error = io.StringIO()
    monkeypatch.setattr(sys, "stdout", full(errno.EPIPE))
    monkeypatch.setattr(sys, "stderr", error)
    with standard_streams(), output_not_needed():
        for _ in range(3):
            sys.stdout.write("a line")
            sys.stdout.flush()
    told = "Standard output cannot be written (Broken pipe): what is told there is lost"
    assert error.getvalue() == f"{told}, and the work goes on\n"
    assert caplog.messages == [f"{told}, and the work goes on"]


def test_output_is_needed_again_after_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", full())
    with standard_streams():
        with output_not_needed():
            sys.stdout.write("on the way")
        with pytest.raises(LostOutputError):
            sys.stdout.write("the result")


def test_a_logger_that_ends_does_not_close_the_stream_of_the_process() -> None:
    own = io.StringIO()
    stream = StandardStream(own, "Standard error", is_needed=False)
    stream.close()
    stream.write("still there")
    assert own.getvalue() == "still there"


def test_a_stream_that_somebody_closed_is_lost() -> None:
    closed = full()
    closed.detach()
    with pytest.raises(LostOutputError):
        StandardStream(closed, "Standard output", is_needed=True).write("a line")


CLOSED = """
import os, sys
from reid_plugins_writers.streams import standard_streams
with standard_streams():
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
    assert file > 2, file
    os.write(2, b"x")
    try:
        print("lost", flush=True)
    except Exception as error:
        sys.exit(7 if "Bad file descriptor" in str(error) else 1)
"""


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Any) -> None:
    path = tmp_path / "file"
    command = ["bash", "-c", 'exec "$@" <&- >&- 2>&-', "-", sys.executable, "-c", CLOSED, path]
    assert subprocess.run(command, check=False).returncode == 7
    assert path.read_bytes() == b""
