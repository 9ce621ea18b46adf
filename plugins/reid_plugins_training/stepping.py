"""Listening to the steps that an optimizer really takes, whoever calls for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reidcore.errors import UserError

if TYPE_CHECKING:
    from torch.optim import Optimizer


def _nothing() -> None:
    pass


class StepListener:
    """Calls functions before and after each step of an optimizer.

    A step that a gradient scaler leaves out, since gradients are infinite, is none.

    Args:
        optimizer: listened to until `close`, or until another is to be followed.
        before: called when its gradients are complete and unscaled.
        after: called when the weights are updated.
        is_scaled: a gradient scaler may leave steps out. A fused optimizer is called all the same,
            and looks at the verdict itself; so does this, which waits for the device.

    Raises:
        UserError: if it takes no notice of listeners, as one that leaves out
            ``torch.optim.Optimizer.__init__``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        before: Callable[[], object] = _nothing,
        after: Callable[[], object] = _nothing,
        is_scaled: bool = False,
    ) -> None:
        self._before, self._after = before, after
        self._is_scaled = is_scaled
        self._listen(optimizer)

    def follow(self, optimizer: Optimizer) -> None:
        """Listen to an optimizer from here on, such as that of a run's next stage.

        Raises:
            UserError: as at first.
        """
        if optimizer is not self._optimizer:
            self.close()
            self._listen(optimizer)

    def close(self) -> None:
        """Stop listening."""
        for handle in self._handles:
            handle.remove()

    def _listen(self, optimizer: Optimizer) -> None:
        if not getattr(type(optimizer).step, "hooked", False):
            raise UserError(
                f"{type(optimizer).__name__} does not tell when it steps, as torch's optimizers do",
                "Choose another optimizer, or call super().__init__() in its own.",
            )
        self._optimizer, self._depth = optimizer, 0
        self._handles = [
            optimizer.register_step_pre_hook(self._begin),
            optimizer.register_step_post_hook(self._end),
        ]

    def _begin(self, optimizer: Optimizer, *_: Any) -> None:
        # A subclass whose step calls its parent's is heard twice; a step that failed, such as in a
        # closure, has no end.
        self._depth = self._depth + 1 if _may_be_nested(optimizer) else 1
        if self._depth == 1:
            self._before()

    def _end(self, optimizer: Optimizer, *_: Any) -> None:
        self._depth -= 1
        is_left_out = self._is_scaled and bool(getattr(optimizer, "found_inf", False))
        if self._depth == 0 and not is_left_out:
            self._after()


def _may_be_nested(optimizer: Optimizer) -> bool:
    """Say whether several of an optimizer's classes have a step that tells of itself."""
    steps = [vars(each).get("step") for each in type(optimizer).__mro__]
    return [getattr(step, "hooked", False) for step in steps].count(True) > 1
