"""Archives of datasets: fetched, unpacked safely, put where the readers look."""
