"""Features that were made elsewhere, with their labels: npz, npy, CSV and parquet files."""
