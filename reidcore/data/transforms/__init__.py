"""The transforms of images: those that training may ask for by name, and how they are put together.

A transform factory ``(height, width, **section)`` returns a callable. Where it acts is said by two
attributes of that callable, see `reidcore.data.transforms.compose`; a plain function acts on the
resized PIL image, after the core's.
"""
