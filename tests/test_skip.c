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
    {"rbf(gamma=8) + 0.1", 0, 0, 0, 0, 0, .none = true}, // no such text: the list's end
};
enum { PROBLEMS = COUNT(problems) - 1 };

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

static void check_all(isg_context *context, int stream, int step)
{
    suite_random random = suite_stream((uint64_t)stream);
    for (int at = stream % step; at < PROBLEMS; at += step)
        for (int wide = 0; wide < 2; wide++)
            if (!lacks(context, dtype_of(wide)))
                check_problem(context, &random, &problems[at], dtype_of(wide));
}

START_TEST(equal_bits)
{
    isg_context *context = device_open(_i ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
    if (context)
        check_all(context, 1 + _i, 1 + _i);
    isg_context_destroy(&context);
}
END_TEST

// Sets of points that end within blocks, or within a unit of sources; vectors of other widths; shapes of a GPU.
START_TEST(equal_bits_in_parts)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, _i ? 400000 : 20000);
    check_all(context, 10 + _i, 4);
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
        check_all(context, 20 + _i, 7);
    }
    isg_context_destroy(&context);
}
END_TEST

START_TEST(equal_bits_of_a_gpu)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    context->device.device_class = ISG_DEVICE_GPU_DISCRETE;
    check_all(context, 30, 4);
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
    for (size_t i = 0; i < COUNT(all); i++) {
        tcase_set_timeout(all[i], 600);
        suite_add_tcase(suite, all[i]);
    }
    return suite_run(suite);
}
