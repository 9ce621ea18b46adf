"""``reidcore runs matrix``: models by what they were trained on and what they are tested on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import click

from reid_plugins_runs.child import global_options, run_reidcore
from reid_plugins_runs.matrix import Matrix
from reid_plugins_runs.sheet import Form, form_options, show
from reid_plugins_runs.sources import Source, read_sources, with_checkpoints
from reidcore.cli import component_names, json_alone
from reidcore.errors import DataError, UserError, counted, did_you_mean, quoted
from reidcore.utils import check_writable

_log = logging.getLogger(f"reidcore.{__name__}")

EPILOG = """\b
Examples:
  reidcore runs matrix log
  reidcore runs matrix log/market log/msmt17 -t market1501 msmt17 cuhk03
  reidcore runs matrix a.pth.tar-60 b.pth.tar-60 -t veri vehicleid test.rerank=true --latex
"""


class _SeveralTargets(click.Command):
    """Takes several values after ``-t``, as ``run`` and ``test`` do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write ``-t a b`` as ``-t a -t b``, up to the next option or override."""
        words: list[str] = []
        is_listing = False
        for word in args:
            if word in ("-t", "--targets"):
                is_listing = True
                continue
            is_listing = is_listing and not word.startswith("-") and "=" not in word
            words += ["-t", word] if is_listing else [word]
        if args and args[-1] in ("-t", "--targets"):
            words.append(args[-1])  # click tells that its value is missing
        return super().parse_args(ctx, words)


@click.command(cls=_SeveralTargets, epilog=EPILOG)
@click.argument("words", nargs=-1, required=True, metavar="CKPT_OR_DIR... [KEY=VALUE]...")
@click.option(
    *("-t", "--targets"),
    multiple=True,
    metavar="NAME...",
    shell_complete=component_names("datasets"),
    help="Test on these; else what was tested is shown.",
)
@click.option("--root", type=click.Path(file_okay=False), metavar="DIR", help="Folder of datasets.")
@click.option("--device", metavar="DEVICE", help="Where to test: cpu, cuda, cuda:1 or mps.")
@click.option(
    *("-o", "--output"),
    type=click.Path(file_okay=False),
    default="log/matrix",
    show_default=True,
    metavar="DIR",
    help="Folder for the tests.",
)
@click.option(
    "--figure",
    "figures",
    multiple=True,
    default=("mAP", "rank1"),
    show_default=True,
    metavar="NAME",
    help="A table: mAP, mINP, rank1, ...",
)
@form_options
def matrix(
    words: tuple[str, ...],
    targets: tuple[str, ...],
    root: str | None,
    device: str | None,
    output: str,
    figures: tuple[str, ...],
    form: Form,
) -> None:
    """Show models by their training sets and the datasets that they are tested on.

    CKPT_OR_DIR is a checkpoint, the folder of a run or one above several. With -t each model is
    tested on each target, in a process of its own; without, what their folders have is shown.
    Figures on a set that the model was trained on are bold. Runs that differ in train.seed or
    data.split_id alone are one row. KEY=VALUE sets a key of the tests, such as test.rerank=true.
    """
    given = [word for word in words if "=" not in word or Path(word).exists()]
    overrides = [word for word in words if word not in given]
    _check_words(given, overrides, targets)
    sources = read_sources(given)
    failed: list[str] = []
    if targets:
        sources = with_checkpoints(sources)
        check_writable(output, "-o FOLDER")
        own = [*(["--root", root] if root else []), *(["--device", device] if device else [])]
        with json_alone(form == "json"):
            sources, failed = _tested(sources, Path(output), [*own, "-t", *targets, *overrides])
    if sources or not failed:
        _show(sources, targets, figures, form)
    if failed:
        raise UserError(
            f"{len(failed)} of {counted(len(sources) + len(failed), 'test')} failed: "
            f"{', '.join(failed)}",
            "What went wrong is told above.",
        )


def _check_words(given: Sequence[str], overrides: Sequence[str], targets: Sequence[str]) -> None:
    if not given:
        raise UserError("no model is given", "Give checkpoints or folders of runs.")
    if overrides and not targets:
        raise UserError(
            f"{quoted(overrides[0])} is for a test, and nothing is tested", "Name targets: -t NAME."
        )


def _tested(
    sources: Sequence[Source], output: Path, options: Sequence[str]
) -> tuple[list[Source], list[str]]:
    """Test models one after the other; a test that fails costs no other."""
    done, failed = [], []
    for number, source in enumerate(sources, start=1):
        folder = source.folder(output)
        _log.info("Test %d of %d: %s, in %s", number, len(sources), source.name, folder)
        words = ["test", source.name, *options, f"data.save_dir={folder}"]
        code = run_reidcore([*global_options("runs"), *words], stdout=2)
        try:
            if code:
                raise DataError(f"exit code {code}")
            done.append(source.with_test(folder))
        except DataError as error:
            failed.append(f"{source.name} ({error})")
    return done, failed


def _show(
    sources: Sequence[Source], targets: Sequence[str], figures: Sequence[str], form: Form
) -> None:
    made = Matrix([source.run for source in sources if source.run is not None], targets)
    if made.is_empty:
        raise UserError("no model here was tested", "Name what to test on: -t NAME.")
    rows = made.as_json()["rows"]
    known = {
        name: None for row in rows for cell in row["targets"].values() for name in cell["figures"]
    }
    for figure in figures:
        if figure not in known:
            raise UserError(
                f"no model here has the figure {quoted(figure)}",
                did_you_mean(figure, known) or f"There are {', '.join(known)}.",
            )
    show(form, map(made.sheet, figures), made.as_json())
    for remark in made.remarks:
        _log.warning("%s", remark)
