#include "verify_cases.h"
#include "kernels.h"
#include "profile.h"
#include "verify_gradient.h"
#include "verify_inputs.h"
#include "verify_sums.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

// --- functions

static const char *const function_names[] = {
#define FUNCTION(name, arity) #name,
    EACH_FUNCTION(FUNCTION)
#undef FUNCTION
};

static const int arities[] = {
#define FUNCTION(name, arity) arity,
    EACH_FUNCTION(FUNCTION)
#undef FUNCTION
};

// Any number at all, subnormal, infinite and NaN ones included.
static double any_number(isg_dtype dtype, uint64_t *state)
{
    uint64_t r = next_integer(state);
    double wide;
    float narrow;
    if (dtype == ISG_F64) {
        memcpy(&wide, &r, sizeof wide);
        return wide;
    }
    uint32_t half = (uint32_t)(r >> 32);
    memcpy(&narrow, &half, sizeof narrow);
    return narrow;
}

// The number `steps` neighbours above the rounded value, or below.
static double moved(isg_dtype dtype, double value, int steps)
{
    const double to = steps < 0 ? -INFINITY : INFINITY;
    if (dtype == ISG_F32)
        value = (float)value;
    for (int i = abs(steps); i > 0; i--)
        value = dtype == ISG_F32 ? nextafterf((float)value, (float)to) : nextafter(value, to);
    return value;
}

// An argument from one of several ranges: everywhere, where functions bend, where results leave the range, close to 1
// and to 0, and on borders.
static double mixed_argument(isg_dtype dtype, uint64_t *state)
{
    static const double borders[] = {0,
                                     1,
                                     2,
                                     0.5,
                                     0.25,
                                     0.75,
                                     1.5,
                                     3,
                                     0.34657359027997264,
                                     0.70710678118654757,
                                     1.4142135623730951,
                                     87.336544750553102,
                                     88.722839052068353,
                                     708.39641853226408,
                                     709.78271289338397,
                                     10.0546875,
                                     26.5431137084961,
                                     9.0109,
                                     19.0615,
                                     8388608,
                                     0x1p52,
                                     0x1p-26,
                                     0x1p-55,
                                     0x1p-126,
                                     0x1p-127,
                                     0x1p-1022,
                                     0x1p-1030,
                                     INFINITY,
                                     1e30,
                                     1e-30};
    uint64_t r = next_integer(state);
    double f = next_fraction(state);
    switch (r % 10) {
    case 0: return any_number(dtype, state);
    case 1: return f * 128;
    case 2: return f * 1024;
    case 3: return f * 16;
    case 4: return f * 4;
    case 5: return f;
    case 6: return ldexp(f, -(int)(r / 16 % 64));
    case 7: return 1 + ldexp(f, -(int)(r / 16 % 52));
    case 8: return ldexp(f, (int)(r / 16 % 96));
    default: {
        double border = borders[r / 16 % (sizeof borders / sizeof *borders)];
        border = moved(dtype, border, (int)(r / 4096 % 5) - 2);
        return f < 0 ? -border : border;
    }
    }
}

static bool make_function(isg_case *c, int function, bool quick)
{
    c->kind = ISG_CASE_FUNCTION;
    c->function = function;
    c->inputs = "mixed";
    c->count = quick ? 1 << 12 : 1 << 18;
    snprintf(c->what, sizeof c->what, "function %s", function_names[function]);
    c->a = isg_alloc(c->count, isg_dtype_bytes(c->dtype));
    c->b = isg_alloc(c->count, isg_dtype_bytes(c->dtype));
    if (!c->a || !c->b)
        return false;
    uint64_t state = 0x100 + (uint64_t)function;
    double least = c->dtype == ISG_F64 ? 0x1p-1022 : 0x1p-126;
    for (int64_t i = 0; i < c->count; i++) {
        double a = mixed_argument(c->dtype, &state), b = mixed_argument(c->dtype, &state);
        if (function == FUNCTION_exp_nonpositive)
            a = -fabs(a);
        if (function == FUNCTION_mul_normal) { // its domain
            a = fabs(a) < 0x1p60 ? fabs(a) : 0x1p-20;
            b = fabs(b) < 0x1p30 ? fabs(b) : 0x1p-100;
            a = a < least ? 0 : a;
            b = b < least ? 0 : b;
        }
        if (function == FUNCTION_real_pow && i % 2) { // results within range
            a = fabs(a);
            b = a > 0 && a < INFINITY && a != 1 ? next_fraction(&state) * 8 : b;
        }
        isg_store_double(c->dtype, c->a, i, a);
        isg_store_double(c->dtype, c->b, i, b);
    }
    return true;
}

// --- formulas

static bool make_formula(isg_case *c, int kernel, bool quick)
{
    const isg_kernel *row = isg_kernel_list()[kernel];
    c->kind = ISG_CASE_FORMULA;
    c->kernel = kernel;
    c->inputs = "mixed";
    c->count = quick ? 1 << 12 : 1 << 18;
    snprintf(c->what, sizeof c->what, "formula %s", row->name);
    c->a = isg_alloc(c->count, isg_dtype_bytes(c->dtype));
    // Numbers as a plan has them; not the defaults.
    isg_composite one;
    isg_plan plan;
    isg_setting settings[ISG_MAX_PARAMS];
    isg_kernel_params params = {.kernel = row, .settings = settings};
    for (int p = 0; p < ISG_MAX_PARAMS && row->params[p].name; p++, params.setting_count++)
        settings[p] = (isg_setting){row->params[p].name,
                                    row->params[p].whole ? row->params[p].fallback + 2 : row->params[p].fallback * 1.5};
    if (row->scale == ISG_SCALE_LENGTHSCALE)
        params.lengthscale = 0.7;
    else if (row->scale != ISG_SCALE_NONE)
        params.gamma = 0.3;
    if (!c->a || isg_composite_set(&one, &params, NULL) ||
        isg_plan_make(&plan, &one, (isg_extent){4, 1, 1}, c->dtype, NULL))
        return false;
    c->numbers = (isg_numbers){plan.numbers[0], plan.numbers[1], plan.numbers[2]};
    if (row->norms) // as of points of length 3 or so
        c->numbers = (isg_numbers){0.3125, c->dtype == ISG_F64 ? 0x1p-57 : 0x1p-28, 0};
    uint64_t state = 0x10000 + (uint64_t)kernel;
    for (int64_t i = 0; i < c->count; i++)
        isg_store_double(c->dtype, c->a, i, fabs(mixed_argument(c->dtype, &state)));
    return true;
}

// --- gram

// LARGE is enough for K to be streamed past the caches; DIAGONAL is K(X, Y)'s; FINE has terms that would be subnormal
// beside numbers near 1. From DATA_SETS on they are special cases':
//   SMALLEST    differences that are subnormal, but not their sums
//   ORTHOGONAL  every other point is nearly so: cosines on both sides of the smallest normal number
//   SPREAD      sums of products that round at every step, in double as well
//   BORDER      products that the last place decides whether they are normal
typedef enum data_set {
    EASY,
    MANY_DIMS,
    FAR,
    CLUSTERS,
    SUBNORMAL,
    TINY,
    HUGE_SCALE,
    CROSS,
    LARGE,
    DIAGONAL,
    FINE,
    DATA_SETS,
    SMALLEST = DATA_SETS,
    ORTHOGONAL,
    SPREAD,
    BORDER,
    ALL_SETS
} data_set;

static const char *const data_names[ALL_SETS] = {"easy",  "many-dims", "far",        "clusters", "subnormal",
                                                 "1e-30", "1e30",      "cross",      "large",    "diagonal",
                                                 "fine",  "smallest",  "orthogonal", "spread",   "border"};

static double coordinate(data_set set, isg_dtype dtype, int64_t point, uint64_t *state)
{
    uint64_t r = next_integer(state);
    double f = next_fraction(state), ulp = dtype == ISG_F64 ? 0x1p-52 : 0x1p-23;
    switch (set) {
    case FAR: return 1000 + f; // what the expanded square loses
    case CLUSTERS:             // two tight ones, and pairs that differ in the last bit
        f = (double)((int64_t)(r >> 61) - 4) * ulp;
        return point % 2 ? 100 * (1 + f) : -100 * (1 + f);
    case SUBNORMAL: // down to the smallest numbers there are
        return ldexp(f, dtype == ISG_F64 ? -504 - (int)(r % 60) : -112 - (int)(r % 40));
    case FINE: // coordinates, differences and products on both sides of the borders of lib/plan.c
        return r % 4 == 0 ? f : ldexp(1 + f / 4, -(int)(r / 4 % (dtype == ISG_F64 ? 1000 : 120)));
    case SMALLEST: return point ? ldexp(1 + (double)(r % 8) / 8, dtype == ISG_F64 ? -1022 : -126) : f;
    case SPREAD: return ldexp(f + next_fraction(state) * 0x1p-23, -(int)(r % 20));
    case TINY: return f * 2e-30;
    case HUGE_SCALE: return f * 2e30;
    default: return f * 2;
    }
}

static double gamma_of(data_set set, isg_pair pair, isg_dtype dtype)
{
    if (isg_pair_power(pair) == 1)
        return sqrt(gamma_of(set, ISG_PAIR_SQDIST, dtype));
    if (pair == ISG_PAIR_DOT && (set == FAR || set == CLUSTERS)) // products do not cancel as differences do
        return set == FAR ? 0x1p-21 : 0x1p-14;
    switch (set) {
    case FAR: return 0.5;
    case CLUSTERS: return dtype == ISG_F64 ? 0x1p84 : 0x1p30;
    case SUBNORMAL: return dtype == ISG_F64 ? 0x1p1008 : 0x1p224;
    case TINY: return 0.3e60;
    case HUGE_SCALE: return 0.3e-60;
    case MANY_DIMS: return 0.02;
    default: return 0.3;
    }
}

static void put_points(const isg_case *c, data_set set, void *to, int64_t count, bool positive, uint64_t *state)
{
    for (int64_t i = 0; i < count * c->d; i++) {
        double x = coordinate(set, c->dtype, i / c->d, state);
        isg_store_double(c->dtype, to, i, positive ? fabs(x) : x);
    }
}

static bool make_gram(isg_case *c, int kernel, data_set set, bool quick)
{
    c->kind = ISG_CASE_GRAM;
    c->kernel = kernel;
    c->inputs = data_names[set];
    c->n = quick ? 67 : set == LARGE ? 1104 : 301;
    c->m = set == CROSS || set == DIAGONAL ? (quick ? 45 : 203) : 0;
    c->diagonal = set == DIAGONAL;
    c->d = set == MANY_DIMS ? (quick ? 33 : 131) : 5;
    const isg_kernel *row = isg_kernel_list()[kernel];
    // Not the defaults.
    isg_setting settings[ISG_MAX_PARAMS];
    isg_kernel_params params = {.kernel = row, .gamma = gamma_of(set, row->pair, c->dtype), .settings = settings};
    for (int p = 0; p < ISG_MAX_PARAMS && row->params[p].name; p++, params.setting_count++)
        settings[p] = (isg_setting){row->params[p].name, row->params[p].whole ? row->params[p].fallback + 1 : 1.5};
    if (row->scale == ISG_SCALE_NONE)
        params.gamma = 0;
    if (kernel == ISG_KERNEL_periodic) { // its lengthscale has no unit, its period has
        settings[0].value = 3 * sqrt(0.5 / params.gamma);
        params.gamma = 0.8;
    }
    if (isg_composite_set(&c->composite, &params, NULL))
        return false;
    c->count = c->diagonal ? isg_min(c->n, c->m) : c->n * (c->m ? c->m : c->n);
    snprintf(c->what, sizeof c->what, "gram %s", row->name);
    c->a = isg_alloc(c->n * c->d, isg_dtype_bytes(c->dtype));
    c->b = isg_alloc((c->m + 1) * c->d, isg_dtype_bytes(c->dtype));
    if (!c->a || !c->b)
        return false;
    uint64_t state = 0x1000 + (uint64_t)set;
    put_points(c, set, c->a, c->n, row->pair == ISG_PAIR_CHI2, &state);
    put_points(c, set, c->b, c->m, row->pair == ISG_PAIR_CHI2, &state);
    return true;
}

// What rows alone do not show: several in one pass, lengthscales for each coordinate, factors for each row.
static const struct special {
    const char *what, *function;
    data_set set;
    bool positive, lengthscales, factors, quick;
    const char *wide; // the function in double where it is another
} specials[] = {
    {.what = "gram sum",
     .function = "0.5*linear + chi2*cosine + rbf(gamma=0.3)",
     .set = CROSS,
     .positive = true,
     .quick = true},
    {.what = "gram product",
     .function = "2*rbf(gamma=0.3)*periodic(period=2) + 0.25*polynomial(degree=2, coef0=-0.5)",
     .set = EASY},
    {.what = "gram small product", .function = "1e-9*rbf(gamma=3)*rbf(gamma=5)*laplacian(gamma=2)", .set = EASY},
    {.what = "gram rbf, lengthscales", .function = "rbf", .set = EASY, .lengthscales = true},
    {.what = "gram matern32, lengthscales", .function = "matern32", .set = CROSS, .lengthscales = true},
    {.what = "gram laplacian, lengthscales", .function = "laplacian", .set = CROSS, .lengthscales = true},
    {.what = "gram rbf, factors", .function = "rbf(gamma=0.3)", .set = CROSS, .factors = true},
    {.what = "gram cosine, factors", .function = "cosine", .set = EASY, .factors = true},
    {.what = "gram small sum",
     .function = "2e-38*rbf(gamma=0.01) + 2e-38*multiquadric(lengthscale=20)",
     .set = EASY,
     .wide = "4e-308*rbf(gamma=0.01) + 4e-308*multiquadric(lengthscale=20)"},
    {.what = "gram polynomial, degree 5", .function = "polynomial(degree=5, coef0=-0.5)", .set = EASY},
    {.what = "gram polynomial, small",
     .function = "polynomial(degree=1, gamma=1, coef0=1e-24)",
     .set = FINE,
     .wide = "polynomial(degree=1, gamma=1, coef0=1e-272)"},
    {.what = "gram cityblock", .function = "cityblock", .set = SMALLEST},
    {.what = "gram rbf, factors", .function = "rbf(gamma=0.3)", .set = DIAGONAL, .factors = true},
    {.what = "gram rbf, lengthscales", .function = "rbf", .set = DIAGONAL, .lengthscales = true},
    {.what = "gram cosine", .function = "cosine", .set = DIAGONAL},
    {.what = "gram cosine", .function = "cosine", .set = LARGE},
    {.what = "gram cosine", .function = "cosine", .set = ORTHOGONAL},
    {.what = "gram linear", .function = "linear", .set = SPREAD},
    {.what = "gram linear, factors", .function = "linear", .set = BORDER, .factors = true},
    {.what = "gram rational_quadratic, alpha 1", .function = "rational_quadratic(lengthscale=0.7)", .set = EASY},
    {.what = "gram rational_quadratic, alpha 1", .function = "rational_quadratic(lengthscale=0.7)", .set = LARGE},
};
enum { SPECIALS = sizeof specials / sizeof *specials };

// Even points (1, 0, p, q, 0), odd ones (0, 1, p, -q, 0): of p, q near 2^e products cancel.
static void put_orthogonal(const isg_case *c, uint64_t *state)
{
    bool wide = c->dtype == ISG_F64;
    for (int64_t i = 0; i < c->n; i++) {
        isg_store_double(c->dtype, c->a, i * c->d + i % 2, 1);
        for (int k = 2; k < 4; k++) {
            double v = ldexp(1 + ldexp((double)(next_integer(state) >> 49), wide ? -52 : -23), wide ? -492 : -56);
            isg_store_double(c->dtype, c->a, i * c->d + k, k == 3 && i % 2 ? -v : v);
        }
    }
}

// Values (1 - m ulp) for factors (1 + m ulp) times the smallest normal number; the last place of m decides: by IEEE 754
// some products round up to that number only because subnormal ones have fewer digits.
static void put_border(isg_case *c, uint64_t *state)
{
    bool wide = c->dtype == ISG_F64;
    for (int64_t j = 0; j < c->m; j++)
        isg_store_double(c->dtype, c->b, j * c->d, 1);
    for (int64_t i = 0; i < c->n; i++) {
        double m = fabs(next_fraction(state)) * (wide ? 47453132 : 2047), ulp = wide ? 0x1p-52 : 0x1p-23;
        isg_store_double(c->dtype, c->a, i * c->d, 1 - floor(m) * ulp);
        c->factors[i] = ldexp(1 + floor(m) * ulp, wide ? -1022 : -126);
    }
}

static bool make_special(isg_case *c, int at, bool quick)
{
    const struct special *special = &specials[at];
    isg_composite *made;
    c->kind = ISG_CASE_GRAM;
    c->inputs = data_names[special->set];
    c->n = quick ? 67 : special->set == LARGE ? 1104 : 301;
    c->m = special->set == CROSS || special->set == DIAGONAL || special->set == BORDER ? (quick ? 45 : 203) : 0;
    c->d = 5;
    c->diagonal = special->set == DIAGONAL;
    c->count = c->diagonal ? isg_min(c->n, c->m) : c->n * (c->m ? c->m : c->n);
    snprintf(c->what, sizeof c->what, "%s", special->what);
    c->a = isg_alloc(c->n * c->d, isg_dtype_bytes(c->dtype));
    c->b = isg_alloc((c->m + 1) * c->d, isg_dtype_bytes(c->dtype));
    if (special->factors)
        c->factors = isg_alloc(c->n, sizeof *c->factors);
    const char *function = special->wide && c->dtype == ISG_F64 ? special->wide : special->function;
    if (!c->a || !c->b || (special->factors && !c->factors) || isg_kernel_parse(&made, function, NULL))
        return false;
    c->composite = *made;
    isg_composite_destroy(&made);
    uint64_t state = 0x2000 + (uint64_t)at;
    if (special->set == ORTHOGONAL || special->set == BORDER) {
        if (special->set == BORDER)
            put_border(c, &state);
        else
            put_orthogonal(c, &state);
        return true;
    }
    put_points(c, special->set, c->a, c->n, special->positive, &state);
    put_points(c, special->set, c->b, c->m, special->positive, &state);
    for (int64_t k = 0; k < c->d && special->lengthscales; k++)
        c->lengthscales[k] = ldexp(1 + fabs(next_fraction(&state)), (int)k - 2);
    for (int64_t i = 0; i < c->n && special->factors; i++) // some of them lead below the smallest numbers
        c->factors[i] = ldexp(next_fraction(&state), i % 7 == 6 ? (c->dtype == ISG_F64 ? -1021 : -125) : (int)(i % 5));
    return true;
}

// --- grid

static bool make_grid(isg_case *c, isg_sampling sampling, int32_t ndim, bool quick)
{
    static const char *const inputs[] = {"1-d", "2-d", "3-d", "4-d"};
    c->kind = ISG_CASE_GRID;
    c->inputs = inputs[ndim - 1];
    snprintf(c->what, sizeof c->what, "grid %s", isg_sampling_name(sampling));
    c->grid = (isg_grid_params){
        .ndim = ndim, .sampling = sampling, .precision = c->dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32};
    c->count = 1;
    for (int32_t axis = 0; axis < ndim; axis++) {
        // Tails that leave single precision: 40 sigmas in one dimension.
        c->grid.size[axis] = ndim == 1 ? 201 : (quick || ndim == 4 ? 9 : 31) + 2 * axis;
        c->grid.sigma[axis] = ndim == 1 ? 2.5 : 1.25 + 0.5 * axis;
        c->count *= c->grid.size[axis];
    }
    return true;
}

// --- all

enum { GRID_DIMS = 4, GRID_CASES = (ISG_SAMPLING_COUNT - 1) * GRID_DIMS };

// Gram case `at` is kernel at / DATA_SETS on data set at % DATA_SETS; from SPECIAL on, a special one. Quick ones share
// few programs: K(X, X) of the first row, K(X, Y) of the first row with the absolute difference, a sum that has all
// others. Full ones LARGE and DIAGONAL of the first row of each isg_pair only.
enum { SPECIAL = ISG_KERNEL_COUNT * DATA_SETS };

static int gram_cases(bool quick, int *cases)
{
    int count = 0;
    for (int k = 0, seen[ISG_PAIR_COUNT] = {0}; k < ISG_KERNEL_COUNT; k++) {
        isg_pair pair = isg_kernel_list()[k]->pair;
        bool first = !seen[pair]++;
        for (int set = 0; set < DATA_SETS; set++)
            if (quick ? first && (k == 0 ? set < CROSS : set == CROSS && pair == ISG_PAIR_L1)
                      : first || set <= CROSS || set == FINE)
                cases[count++] = k * DATA_SETS + set;
    }
    for (int at = 0; at < SPECIALS; at++)
        if (!quick || specials[at].quick)
            cases[count++] = SPECIAL + at;
    return count;
}

int isg_case_count(bool quick)
{
    int cases[SPECIAL + SPECIALS];
    return FUNCTION_COUNT + ISG_KERNEL_COUNT + gram_cases(quick, cases) + GRID_CASES + isg_filter_case_count(quick) +
           isg_sum_case_count(quick) + isg_stencil_case_count(quick) + isg_gradient_case_count(quick);
}

bool isg_case_make(isg_case *c, int index, isg_dtype dtype, bool fused, bool quick)
{
    *c = (isg_case){.dtype = dtype, .fused = fused};
    int at = index, cases[SPECIAL + SPECIALS], grams = gram_cases(quick, cases);
    bool made;
    if (at < FUNCTION_COUNT)
        made = make_function(c, at, quick);
    else if ((at -= FUNCTION_COUNT) < ISG_KERNEL_COUNT)
        made = make_formula(c, at, quick);
    else if ((at -= ISG_KERNEL_COUNT) < grams)
        made = cases[at] >= SPECIAL ? make_special(c, cases[at] - SPECIAL, quick)
                                    : make_gram(c, cases[at] / DATA_SETS, (data_set)(cases[at] % DATA_SETS), quick);
    else if ((at -= grams) < GRID_CASES)
        made = make_grid(c, (isg_sampling)(at / GRID_DIMS + 1), at % GRID_DIMS + 1, quick);
    else if ((at -= GRID_CASES) < isg_filter_case_count(quick))
        made = isg_filter_case_make(c, at, quick);
    else if ((at -= isg_filter_case_count(quick)) < isg_sum_case_count(quick))
        made = isg_sum_case_make(c, at, quick);
    else if ((at -= isg_sum_case_count(quick)) < isg_stencil_case_count(quick))
        made = isg_stencil_case_make(c, at);
    else
        made = isg_gradient_case_make(c, at - isg_stencil_case_count(quick), quick);
    if (!made)
        isg_case_free(c);
    return made;
}

void isg_case_free(isg_case *c)
{
    free(c->a);
    free(c->b);
    free(c->factors);
    free(c->v);
    free(c->weights);
    c->a = c->b = c->factors = c->v = c->weights = NULL;
}

isg_gram_params isg_case_gram(const isg_case *c)
{
    isg_array y = isg_matrix(c->dtype, c->b, c->m, c->d);
    if (!c->m)
        y.dtype = ISG_DTYPE_NONE;
    return (isg_gram_params){.composite = &c->composite,
                             .x = isg_matrix(c->dtype, c->a, c->n, c->d),
                             .y = y,
                             .lengthscales = c->lengthscales[0] > 0 ? c->lengthscales : NULL,
                             .factors = c->factors,
                             .precision = c->dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32};
}

static bool expected_gram(const isg_case *c, void *out)
{
    void *whole = c->diagonal ? isg_alloc(c->n * c->m, isg_dtype_bytes(c->dtype)) : NULL;
    void *k = c->diagonal ? whole : out;
    isg_gram_params params = isg_case_gram(c);
    isg_operator op = {.symmetric = false};
    bool ok = k && isg_operator_make(&op, &params, c->dtype, NULL) == ISG_OK;
    if (ok)
        isg_reference_get(c->dtype, c->fused)->gram(&op.plan, &op.x, &op.y, k, op.y.count);
    size_t element = isg_dtype_bytes(c->dtype);
    for (int64_t i = 0; ok && c->diagonal && i < c->count; i++)
        memcpy((char *)out + (size_t)i * element, (char *)k + (size_t)(i * (c->m + 1)) * element, element);
    free(whole);
    isg_operator_free(&op);
    return ok;
}

static bool expected_grid(const isg_case *c, void *out)
{
    isg_grid_plan plan;
    int64_t shape[ISG_GRID_MAX_NDIM];
    void *profiles[ISG_GRID_MAX_NDIM] = {NULL};
    bool ok = isg_grid_resolve(&plan, &c->grid, NULL) == ISG_OK;
    for (int32_t axis = 0; ok && axis < plan.ndim; axis++) {
        shape[axis] = plan.axis[axis].size;
        double *weights = isg_alloc(shape[axis], sizeof *weights);
        profiles[axis] = isg_alloc(shape[axis], isg_dtype_bytes(c->dtype));
        ok = weights && profiles[axis] && isg_profile(&plan.axis[axis], weights, NULL) == ISG_OK;
        if (ok)
            isg_profile_round(weights, shape[axis], c->dtype, profiles[axis]);
        free(weights);
    }
    if (ok)
        isg_reference_get(c->dtype, c->fused)->grid(plan.ndim, shape, (const void *const *)profiles, out);
    for (int32_t axis = 0; axis < ISG_GRID_MAX_NDIM; axis++)
        free(profiles[axis]);
    return ok;
}

void *isg_case_expected(const isg_case *c)
{
    void *out = isg_alloc(c->count, isg_dtype_bytes(c->dtype));
    bool ok = out != NULL;
    if (ok && c->kind == ISG_CASE_FUNCTION)
        isg_reference_get(c->dtype, c->fused)->apply(c->function, c->a, c->b, out, c->count);
    else if (ok && c->kind == ISG_CASE_FORMULA)
        isg_reference_get(c->dtype, c->fused)->formula(c->kernel, c->a, c->numbers, out, c->count);
    else if (ok && c->kind == ISG_CASE_FILTER)
        ok = isg_filter_case_expected(c, out);
    else if (ok && (c->kind == ISG_CASE_CONVOLVE || c->kind == ISG_CASE_STENCIL))
        ok = isg_stencil_case_expected(c, out);
    else if (ok && c->kind == ISG_CASE_GRADIENT)
        ok = isg_gradient_case_expected(c, out);
    else if (ok)
        ok = c->kind == ISG_CASE_GRAM   ? expected_gram(c, out)
             : c->kind == ISG_CASE_GRID ? expected_grid(c, out)
                                        : isg_sum_case_expected(c, out);
    if (!ok) {
        free(out);
        return NULL;
    }
    isg_case_canonical(c, out);
    return out;
}

void isg_case_canonical(const isg_case *c, void *results)
{
    for (int64_t i = 0; i < c->count; i++)
        if (isnan(isg_load_double(c->dtype, results, i)))
            memset((char *)results + (size_t)i * isg_dtype_bytes(c->dtype), 0xff, isg_dtype_bytes(c->dtype));
}

void isg_case_hash(const isg_case *c, const void *results, char *hex)
{
    XXH128_canonical_t digest;
    XXH128_canonicalFromHash(&digest, XXH3_128bits(results, (size_t)c->count * isg_dtype_bytes(c->dtype)));
    for (size_t i = 0; i < sizeof digest.digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest.digest[i]);
}

// text: room for all that is shown, SHOWN times the 26 characters of "-0x1.fffffffffffffp-1022, " and what follows.
enum { POINT_BYTES = 200 };

static void describe_point(const isg_case *c, const void *points, int64_t i, char *text)
{
    enum { SHOWN = 5 };
    size_t at = 0;
    for (int64_t k = 0; k < c->d && k < SHOWN; k++)
        at += (size_t)snprintf(text + at, POINT_BYTES - at, "%s%a", k ? ", " : "",
                               isg_load_double(c->dtype, points, i * c->d + k));
    if (c->d > SHOWN)
        snprintf(text + at, POINT_BYTES - at, ", ...");
}

void isg_case_describe(const isg_case *c, int64_t at, char *text, size_t bytes)
{
    if (c->kind == ISG_CASE_FUNCTION) {
        int length = snprintf(text, bytes, "%s(%a", function_names[c->function], isg_load_double(c->dtype, c->a, at));
        if (arities[c->function] == 2)
            snprintf(text + length, bytes - (size_t)length, ", %a)", isg_load_double(c->dtype, c->b, at));
        else
            snprintf(text + length, bytes - (size_t)length, ")");
    } else if (c->kind == ISG_CASE_FORMULA) {
        snprintf(text, bytes, "%s at the pair's number %a, numbers %a, %a, %a", isg_kernel_list()[c->kernel]->name,
                 isg_load_double(c->dtype, c->a, at), c->numbers.a, c->numbers.b, c->numbers.c);
    } else if (c->kind == ISG_CASE_GRAM) {
        char x[POINT_BYTES], y[POINT_BYTES], function[300];
        int64_t columns = c->m ? c->m : c->n;
        at = c->diagonal ? at * (columns + 1) : at;
        describe_point(c, c->a, at / columns, x);
        describe_point(c, c->m ? c->b : c->a, at % columns, y);
        isg_composite_text(&c->composite, function, sizeof function);
        snprintf(text, bytes, "K[%lld, %lld] of x = (%s), y = (%s), %s", (long long)(at / columns),
                 (long long)(at % columns), x, y, function);
    } else if (c->kind == ISG_CASE_APPLY || c->kind == ISG_CASE_REDUCE) {
        char function[300];
        isg_composite_text(&c->composite, function, sizeof function);
        snprintf(text, bytes, "result (%lld, %lld) of %s, %lld x %lld", (long long)(at / c->columns),
                 (long long)(at % c->columns), function, (long long)c->n, (long long)c->m);
    } else if (c->kind == ISG_CASE_GRADIENT) {
        char function[300];
        isg_composite_text(&c->composite, function, sizeof function);
        snprintf(text, bytes, "derivative %lld of %s, %lld x %lld, d = %lld", (long long)at, function, (long long)c->n,
                 (long long)(c->m ? c->m : c->n), (long long)c->d);
    } else {
        snprintf(text, bytes, "element %lld of the %s", (long long)at,
                 c->kind == ISG_CASE_GRID || c->kind == ISG_CASE_STENCIL ? "grid" : "array");
    }
}

void isg_case_key(const isg_case *c, bool quick, char *key, size_t bytes)
{
    snprintf(key, bytes, "%s %s %s/%s", isg_contract_name(c->dtype, c->fused), quick ? "quick" : "full", c->what,
             c->inputs);
}
