"""A contract that a check holds a component to, and the error of one that breaks it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from unittest import SkipTest

from reidcore.data import generators_kept, seed_generators

if TYPE_CHECKING:
    from reid_plugins_scaffold.conformance.base import Conformance

PAGE = "docs/contracts.md"

Checked = TypeVar("Checked", bound="Conformance")


@dataclass(frozen=True)
class Contract:
    """What a check is about.

    Attributes:
        rule: what a component does that keeps it.
        remedy: what its author does if it does not.
    """

    rule: str
    remedy: str


class Broken(Exception):
    """Raised inside a check: what the component did instead."""


class NotApplicable(SkipTest):
    """Raised inside a check that says nothing about this component; pytest reports a skip."""


class BrokenContractError(AssertionError):
    """A component breaks a contract.

    Attributes:
        subject: the component with its plugin.
        found: what it did.
        contract: what it should have done.
        place: where that is documented.
    """

    def __init__(self, subject: str, found: str, contract: Contract, place: str) -> None:
        self.subject, self.found, self.contract, self.place = subject, found, contract, place
        super().__init__(
            f"{subject} {found}\n"
            f"  contract: {contract.rule}\n"
            f"  documented: {place}\n"
            f"  to do: {contract.remedy}"
        )


def contract(
    rule: str, remedy: str
) -> Callable[[Callable[[Checked], None]], Callable[[Checked], None]]:
    """Make a method of a conformance class the check of a contract (a decorator).

    The check runs among the class's plugins, from the same seed each time, and leaves the random
    generators as they were. Whatever it raises is told as this contract broken, but for
    `NotApplicable`.

    Args:
        rule: what a component does that keeps the contract.
        remedy: what its author does if it does not.
    """

    def decorate(check: Callable[[Checked], None]) -> Callable[[Checked], None]:
        @functools.wraps(check)
        def checked(self: Checked) -> None:
            try:
                with self.plugin_set, generators_kept():
                    seed_generators(0)
                    check(self)
            except SkipTest:
                raise
            except Broken as error:
                raise self.broken(str(error), checked.contract) from None  # type: ignore[attr-defined]
            except (Exception, SystemExit) as error:
                found = _told(self.subject, error)
                raise self.broken(found, checked.contract) from error  # type: ignore[attr-defined]

        checked.contract = Contract(rule, remedy)  # type: ignore[attr-defined]
        return checked

    return decorate


def _told(subject: str, error: BaseException) -> str:
    """Return what an error says of the component; the core's own checks begin with its name."""
    what = str(getattr(error, "what", error))
    if what.startswith(f"{subject} "):
        return what.removeprefix(f"{subject} ")
    return f"raised {type(error).__name__}: {error}"


def contract_of(check: Any) -> Contract:
    """Return the contract of a check."""
    found: Contract = check.contract
    return found
