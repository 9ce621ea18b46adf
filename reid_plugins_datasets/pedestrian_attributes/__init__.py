"""Benchmarks of what pedestrians look like: attributes of images, mostly without identities."""
