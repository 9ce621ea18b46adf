"""Write the table of docs/models.md from the registry, and the models themselves.

Run: python docs/generate/models.py
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reidcore.errors import UnknownNameError
from reidcore.models import ModelSummary, summarize
from reidcore.models.weights import find_published
from reidcore.registry import Entry, entries

PAGE = Path(__file__).parents[1] / "models.md"
BEGIN = "<!-- The table is written by docs/generate/models.py: make docs -->"
END = "<!-- End of the table -->"

HEADINGS = "| Model | Plugin | Image | Parameters | Multiply-adds | Features | Weights | Licence |"
RULE = "|---|---|--:|--:|--:|--:|---|---|"

TRUNKS = {"lmbn_n": "osnet_x1_0", "mgn": "resnet50_ibn_a"}
"""Networks without weights of their own, which begin with those of another."""


def table(listed: Sequence[Entry], summaries: Mapping[str, ModelSummary]) -> str:
    """Return the table of these models, with a row for each."""
    return "\n".join([HEADINGS, RULE, *(row(entry, summaries[entry.name]) for entry in listed)])


def row(entry: Entry, known: ModelSummary) -> str:
    """Return a model's row."""
    cells = (
        f"`{entry.name}`",
        entry.plugin,
        f"{known.height}x{known.width}",
        f"{known.parameters / 1e6:.2f} M",
        f"{known.multiply_adds / 1e9:.2f} G",
        str(known.feature_dim),
        *_weights(entry.name),
    )
    return f"| {' | '.join(cells)} |"


def rewritten(page: str, block: str) -> str:
    """Return a page with another table in it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"


def _weights(name: str) -> tuple[str, str]:
    if name in TRUNKS:
        origin, licence = _weights(TRUNKS[name])
        return f"those of `{TRUNKS[name]}`: {origin}", licence
    try:
        weights = find_published(name)
    except UnknownNameError:
        return "none", ""
    return weights.origin, weights.licence


def main() -> None:
    """Rewrite the table."""
    listed = entries("models")
    block = table(listed, {entry.name: summarize(entry.name) for entry in listed})
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), block), encoding="utf-8")


if __name__ == "__main__":
    main()
