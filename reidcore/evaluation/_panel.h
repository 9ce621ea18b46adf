/* One instance of the kernel. Included by _kernel.c once per instruction set, with
 *
 *   INSTANCE, KERNEL_NAME   suffix of the functions made here, and what the kernel is called
 *   TARGET                  function attribute choosing the instruction set
 *   LANES                   floats in one vector register
 *   ROWS                    queries scored together; ROWS * 2 accumulators must fit the registers
 *   FMA, FMA_LANE(a, b, c)  a * b + c of vectors and of floats, rounded alike
 *   DOT(a, b, c)            optional: c + the sums of products of pairs of 16-bit numbers
 *
 * A panel holds ROWS queries as [dim][ROWS], a tile REID_TILE gallery items as
 * [REID_TILE / STRIP][dim][STRIP], so that the inner loop reads both in order.
 */
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(stem) JOIN(stem, INSTANCE)
#define STRIP (2 * LANES)
#define CHAINS 8

typedef float NAME(vec_) __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));

/* Keys of lone pairs, CHAINS at a time: one chain alone waits for each of its steps. */
TARGET static void NAME(keys_)(const reid_block *queries, const reid_block *gallery, ptrdiff_t dim,
                               const int64_t *rows, const int64_t *items, ptrdiff_t size,
                               float *keys) {
    for (ptrdiff_t start = 0; start < size; start += CHAINS) {
        const float *query[CHAINS], *item[CHAINS];
        float scale[CHAINS], sum[CHAINS] = {0};
        for (int i = 0; i < CHAINS; i++) {
            const ptrdiff_t pair = start + i < size ? start + i : start;
            query[i] = queries->vectors + rows[pair] * dim;
            item[i] = gallery->vectors + items[pair] * dim;
            scale[i] = gallery->scales[items[pair]];
        }
        for (ptrdiff_t k = 0; k < dim; k++) {
#pragma GCC unroll 8
            for (int i = 0; i < CHAINS; i++)
                sum[i] = FMA_LANE(query[i][k], item[i][k] * scale[i], sum[i]);
        }
        for (int i = 0; i < CHAINS && start + i < size; i++)
            keys[start + i] = gallery->biases[items[start + i]] - sum[i];
    }
}

/* Keys of ROWS queries against STRIP items. */
TARGET static void NAME(score_)(const float *restrict panel, const float *restrict strip,
                                       const float *restrict biases, ptrdiff_t dim,
                                       float *restrict keys) {
    typedef NAME(vec_) vec;
    vec low[ROWS], high[ROWS];
    for (int r = 0; r < ROWS; r++) low[r] = high[r] = (vec){0};
    for (ptrdiff_t k = 0; k < dim; k++) {
        const vec a = *(const vec *)(strip + k * STRIP);
        const vec b = *(const vec *)(strip + k * STRIP + LANES);
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; r++) {
            const vec q = panel[k * ROWS + r] - (vec){0};
            low[r] = FMA(q, a, low[r]);
            high[r] = FMA(q, b, high[r]);
        }
    }
    for (int r = 0; r < ROWS; r++) {
        *(vec *)(keys + r * REID_TILE) = *(const vec *)biases - low[r];
        *(vec *)(keys + r * REID_TILE + LANES) = *(const vec *)(biases + LANES) - high[r];
    }
}

/* How many keys of a row lie within a limit. */
TARGET static int32_t NAME(within_)(const float *keys, float limit, int strict) {
    int32_t within = 0;
    if (strict)
        for (int c = 0; c < REID_TILE; c++) within += keys[c] < limit;
    else
        for (int c = 0; c < REID_TILE; c++) within += keys[c] <= limit;
    return within;
}

TARGET static int64_t NAME(count_)(const reid_job *job) {
    float keys[ROWS * REID_TILE];
    for (int c = 0; c < REID_TILE; c += STRIP)
        NAME(score_)(job->panel->values, job->tile->values + c * job->dim, job->tile->biases + c,
                     job->dim, keys + c);
    for (int r = 0; r < job->panel->size; r++)
        for (int64_t i = job->first[r]; i < job->first[r + 1]; i++) {
            const float *row = keys + r * REID_TILE;
            const int32_t within = NAME(within_)(row, job->limits[i], job->strict);
            if (within == 0) break; /* nobody is within the tighter limits either */
            job->counts[i] += within;
        }
    return 0;
}

#ifdef DOT
#include "_filter.h"
#define FILTER NAME(filter_)
#else
#define FILTER NULL
#endif

static const reid_kernel NAME(kernel_) = {KERNEL_NAME,  ROWS,   STRIP, NAME(keys_),
                                          NAME(count_), FILTER};

#undef FILTER
#undef JOIN_
#undef JOIN
#undef NAME
#undef STRIP
#undef CHAINS
#undef INSTANCE
#undef TARGET
#undef KERNEL_NAME
