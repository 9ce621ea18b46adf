"""``python -m reidcore``, which ``torchrun -m reidcore`` uses too."""

from __future__ import annotations

from reidcore.cli import main

if __name__ == "__main__":
    main()
