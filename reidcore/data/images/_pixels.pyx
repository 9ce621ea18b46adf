# cython: language_level=3, boundscheck=False, wraparound=False
"""Pixels in bulk, without the GIL."""

from libc.stdint cimport int64_t, uint8_t

cdef extern from "_resample.h" nogil:
    int reid_resize(const uint8_t *, int, int, uint8_t *, int, int, int)
    void reid_planes(const uint8_t *, int64_t, const float *, float *)


def resize(const uint8_t[:, :, ::1] source, uint8_t[:, :, ::1] target, bint columns_first):
    """Resize an image (h, w, 3) into another (height, width, 3), to Pillow's pixels.

    Pillow has two passes, and not in all its versions in the same order.
    """
    if source.shape[2] != 3 or target.shape[2] != 3 or not source.size or not target.size:
        raise ValueError("images (h, w, 3) are needed")
    cdef int failed
    with nogil:
        failed = reid_resize(&source[0, 0, 0], source.shape[0], source.shape[1],
                             &target[0, 0, 0], target.shape[0], target.shape[1], columns_first)
    if failed:
        raise MemoryError


def planes(const uint8_t[:, :, ::1] images, const float[:, ::1] table, float[:, :, ::1] target):
    """Write images (B, pixels, 3) as floats (B, 3, pixels), by a table (3, 256)."""
    cdef int64_t image
    if (table.shape[0] != 3 or table.shape[1] != 256 or images.shape[2] != 3
            or target.shape[0] != images.shape[0] or target.shape[1] != 3
            or target.shape[2] != images.shape[1]):
        raise ValueError("the shapes do not go together")
    if not images.size:
        return
    with nogil:
        for image in range(images.shape[0]):
            reid_planes(&images[image, 0, 0], images.shape[1], &table[0, 0],
                        &target[image, 0, 0])
