#include "_kernel.h"

#include <math.h>

#if defined(__x86_64__)
#define INSTANCE avx512
#define KERNEL_NAME "AVX-512"
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma")))
#define LANES 16
#define ROWS 12
#include "_panel.h"

#define INSTANCE avx2
#define KERNEL_NAME "AVX2"
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define ROWS 6
#include "_panel.h"
#endif

#define INSTANCE portable
#define KERNEL_NAME "portable"
#define TARGET
#define LANES 4
#define ROWS 6
#include "_panel.h"

const reid_kernel *reid_kernel_at(int index) {
    const reid_kernel *runnable[3];
    int count = 0;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        runnable[count++] = &kernel_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        runnable[count++] = &kernel_avx2;
#endif
    runnable[count++] = &kernel_portable;
    return index >= 0 && index < count ? runnable[index] : NULL;
}

static double squared_norm(const float *item, ptrdiff_t dim) {
    double parts[4] = {0, 0, 0, 0}; /* independent sums: one alone waits for each addition */
    for (ptrdiff_t k = 0; k < dim; k++) parts[k & 3] += (double)item[k] * item[k];
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

void reid_pack_item(const reid_kernel *kernel, const float *item, ptrdiff_t dim, int cosine,
                    int column, float *tile, float *bias) {
    const int strip = kernel->strip;
    float *to = tile + (column / strip) * strip * dim + column % strip;
    if (item == NULL) {
        for (ptrdiff_t k = 0; k < dim; k++) to[k * strip] = 0;
        bias[column] = INFINITY; /* padding is farther than any limit */
        return;
    }
    const double norm = squared_norm(item, dim);
    const float scale = !cosine ? 1 : norm > 0 ? (float)(1 / sqrt(norm)) : 0;
    for (ptrdiff_t k = 0; k < dim; k++) to[k * strip] = item[k] * scale;
    bias[column] = cosine ? 0 : (float)(norm / 2);
}

void reid_pack_query(const reid_kernel *kernel, const float *query, ptrdiff_t dim, int row,
                     float *panel) {
    for (ptrdiff_t k = 0; k < dim; k++) panel[k * kernel->rows + row] = query ? query[k] : 0;
}
