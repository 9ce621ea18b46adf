#include "_kernel.h"

#include <math.h>
#include <string.h>

#define CHUNK 32 /* dimensions looked at together */

/* The next dimensions of a vector times its scale, zeros past the last; returns how many. */
static inline void chunk_of(const float *vector, float scale, ptrdiff_t left, float *chunk) {
    if (left >= CHUNK)
        for (int k = 0; k < CHUNK; k++) chunk[k] = vector[k] * scale;
    else
        for (int k = 0; k < CHUNK; k++) chunk[k] = k < left ? vector[k] * scale : 0;
}

/* A step that lets each code fit 16 bits and each product of two vectors 32: the length of a
 * code is at most that of vector / step and, from rounding, half the root of dim. */
static float step_of(double norm, float largest, ptrdiff_t dim) {
    const double step = fmax(norm / (46320 - 0.5 * sqrt(dim)), largest / 32760.0);
    return step > 1e-30 ? (float)step : 0; /* what is smaller has codes of zero */
}

/* Writes the codes of a vector, pairs of dimensions `stride` apart; sets what is known of them. */
static void encode(const float *vector, float scale, ptrdiff_t dim, int32_t *to, int stride,
                   float *step, float *norm, float *error) {
    double squares[8] = {0}, errors[8] = {0};
    float chunk[CHUNK], largest[8] = {0};
    for (ptrdiff_t k = 0; k < dim; k += CHUNK) {
        chunk_of(vector + k, scale, dim - k, chunk);
        for (int i = 0; i < CHUNK; i += 8)
            for (int j = 0; j < 8; j++) {
                const float value = chunk[i + j], size = fabsf(value);
                squares[j] += (double)value * value;
                largest[j] = size > largest[j] ? size : largest[j];
            }
    }
    for (int j = 1; j < 8; j++) largest[0] = fmaxf(largest[0], largest[j]);
    const double length = sqrt(reid_total(squares));
    *step = step_of(length, largest[0], dim);
    const float inverse = *step > 0 ? 1 / *step : 0;
    for (ptrdiff_t k = 0; k < dim; k += CHUNK) {
        int16_t codes[CHUNK];
        chunk_of(vector + k, scale, dim - k, chunk);
        for (int i = 0; i < CHUNK; i += 8)
            for (int j = 0; j < 8; j++) {
                const float value = chunk[i + j] * inverse;
                const int32_t code = (int32_t)(value + (value < 0 ? -0.5f : 0.5f));
                const double off = (double)chunk[i + j] - (double)*step * code;
                codes[i + j] = (int16_t)code;
                errors[j] += off * off;
            }
        const ptrdiff_t pairs = dim - k < CHUNK ? (dim - k + 1) / 2 : CHUNK / 2;
        for (ptrdiff_t i = 0; i < pairs; i++)
            memcpy(to + (k / 2 + i) * stride, codes + 2 * i, sizeof *to);
    }
    /* Rounded up, by more than the sums above may be too small. */
    *norm = (float)(length * (1 + 0x1p-20));
    *error = (float)(sqrt(reid_total(errors)) * (1 + 0x1p-20));
}

void reid_pack_codes(const reid_block *block, ptrdiff_t dim, int width, int strips) {
    const ptrdiff_t pairs = (dim + 1) / 2;
    for (int i = 0; i < strips * width; i++) {
        int32_t *to = (int32_t *)block->codes + (i / width) * pairs * width + i % width;
        const int is_there = i < block->size;
        encode(block->vectors + i * dim, is_there ? block->scales[i] : 0, is_there ? dim : 0, to,
               width, block->steps + i, block->norms + i, block->errors + i);
        for (ptrdiff_t k = is_there ? pairs : 0; k < pairs; k++) to[k * width] = 0;
    }
}
