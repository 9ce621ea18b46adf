"""A real run on a pseudo-terminal of 80 columns, read as a terminal would show it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

CODE = """
from reidcore.testing import tiny_run

tiny_run(save_dir={folder!r}, overrides=["train.max_epoch=14", "train.print_freq=1"])
"""
ROWS = 12  # fewer than there are epochs


def run_on_terminal(code: str, terminal: Any) -> int:
    """Run a program whose standard streams are a terminal, and return its exit code."""
    ours, theirs = pty.openpty()
    size = struct.pack("HHHH", terminal.screen.lines, terminal.screen.columns, 0, 0)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    environment = {**os.environ, "TERM": "xterm-256color", "OMP_NUM_THREADS": "1"}
    for name in ("COLUMNS", "LINES", "NO_COLOR", "CI"):
        environment.pop(name, None)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        while True:
            try:
                read = os.read(ours, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not read:
                break
            # The terminal driver has put a carriage return before each newline already.
            terminal.stream.feed(read.decode(errors="replace"))
        os.close(ours)
    return process.returncode


def test_a_run_ends_with_its_table_on_the_screen(make_terminal: Any, tmp_path: Path) -> None:
    terminal = make_terminal(80, rows=ROWS)
    assert run_on_terminal(CODE.format(folder=str(tmp_path)), terminal) == 0
    lines = terminal.lines
    epochs = [line.split("  ")[0] for line in lines if line.startswith("epoch ")]
    assert epochs == [f"epoch {n}/14" for n in range(1, 15)]
    shown = "\n".join(line.rstrip() for line in terminal.screen.display)
    assert "Results (%)" in shown
    assert "tiny" in shown
    assert "Rank-20" in shown
    assert "eta" not in "\n".join(lines)
