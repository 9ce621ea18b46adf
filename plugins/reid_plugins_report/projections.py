"""From many dimensions to two, for the map of the embeddings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from reid_plugins_report.evidence.parts import Floats
from reidcore.errors import UserError

SEED = 0
_PERPLEXITY = 30.0  # as van der Maaten and Hinton advise between 5 and 50


@dataclass(frozen=True)
class Projection:
    """A way to draw a map.

    Attributes:
        name: as people call it.
        module: what must be installed; empty for nothing.
        package: what brings it.
        compute: (n, d) features in, (n, 2) places out.
    """

    name: str
    module: str
    package: str
    compute: Callable[[Any], Any]

    def places(self, features: Floats) -> Floats:
        """Return (n, 2) places of (n, d) features.

        Those of a model that tells nothing apart are one point: t-SNE of equal features ends the
        process. Others are brought to one scale, on which no map depends and no square is lost.
        """
        span = float(np.abs(features).max())
        if not np.ptp(features, axis=0).any() or not np.isfinite(span):
            return np.zeros((len(features), 2))
        return np.asarray(self.compute(features / span), dtype=np.float64)


def _tsne(features: Floats) -> Floats:
    """Van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008."""
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(features) - 1) / 3)
    start = _pca(features)
    start = start / (start[:, 0].std() or 1.0) * 1e-4  # as init="pca" does, of any dimension
    made = TSNE(2, perplexity=perplexity, init=start, random_state=SEED, n_jobs=1)
    return np.asarray(made.fit_transform(features))


def _umap(features: Floats) -> Floats:
    """McInnes et al., "UMAP: Uniform Manifold Approximation and Projection", 2018."""
    from umap import UMAP

    neighbours = min(15, len(features) - 1)
    made = UMAP(n_neighbors=neighbours, random_state=SEED, n_jobs=1)
    return np.asarray(made.fit_transform(features))


def _pca(features: Floats) -> Floats:
    """The first two of the components that the features come in."""
    return np.pad(features, ((0, 0), (0, 2)))[:, :2]


METHODS = {
    "tsne": Projection("t-SNE", "sklearn", "reidcore[report]", _tsne),
    "umap": Projection("UMAP", "umap", "umap-learn", _umap),
    "pca": Projection("PCA", "", "", _pca),
}


def choose_projection(asked: str) -> Projection:
    """Return a projection; ``auto`` is t-SNE where scikit-learn is installed, else PCA.

    Raises:
        UserError: if what it needs is not installed.
    """
    name = asked if asked != "auto" else "tsne" if find_spec("sklearn") else "pca"
    chosen = METHODS[name]
    if chosen.module and find_spec(chosen.module) is None:
        raise UserError(
            f"--map {name} needs {chosen.module}, which is not installed",
            f'Install it: pip install "{chosen.package}", or take --map pca.',
        )
    return chosen
