"""``reidcore migrate imports``: Torchreid's imports rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from reidcore.cli import echo
from reidcore.errors import UserError, counted

if TYPE_CHECKING:
    from reid_plugins_migrate.imports.files import Rewritten, Unreadable

EPILOG = """\b
Examples:
  reidcore migrate imports train.py
  reidcore migrate imports --write scripts notebooks/demo.ipynb
  reidcore migrate imports --check scripts
"""

Way = Literal["diff", "write", "check"]


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option("--diff", "way", flag_value="diff", default=True, help="Show a patch; the default.")
@click.option("--write", "way", flag_value="write", help="Rewrite the files.")
@click.option("--check", "way", flag_value="check", help="Only say which files would change.")
@click.pass_context
def imports(context: click.Context, /, files: tuple[str, ...], way: Way) -> None:
    """Rewrite the Torchreid imports of scripts and notebooks.

    FILE is a script, a notebook, or a folder of them. Imports of Torchreid's modules, however deep,
    and the uses of what they bind become reidcore's; everything else stays as it is, to the byte.
    Names without a counterpart stay Torchreid's and are listed, with what to do. Ends with exit
    code 1 if there are such, or if --check finds a file to rewrite; and 2 if a file is no Python.
    """
    from reid_plugins_migrate.imports.files import (
        Rewritten,
        find_scripts,
        read_rewritten,
        why_unreadable,
    )

    read = [read_rewritten(path) for path in find_scripts(files)]
    rewritten = [each for each in read if isinstance(each, Rewritten)]
    for each in filter(_is_changed, rewritten):
        _handle(each, way)
    for each in rewritten:
        _tell_remarks(each)
    faults: list[Unreadable] = [each for each in read if not isinstance(each, Rewritten)]
    _summarize(rewritten, way)
    if faults:
        raise UserError(
            f"{counted(len(faults), 'file is', 'files are')} no Python 3, and left as "
            f"{'it is' if len(faults) == 1 else 'they are'}: {why_unreadable(faults)}",
            "Mend the syntax, and run the command again; what was rewritten stays so.",
        )
    is_open = any(each.remarks for each in rewritten)
    would_change = way == "check" and any(map(_is_changed, rewritten))
    context.exit(1 if is_open or would_change else 0)


def _is_changed(file: Rewritten) -> bool:
    return file.is_changed


def _handle(file: Rewritten, way: Way) -> None:
    if way == "write":
        file.write()
        echo(f"{file.path}: rewritten")
    elif way == "diff":
        echo(file.diff().rstrip("\n"))
    else:
        echo(f"{file.path}: would be rewritten")


def _tell_remarks(file: Rewritten) -> None:
    for remark in file.remarks:
        echo(f"{file.path}:{remark.line}: {remark.what}", err=True)
        echo(f"    {remark.advice}", err=True)


def _summarize(files: list[Rewritten], way: Way) -> None:
    changed = sum(map(_is_changed, files))
    verb = "rewritten" if way == "write" else "to rewrite"
    left = sum(len(each.remarks) for each in files)
    more = f", {counted(left, 'place')} left to you" if left else ""
    unwritten = changed and way == "diff"
    next_step = "; --write does it" if unwritten else ""
    echo(f"{counted(changed, 'file')} of {len(files)} {verb}{more}{next_step}", err=True)
