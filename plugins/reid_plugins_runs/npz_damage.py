"""What numpy's reading of arrays from outside may raise, whichever file somebody gave."""

from __future__ import annotations

import zipfile
import zlib

__all__ = ["DAMAGE"]

# Objects are never unpickled (ValueError). RuntimeError: an archive is encrypted, or packed in a
# way that Python does not know. MemoryError: a header claims more numbers than there are.
DAMAGE = (ValueError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""Raised by ``numpy.load`` of a file that is damaged, of another format or not to be trusted."""
