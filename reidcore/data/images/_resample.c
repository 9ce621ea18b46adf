#include "_resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An output value is a weighted sum of a few input values. Pillow keeps the weights as integers of
   22 bits and rounds after each of its two passes, along rows and along columns; the same integers
   in the same order give the same bytes. */
#define BITS 22
#define HALF (1 << (BITS - 1))

typedef struct {
    int first; /* of the input values */
    int count;
    const int32_t *weights;
} Window;

typedef struct {
    Window *windows;
    int32_t *weights;
} Filter;

static void drop(Filter *filter) {
    free(filter->windows);
    free(filter->weights);
}

static double triangle(double x) {
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static int make(Filter *filter, int from, int to) {
    const double step = (double)from / to;
    const double widening = step < 1.0 ? 1.0 : step; /* shrinking averages over more pixels */
    const double reach = widening;
    const int room = (int)ceil(reach) * 2 + 1;
    double *exact = malloc((size_t)room * sizeof *exact);
    filter->windows = malloc((size_t)to * sizeof *filter->windows);
    filter->weights = malloc((size_t)to * room * sizeof *filter->weights);
    if (!exact || !filter->windows || !filter->weights) {
        free(exact);
        drop(filter);
        return -1;
    }
    for (int place = 0; place < to; place++) {
        const double center = (place + 0.5) * step;
        int first = (int)(center - reach + 0.5);
        int end = (int)(center + reach + 0.5);
        if (first < 0) first = 0;
        if (end > from) end = from;
        const int count = end - first;
        int32_t *weights = filter->weights + (size_t)place * room;
        double total = 0.0;
        for (int k = 0; k < count; k++) {
            exact[k] = triangle((k + first - center + 0.5) * (1.0 / widening));
            total += exact[k];
        }
        for (int k = 0; k < count; k++) {
            if (total != 0.0) exact[k] /= total;
            weights[k] = (int32_t)(0.5 + exact[k] * (1 << BITS));
        }
        filter->windows[place] = (Window){first, count, weights};
    }
    free(exact);
    return 0;
}

/* The weights of a window are positive and add up to one: no value leaves 0..255. */
static inline uint8_t byte_of(int32_t sum) { return (uint8_t)(sum >> BITS); }

static void along_last_row(const uint8_t *row, uint8_t *target, const Filter *filter, int width) {
    for (int x = 0; x < width; x++) {
        const Window *window = &filter->windows[x];
        for (int channel = 0; channel < 3; channel++) {
            const uint8_t *value = row + 3 * window->first + channel;
            int32_t sum = HALF;
            for (int k = 0; k < window->count; k++) sum += value[3 * k] * window->weights[k];
            target[3 * x + channel] = byte_of(sum);
        }
    }
}

typedef uint8_t Bytes __attribute__((vector_size(4)));
typedef int32_t Sums __attribute__((vector_size(16)));

/* The functions below are inlined into a version for each instruction set. */
#define INLINED static inline __attribute__((always_inline))

/* Reads and writes a pixel as four values, the fourth being the next pixel's: there must be a next
   row, which is written later. */
INLINED void weighted_pixels(const uint8_t *row, uint8_t *target, const Filter *filter,
                             int width) {
    for (int x = 0; x < width; x++, target += 3) {
        const Window *window = &filter->windows[x];
        const uint8_t *pixel = row + 3 * window->first;
        Sums sums = {HALF, HALF, HALF, HALF};
        Bytes bytes;
        for (int k = 0; k < window->count; k++, pixel += 3) {
            memcpy(&bytes, pixel, sizeof bytes);
            sums += __builtin_convertvector(bytes, Sums) * window->weights[k];
        }
        bytes = __builtin_convertvector(sums >> BITS, Bytes);
        memcpy(target, &bytes, sizeof bytes);
    }
}

/* Sums of this many columns stay in registers while all rows of the window pass. */
#define BLOCK 32

INLINED void weighted_block(const uint8_t *column, int32_t stride, const Window *window,
                            int width, uint8_t *target) {
    int32_t sums[BLOCK];
    for (int i = 0; i < width; i++) sums[i] = HALF;
    for (int k = 0; k < window->count; k++, column += stride)
        for (int i = 0; i < width; i++) sums[i] += column[i] * window->weights[k];
    for (int i = 0; i < width; i++) target[i] = byte_of(sums[i]);
}

INLINED void weighted_rows(const uint8_t *rows, int32_t stride, const Window *window,
                           uint8_t *target) {
    const uint8_t *first = rows + (size_t)window->first * stride;
    int32_t start = 0;
    for (; start + BLOCK <= stride; start += BLOCK)
        weighted_block(first + start, stride, window, BLOCK, target + start);
    if (start < stride)
        weighted_block(first + start, stride, window, stride - start, target + start);
}

typedef struct {
    void (*along_row)(const uint8_t *, uint8_t *, const Filter *, int);
    void (*along_columns)(const uint8_t *, int32_t, const Window *, uint8_t *);
} Passes;

#define PASSES(NAME, TARGET)                                                                     \
    TARGET static void along_row_##NAME(const uint8_t *row, uint8_t *target,                     \
                                        const Filter *filter, int width) {                       \
        weighted_pixels(row, target, filter, width);                                             \
    }                                                                                            \
    TARGET static void along_columns_##NAME(const uint8_t *rows, int32_t stride,                 \
                                            const Window *window, uint8_t *target) {             \
        weighted_rows(rows, stride, window, target);                                             \
    }                                                                                            \
    static const Passes passes_##NAME = {along_row_##NAME, along_columns_##NAME};

PASSES(portable, )
#if defined(__x86_64__)
PASSES(avx2, __attribute__((target("avx2"))))
#endif

static const Passes *best_passes(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return &passes_avx2;
#endif
    return &passes_portable;
}

static int resize_rows(const uint8_t *source, int height, int width, uint8_t *target,
                       int new_width) {
    Filter filter;
    if (make(&filter, width, new_width)) return -1;
    const Passes *passes = best_passes();
    for (int y = 0; y < height; y++)
        (y < height - 1 ? passes->along_row : along_last_row)(
            source + (size_t)y * width * 3, target + (size_t)y * new_width * 3, &filter,
            new_width);
    drop(&filter);
    return 0;
}

static int resize_columns(const uint8_t *source, int height, int width, uint8_t *target,
                          int new_height) {
    Filter filter;
    const int stride = width * 3;
    if (make(&filter, height, new_height)) return -1;
    const Passes *passes = best_passes();
    for (int y = 0; y < new_height; y++)
        passes->along_columns(source, stride, &filter.windows[y], target + (size_t)y * stride);
    drop(&filter);
    return 0;
}

int reid_resize(const uint8_t *source, int height, int width, uint8_t *target, int new_height,
                int new_width, int columns_first) {
    if (height == new_height && width == new_width) {
        memcpy(target, source, (size_t)height * width * 3);
        return 0;
    }
    if (height == new_height) return resize_rows(source, height, width, target, new_width);
    if (width == new_width) return resize_columns(source, height, width, target, new_height);
    const size_t between_size =
        columns_first ? (size_t)new_height * width : (size_t)height * new_width;
    uint8_t *between = malloc(between_size * 3);
    if (!between) return -1;
    int failed;
    if (columns_first)
        failed = resize_columns(source, height, width, between, new_height) ||
                 resize_rows(between, new_height, width, target, new_width);
    else
        failed = resize_rows(source, height, width, between, new_width) ||
                 resize_columns(between, height, new_width, target, new_height);
    free(between);
    return failed ? -1 : 0;
}

void reid_planes(const uint8_t *image, int64_t pixels, const float *table, float *target) {
    const float *red = table, *green = table + 256, *blue = table + 512;
    float *second = target + pixels, *third = second + pixels;
    for (int64_t i = 0; i < pixels; i++, image += 3) {
        target[i] = red[image[0]];
        second[i] = green[image[1]];
        third[i] = blue[image[2]];
    }
}
