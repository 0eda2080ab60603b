// The promises of the host reference: points are read as they stand or refused by name, and the Gram matrix is
//   |K - exp(-gamma s)| <= (d + 4) eps s gamma K + 2 ulp,   s = |x - y|^2,
// on easy and on hostile data, exactly symmetric, with a diagonal of exactly 1, within [0, 1], and the same bits when
// points and lengthscale are scaled by one power of two.
#include "oracle.h"
#include "suite.h"

#include "operator.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const isg_dtype precisions[] = {ISG_F32, ISG_F64};

static double gamma_of(double sigma)
{
    return 0.5 / (sigma * sigma);
}

static double epsilon(isg_dtype dtype)
{
    return dtype == ISG_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
}

// K(X, Y) by the reference for contiguous points, in rows of `stride` numbers. y: NULL for K(X, X).
static void gram_into(isg_dtype dtype, bool fused, const isg_array *x, const isg_array *y, bool lenient, double gamma,
                      void *k, int64_t stride)
{
    isg_operator op;
    isg_error error = {0};
    const isg_array none = {.dtype = ISG_DTYPE_NONE};
    const isg_gram_params params = {.x = *x, .y = y ? *y : none, .gamma = gamma, .allow_nonfinite = lenient};
    ck_assert_msg(isg_operator_make(&op, &params, dtype, &error) == ISG_OK, "%s", error.message);
    isg_reference_get(dtype, fused)->gram(&op.plan, &op.x, &op.y, k, stride);
    isg_operator_free(&op);
}

// K(X, X) of n points, as an array to be freed.
static void *gram(isg_dtype dtype, bool fused, const void *x, int64_t n, int64_t d, double gamma)
{
    void *k = oracle_array(dtype, n * n);
    isg_array view = isg_matrix(dtype, x, n, d);
    gram_into(dtype, fused, &view, NULL, false, gamma, k, n);
    return k;
}

// The largest |K - exact| as a part of what is allowed, over all tests of a variant.
static double closest[2][2];

// Checks one value. allowed is in ulps.
static void check_value(isg_dtype dtype, bool fused, double result, mpfr_srcptr exact, double allowed, const char *what)
{
    double error = oracle_error(result, exact, dtype), part = error / allowed;
    if (result == 0) {
        // No error at all when a value that is allowed lies below the smallest normal number.
        mpfr_t least;
        mpfr_init2(least, ORACLE_BITS);
        mpfr_set_d(least, -allowed, MPFR_RNDN);
        mpfr_mul_2si(least, least, oracle_ulp(exact, dtype), MPFR_RNDN);
        mpfr_add(least, least, exact, MPFR_RNDN);
        if (mpfr_sgn(least) < 0 || !oracle_is_normal(least, dtype))
            part = 0;
        mpfr_clear(least);
    }
    if (!(part <= 1) || signbit(result) || (result != 0 && result < oracle_smallest_normal(dtype)))
        ck_abort_msg("%s, %s: %a is %g ulp from the exact %.17g; %g are allowed", isg_contract_name(dtype, fused), what,
                     result, error, mpfr_get_d(exact, MPFR_RNDN), allowed);
    closest[dtype == ISG_F64][fused] = fmax(closest[dtype == ISG_F64][fused], part);
}

// All promises but scaling, for K(X, X) in both arithmetics.
static void check_gram(isg_dtype dtype, const void *x, int64_t n, int64_t d, double gamma, const char *what)
{
    size_t row = (size_t)d * isg_dtype_bytes(dtype);
    void *k[2] = {gram(dtype, false, x, n, d, gamma), gram(dtype, true, x, n, d, gamma)};
    mpfr_t s, exact;
    mpfr_inits2(ORACLE_BITS, s, exact, (mpfr_ptr)NULL);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i; j < n; j++) {
            oracle_sqdist(s, (const char *)x + (size_t)i * row, (const char *)x + (size_t)j * row, d, dtype);
            oracle_gaussian(exact, gamma, s);
            // (d + 4) eps s gamma K / ulp(K) + 2
            mpfr_mul(s, s, exact, MPFR_RNDN);
            mpfr_mul_d(s, s, gamma * (double)(d + 4) * epsilon(dtype), MPFR_RNDN);
            mpfr_mul_2si(s, s, -oracle_ulp(exact, dtype), MPFR_RNDN);
            double allowed = mpfr_get_d(s, MPFR_RNDN) + 2;
            for (int fused = 0; fused < 2; fused++) {
                double here = isg_load_double(dtype, k[fused], i * n + j);
                check_value(dtype, fused, here, exact, allowed, what);
                ck_assert_double_eq(here, isg_load_double(dtype, k[fused], j * n + i));
                ck_assert(here >= 0 && here <= 1);
                ck_assert(i != j || here == 1);
            }
        }
    }
    mpfr_clears(s, exact, (mpfr_ptr)NULL);
    free(k[0]);
    free(k[1]);
}

// Easy data: coordinates in [-1, 1], lengthscales from far below to far above the distances.
START_TEST(gram_of_easy_data)
{
    const int64_t dims[] = {1, 2, 3, 16, 64, 300};
    enum { N = 24 };
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(1);
    for (size_t q = 0; q < COUNT(dims); q++) {
        int64_t d = dims[q];
        void *x = oracle_array(dtype, N * d);
        for (int64_t i = 0; i < N * d; i++)
            oracle_put(dtype, x, i, random_between(&random, -1, 1));
        const double sigmas[] = {0.01, 0.05, 0.13, 0.4, 1, 3.7, 100};
        for (size_t s = 0; s < COUNT(sigmas); s++) {
            check_gram(dtype, x, N, d, gamma_of(sigmas[s] * sqrt((double)d)), "easy");
            check_gram(dtype, x, N, d, gamma_of(sigmas[s]), "easy");
        }
        free(x);
    }
}
END_TEST

typedef double make(suite_random *random, int64_t i, isg_dtype dtype);

static double far_from_origin(suite_random *random, int64_t i, isg_dtype dtype)
{
    (void)i, (void)dtype;
    return 1000 + random_between(random, -1, 1);
}

static double two_clusters(suite_random *random, int64_t i, isg_dtype dtype)
{
    (void)dtype;
    return (i % 2 ? 100 : -100) + random_between(random, -0.05, 0.05);
}

static double mixed_sizes(suite_random *random, int64_t i, isg_dtype dtype)
{
    (void)i, (void)dtype;
    return random_scaled(random, -1, 1, -39, 40);
}

// Points 2q and 2q + 1 differ in the last bit of every coordinate or of none.
static double last_bit(suite_random *random, int64_t i, isg_dtype dtype)
{
    suite_random pair = suite_stream(100 + (uint64_t)(i / 2));
    double base = random_between(&pair, 512, 1023);
    if (dtype == ISG_F32)
        base = (double)(float)base;
    return i % 2 && random_below(random, 2) ? base + ldexp(epsilon(dtype), 9) : base;
}

START_TEST(gram_of_hostile_data)
{
    const struct {
        const char *name;
        make *coordinate;
        double sigmas[4];
    } cases[] = {
        {"1000 +- 1", far_from_origin, {0.05, 0.3, 1, 5}},
        {"clusters at +-100", two_clusters, {0.05, 1, 15, 40}},
        {"mixed sizes", mixed_sizes, {1e-9, 1e-3, 0.1, 1}},
        {"equal but for the last bit", last_bit, {1e-3, 1, 50, 0}},
    };
    enum { N = 24 };
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(2);
    const int64_t dims[] = {1, 2, 3, 16, 64};
    for (size_t c = 0; c < COUNT(cases); c++) {
        for (size_t q = 0; q < COUNT(dims); q++) {
            int64_t d = dims[q];
            void *x = oracle_array(dtype, N * d);
            for (int64_t i = 0; i < N; i++)
                for (int64_t k = 0; k < d; k++)
                    oracle_put(dtype, x, i * d + k, cases[c].coordinate(&random, i, dtype));
            for (int s = 0; s < 4; s++) {
                // The last bit itself, as a lengthscale, stands at the end of its row.
                double sigma = cases[c].sigmas[s] > 0 ? cases[c].sigmas[s] : ldexp(epsilon(dtype), 9);
                check_gram(dtype, x, N, d, gamma_of(sigma), cases[c].name);
            }
            free(x);
        }
    }
}
END_TEST

// K(2^e X, 2^e sigma) = K(X, sigma), bit by bit.
START_TEST(gram_of_scaled_data_is_the_same)
{
    enum { N = 16, D = 5 };
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(3);
    const int most = dtype == ISG_F64 ? 500 : 100; // 1e150 and 1e30
    for (int round = 0; round < 20; round++) {
        void *x = oracle_array(dtype, N * D), *scaled = oracle_array(dtype, N * D);
        for (int i = 0; i < N * D; i++) {
            double offset = round % 2 ? 300 : 0, v = random_between(&random, -1, 1);
            oracle_put(dtype, x, i, offset + copysign(ldexp(fabs(v) + 1, (int)-random_below(&random, 20)), v));
        }
        double gamma = gamma_of(random_between(&random, 0.2, 3));
        for (int fused = 0; fused < 2; fused++) {
            void *k = gram(dtype, fused, x, N, D, gamma);
            for (int e = -most; e <= most; e += e == -most || e == most - 7 ? 7 : (int)(7 + random_below(&random, 3))) {
                for (int i = 0; i < N * D; i++)
                    oracle_put(dtype, scaled, i, ldexp(isg_load_double(dtype, x, i), e));
                void *same = gram(dtype, fused, scaled, N, D, ldexp(gamma, -2 * e));
                ck_assert_msg(memcmp(k, same, N * N * isg_dtype_bytes(dtype)) == 0, "%s: other bits at 2^%d",
                              isg_contract_name(dtype, fused), e);
                free(same);
            }
            free(k);
        }
        free(x);
        free(scaled);
    }
}
END_TEST

// The bound holds in any unit, powers of ten among them, and down to where coordinates are subnormal.
START_TEST(gram_in_any_unit)
{
    enum { N = 12, D = 3 };
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(4);
    int most = dtype == ISG_F64 ? 150 : 30, tens[] = {-most, -most / 2, -most / 3, most / 3, most / 2, most};
    double x[N * D], base[N * D];
    for (int i = 0; i < N * D; i++)
        base[i] = random_between(&random, -2, 2) + (i % 2 ? 50 : 0);
    for (size_t t = 0; t < COUNT(tens); t++) {
        double unit = pow(10, tens[t]);
        for (int i = 0; i < N * D; i++)
            oracle_put(dtype, x, i, base[i] * unit);
        check_gram(dtype, x, N, D, gamma_of(0.7 * unit), "a power of ten");
        check_gram(dtype, x, N, D, gamma_of(30 * unit), "a power of ten");
    }
    // Nothing but subnormal numbers, and a few more: far below the lengthscale, they are as good as equal.
    for (int i = 0; i < N * D; i++)
        oracle_put(dtype, x, i, base[i] * oracle_smallest_normal(dtype) / 64);
    check_gram(dtype, x, N, D, 1, "subnormal coordinates");
    check_gram(dtype, x, N, D, gamma_of(1e-25), "subnormal coordinates");
}
END_TEST

// A block of K is the same block of the whole K, and NaN meets nothing but NaN.
START_TEST(gram_of_parts)
{
    enum { N = 20, D = 4, FROM = 7, ROWS = 5, STRIDE = 23 };
    isg_dtype dtype = precisions[_i];
    size_t bytes = isg_dtype_bytes(dtype);
    suite_random random = suite_stream(5);
    char x[N * D * sizeof(double)], part[ROWS * STRIDE * sizeof(double)];
    for (int i = 0; i < N * D; i++)
        oracle_put(dtype, x, i, random_between(&random, -1, 1));
    for (int fused = 0; fused < 2; fused++) {
        char *whole = gram(dtype, fused, x, N, D, 0.8);
        isg_array all = isg_matrix(dtype, x, N, D), some = isg_matrix(dtype, x + FROM * D * bytes, ROWS, D);
        gram_into(dtype, fused, &some, &all, false, 0.8, part, STRIDE);
        for (int i = 0; i < ROWS; i++)
            ck_assert_mem_eq(part + (size_t)i * STRIDE * bytes, whole + (size_t)(FROM + i) * N * bytes, N * bytes);
        free(whole);

        char with_nan[sizeof x];
        memcpy(with_nan, x, sizeof x);
        oracle_put(dtype, with_nan, FROM * D + 1, NAN);
        all = isg_matrix(dtype, with_nan, N, D);
        gram_into(dtype, fused, &some, &all, true, 0.8, part, STRIDE);
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < N; j++)
                ck_assert_int_eq(!!isnan(isg_load_double(dtype, part, i * STRIDE + j)), j == FROM);
    }
}
END_TEST

// ---- Points ----

static isg_error refused(const isg_array *array, isg_dtype dtype, isg_status status)
{
    isg_points points;
    isg_error error = {0};
    ck_assert_int_eq(isg_points_read(&points, array, NULL, dtype, false, "X", &error), status);
    ck_assert_int_eq(error.status, status);
    ck_assert_ptr_null(points.owned);
    return error;
}

// Every layout reads as the same rows; rows that can be used where they lie are.
START_TEST(points_of_any_layout)
{
    enum { N = 5, D = 3 };
    isg_dtype dtype = precisions[_i];
    static const struct {
        int64_t first, row, column; // of element (0, 0); strides
        bool in_place;
    } layouts[] = {{0, D, 1, true},  {2, 7, 1, true},       {0, 1, N, false},
                   {1, 8, 2, false}, {N * 4, -4, 1, false}, {D, D, -1, false}};
    for (int other = 0; other < 2; other++) {
        isg_dtype from = precisions[other ? !_i : _i];
        for (size_t l = 0; l < COUNT(layouts); l++) {
            double block[64] = {0}, largest = 0;
            for (int i = 0; i < N; i++)
                for (int k = 0; k < D; k++)
                    oracle_put(from, block, layouts[l].first + i * layouts[l].row + k * layouts[l].column, k - 10 * i);
            largest = 10 * (N - 1);
            isg_array view = isg_matrix(from, (char *)block + (size_t)layouts[l].first * isg_dtype_bytes(from), N, D);
            view.strides[0] = layouts[l].row;
            view.strides[1] = layouts[l].column;
            isg_points points;
            ck_assert_int_eq(isg_points_read(&points, &view, NULL, dtype, false, "X", NULL), ISG_OK);
            ck_assert_int_eq(points.rows == view.data, layouts[l].in_place && from == dtype);
            ck_assert_int_eq(points.owned == NULL, points.rows == view.data);
            ck_assert(points.dtype == dtype && points.count == N && points.dims == D);
            ck_assert_double_eq(points.largest, largest);
            for (int i = 0; i < N; i++)
                for (int k = 0; k < D; k++)
                    ck_assert_double_eq(isg_load_double(dtype, points.rows, i * points.stride + k), k - 10 * i);
            isg_points_free(&points);
        }
    }
}
END_TEST

#define CHECK_INTEGERS(type, tag, low, high)                                                                           \
    do {                                                                                                               \
        const type values[4] = {low, high, 1, 100};                                                                    \
        isg_array view = isg_matrix(tag, values, 2, 2);                                                                \
        isg_points points;                                                                                             \
        ck_assert_int_eq(isg_points_read(&points, &view, NULL, dtype, false, "X", NULL), ISG_OK);                      \
        for (int i = 0; i < 4; i++)                                                                                    \
            ck_assert_double_eq(isg_load_double(dtype, points.rows, i),                                                \
                                dtype == ISG_F64 ? (double)values[i] : (double)(float)values[i]);                      \
        isg_points_free(&points);                                                                                      \
    } while (0)

START_TEST(points_of_integers)
{
    isg_dtype dtype = precisions[_i];
    CHECK_INTEGERS(int8_t, ISG_I8, INT8_MIN, INT8_MAX);
    CHECK_INTEGERS(uint8_t, ISG_U8, 0, UINT8_MAX);
    CHECK_INTEGERS(int16_t, ISG_I16, INT16_MIN, INT16_MAX);
    CHECK_INTEGERS(uint16_t, ISG_U16, 0, UINT16_MAX);
    CHECK_INTEGERS(int32_t, ISG_I32, INT32_MIN, INT32_MAX);
    CHECK_INTEGERS(uint32_t, ISG_U32, 0, UINT32_MAX);
    CHECK_INTEGERS(int64_t, ISG_I64, INT64_MIN, INT64_MAX);
    CHECK_INTEGERS(uint64_t, ISG_U64, 0, UINT64_MAX);
}
END_TEST

// The first bad value in the order of rows is named; when allowed, it counts for nothing in `largest`.
START_TEST(points_that_are_refused)
{
    enum { N = 6, D = 4 };
    isg_dtype dtype = precisions[_i];
    const double bad[] = {NAN, INFINITY, -INFINITY};
    isg_points points;
    for (int column_major = 0; column_major < 2; column_major++) {
        for (int other = 0; other < 2; other++) {
            isg_dtype from = precisions[other ? !_i : _i];
            for (size_t b = 0; b < COUNT(bad); b++) {
                double x[N * D] = {0};
                isg_array view = isg_matrix(from, x, N, D);
                view.strides[0] = column_major ? 1 : D;
                view.strides[1] = column_major ? N : 1;
                oracle_put(from, x, 1 * view.strides[0] + 1 * view.strides[1], -7.5);
                oracle_put(from, x, 3 * view.strides[0] + 2 * view.strides[1], bad[b]);
                oracle_put(from, x, 3 * view.strides[0] + 3 * view.strides[1], NAN);
                oracle_put(from, x, 4 * view.strides[0], INFINITY);
                isg_error error = refused(&view, dtype, ISG_ERR_NONFINITE);
                ck_assert_str_eq(error.message,
                                 b ? "X: row 3, column 2 is infinite" : "X: row 3, column 2 is not a number");
                ck_assert_int_eq(isg_points_read(&points, &view, NULL, dtype, true, "X", NULL), ISG_OK);
                ck_assert_double_eq(points.largest, 7.5);
                isg_points_free(&points);
            }
        }
    }
    // Finite as a double, not as a float: above the midpoint between FLT_MAX and 2^128.
    double wide[4] = {1, 0x1.fffffefp127, -0x1.ffffffp127, 1e300};
    isg_array view = isg_matrix_f64(wide, 2, 2);
    if (dtype == ISG_F32) {
        isg_error error = refused(&view, dtype, ISG_ERR_RANGE);
        ck_assert_ptr_nonnull(strstr(error.message, "X: row 1, column 0 is -3.40282e+38, too large"));
    } else {
        ck_assert_int_eq(isg_points_read(&points, &view, NULL, dtype, false, "X", NULL), ISG_OK);
        ck_assert_double_eq(points.largest, 1e300);
    }
    view = isg_matrix_f64(wide, 0, 2);
    refused(&view, dtype, ISG_ERR_SHAPE);
    view = isg_matrix_f64(wide, 2, 0);
    refused(&view, dtype, ISG_ERR_SHAPE);
    view = isg_matrix_f64(wide, -1, 2);
    refused(&view, dtype, ISG_ERR_SHAPE);
    view = isg_vector(ISG_F64, wide, 4);
    refused(&view, dtype, ISG_ERR_SHAPE);
    view = (isg_array){.dtype = ISG_F64, .ndim = 3, .shape = {2, 2, 1}, .strides = {2, 1, 1}, .data = wide};
    ck_assert_ptr_nonnull(strstr(refused(&view, dtype, ISG_ERR_SHAPE).message, "3-dimensional"));
    view = isg_matrix_f64(NULL, 2, 2);
    refused(&view, dtype, ISG_ERR_ARGUMENT);
    view = isg_matrix(ISG_DTYPE_NONE, wide, 2, 2);
    refused(&view, dtype, ISG_ERR_DTYPE);
}
END_TEST

// gamma' in [1/2, 2) where the data allow; else 2 |x'| stays finite; refused from where flushed squares could matter.
START_TEST(scale_plan)
{
    isg_dtype dtype = precisions[_i];
    int lowest = dtype == ISG_F64 ? -1022 : -126, highest = dtype == ISG_F64 ? 1023 : 127;
    int limit = dtype == ISG_F64 ? 1022 - 24 - 54 : 126 - 24 - 25;
    for (int g = -1000; g <= 1000; g += 3) {
        for (int x = lowest; x <= highest; x += 5) {
            double gamma = ldexp(1.25, g), largest = ldexp(1.75, x);
            isg_composite rbf;
            isg_plan plan;
            isg_error error = {0};
            // What the data leave of the exponent that gamma would like.
            int like = (int)floor((g + 1) / 2.0), room = highest - 2 - x, e = like < room ? like : room;
            e = e > -2 * lowest ? -2 * lowest : e < 2 * lowest ? 2 * lowest : e;
            bool fits = g - 2 * e < limit;
            ck_assert_int_eq(isg_composite_set(&rbf, isg_kernel_params(.gamma = gamma), &error), ISG_OK);
            ck_assert_int_eq(isg_plan_make(&plan, &rbf, (isg_extent){largest, largest, 3}, dtype, &error),
                             fits ? ISG_OK : ISG_ERR_RANGE);
            if (!fits) {
                ck_assert_ptr_nonnull(strstr(error.message, "too many lengthscales"));
                continue;
            }
            const isg_scale scale = plan.scale;
            const double a = plan.numbers[0];
            ck_assert_int_eq(scale.exponent, e);
            ck_assert(e != like || (a >= 0.5 && a < 2));
            ck_assert(a == ldexp(gamma, -2 * e) || (a == 0 && g - 2 * e < lowest));
            ck_assert(fmin(scale.factor1, scale.factor2) >= ldexp(1, lowest));
            ck_assert(fmax(scale.factor1, scale.factor2) <= ldexp(1, highest));
            ck_assert_int_eq(ilogb(scale.factor1) + ilogb(scale.factor2), e);
            ck_assert_int_le(x + e, highest - 2);
            // |x| < tiny <=> |x| 2^e is subnormal, for normal x.
            ck_assert_double_eq(scale.tiny, ldexp(1, lowest - (e < 0 ? e : 0)));
        }
    }
}
END_TEST

static void print_worst(void)
{
    for (int wide = 0; wide < 2; wide++)
        for (int fused = 0; fused < 2; fused++)
            printf("%-21s Gram: errors up to %.4f of the bound\n", isg_contract_name(precisions[wide], fused),
                   closest[wide][fused]);
}

int main(void)
{
    static const TTest *const *const tests[] = {
        &gram_of_easy_data,  &gram_of_hostile_data,    &gram_of_scaled_data_is_the_same,
        &gram_in_any_unit,   &gram_of_parts,           &points_of_any_layout,
        &points_of_integers, &points_that_are_refused, &scale_plan};
    Suite *suite = suite_create("reference");
    for (size_t i = 0; i < COUNT(tests); i++) {
        TCase *one = tcase_create((*tests[i])->name);
        tcase_add_loop_test(one, *tests[i], 0, 2);
        suite_add_tcase(suite, one);
    }
    int status = suite_run(suite);
    print_worst();
    return status;
}
