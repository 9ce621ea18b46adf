"""The cache of decoded and resized images: in memory or on disk, shared by all worker processes."""
