"""The rules of the benchmarks, a file each."""
