/* Ranking keys of queries against gallery items, and how many lie within given limits.
 *
 * The key of a pair is |g|^2 / 2 - q.g for the euclidean metric and -q.g/|g| for the cosine:
 * half of the (squared) distance less a constant of the query, so that it orders the gallery of
 * one query as the distance does.
 */
#ifndef REIDCORE_KERNEL_H
#define REIDCORE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define REID_TILE 256 /* gallery items in a tile: at D = 512 a tile fills half a MB of L2 */

typedef struct {
    const char *name;
    int rows;  /* queries in a panel */
    int strip; /* gallery items in a strip of a tile */
    /* keys[rows][REID_TILE] of one panel against one tile. */
    void (*score)(const float *panel, const float *tile, const float *bias, ptrdiff_t dim,
                  float *keys);
    /* Adds to counts[i] the items of the tile within limits[i]. */
    void (*count)(const float *panel, const float *tile, const float *bias, ptrdiff_t dim,
                  const float *limits, const int64_t *first, int queries, int strict,
                  int32_t *counts);
} reid_kernel;

/* The kernels that this processor can run, fastest first; NULL past the last. */
const reid_kernel *reid_kernel_at(int index);

/* Puts one gallery item, or padding when item is NULL, into column `column` of a tile. */
void reid_pack_item(const reid_kernel *kernel, const float *item, ptrdiff_t dim, int cosine,
                    int column, float *tile, float *bias);

/* Puts one query, or zeros when query is NULL, into row `row` of a panel. */
void reid_pack_query(const reid_kernel *kernel, const float *query, ptrdiff_t dim, int row,
                     float *panel);

#endif
