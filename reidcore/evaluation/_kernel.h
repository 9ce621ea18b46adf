/* Ranking keys of queries against gallery items, and how many lie within given limits.
 *
 * The key of a pair is |g|^2 / 2 - q.g for the euclidean metric and -q.g/|g| for the cosine:
 * half of the (squared) distance less a constant of the query, so that it orders the gallery of
 * one query as the distance does. Its product is one float32 multiply-add chain over the
 * dimensions in order, whichever function computes it: a key depends on the two vectors alone.
 */
#ifndef REIDCORE_KERNEL_H
#define REIDCORE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define REID_TILE 256 /* gallery items in a tile: at D = 512 a tile fills half a MB of L2 */

/* Vectors side by side: a panel of queries, or a tile of the gallery. */
typedef struct {
    const float *vectors; /* [size][dim] */
    const float *scales;  /* [size], which the vectors are multiplied by */
    const float *biases;  /* [REID_TILE], infinite past the size; of a tile only */
    int size;
    float *values;  /* packed: [strips][dim][width] */
    int16_t *codes; /* packed: [strips][(dim + 1) / 2][width][2]; a vector is about code * step */
    float *steps;   /* [strips * width], as the next two */
    float *norms;   /* of the vector */
    float *errors;  /* length of vector - code * step */
} reid_block;

/* One panel against one tile: limits[first[r]..first[r + 1]] belong to query r, loosest first. */
typedef struct {
    const reid_block *panel, *tile;
    ptrdiff_t dim;
    const float *limits;
    const int64_t *first;
    int strict;
    int32_t *counts; /* to each is added how many items are within its limit */
} reid_job;

typedef struct {
    const char *name;
    int rows;  /* queries in a panel, which is one strip */
    int strip; /* gallery items in a strip of a tile */
    /* keys[i] of queries[rows[i]] and gallery[items[i]] */
    void (*keys)(const reid_block *queries, const reid_block *gallery, ptrdiff_t dim,
                 const int64_t *rows, const int64_t *items, ptrdiff_t size, float *keys);
    /* Count from packed values, or (optional) the same from packed codes where these decide; gives
     * back how often they did not. */
    int64_t (*count)(const reid_job *);
    int64_t (*filter)(const reid_job *);
} reid_kernel;

/* The sum of eight sums, which are independent since one alone waits for each addition. */
static inline double reid_total(const double *parts) {
    return ((parts[0] + parts[1]) + (parts[2] + parts[3])) +
           ((parts[4] + parts[5]) + (parts[6] + parts[7]));
}

/* The kernels that this processor can run, fastest first; NULL past the last. */
const reid_kernel *reid_kernel_at(int index);

/* Sets the scale and the bias of a gallery item. */
void reid_measure(const float *item, ptrdiff_t dim, int cosine, float *scale, float *bias);

/* Fill `values`, or `codes` and what is known of them, with strips of `width`; zeros past size. */
void reid_pack_values(const reid_block *block, ptrdiff_t dim, int width, int strips);
void reid_pack_codes(const reid_block *block, ptrdiff_t dim, int width, int strips);

#endif
