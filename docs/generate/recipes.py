"""Write docs/recipes.md from the recipes' files, their networks and the cards of their datasets.

Run: python docs/generate/recipes.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reid_plugins_inspect.recipe_card import Figures, Opening, RecipeCard, read_opening
from reid_plugins_inspect.recipe_cost import training_cost
from reid_plugins_inspect.recipe_needs import datasets_of
from reid_plugins_inspect.recipe_summary import ASSUMPTIONS, minutes

from reidcore.config import Config, load_config, recipe_file
from reidcore.plugins import Plugins, current_plugins
from reidcore.registry import Entry, entries

PAGE = Path(__file__).parents[1] / "recipes.md"

INTRODUCTION = f"""\
# Recipes

What `reidcore ls configs` lists: configurations that run by their name. Those that others published
are held by a test to what their authors trained with; `quickstart`, `attributes_quickstart` and the
protocols of domain generalisation (`dg_...`) are our own. *This page is generated from the code:
`make docs`.*

```bash
reidcore run bot_r50 --root reid-data      # train and test as published
reidcore show config bot_r50               # what it needs, where its weights are, its file
reidcore cp bot_r50 mine.yaml              # a copy to change
```

How to get from a plain softmax to the strongest of these, key by key, is in
[recipes-howto.md](recipes-howto.md).

Published figures are rank 1, mAP and mINP in per cent, without re-ranking, as their authors give
them: nothing here was measured with reidcore. Epochs are those of the main stage: CLIP-ReID learns
prompts before it. Minutes and memory are **estimates**: the
{ASSUMPTIONS}. On one
core of an AMD EPYC, for calibration, training in float32 went at 62 GFLOP/s so counted for
`resnet50`, at 43 for `osnet_x1_0` and at 17 for `osnet_x0_25`: networks of depthwise and small
convolutions are slower than they look, and reading images may take longer than learning from them.
The products of attention are not counted, so that transformers take somewhat more.

Licences of code, of weights and of data are three things, and none of them says anything of the
others.
"""

HEADINGS = (
    "| Recipe | What it is | Published | Epochs x batch | Parameters | Multiply-adds "
    "| Minutes an epoch | Memory |"
)
RULE = "|---|---|---|--:|--:|--:|--:|--:|"
COST_CELLS = 4
SHOWN = ("market1501", "msmt17", "veri")
"""Datasets whose figures are in the table, beside those that a recipe tests on."""


def page(listed: Sequence[Entry], costs: Mapping[str, str]) -> str:
    """Return the page of these recipes: a table of them, and a section each.

    Args:
        listed: the recipes.
        costs: name -> the last cells of its row, as ``cost_cells`` gives them.
    """
    plugins = current_plugins()
    openings = {entry.name: opening_of(entry) for entry in listed}
    configs = {entry.name: load_config(entry.name, plugins=plugins) for entry in listed}
    rows = [
        _row(entry, configs[entry.name], openings[entry.name], costs[entry.name])
        for entry in listed
    ]
    sections = [
        "\n".join(_section(entry, configs[entry.name], openings[entry.name], plugins))
        for entry in listed
    ]
    return "\n".join([INTRODUCTION, HEADINGS, RULE, *rows, "", *sections])


def opening_of(entry: Entry) -> Opening:
    """Return what a recipe's file opens with."""
    return read_opening(recipe_file(entry).read_text(encoding="utf-8"), entry.name)


def cost_cells(name: str, plugins: Plugins) -> str:
    """Return the cells of a recipe's row that say what it costs."""
    cost = training_cost(load_config(name, plugins=plugins), plugins)
    cells = (
        f"{cost.parameters / 1e6:.1f} M",
        f"{cost.multiply_adds / 1e9:.2f} G",
        minutes(cost) if cost.images else "",
        f"{cost.memory / 1e9:.1f} GB",
    )
    return " | ".join(cells)


def _row(entry: Entry, config: Config, opening: Opening, cost: str) -> str:
    published = opening.card.published if opening.card else ()
    shown = [str(each) for each in published if each.target in {*SHOWN, *config.data.targets}]
    cells = (
        f"[`{entry.name}`](#{entry.name})",
        entry.summary,
        "<br>".join(shown),
        f"{config.train.max_epoch} x {config.train.batch_size}",
        cost,
    )
    return f"| {' | '.join(cells)} |"


def _section(entry: Entry, config: Config, opening: Opening, plugins: Plugins) -> Iterator[str]:
    yield f"## {entry.name}\n"
    yield f"{opening.about}\n"
    yield f"* Run: `{opening.command}`, of the plugin `{entry.plugin}`."
    data = config.data
    yield f"* Network: `{config.model.name}` on images of {data.height}x{data.width}."
    if opening.card:
        yield from _labels(opening.card)
    licences = "; ".join(f"`{each.name}`: {each.licence}" for each in datasets_of(config, plugins))
    yield f"* Licence of the data: {licences}."
    yield ""


def _labels(card: RecipeCard) -> Iterator[str]:
    yield f"* Paper: {card.paper}"
    yield f"* Code: <https://{card.code.what}>; licence: {card.code.licence}."
    if card.weights:
        yield f"* Starts from: {card.weights.what}; licence: {card.weights.licence}."
    else:
        yield "* Starts from: random weights."
    if card.published:
        yield f"* Published by {card.published_by}: {_figures(card.published)}."
    else:
        yield f"* Published by: {card.published_by}."
    yield f"* Differs: {card.differs}"


def _figures(published: Sequence[Figures]) -> str:
    return "; ".join(map(str, published))


def main() -> None:
    """Rewrite the page."""
    listed, plugins = entries("configs"), current_plugins()
    costs = {entry.name: cost_cells(entry.name, plugins) for entry in listed}
    PAGE.write_text(page(listed, costs), encoding="utf-8")


if __name__ == "__main__":
    main()
