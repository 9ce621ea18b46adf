"""The whole page: one file with style, script and pictures in it; it asks nothing of a network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from reid_plugins_report.page.html import Html, tag
from reid_plugins_report.page.section import Section


@dataclass(frozen=True)
class Chapter:
    """Sections that belong together.

    Attributes:
        title: such as the name of a target.
        sections: in the order in which they are shown.
    """

    title: str
    sections: Sequence[Section]


def document(title: str, subtitle: str, head: Html, chapters: Sequence[Chapter]) -> str:
    """Return the page.

    Args:
        title: of the page.
        subtitle: what it is about, in a line.
        head: what stands above all chapters.
        chapters: their titles differ.
    """
    ids = _Ids()
    navigation, parts = [], []
    for chapter in chapters:
        links, sections = [], []
        for section in chapter.sections:
            name = ids.of(f"{chapter.title} {section.title}")
            links.append(tag("li", tag("a", section.title, href=f"#{name}")))
            sections.append(_section(section, name))
        name = ids.of(chapter.title)
        entry = tag("li", tag("a", chapter.title, href=f"#{name}"), tag("ul", links))
        navigation.append(entry)
        heading = tag("h2", chapter.title, id=f"{name}-title")
        parts.append(
            tag(
                "section",
                heading,
                sections,
                id=name,
                class_="chapter",
                aria_labelledby=f"{name}-title",
            )
        )
    body = tag(
        "body",
        tag("a", "Skip to the results", href="#results", class_="skip"),
        tag(
            "header",
            tag("p", "Re-identification report", class_="kicker"),
            tag("h1", title),
            tag("p", subtitle, class_="subtitle"),
        ),
        tag("nav", tag("ul", navigation), aria_label="Contents"),
        tag("main", head, parts, id="results", tabindex="-1"),
        tag("div", id="tip", role="status", hidden=True),
        tag("script", Html(_asset("report.js"))),
    )
    return f"<!doctype html>\n{tag('html', _head(title), body, lang='en')}\n"


def _section(section: Section, name: str) -> Html:
    lead = tag("p", section.lead, class_="lead") if section.lead else None
    heading = tag("h3", section.title, id=f"{name}-title")
    return tag("section", heading, lead, section.body, id=name, aria_labelledby=f"{name}-title")


def _head(title: str) -> Html:
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(style)),
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


class _Ids:
    """Names of places in the page, each once."""

    def __init__(self) -> None:
        self._taken = {"results", "tip"}

    def of(self, text: str) -> str:
        plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"
        name = next(each for each in self._candidates(plain) if each not in self._taken)
        self._taken.add(name)
        return name

    @staticmethod
    def _candidates(plain: str) -> Iterable[str]:
        yield plain
        number = 2
        while True:
            yield f"{plain}-{number}"
            number += 1
