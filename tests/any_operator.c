#include "any_operator.h"
#include "kernels.h"
#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CENTRES = 4 };

// 2^e for e in [low, high], with a mantissa that has all its digits, few of them, or one.
static double any_size(suite_random *random, int low, int high)
{
    double x = random_scaled(random, 1, 2, low, high - low + 1);
    switch (random_below(random, 4)) {
    case 0: return ldexp(1, ilogb(x));
    case 1: return ldexp(floor(ldexp(x, 4 - ilogb(x))), ilogb(x) - 4);
    default: return x;
    }
}

static double any_sign(suite_random *random)
{
    return random_below(random, 2) ? -1 : 1;
}

// The exponents of the coordinates of one operator.
typedef struct extent {
    int low, high;
} extent;

static extent any_extent(suite_random *random, isg_dtype dtype, bool moderate)
{
    int least = moderate ? -8 : dtype == ISG_F64 ? -1074 : -149, most = moderate ? 4 : dtype == ISG_F64 ? 1000 : 120;
    int top = least + (int)random_below(random, most - least + 1);
    if (!moderate && random_below(random, 3) == 0)
        top = (int)random_below(random, 40) - 20;
    int width = (int)random_below(random, random_below(random, 2) ? 16 : top - least + 1);
    return (extent){top - width < least ? least : top - width, top};
}

// Rows about some centres, so that some differences are small or 0 and some rows are alike.
static void *any_points(suite_random *random, isg_dtype dtype, int64_t count, int64_t d, extent e, bool positive,
                        const double *centres)
{
    void *x = oracle_array(dtype, count * d);
    int digits = dtype == ISG_F64 ? 52 : 23;
    for (int64_t i = 0; i < count; i++) {
        int kind = (int)random_below(random, 4);
        const double *centre = centres + random_below(random, CENTRES) * d;
        for (int64_t k = 0; k < d; k++) {
            double v = any_sign(random) * any_size(random, e.low, e.high);
            if (kind == 0 && random_below(random, 3) == 0)
                v = 0;
            if (kind == 1)
                v = centre[k];
            if (kind == 2) // a few last places away
                v = centre[k] * (1 + ldexp((double)(random_below(random, 9) - 4), -digits));
            if (kind == 3 && random_below(random, 2))
                v = centre[k] + ldexp(v, -(int)random_below(random, 2 * digits));
            oracle_put(dtype, x, i * d + k, positive ? fabs(v) : v);
        }
    }
    return x;
}

static const isg_kernel *any_row(suite_random *random, bool distances)
{
    for (;;) {
        const isg_kernel *row = isg_kernel_list()[random_below(random, ISG_KERNEL_COUNT)];
        bool distance = row->pair == ISG_PAIR_SQDIST || row->pair == ISG_PAIR_L1;
        if (!distances || (distance && row->scale != ISG_SCALE_NONE))
            return row;
    }
}

static double any_param(suite_random *random, const isg_kernel_param *param, double unit)
{
    if (param->whole)
        return param->least + (double)random_below(random, random_below(random, 4) ? 6 : (int64_t)param->most);
    if (param->least > 0) {
        double v = random_below(random, 2) ? any_size(random, -3, 3) : any_size(random, -20, 20);
        return param->name[0] == 'p' ? v * unit : v; // a period has the unit of the data
    }
    switch (random_below(random, 4)) {
    case 0: return 0;
    case 1: return any_sign(random) * any_size(random, -140, 49);
    default: return any_sign(random) * any_size(random, -4, 4);
    }
}

// A row whose scale fits data of size `unit`, more or less.
static isg_composite *any_single(suite_random *random, double unit, bool distances)
{
    const isg_kernel *row = any_row(random, distances);
    isg_setting settings[ISG_MAX_PARAMS];
    isg_kernel_params params = {.kernel = row, .settings = settings};
    double fit = unit * (random_below(random, 3) ? any_size(random, -3, 3) : any_size(random, -60, 60));
    for (int p = 0; p < ISG_MAX_PARAMS && row->params[p].name; p++)
        if (random_below(random, 4))
            settings[params.setting_count++] =
                (isg_setting){row->params[p].name, any_param(random, &row->params[p], unit)};
    if (distances || row->scale == ISG_SCALE_NONE)
        params.gamma = 0;
    else if (row->scale == ISG_SCALE_LENGTHSCALE)
        params.lengthscale = row->params[0].name && row->params[0].name[0] == 'p' ? any_size(random, -3, 3) : fit;
    else
        params.gamma = isg_pair_power(row->pair) == 2 ? 1 / (fit * fit) : 1 / fit;
    isg_composite *made = NULL;
    if (isg_kernel_single(&made, &params, NULL)) // out of the range of doubles
        (void)!isg_kernel_single(&made, isg_kernel_params(.kernel = row), NULL);
    return made;
}

static isg_composite *any_composite(suite_random *random, double unit, bool distances, int depth, isg_dtype dtype)
{
    int64_t kind = depth ? random_below(random, 4) : 0;
    if (kind == 0)
        return any_single(random, unit, distances);
    isg_composite *a = any_composite(random, unit, distances, depth - 1, dtype), *b = NULL, *made = NULL;
    if (kind == 3) {
        int most = dtype == ISG_F64 ? 1022 : 126;
        double factor = random_below(random, 2) ? any_size(random, -4, 4) : any_size(random, -most, most);
        (void)!isg_kernel_multiple(&made, factor, a, NULL);
    } else {
        b = any_composite(random, unit, distances, depth - 1, dtype);
        (void)!(kind == 1 ? isg_kernel_sum : isg_kernel_product)(&made, a, b, NULL);
    }
    isg_composite_destroy(&a);
    isg_composite_destroy(&b);
    return made;
}

any_operator any_operator_make(suite_random *random, isg_dtype dtype, int64_t most, bool moderate)
{
    any_operator any = {.dtype = dtype};
    any.n = 1 + random_below(random, most);
    any.m = random_below(random, 3) ? 0 : 1 + random_below(random, most);
    any.d = 1 + random_below(random, 6);
    extent e = any_extent(random, dtype, moderate);
    bool lengths = random_below(random, 5) == 0, positive = random_below(random, 3) == 0;
    double unit = ldexp(1, e.high), *centres = malloc((size_t)(CENTRES * any.d) * sizeof *centres);
    any.composite = any_composite(random, unit, lengths, random_below(random, 2) ? 0 : 3, dtype);
    if (!centres || !any.composite)
        abort();
    for (int i = 0; i < any.composite->count; i++)
        if (any.composite->steps[i].kind == ISG_STEP_ROW)
            positive |= any.composite->steps[i].params.kernel->pair == ISG_PAIR_CHI2;
    for (int64_t i = 0; i < CENTRES * any.d; i++)
        centres[i] = any_sign(random) * any_size(random, e.low, e.high);
    any.x = any_points(random, dtype, any.n, any.d, e, positive, centres);
    any.y = any_points(random, dtype, any.m + 1, any.d, e, positive, centres);
    free(centres);
    if (lengths) {
        any.lengthscales = malloc((size_t)any.d * sizeof *any.lengthscales);
        for (int64_t k = 0; k < any.d; k++)
            any.lengthscales[k] =
                unit * (moderate || random_below(random, 2) ? any_size(random, -3, 3) : any_size(random, -60, 60));
    }
    if (random_below(random, 4) == 0) {
        int far = moderate ? 4 : dtype == ISG_F64 ? 1023 : 127;
        any.factors = malloc((size_t)any.n * sizeof *any.factors);
        for (int64_t i = 0; i < any.n; i++)
            any.factors[i] = random_below(random, 8) ? any_sign(random) * any_size(random, -far, far - 1) : 0;
    }
    if (random_below(random, 4) == 0) {
        any.include = malloc((size_t)any.n);
        for (int64_t i = 0; i < any.n; i++)
            any.include[i] = (uint8_t)random_below(random, 3);
        any.include[random_below(random, any.n)] = 1;
    }
    return any;
}

void any_operator_free(any_operator *any)
{
    free(any->x);
    free(any->y);
    free(any->lengthscales);
    free(any->factors);
    free(any->include);
    isg_composite_destroy(&any->composite);
}

isg_gram_params any_operator_params(const any_operator *any)
{
    isg_array none = {.dtype = ISG_DTYPE_NONE};
    return (isg_gram_params){.x = isg_matrix(any->dtype, any->x, any->n, any->d),
                             .y = any->m ? isg_matrix(any->dtype, any->y, any->m, any->d) : none,
                             .composite = any->composite,
                             .lengthscales = any->lengthscales,
                             .factors = any->factors,
                             .include = any->include,
                             .precision = any->dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32};
}

void any_operator_describe(const any_operator *any, char *text, size_t bytes)
{
    size_t length = isg_composite_text(any->composite, text, bytes);
    if (length < bytes)
        snprintf(text + length, bytes - length, ", %s, %d x %d, d = %d%s%s%s", isg_dtype_name(any->dtype), (int)any->n,
                 (int)any->m, (int)any->d, any->lengthscales ? ", lengthscales" : "", any->factors ? ", factors" : "",
                 any->include ? ", include" : "");
}
