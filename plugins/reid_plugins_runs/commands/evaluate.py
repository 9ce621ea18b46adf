"""``reidcore evaluate``: figures of features that were made elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reidcore.cli import Session, component_names, console, echo, json_alone, json_option
from reidcore.errors import UserError, did_you_mean, quoted

if TYPE_CHECKING:
    from reid_plugins_standard.protocols import CameraResults

    from reid_plugins_runs.from_features import Evaluated
    from reidcore.config import Config
    from reidcore.plugins import Plugins

EPILOG = """\b
Examples:
  reidcore evaluate features.npz --metric cosine
  reidcore evaluate features.npy --labels labels.csv --protocol any_camera
  reidcore evaluate table.parquet --protocol vehicleid draws=5 -o log/mine
  reidcore evaluate features.npz --rerank test.ranks=[1,3] --json
"""

_FILE = click.Path()
_KEYS = {
    "protocol": "test.protocol",
    "metric": "test.dist_metric",
    "normalize": "test.normalize_feature",
    "ap": "test.ap",
    "ties": "test.ties",
    "max_rank": "test.max_rank",
    "rerank": "test.rerank",
}


@click.command(epilog=EPILOG)
@click.argument("features", type=_FILE)
@click.argument("words", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--labels", type=_FILE, metavar="FILE", help="Table of the labels, if in another file."
)
@click.option(
    "--protocol",
    shell_complete=component_names("protocols"),
    metavar="NAME",
    help="A name of reidcore ls protocols; market1501 by default.",
)
@click.option("--metric", metavar="NAME", help="euclidean, the default, or cosine.")
@click.option(
    "--normalise",
    "--normalize",
    "normalize",
    is_flag=True,
    help="Scale features to unit length first.",
)
@click.option(
    "--ap",
    type=click.Choice(["plain", "trapezoid"]),
    help="Kind of AP; the protocol's own by default.",
)
@click.option(
    "--ties",
    type=click.Choice(["pessimistic", "optimistic"]),
    help="Which rank equal distances have; pessimistic by default.",
)
@click.option("--max-rank", type=click.IntRange(min=1), help="Length of the CMC.")
@click.option("--rerank", is_flag=True, help="Re-rank by k-reciprocal neighbours.")
@click.option(
    "--test-time",
    multiple=True,
    metavar="STEP",
    help="As in settings.standard.test_time; several in their order.",
)
@click.option("--without-cameras", is_flag=True, help="No gallery item is of a query's own camera.")
@click.option("--cameras", is_flag=True, help="Also the figures of each pair of cameras.")
@click.option("--name", metavar="NAME", help="What the figures are of; the file's name by default.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Folder for the results.",
)
@json_option
@click.pass_obj
def evaluate(
    session: Session,
    /,
    features: str,
    words: tuple[str, ...],
    labels: str | None,
    name: str | None,
    output: str | None,
    without_cameras: bool,
    cameras: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Evaluate features that were made elsewhere, under any protocol.

    FEATURES is an npz, npy, CSV or parquet file. It has query_features, gallery_features, q_pids,
    g_pids, q_camids and g_camids; or one row for each image with feature, pid, camid and split
    (query or gallery). Names that other frameworks use are understood, and further columns are
    there for protocols. KEY=VALUE sets a key of a configuration, such as test.ranks, or an option
    of the protocol. OUTPUT gets results.json and per_query.npz, which reidcore runs compare reads.
    """
    if cameras and without_cameras:
        raise click.UsageError("--cameras and --without-cameras exclude each other: give one.")
    table = None if labels is None else Path(labels)
    asked = Asked(Path(features), table, name or Path(features).stem, output)
    with json_alone(as_json) as write, session.plugins() as plugins:
        from reidcore.config import load_config

        config = load_config(None, _overrides(flags, words, plugins), plugins=plugins)
        found = asked.evaluate(config, plugins, has_cameras=not without_cameras)
        by_camera = found.by_camera() if cameras else None
        write(asked.keep(found, config, by_camera))
    if not as_json:
        _print(asked, found, config.test.ranks, by_camera)


@dataclass(frozen=True)
class Asked:
    """What is evaluated, and where the results go.

    Attributes:
        features: the file.
        labels: the table of labels, if that is another file.
        name: what the figures are of.
        output: folder for the results; None for none.
    """

    features: Path
    labels: Path | None
    name: str
    output: str | None

    def evaluate(self, config: Config, plugins: Plugins, has_cameras: bool) -> Evaluated:
        """Read the features and evaluate them."""
        from reid_plugins_runs.feature_files.query_gallery import read_features
        from reid_plugins_runs.from_features import evaluate_given

        if self.output is not None:
            _check_output(Path(self.output))
        given = read_features(self.features, self.labels)
        return evaluate_given(given, config, plugins, has_cameras)

    def keep(
        self, found: Evaluated, config: Config, by_camera: CameraResults | None
    ) -> dict[str, Any]:
        """Return the record of the results; write it, and what was found for each query."""
        from reid_plugins_runs.features_record import record
        from reid_plugins_runs.folders import RESULTS
        from reid_plugins_runs.per_query import PER_QUERY, PerQuery, write_per_query
        from reidcore.utils import write_json

        made = record(found, config, self.name, self.features, self.labels)
        made |= {"cameras": by_camera.as_dict()} if by_camera else {}
        if self.output is not None:
            folder = Path(self.output)
            queries = PerQuery.of(found.ranking, found.tables[0], config.test.ranks)
            write_per_query(folder / PER_QUERY, {self.name: queries})
            write_json(made, folder / RESULTS)
        return made


def _check_output(folder: Path) -> None:
    """Refuse a folder that cannot be written, or that holds a run, whose results would be lost."""
    from reid_plugins_runs.folders import RESULTS, read_results
    from reidcore.utils import check_writable, checkpoints_in

    held = read_results(folder / RESULTS)
    is_run = held is not None and "features" not in (held.config or {})
    if is_run or checkpoints_in(folder):
        raise UserError(f"{str(folder)!r} holds a run", "Give another folder: -o FOLDER.")
    check_writable(folder, "-o FOLDER")


def _overrides(flags: dict[str, Any], words: Sequence[str], plugins: Plugins) -> list[str]:
    """Return options and words as overrides of a configuration; an undotted key is a protocol's."""
    given = {key: flags[name] for name, key in _KEYS.items()}
    given = {key: value for key, value in given.items() if value is not None and value is not False}
    overrides = [f"{key}={str(value).lower()}" for key, value in given.items()]
    steps = flags["test_time"]
    if blank := [step for step in steps if not step.strip() or step.count("{") != step.count("}")]:
        raise UserError(
            f"--test-time {blank[0]!r} is no step", "Write a name, or {name: {key: value}}."
        )
    overrides += [f"settings.standard.test_time=[{', '.join(steps)}]"] if steps else []
    for word in words:
        if "=" not in word:
            raise UserError(
                f"{quoted(word)} is no KEY=VALUE", "One file of features is evaluated at a time."
            )
    pairs = [word.partition("=")[::2] for word in words]
    protocol = dict(pairs).get("test.protocol", flags["protocol"] or "market1501")
    return overrides + [f"{_full_key(key, protocol, plugins)}={value}" for key, value in pairs]


def _full_key(key: str, protocol: str, plugins: Plugins) -> str:
    """Return a key with its section; refuse one that an evaluation does not look at."""
    from reidcore.registry import declared_options, entries

    section, dot, option = key.rpartition(".")
    if dot and section.partition(".")[0] in ("test", "settings"):
        return key
    if dot and section != protocol:
        raise UserError(
            f"{quoted(key)} is no key of an evaluation of features",
            "Give keys of the section test, such as test.ranks, and options of the protocol, such "
            f"as {protocol}.NAME. Protocols are chosen by --protocol.",
        )
    for entry in [each for each in entries("protocols", plugins) if protocol in each.names]:
        known = [*declared_options(entry)]
        if option not in (*known, *entry.options):
            near, listed = did_you_mean(option, known), ", ".join(known) or "none"
            raise UserError(
                f"{entry.label} has no option {option!r}",
                f"{near} Its options are: {listed}.".strip(),
            )
    return f"{protocol}.{option}"


def _print(
    asked: Asked, found: Evaluated, ranks: Sequence[int], cameras: CameraResults | None
) -> None:
    from reidcore.evaluation import conditions_line, further_table, table

    results, out = {asked.name: found.ranking}, console()
    out.print(table(results, ranks))
    if (further := further_table(results)) is not None:
        out.print(further)
    echo(conditions_line(asked.name, found.conditions, found.ranking))
    if cameras is not None:
        from reid_plugins_runs.camera_sheet import camera_sheet

        out.print("", camera_sheet(cameras).rich(), sep="\n")
    if asked.output is not None:
        echo(f"Results written to {Path(asked.output) / 'results.json'}", err=True)
