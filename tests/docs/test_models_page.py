"""The table of docs/models.md names every model, with what it costs and where weights come from."""

from __future__ import annotations

import json
import lzma
from types import ModuleType

import pytest

from reidcore.models import ModelSummary, summarize
from reidcore.models.reid_model import USUAL_SIZE
from reidcore.registry import entries


@pytest.fixture(scope="module")
def generator(load_script) -> ModuleType:
    return load_script("docs/generate/models.py")


@pytest.fixture(scope="module")
def summaries(checkout) -> dict[str, ModelSummary]:
    """What the models cost: as the parity test holds them to, and measured where that has none."""
    packed = (checkout / "tests" / "fixtures" / "models" / "models.json.xz").read_bytes()
    known = {
        name: ModelSummary(
            name,
            *wanted["input"],
            *(wanted[key] for key in ("params_test_time", "flops", "flops_all_layers")),
            wanted["feature_shape"][1],
        )
        for name, wanted in json.loads(lzma.decompress(packed)).items()
        # The reference looks at some on other images than the page does.
        if tuple(wanted["input"]) == USUAL_SIZE or name == "hacnn"
    }
    names = [entry.name for entry in entries("models")]
    return {name: known.get(name) or summarize(name) for name in names}


def test_the_page_is_the_one_that_make_docs_would_write(generator, summaries) -> None:
    page = generator.PAGE.read_text(encoding="utf-8")
    assert page == generator.rewritten(page, generator.table(entries("models"), summaries))
    assert page.count(generator.BEGIN) == page.count(generator.END) == 1


def test_what_is_measured_is_what_the_parity_test_holds(summaries) -> None:
    assert summarize("osnet_x0_25") == summaries["osnet_x0_25"]
