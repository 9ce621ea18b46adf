"""Features that were made elsewhere, with their labels: npz, npy, CSV and parquet files."""

from __future__ import annotations

from reid_plugins_runs.feature_files.formats import read_columns
from reid_plugins_runs.feature_files.names import standard
from reid_plugins_runs.feature_files.query_gallery import GivenFeatures, Side, read_features

__all__ = ["GivenFeatures", "Side", "read_columns", "read_features", "standard"]
