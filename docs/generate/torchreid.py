"""Write the table of docs/migrate-from-torchreid.md: where Torchreid's names are.

Run: python docs/generate/torchreid.py
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from reid_plugins_migrate.imports.names import Names, torchreid_names

PAGE = Path(__file__).parents[1] / "migrate-from-torchreid.md"
BEGIN, END = "<!-- names: begin -->\n", "<!-- names: end -->\n"


def table(names: Names) -> str:
    """Return the tables: where names are, a row for each module and place, and what has none."""
    homes = [row for module in names.modules for row in _homes(module, names)]
    head = ["| Below `torchreid` | Names | Here |", "|---|---|---|"]
    none = ["| Without a counterpart | | What to do |", "|---|---|---|"]
    return "\n".join([*head, *homes, "", *none, *_absent(names)]) + "\n"


def _homes(module: str, names: Names) -> Iterator[str]:
    shown = f"`{module}`" if module else "the package"
    own = sorted(names.own_homes(module).items(), key=lambda pair: pair[1].module)
    for home, found in groupby(own, key=lambda pair: pair[1].module):
        listed = ", ".join(
            f"`{theirs}`" if theirs == ours.name else f"`{theirs}` (`{ours.name}`)"
            for theirs, ours in sorted(found)
        )
        yield f"| {shown} | {listed} | `{home}` |"


def _absent(names: Names) -> Iterator[str]:
    """Yield a row for what is said of one name, or of all others of several modules."""
    told: dict[tuple[str, str], list[str]] = {}
    for module in names.modules:
        for name, advice in names.absent(module).items():
            told.setdefault((name, advice), []).append(f"`{module}`")
    for (name, advice), modules in told.items():
        listed = "all others" if name == "*" else f"`{name}`"
        yield f"| {', '.join(modules)} | {listed} | {advice} |"


def rewritten(page: str, made: str) -> str:
    """Return the page with the table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{made}{END}{after}"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(rewritten(text, table(torchreid_names())), encoding="utf-8")
