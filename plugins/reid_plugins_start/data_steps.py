"""The steps of the data: imported, split, checked."""

from __future__ import annotations

from itertools import compress
from pathlib import Path

from reid_plugins_own_data.splitting.table import ImageTable, read_table

from reid_plugins_start.choices import choose_shares
from reid_plugins_start.context import Context
from reid_plugins_start.facts import split_record
from reid_plugins_start.findings import judge
from reid_plugins_start.step import Step, Word

CLASS = "class"


def import_step(context: Context) -> Step:
    """Make a table of crops; nothing is to be done for a table."""
    source, place = context.source, context.place
    title = f"crops of {source.path} and a table of them"
    digest = source.digest()
    if source.table is not None:
        told = f"{source.table.file} is a table already"
        return Step("import", title, made_from=[digest], left_out=told)
    wishes = context.wishes
    words: list[Word] = ["data", "import", source.path, place.data, *wishes.options]
    words += ["--format", wishes.form] if wishes.form else []
    words += ["--classes", wishes.class_name] if wishes.class_name else []
    return Step(
        "import",
        title,
        words,
        further=lambda began: ["--overwrite"] if place.data.exists() else [],
        made_from=[digest],
        products=[place.table],
    )


def split_step(context: Context) -> Step:
    """Share the identities out, so that a threshold can be had."""
    source, place, wishes = context.source, context.place, context.wishes
    title = "train, validation, query and gallery"
    if source.is_split:
        return Step("split", title, left_out=f"{context.table} says the splits already")
    words: list[Word] = ["data", "split", source.table.file if source.table else place.data]
    if source.table is not None:
        words += ["-o", place.table]
        words += ["--only", f"{CLASS}={wishes.class_name}"] if wishes.class_name else []
    table = source.table or _imported(place.table)
    if table is None:
        words += ["--train-share", "?", "--val-share", "?"]
    else:
        shares = choose_shares(_identities(table, wishes.class_name))
        title = f"{title}: {shares.why}"
        words += ["--train-share", f"{shares.train:g}", "--val-share", f"{shares.validation:g}"]
        words += ["--by", CLASS] if _has_classes(table) and not wishes.class_name else []
    words += ["--seed", str(wishes.seed)] if wishes.seed else []
    return Step("split", title, words, products=[place.table, split_record(place.table)])


def check_step(context: Context) -> Step:
    """Look for what is wrong with the data, and stop where it is an error."""
    place = context.place
    options = [f"{role}={name}" for role, name in context.split.get("columns", {}).items()]
    return Step(
        "check",
        "what is wrong with the data",
        ["data", "check", "--csv", context.table, *options, "--json"],
        products=[place.check],
        stdout=place.check,
        makes=place.folder if context.source.is_split else None,
        codes=(0, 1),
        act=lambda: judge(place.check, context.source.path),
    )


def _imported(file: Path) -> ImageTable | None:
    return read_table(file, {}) if file.is_file() else None


def _identities(table: ImageTable, class_name: str) -> int:
    """Return how many identities a table has, of one class or of all."""
    names = [text.strip() for text in table.columns[table.roles["pid"]]]
    if class_name:
        wanted = table.rows_where(f"{CLASS}={class_name}")
        names = list(compress(names, wanted))
    return len({*names} - {"-1"})


def _has_classes(table: ImageTable) -> bool:
    return len({text.strip() for text in table.columns.get(CLASS, ())}) > 1
