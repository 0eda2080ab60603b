// Method fast on the device: what it promises beside the contract,
//   |K - k| <= the contract's own bound + max(t M, |k(s (1 +- t)) - k(s)|),
// t: the tolerance, M: the function's largest value where its slope has a bound and 0 where it has none, holds against
// MPFR on easy and on hostile data; what was lost is computed again, and would break the bound if it were not; bits do
// not depend on how K is asked for; nothing of it happens unless asked for.
#include "device.h"
#include "expansion.h"
#include "kernels.h"
#include "oracle_rows.h"
#include "probe.h"

#include <isogram/opencl.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const isg_dtype precisions[] = {ISG_F32, ISG_F64};

static double epsilon(isg_dtype dtype)
{
    return dtype == ISG_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
}

// One row with its scale and parameter, as a caller says it.
typedef struct setting {
    int row;
    double gamma, length, param;
} setting;

static const isg_kernel *kernel_of(int row)
{
    return isg_kernel_list()[row];
}

// For points about `distance` apart.
static setting setting_of(int row, double distance)
{
    setting set = {.row = row, .gamma = 0.5 / (distance * distance), .length = distance, .param = 1.25};
    if (row == ISG_KERNEL_periodic) {
        set.param = distance;
        set.length = 1.25;
    }
    return set;
}

static isg_gram_params params_of(const setting *set, isg_setting *own)
{
    const isg_kernel *kernel = kernel_of(set->row);
    *own = (isg_setting){kernel->params[0].name, set->param};
    return (isg_gram_params){.kernel = kernel,
                             .gamma = kernel->scale == ISG_SCALE_GAMMA ? set->gamma : 0,
                             .lengthscale = kernel->scale == ISG_SCALE_LENGTHSCALE ? set->length : 0,
                             .settings = own,
                             .setting_count = own->name != NULL,
                             .method = ISG_METHOD_FAST};
}

// What one pair's value may be off, and how far it is: in units of the value.
typedef struct verdict {
    double error, contract, fast;
} verdict;

static verdict judge(const setting *set, isg_dtype dtype, const void *x, const void *y, int64_t d, double value,
                     double tolerance)
{
    const isg_kernel *kernel = kernel_of(set->row);
    verdict v;
    mpfr_t s, u, b, k, slope, other, ignored;
    mpfr_inits2(ORACLE_BITS, s, u, b, k, slope, other, ignored, (mpfr_ptr)NULL);
    oracle_sqdist(s, x, y, d, dtype);
    oracle_row_numbers(u, b, kernel->name, s, set->gamma, set->length, set->param);
    oracle_row(k, slope, kernel->name, u, b);
    double ulps = 2, ulp = ldexp(1, (int)oracle_ulp(k, dtype));
    if (set->row == ISG_KERNEL_periodic) {
        mpfr_log(other, k, MPFR_RNDN);
        ulps -= 8 * mpfr_get_d(other, MPFR_RNDN);
    }
    v.contract = (double)(d + 4) * epsilon(dtype) * fabs(mpfr_get_d(slope, MPFR_RNDN)) + ulps * ulp;
    v.fast = kernel->steep > 0 ? tolerance : 0;
    for (int side = -1; side < 2; side += 2) {
        mpfr_mul_d(other, u, 1 + side * tolerance, MPFR_RNDN);
        oracle_row(other, ignored, kernel->name, other, b);
        mpfr_sub(other, other, k, MPFR_RNDN);
        v.fast = fmax(v.fast, fabs(mpfr_get_d(other, MPFR_RNDN)));
    }
    if (set->row == ISG_KERNEL_thin_plate) // flat at u = 1/e: what is of second order counts there
        v.fast += tolerance * tolerance * mpfr_get_d(u, MPFR_RNDN);
    mpfr_d_sub(other, value, k, MPFR_RNDN);
    v.error = fabs(mpfr_get_d(other, MPFR_RNDN));
    if (isinf(value) && mpfr_cmp_d(k, dtype == ISG_F64 ? DBL_MAX : (double)FLT_MAX) > 0)
        v.error = 0; // infinity stands for all above the largest number
    mpfr_clears(s, u, b, k, slope, other, ignored, (mpfr_ptr)NULL);
    return v;
}

// ---- The bound ----

typedef enum data { EASY, FAR, CLUSTERS_10, CLUSTERS_100, LAST_BIT, TINY, HUGE_ONES, DATA_COUNT } data;

static const struct {
    const char *name;
    double distance; // about that of neighbours, for one coordinate: where a kernel shows most
    bool hostile;    // centring is not enough
} cases[] = {
    [EASY] = {"easy", 0.8, false},
    [FAR] = {"1000 +- 1", 0.8, false},
    [CLUSTERS_10] = {"clusters at +-10", 0.5, true},
    [CLUSTERS_100] = {"clusters at +-100", 0.5, true},
    [LAST_BIT] = {"equal but for the last bit", 10, true},
    [TINY] = {"1e-30", 0.8e-30, false},
    [HUGE_ONES] = {"1e30", 0.8e30, false},
};

static double coordinate(suite_random *random, data kind, int64_t i, int64_t k, isg_dtype dtype)
{
    double unit = random_between(random, -1, 1);
    switch (kind) {
    case FAR: return 1000 + unit;
    case CLUSTERS_10: return (i % 3 ? 10 : -10) + 0.05 * unit;
    case CLUSTERS_100: return (i % 3 ? 100 : -100) + 0.05 * unit;
    case TINY: return 1e-30 * unit;
    case HUGE_ONES: return 1e30 * unit;
    case LAST_BIT: {
        // Points i and i + N/2 differ in the last bit of some coordinates.
        suite_random pair = suite_stream((uint64_t)(1000 * (i % 100) + k));
        double base = random_between(&pair, 512, 1023);
        base = dtype == ISG_F64 ? base : (double)(float)base;
        return i >= 100 && unit > 0 ? base + ldexp(epsilon(dtype), 9) : base;
    }
    default: return unit;
    }
}

static void *points_of(suite_random *random, data kind, int64_t n, int64_t d, isg_dtype dtype)
{
    void *x = oracle_array(dtype, n * d);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < d; k++)
            oracle_put(dtype, x, i * d + k, coordinate(random, kind, i, k, dtype));
    return x;
}

// The share of the bound that was used most, by row and precision.
static double closest[ISG_KERNEL_COUNT][2];

// K of x and y (NULL: x), by method fast; the worst error as a part of the bound. bound: the tolerance that errors are
// held against.
static double worst_of(isg_context *context, const setting *set, isg_dtype dtype, const void *x, int64_t n,
                       const void *y, int64_t m, int64_t d, double tolerance, double bound, isg_fast_report *report)
{
    enum { SAMPLES = 500 };
    isg_setting own;
    isg_gram *gram;
    isg_gram_params params = params_of(set, &own);
    size_t bytes = (size_t)d * isg_dtype_bytes(dtype);
    params.x = isg_matrix(dtype, x, n, d);
    if (y)
        params.y = isg_matrix(dtype, y, m, d);
    params.tolerance = tolerance;
    params.precision = dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
    device_ok(context, isg_gram_create(context, &gram, &params));
    void *k = device_guard(dtype, n * m);
    device_ok(context, isg_gram_dense(gram, isg_matrix(dtype, k, n, m)));
    device_ok(context, isg_gram_fast_report(gram, report));
    ck_assert(report->elements == (double)(n * m) && report->recomputed <= report->elements);
    double worst = 0;
    suite_random random = suite_stream(77);
    for (int sample = 0; sample < SAMPLES; sample++) {
        int64_t i = random_below(&random, n), j = random_below(&random, m);
        if (sample % 3 == 0)
            j = (i + m / 2) % m; // what may be a twin
        double value = isg_load_double(dtype, k, i * m + j);
        verdict v = judge(set, dtype, (const char *)x + (size_t)i * bytes,
                          (const char *)(y ? y : x) + (size_t)j * bytes, d, value, bound);
        ck_assert_msg(!isnan(value), "%s: K[%d, %d] is no number", kernel_of(set->row)->name, (int)i, (int)j);
        worst = fmax(worst, v.error / (v.contract + v.fast));
        if (y)
            continue;
        ck_assert_msg(value == isg_load_double(dtype, k, j * m + i), "K(X, X) is not symmetric");
        ck_assert(isg_load_double(dtype, k, i * m + i) == kernel_of(set->row)->on_diagonal);
    }
    device_guard_free(k, dtype, n * m);
    isg_gram_destroy(&gram);
    return worst;
}

START_TEST(bound_by_row)
{
    enum { N = 200, M = 90, D = 40 };
    const int row = _i / 2;
    isg_dtype dtype = precisions[_i % 2];
    const isg_kernel *kernel = kernel_of(row);
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(5000 + (uint64_t)_i);
    if (kernel->pair == ISG_PAIR_SQDIST && isg_context_require(context, dtype) == ISG_OK) {
        for (data kind = 0; kind < DATA_COUNT; kind++) {
            setting set = setting_of(row, cases[kind].distance * sqrt((double)D));
            void *x = points_of(&random, kind, N, D, dtype), *y = points_of(&random, kind, M, D, dtype);
            // Each matrix is a program to compile: K(X, X) in one of the precisions.
            for (int two = suite_all() ? (row + _i) % 2 : 0; two < 2; two++) {
                isg_fast_report report;
                double worst = worst_of(context, &set, dtype, x, N, two ? y : NULL, two ? M : N, D, 0,
                                        isg_tolerance_default(dtype), &report);
                ck_assert_msg(worst <= 1, "%s, %s, %s, %s: %g of the bound", kernel->name, isg_dtype_name(dtype),
                              cases[kind].name, two ? "K(X, Y)" : "K(X, X)", worst);
                ck_assert(report.tolerance == isg_tolerance_default(dtype));
                ck_assert_msg(!cases[kind].hostile || !two || report.recomputed > 0.001 * report.elements,
                              "%s, %s: nothing was recomputed", kernel->name, cases[kind].name);
                ck_assert_msg(kind != EASY || !two || kernel->steep == 0 || report.recomputed == 0,
                              "%s: easy data were recomputed", kernel->name);
                closest[row][_i % 2] = fmax(closest[row][_i % 2], worst);
            }
            free(x);
            free(y);
        }
    }
    isg_context_destroy(&context);
}
END_TEST

// More coordinates, in one stretch and in many, in both arithmetics; and any tolerance is held.
START_TEST(bound_by_dimension)
{
    static const int64_t dims[] = {1, 2, 31, 32, 33, 64, 500};
    static const double tolerances[] = {0, 1e-6, 1e-3, 0.3};
    enum { N = 120, M = 70 };
    isg_context *context = device_open(_i ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
    suite_random random = suite_stream(6000);
    for (size_t q = 0; q < COUNT(dims) && context; q++)
        for (data kind = EASY; kind <= CLUSTERS_100; kind++) {
            setting set = setting_of(ISG_KERNEL_rbf, cases[kind].distance * sqrt((double)dims[q]));
            void *x = points_of(&random, kind, N, dims[q], ISG_F32), *y = points_of(&random, kind, M, dims[q], ISG_F32);
            for (size_t t = 0; t < COUNT(tolerances); t++) {
                isg_fast_report report;
                double used = tolerances[t] > 0 ? tolerances[t] : isg_tolerance_default(ISG_F32);
                double worst = worst_of(context, &set, ISG_F32, x, N, y, M, dims[q], tolerances[t], used, &report);
                ck_assert_msg(worst <= 1, "d = %d, tolerance %g, %s: %g of the bound", (int)dims[q], used,
                              cases[kind].name, worst);
                ck_assert(report.tolerance == used);
            }
            free(x);
            free(y);
        }
    isg_context_destroy(&context);
}
END_TEST

// Without recomputing, which is what a tolerance beyond all errors comes to, the bound would not hold.
START_TEST(recomputing_is_needed)
{
    enum { N = 200, M = 90, D = 40 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(7000);
    setting set = setting_of(ISG_KERNEL_rbf, cases[CLUSTERS_100].distance * sqrt((double)D));
    void *x = points_of(&random, CLUSTERS_100, N, D, ISG_F32), *y = points_of(&random, CLUSTERS_100, M, D, ISG_F32);
    const double bound = isg_tolerance_default(ISG_F32);
    isg_fast_report report;
    ck_assert(worst_of(context, &set, ISG_F32, x, N, y, M, D, 0, bound, &report) <= 1);
    ck_assert(report.recomputed > 0.5 * report.elements && report.recomputed < 0.6 * report.elements);
    ck_assert(worst_of(context, &set, ISG_F32, x, N, y, M, D, 0.9, bound, &report) > 10);
    ck_assert(report.recomputed == 0);
    free(x);
    free(y);
    isg_context_destroy(&context);
}
END_TEST

// Of a sum and a product the bound is the tolerance times the value at 0, where all slopes have bounds.
START_TEST(composites)
{
    enum { N = 150, D = 33 };
    static const struct {
        const char *text;
        double most;
    } all[] = {{"2*rbf(sigma=4) + 0.5*matern32(lengthscale=3)*cauchy(lengthscale=5)", 2.5},
               {"rational_quadratic(alpha=20, lengthscale=4)*rbf(sigma=6)", 1},
               {"3*matern52(lengthscale=2) + wendland(lengthscale=9)", 4}};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(8000);
    for (size_t c = 0; c < COUNT(all); c++)
        for (data kind = EASY; kind <= CLUSTERS_100; kind++) {
            float *x = points_of(&random, kind, N, D, ISG_F32), *k[2];
            isg_composite *composite;
            isg_gram *gram;
            isg_error error;
            ck_assert_msg(isg_kernel_parse(&composite, all[c].text, &error) == ISG_OK, "%s", error.message);
            for (int fast = 0; fast < 2; fast++) {
                k[fast] = device_guard(ISG_F32, N * N);
                device_ok(context, isg_gram_create(context, &gram,
                                                   isg_gram_params(.composite = composite, .x = isg_matrix_f32(x, N, D),
                                                                   .method = (isg_method)fast)));
                device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k[fast], N, N)));
                isg_gram_destroy(&gram);
            }
            // Both are within the contract's bound: s |dk/ds| is at most 1/e of the largest value.
            double own = 2 * ((D + 4) * FLT_EPSILON * 0.37 + 4 * FLT_EPSILON) * all[c].most;
            for (int64_t i = 0; i < N * N; i++)
                ck_assert_msg(fabsf(k[0][i] - k[1][i]) <= own + isg_tolerance_default(ISG_F32) * all[c].most,
                              "%s, %s: %g and %g", all[c].text, cases[kind].name, k[0][i], k[1][i]);
            device_guard_free(k[0], ISG_F32, N * N);
            device_guard_free(k[1], ISG_F32, N * N);
            isg_composite_destroy(&composite);
            free(x);
        }
    isg_context_destroy(&context);
}
END_TEST

// ---- The same bits, however K is asked for ----

// A context to compute on in another way.
typedef struct way {
    const char *name;
    int64_t max_alloc_bytes;
    bool staged, gpu;
} way;

static const way ways[] = {{"as it is", 0, false, false},
                           {"staged", 0, true, false},
                           {"in parts", 60000, false, false},
                           {"staged in parts", 60000, true, false},
                           {"in a GPU's tiles", 0, false, true}};

static isg_context *open_way(const way *w, isg_arithmetic arithmetic)
{
    isg_context *context = device_open(arithmetic, w->max_alloc_bytes);
    context->zero_copy = context->zero_copy && !w->staged;
    if (w->gpu) {
        context->device.device_class = ISG_DEVICE_GPU_DISCRETE;
        context->device.lanes_f32 = 4;
        context->device.lanes_f64 = 2;
    }
    return context;
}

static isg_gram *make_fast(isg_context *context, isg_dtype dtype, const void *x, int64_t n, const void *y, int64_t m,
                           int64_t d, double gamma)
{
    isg_gram *gram;
    isg_gram_params params = {.x = isg_matrix(dtype, x, n, d), .gamma = gamma, .method = ISG_METHOD_FAST};
    if (y)
        params.y = isg_matrix(dtype, y, m, d);
    device_ok(context, isg_gram_create(context, &gram, &params));
    return gram;
}

// Tiles, columns first, backwards, the lower triangle, in a buffer: against `want`, all of K.
static void check_layouts(isg_context *context, isg_gram *gram, isg_dtype dtype, const void *want, int64_t n, int64_t m,
                          bool symmetric, const char *what)
{
    size_t element = isg_dtype_bytes(dtype);
    int64_t row = n / 3, col = m / 2, rows = n - row, cols = m - col - 1;
    void *k = device_guard(dtype, n * m);
    device_ok(context, isg_gram_dense(gram, isg_matrix(dtype, k, n, m)));
    device_same_bits(dtype, k, m, want, m, n, m, what);
    device_ok(context, isg_gram_tile(gram, row, col, isg_matrix(dtype, k, rows, cols)));
    device_same_bits(dtype, k, cols, (const char *)want + (size_t)(row * m + col) * element, m, rows, cols, what);
    isg_array other = isg_matrix(dtype, k, n, m);
    other.strides[0] = 1;
    other.strides[1] = n;
    device_ok(context, isg_gram_dense(gram, other));
    for (int64_t i = 0; i < n * m; i++)
        ck_assert_msg(memcmp((char *)k + (size_t)i * element,
                             (const char *)want + (size_t)(i % n * m + i / n) * element, element) == 0,
                      "%s: columns first, element %d", what, (int)i);
    other.data = (char *)k + (size_t)(n * m - 1) * element;
    other.strides[0] = -m;
    other.strides[1] = -1;
    device_ok(context, isg_gram_dense(gram, other));
    for (int64_t i = 0; i < n * m; i++)
        ck_assert_msg(memcmp((char *)k + (size_t)(n * m - 1 - i) * element, (const char *)want + (size_t)i * element,
                             element) == 0,
                      "%s: backwards, element %d", what, (int)i);
    device_guard_free(k, dtype, n * m);
    if (!symmetric)
        return;
    isg_fast_report report;
    k = device_guard(dtype, n * (n + 1) / 2);
    device_ok(context, isg_gram_packed(gram, isg_vector(dtype, k, n * (n + 1) / 2)));
    for (int64_t i = 0; i < n; i++)
        device_same_bits(dtype, (char *)k + (size_t)(i * (i + 1) / 2) * element, i + 1,
                         (const char *)want + (size_t)(i * m) * element, m, 1, i + 1, what);
    device_ok(context, isg_gram_fast_report(gram, &report));
    ck_assert(report.elements == (double)(n * (n + 1) / 2) && report.recomputed >= (double)(n + 63 * (n - 63)));
    device_guard_free(k, dtype, n * (n + 1) / 2);
}

// More than one centre: N points are more than one chunk's. K(X, X) in single and K(X, Y) in double precision.
START_TEST(one_matrix)
{
    enum { N = 1100, M = 1000, D = 9 };
    isg_dtype dtype = precisions[_i];
    const bool two = _i != 0;
    suite_random random = suite_stream(9000);
    void *x = points_of(&random, CLUSTERS_10, N, D, dtype), *y = points_of(&random, EASY, M, D, dtype), *want = NULL;
    int64_t m = two ? M : N;
    isg_arithmetic arithmetic = ISG_ARITHMETIC_AUTO; // then what that came to: without a cache it is measured each time
    for (size_t w = 0; w < COUNT(ways); w++) {
        isg_context *context = open_way(&ways[w], arithmetic);
        if (isg_context_require(context, dtype) == ISG_OK) {
            arithmetic = isg_probe_fused(context, dtype) ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED;
            isg_gram *gram = make_fast(context, dtype, x, N, two ? y : NULL, m, D, 0.01);
            isg_fast_report report;
            if (!want) {
                want = oracle_array(dtype, N * m);
                device_ok(context, isg_gram_dense(gram, isg_matrix(dtype, want, N, m)));
            }
            check_layouts(context, gram, dtype, want, N, m, !two, ways[w].name);
            // In a buffer, enqueued.
            size_t bytes = (size_t)(N * m) * isg_dtype_bytes(dtype);
            cl_int code;
            cl_mem mem =
                ways[w].max_alloc_bytes ? NULL : clCreateBuffer(context->cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
            if (mem) {
                void *k = device_guard(dtype, N * m);
                device_ok(context,
                          isg_gram_tile_enqueue(gram, 0, 0, isg_matrix_mem(dtype, mem, 0, N, m), 0, NULL, NULL));
                device_ok(context, isg_gram_fast_report(gram, &report));
                ck_assert(report.elements == (double)(N * m) && (two || report.recomputed > 0.1 * report.elements));
                ck_assert_int_eq(clEnqueueReadBuffer(context->queue, mem, CL_TRUE, 0, bytes, k, 0, NULL, NULL),
                                 CL_SUCCESS);
                device_same_bits(dtype, k, m, want, m, N, m, "enqueued");
                device_guard_free(k, dtype, N * m);
                clReleaseMemObject(mem);
            }
            isg_gram_destroy(&gram);
        }
        isg_context_destroy(&context);
    }
    free(want);
    free(x);
    free(y);
}
END_TEST

// What goes with rows: factors, a mask, lengthscales, half precision.
START_TEST(companions)
{
    enum { N = 170, D = 12 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(9100);
    float *x = points_of(&random, CLUSTERS_10, N, D, ISG_F32), *some = malloc(sizeof(float) * N * D),
          *plain = malloc(sizeof(float) * N * N), *k = malloc(sizeof(float) * N * N),
          *direct = malloc(sizeof(float) * N * N);
    double factors[N], lengthscales[D];
    uint8_t include[N];
    isg_gram *gram = make_fast(context, ISG_F32, x, N, NULL, N, D, 0.02);
    int64_t kept = 0;
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(plain, N, N)));
    isg_array halves = isg_matrix(ISG_F16, direct, N, N);
    device_ok(context, isg_gram_dense(gram, halves));
    for (int i = 0; i < N * N; i++) {
        double h = isg_load_double(ISG_F16, direct, i);
        ck_assert(fabs(h - (double)plain[i]) <= ldexp(fabs((double)plain[i]), -11) + 0x1p-25);
    }
    isg_gram_destroy(&gram);
    for (int i = 0; i < N; i++) {
        factors[i] = (float)random_between(&random, -2, 2);
        include[i] = random_below(&random, 4) != 0;
        if (include[i])
            memcpy(some + kept++ * D, x + i * D, D * sizeof *x);
    }
    for (int q = 0; q < D; q++)
        lengthscales[q] = random_between(&random, 0.5, 20);

    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, N, D), .gamma = 0.02, .factors = factors,
                                                       .method = ISG_METHOD_FAST)));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, N)));
    for (int i = 0; i < N * N; i++) {
        float product = (float)((double)plain[i] * factors[i / N]);
        ck_assert_msg(k[i] == product || fabsf(product) < FLT_MIN, "element %d: %a, not %a", i, k[i], product);
    }
    isg_gram_destroy(&gram);

    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, N, D), .gamma = 0.02, .include = include,
                                                       .method = ISG_METHOD_FAST)));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, kept, kept)));
    isg_gram_destroy(&gram);
    gram = make_fast(context, ISG_F32, some, kept, NULL, kept, D, 0.02);
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(plain, kept, kept)));
    device_same_bits(ISG_F32, k, kept, plain, kept, kept, kept, "include");
    isg_gram_destroy(&gram);

    for (int fast = 0; fast < 2; fast++) {
        device_ok(context, isg_gram_create(context, &gram,
                                           isg_gram_params(.x = isg_matrix_f32(x, N, D), .lengthscales = lengthscales,
                                                           .method = (isg_method)fast)));
        device_ok(context, isg_gram_dense(gram, isg_matrix_f32(fast ? k : direct, N, N)));
        isg_gram_destroy(&gram);
    }
    int differ = 0;
    for (int i = 0; i < N * N; i++) {
        ck_assert(fabsf(k[i] - direct[i]) <= isg_tolerance_default(ISG_F32) + 2 * ((D + 8) * 0.37 + 2) * FLT_EPSILON);
        differ += k[i] != direct[i];
    }
    ck_assert_int_gt(differ, 0);
    isg_context_destroy(&context);
    free(direct);
    free(plain);
    free(some);
    free(k);
    free(x);
}
END_TEST

// NaN and infinity in a point stay in its row and column, though other points share its centre.
START_TEST(not_numbers)
{
    enum { N = 150, D = 5, BAD = 7, INFINITE = 90 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(9200);
    float *x = points_of(&random, EASY, N, D, ISG_F32), *k[2];
    x[BAD * D + 2] = NAN;
    x[INFINITE * D] = INFINITY;
    for (int fast = 0; fast < 2; fast++) {
        isg_gram *gram;
        k[fast] = malloc(sizeof(float) * N * N);
        device_ok(context, isg_gram_create(context, &gram,
                                           isg_gram_params(.x = isg_matrix_f32(x, N, D), .allow_nonfinite = 1,
                                                           .method = (isg_method)fast)));
        device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k[fast], N, N)));
        isg_gram_destroy(&gram);
    }
    for (int i = 0; i < N * N; i++) {
        ck_assert_msg(isnan(k[0][i]) == isnan(k[1][i]), "element %d: %g and %g", i, k[0][i], k[1][i]);
        ck_assert(isnan(k[0][i]) || fabsf(k[0][i] - k[1][i]) < 1e-4f);
    }
    free(k[0]);
    free(k[1]);
    free(x);
    isg_context_destroy(&context);
}
END_TEST

// ---- Never silently ----

START_TEST(not_unless_asked_for)
{
    enum { N = 130, D = 70 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(9300);
    void *x = device_points(&random, ISG_F32, N * D, -1, 1);
    void *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, NULL, N, D, 0.02);
    float *k = device_guard(ISG_F32, N * N);
    isg_gram *gram;
    isg_fast_report report;
    device_ok(context,
              isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix(ISG_F32, x, N, D), .gamma = 0.02)));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, N)));
    device_same_bits(ISG_F32, k, N, want, N, N, N, "by default");
    ck_assert_str_eq(isg_gram_contract(gram), isg_context_contract(context, ISG_PRECISION_F32));
    ck_assert_int_eq(isg_gram_fast_report(gram, &report), ISG_ERR_ARGUMENT);
    isg_gram_destroy(&gram);

    gram = make_fast(context, ISG_F32, x, N, NULL, N, D, 0.02);
    ck_assert_str_eq(isg_gram_contract(gram),
                     isg_probe_fused(context, ISG_F32) ? "fast/f32/fused" : "fast/f32/unfused");
    device_ok(context, isg_gram_fast_report(gram, &report));
    ck_assert(report.elements == 0 && report.tolerance == isg_tolerance_default(ISG_F32));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, N)));
    int differ = 0;
    for (int i = 0; i < N * N; i++)
        differ += k[i] != ((float *)want)[i];
    ck_assert_msg(differ > N, "method fast gives the contract's bits: it is not what was computed");
    isg_gram_destroy(&gram);
    device_guard_free(k, ISG_F32, N * N);
    free(want);
    free(x);
    isg_context_destroy(&context);
}
END_TEST

static void refused(isg_context *context, isg_gram_params params, const char *words)
{
    static const float x[4] = {1, 2, 3, 4};
    isg_gram *gram;
    params.x = isg_matrix_f32(x, 2, 2);
    ck_assert_int_eq(isg_gram_create(context, &gram, &params), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(gram);
    ck_assert_msg(strstr(isg_context_error(context)->message, words), "%s", isg_context_error(context)->message);
}

START_TEST(bad_parameters)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const isg_kernel *const *rows = isg_kernel_list();
    isg_composite *composite;
    int taken = 0;
    for (int r = 0; rows[r]; r++) {
        isg_gram_params params = {.kernel = rows[r], .method = ISG_METHOD_FAST};
        if (rows[r]->pair != ISG_PAIR_SQDIST)
            refused(context, params, rows[r]->name);
        else
            taken++;
    }
    ck_assert_int_gt(taken, 10);
    ck_assert_int_eq(isg_kernel_parse(&composite, "rbf + 0.5*linear", NULL), ISG_OK);
    refused(context, (isg_gram_params){.composite = composite, .method = ISG_METHOD_FAST}, "linear");
    isg_composite_destroy(&composite);
    refused(context, (isg_gram_params){.method = ISG_METHOD_FAST, .tolerance = 1}, "tolerance 1");
    refused(context, (isg_gram_params){.method = ISG_METHOD_FAST, .tolerance = -1e-3}, "tolerance -0.001");
    refused(context, (isg_gram_params){.method = ISG_METHOD_FAST, .tolerance = NAN}, "tolerance");
    refused(context, (isg_gram_params){.tolerance = 1e-3}, "tolerance");
    refused(context, (isg_gram_params){.method = (isg_method)2}, "method");
    isg_context_destroy(&context);
}
END_TEST

// Progress ends with all of K.
static int last_step(void *user, double done, double of)
{
    ck_assert(done <= of);
    *(double *)user = done / of;
    return 0;
}

START_TEST(progress)
{
    enum { N = 2000, D = 3 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(9400);
    float *x = points_of(&random, EASY, N, D, ISG_F32), *k = malloc(sizeof(float) * N * N);
    double done = 0;
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, N, D), .method = ISG_METHOD_FAST,
                                                       .progress = last_step, .progress_user = &done)));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, N)));
    ck_assert(done == 1);
    done = 0;
    device_ok(context, isg_gram_packed(gram, isg_vector(ISG_F32, k, N * (N + 1) / 2)));
    ck_assert(done == 1);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(k);
    free(x);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {recomputing_is_needed, composites,     companions, not_numbers,
                                  not_unless_asked_for,  bad_parameters, progress};
    Suite *suite = suite_of("fast", tests, COUNT(tests));
    TCase *bounds = tcase_create("bound");
    // Each row in one of the precisions, by turns; in both for suite `exhaustive`.
    for (int i = 0; i < 2 * ISG_KERNEL_COUNT; i++)
        if (suite_all() || (i / 2 + i + (int)(suite_seed() % 2)) % 2 == 0)
            tcase_add_loop_test(bounds, bound_by_row, i, i + 1);
    tcase_add_loop_test(bounds, bound_by_dimension, 0, 2);
    tcase_add_loop_test(bounds, one_matrix, 0, 2);
    suite_add_tcase(suite, bounds);
    int status = suite_run(suite);
    printf("%-21s %8s %8s  of the bound\n", "row", "f32", "f64");
    for (int row = 0; row < ISG_KERNEL_COUNT; row++)
        if (kernel_of(row)->pair == ISG_PAIR_SQDIST)
            printf("%-21s %8.3f %8.3f\n", kernel_of(row)->name, closest[row][0], closest[row][1]);
    return status;
}
