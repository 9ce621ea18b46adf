"""The command line. Commands are named here and imported when they run, one file each."""

from __future__ import annotations

from reidcore.cli.app import main

__all__ = ["main"]
