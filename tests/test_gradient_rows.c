// Promise: rows of a gradient are what each row of K adds to the derivatives by the function's numbers; beside one
// point they are derivatives of pairs, the same as of the pair alone.
#include "device.h"
#include "gradient_work.h"
#include "gram.h"
#include "probe.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum { N = 37, M = 5, D = 3, MOST = 16 };

static const char *const functions[] = {"rbf(sigma=1.5)",
                                        "matern32(lengthscale=0.7)",
                                        "rational_quadratic(alpha=2, lengthscale=1.5)",
                                        "laplacian(gamma=0.5)",
                                        "2*periodic(period=3, lengthscale=2) + polynomial(degree=2, gamma=0.25)*cauchy",
                                        "chi2(gamma=0.75)"};

typedef struct problem {
    isg_composite *function;
    double x[N * D], y[M * D], v[N * 2], w[M * 2], lengthscales[D];
    isg_gram_params gram;
} problem;

static void problem_make(problem *p, suite_random *random, const char *text, bool alone, bool lengths)
{
    isg_error error = {ISG_OK, ""};
    memset(p, 0, sizeof *p);
    ck_assert_msg(isg_kernel_parse(&p->function, text, &error) == ISG_OK, "%s", error.message);
    for (int i = 0; i < N * D; i++)
        p->x[i] = random_between(random, 0, 2);
    for (int i = 0; i < M * D; i++)
        p->y[i] = random_between(random, 0, 2);
    for (int i = 0; i < N * 2; i++)
        p->v[i] = random_between(random, -1, 1);
    for (int i = 0; i < M * 2; i++)
        p->w[i] = random_between(random, -1, 1);
    for (int k = 0; k < D; k++)
        p->lengthscales[k] = random_between(random, 0.5, 2);
    p->gram = (isg_gram_params){.composite = p->function, .x = isg_matrix_f64(p->x, N, D)};
    if (!alone)
        p->gram.y = isg_matrix_f64(p->y, M, D);
    if (lengths)
        p->gram.lengthscales = p->lengthscales;
}

static isg_gram *gram_of(isg_context *context, const isg_gram_params *params)
{
    isg_gram *gram;
    isg_status st = isg_gram_create(context, &gram, params);
    ck_assert_msg(st == ISG_OK, "%s", isg_context_error(context)->message);
    return gram;
}

// In either precision: the device's rows are the reference's, and they add up to the derivatives.
START_TEST(rows_add_up_to_the_whole)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(21);
    for (size_t f = 0; f < COUNT(functions); f++) {
        const bool alone = f % 2 == 1, lengths = f == 1;
        const isg_dtype dtype = isg_context_device(context)->lanes_f64 > 0 && f % 4 < 2 ? ISG_F64 : ISG_F32;
        problem p;
        problem_make(&p, &random, functions[f], alone, lengths);
        p.gram.precision = dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
        isg_gram *gram = gram_of(context, &p.gram);
        const int64_t count = isg_gram_parameter_count(gram), rows = N * (count + 1);
        ck_assert(count > 0 && count <= MOST);
        double *got = device_guard(ISG_F64, rows), *want = device_guard(ISG_F64, rows), whole[MOST];
        isg_gradient_params wanted = {.v = isg_matrix_f64(p.v, N, 2),
                                      .w = alone ? isg_matrix_f64(p.v, N, 2) : isg_matrix_f64(p.w, M, 2),
                                      .parameters = whole,
                                      .rows = isg_matrix_f64(got, N, count)};
        wanted.rows.strides[0] = count + 1;
        device_ok(context, isg_gram_gradient(gram, &wanted));
        isg_gradient_params plain = wanted;
        plain.parameters = NULL;
        plain.rows.data = want;
        ck_assert(isg_reference_gradient(&gram->op, isg_probe_fused(context, dtype), &plain, NULL) == ISG_OK);
        for (int64_t at = 0; at < count; at++) {
            double sum = 0, size = 0;
            for (int64_t i = 0; i < N; i++) {
                const double a = got[i * (count + 1) + at], b = want[i * (count + 1) + at];
                ck_assert_msg(a == b, "%s, row %d, number %d: the device gives %a, right is %a", functions[f], (int)i,
                              (int)at, a, b);
                sum += a;
                size += a < 0 ? -a : a;
            }
            const double off = sum > whole[at] ? sum - whole[at] : whole[at] - sum;
            ck_assert_msg(size > 0 && off <= 1e-13 * size, "%s, number %d: rows add up to %g, not to %g", functions[f],
                          (int)at, sum, whole[at]);
        }
        device_guard_free(got, ISG_F64, rows);
        device_guard_free(want, ISG_F64, rows);
        isg_gram_destroy(&gram);
        isg_composite_destroy(&p.function);
    }
    isg_context_destroy(&context);
}
END_TEST

// dK[i, 0]/dp, of all points at once and of each alone: a sum of one term has no order.
START_TEST(beside_one_point_they_are_derivatives_of_pairs)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(22);
    double ones[N];
    for (int i = 0; i < N; i++)
        ones[i] = 1;
    for (size_t f = 2; f < COUNT(functions); f += 2) {
        problem p;
        double rows[N * MOST], alone[MOST];
        problem_make(&p, &random, functions[f], false, f == 2);
        p.gram.precision = ISG_PRECISION_F32;
        p.gram.y = isg_matrix_f64(p.y, 1, D);
        isg_gram *gram = gram_of(context, &p.gram);
        const int64_t count = isg_gram_parameter_count(gram);
        isg_gradient_params wanted = {
            .v = isg_matrix_f64(ones, N, 1), .w = isg_matrix_f64(ones, 1, 1), .rows = isg_matrix_f64(rows, N, count)};
        device_ok(context, isg_gram_gradient(gram, &wanted));
        isg_gram_destroy(&gram);
        for (int64_t i = 0; i < N; i += 18) {
            p.gram.x = isg_matrix_f64(p.x + i * D, 1, D);
            gram = gram_of(context, &p.gram);
            isg_gradient_params one = {
                .v = isg_matrix_f64(ones, 1, 1), .w = isg_matrix_f64(ones, 1, 1), .parameters = alone};
            device_ok(context, isg_gram_gradient(gram, &one));
            for (int64_t at = 0; at < count; at++)
                ck_assert_msg(rows[i * count + at] == alone[at], "%s, point %d, number %d: %a, and alone %a",
                              functions[f], (int)i, (int)at, rows[i * count + at], alone[at]);
            isg_gram_destroy(&gram);
        }
        isg_composite_destroy(&p.function);
    }
    isg_context_destroy(&context);
}
END_TEST

START_TEST(what_is_wrong_is_refused)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(23);
    problem p;
    double rows[N * MOST];
    problem_make(&p, &random, functions[2], false, false);
    p.gram.precision = ISG_PRECISION_F32;
    isg_gram *gram = gram_of(context, &p.gram);
    const isg_gradient_params good = {
        .v = isg_matrix_f64(p.v, N, 2), .w = isg_matrix_f64(p.w, M, 2), .rows = isg_matrix_f64(rows, N, 2)};
    isg_gradient_params bad;
#define REFUSED(status, words)                                                                                         \
    do {                                                                                                               \
        ck_assert_int_eq(isg_gram_gradient(gram, &bad), status);                                                       \
        ck_assert_msg(strstr(isg_context_error(context)->message, words), "%s", isg_context_error(context)->message);  \
    } while (0)
    bad = good, bad.rows.shape[1] = 3;
    REFUSED(ISG_ERR_SHAPE, "rows is 37 x 3, and must have 37 rows and 2 columns");
    bad = good, bad.rows.dtype = ISG_F32;
    REFUSED(ISG_ERR_DTYPE, "rows is float32");
    bad = good, bad.rows.data = p.v;
    REFUSED(ISG_ERR_ARGUMENT, "rows overlaps");
    bad = good, bad.rows.strides[0] = 1;
    REFUSED(ISG_ERR_SHAPE, "elements of it overlap");
    bad = good;
    device_ok(context, isg_gram_gradient(gram, &bad));
    isg_gram_destroy(&gram);
    isg_composite_destroy(&p.function);

    problem_make(&p, &random, "linear", false, false);
    p.gram.precision = ISG_PRECISION_F32;
    gram = gram_of(context, &p.gram);
    bad = good, bad.v.data = p.v, bad.w.data = p.w;
    REFUSED(ISG_ERR_ARGUMENT, "no parameters");
    isg_gram_destroy(&gram);
    isg_composite_destroy(&p.function);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {rows_add_up_to_the_whole, beside_one_point_they_are_derivatives_of_pairs,
                                  what_is_wrong_is_refused};
    return suite_run(suite_of("gradient rows", tests, COUNT(tests)));
}
