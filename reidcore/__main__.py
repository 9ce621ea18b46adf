"""``python -m reidcore``, which ``torchrun -m reidcore`` uses too."""

from __future__ import annotations

import sys

try:
    from reidcore.cli import main
except KeyboardInterrupt:  # while modules are loaded: most of a start
    sys.exit(130)

if __name__ == "__main__":
    main()
