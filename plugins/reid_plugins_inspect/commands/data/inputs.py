"""The dataset that a command examines, as its options name it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reidcore.cli import component_names, reading_options, root_option
from reidcore.errors import UserError

if TYPE_CHECKING:
    from reid_plugins_inspect.checks import CheckedDataset
    from reidcore.plugins import Plugins

_FILE, _FOLDER, _NAMES = click.Path(), click.Path(file_okay=False), component_names("datasets")
_DEFAULT = click.core.ParameterSource.DEFAULT


@dataclass(frozen=True)
class DatasetOptions:
    """What the command line names: one of a dataset, a folder and a table, with options."""

    words: Sequence[str]
    root: str
    folder: str | None
    table: str | None
    config: str | None = None
    reading: str | None = None
    value_range: tuple[float, float] | None = None

    def open(self, plugins: Plugins) -> CheckedDataset:
        """Read it.

        Raises:
            UserError: none or several are named, or it cannot be read.
        """
        from reidcore.data import ImageReading

        reading = ImageReading.recorded(
            {"reading": self.reading or "viewer", "value_range": self.value_range}
        )
        return replace(self._named(plugins), reading=reading)

    def _named(self, plugins: Plugins) -> CheckedDataset:
        from reid_plugins_inspect.checks import load as opening

        names = [word for word in self.words if "=" not in word]
        named = [*names, *filter(None, (self.folder, self.table))]
        if len(named) != 1:
            found = f"{len(named)} are named" if named else "none is named"
            raise UserError(
                f"one dataset is wanted, {found}", "Give a NAME, --folder DIR or --csv FILE"
            )
        if self.folder:
            folder = Path(self.folder).expanduser()
            return opening.open_folder(folder, self._options(opening.FOLDER), plugins)
        if self.table:
            table = Path(self.table).expanduser()
            return opening.open_table(table, self._options(opening.TABLE), plugins)
        config, root = None, self.root
        if self.config:
            from reidcore.config import load_config

            config = load_config(self.config, plugins=plugins)
            is_given = click.get_current_context().get_parameter_source("root") is not _DEFAULT
            root = root if is_given else config.data.root
        options = self._options(names[0])
        return opening.open_dataset(names[0], Path(root).expanduser(), options, plugins, config)

    def _options(self, dataset: str) -> dict[str, Any]:
        """Return a dataset's options: spelled as in a run, or without the section's name."""
        from reidcore.config import options_in

        words = [word for word in self.words if "=" in word]
        return options_in(words, [dataset])[dataset]


def dataset_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what names a dataset; the command gets it as ``chosen``."""

    @wraps(command)  # with the options that were added before
    def with_dataset(
        *arguments: Any,
        words: tuple[str, ...],
        root: str,
        folder: str | None,
        table: str | None,
        config: str | None,
        reading: str | None,
        value_range: tuple[float, float] | None,
        **options: Any,
    ) -> Any:
        chosen = DatasetOptions(words, root, folder, table, config, reading, value_range)
        return command(*arguments, chosen=chosen, **options)

    decorated: Callable[..., Any] = with_dataset
    for option in (
        reading_options,
        click.option(
            "--csv",
            "table",
            type=_FILE,
            metavar="FILE",
            help="A table of images of your own.",
        ),
        click.option(
            "--folder",
            type=_FOLDER,
            metavar="DIR",
            help="A folder of images of your own.",
        ),
        root_option,
        click.option(
            "--config",
            type=_FILE,
            metavar="FILE",
            help="Configuration whose data.datasets count.",
        ),
        click.argument(
            "words", nargs=-1, shell_complete=_NAMES, metavar="[NAME] [OPTION=VALUE]..."
        ),
    ):
        decorated = option(decorated)
    return decorated
