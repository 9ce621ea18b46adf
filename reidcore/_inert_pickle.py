"""Pickles read without calling what they name: a pickle module for ``torch.load``.

Tensors, containers and plain values come out as they are. Everything else that a pickle names (a
class, a function) becomes a placeholder, which keeps what it is called or filled with as data.
Nothing is imported by name, and only functions known beforehand are called: those that rebuild
tensors and numpy's scalars. The machine is the standard library's, in Python, with its operations
replaced that find, call or restore an object.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from typing import IO, Any, ClassVar

import numpy as np
import torch

_MACHINE: Any = pickle._Unpickler

# Nothing but an attack names these.
_HARMFUL = {"os", "posix", "nt", "sys", "subprocess", "importlib", "runpy", "pty", "shutil"} | {
    f"{module}.{name}"
    for module in ("builtins", "__builtin__")
    for name in ("eval", "exec", "execfile", "compile", "open", "breakpoint", "__import__")
}


class AsksToRunError(pickle.UnpicklingError):
    """A pickle names what only an attack needs; its argument is that name."""


class Placeholder:
    """What stands for something that was not loaded.

    Attributes:
        name: the class or function that the file names.
        parts: what it was called and filled with, as data.
    """

    def __init__(self, name: str, *parts: Any) -> None:
        self.name = name
        self.parts = list(parts)

    def append(self, part: Any) -> None:
        """Keep an item of what was a list or a set."""
        self.parts.append(part)

    add = append

    def __setitem__(self, key: Any, value: Any) -> None:
        self.parts += [key, value]

    def __repr__(self) -> str:
        return f"<{self.name}, not loaded>"


class Unpickler(_MACHINE):  # type: ignore[misc]
    """Reads one pickle; ``torch.load`` adds how a storage is found."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a known function or type, or the placeholder of that name."""
        full = f"{module}.{name}"
        if _HARMFUL & {module.partition(".")[0], full}:
            raise AsksToRunError(full)
        return _KNOWN.get(full) or Placeholder(full)

    def _call(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        if isinstance(function, Placeholder):
            self.stack[-1] = Placeholder(function.name, *arguments)
        elif any(function is known for known in _CALLED):
            self.stack[-1] = function(*arguments)
        else:
            raise pickle.UnpicklingError(f"it calls a {type(function).__name__}")

    def _restore(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Placeholder):
            target.append(state)
        elif isinstance(target, np.dtype):
            if state[1] not in ("<", "|", "="):  # its byte order; the rest was in the call
                raise pickle.UnpicklingError("it holds numbers of another byte order")
        elif type(target) is not OrderedDict:  # a state dict's versions, which nobody reads
            raise pickle.UnpicklingError(f"it fills a {type(target).__name__}")

    def _persistent(self) -> None:
        saved = self.stack.pop()
        if isinstance(saved, tuple) and saved[:1] in (("module",), (b"module",)):
            self.append(saved[1])  # a network's class, whose source torch would look for
        else:
            self.append(self.persistent_load(saved))

    def _bytearray(self) -> None:
        # As bytes: the original sets aside as much memory as the file asks for.
        self.append(self.read(int.from_bytes(self.read(8), "little")))

    def _refuse(self) -> None:
        raise pickle.UnpicklingError("it uses what torch.save does not")

    dispatch: ClassVar[dict[int, Any]] = {
        **_MACHINE.dispatch,
        **dict.fromkeys(b"".join((pickle.REDUCE, pickle.NEWOBJ)), _call),
        pickle.BUILD[0]: _restore,
        pickle.BINPERSID[0]: _persistent,
        pickle.BYTEARRAY8[0]: _bytearray,
        **dict.fromkeys(
            b"".join((pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX, pickle.PERSID))
            + b"".join((pickle.EXT1, pickle.EXT2, pickle.EXT4))
            + b"".join((pickle.NEXT_BUFFER, pickle.READONLY_BUFFER)),
            _refuse,
        ),
    }


def load(file: IO[bytes], **options: Any) -> Any:
    """Read one pickle, as ``pickle.load`` does."""
    return Unpickler(file, **options).load()


def placeholders_in(tree: Any) -> list[str]:
    """Return the names of what was not loaded, in nested containers and placeholders."""
    seen: dict[int, Any] = {}
    left = [tree]
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            left += value
        elif isinstance(value, Placeholder):
            left += value.parts
    return list(dict.fromkeys(v.name for v in seen.values() if isinstance(v, Placeholder)))


def _encoded(text: str, _encoding: str = "latin1") -> bytes:
    """Return bytes, which protocol 2 spells as text."""
    return text.encode("latin1")


_scalar: Any = np.float64(0).__reduce__()[0]
_CALLED: dict[Any, tuple[str, ...]] = {
    OrderedDict: ("collections.OrderedDict",),
    set: ("builtins.set", "__builtin__.set"),
    torch.Size: ("torch.Size",),
    torch.device: ("torch.device",),
    _encoded: ("_codecs.encode",),
    np.dtype: ("numpy.dtype",),
    _scalar: ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"),
    torch._utils._rebuild_tensor: ("torch._utils._rebuild_tensor",),
    torch._utils._rebuild_tensor_v2: ("torch._utils._rebuild_tensor_v2",),
    torch._utils._rebuild_parameter: ("torch._utils._rebuild_parameter",),
}
_KNOWN: dict[str, Any] = {
    **{name: function for function, names in _CALLED.items() for name in names},
    **{str(value): value for value in vars(torch).values() if isinstance(value, torch.dtype)},
}
