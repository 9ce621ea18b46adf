from typing import Any

import numpy as np
import numpy.typing as npt

HAS_OPENMP: bool
TILE: int

def kernels() -> list[str]: ...
def count_rows(
    rows: npt.NDArray[np.floating[Any]],
    limits: npt.NDArray[np.floating[Any]],
    first: npt.NDArray[np.int64],
    strict: bool,
    threads: int,
) -> npt.NDArray[np.int64]: ...

class FeatureScan:
    @property
    def is_filtered(self) -> bool: ...
    def __init__(
        self,
        queries: npt.NDArray[np.float32],
        gallery: npt.NDArray[np.float32],
        cosine: bool,
        threads: int,
        kernel: int = 0,
    ) -> None: ...
    def keys(
        self, first: npt.NDArray[np.int64], items: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]: ...
    def counts(
        self, limits: npt.NDArray[np.float32], first: npt.NDArray[np.int64], strict: bool
    ) -> npt.NDArray[np.int64]: ...
