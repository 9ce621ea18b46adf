"""The command line: what its commands, the core's and plugins', are made with.

A plugin's command is a click command under the entry-point group ``reidcore.commands``; these names
are what it needs of the command line, and importing them loads click alone.
"""

from reidcore._progress import progress
from reidcore.cli.app import main
from reidcore.cli.arguments import Arguments, configuration_command
from reidcore.cli.device import device_option, find_device
from reidcore.cli.group import command_line
from reidcore.cli.names import Kind, component_names
from reidcore.cli.options import (
    CheckpointOptions,
    checkpoint_options,
    json_alone,
    json_option,
    reading_options,
    root_option,
)
from reidcore.cli.output import echo
from reidcore.cli.run_config import OpenCheckpoint, configured, open_checkpoint
from reidcore.cli.session import Session
from reidcore.cli.tables import console, number, table, word

__all__ = [
    "Arguments",
    "CheckpointOptions",
    "command_line",
    "component_names",
    "Kind",
    "OpenCheckpoint",
    "Session",
    "checkpoint_options",
    "configuration_command",
    "configured",
    "console",
    "device_option",
    "echo",
    "find_device",
    "json_alone",
    "json_option",
    "main",
    "number",
    "open_checkpoint",
    "progress",
    "reading_options",
    "root_option",
    "table",
    "word",
]
