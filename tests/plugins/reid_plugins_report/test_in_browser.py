"""Pages as a browser shows them: nothing fails, no network is asked, everything can be reached."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from reid_plugins_report.build import build_page, write_page
from reid_plugins_report.evidence import Evidence
from reid_plugins_report.report import ReportedTarget, read_report

from reidcore.testing import make_plugins

HOSTILE = "<script>window.hacked=1</script>\"'><img src=x onerror='window.hacked=1'>"

# The least contrast of text with what is behind it, and the text that has it. A background that is
# see-through lets that of its parent through; what is within a picture is not looked at.
CONTRAST = """
(() => {
  const parsed = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parsed(colour).map((level) => {
      const share = level / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if ((parsed(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  let least = [Infinity, ""];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || element.closest("script, style")) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const own = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [a, b] = [light(own), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least[0]) least = [ratio, walk.currentNode.textContent.trim().slice(0, 60)];
  }
  return least;
})()
"""


@pytest.fixture(scope="module")
def page(tested_folder, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    with make_plugins() as made:
        write_page(build_page(read_report(tested_folder, "pca"), made), path)
    return path


@pytest.fixture(scope="module")
def hostile_page(tested_folder, tmp_path_factory) -> Path:
    """A page of a run in which every text that comes from outside is an attack."""
    report = read_report(tested_folder, "pca")
    (target,) = report.targets
    arrays = {
        name: np.full(array.shape, HOSTILE) if array.dtype.kind == "U" else array
        for name, array in target.evidence._arrays.items()
    }
    facts = {**target.evidence.facts, "unit": HOSTILE, "metric": HOSTILE}
    figures = {
        **target.figures,
        "figures": {HOSTILE: 0.5},
        "conditions": {HOSTILE: HOSTILE, "draws": {HOSTILE: [HOSTILE]}},
    }
    hostile = ReportedTarget(HOSTILE, figures, Evidence(facts, arrays))
    results = {
        **report.results,
        "config": {"model": {"name": HOSTILE}, HOSTILE: f"</pre>{HOSTILE}"},
        "versions": {HOSTILE: HOSTILE},
        "plugins": [{"name": HOSTILE, "distribution": HOSTILE}],
        "dataset": {HOSTILE: {HOSTILE: HOSTILE}},
        "device": HOSTILE,
    }
    history = [{**entry, HOSTILE: 1.0} for entry in report.history]
    tests = [{**line, "target": HOSTILE} for line in report.tests]
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    attacked = replace(
        report,
        targets=[hostile, replace(hostile, name=f"{HOSTILE} again")],
        results=results,
        history=history,
        tests=tests,
        faults=[HOSTILE],
    )
    with make_plugins() as made:
        write_page(build_page(attacked, made), path)
    return path


def complaints(browser) -> list[str]:
    told = [event["entry"]["text"] for event in browser.told("Log.entryAdded")]
    told += [str(event["exceptionDetails"]) for event in browser.told("Runtime.exceptionThrown")]
    return told + [str(event["args"]) for event in browser.told("Runtime.consoleAPICalled")]


def asked_for(browser) -> list[str]:
    """The first characters of what was loaded, but pictures within the page."""
    urls = [event["request"]["url"] for event in browser.told("Network.requestWillBeSent")]
    return [url[:80] for url in urls if not url.startswith("data:image/jpeg;base64,")]


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_whole_and_fits_and_can_be_read(browser, page, width, scheme) -> None:
    browser.open(page, width, scheme=scheme)
    assert asked_for(browser) == [page.resolve().as_uri()[:80]]
    browser.value("for (const each of document.querySelectorAll('details')) each.open = true")
    # Pictures that are out of sight are not decoded yet.
    browser.value(
        "Promise.all([...document.images].map((each) => {"
        " each.loading = 'eager'; return each.decode(); }))"
    )
    sizes = browser.value("[...document.images].map((each) => each.naturalWidth)")
    assert len(sizes) > 20
    assert min(sizes) > 0
    assert browser.value("document.documentElement.scrollWidth") == width
    cards = "[...document.querySelectorAll('main .card')]"
    assert browser.value(f"{cards}.every((each) => each.scrollWidth <= each.clientWidth + 1)")
    ratio, text = browser.value(CONTRAST)
    assert ratio >= 4.5, text
    assert complaints(browser) == []


def test_it_can_be_reached_by_keys_alone(browser, page) -> None:
    browser.open(page, 1440)
    order = []
    for _ in range(400):
        browser.press("Tab")
        place = "[document.activeElement.tagName, document.activeElement.className.baseVal ?? '', "
        place += "getComputedStyle(document.activeElement).outlineStyle]"
        tag, kind, outline = browser.value(place)
        if tag == "BODY":
            break
        assert outline != "none", (tag, kind)
        order.append(f"{tag}.{kind}" if kind else tag)
    assert order[0] == "A"  # what leads past the contents
    charts = browser.value("document.querySelectorAll('svg.chart').length")
    assert order.count("svg.chart") == charts > 5
    assert order.count("INPUT") == 1  # one choice, walked by arrows
    assert "SUMMARY" in order


def test_a_chart_tells_its_values_under_keys_and_pointer(browser, page) -> None:
    browser.open(page, 1440)
    browser.value("document.querySelector('svg.chart').focus()")
    tip = "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent"
    assert browser.value(tip) == ""
    browser.press("ArrowRight")
    first = browser.value(tip)
    assert first.startswith("rank: 1\nqueries (%): ")
    browser.press("ArrowRight")
    assert browser.value(tip).startswith("rank: 2\n")
    browser.press("Escape")
    assert browser.value(tip) == ""
    # To the middle of the map, where a picture comes with the words.
    x, y = browser.value(
        "(() => { const map = document.querySelector('.map svg');"
        " map.scrollIntoView({behavior: 'instant'});"
        " const box = map.getBoundingClientRect();"
        " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
    )
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert browser.value(tip).startswith("identity ")
    assert browser.value("document.querySelectorAll('#tip canvas').length") == 1
    same = "document.querySelectorAll('.dots.lifted .same').length"
    assert (
        0 < browser.value(same) < browser.value("document.querySelectorAll('.dots circle').length")
    )
    assert complaints(browser) == []


def test_the_map_is_coloured_by_what_is_chosen(browser, page) -> None:
    browser.open(page, 1440)
    kinds = (
        "[...document.querySelectorAll('.dots circle')].map((each) =>"
        " [...each.classList].filter((name) => /^p\\d$/.test(name)).join())"
    )
    before = browser.value(kinds)
    browser.value("document.querySelectorAll('.map input')[1].click()")
    after = browser.value(kinds)
    assert set(before) == {f"p{number}" for number in range(len(set(before)))}
    assert after != before
    assert all(len(kind) == 2 for kind in after)


def test_it_has_headings_landmarks_and_names(browser, page) -> None:
    browser.open(page, 1440)
    levels = browser.value(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    nodes = browser.ask("Accessibility.getFullAXTree")["nodes"]
    roles = [
        (node["role"]["value"], node.get("name", {}).get("value"))
        for node in nodes
        if not node["ignored"]
    ]
    assert {"banner", "main", "navigation"} <= {role for role, _ in roles}
    nameless = [
        role for role, name in roles if role in ("image", "link", "radio", "region") and not name
    ]
    assert nameless == []


def test_names_from_outside_are_text(browser, hostile_page) -> None:
    browser.open(hostile_page, 390)
    assert browser.value("window.hacked === undefined")
    assert (
        browser.value("document.querySelectorAll('img:not([src^=\"data:\"]), [onerror]').length")
        == 0
    )
    assert browser.value("document.scripts.length") == 1
    assert browser.value("document.querySelector('h1').textContent") == HOSTILE
    browser.value("document.querySelector('.map svg').focus()")
    browser.press("ArrowRight")
    assert HOSTILE in browser.value("document.getElementById('tip').textContent")
    assert browser.value("document.documentElement.scrollWidth") == 390
    assert complaints(browser) == []
    assert asked_for(browser) == [hostile_page.resolve().as_uri()[:80]]


def test_it_prints_without_its_navigation(browser, page) -> None:
    browser.open(page, 1440)
    browser.ask("Emulation.setEmulatedMedia", media="print")
    assert browser.value("getComputedStyle(document.querySelector('nav')).display") == "none"
    printed = browser.ask("Page.printToPDF", printBackground=True)["data"]
    assert len(printed) > 50_000
