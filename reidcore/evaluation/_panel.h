/* One instance of the scoring kernel. Included by _kernel.c once per instruction set, with
 *
 *   INSTANCE  suffix of the functions made here
 *   TARGET    function attribute choosing the instruction set
 *   LANES     floats in one vector register
 *   ROWS      queries scored together; ROWS * 2 accumulators must fit the registers
 *
 * A panel holds ROWS queries as [dim][ROWS], a tile REID_TILE gallery items as
 * [REID_TILE / STRIP][dim][STRIP], so that the inner loop reads both in order.
 */
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(stem) JOIN(stem, INSTANCE)
#define STRIP (2 * LANES)

typedef float NAME(vec_) __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));

/* Keys of ROWS queries against STRIP items. Every key is one multiply-add chain over dim, in
 * the same order in each row and lane: it depends on the two vectors and on nothing else. */
TARGET static inline void NAME(score_strip_)(const float *restrict panel,
                                             const float *restrict strip,
                                             const float *restrict bias, ptrdiff_t dim,
                                             float *restrict keys) {
    typedef NAME(vec_) vec;
    vec low[ROWS], high[ROWS];
    for (int r = 0; r < ROWS; r++) low[r] = high[r] = (vec){0};
    for (ptrdiff_t k = 0; k < dim; k++) {
        const vec a = *(const vec *)(strip + k * STRIP);
        const vec b = *(const vec *)(strip + k * STRIP + LANES);
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; r++) {
            const float q = panel[k * ROWS + r];
            low[r] += q * a;
            high[r] += q * b;
        }
    }
    for (int r = 0; r < ROWS; r++) {
        *(vec *)(keys + r * REID_TILE) = *(const vec *)bias - low[r];
        *(vec *)(keys + r * REID_TILE + LANES) = *(const vec *)(bias + LANES) - high[r];
    }
}

TARGET static void NAME(score_)(const float *panel, const float *tile, const float *bias,
                                ptrdiff_t dim, float *keys) {
    for (int column = 0; column < REID_TILE; column += STRIP)
        NAME(score_strip_)(panel, tile + column * dim, bias + column, dim, keys + column);
}

/* limits[first[r]..first[r + 1]] belong to query r, loosest first: once a limit has nobody
 * within it, the tighter ones have nobody either. */
TARGET static void NAME(count_)(const float *panel, const float *tile, const float *bias,
                                ptrdiff_t dim, const float *limits, const int64_t *first,
                                int queries, int strict, int32_t *counts) {
    float keys[ROWS * REID_TILE];
    NAME(score_)(panel, tile, bias, dim, keys);
    for (int r = 0; r < queries; r++) {
        const float *row = keys + r * REID_TILE;
        for (int64_t i = first[r]; i < first[r + 1]; i++) {
            const float limit = limits[i];
            int32_t within = 0;
            if (strict)
                for (int c = 0; c < REID_TILE; c++) within += row[c] < limit;
            else
                for (int c = 0; c < REID_TILE; c++) within += row[c] <= limit;
            if (within == 0) break;
            counts[i] += within;
        }
    }
}

static const reid_kernel NAME(kernel_) = {KERNEL_NAME, ROWS, STRIP, NAME(score_), NAME(count_)};

#undef JOIN_
#undef JOIN
#undef NAME
#undef STRIP
#undef INSTANCE
#undef TARGET
#undef LANES
#undef ROWS
#undef KERNEL_NAME
