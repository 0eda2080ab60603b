// The reference in one precision and arithmetic: the build compiles this file four times, with REAL_BITS and FUSED set.
#include "reference.h"
#include "kernels.h"

#include "../cl/numerics.h"
// Not every row has a second number.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "../cl/formulas.h"
#pragma GCC diagnostic pop
#include "../cl/pairs.h"

static real (*const formulas[])(real, real, real) = {
#define KERNEL(id, ...) f_##id,
#include "kernels.def"
#undef KERNEL
};

#define CALL_1(name) name(u[i])
#define CALL_2(name) name(u[i], v[i])
#define FUNCTION(name, arity)                                                                                          \
    case FUNCTION_##name:                                                                                              \
        for (int64_t i = 0; i < count; i++)                                                                            \
            r[i] = CALL_##arity(name);                                                                                 \
        break;

static void apply(int function, const void *a, const void *b, void *y, int64_t count)
{
    const real *u = a, *v = b;
    real *r = y;
    switch (function) {
        EACH_FUNCTION(FUNCTION)
    default: break;
    }
}

// As pack.cl does.
static real scaled(real v, const isg_scale *scale)
{
    real tiny = (real)scale->tiny;
    return v > -tiny && v < tiny ? 0 : v * (real)scale->factor1 * (real)scale->factor2;
}

static void formula(int kernel, const void *s, double a, double b, void *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        ((real *)y)[i] = formulas[kernel](((const real *)s)[i], (real)a, (real)b);
}

static void gram(int kernel, const isg_points *x, const isg_points *y, const isg_scale *scale, void *k, int64_t stride)
{
    const bool squares = isg_kernel_list()[kernel]->pair == ISG_PAIR_SQDIST;
    for (int64_t i = 0; i < x->count; i++) {
        const real *a = (const real *)x->rows + i * x->stride;
        for (int64_t j = 0; j < y->count; j++) {
            const real *b = (const real *)y->rows + j * y->stride;
            real sum = 0;
            for (int64_t q = 0; q < x->dims; q++) {
                real u = scaled(a[q], scale), v = scaled(b[q], scale);
                sum = squares ? add_sqdist(sum, v, u) : add_l1(sum, v, u);
            }
            ((real *)k)[i * stride + j] = formulas[kernel](sum, (real)scale->a, (real)scale->b);
        }
    }
}

// As grid.cl does.
static void grid(int32_t ndim, const int64_t *shape, const void *const *profiles, void *out)
{
    int64_t count = 1;
    for (int32_t axis = 0; axis < ndim; axis++)
        count *= shape[axis];
    for (int64_t at = 0; at < count; at++) {
        int64_t rest = at, index[ISG_MAX_NDIM] = {0};
        for (int32_t axis = ndim - 1; axis >= 0; axis--) {
            index[axis] = rest % shape[axis];
            rest /= shape[axis];
        }
        real value = ((const real *)profiles[0])[index[0]];
        for (int32_t axis = 1; axis < ndim; axis++)
            value = mul_normal(value, ((const real *)profiles[axis])[index[axis]]);
        ((real *)out)[at] = value;
    }
}

#if FUSED
#define NAME ISG_CAT(ISG_CAT(isg_reference_f, REAL_BITS), _fused)
#else
#define NAME ISG_CAT(ISG_CAT(isg_reference_f, REAL_BITS), _unfused)
#endif

extern const isg_reference NAME;
const isg_reference NAME = {
    .dtype = REAL_BITS == 64 ? ISG_F64 : ISG_F32,
    .fused = FUSED,
    .apply = apply,
    .formula = formula,
    .gram = gram,
    .grid = grid,
};
