import numpy as np
import numpy.typing as npt

def resize(
    source: npt.NDArray[np.uint8], target: npt.NDArray[np.uint8], columns_first: bool
) -> None: ...
def planes(
    images: npt.NDArray[np.uint8], table: npt.NDArray[np.float32], target: npt.NDArray[np.float32]
) -> None: ...
