/* Counting by 16-bit numbers, twice as many at a time as floats; included by _panel.h.
 *
 * A vector is rounded to whole numbers times a step of its own. The product of two such vectors
 * is computed exactly, and by Cauchy and Schwarz it is no farther from that of the vectors than
 *
 *   |q - q'| |g| + |q'| |g - g'|,
 *
 * plus what float32 may round in the key itself. Limits outside of these bounds are decided; a
 * key that may lie on either side of a limit is doubtful, and in the end computed. So the counts
 * are those of `count_`.
 */

/* float32 rounds a key dim + 8 times at most, each time by 2^-24 of the product of the norms. */
#define ROUNDING(dim) (((dim) + 16) * 0x1.1p-24f)
#define UNDERFLOW 0x1p-80f /* more than all that is lost to numbers too small for float32 */
#define WAITING 64

typedef int32_t NAME(codes_) __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(4)));

/* Between what values the keys of one query lie. */
typedef struct {
    float nearest[REID_TILE], farthest[REID_TILE];
} NAME(bounds_);

/* Keys that wait for others to be computed together. */
typedef struct {
    int64_t rows[WAITING], items[WAITING], limits[WAITING]; /* the first limit in doubt */
    int size;
} NAME(waiting_);

/* Products of the codes of ROWS queries and STRIP items; steps are so large that 32 bits do. */
TARGET static void NAME(multiply_)(const int32_t *restrict panel, const int32_t *restrict strip,
                                   ptrdiff_t pairs, int32_t *restrict products) {
    typedef NAME(codes_) codes;
    codes low[ROWS], high[ROWS];
    for (int r = 0; r < ROWS; r++) low[r] = high[r] = (codes){0};
    for (ptrdiff_t k = 0; k < pairs; k++) {
        const codes a = *(const codes *)(strip + k * STRIP);
        const codes b = *(const codes *)(strip + k * STRIP + LANES);
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; r++) {
            const codes q = panel[k * ROWS + r] - (codes){0};
            low[r] = DOT(q, a, low[r]);
            high[r] = DOT(q, b, high[r]);
        }
    }
    for (int r = 0; r < ROWS; r++) {
        *(codes *)(products + r * REID_TILE) = low[r];
        *(codes *)(products + r * REID_TILE + LANES) = high[r];
    }
}

TARGET static inline void NAME(bound_)(NAME(bounds_) *bounds, int column, float key, float slack) {
    bounds->nearest[column] = key - slack * 1.001f; /* the slack is rounded as well */
    bounds->farthest[column] = key + slack * 1.001f;
}

TARGET static void NAME(bound_all_)(NAME(bounds_) *bounds, const reid_job *job, int row,
                                    const int32_t *restrict products) {
    const reid_block *panel = job->panel, *tile = job->tile;
    const float length = panel->norms[row] + panel->errors[row], step = panel->steps[row];
    const float off = panel->errors[row] + ROUNDING(job->dim) * length;
    for (int c = 0; c < REID_TILE; c++) {
        const float norm = tile->norms[c];
        const float key = tile->biases[c] - (float)products[c] * (step * tile->steps[c]);
        NAME(bound_)(bounds, c, key,
                     (off + norm * 0x1p-21f) * norm + length * tile->errors[c] + UNDERFLOW);
    }
}

/* Bounds a key more tightly: by a product in float32, added up in a quick order. */
TARGET static inline void NAME(narrow_)(NAME(bounds_) *bounds, const reid_job *job, int row,
                                        int column) {
    typedef NAME(vec_) vec;
    const ptrdiff_t dim = job->dim;
    const float *query = job->panel->vectors + row * dim;
    const float *item = job->tile->vectors + column * dim;
    vec low = {0}, high = {0};
    float product = 0;
    ptrdiff_t k = 0;
    for (; k + STRIP <= dim; k += STRIP) {
        low = FMA(*(const vec *)(query + k), *(const vec *)(item + k), low);
        high = FMA(*(const vec *)(query + k + LANES), *(const vec *)(item + k + LANES), high);
    }
    for (; k < dim; k++) product += query[k] * item[k];
    low += high;
    for (int i = 0; i < LANES; i++) product += low[i];
    const float norm = job->tile->norms[column], scale = job->tile->scales[column];
    const float off = ROUNDING(dim + dim / STRIP + 2 * STRIP) * job->panel->norms[row];
    const float lost = UNDERFLOW + dim * 0x1p-125f * scale; /* before it was scaled */
    NAME(bound_)(bounds, column, job->tile->biases[column] - product * scale,
                 (off + norm * 0x1p-21f) * norm + lost);
}

TARGET static inline int NAME(is_doubtful_)(const NAME(bounds_) *bounds, int column, float limit) {
    return (bounds->nearest[column] <= limit) & (limit <= bounds->farthest[column]);
}

TARGET static void NAME(compute_)(NAME(waiting_) *waiting, const reid_job *job) {
    float keys[WAITING];
    NAME(keys_)(job->panel, job->tile, job->dim, waiting->rows, waiting->items, waiting->size,
                keys);
    for (int i = 0; i < waiting->size; i++)
        for (int64_t l = waiting->limits[i]; l < job->first[waiting->rows[i] + 1]; l++) {
            if (job->strict ? keys[i] >= job->limits[l] : keys[i] > job->limits[l]) break;
            job->counts[l]++;
        }
    waiting->size = 0;
}

/* Narrows the keys that one limit has in doubt. Those still so wait, and are then counted apart
 * from their bounds. Returns how many there were. */
TARGET static int NAME(settle_)(NAME(waiting_) *waiting, NAME(bounds_) *bounds,
                                const reid_job *job, int row, int64_t limit) {
    const float value = job->limits[limit];
    int columns[REID_TILE], size = 0;
    for (int start = 0; start < REID_TILE; start += LANES) {
        int doubtful = 0;
        for (int c = start; c < start + LANES; c++)
            doubtful += NAME(is_doubtful_)(bounds, c, value);
        if (doubtful == 0) continue;
        for (int c = start; c < start + LANES; c++) {
            columns[size] = c;
            size += NAME(is_doubtful_)(bounds, c, value);
        }
    }
    for (int i = 0; i < size; i++) NAME(narrow_)(bounds, job, row, columns[i]);
    for (int i = 0; i < size; i++) {
        if (!NAME(is_doubtful_)(bounds, columns[i], value)) continue;
        bounds->nearest[columns[i]] = bounds->farthest[columns[i]] = INFINITY;
        if (waiting->size == WAITING) NAME(compute_)(waiting, job);
        waiting->rows[waiting->size] = row;
        waiting->items[waiting->size] = columns[i];
        waiting->limits[waiting->size++] = limit;
    }
    return size;
}

TARGET static int64_t NAME(filter_)(const reid_job *job) {
    const ptrdiff_t pairs = (job->dim + 1) / 2;
    const int32_t *panel = (const int32_t *)job->panel->codes;
    const int32_t *tile = (const int32_t *)job->tile->codes;
    int32_t products[ROWS * REID_TILE];
    NAME(bounds_) bounds;
    NAME(waiting_) waiting = {.size = 0};
    int64_t doubtful = 0;
    for (int c = 0; c < REID_TILE; c += STRIP)
        NAME(multiply_)(panel, tile + c * pairs, pairs, products + c);
    for (int r = 0; r < job->panel->size; r++) {
        if (job->first[r] == job->first[r + 1]) continue;
        NAME(bound_all_)(&bounds, job, r, products + r * REID_TILE);
        for (int64_t i = job->first[r]; i < job->first[r + 1]; i++) {
            const float limit = job->limits[i];
            int32_t within = NAME(within_)(bounds.nearest, limit, job->strict);
            if (within == 0) break; /* nobody is within the tighter limits either */
            if (within != NAME(within_)(bounds.farthest, limit, job->strict)) {
                doubtful += NAME(settle_)(&waiting, &bounds, job, r, i);
                within = NAME(within_)(bounds.nearest, limit, job->strict);
            }
            job->counts[i] += within;
        }
    }
    NAME(compute_)(&waiting, job);
    return doubtful;
}

#undef ROUNDING
#undef UNDERFLOW
#undef WAITING
