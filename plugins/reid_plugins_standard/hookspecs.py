"""The hooks that this package publishes, for other plugins to implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookspec

if TYPE_CHECKING:
    from reidcore.registry import Registrar


@hookspec
def reid_register_test_time(registry: Registrar) -> None:
    """Register test-time steps, which ``settings.standard.test_time`` lists: ``target(**options)``.

    A step has one or more of these methods, by which it is known where it may stand:

    * ``extract(features_of, images)``: features ``(B, D)`` of images ``(B, 3, h, w)``, normalised;
      ``features_of(images)`` is the model, with the steps before this one.
    * ``transform(query, gallery, setting)``: the features ``(Q, D)`` and ``(G, D)`` of a whole
      test, transformed alike; ``setting.labels`` are theirs, ``setting.train_features()`` those
      ``(T, D)`` of the training images.
    * ``measure(distances, query, gallery)``: `Distances` ``(Q, G)``; ``distances(query, gallery)``
      gives those of the test's metric.

    When: steps are made, as ``settings.standard.test_time`` asks for them. Stop rule: none.
    Stability: provisional.

    Args:
        registry: ``registry.add("center", "my_package.steps:Center", summary="no mean")``.
    """
