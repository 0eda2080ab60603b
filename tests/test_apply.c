// Products with operators that are never stored are the reference's, bit for bit: for any function, shape, stride,
// precision, arithmetic, width of vectors, kind of device and size of buffers; and within bounds of the exact sums.
#include "any_operator.h"
#include "device.h"
#include "flushing.h"
#include "gram.h"
#include "kernels.h"
#include "oracle.h"
#include "probe.h"
#include "reference.h"
#include "weights.h"

#include <isogram/apply.h>

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

static bool same_number(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

// A product: V and OUT with their strides, and what is asked for.
typedef struct call {
    isg_array v, out;
    isg_apply_params params;
    void *v_memory, *out_memory, *before; // before: OUT's memory as it was
    int64_t out_count;
} call;

// A view of rows x columns with random strides, of either sign; *count: elements of the memory that it spans.
static isg_array any_view(suite_random *random, isg_dtype dtype, int64_t rows, int64_t columns, int64_t *count)
{
    isg_array a = isg_matrix(dtype, NULL, rows, columns);
    bool by_columns = random_below(random, 2) != 0;
    int64_t gap = random_below(random, 3), apart = 1 + random_below(random, 2);
    a.strides[by_columns] = by_columns ? rows * apart + gap : columns * apart + gap;
    a.strides[!by_columns] = apart;
    *count = 1 + (rows - 1) * a.strides[0] + (columns - 1) * a.strides[1];
    return a;
}

// The memory of the view, and its first element in it: at the other end along axes that run backwards.
static void put_memory(suite_random *random, isg_array *a, void *memory)
{
    int64_t first = 0;
    for (int axis = 0; axis < 2; axis++)
        if (random_below(random, 4) == 0) {
            first += (a->shape[axis] - 1) * a->strides[axis];
            a->strides[axis] = -a->strides[axis];
        }
    a->data = (char *)memory + first * (int64_t)isg_dtype_bytes(a->dtype);
}

static double any_weight(suite_random *random, int kind, bool wide)
{
    int reach = wide ? 1000 : 120;
    double x = random_between(random, -1, 1);
    switch (kind) {
    case 0: return x;
    case 1: return ldexp(x, (int)random_below(random, 2 * reach) - reach);
    case 2: return random_below(random, 2) ? ldexp(x, -(int)random_below(random, wide ? 900 : 100)) : 0;
    default: return ldexp(x, wide ? -1060 : -140); // many of them subnormal
    }
}

static call call_make(suite_random *random, isg_dtype dtype, int64_t n, int64_t m, int64_t most_columns, bool doubles)
{
    call c = {.params = {.transpose = (int32_t)random_below(random, 2)}};
    int64_t columns = 1, v_count;
    const int64_t few[] = {2, 3, 5, 16, 37};
    if (random_below(random, 2)) // each number is a program to compile
        columns = isg_min(few[random_below(random, COUNT(few))], most_columns);
    bool mixed = doubles && dtype == ISG_F32 && random_below(random, 3) == 0;
    isg_dtype v_type = random_below(random, 4) ? dtype : dtype == ISG_F64 ? ISG_F32 : ISG_F64;
    c.params.accumulate = mixed ? ISG_PRECISION_F64 : ISG_PRECISION_DEFAULT;
    c.params.alpha = random_below(random, 2) ? 0 : random_between(random, -3, 3);
    c.params.beta = random_below(random, 2) ? 0 : random_between(random, -3, 3);
    c.v = any_view(random, v_type, c.params.transpose ? n : m, columns, &v_count);
    c.out = any_view(random, mixed && random_below(random, 2) ? ISG_F64 : dtype, c.params.transpose ? m : n, columns,
                     &c.out_count);
    c.v_memory = oracle_array(v_type, v_count);
    put_memory(random, &c.v, c.v_memory);
    for (int64_t p = 0; p < columns; p++) {
        int kind = random_below(random, 2) ? 0 : (int)random_below(random, 4);
        for (int64_t j = 0; j < c.v.shape[0]; j++) {
            double x = any_weight(random, kind, v_type == ISG_F64);
            if (kind == 1 && random_below(random, 200) == 0)
                x = random_below(random, 2) ? INFINITY : NAN;
            isg_store_double(v_type, c.v.data, j * c.v.strides[0] + p * c.v.strides[1], x);
        }
    }
    c.out_memory = device_guard(c.out.dtype, c.out_count);
    for (int64_t i = 0; i < c.out_count; i++)
        isg_store_double(c.out.dtype, c.out_memory, i, random_between(random, -2, 2));
    size_t bytes = (size_t)c.out_count * isg_dtype_bytes(c.out.dtype);
    c.before = malloc(bytes);
    memcpy(c.before, c.out_memory, bytes);
    put_memory(random, &c.out, c.out_memory);
    return c;
}

static void call_free(call *c)
{
    free(c->v_memory);
    free(c->before);
    device_guard_free(c->out_memory, c->out.dtype, c->out_count);
}

// What OUT should be, in memory like OUT's: the rest of it as it was. k: the operator's, n x m.
static void *expected(const call *c, const isg_operator *op, const void *k, bool fused)
{
    isg_dtype dtype = op->x.dtype, sums = c->params.accumulate ? ISG_F64 : dtype;
    int64_t n = op->x.count, m = op->y.count, targets = c->out.shape[0], sources = c->v.shape[0];
    size_t element = isg_dtype_bytes(dtype);
    const isg_reference *reference = isg_reference_get(dtype, fused);
    isg_weights w;
    ck_assert_int_eq(isg_weights_make(&w, &c->v, dtype, sums, isg_operator_largest(op), 1, NULL), ISG_OK);
    void *row = oracle_array(dtype, sources), *want = malloc((size_t)c->out_count * isg_dtype_bytes(c->out.dtype));
    memcpy(want, c->before, (size_t)c->out_count * isg_dtype_bytes(c->out.dtype));
    int64_t first = (int64_t)((char *)c->out.data - (char *)c->out_memory) / (int64_t)isg_dtype_bytes(c->out.dtype);
    for (int64_t i = 0; i < targets; i++) {
        for (int64_t j = 0; j < sources; j++)
            memcpy((char *)row + (size_t)j * element,
                   (const char *)k + (size_t)(c->params.transpose ? j * m + i : i * m + j) * element, element);
        for (int64_t p = 0; p < c->v.shape[1]; p++) {
            int64_t at = first + i * c->out.strides[0] + p * c->out.strides[1];
            double sum =
                reference->sum(row, (char *)w.values + (size_t)(p * sources) * isg_dtype_bytes(sums), 1, sources, sums);
            double value = isg_reference_get(sums, fused)
                               ->combine(c->params.alpha == 0 ? 1 : c->params.alpha, sum, w.exponents[p],
                                         c->params.beta, isg_load_double(c->out.dtype, c->before, at));
            if (c->out.dtype == ISG_F32 && fabsf((float)value) < FLT_MIN)
                value = 0;
            isg_store_double(c->out.dtype, want, at, value);
        }
    }
    (void)n;
    isg_weights_free(&w);
    free(row);
    return want;
}

static void check_call(isg_gram *gram, const isg_operator *op, const void *k, call *c, const char *what)
{
    isg_context *context = gram->context;
    device_ok(context, isg_gram_apply(gram, c->v, c->out, &c->params));
    void *want = expected(c, op, k, isg_probe_fused(context, op->x.dtype));
    for (int64_t i = 0; i < c->out_count; i++) {
        double a = isg_load_double(c->out.dtype, c->out_memory, i), b = isg_load_double(c->out.dtype, want, i);
        ck_assert_msg(same_number(a, b),
                      "%s; V %d columns, transpose %d, alpha %g, beta %g, accumulate %d: element %d "
                      "is %a, the reference says %a",
                      what, (int)c->v.shape[1], c->params.transpose, c->params.alpha, c->params.beta,
                      (int)c->params.accumulate, (int)i, a, b);
    }
    free(want);
}

// Some products of one operator. NULL params: it cannot be made.
static void check_operator(isg_context *context, suite_random *random, const isg_gram_params *params, int calls,
                           int64_t most_columns, const char *what)
{
    isg_operator op;
    isg_gram *gram;
    isg_dtype dtype = isg_operator_dtype(params);
    isg_status st = isg_gram_create(context, &gram, params);
    if (st == ISG_ERR_RANGE || st == ISG_ERR_ARGUMENT)
        return;
    ck_assert_msg(st == ISG_OK, "%s: %s", what, isg_context_error(context)->message);
    ck_assert_int_eq(isg_operator_make(&op, params, dtype, NULL), ISG_OK);
    void *k = device_expected(context, params);
    // What the scale of the weights stands on.
    double largest = ldexp(1, isg_operator_largest(&op));
    for (int64_t i = 0; i < op.x.count * op.y.count; i++) {
        double v = fabs(isg_load_double(dtype, k, i));
        ck_assert_msg(!(v > largest) || isinf(v), "%s: K has %a, and at most %a was foreseen", what, v, largest);
    }
    for (int i = 0; i < calls; i++) {
        call c = call_make(random, dtype, op.x.count, op.y.count, most_columns, !lacks(context, ISG_F64));
        check_call(gram, &op, k, &c, what);
        call_free(&c);
    }
    free(k);
    isg_operator_free(&op);
    isg_gram_destroy(&gram);
}

// Plain rows on points of moderate size: shapes are what varies.
static void check_plain(isg_context *context, suite_random *random, isg_dtype dtype, int64_t most, int64_t most_columns)
{
    int64_t n = 1 + random_below(random, most), m = 1 + random_below(random, most);
    int64_t d = random_below(random, 2) ? 3 : 1 + random_below(random, 20);
    void *x = device_points(random, dtype, n * d, -2, 2), *y = device_points(random, dtype, m * d, -2, 2);
    char what[100];
    snprintf(what, sizeof what, "rbf, %s, %d x %d, d = %d", isg_dtype_name(dtype), (int)n, (int)m, (int)d);
    isg_gram_params params = {.x = isg_matrix(dtype, x, n, d), .gamma = 0.3};
    if (random_below(random, 3))
        params.y = isg_matrix(dtype, y, m, d);
    check_operator(context, random, &params, 2, most_columns, what);
    free(x);
    free(y);
}

static void check_many(isg_context *context, int stream, int rounds, int64_t most, int64_t most_columns)
{
    suite_random random = suite_stream((uint64_t)stream);
    for (int i = 0; i < rounds; i++)
        for (int wide = 0; wide < 2; wide++)
            if (!lacks(context, dtype_of(wide)))
                check_plain(context, &random, dtype_of(wide), most, most_columns);
}

START_TEST(random_shapes)
{
    isg_context *context = device_open(_i ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
    if (context)
        check_many(context, 1 + _i, suite_rounds(3), 2500, 40);
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
        check_many(context, 10 + _i, suite_rounds(2), 1500, 20);
    }
    isg_context_destroy(&context);
}
END_TEST

START_TEST(random_shapes_of_a_gpu)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    context->device.device_class = ISG_DEVICE_GPU_DISCRETE;
    check_many(context, 20, suite_rounds(2), 1500, 20);
    isg_context_destroy(&context);
}
END_TEST

// Sets of points that are smaller than a block of sources, and some that are not.
START_TEST(random_shapes_in_parts)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, _i ? 400000 : 20000);
    check_many(context, 30 + _i, suite_rounds(2), 3000, 40);
    isg_context_destroy(&context);
}
END_TEST

// Functions, composites, lengthscales, factors and masks of all kinds, on points of any size.
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
                check_operator(context, &random, &params, 2, 3, what);
            any_operator_free(&any);
        }
    isg_context_destroy(&context);
}
END_TEST

#if CAN_FLUSH

// On a processor that flushes, no sum of any operator changes, the plain loop gives what the fine one gives where
// weights say so, and no value is beyond what was foreseen.
START_TEST(flushing_changes_no_sum)
{
    enum { MOST = 12, ROUNDS = 3000 };
    static const int modes[] = {FLUSH_RESULTS, FLUSH_ARGUMENTS, FLUSH_BOTH};
    isg_dtype dtype = dtype_of(_i);
    suite_random random = suite_stream(60 + (uint64_t)_i);
    int made = 0, fine = 0, dropped = 0;
    for (int round = 0; round < ROUNDS; round++) {
        any_operator any = any_operator_make(&random, dtype, MOST, round % 2);
        isg_gram_params params = any_operator_params(&any);
        isg_operator op;
        if (isg_operator_make(&op, &params, dtype, NULL) == ISG_OK) {
            double k[MOST * MOST], v[MOST], largest = ldexp(1, isg_operator_largest(&op));
            int64_t m = op.y.count;
            int kind = (int)random_below(&random, 4);
            isg_array view = isg_matrix(dtype, v, m, 1);
            isg_weights w;
            for (int64_t j = 0; j < m; j++)
                isg_store_double(dtype, v, j, any_weight(&random, kind, dtype == ISG_F64));
            ck_assert_int_eq(isg_weights_make(&w, &view, dtype, dtype, isg_operator_largest(&op), 1, NULL), ISG_OK);
            made++;
            fine += w.fine[0];
            for (int fused = 0; fused < 2; fused++) {
                const isg_reference *r = isg_reference_get(dtype, fused);
                r->gram(&op.plan, &op.x, &op.y, k, m);
                for (int64_t i = 0; i < op.x.count; i++) {
                    const char *row = (const char *)k + (size_t)(i * m) * isg_dtype_bytes(dtype);
                    bool finite = true;
                    for (int64_t j = 0; j < m; j++) {
                        double value = fabs(isg_load_double(dtype, row, j)),
                               weight = fabs(isg_load_double(dtype, w.values, j));
                        finite = finite && isfinite(value);
                        ck_assert(!(value > largest) || isinf(value));
                        bool small =
                            value > 0 && weight > 0 && value * weight < (dtype == ISG_F64 ? 0x1p-898 : 0x1p-78);
                        ck_assert_msg(!small || w.fine[0], "a product of %a and %a in a column that is not looked at",
                                      value, weight);
                        dropped += small;
                    }
                    double sum = r->sum(row, w.values, 1, m, dtype), out = r->combine(1, sum, w.exponents[0], 0, 0);
                    ck_assert_msg(isfinite(sum) || !finite, "a sum of finite values and weights is %a", sum);
                    for (size_t mode = 0; mode < COUNT(modes); mode++) {
                        double other, flushed;
                        FLUSHING_AS(modes[mode], other = r->sum(row, w.values, 1, m, dtype));
                        FLUSHING_AS(modes[mode], flushed = r->combine(1, sum, w.exponents[0], 0, 0));
                        ck_assert_msg(same_number(sum, other), "the sum is %a, and flushing %a", sum, other);
                        ck_assert_msg(same_number(out, flushed), "the result is %a, and flushing %a", out, flushed);
                    }
                }
            }
            isg_weights_free(&w);
            isg_operator_free(&op);
        }
        any_operator_free(&any);
    }
    printf("%s: %d operators, %d with a fine column, %d products left out\n", isg_dtype_name(dtype), made, fine,
           dropped);
    ck_assert_int_gt(made, ROUNDS / 2);
    ck_assert_int_gt(fine, ROUNDS / 20);
    ck_assert_int_gt(dropped, ROUNDS / 2);
}
END_TEST

#endif

// |OUT - exact| <= (2050 eps sum |k v| + what counts as 0) for K's own values; 1024 in a block and as many blocks.
START_TEST(exact_sums)
{
    enum { N = 3, M = 5000, D = 2 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(70);
    for (int wide = 0; wide < 2; wide++) {
        isg_dtype dtype = dtype_of(wide);
        if (lacks(context, dtype))
            continue;
        const double eps = wide ? 0x1p-53 : 0x1p-24;
        void *x = device_points(&random, dtype, N * D, -2, 2),
             *y = device_points(&random, dtype, (int64_t)M * D, -2, 2);
        void *v = device_points(&random, dtype, M, -1, 1);
        isg_gram *gram;
        isg_gram_params params = {.x = isg_matrix(dtype, x, N, D), .y = isg_matrix(dtype, y, M, D), .gamma = 0.5};
        device_ok(context, isg_gram_create(context, &gram, &params));
        void *k = device_expected(context, &params);
        for (int mixed = 0; mixed < (wide || lacks(context, ISG_F64) ? 1 : 2); mixed++) {
            double out[N], worst = 0;
            isg_dtype sums = mixed ? ISG_F64 : dtype;
            device_ok(context, isg_gram_apply(gram, isg_vector(dtype, v, M), isg_vector(sums, out, N),
                                              isg_apply_params(.accumulate = mixed ? ISG_PRECISION_F64 : 0)));
            mpfr_t exact, term;
            mpfr_inits2(ORACLE_BITS, exact, term, (mpfr_ptr)0);
            for (int i = 0; i < N; i++) {
                double size = 0;
                mpfr_set_zero(exact, 1);
                for (int j = 0; j < M; j++) {
                    double a = isg_load_double(dtype, k, i * M + j), b = isg_load_double(dtype, v, j);
                    mpfr_set_d(term, a, MPFR_RNDN);
                    mpfr_mul_d(term, term, b, MPFR_RNDN);
                    mpfr_add(exact, exact, term, MPFR_RNDN);
                    size += fabs(a * b);
                }
                mpfr_sub_d(exact, exact, isg_load_double(sums, out, i), MPFR_RNDN);
                worst = fmax(worst, fabs(mpfr_get_d(exact, MPFR_RNDN)) / (size * (mixed ? 0x1p-53 : eps)));
            }
            mpfr_clears(exact, term, (mpfr_ptr)0);
            printf("%s%s: %.1f eps sum |k v|\n", isg_dtype_name(dtype), mixed ? ", sums in double" : "", worst);
            ck_assert(worst < ISG_BLOCK_SOURCES + M / ISG_BLOCK_SOURCES + 2);
        }
        free(k);
        free(x);
        free(y);
        free(v);
        isg_gram_destroy(&gram);
    }
    isg_context_destroy(&context);
}
END_TEST

// A NaN or an infinity in V stays in its column.
START_TEST(nonfinite_weights)
{
    enum { N = 40, M = 30, R = 3 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(71);
    float *x = device_points(&random, ISG_F32, N * 2, -1, 1), *y = device_points(&random, ISG_F32, M * 2, -1, 1);
    float *v = device_points(&random, ISG_F32, M * R, 0.5, 1), out[N * R], one[N];
    v[7 * R] = NAN;
    v[9 * R + 1] = INFINITY;
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, N, 2), .y = isg_matrix_f32(y, M, 2))));
    device_ok(context, isg_gram_apply(gram, isg_matrix_f32(v, M, R), isg_matrix_f32(out, N, R), NULL));
    isg_array last = isg_vector(ISG_F32, v + 2, M);
    last.strides[0] = R;
    device_ok(context, isg_gram_apply(gram, last, isg_vector(ISG_F32, one, N), NULL));
    for (int i = 0; i < N; i++) {
        ck_assert(isnan(out[i * R]));
        ck_assert(isinf(out[i * R + 1]) && out[i * R + 1] > 0);
        ck_assert(out[i * R + 2] == one[i] && isfinite(one[i]));
    }
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(x);
    free(y);
    free(v);
}
END_TEST

// A column times a power of two gives that times its sums, to the ends of the range.
START_TEST(scaled_columns)
{
    enum { N = 20, M = 1500 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(72);
    float *x = device_points(&random, ISG_F32, N * 2, -1, 1), *y = device_points(&random, ISG_F32, M * 2, -1, 1);
    float *v = device_points(&random, ISG_F32, M, -1, 1), *w = malloc(M * sizeof *w), want[N], out[N];
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, N, 2), .y = isg_matrix_f32(y, M, 2))));
    device_ok(context, isg_gram_apply(gram, isg_vector(ISG_F32, v, M), isg_vector(ISG_F32, want, N), NULL));
    for (int e = -100; e <= 110; e += 30) {
        for (int j = 0; j < M; j++)
            w[j] = ldexpf(v[j], e);
        device_ok(context, isg_gram_apply(gram, isg_vector(ISG_F32, w, M), isg_vector(ISG_F32, out, N), NULL));
        for (int i = 0; i < N; i++)
            ck_assert_msg(out[i] == ldexpf(want[i], e), "times 2^%d: %a for %a", e, out[i], want[i]);
    }
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(x);
    free(y);
    free(v);
    free(w);
}
END_TEST

static int stop_soon(void *user, double done, double total)
{
    int *left = user;
    ck_assert(done > 0 && done <= total);
    return --*left < 0;
}

// Cancelled between launches; the same operator goes on working.
START_TEST(cancelled)
{
    enum { N = 3000 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 300000);
    suite_random random = suite_stream(73);
    float *x = device_points(&random, ISG_F32, N * 30, -1, 1), *v = device_points(&random, ISG_F32, N, -1, 1);
    float *out = malloc(N * sizeof *out), *again = malloc(N * sizeof *again);
    int left = 1000;
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, N, 30), .progress = stop_soon,
                                                       .progress_user = &left)));
    device_ok(context, isg_gram_apply(gram, isg_vector(ISG_F32, v, N), isg_vector(ISG_F32, out, N), NULL));
    ck_assert_int_lt(left, 999); // several launches
    left = 1;
    ck_assert_int_eq(isg_gram_apply(gram, isg_vector(ISG_F32, v, N), isg_vector(ISG_F32, again, N), NULL),
                     ISG_ERR_CANCELLED);
    left = 1000;
    device_ok(context, isg_gram_apply(gram, isg_vector(ISG_F32, v, N), isg_vector(ISG_F32, again, N), NULL));
    ck_assert_mem_eq(out, again, N * sizeof *out);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(x);
    free(v);
    free(out);
    free(again);
}
END_TEST

#define refused(status, text, ...)                                                                                     \
    do {                                                                                                               \
        ck_assert_int_eq(isg_gram_apply(gram, __VA_ARGS__), status);                                                   \
        ck_assert_msg(strstr(isg_context_error(context)->message, text) != NULL, "%s",                                 \
                      isg_context_error(context)->message);                                                            \
    } while (0)

START_TEST(bad_input)
{
    enum { N = 6, M = 5, R = 2 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[N * 2] = {1, 2, 3}, y[M * 2] = {2, 1}, v[N * R] = {1}, out[N * R + M * R] = {0};
    isg_array V = isg_matrix_f32(v, M, R), OUT = isg_matrix_f32(out, N, R), bad;
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, N, 2), .y = isg_matrix_f32(y, M, 2))));
    refused(ISG_ERR_SHAPE, "V is 6 x 2", isg_matrix_f32(v, N, R), OUT, NULL);
    refused(ISG_ERR_SHAPE, "OUT is 5 x 2", V, isg_matrix_f32(out, M, R), NULL);
    refused(ISG_ERR_SHAPE, "V's columns", V, isg_matrix_f32(out, N, 1), NULL);
    refused(ISG_ERR_SHAPE, "V is 5 x 2", V, isg_matrix_f32(out, M, R), isg_apply_params(.transpose = 1));
    refused(ISG_ERR_DTYPE, "OUT is float64", V, isg_matrix(ISG_F64, out, N, 1 * R), NULL);
    refused(ISG_ERR_DTYPE, "V is of float16", isg_matrix(ISG_F16, v, M, R), OUT, NULL);
    refused(ISG_ERR_ARGUMENT, "OUT overlaps", V, isg_matrix_f32(x, N, R), NULL);
    refused(ISG_ERR_ARGUMENT, "OUT overlaps", isg_matrix_f32(out + N * R - 1, M, R), OUT, NULL);
    refused(ISG_ERR_ARGUMENT, "finite", V, OUT, isg_apply_params(.alpha = NAN));
    refused(ISG_ERR_ARGUMENT, "finite in single", V, OUT, isg_apply_params(.beta = 1e40));
    refused(ISG_ERR_ARGUMENT, "precision", V, OUT, isg_apply_params(.accumulate = (isg_precision)7));
    bad = OUT;
    bad.strides[0] = 1;
    refused(ISG_ERR_SHAPE, "overlap", V, bad, NULL);
    bad = V;
    bad.data = NULL;
    refused(ISG_ERR_SHAPE, "with data", bad, OUT, NULL);
    // No columns: nothing to do.
    device_ok(context, isg_gram_apply(gram, isg_matrix_f32(v, M, 0), isg_matrix_f32(out, N, 0), NULL));
    device_ok(context, isg_gram_apply(gram, V, OUT, NULL));
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("apply");
    TCase *shapes = tcase_create("shapes"), *parts = tcase_create("parts"), *any = tcase_create("any"),
          *values = tcase_create("values");
    TCase *const all[] = {shapes, parts, any, values};
    tcase_add_loop_test(shapes, random_shapes, 0, 2);
    tcase_add_loop_test(shapes, random_shapes_in_other_lanes, 0, COUNT(widths));
    tcase_add_test(shapes, random_shapes_of_a_gpu);
    tcase_add_loop_test(parts, random_shapes_in_parts, 0, 2);
    tcase_add_loop_test(any, any_operators, 0, 2);
#if CAN_FLUSH
    tcase_add_loop_test(values, flushing_changes_no_sum, 0, 2);
#endif
    tcase_add_test(values, exact_sums);
    tcase_add_test(values, nonfinite_weights);
    tcase_add_test(values, scaled_columns);
    tcase_add_test(values, cancelled);
    tcase_add_test(values, bad_input);
    for (size_t i = 0; i < COUNT(all); i++) {
        tcase_set_timeout(all[i], 600);
        suite_add_tcase(suite, all[i]);
    }
    return suite_run(suite);
}
