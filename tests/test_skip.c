// What is left out changes no bit, unless that is asked for, and then no more than was said; and points are put in the
// order that the header defines.
#include "boxes.h"
#include "device.h"
#include "far.h"
#include "gram.h"
#include "oracle.h"
#include "probe.h"
#include "reference.h"
#include "skipping.h"

#include <isogram/apply.h>
#include <isogram/reduce.h>
#include <isogram/skip.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static isg_dtype dtype_of(int wide)
{
    return wide ? ISG_F64 : ISG_F32;
}

static bool lacks(isg_context *context, isg_dtype dtype)
{
    isg_status st = isg_context_require(context, dtype);
    ck_assert_msg(st == ISG_OK || st == ISG_ERR_UNSUPPORTED, "%s", isg_context_error(context)->message);
    return st != ISG_OK;
}

// Points in blobs that lie apart, none negative, in an order that isg_gram_cluster gives.
static void *blobs(suite_random *random, isg_dtype dtype, int64_t n, int64_t d, double apart)
{
    enum { BLOBS = 7 };
    void *x = oracle_array(dtype, n * d), *sorted = oracle_array(dtype, n * d);
    int64_t *order = calloc((size_t)n + 1, sizeof *order);
    double centres[BLOBS * 16];
    for (int64_t i = 0; i < BLOBS * d; i++)
        centres[i] = random_between(random, 1, apart);
    for (int64_t i = 0; i < n; i++) {
        const double *centre = centres + random_below(random, BLOBS) * d;
        for (int64_t k = 0; k < d; k++)
            isg_store_double(dtype, x, i * d + k, centre[k] + random_between(random, 0, 1));
    }
    ck_assert_int_eq(isg_gram_cluster(isg_matrix(dtype, x, n, d), NULL, order, NULL), ISG_OK);
    size_t row = (size_t)d * isg_dtype_bytes(dtype);
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)sorted + (size_t)i * row, (char *)x + (size_t)order[i] * row, row);
    free(order);
    free(x);
    return sorted;
}

typedef struct problem {
    const char *function;
    int64_t n, m, d, columns;
    double apart;
    bool lengthscales, factors, transpose, mixed, spoilt, lost; // spoilt: V has what is no number; lost: so have points
    bool none;                                                  // there is nothing to skip
} problem;

static const problem problems[] = {
    {"rbf(gamma=8)", 700, 3300, 3, 1, 60, .none = false},
    {"rbf(gamma=8)", 300, 5000, 3, 3, 60, .factors = true},
    {"rbf(gamma=8)", 3300, 300, 2, 1, 60, .transpose = true},
    {"rbf(gamma=8)", 260, 2500, 3, 20, 60, .spoilt = true},
    {"rbf(gamma=8)", 260, 2500, 9, 2, 60, .spoilt = true, .mixed = true},
    {"rbf(gamma=8)", 100, 1500, 3, 37, 60, .factors = true, .lost = true, .mixed = true},
    {"rbf", 700, 2500, 3, 1, 60, .lengthscales = true},
    {"laplacian(gamma=20)", 300, 2500, 3, 2, 60, .none = false},
    {"laplacian", 300, 2500, 3, 2, 600, .lengthscales = true, .spoilt = true},
    {"matern12(lengthscale=0.1)", 300, 2500, 3, 2, 160, .none = false},
    {"matern32(lengthscale=0.1)", 300, 2500, 3, 1, 160, .spoilt = true},
    {"matern52(lengthscale=0.1)", 300, 2500, 11, 1, 160, .none = false},
    {"wendland(lengthscale=2)", 600, 3000, 3, 1, 30, .spoilt = true},
    {"wendland(lengthscale=2)", 300, 2500, 5, 18, 30, .none = false},
    {"chi2(gamma=9)", 300, 2500, 3, 2, 400, .none = false},
    {"rational_quadratic(alpha=40, lengthscale=0.05)", 300, 2500, 3, 2, 1e9, .none = false},
    {"0.25*rbf(gamma=8) + 3*matern12(lengthscale=0.1)", 300, 2500, 3, 2, 160, .none = false},
    {"rbf(gamma=8)*periodic(period=3)*linear", 300, 2500, 3, 2, 60, .none = false},
    {"laplacian(gamma=20)*rbf(gamma=8)", 300, 2500, 3, 2, 60, .none = false},
    {"periodic", 100, 1500, 2, 1, 60, .none = true},
    {"linear", 100, 1500, 2, 1, 60, .none = true},
    {"sqeuclidean", 100, 1500, 2, 1, 60, .none = true},
};
enum { PROBLEMS = COUNT(problems) };

// What is made of a problem.
typedef struct trial {
    isg_gram *gram;
    isg_composite *composite;
    void *x, *y, *v;
    double *factors;
    isg_array V;
    int64_t targets;
    isg_dtype sums;
} trial;

static trial make(isg_context *context, suite_random *random, const problem *p, isg_dtype dtype)
{
    static const double lengths[] = {0.25, 0.7, 0.3};
    trial t = {.x = blobs(random, dtype, p->n, p->d, p->apart), .y = blobs(random, dtype, p->m, p->d, p->apart)};
    const int64_t sources = p->transpose ? p->n : p->m;
    isg_error error = {ISG_OK, ""};
    ck_assert_msg(isg_kernel_parse(&t.composite, p->function, &error) == ISG_OK, "%s", error.message);
    t.targets = p->transpose ? p->m : p->n;
    t.sums = p->mixed && !lacks(context, ISG_F64) ? ISG_F64 : dtype;
    t.v = oracle_array(dtype, sources * p->columns);
    for (int64_t i = 0; i < sources * p->columns; i++)
        isg_store_double(dtype, t.v, i, random_below(random, 9) ? random_between(random, -1, 1) : -0.0);
    if (p->spoilt) {
        isg_store_double(dtype, t.v, random_below(random, sources * p->columns), INFINITY);
        isg_store_double(dtype, t.v, random_below(random, sources * p->columns), NAN);
    }
    if (p->lost)
        isg_store_double(dtype, t.y, random_below(random, p->m * p->d), NAN);
    t.factors = p->factors ? malloc((size_t)p->n * sizeof *t.factors) : NULL;
    for (int64_t i = 0; i < p->n && p->factors; i++)
        t.factors[i] = random_between(random, -4, 4);
    t.V = isg_matrix(dtype, t.v, sources, p->columns);
    device_ok(context,
              isg_gram_create(context, &t.gram,
                              isg_gram_params(.x = isg_matrix(dtype, t.x, p->n, p->d),
                                              .y = isg_matrix(dtype, t.y, p->m, p->d), .composite = t.composite,
                                              .factors = t.factors, .allow_nonfinite = p->lost,
                                              .precision = dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32,
                                              .lengthscales = p->lengthscales ? lengths : NULL)));
    return t;
}

static void trial_free(trial *t)
{
    isg_gram_destroy(&t->gram);
    isg_composite_destroy(&t->composite);
    free(t->factors);
    free(t->x);
    free(t->y);
    free(t->v);
}

// OUT, which is beta -1 times what it was before.
static void *product(const trial *t, const problem *p, isg_skip skip, double tolerance, isg_skip_report *report)
{
    isg_context *context = t->gram->context;
    void *out = device_guard(t->sums, t->targets * p->columns);
    for (int64_t i = 0; i < t->targets * p->columns; i++)
        isg_store_double(t->sums, out, i, i % 5 ? (double)(i % 7) : -0.0);
    device_ok(context, isg_gram_apply(t->gram, t->V, isg_matrix(t->sums, out, t->targets, p->columns),
                                      isg_apply_params(.transpose = p->transpose, .alpha = 0.75, .beta = -1,
                                                       .accumulate = t->sums == ISG_F64 ? ISG_PRECISION_F64 : 0,
                                                       .skip = skip, .tolerance = tolerance, .report = report)));
    return out;
}

static void same(isg_dtype dtype, const void *a, const void *b, int64_t count, const char *what)
{
    for (int64_t i = 0; i < count; i++) {
        double x = isg_load_double(dtype, a, i), y = isg_load_double(dtype, b, i);
        ck_assert_msg(memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y)),
                      "%s: element %d is %a when blocks are skipped, and else %a", what, (int)i, x, y);
    }
}

static void check_problem(isg_context *context, suite_random *random, const problem *p, isg_dtype dtype)
{
    char what[200];
    trial t = make(context, random, p, dtype);
    const int64_t count = t.targets * p->columns;
    isg_skip_report all, some;
    snprintf(what, sizeof what, "%s, %s, %d x %d, d = %d, %d columns", p->function, isg_dtype_name(dtype), (int)p->n,
             (int)p->m, (int)p->d, (int)p->columns);
    void *want = product(&t, p, ISG_SKIP_NEVER, 0, &all), *got = product(&t, p, ISG_SKIP_ALWAYS, 0, &some);
    same(t.sums, got, want, count, what);
    ck_assert_msg(all.pairs >= (double)(p->n * p->m) && all.computed == all.pairs && all.bound == 0, "%s", what);
    ck_assert_msg(some.pairs == all.pairs && some.computed >= 0 && some.bound == 0, "%s", what);
    // Doubles reach further, and half of the pairs are within a blob.
    const bool little = p->none || (dtype == ISG_F64 && p->apart < 100);
    ck_assert_msg(little ? some.computed <= all.pairs : some.computed < 0.9 * all.pairs,
                  "%s: %g of %g pairs were computed", what, some.computed, some.pairs);
    ck_assert_msg(!p->none || some.computed == all.pairs, "%s: %g pairs", what, some.computed);
    device_guard_free(want, t.sums, count);
    device_guard_free(got, t.sums, count);
    trial_free(&t);
}

// Every program is compiled: one precision for each, in turns; and where no cache is kept, fewer.
#ifdef FEW
enum { STRIDE = 4 };
#else
enum { STRIDE = 1 };
#endif

static void check_all(isg_context *context, int stream, int step)
{
    suite_random random = suite_stream((uint64_t)stream);
    for (int at = stream % step, turn = stream; at < PROBLEMS; at += step * STRIDE, turn++)
        if (!lacks(context, dtype_of(turn % 2)))
            check_problem(context, &random, &problems[at], dtype_of(turn % 2));
}

START_TEST(equal_bits)
{
    isg_context *context = device_open(_i ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
    if (context)
        check_all(context, 1 + _i, 1 + 4 * _i);
    isg_context_destroy(&context);
}
END_TEST

// Sets of points that end within blocks, or within a unit of sources; vectors of other widths; shapes of a GPU.
START_TEST(equal_bits_in_parts)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, _i ? 400000 : 20000);
    check_all(context, 10 + _i, 8);
    isg_context_destroy(&context);
}
END_TEST

static const int32_t widths[] = {1, 4, 16};

START_TEST(equal_bits_in_other_lanes)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    if (context->device.lanes_f32 > 1 || widths[_i] == 1) {
        context->device.lanes_f32 = widths[_i];
        context->device.lanes_f64 = context->device.lanes_f64 ? widths[_i] : 0;
        check_all(context, 20 + _i, 20);
    }
    isg_context_destroy(&context);
}
END_TEST

START_TEST(equal_bits_of_a_gpu)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    context->device.device_class = ISG_DEVICE_GPU_DISCRETE;
    check_all(context, 30, 11);
    isg_context_destroy(&context);
}
END_TEST

// Reductions in the same way: sums, and of kernels whose logarithm is known logsumexp and means.
typedef struct reducing {
    const char *function;
    int64_t n, m, d;
    double apart;
    isg_reduction reduction;
    bool weights, lengthscales, transpose, lost, none;
} reducing;

static const reducing reducings[] = {
    {"matern52(lengthscale=0.1)", 300, 2500, 3, 160, ISG_REDUCE_SUM, .none = false},
    {"wendland", 2500, 300, 3, 60, ISG_REDUCE_SUM, .transpose = true},
    {"rbf(gamma=8)", 300, 5000, 3, 60, ISG_REDUCE_LOGSUMEXP, .weights = true},
    {"rbf(gamma=90)", 700, 2500, 3, 60, ISG_REDUCE_LOGSUMEXP, .lost = true},
    {"rbf", 300, 2500, 3, 60, ISG_REDUCE_LOGSUMEXP, .weights = true, .lengthscales = true},
    {"7*laplacian(gamma=20)*rbf(gamma=3)", 2500, 300, 3, 60, ISG_REDUCE_LOGSUMEXP, .weights = true, .transpose = true},
    {"matern32(lengthscale=0.1)", 300, 2500, 3, 160, ISG_REDUCE_MEAN, .weights = true},
    {"matern52(lengthscale=0.1)", 300, 2500, 3, 160, ISG_REDUCE_LOGSUMEXP, .none = false},
    {"matern12(lengthscale=0.01)", 300, 2500, 3, 160, ISG_REDUCE_MEAN, .none = false},
    {"rbf(gamma=8)", 300, 2500, 9, 60, ISG_REDUCE_MEAN, .weights = true, .lost = true},
    {"chi2(gamma=200)", 300, 2500, 3, 400, ISG_REDUCE_LOGSUMEXP, .weights = true},
    {"cauchy", 100, 1500, 3, 60, ISG_REDUCE_LOGSUMEXP, .none = true},
};

static void *reduction(const trial *t, const reducing *p, const void *weights, int64_t columns, isg_skip skip,
                       isg_skip_report *report)
{
    const isg_dtype dtype = t->gram->op.x.dtype;
    isg_context *context = t->gram->context;
    void *out = device_guard(dtype, t->targets * columns);
    isg_reduce_params params = {.reduction = p->reduction,
                                .transpose = p->transpose,
                                .out = isg_matrix(dtype, out, t->targets, columns),
                                .skip = skip,
                                .report = report};
    if (p->weights)
        params.weights = isg_vector(dtype, weights, t->V.shape[0]);
    if (p->reduction == ISG_REDUCE_MEAN)
        params.v = t->V;
    device_ok(context, isg_gram_reduce(t->gram, &params));
    return out;
}

static void check_reducing(isg_context *context, suite_random *random, const reducing *p, isg_dtype dtype)
{
    char what[200];
    const int64_t columns = p->reduction == ISG_REDUCE_MEAN ? 3 : 1;
    const problem as = {.function = p->function,
                        .n = p->n,
                        .m = p->m,
                        .d = p->d,
                        .columns = columns,
                        .apart = p->apart,
                        .lengthscales = p->lengthscales,
                        .transpose = p->transpose,
                        .spoilt = p->reduction == ISG_REDUCE_MEAN,
                        .lost = p->lost};
    trial t = make(context, random, &as, dtype);
    const int64_t sources = t.V.shape[0], count = t.targets * columns;
    void *weights = oracle_array(dtype, sources);
    // A stretch of zeros, and sizes that differ.
    for (int64_t j = 0; j < sources; j++)
        isg_store_double(dtype, weights, j,
                         j % 7 == 0 || (j > 200 && j < 400) ? 0 : random_scaled(random, 1, 2, -30, 60));
    isg_skip_report all, some;
    snprintf(what, sizeof what, "reduction %d of %s, %s, %d x %d, d = %d", (int)p->reduction, p->function,
             isg_dtype_name(dtype), (int)p->n, (int)p->m, (int)p->d);
    void *want = reduction(&t, p, weights, columns, ISG_SKIP_NEVER, &all),
         *got = reduction(&t, p, weights, columns, ISG_SKIP_ALWAYS, &some);
    same(dtype, got, want, count, what);
    const double walks = p->reduction == ISG_REDUCE_SUM ? 1 : 2;
    ck_assert_msg(all.pairs == walks * (double)(p->n * p->m) && all.computed == all.pairs, "%s: %g", what, all.pairs);
    ck_assert_msg(some.pairs == all.pairs && some.computed >= 0 && some.bound == 0, "%s", what);
    const bool little = p->none || (dtype == ISG_F64 && p->apart < 100);
    ck_assert_msg(little ? some.computed <= all.pairs : some.computed < 0.9 * all.pairs,
                  "%s: %g of %g pairs were computed", what, some.computed, some.pairs);
    ck_assert_msg(!p->none || some.computed == all.pairs, "%s", what);
    free(weights);
    device_guard_free(want, dtype, count);
    device_guard_free(got, dtype, count);
    trial_free(&t);
}

START_TEST(equal_reductions)
{
    static const int64_t parts[] = {0, 20000, 400000, 0};
    isg_context *context = device_open(_i == 3 ? ISG_ARITHMETIC_UNFUSED : ISG_ARITHMETIC_AUTO, parts[_i]);
    suite_random random = suite_stream(40 + (uint64_t)_i);
    for (size_t at = 0; at < COUNT(reducings); at += STRIDE) {
        const isg_dtype dtype = dtype_of((int)(at + (size_t)_i) / STRIDE % 2);
        if (!lacks(context, dtype) && (_i == 0 || at % 8 == (size_t)_i * 2))
            check_reducing(context, &random, &reducings[at], dtype);
    }
    isg_context_destroy(&context);
}
END_TEST

// A row's values from the number on that isg_far_find gives: none is larger than asked; and a little before it one is,
// so that nothing is given away.
static void check_row(suite_random *random, const isg_kernel *row, isg_dtype dtype, bool fused, double most)
{
    enum { TRIES = 3000 };
    const float point[] = {0.5f, 1, 2, 3};
    isg_operator op;
    isg_setting alpha = {"alpha", 60};
    isg_gram_params params = {.x = isg_matrix_f32(point, 2, 2),
                              .kernel = row,
                              .settings = &alpha,
                              .setting_count = strcmp(row->name, "rational_quadratic") == 0};
    ck_assert_int_eq(isg_operator_make(&op, &params, dtype, NULL), ISG_OK);
    const isg_far far = isg_far_find(&op, fused, most);
    const double from = far.from[row->pair], largest = dtype == ISG_F64 ? DBL_MAX : (double)FLT_MAX;
    const double *n = op.plan.numbers;
    for (int pair = 0; pair < ISG_PAIR_COUNT; pair++)
        ck_assert(pair == (int)row->pair || far.from[pair] == INFINITY);
    ck_assert_msg(row->falling || from == INFINITY, "%s", row->name);
    if (from < INFINITY)
        for (int i = -2; i < TRIES; i++) {
            double s = i == -2 ? INFINITY : i == -1 ? largest : from * exp(pow(random_between(random, 0, 1), 6) * 80);
            double at = 0, k = 0;
            isg_store_double(dtype, &at, 0, fmin(s, i == -2 ? s : largest));
            isg_reference_get(dtype, fused)
                ->formula(op.plan.steps[0].formula, &at, (isg_numbers){n[0], n[1], n[2]}, &k, 1);
            k = isg_load_double(dtype, &k, 0);
            ck_assert_msg(k >= 0 && k <= most, "%s, %s: %a at %a, from %a on it should be at most %a", row->name,
                          isg_dtype_name(dtype), k, s, from, most);
        }
    if (from < INFINITY && from > 1e-30) {
        double at = 0, k = 0;
        isg_store_double(dtype, &at, 0, from * (1 - 0x1p-8));
        isg_reference_get(dtype, fused)->formula(op.plan.steps[0].formula, &at, (isg_numbers){n[0], n[1], n[2]}, &k, 1);
        ck_assert_msg(isg_load_double(dtype, &k, 0) > most, "%s gives away more than it must", row->name);
    }
    isg_operator_free(&op);
}

START_TEST(where_rows_end)
{
    static const double mosts[] = {0, 1e-30, 1e-6, 0.25};
    suite_random random = suite_stream(50);
    int known = 0;
    for (int at = 0; isg_kernel_list()[at]; at++)
        for (int wide = 0; wide < 2; wide++)
            for (int fused = 0; fused < 2; fused++)
                for (size_t i = 0; i < COUNT(mosts); i++)
                    check_row(&random, isg_kernel_list()[at], dtype_of(wide), fused, mosts[i]);
    // Those that are nothing far away, and what is made of them.
    static const struct {
        const char *function;
        bool square, sum; // of differences
    } functions[] = {{"rbf", true, false},
                     {"laplacian", false, true},
                     {"wendland", true, false},
                     {"2*matern12", true, false},
                     {"inverse_multiquadric", false, false},
                     {"periodic", false, false},
                     {"linear", false, false},
                     {"rbf*linear", true, false},
                     {"rbf*laplacian", true, true},
                     {"rbf + matern32", true, false},
                     {"rbf + laplacian", false, false},
                     {"rbf + linear", false, false},
                     {"rbf*periodic + 3*wendland*linear*linear", true, false}};
    const float point[] = {0.5f, 1, 2, 3};
    for (size_t i = 0; i < COUNT(functions); i++) {
        isg_composite *made = NULL;
        isg_operator op;
        ck_assert_int_eq(isg_kernel_parse(&made, functions[i].function, NULL), ISG_OK);
        ck_assert_int_eq(
            isg_operator_make(&op, isg_gram_params(.x = isg_matrix_f32(point, 2, 2), .composite = made), ISG_F32, NULL),
            ISG_OK);
        const isg_far far = isg_far_find(&op, true, 0);
        ck_assert_msg((far.from[ISG_PAIR_SQDIST] < INFINITY) == functions[i].square &&
                          (far.from[ISG_PAIR_L1] < INFINITY) == functions[i].sum,
                      "%s: %g %g", functions[i].function, far.from[ISG_PAIR_SQDIST], far.from[ISG_PAIR_L1]);
        known += isg_far_known(&far);
        isg_operator_free(&op);
        isg_composite_destroy(&made);
    }
    ck_assert_int_eq(known, 8);
}
END_TEST

// With a tolerance OUT is off by no more than bound sum |V|, besides the roundings of both sums.
START_TEST(tolerance_holds)
{
    static const problem kinds[] = {
        {"rbf(gamma=8)", 400, 3000, 3, 2, 3, .none = false},
        {"cauchy(lengthscale=0.01)", 400, 3000, 3, 1, 60, .none = false},
        {"0.5*rbf(gamma=8) + 2*matern12(lengthscale=0.1)*rational_quadratic", 300, 2500, 2, 1, 9, .none = false},
        {"laplacian(gamma=3)", 300, 2500, 2, 1, 9, .factors = true},
    };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(60);
    for (size_t at = 0; at < COUNT(kinds); at++)
        for (int wide = 0; wide < 2; wide++) {
            const problem *p = &kinds[at];
            const isg_dtype dtype = dtype_of(wide);
            const double tolerances[] = {1e-12, 1e-4, 0.05};
            if (lacks(context, dtype))
                continue;
            trial t = make(context, &random, p, dtype);
            isg_skip_report exact, report = {0};
            void *want = product(&t, p, ISG_SKIP_ALWAYS, 0, &exact);
            double fewest = exact.computed, off = 0;
            for (size_t i = 0; i < COUNT(tolerances); i++) {
                void *got = product(&t, p, ISG_SKIP_ALWAYS, tolerances[i], &report);
                ck_assert(report.computed <= fewest && report.pairs == exact.pairs);
                ck_assert(report.bound == (report.computed < report.pairs ? tolerances[i] : 0));
                fewest = report.computed;
                for (int64_t c = 0; c < p->columns; c++) {
                    double size = 0;
                    for (int64_t j = 0; j < p->m; j++)
                        size += fabs(isg_load_double(dtype, t.v, j * p->columns + c));
                    const double roundings =
                        2 * (ISG_BLOCK_SOURCES + 8) * (wide ? 0x1p-53 : 0x1p-24) * (p->factors ? 4 : 8) * size;
                    for (int64_t r = 0; r < t.targets; r++) {
                        double a = isg_load_double(dtype, got, r * p->columns + c),
                               b = isg_load_double(dtype, want, r * p->columns + c);
                        off = fmax(off, fabs(a - b) / size);
                        ck_assert_msg(fabs(a - b) <= 0.75 * report.bound * size + roundings,
                                      "%s: %a for %a, tolerance %g", p->function, a, b, tolerances[i]);
                    }
                }
                device_guard_free(got, dtype, t.targets * p->columns);
            }
            printf("%s, %s: %.0f %% of the pairs, exactly %.0f %%; off by %.1g of sum |V|\n", p->function,
                   isg_dtype_name(dtype), 100 * report.computed / report.pairs, 100 * exact.computed / exact.pairs,
                   off);
            ck_assert(report.computed < exact.computed && off > 0);
            device_guard_free(want, dtype, t.targets * p->columns);
            trial_free(&t);
        }
    isg_context_destroy(&context);
}
END_TEST

// The order as the header defines it, found plainly: by sorting.
typedef struct keyed {
    double key;
    int64_t row;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key ? 1 : x->row < y->row ? -1 : x->row > y->row;
}

static void plain_order(const double *x, int64_t d, const double *lengths, keyed *rows, int64_t count)
{
    int64_t best = 0;
    double most = -1;
    if (count <= 8) {
        for (int64_t i = 0; i < count; i++)
            rows[i].key = 0;
        qsort(rows, (size_t)count, sizeof *rows, by_key);
        return;
    }
    for (int64_t k = 0; k < d; k++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = 0; i < count; i++) {
            low = fmin(low, x[rows[i].row * d + k]);
            high = fmax(high, x[rows[i].row * d + k]);
        }
        if ((high / 2 - low / 2) / lengths[k] > most) {
            most = (high / 2 - low / 2) / lengths[k];
            best = k;
        }
    }
    for (int64_t i = 0; i < count; i++)
        rows[i].key = x[rows[i].row * d + best];
    qsort(rows, (size_t)count, sizeof *rows, by_key);
    int64_t lower = 8;
    if (count > 1024)
        lower = ((count + 1) / 2 + 1023) / 1024 * 1024;
    while (count <= 1024 && 2 * lower < count)
        lower *= 2;
    plain_order(x, d, lengths, rows, lower);
    plain_order(x, d, lengths, rows + lower, count - lower);
}

// Whether skipping pays is found out from a sample, but only for pairs enough to be worth a program.
START_TEST(chosen_by_itself)
{
    enum { MANY = 4200, LITTLE = 300 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float *x = malloc(MANY * sizeof *x), *v = malloc(MANY * sizeof *v), *out[2];
    for (int i = 0; i < 2; i++)
        out[i] = malloc(MANY * sizeof *out[i]);
    for (int i = 0; i < MANY; i++)
        v[i] = (float)(i % 17) - 8;
    const struct {
        int n;
        float step, gamma;
        bool pays;
    } cases[] = {{MANY, 1, 1, true}, {MANY, 1, 1e-9F, false}, {LITTLE, 1, 1, false}};
    for (size_t at = 0; at < COUNT(cases); at++) {
        const int n = cases[at].n;
        isg_gram *gram;
        for (int i = 0; i < n; i++)
            x[i] = cases[at].step * (float)i;
        device_ok(context, isg_gram_create(context, &gram,
                                           isg_gram_params(.x = isg_matrix_f32(x, n, 1), .gamma = cases[at].gamma)));
        isg_skipping s = {.gram = gram, .panel = 64, .unit = 64};
        bool use = !cases[at].pays;
        device_ok(context, isg_skipping_choose(&s, ISG_SKIP_AUTO, 0, &use));
        ck_assert_msg(use == cases[at].pays, "case %d: skipping %d", (int)at, use);
        for (int i = 0; i < 2; i++)
            device_ok(context, isg_gram_apply(gram, isg_vector(ISG_F32, v, n), isg_vector(ISG_F32, out[i], n),
                                              isg_apply_params(.skip = i ? ISG_SKIP_NEVER : ISG_SKIP_AUTO)));
        device_same_bits(ISG_F32, out[0], 1, out[1], 1, n, 1, "chosen");
        isg_gram_destroy(&gram);
    }
    // Numbers that no pair is far enough apart for.
    isg_gram *gram;
    device_ok(context,
              isg_gram_create(context, &gram,
                              isg_gram_params(.x = isg_matrix_f32(x, MANY, 1), .kernel = isg_kernel_find("linear"))));
    isg_skipping s = {.gram = gram, .panel = 64, .unit = 64};
    bool use = true;
    device_ok(context, isg_skipping_choose(&s, ISG_SKIP_AUTO, 0, &use));
    ck_assert(!use);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(x);
    free(v);
    free(out[0]);
    free(out[1]);
}
END_TEST

START_TEST(order_of_clusters)
{
    static const int64_t counts[] = {0, 1, 7, 9, 16, 17, 100, 1023, 1024, 1025, 2049, 5000};
    suite_random random = suite_stream(70);
    for (size_t at = 0; at < COUNT(counts); at++)
        for (int64_t d = 1; d < 5; d += 3) {
            const int64_t n = counts[at];
            double *x = calloc((size_t)(n * d) + 1, sizeof *x), lengths[] = {1, 0.25, 3, 0.5};
            int64_t *order = malloc((size_t)n * sizeof *order + 1);
            keyed *rows = calloc((size_t)n + 1, sizeof *rows);
            const bool few = random_below(&random, 2); // many equal ones
            for (int64_t i = 0; i < n * d; i++)
                x[i] = few ? (double)random_below(&random, 5) : random_between(&random, -1, 1) * 1e300;
            for (int64_t i = 0; i < n; i++)
                rows[i].row = i;
            // Backwards along the columns, too.
            isg_array view = isg_matrix_f64(x, n, d);
            const bool given = d > 1;
            ck_assert_int_eq(isg_gram_cluster(view, given ? lengths : NULL, order, NULL), ISG_OK);
            plain_order(x, d, given ? lengths : (double[]){1}, rows, n);
            for (int64_t i = 0; i < n; i++)
                ck_assert_msg(order[i] == rows[i].row, "n = %d, d = %d: place %d", (int)n, (int)d, (int)i);
            free(x);
            free(order);
            free(rows);
        }
}
END_TEST

START_TEST(bad_input)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[] = {0, 1, 2, NAN}, v[] = {1, 1}, out[2];
    int64_t order[4];
    isg_error error = {ISG_OK, ""};
    isg_gram *gram;
    const double lengths[] = {1, -1};
    ck_assert_int_eq(isg_gram_cluster(isg_matrix_f32(x, 2, 2), NULL, order, &error), ISG_ERR_NONFINITE);
    ck_assert_msg(strstr(error.message, "row 1, column 1"), "%s", error.message);
    ck_assert_int_eq(isg_gram_cluster(isg_vector(ISG_F32, x, 2), NULL, order, &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_cluster(isg_matrix_f32(x, 1, 2), lengths, order, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_gram_cluster(isg_matrix_f32(NULL, 1, 2), NULL, order, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_gram_cluster(isg_matrix_f32(x, 1, 2), NULL, NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_gram_cluster(isg_matrix(ISG_F16, x, 1, 2), NULL, order, &error), ISG_ERR_DTYPE);
    ck_assert_int_eq(isg_gram_cluster(isg_matrix_f32(x, 1, 0), NULL, order, &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_cluster(isg_matrix_f32(x, -1, 2), NULL, order, &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_cluster(isg_matrix(ISG_DTYPE_NONE, x, 1, 2), NULL, order, &error), ISG_ERR_DTYPE);
    const isg_array device = {ISG_F32, 2, {1, 2}, {2, 1}, x, (void *)x, 0};
    ck_assert_int_eq(isg_gram_cluster(device, NULL, order, &error), ISG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.message, "host memory"));
    const double endless[] = {1, INFINITY};
    ck_assert_int_eq(isg_gram_cluster(isg_matrix_f32(x, 1, 2), endless, order, &error), ISG_ERR_ARGUMENT);
    const int8_t bytes[] = {3, -1, 2};
    ck_assert_int_eq(isg_gram_cluster(isg_matrix(ISG_I8, (void *)bytes, 3, 1), NULL, order, &error), ISG_OK);
    ck_assert(order[0] + order[1] + order[2] == 3 && order[0] != order[1]);
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 2, 1))));
    const double bad[] = {-1e-9, 1, NAN, INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_int_eq(isg_gram_apply(gram, isg_vector(ISG_F32, v, 2), isg_vector(ISG_F32, out, 2),
                                        isg_apply_params(.tolerance = bad[i])),
                         ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_gram_apply(gram, isg_vector(ISG_F32, v, 2), isg_vector(ISG_F32, out, 2),
                                    isg_apply_params(.skip = (isg_skip)3)),
                     ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP,
                                                             .out = isg_vector(ISG_F32, out, 2), .tolerance = 1e-3)),
                     ISG_ERR_ARGUMENT);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("skip");
    TCase *bits = tcase_create("bits"), *values = tcase_create("values");
    TCase *const all[] = {bits, values};
    tcase_add_loop_test(bits, equal_bits, 0, 2);
    tcase_add_loop_test(bits, equal_bits_in_parts, 0, 2);
    tcase_add_loop_test(bits, equal_bits_in_other_lanes, 0, COUNT(widths));
    tcase_add_test(bits, equal_bits_of_a_gpu);
    tcase_add_loop_test(bits, equal_reductions, 0, 4);
    tcase_add_test(values, where_rows_end);
    tcase_add_test(values, tolerance_holds);
    tcase_add_test(values, chosen_by_itself);
    tcase_add_test(values, order_of_clusters);
    tcase_add_test(values, bad_input);
    for (size_t i = 0; i < COUNT(all); i++) {
        tcase_set_timeout(all[i], 600);
        suite_add_tcase(suite, all[i]);
    }
    return suite_run(suite);
}
