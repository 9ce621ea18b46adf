"""Pictures with what is known of them, side by side."""

from __future__ import annotations

from reid_plugins_report.page import Html, tag

RIGHT, WRONG, ASKED = "right", "wrong", "asked"

_MARKS = {RIGHT: "✓", WRONG: "✗", ASKED: "?"}
_WORDS = {RIGHT: "a match", WRONG: "no match", ASKED: "the query"}


def entry(picture: Html, kind: str, head: str, lines: list[str]) -> Html:
    """Return a picture in a frame that says what it is, in colour, by a mark and in words.

    Args:
        picture: the thumbnail.
        kind: ``RIGHT``, ``WRONG`` or ``ASKED``.
        head: above it, beside the mark.
        lines: below it.
    """
    mark = tag("span", _MARKS[kind], class_="mark", role="img", aria_label=_WORDS[kind])
    return tag(
        "li",
        tag("p", head, " ", mark, class_="head"),
        tag("div", picture, class_="frame"),
        [tag("p", line) for line in lines],
        class_=kind,
    )


def strip(entries: list[Html], label: str) -> Html:
    """Return entries in a row, which scrolls by itself where it is wider than the page."""
    inner = tag("ol", entries, class_="strip")
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=label)
