// Reductions of operators that are never stored are the reference's, bit for bit, and within bounds of the exact
// values.
#include "any_operator.h"
#include "device.h"
#include "flushing.h"
#include "oracle.h"
#include "probe.h"
#include "reference.h"
#include "reference_reduce.h"

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

static bool same_number(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

// A random call, with its arrays; the outputs are dense.
typedef struct call {
    isg_reduce_params params;
    int64_t targets, columns;
} call;

static isg_array random_input(suite_random *random, isg_dtype dtype, int64_t rows, int64_t columns, int kind)
{
    isg_dtype type = random_below(random, 4) ? dtype : dtype == ISG_F64 ? ISG_F32 : ISG_F64;
    isg_array a = isg_matrix(type, oracle_array(type, rows * columns), rows, columns);
    for (int64_t i = 0; i < rows * columns; i++) {
        double x = random_between(random, 0, 1);
        if (kind == 1)
            x = random_below(random, 3) ? ldexp(x, -(int)random_below(random, 100)) : 0;
        if (kind == 2)
            x = ldexp(x - 0.5, (int)random_below(random, 60) - 30);
        oracle_put(type, a.data, i, x);
    }
    return a;
}

static call call_make(suite_random *random, isg_dtype dtype, int64_t n, int64_t m)
{
    call c = {.params = {.reduction = (isg_reduction)random_below(random, ISG_REDUCTION_COUNT),
                         .transpose = (int32_t)random_below(random, 2)}};
    isg_reduce_params *p = &c.params;
    int64_t sources = p->transpose ? n : m;
    c.targets = p->transpose ? m : n;
    c.columns = 1;
    if (p->reduction == ISG_REDUCE_LEAST || p->reduction == ISG_REDUCE_LARGEST) {
        p->count = random_below(random, 2) ? 0 : (int32_t)(sources < 4 ? sources : 4);
        c.columns = p->count ? p->count : 1;
    }
    if (p->reduction == ISG_REDUCE_LOGSUMEXP || p->reduction == ISG_REDUCE_MEAN) {
        if (random_below(random, 2))
            p->weights = random_input(random, dtype, sources, 1, (int)random_below(random, 2));
        if (p->reduction == ISG_REDUCE_MEAN) {
            c.columns = random_below(random, 2) ? 1 : 5;
            p->v = random_input(random, dtype, sources, c.columns, 2 * (int)random_below(random, 2));
        }
    }
    return c;
}

static void call_free(call *c)
{
    free(c->params.weights.data);
    free(c->params.v.data);
}

// The device's answer and the reference's.
static void check_call(isg_context *context, isg_gram *gram, const isg_operator *op, call *c, const char *what)
{
    isg_dtype dtype = op->x.dtype;
    isg_reduce_params *p = &c->params;
    const int64_t count = c->targets * c->columns;
    const bool told = p->reduction == ISG_REDUCE_LEAST || p->reduction == ISG_REDUCE_LARGEST;
    void *got = device_guard(dtype, count), *want = oracle_array(dtype, count);
    int64_t *got_at = device_guard(ISG_F64, count), *want_at = calloc((size_t)count, sizeof *want_at);
    p->out = isg_matrix(dtype, got, c->targets, c->columns);
    if (told)
        p->indices = isg_matrix(ISG_I64, got_at, c->targets, c->columns);
    device_ok(context, isg_gram_reduce(gram, p));
    p->out.data = want;
    if (told)
        p->indices.data = want_at;
    ck_assert(isg_reference_reduce(op, isg_probe_fused(context, dtype), p));
    for (int64_t i = 0; i < count; i++) {
        double a = isg_load_double(dtype, got, i), b = isg_load_double(dtype, want, i);
        ck_assert_msg(same_number(a, b),
                      "%s; reduction %d, transpose %d, count %d, %d columns: element %d is %a, the "
                      "reference says %a",
                      what, (int)p->reduction, p->transpose, p->count, (int)c->columns, (int)i, a, b);
        ck_assert_msg(!told || got_at[i] == want_at[i],
                      "%s; reduction %d, transpose %d, count %d: index %d is %d, the "
                      "reference says %d",
                      what, (int)p->reduction, p->transpose, p->count, (int)i, (int)got_at[i], (int)want_at[i]);
    }
    device_guard_free(got, dtype, count);
    device_guard_free(got_at, ISG_F64, count);
    free(want);
    free(want_at);
}

static void check_operator(isg_context *context, suite_random *random, const isg_gram_params *params, int calls,
                           const char *what)
{
    isg_operator op;
    isg_gram *gram;
    isg_dtype dtype = isg_operator_dtype(params);
    isg_status st = isg_gram_create(context, &gram, params);
    if (st == ISG_ERR_RANGE || st == ISG_ERR_ARGUMENT)
        return;
    ck_assert_msg(st == ISG_OK, "%s: %s", what, isg_context_error(context)->message);
    ck_assert_int_eq(isg_operator_make(&op, params, dtype, NULL), ISG_OK);
    for (int i = 0; i < calls; i++) {
        call c = call_make(random, dtype, op.x.count, op.y.count);
        check_call(context, gram, &op, &c, what);
        call_free(&c);
    }
    isg_operator_free(&op);
    isg_gram_destroy(&gram);
}

static void check_plain(isg_context *context, suite_random *random, isg_dtype dtype, int64_t most)
{
    static const char *const names[] = {"rbf", "rbf", "sqeuclidean", "matern32"};
    int64_t n = 1 + random_below(random, most), m = 1 + random_below(random, most);
    int64_t d = random_below(random, 2) ? 3 : 1 + random_below(random, 20);
    void *x = device_points(random, dtype, n * d, -2, 2), *y = device_points(random, dtype, m * d, -2, 2);
    char what[100];
    isg_gram_params params = {.x = isg_matrix(dtype, x, n, d),
                              .y = isg_matrix(dtype, y, m, d),
                              .kernel = isg_kernel_find(names[random_below(random, COUNT(names))])};
    params.lengthscale = params.kernel->scale == ISG_SCALE_NONE ? 0 : random_below(random, 2) ? 0.02 : 1;
    snprintf(what, sizeof what, "%s, %s, %d x %d, d = %d", params.kernel->name, isg_dtype_name(dtype), (int)n, (int)m,
             (int)d);
    check_operator(context, random, &params, 2, what);
    free(x);
    free(y);
}

static void check_many(isg_context *context, int stream, int rounds, int64_t most)
{
    suite_random random = suite_stream((uint64_t)stream);
    for (int i = 0; i < rounds; i++)
        for (int wide = 0; wide < 2; wide++)
            if (!lacks(context, dtype_of(wide)))
                check_plain(context, &random, dtype_of(wide), most);
}

START_TEST(random_shapes)
{
    isg_context *context = device_open(_i ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
    if (context)
        check_many(context, 1 + _i, 2, 2500);
    isg_context_destroy(&context);
}
END_TEST

static const int32_t widths[] = {1, 2, 4, 8, 16};

START_TEST(random_shapes_in_other_lanes)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const int32_t own = context->device.lanes_f32;
    if ((own > 1 || widths[_i] == 1) && (own != widths[_i] || suite_all())) { // random_shapes has the device's own
        context->device.lanes_f32 = widths[_i];
        context->device.lanes_f64 = context->device.lanes_f64 ? widths[_i] : 0;
        check_many(context, 10 + _i, suite_rounds(2), 1500);
    }
    isg_context_destroy(&context);
}
END_TEST

START_TEST(random_shapes_of_a_gpu)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    context->device.device_class = ISG_DEVICE_GPU_DISCRETE;
    check_many(context, 20, suite_rounds(2), 1500);
    isg_context_destroy(&context);
}
END_TEST

START_TEST(random_shapes_in_parts)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, _i ? 400000 : 20000);
    check_many(context, 30 + _i, suite_rounds(2), 3000);
    isg_context_destroy(&context);
}
END_TEST

START_TEST(any_operators)
{
    enum { MOST = 60 };
    const int rounds = suite_rounds(4);
    isg_context *context = device_open(_i ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
    if (!context)
        return;
    suite_random random = suite_stream(40 + (uint64_t)_i);
    for (int round = 0; round < rounds; round++)
        for (int wide = 0; wide < 2; wide++) {
            char what[1500];
            any_operator any = any_operator_make(&random, dtype_of(wide), MOST, round % 3 == 0);
            isg_gram_params params = any_operator_params(&any);
            any_operator_describe(&any, what, sizeof what);
            if (!lacks(context, any.dtype))
                check_operator(context, &random, &params, 2, what);
            any_operator_free(&any);
        }
    isg_context_destroy(&context);
}
END_TEST

#if CAN_FLUSH

START_TEST(flushing_changes_no_reduction)
{
    enum { MOST = 10, ROUNDS = 2500, ROOM = 10 * MOST };
    static const int modes[] = {FLUSH_RESULTS, FLUSH_ARGUMENTS, FLUSH_BOTH};
    isg_dtype dtype = dtype_of(_i);
    suite_random random = suite_stream(60 + (uint64_t)_i);
    int made = 0, own_logs = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char what[1500];
        any_operator any = any_operator_make(&random, dtype, MOST, round % 2);
        isg_gram_params params = any_operator_params(&any);
        any_operator_describe(&any, what, sizeof what);
        isg_operator op;
        if (isg_operator_make(&op, &params, dtype, NULL) == ISG_OK) {
            double plain[ROOM] = {0}, flushed[ROOM] = {0};
            call c = call_make(&random, dtype, op.x.count, op.y.count);
            isg_reduce_params p = c.params;
            made++;
            own_logs += c.params.reduction >= ISG_REDUCE_LOGSUMEXP && isg_plan_has_logs(&op.plan);
            for (int fused = 0; fused < 2; fused++) {
                p.out = isg_matrix(dtype, plain, c.targets, c.columns);
                ck_assert(isg_reference_reduce(&op, fused, &p));
                p.out.data = flushed;
                for (size_t mode = 0; mode < COUNT(modes); mode++) {
                    FLUSHING_AS(modes[mode], isg_reference_reduce(&op, fused, &p));
                    for (int64_t i = 0; i < c.targets * c.columns; i++) {
                        double a = isg_load_double(dtype, plain, i), b = isg_load_double(dtype, flushed, i);
                        ck_assert_msg(same_number(a, b), "%s; reduction %d: %a, and flushing %a", what,
                                      (int)p.reduction, a, b);
                    }
                }
            }
            call_free(&c);
            isg_operator_free(&op);
        }
        any_operator_free(&any);
    }
    printf("%s: %d operators, %d of them through logarithms of their own\n", isg_dtype_name(dtype), made, own_logs);
    ck_assert_int_gt(made, ROUNDS / 2);
    ck_assert_int_gt(own_logs, ROUNDS / 40);
}
END_TEST

#endif

// Far from all points K is 0 in any precision; its logarithm is not. |out - exact| is at most (d + 6) eps |log k| of
// the largest term, and 1100 eps for the sums. Means lie as close as twice that, times the spread of v.
START_TEST(exact_logarithms)
{
    enum { N = 5, M = 1500, D = 3 };
    static const char *const names[] = {"rbf", "laplacian", "matern12", "matern32", "matern52"};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(70);
    for (int wide = 0; wide < 2; wide++) {
        isg_dtype dtype = dtype_of(wide);
        const double eps = wide ? 0x1p-53 : 0x1p-24;
        if (lacks(context, dtype))
            continue;
        void *x = device_points(&random, dtype, N * D, -2, 2), *y = device_points(&random, dtype, M * D, -2, 2);
        void *w = device_points(&random, dtype, M, 0, 1), *v = device_points(&random, dtype, M, -1, 1);
        for (int k = 0; k < D; k++) // far away
            oracle_put(dtype, x, (N - 1) * D + k, 200);
        for (size_t name = 0; name < COUNT(names); name++) {
            isg_gram *gram;
            double out[N], mean[N], worst = 0, worst_mean = 0;
            const isg_kernel *row = isg_kernel_find(names[name]);
            isg_gram_params params = {.x = isg_matrix(dtype, x, N, D), .y = isg_matrix(dtype, y, M, D), .kernel = row};
            if (row->scale == ISG_SCALE_LENGTHSCALE)
                params.lengthscale = 0.25;
            else
                params.gamma = 8;
            device_ok(context, isg_gram_create(context, &gram, &params));
            isg_array weights = isg_vector(dtype, w, M);
            device_ok(context,
                      isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP,
                                                              .out = isg_vector(dtype, out, N), .weights = weights)));
            device_ok(
                context,
                isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_MEAN, .out = isg_vector(dtype, mean, N),
                                                        .weights = weights, .v = isg_vector(dtype, v, M))));
            mpfr_t sum, top, term, s, r;
            mpfr_inits2(ORACLE_BITS, sum, top, term, s, r, (mpfr_ptr)0);
            for (int i = 0; i < N; i++) {
                double largest = -INFINITY;
                mpfr_set_zero(sum, 1);
                mpfr_set_zero(top, 1);
                for (int j = 0; j < M; j++) {
                    const char *a = (char *)x + (size_t)(i * D) * isg_dtype_bytes(dtype);
                    const char *b = (char *)y + (size_t)(j * D) * isg_dtype_bytes(dtype);
                    oracle_sqdist(s, a, b, D, dtype);
                    if (name == 0) {
                        mpfr_mul_d(s, s, -8, MPFR_RNDN);
                    } else if (name == 1) {
                        double l1 = 0; // exact: multiples of 2^-20
                        for (int k = 0; k < D; k++)
                            l1 += fabs(isg_load_double(dtype, a, k) - isg_load_double(dtype, b, k));
                        mpfr_set_d(s, -8 * l1, MPFR_RNDN);
                    } else {
                        mpfr_mul_d(s, s, 16.0 * (name == 2 ? 1 : name == 3 ? 3 : 5), MPFR_RNDN); // u
                        mpfr_sqrt(r, s, MPFR_RNDN);
                        mpfr_div_ui(s, s, 3, MPFR_RNDN);
                        if (name < 4)
                            mpfr_set_zero(s, 1);
                        if (name > 2)
                            mpfr_add(s, s, r, MPFR_RNDN);
                        mpfr_log1p(s, s, MPFR_RNDN);
                        mpfr_sub(s, s, r, MPFR_RNDN);
                    }
                    largest = fmax(largest, mpfr_get_d(s, MPFR_RNDN));
                    mpfr_exp(term, s, MPFR_RNDN);
                    mpfr_mul_d(term, term, isg_load_double(dtype, w, j), MPFR_RNDN);
                    mpfr_add(sum, sum, term, MPFR_RNDN);
                    mpfr_mul_d(term, term, isg_load_double(dtype, v, j), MPFR_RNDN);
                    mpfr_add(top, top, term, MPFR_RNDN);
                }
                const double bound = ((D + 6) * (fabs(largest) + 10) + 1100) * eps;
                mpfr_div(top, top, sum, MPFR_RNDN);
                mpfr_sub_d(top, top, isg_load_double(dtype, mean, i), MPFR_RNDN);
                mpfr_log(sum, sum, MPFR_RNDN);
                ck_assert_msg(i < N - 1 || mpfr_get_d(sum, MPFR_RNDN) < -1000, "far away it is %g",
                              mpfr_get_d(sum, MPFR_RNDN));
                mpfr_sub_d(sum, sum, isg_load_double(dtype, out, i), MPFR_RNDN);
                worst = fmax(worst, fabs(mpfr_get_d(sum, MPFR_RNDN)) / bound);
                worst_mean = fmax(worst_mean, fabs(mpfr_get_d(top, MPFR_RNDN)) / (2 * bound));
            }
            mpfr_clears(sum, top, term, s, r, (mpfr_ptr)0);
            printf("%s, %s: %.3f of the bound, means %.3f\n", isg_dtype_name(dtype), row->name, worst, worst_mean);
            ck_assert(worst <= 1 && worst_mean <= 1);
            isg_gram_destroy(&gram);
        }
        free(x);
        free(y);
        free(w);
        free(v);
    }
    isg_context_destroy(&context);
}
END_TEST

// Equal values in the order of their sources, and NaN nowhere.
START_TEST(ties_and_nan)
{
    enum { N = 3, M = 40, COUNT_ = 39 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[N] = {0, 10, -10}, y[M], out[N * COUNT_];
    int64_t at[N * COUNT_];
    for (int j = 0; j < M; j++)
        y[j] = j == 17 || j == 30 ? NAN : (float)(j % 3);
    isg_gram *gram;
    device_ok(context,
              isg_gram_create(context, &gram,
                              isg_gram_params(.x = isg_matrix_f32(x, N, 1), .y = isg_matrix_f32(y, M, 1),
                                              .kernel = isg_kernel_find("sqeuclidean"), .allow_nonfinite = 1)));
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LEAST, .count = COUNT_,
                                                               .out = isg_matrix_f32(out, N, COUNT_),
                                                               .indices = isg_matrix(ISG_I64, at, N, COUNT_))));
    for (int i = 0; i < N; i++) {
        for (int c = 0; c + 1 < M - 2; c++) {
            float a = out[i * COUNT_ + c], b = out[i * COUNT_ + c + 1];
            ck_assert(a < b || (a == b && at[i * COUNT_ + c] < at[i * COUNT_ + c + 1]));
        }
        ck_assert(isnan(out[i * COUNT_ + COUNT_ - 1]));
        ck_assert_int_eq(at[i * COUNT_ + COUNT_ - 1], -1);
    }
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

#define refused(status, text, ...)                                                                                     \
    do {                                                                                                               \
        ck_assert_int_eq(isg_gram_reduce(gram, isg_reduce_params(__VA_ARGS__)), status);                               \
        ck_assert_msg(strstr(isg_context_error(context)->message, text) != NULL, "%s",                                 \
                      isg_context_error(context)->message);                                                            \
    } while (0)

START_TEST(bad_input)
{
    enum { N = 6, M = 5 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[N * 2] = {1, 2, 3}, y[M * 2] = {2, 1}, out[N * 3] = {0}, w[M] = {1, 1, 1, 1, 1};
    int64_t at[N * 3];
    isg_array o = isg_vector(ISG_F32, out, N), bad;
    isg_gram *gram;
    isg_gram_params params = {.x = isg_matrix_f32(x, N, 2), .y = isg_matrix_f32(y, M, 2)};
    device_ok(context, isg_gram_create(context, &gram, &params));
    ck_assert_int_eq(isg_gram_reduce(gram, NULL), ISG_ERR_ARGUMENT);
    refused(ISG_ERR_SHAPE, "out must have", .reduction = ISG_REDUCE_SUM);
    refused(ISG_ERR_ARGUMENT, "unknown", .reduction = ISG_REDUCTION_COUNT, .out = o);
    refused(ISG_ERR_SHAPE, "6 rows", .out = isg_vector(ISG_F32, out, M));
    refused(ISG_ERR_SHAPE, "5 rows", .out = o, .transpose = 1);
    refused(ISG_ERR_DTYPE, "float64", .out = isg_vector(ISG_F64, out, N));
    refused(ISG_ERR_ARGUMENT, "1 to 5", .reduction = ISG_REDUCE_LEAST, .count = M + 1,
            .out = isg_matrix_f32(out, N, M + 1));
    refused(ISG_ERR_ARGUMENT, "1 to 5", .reduction = ISG_REDUCE_LARGEST, .count = -1, .out = o);
    refused(ISG_ERR_SHAPE, "columns", .reduction = ISG_REDUCE_LEAST, .count = 2, .out = o);
    refused(ISG_ERR_DTYPE, "int64", .reduction = ISG_REDUCE_LEAST, .out = o, .indices = isg_vector(ISG_I32, at, N));
    refused(ISG_ERR_ARGUMENT, "overlaps", .reduction = ISG_REDUCE_LEAST, .out = isg_vector(ISG_F32, at, N),
            .indices = isg_vector(ISG_I64, at, N));
    refused(ISG_ERR_ARGUMENT, "overlaps", .out = isg_vector(ISG_F32, x, N));
    refused(ISG_ERR_ARGUMENT, "count", .reduction = ISG_REDUCE_SUM, .count = 1, .out = o);
    refused(ISG_ERR_ARGUMENT, "weights are for", .out = o, .weights = isg_vector(ISG_F32, w, M));
    refused(ISG_ERR_ARGUMENT, "vectors v", .reduction = ISG_REDUCE_MEAN, .out = o);
    refused(ISG_ERR_SHAPE, "5 rows", .reduction = ISG_REDUCE_LOGSUMEXP, .out = o, .weights = isg_vector(ISG_F32, x, N));
    w[3] = -1;
    refused(ISG_ERR_ARGUMENT, "weight 3 is -1", .reduction = ISG_REDUCE_LOGSUMEXP, .out = o,
            .weights = isg_vector(ISG_F32, w, M));
    w[3] = INFINITY;
    refused(ISG_ERR_ARGUMENT, "weight 3 is inf", .reduction = ISG_REDUCE_LOGSUMEXP, .out = o,
            .weights = isg_vector(ISG_F32, w, M));
    bad = o;
    bad.strides[0] = 0;
    refused(ISG_ERR_SHAPE, "overlap", .out = bad);
    // All weights 0: no sum to take the logarithm of.
    memset(w, 0, sizeof w);
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP, .out = o,
                                                               .weights = isg_vector(ISG_F32, w, M))));
    ck_assert(isinf(out[0]) && out[0] < 0);
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_MEAN, .out = o,
                                                               .weights = isg_vector(ISG_F32, w, M),
                                                               .v = isg_vector(ISG_F32, y, M))));
    ck_assert(isnan(out[0]));
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reduce");
    TCase *shapes = tcase_create("shapes"), *parts = tcase_create("parts"), *any = tcase_create("any"),
          *values = tcase_create("values");
    TCase *const all[] = {shapes, parts, any, values};
    tcase_add_loop_test(shapes, random_shapes, 0, 2);
    tcase_add_loop_test(shapes, random_shapes_in_other_lanes, 0, COUNT(widths));
    tcase_add_test(shapes, random_shapes_of_a_gpu);
    tcase_add_loop_test(parts, random_shapes_in_parts, 0, 2);
    tcase_add_loop_test(any, any_operators, 0, 2);
#if CAN_FLUSH
    tcase_add_loop_test(values, flushing_changes_no_reduction, 0, 2);
#endif
    tcase_add_test(values, exact_logarithms);
    tcase_add_test(values, ties_and_nan);
    tcase_add_test(values, bad_input);
    for (size_t i = 0; i < COUNT(all); i++) {
        tcase_set_timeout(all[i], 600);
        suite_add_tcase(suite, all[i]);
    }
    return suite_run(suite);
}
