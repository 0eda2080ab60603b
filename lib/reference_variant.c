// The reference in one precision and arithmetic: the build compiles this file four times, with REAL_BITS and FUSED set.
#include "reference.h"

#include <stdlib.h>

#include "../cl/numerics.h"
// Not every row has a second number.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "../cl/combine.h"
#include "../cl/derived.h"
#include "../cl/formulas.h"
#include "../cl/slopes.h"
#pragma GCC diagnostic pop
#include "../cl/half.h"
#include "../cl/terms.h"

static real (*const formulas[])(real, real, real, real) = {
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

static void formula(int kernel, const void *s, isg_numbers n, void *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        ((real *)y)[i] = formulas[kernel](((const real *)s)[i], (real)n.a, (real)n.b, (real)n.c);
}

// One point's coordinate k, as it is packed.
static real coordinate(const isg_plan *plan, const isg_points *points, int64_t i, int64_t k)
{
    return scaled(((const real *)points->rows)[i * points->stride + k], &plan->scale);
}

typedef struct pair_numbers {
    real of[ISG_PAIR_COUNT];
} pair_numbers;

#define ADD(id, name, ...)                                                                                             \
    if (plan->used[ISG_PAIR_##id])                                                                                     \
        s.of[ISG_PAIR_##id] =                                                                                          \
            (plan->fine[ISG_PAIR_##id] ? add_##name##_fine : add_##name)(s.of[ISG_PAIR_##id], __VA_ARGS__);

// The points' coordinates as they are packed; NULL without memory.
static real *packed(const isg_plan *plan, const isg_points *points)
{
    real *to = isg_alloc(points->count * points->dims, sizeof(real));
    for (int64_t i = 0; to && i < points->count; i++)
        for (int64_t k = 0; k < points->dims; k++)
            to[i * points->dims + k] = coordinate(plan, points, i, k);
    return to;
}

// The number of a pair of packed points where a squared distance without any more is all that it has, as of most rows.
static pair_numbers plain_numbers_of(const real *u, const real *v, int64_t dims)
{
    pair_numbers s = {{0}};
    real sum = 0;
    for (int64_t k = 0; k < dims; k++)
        sum = add_sqdist(sum, v[k] - u[k]);
    s.of[ISG_PAIR_SQDIST] = sum;
    return s;
}

static bool is_plain(const isg_plan *plan)
{
    for (int p = 0; p < ISG_PAIR_COUNT; p++)
        if (plan->used[p] != (p == ISG_PAIR_SQDIST) || plan->fine[p])
            return false;
    return !plan->weights;
}

// As gram.cl does.
static pair_numbers numbers_of(const isg_plan *plan, const isg_points *x, int64_t i, const isg_points *y, int64_t j)
{
    pair_numbers s = {{0}};
    for (int64_t k = 0; k < x->dims; k++) {
        real u = coordinate(plan, x, i, k), v = coordinate(plan, y, j, k), t = v - u;
        if (plan->weights)
            t = t * ((const real *)plan->weights)[k];
        ADD(SQDIST, sqdist, t)
        ADD(L1, l1, t)
        ADD(DOT, dot, v, u)
        ADD(CHI2, chi2, v, u)
    }
    return s;
}

// 1/sqrt(q) in two parts; 0 for 0. The root is taken of a number in [1, 4).
static pair inverse_root(real q)
{
    bits mag = as_bits(q) & BITS(MAGNITUDE_BITS), exponent = (mag >> FIELD) - BITS(BIAS), odd = exponent & 1;
    if (is_nan(q))
        return pair_of(q, q);
    if (mag < BITS(NORMAL_BITS))
        return pair_of(0, 0);
    real m = scale_bits(as_real((mag & BITS(MANTISSA_BITS)) | BITS(ONE_BITS)), odd);
    pair r = pair_quotient(pair_of(1, 0), sqrt_pair_fine(m));
    real back = scale_bits(1, -((exponent - odd) >> 1));
    return pair_of(r.hi * back, r.lo * back);
}

static pair inverse_norm(const isg_plan *plan, const isg_points *points, int64_t i)
{
    real q = 0;
    for (int64_t k = 0; k < points->dims; k++) {
        real u = coordinate(plan, points, i, k);
        q = plan->fine[ISG_PAIR_DOT] ? add_dot_fine(q, u, u) : add_dot(q, u, u);
    }
    return inverse_root(q);
}

static void norms(const isg_plan *plan, const isg_points *points, void *hi, void *lo)
{
    for (int64_t i = 0; i < points->count; i++) {
        pair r = inverse_norm(plan, points, i);
        ((real *)hi)[i] = r.hi;
        ((real *)lo)[i] = r.lo;
    }
}

static real value_of(const isg_plan *plan, const pair_numbers *s, pair inverse)
{
    real stack[ISG_MAX_ROWS + 1] = {0};
    int top = -1;
    for (int i = 0; i < plan->count; i++) {
        const isg_plan_step *step = &plan->steps[i];
        const double *n = plan->numbers + step->numbers;
        if (step->kind == ISG_STEP_ROW) {
            const isg_kernel *row = isg_kernel_list()[step->kernel];
            real a = row->norms ? inverse.hi : (real)n[0], b = row->norms ? inverse.lo : (real)n[1];
            stack[++top] = formulas[step->formula](s->of[row->pair], a, b, (real)n[2]);
        } else if (step->kind == ISG_STEP_MULTIPLE) {
            stack[top] = real_product((real)n[0], stack[top]);
        } else {
            top--;
            stack[top] = step->kind == ISG_STEP_SUM ? real_sum(stack[top], stack[top + 1])
                                                    : real_product(stack[top], stack[top + 1]);
        }
    }
    return stack[0];
}

typedef real (*log_formula)(real, real);

static log_formula logarithm_of(const isg_kernel *row)
{
    static const struct {
        const char *name;
        log_formula of;
    } all[] = {{"l_exponential", l_exponential},
               {"l_matern12", l_matern12},
               {"l_matern32", l_matern32},
               {"l_matern52", l_matern52}};
    for (size_t i = 0; row->logarithm && i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, row->logarithm) == 0)
            return all[i].of;
    return NULL;
}

// As isg_plan_log_expression says.
static real log_of(const isg_plan *plan, const pair_numbers *s, pair inverse)
{
    if (!isg_plan_has_logs(plan))
        return real_log(value_of(plan, s, inverse));
    real sum = 0;
    bool first = true;
    for (int i = 0; i < plan->count; i++) {
        const isg_plan_step *step = &plan->steps[i];
        const double *n = plan->numbers + step->numbers;
        real term;
        if (step->kind == ISG_STEP_PRODUCT)
            continue;
        if (step->kind == ISG_STEP_ROW) {
            const isg_kernel *row = isg_kernel_list()[step->kernel];
            term = logarithm_of(row)(s->of[row->pair], (real)n[0]);
        } else {
            term = real_log((real)n[0]);
        }
        sum = first ? term : sum + term;
        first = false;
    }
    return sum;
}

// All values, or their logarithms.
static void values(const isg_plan *plan, const isg_points *x, const isg_points *y, void *k, int64_t stride, bool logs)
{
    // Without memory for them norms are computed for each pair.
    real *x_norms = plan->norms ? calloc((size_t)x->count * 2, sizeof(real)) : NULL;
    real *y_norms = plan->norms ? calloc((size_t)y->count * 2, sizeof(real)) : NULL;
    if (x_norms && y_norms) {
        norms(plan, x, x_norms, x_norms + x->count);
        norms(plan, y, y_norms, y_norms + y->count);
    }
    // Likewise what is packed.
    const bool plain = is_plain(plan);
    real *u = plain ? packed(plan, x) : NULL, *v = plain ? packed(plan, y) : NULL;
    for (int64_t i = 0; i < x->count; i++)
        for (int64_t j = 0; j < y->count; j++) {
            pair_numbers s =
                u && v ? plain_numbers_of(u + i * x->dims, v + j * y->dims, x->dims) : numbers_of(plan, x, i, y, j);
            pair inverse = pair_of(0, 0);
            if (x_norms && y_norms)
                inverse = inverse_norms(pair_of(x_norms[i], x_norms[x->count + i]),
                                        pair_of(y_norms[j], y_norms[y->count + j]));
            else if (plan->norms)
                inverse = inverse_norms(inverse_norm(plan, x, i), inverse_norm(plan, y, j));
            real value = logs ? log_of(plan, &s, inverse) : value_of(plan, &s, inverse);
            if (plan->factors && !logs)
                value = real_product(value, ((const real *)plan->factors)[i]);
            ((real *)k)[i * stride + j] = value;
        }
    free(x_norms);
    free(y_norms);
    free(u);
    free(v);
}

static void gram(const isg_plan *plan, const isg_points *x, const isg_points *y, void *k, int64_t stride)
{
    values(plan, x, y, k, stride, false);
}

static void logs(const isg_plan *plan, const isg_points *x, const isg_points *y, void *l, int64_t stride)
{
    values(plan, x, y, l, stride, true);
}

// As tile.h does.
static void shift(void *l, const void *weights, const void *shift, int64_t count)
{
    real *to = l;
    for (int64_t j = 0; j < count; j++) {
        to[j] = to[j] + ((const real *)weights)[j];
        if (shift)
            to[j] = exp_nonpositive(to[j] - *(const real *)shift);
    }
}

// As apply.cl does. Products in double of two numbers of single precision are exact. Every product is looked at, which
// changes none where it need not be.
static double sum(const void *k, const void *v, int64_t step, int64_t count, isg_dtype sums)
{
    real total = 0;
    double wide_total = 0;
    for (int64_t first = 0; first < count; first += ISG_BLOCK_SOURCES) {
        real block = 0;
        double wide_block = 0;
        for (int64_t j = first; j < isg_min(first + ISG_BLOCK_SOURCES, count); j++) {
            real value = ((const real *)k)[j];
            if (REAL_BITS == 32 && sums == ISG_F64)
                wide_block = wide_block + (double)value * ((const double *)v)[j * step];
            else
                block = add_dot_fine(block, value, ((const real *)v)[j * step]);
        }
        total = total + block;
        wide_total = wide_total + wide_block;
    }
    return REAL_BITS == 32 && sums == ISG_F64 ? wide_total : (double)total;
}

static double combine(double alpha, double sum, int exponent, double beta, double old)
{
    real product = real_product((real)alpha, scale_back((real)sum, (real)exponent));
    return beta == 0 ? product : real_sum(product, real_product((real)beta, (real)old));
}

static double log_sum(double shift, double sum, int exponent)
{
    return real_sum((real)shift, real_log(scale_back((real)sum, (real)exponent)));
}

static double quotient(double a, double b, int exponent)
{
    return scale_back(real_divide((real)a, (real)b), (real)exponent);
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

#include "reference_gradient.h"

// --- as filter.cl does

static bool filter_scale(isg_filter_scale s, double large, bool dry, void *x, int64_t count)
{
    real *v = x;
    bool found = false;
    for (int64_t i = 0; i < count; i++)
        found |= magnitude(v[i]) >= (real)large && magnitude(v[i]) <= (PICK_REAL(FLT_MAX, DBL_MAX));
    for (int64_t i = 0; i < count && !dry; i++)
        v[i] = magnitude(v[i]) < (real)s.tiny ? 0 : v[i] * (real)s.factor;
    return found;
}

static void filter_axis(const isg_filter_axis *axis, isg_filter_scale s, const int32_t *table, int64_t outer, int64_t n,
                        int64_t inner, const void *in, void *out)
{
    const real *x = in;
    real *y = out;
    for (int64_t at = 0; at < outer * n * inner; at++) {
        int64_t i = at / inner % n, line = at - i * inner, r = axis->radius;
        real sum = 0;
        for (int64_t k = r; k >= 1; k--) {
            int32_t low = table[i + r - k], high = table[i + r + k];
            real a = low < 0 ? (real)s.constant : x[line + low * inner];
            real b = high < 0 ? (real)s.constant : x[line + high * inner];
            sum = FMA((real)axis->weights[r - k], axis->order % 2 ? b - a : b + a, sum);
        }
        sum = FMA((real)axis->weights[r], x[at], sum);
        y[at] = magnitude(sum) < (real)s.tiny ? 0 : sum * (real)s.factor;
    }
}

// As convolve.cl does, one weight after the other.
static void convolve(const isg_convolve_plan *plan, isg_filter_scale s, const int32_t *const *tables,
                     const int64_t *shape, const void *in, void *out)
{
    enum { NDIM = ISG_FILTER_MAX_NDIM };
    real *y = out;
    int64_t lines = shape[0] * shape[1] * shape[2], cols = shape[3];
    for (int64_t k = 0; k < plan->weight_count; k++) {
        const int32_t *table[NDIM] = {NULL}; // where this weight finds its elements along each axis
        int64_t rest = k;
        for (int32_t i = plan->count - 1; i >= 0; i--) {
            table[plan->axis[i]] = tables[i] + rest % plan->size[i];
            rest /= plan->size[i];
        }
        for (int64_t line = 0; line < lines; line++) {
            const int64_t place[3] = {line / shape[2] / shape[1], line / shape[2] % shape[1], line % shape[2]};
            int64_t from = 0;
            bool outside = false;
            for (int a = 0; a < NDIM - 1; a++) {
                int64_t source = table[a] ? table[a][place[a]] : place[a];
                outside = outside || source < 0;
                from = from * shape[a] + source;
            }
            for (int64_t j = 0; j < cols; j++) {
                int64_t source = table[3] ? table[3][j] : j;
                real x = outside || source < 0 ? (real)s.constant : ((const real *)in)[from * cols + source];
                real *sum = &y[line * cols + j];
                *sum = FMA((real)plan->weights[k], x, k == 0 ? 0 : *sum);
            }
        }
    }
    for (int64_t i = 0; i < lines * cols; i++)
        y[i] = magnitude(y[i]) < (real)s.tiny ? 0 : y[i] * (real)s.factor;
}

static real filter_kept(real x, isg_filter_scale s)
{
    return magnitude(x) < (real)s.tiny ? 0 : x * (real)s.factor;
}

// As filter_masked.cl does.
static void filter_weigh(const isg_filter_weighing *s, double whole, double empty, const void *sums,
                         const void *weights, const void *own, int64_t count, void *out)
{
    for (int64_t i = 0; i < count; i++) {
        real sum = ((const real *)sums)[i], weight = ((const real *)weights)[i];
        bool none = weight < (real)s->none || (own && is_nan(((const real *)own)[i]));
        real mean = filter_kept(real_divide(sum, weight), s->mean);
        ((real *)out)[i] = none ? (real)empty : weight == (real)whole ? filter_kept(sum, s->whole) : mean;
    }
}

static void derive(int kind, int count, const void *const *x, double amount, double empty, int64_t elements, void *out)
{
    for (int64_t i = 0; i < elements; i++) {
        real numbers[DERIVED_MOST] = {0};
        for (int k = 0; k < count; k++)
            numbers[k] = ((const real *)x[k])[i];
        real y = derived_of(kind, numbers, count, (real)amount);
        ((real *)out)[i] = is_nan(y) ? (real)empty : y;
    }
}

// Whole numbers: to nearest, halves to even; then within the bounds.
static double whole_number(real x, double lowest, double highest)
{
    double r = x != x ? 0 : rint((double)x); // the host rounds to nearest even
    return r < lowest ? lowest : r > highest ? highest : r;
}

static void filter_store(const void *from, int64_t i, isg_dtype dtype, void *out, int64_t at)
{
    real x = ((const real *)from)[i];
    switch (dtype) {
    case ISG_F64: ((double *)out)[at] = x; break;
    case ISG_F32: ((float *)out)[at] = (float)(fabs((double)x) < FLT_MIN ? 0 : x); break;
    case ISG_F16: ((uint16_t *)out)[at] = (uint16_t)half_bits(x); break;
    case ISG_U8: ((uint8_t *)out)[at] = (uint8_t)whole_number(x, 0, UINT8_MAX); break;
    case ISG_U16: ((uint16_t *)out)[at] = (uint16_t)whole_number(x, 0, UINT16_MAX); break;
    case ISG_I16: ((int16_t *)out)[at] = (int16_t)whole_number(x, INT16_MIN, INT16_MAX); break;
    default: ((int32_t *)out)[at] = (int32_t)whole_number(x, INT32_MIN, INT32_MAX); break;
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
    .norms = norms,
    .gram = gram,
    .logs = logs,
    .shift = shift,
    .sum = sum,
    .combine = combine,
    .log_sum = log_sum,
    .quotient = quotient,
    .gradient = gradient,
    .grid = grid,
    .filter_scale = filter_scale,
    .filter_axis = filter_axis,
    .convolve = convolve,
    .filter_weigh = filter_weigh,
    .derive = derive,
    .filter_store = filter_store,
};
