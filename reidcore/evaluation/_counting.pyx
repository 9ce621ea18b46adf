# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Counts gallery items within limits, without the GIL and on several threads.

Counts are integers added up, so that neither the number of threads nor their order matters.
"""

from cython.parallel cimport prange, threadid
from cython cimport floating
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t

import numpy as np

cdef extern from "_kernel.h" nogil:
    int REID_TILE
    ctypedef struct reid_kernel:
        const char *name
        int rows
        int strip
        void (*score)(const float *, const float *, const float *, ptrdiff_t,
                      float *) noexcept nogil
        void (*count)(const float *, const float *, const float *, ptrdiff_t, const float *,
                      const int64_t *, int, int, int32_t *) noexcept nogil
    const reid_kernel *reid_kernel_at(int index)
    void reid_pack_item(const reid_kernel *, const float *, ptrdiff_t, int, int, float *, float *)
    void reid_pack_query(const reid_kernel *, const float *, ptrdiff_t, int, float *)

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
    cdef const float[:, ::1] _gallery
    cdef float[:, ::1] _panels, _tiles, _bias, _keys
    cdef ptrdiff_t _queries, _dim
    cdef bint _cosine
    cdef int _threads

    def __init__(self, const float[:, ::1] queries, const float[:, ::1] gallery, bint cosine,
                 int threads, int kernel=0):
        self._kernel = reid_kernel_at(kernel)
        if self._kernel == NULL:
            raise IndexError(f"there is no kernel {kernel}")
        if queries.shape[1] != gallery.shape[1] or threads < 1:
            raise ValueError("queries and gallery differ in width, or there are no threads")
        self._gallery = gallery
        self._queries, self._dim = queries.shape[0], queries.shape[1]
        self._cosine, self._threads = cosine, threads
        cdef int rows = self._kernel.rows
        cdef ptrdiff_t row, count = (self._queries + rows - 1) // rows
        self._panels = np.zeros((count, rows * self._dim), dtype=np.float32)
        self._tiles = np.empty((threads, REID_TILE * self._dim), dtype=np.float32)
        self._bias = np.empty((threads, REID_TILE), dtype=np.float32)
        self._keys = np.empty((threads, rows * REID_TILE), dtype=np.float32)
        if self._dim == 0:
            return
        for row in range(self._queries):
            reid_pack_query(self._kernel, &queries[row, 0], self._dim, row % rows,
                            &self._panels[row // rows, 0])

    def keys(self, const int64_t[::1] first, const int64_t[::1] items):
        """Return the keys of chosen pairs.

        Args:
            first: (r + 1,) where each query's items begin.
            items: (N,) indices into the gallery.

        Returns:
            (N,) float32 keys.
        """
        keys = np.empty(items.shape[0], dtype=np.float32)
        cdef float[::1] into = keys
        cdef ptrdiff_t panel
        if items.shape[0]:
            for panel in prange(self._panels.shape[0], nogil=True, num_threads=self._threads,
                                schedule="dynamic"):
                self._panel_keys(panel, threadid(), first, items, into)
        return keys

    cdef void _panel_keys(self, ptrdiff_t panel, int thread, const int64_t[::1] first,
                          const int64_t[::1] items, float[::1] keys) noexcept nogil:
        cdef int column, rows = self._kernel.rows
        cdef int64_t pair, start = first[panel * rows]
        cdef ptrdiff_t query = panel * rows
        cdef int64_t end = first[min(query + rows, self._queries)]
        while start < end:
            for column in range(REID_TILE):
                pair = start + column
                self._pack(thread, column, items[pair] if pair < end else -1)
            self._kernel.score(&self._panels[panel, 0], &self._tiles[thread, 0],
                               &self._bias[thread, 0], self._dim, &self._keys[thread, 0])
            for pair in range(start, min(start + REID_TILE, end)):
                while pair >= first[query + 1]:
                    query = query + 1
                keys[pair] = self._keys[thread, (query - panel * rows) * REID_TILE + pair - start]
            start = start + REID_TILE

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
        if limits.shape[0]:
            for tile in prange(tiles, nogil=True, num_threads=self._threads, schedule="dynamic"):
                self._count_tile(tile, threadid(), limits, first, strict, into)
        return by_thread.sum(axis=0, dtype=np.int64)

    cdef void _count_tile(self, ptrdiff_t tile, int thread, const float[::1] limits,
                          const int64_t[::1] first, bint strict,
                          int32_t[:, ::1] counts) noexcept nogil:
        cdef int column, rows = self._kernel.rows
        cdef ptrdiff_t item, panel
        for column in range(REID_TILE):
            item = tile * REID_TILE + column
            self._pack(thread, column, item if item < self._gallery.shape[0] else -1)
        for panel in range(self._panels.shape[0]):
            self._kernel.count(&self._panels[panel, 0], &self._tiles[thread, 0],
                               &self._bias[thread, 0], self._dim, &limits[0],
                               &first[panel * rows], min(rows, self._queries - panel * rows),
                               strict, &counts[thread, 0])

    cdef void _pack(self, int thread, int column, ptrdiff_t item) noexcept nogil:
        reid_pack_item(self._kernel, &self._gallery[item, 0] if item >= 0 else NULL, self._dim,
                       self._cosine, column, &self._tiles[thread, 0], &self._bias[thread, 0])
