"""From image files to pixels, and those kept that are asked for again."""
