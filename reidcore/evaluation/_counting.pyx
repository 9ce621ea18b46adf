# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Counts gallery items within limits, without the GIL and on several threads.

Counts are integers added up, so that neither the number of threads nor their order matters.
"""

from cython.parallel cimport prange, threadid
from cython cimport floating
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int16_t, int32_t, int64_t

import numpy as np

cdef extern from "_kernel.h" nogil:
    int REID_TILE
    ctypedef struct reid_block:
        const float *vectors
        const float *scales
        const float *biases
        int size
        float *values
        int16_t *codes
        float *steps
        float *norms
        float *errors
    ctypedef struct reid_job:
        const reid_block *panel
        const reid_block *tile
        ptrdiff_t dim
        const float *limits
        const int64_t *first
        int strict
        int32_t *counts
    ctypedef struct reid_kernel:
        const char *name
        int rows
        int strip
        void (*keys)(const reid_block *, const reid_block *, ptrdiff_t, const int64_t *,
                     const int64_t *, ptrdiff_t, float *) noexcept nogil
        int64_t (*count)(const reid_job *) noexcept nogil
        int64_t (*filter)(const reid_job *) noexcept nogil
    const reid_kernel *reid_kernel_at(int index)
    void reid_measure(const float *, ptrdiff_t, int, float *, float *)
    void reid_pack_values(const reid_block *, ptrdiff_t, int, int)
    void reid_pack_codes(const reid_block *, ptrdiff_t, int, int)

cdef extern from *:
    """
    #ifdef _OPENMP
    #define REID_OPENMP 1
    #else
    #define REID_OPENMP 0
    #endif
    """
    int REID_OPENMP

HAS_OPENMP = bool(REID_OPENMP)
cdef enum:
    MOST_LIMITS = 40  # of a query: with more, bounding keys costs what their codes save
TILE = REID_TILE


def kernels():
    """Return the names of the kernels that this processor can run, fastest first."""
    names = []
    while reid_kernel_at(len(names)) != NULL:
        names.append(reid_kernel_at(len(names)).name.decode())
    return names


def count_rows(const floating[:, ::1] rows, const floating[::1] limits,
               const int64_t[::1] first, bint strict, int threads):
    """Count, for each limit of each row, the entries within it.

    Args:
        rows: (r, G) distances.
        limits: (N,) limits, each row's together, loosest first.
        first: (r + 1,) where each row's limits begin.
        strict: count entries less than the limit; otherwise less or equal.
        threads: how many threads share the rows.

    Returns:
        (N,) int64 counts.
    """
    counts = np.zeros(limits.shape[0], dtype=np.int64)
    cdef int64_t[::1] into = counts
    cdef ptrdiff_t row
    for row in prange(rows.shape[0], nogil=True, num_threads=threads, schedule="dynamic"):
        _count_row(rows, row, limits, first[row], first[row + 1], strict, into)
    return counts


cdef void _count_row(const floating[:, ::1] rows, ptrdiff_t row, const floating[::1] limits,
                     int64_t begin, int64_t end, bint strict, int64_t[::1] counts) noexcept nogil:
    # A chunk of a row stays in the cache while all limits pass over it, loosest first: once a
    # limit has nobody within it, the tighter ones have nobody either.
    cdef ptrdiff_t start, stop, column, size = rows.shape[1]
    cdef int64_t i
    cdef int32_t within
    cdef floating limit
    for start in range(0, size, 1024):
        stop = min(start + 1024, size)
        for i in range(begin, end):
            limit = limits[i]
            within = 0
            if strict:
                for column in range(start, stop):
                    within += rows[row, column] < limit
            else:
                for column in range(start, stop):
                    within += rows[row, column] <= limit
            if within == 0:
                break
            counts[i] += within


cdef class _Blocks:
    """Room for `count` packed blocks of `width` vectors each, in strips of `strip`."""

    cdef float[:, ::1] values, steps, norms, errors
    cdef int16_t[:, ::1] codes
    cdef int strip, strips

    def __init__(self, ptrdiff_t count, int strip, int strips, ptrdiff_t dim):
        self.strip, self.strips = strip, strips
        cdef int width = strip * strips
        self.values = np.empty((count, width * dim), dtype=np.float32)
        self.codes = np.empty((count, width * (dim + dim % 2)), dtype=np.int16)
        self.steps, self.norms, self.errors = (
            np.empty((count, width), dtype=np.float32) for _ in range(3)
        )

    cdef void point(self, ptrdiff_t index, reid_block *block) noexcept nogil:
        block.values, block.codes = &self.values[index, 0], &self.codes[index, 0]
        block.steps, block.norms = &self.steps[index, 0], &self.norms[index, 0]
        block.errors = &self.errors[index, 0]


cdef class FeatureScan:
    """A block of queries against a whole gallery, by features.

    The key of a pair orders a query's gallery as the distance does, and depends on the two
    vectors alone: not on the tile, the position in it, or the thread.

    Args:
        queries: (r, D) float32 features.
        gallery: (G, D) float32 features.
        cosine: compare by cosine; otherwise by euclidean distance.
        threads: how many threads share the work.
        kernel: which of `kernels()` to use; 0 is the fastest.
    """

    cdef const reid_kernel *_kernel
    cdef const float[:, ::1] _queries, _gallery
    cdef float[::1] _ones, _scales, _biases
    cdef _Blocks _panels, _tiles
    cdef ptrdiff_t _dim, _num_panels
    cdef readonly bint is_filtered  # whether counts begin with codes; not where these do not gain
    cdef int _threads

    def __init__(self, const float[:, ::1] queries, const float[:, ::1] gallery, bint cosine,
                 int threads, int kernel=0):
        self._kernel = reid_kernel_at(kernel)
        if self._kernel == NULL:
            raise IndexError(f"there is no kernel {kernel}")
        if queries.shape[1] != gallery.shape[1] or threads < 1:
            raise ValueError("queries and gallery differ in width, or there are no threads")
        self._queries, self._gallery, self._dim = queries, gallery, queries.shape[1]
        self._threads = threads
        self.is_filtered = self._kernel.filter != NULL and 32 <= self._dim <= 1 << 16
        cdef int rows = self._kernel.rows, strip = self._kernel.strip
        cdef ptrdiff_t item
        cdef ptrdiff_t tiles = (gallery.shape[0] + REID_TILE - 1) // REID_TILE
        self._num_panels = (queries.shape[0] + rows - 1) // rows
        self._panels = _Blocks(self._num_panels, rows, 1, self._dim)
        self._tiles = _Blocks(threads, strip, REID_TILE // strip, self._dim)
        self._ones = np.ones(rows, dtype=np.float32)
        self._scales = np.ones(gallery.shape[0], dtype=np.float32)
        # Padding is farther than any limit.
        self._biases = np.full(tiles * REID_TILE, np.inf, dtype=np.float32)
        for item in prange(gallery.shape[0], nogil=True, num_threads=threads):
            reid_measure(&gallery[item, 0], self._dim, cosine, &self._scales[item],
                         &self._biases[item])

    cdef void _pack_panel(self, ptrdiff_t index) noexcept nogil:
        cdef reid_block panel = self._panel(index)
        reid_pack_values(&panel, self._dim, self._kernel.rows, 1)
        if self.is_filtered:
            reid_pack_codes(&panel, self._dim, self._kernel.rows, 1)

    cdef reid_block _panel(self, ptrdiff_t index) noexcept nogil:
        cdef reid_block panel
        cdef ptrdiff_t start = index * self._kernel.rows
        panel.vectors, panel.scales = &self._queries[start, 0], &self._ones[0]
        panel.size = min(self._kernel.rows, self._queries.shape[0] - start)
        self._panels.point(index, &panel)
        return panel

    cdef reid_block _tile(self, ptrdiff_t index, int thread) noexcept nogil:
        cdef reid_block tile
        cdef ptrdiff_t start = index * REID_TILE
        tile.vectors, tile.scales = &self._gallery[start, 0], &self._scales[start]
        tile.biases = &self._biases[start]
        tile.size = min(REID_TILE, self._gallery.shape[0] - start)
        self._tiles.point(thread, &tile)
        return tile

    def keys(self, const int64_t[::1] first, const int64_t[::1] items):
        """Return the keys of chosen pairs.

        Args:
            first: (r + 1,) where each query's items begin.
            items: (N,) indices into the gallery.

        Returns:
            (N,) float32 keys.
        """
        cdef int64_t[::1] owner = np.repeat(np.arange(self._queries.shape[0]), np.diff(first))
        keys = np.empty(items.shape[0], dtype=np.float32)
        cdef float[::1] into = keys
        cdef reid_block queries = self._panel(0), gallery = self._tile(0, 0)
        cdef ptrdiff_t start, size = items.shape[0]
        for start in prange(0, size, 256, nogil=True, num_threads=self._threads):
            self._kernel.keys(&queries, &gallery, self._dim, &owner[start], &items[start],
                              min(256, size - start), &into[start])
        return keys

    def counts(self, const float[::1] limits, const int64_t[::1] first, bint strict):
        """Count, for each limit of each query, the gallery items whose keys are within it.

        Args:
            limits: (N,) limits, each query's together, loosest first.
            first: (r + 1,) where each query's limits begin.
            strict: count keys less than the limit; otherwise less or equal.

        Returns:
            (N,) int64 counts.
        """
        cdef ptrdiff_t tile, tiles = (self._gallery.shape[0] + REID_TILE - 1) // REID_TILE
        by_thread = np.zeros((self._threads, limits.shape[0]), dtype=np.int32)
        cdef int32_t[:, ::1] into = by_thread
        cdef ptrdiff_t panel
        if limits.shape[0] > MOST_LIMITS * self._queries.shape[0]:
            self.is_filtered = False
        if limits.shape[0]:
            for panel in prange(self._num_panels, nogil=True, num_threads=self._threads):
                self._pack_panel(panel)
            for tile in prange(tiles, nogil=True, num_threads=self._threads, schedule="dynamic"):
                self._count_tile(tile, threadid(), limits, first, strict, into)
        return by_thread.sum(axis=0, dtype=np.int64)

    cdef void _count_tile(self, ptrdiff_t index, int thread, const float[::1] limits,
                          const int64_t[::1] first, bint strict,
                          int32_t[:, ::1] counts) noexcept nogil:
        cdef reid_block panel, tile = self._tile(index, thread)
        cdef int rows = self._kernel.rows, strip = self._kernel.strip
        cdef reid_job job = [&panel, &tile, self._dim, &limits[0], NULL, strict, &counts[thread, 0]]
        cdef ptrdiff_t number
        cdef int64_t doubtful = 0
        cdef bint is_filtered = self.is_filtered
        if is_filtered:
            reid_pack_codes(&tile, self._dim, strip, REID_TILE // strip)
        else:
            reid_pack_values(&tile, self._dim, strip, REID_TILE // strip)
        for number in range(self._num_panels):
            panel = self._panel(number)
            job.first = &first[number * rows]
            if not is_filtered:
                self._kernel.count(&job)
                continue
            doubtful += self._kernel.filter(&job)
            # Of all panels' pairs: where both sides are sorted, one panel's matches fill this tile.
            if doubtful * 32 > self._num_panels * rows * REID_TILE:
                # So many ties that computing all keys is quicker, from here on and in other tiles.
                self.is_filtered = is_filtered = False
                reid_pack_values(&tile, self._dim, strip, REID_TILE // strip)
