"""The documentation runs: each page as one script, from the top, in an empty folder.

Of a page's fences these are run, in their order: ``python`` (in one namespace) and ``bash run``.
``python no-run`` and plain ``bash`` are shown only. ``python peer`` and ``bash peer`` need somebody
else's package, or are for one: `tests/peers` runs them. A file name in bold above a ``python`` or
``toml`` block makes the block that file.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.M | re.S)
BOLD_FILE = re.compile(r"\*\*(?P<name>[\w.]+\.(py|toml))\*\*\s*$")
RUN, PEER = ("python", "bash run"), ("python peer", "bash peer")

# Runs the blocks of a page that it reads as JSON from standard input.
RUNNER = """
import json, subprocess, sys
namespace = {"__name__": "__main__"}
for place, kind, text in json.load(sys.stdin):
    print(f"--- {place}", file=sys.stderr, flush=True)
    if kind == "python":
        exec(compile(text, place, "exec"), namespace)
    else:
        subprocess.run(["bash", "-euo", "pipefail", "-c", text], check=True)
"""


class Block(NamedTuple):
    """A fenced block: where it begins, what stands behind its fence, its text, its file."""

    place: str
    info: str
    text: str
    file: str | None


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    found = []
    for match in FENCE.finditer(text):
        named = BOLD_FILE.search(text[: match.start()])
        line = text.count("\n", 0, match.start()) + 1
        file = named["name"] if named else None
        found.append(Block(f"{page.name}:{line}", match["info"].strip(), match["text"], file))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_fence_is_of_a_known_kind(page) -> None:
    shown = {"bash", "json", "mermaid", "text", "toml", "yaml"}
    known = {*shown, "python no-run", *RUN, *PEER}
    assert {block.info for block in blocks(page)} <= known
    assert page.read_text().count("```") == 2 * len(blocks(page))


def test_blocks_that_are_shown_only_stay_rare() -> None:
    shown = [block for page in PAGES for block in blocks(page) if block.info == "python no-run"]
    assert len(shown) <= 3
    for block in shown:
        compile(block.text, block.place, "exec")


def test_blocks_that_need_a_peer_are_on_pages_that_the_peers_run() -> None:
    peers = [block for page in PAGES for block in blocks(page) if block.info in PEER]
    for block in peers:
        if block.info == "python peer":
            compile(block.text, block.place, "exec")
    assert {block.place.partition(":")[0] for block in peers} == {"trackers.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_runs_from_top_to_bottom(page, tmp_path) -> None:
    if not any(block.info in RUN for block in blocks(page)):
        pytest.skip("nothing to run on this page")
    run_page(page, tmp_path)


def run_page(page: Path, folder: Path, kinds: Collection[str] = RUN, timeout: float = 280) -> None:
    """Run the blocks of a page that are of some kinds, in a folder, within some seconds."""
    script = [
        (block.place, block.info.split()[0], block.text)
        for block in blocks(page)
        if block.info in kinds
    ]
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.text)
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": programs, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(script),
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
        timeout=timeout,
    )
    assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page) -> None:
    text = re.sub(r"`[^`\n]*`", "", page.read_text())  # a regular expression may look like a link
    links = [link for link in re.findall(r"\]\(([^)\s]+)", text) if "://" not in link]
    for link in links:
        file, _, heading = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    """Return what a page's headings are called in links, as GitHub calls them."""
    text = FENCE.sub("", page.read_text())
    titles = re.findall(r"^#+ (.*)$", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text), re.M)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def test_the_readme_links_every_page() -> None:
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)", (ROOT / "README.md").read_text()))
    assert linked == {page.name for page in PAGES} - {"README.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_command_lines_name_real_commands_and_recipes(page) -> None:
    from reidcore import registry
    from reidcore.cli.app import COMMANDS
    from reidcore.cli.installed import installed_below

    installed = installed_below("", {})
    commands = {*COMMANDS, *installed.commands, *installed.groups}
    recipes = {entry.name for entry in registry.entries("configs")}
    for block in blocks(page):
        if not block.info.startswith("bash"):
            continue
        for line in re.findall(r"^reidcore .*$", block.text, re.M):
            words = re.sub(r"( -p| --plugin| --no-plugin) \S+", "", line).split()[1:]
            command, *rest = [word for word in words if not word.startswith("--")]
            assert command in commands, f"{block.place}: {line}"
            if command == "run" and rest and re.fullmatch(r"\w+", rest[0]):
                assert rest[0] in recipes, f"{block.place}: {line}"
