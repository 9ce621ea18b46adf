#include "_kernel.h"

#include <float.h>
#include <math.h>

/* Written out where a processor has it, so that lone keys equal those of whole tiles. */
#define FMA_LANE(a, b, c) __builtin_fmaf(a, b, c)

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES 16
#define ROWS 12
#define FMA(a, b, c) ((vec)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))

#define INSTANCE avx512_vnni
#define KERNEL_NAME "AVX-512 VNNI"
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma")))
#define DOT(a, b, c) ((codes)_mm512_dpwssd_epi32((__m512i)(c), (__m512i)(a), (__m512i)(b)))
#include "_panel.h"
#undef DOT

#define INSTANCE avx512
#define KERNEL_NAME "AVX-512"
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma")))
#include "_panel.h"

#undef LANES
#undef ROWS
#undef FMA
#define LANES 8
#define ROWS 6
#define FMA(a, b, c) ((vec)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))

#define INSTANCE avx2
#define KERNEL_NAME "AVX2"
#define TARGET __attribute__((target("avx2,fma")))
#define DOT(a, b, c) ((c) + (codes)_mm256_madd_epi16((__m256i)(a), (__m256i)(b)))
#include "_panel.h"
#undef DOT

#undef LANES
#undef ROWS
#undef FMA
#endif

#undef FMA_LANE
#define LANES 4
#define ROWS 6
#define FMA(a, b, c) ((a) * (b) + (c))
#define FMA_LANE(a, b, c) ((a) * (b) + (c))

#define INSTANCE portable
#define KERNEL_NAME "portable"
#define TARGET
#include "_panel.h"

const reid_kernel *reid_kernel_at(int index) {
    const reid_kernel *runnable[4];
    int count = 0;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        if (__builtin_cpu_supports("avx512vnni")) runnable[count++] = &kernel_avx512_vnni;
        runnable[count++] = &kernel_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        runnable[count++] = &kernel_avx2;
#endif
    runnable[count++] = &kernel_portable;
    return index >= 0 && index < count ? runnable[index] : NULL;
}

/* Products of two floats are exact in double, so that no instruction set rounds them otherwise. */
static double squared_norm(const float *vector, ptrdiff_t dim) {
    double parts[8] = {0};
    for (ptrdiff_t k = 0; k < dim; k++) parts[k & 7] += (double)vector[k] * vector[k];
    return reid_total(parts);
}

void reid_measure(const float *item, ptrdiff_t dim, int cosine, float *scale, float *bias) {
    const double norm = squared_norm(item, dim);
    *scale = !cosine ? 1 : norm > 0 ? (float)fmin(1 / sqrt(norm), FLT_MAX) : 0;
    *bias = cosine ? 0 : (float)(norm / 2);
}

void reid_pack_values(const reid_block *block, ptrdiff_t dim, int width, int strips) {
    for (int i = 0; i < strips * width; i++) {
        float *to = block->values + (i / width) * width * dim + i % width;
        const float *from = block->vectors + i * dim;
        if (i < block->size)
            for (ptrdiff_t k = 0; k < dim; k++) to[k * width] = from[k] * block->scales[i];
        else
            for (ptrdiff_t k = 0; k < dim; k++) to[k * width] = 0;
    }
}
