"""One line that says how far an epoch or a test is, fitted to the terminal's width."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

BAR = 20
SHORT_BAR = 8
GAP = "  "


@dataclass(frozen=True)
class LiveLine:
    """What is under way.

    Attributes:
        label: what it is, such as ``epoch 3/60``.
        done: steps that are done.
        total: steps there are; None if nobody knows.
        eta: how long the rest of the run takes, or empty.
        figures: further figures.
    """

    label: str
    done: int = 0
    total: int | None = None
    eta: str = ""
    figures: str = ""

    def fitted(self, width: int) -> Text:
        """Return the line in at most ``width`` columns.

        Count and time are never cut: figures give way first, then the bar, then the label.
        """
        count = f"{self.done}/{self.total}" if self.total is not None else str(self.done)
        eta = f"eta {self.eta}" if self.eta else ""
        kept = len(GAP.join(part for part in (count, eta) if part))
        room = width - kept - len(GAP)
        bar = self._bar(room - len(self.label) - len(GAP))
        label = _cut(self.label, room - (len(bar) + len(GAP) if bar else 0))
        parts = [(label, "bold"), (bar, "magenta"), (count, "green"), (eta, "cyan")]
        line = Text(GAP).join(Text(text, style) for text, style in parts if text)
        figures = _cut(self.figures, width - line.cell_len - len(GAP))
        return line + Text(GAP + figures) if figures else line

    def _bar(self, room: int) -> str:
        """Return a bar that leaves figures their place, or nothing where there is no room."""
        size = BAR if room >= BAR + len(GAP) + len(self.figures) else SHORT_BAR
        if not self.total or room < size:
            return ""
        filled = round(size * min(1.0, self.done / self.total))
        return "━" * filled + "╌" * (size - filled)


def _cut(text: str, width: int) -> str:
    """Return a text in at most ``width`` columns, with an ellipsis where it was cut."""
    if len(text) <= width:
        return text
    return text[: width - 1] + "…" if width > 1 else ""
