// The promises of derived filters: the device gives the reference's bits, the reference what its definition in plain
// double gives; small and large numbers keep their digits; bad calls are refused.
#include "filter_arrays.h"
#include "probe.h"
#include "reference_derived.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OUTPUTS = 10 };

static void canonical(block *b)
{
    for (int64_t i = 0; i < b->count; i++) {
        if (b->array.dtype == ISG_F32 && isnan(((float *)b->memory)[i]))
            ((float *)b->memory)[i] = NAN;
        if (b->array.dtype == ISG_F64 && isnan(((double *)b->memory)[i]))
            ((double *)b->memory)[i] = NAN;
    }
}

static void check_same(isg_context *context, isg_derived derived, const block *in, isg_dtype out_type,
                       const isg_derived_params *p, suite_random *random, const char *what)
{
    isg_dtype dtype = isg_filter_dtype(&p->filter, in->array.dtype);
    device_ok(context, isg_context_require(context, dtype));
    block got[MOST_OUTPUTS], want[MOST_OUTPUTS];
    isg_array got_arrays[MOST_OUTPUTS], want_arrays[MOST_OUTPUTS];
    int32_t count = isg_derived_outputs(derived, p, in->array.ndim);
    ck_assert_int_ge(count, 1);
    for (int32_t i = 0; i < count; i++) {
        got[i] = make_block(random, out_type, in->array.ndim, in->array.shape, i == 0);
        want[i] = got[i];
        want[i].memory = device_guard(out_type, got[i].count);
        want[i].array.data = (char *)want[i].memory + ((char *)got[i].array.data - (char *)got[i].memory);
        got_arrays[i] = got[i].array;
        want_arrays[i] = want[i].array;
    }
    isg_derived_plan plan;
    isg_error error = {ISG_OK, ""};
    ck_assert_msg(isg_derived_plan_make(&plan, derived, p, in->array.ndim, in->array.shape, dtype, in->array.dtype,
                                        &error) == ISG_OK,
                  "%s", error.message);
    const isg_array *mask = p->filter.mask.dtype ? &p->filter.mask : NULL;
    ck_assert(isg_reference_derived(isg_reference_get(dtype, isg_probe_fused(context, dtype)), &plan, &in->array, mask,
                                    want_arrays));
    isg_derived_plan_free(&plan);
    device_ok(context, isg_filter_derived(context, derived, in->array, got_arrays, count, p));
    for (int32_t i = 0; i < count; i++) {
        canonical(&got[i]);
        canonical(&want[i]);
        device_same_bits(out_type, got[i].memory, got[i].count, want[i].memory, want[i].count, 1, want[i].count, what);
        free_block(&got[i]);
        free_block(&want[i]);
    }
}

static isg_derived_params random_derived(suite_random *random, int32_t ndim)
{
    isg_derived_params p = {.filter = {.each = 1}};
    for (int32_t i = 0; i < ndim; i++) {
        p.filter.sigma[i] = random_between(random, 0.6, 3);
        p.filter.mode[i] = (isg_mode)random_below(random, ISG_MODE_COUNT);
        p.sigma2[i] = random_below(random, 2) ? p.filter.sigma[i] + random_between(random, 0, 2) : 0;
    }
    if (ndim > 1 && random_below(random, 3) == 0) {
        p.filter.axis_count = 1;
        p.filter.axes[0] = (int32_t)random_below(random, ndim) - (random_below(random, 2) ? ndim : 0);
    }
    p.filter.constant = random_between(random, -3, 3);
    p.filter.exact = (int32_t)random_below(random, 2);
    p.amount = random_below(random, 3) ? random_between(random, -4, 4) : 0;
    p.inner = random_below(random, 2) ? random_between(random, 0.5, 2) : 0;
    return p;
}

// Of every kind some arrays, also such as reach down to subnormal numbers.
static void check_many(isg_arithmetic arithmetic, int count, bool hostile, bool zero_copy, uint64_t stream)
{
    static const struct kind some[] = {
        {ISG_F32, ISG_F32, ISG_F32}, {ISG_F64, ISG_F64, ISG_F64}, {ISG_U8, ISG_I16, ISG_F32}};
    static const int64_t most[] = {300, 50, 16, 8};
    isg_context *context = device_open(arithmetic, 0);
    if (!context)
        return;
    context->zero_copy = context->zero_copy && zero_copy;
    suite_random random = suite_stream(stream);
    const bool wide = isg_context_device(context)->lanes_f64 > 0;
    for (int i = 0; i < count; i++)
        for (int derived = 0; derived < ISG_DERIVED_COUNT; derived++) {
            int32_t ndim = 2 + (int32_t)random_below(&random, 2);
            int64_t shape[ISG_FILTER_MAX_NDIM];
            for (int32_t a = 0; a < ndim; a++)
                shape[a] = 1 + random_below(&random, most[ndim - 1]);
            const struct kind *kind = &some[random_below(&random, hostile ? 2 : 3) % (wide ? 3 : 1)];
            isg_derived_params p = random_derived(&random, ndim);
            p.filter.precision = kind->arithmetic == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
            block in = make_block(&random, kind->in, ndim, shape, random_below(&random, 2) == 0);
            fill(&random, &in, hostile);
            if (kind->in == ISG_F32 && random_below(&random, 4) == 0)
                ((float *)in.memory)[random_below(&random, in.count)] = random_below(&random, 2) ? NAN : 1e28f;
            p.filter.nan = random_below(&random, 2) ? ISG_NAN_FILL : ISG_NAN_DEFAULT;
            if (derived == ISG_DERIVED_DIFFERENCE || derived == ISG_DERIVED_UNSHARP)
                p.filter.nan = (isg_nan_policy)random_below(&random, ISG_NAN_COUNT);
            p.filter.fill = 17;
            p.filter.fills_nothing = (int32_t)random_below(&random, 2);
            char what[100];
            snprintf(what, sizeof what, "%s, %s to %s, %d axes", isg_derived_name((isg_derived)derived),
                     isg_dtype_name(kind->in), isg_dtype_name(kind->out), (int)ndim);
            check_same(context, (isg_derived)derived, &in, kind->out, &p, &random, what);
            free_block(&in);
        }
    isg_context_destroy(&context);
}

START_TEST(random_arrays)
{
    check_many(ISG_ARITHMETIC_FUSED, 2, false, true, 301);
    check_many(ISG_ARITHMETIC_UNFUSED, 1, false, false, 302);
}
END_TEST

START_TEST(hostile_arrays)
{
    check_many(ISG_ARITHMETIC_FUSED, 2, true, true, 303);
}
END_TEST

// Results of another precision than the arithmetic's and the input's: the same numbers.
START_TEST(wide_results)
{
    enum { N = 17 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(304);
    float x[N * N], narrow[N * N];
    double wide[N * N];
    for (int i = 0; i < N * N; i++)
        x[i] = (float)random_between(&random, -1, 1);
    const isg_array in = isg_matrix_f32(x, N, N), outs[2] = {isg_matrix_f32(narrow, N, N), isg_matrix_f64(wide, N, N)};
    const isg_derived_params *p = isg_derived_params(.filter = {.sigma = {2}, .precision = ISG_PRECISION_F32});
    device_ok(context, isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, in, &outs[0], 1, p));
    if (isg_context_device(context)->lanes_f64 > 0) {
        device_ok(context, isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, in, &outs[1], 1, p));
        for (int i = 0; i < N * N; i++)
            ck_assert(wide[i] == (double)narrow[i]);
    } else {
        ck_assert_int_eq(isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, in, &outs[1], 1, p), ISG_ERR_UNSUPPORTED);
    }
    isg_context_destroy(&context);
}
END_TEST

// --- definitions

enum { ROWS = 20, COLS = 26 };

// What a filter in double gives, of an image.
static void filtered(isg_context *context, const double *x, double s0, double s1, int o0, int o1, double *y)
{
    const isg_filter_params *p = isg_filter_params(.each = 1, .sigma = {s0, s1}, .order = {o0, o1});
    device_ok(context, isg_filter(context, isg_matrix_f64(x, ROWS, COLS), isg_matrix_f64(y, ROWS, COLS), p));
}

static void derived(isg_context *context, isg_derived kind, const double *x, double *y, const isg_derived_params *p)
{
    isg_array out = isg_matrix_f64(y, ROWS, COLS);
    device_ok(context, isg_filter_derived(context, kind, isg_matrix_f64(x, ROWS, COLS), &out, 1, p));
}

START_TEST(definitions)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    if (context->device.lanes_f64 == 0) {
        isg_context_destroy(&context);
        return;
    }
    suite_random random = suite_stream(310);
    static double x[ROWS * COLS], a[ROWS * COLS], b[ROWS * COLS], y[ROWS * COLS];
    for (int i = 0; i < ROWS * COLS; i++)
        x[i] = random_between(&random, -1, 1);
    filtered(context, x, 1.5, 2, 2, 0, a);
    filtered(context, x, 1.5, 2, 0, 2, b);
    derived(context, ISG_DERIVED_LAPLACIAN, x, y, isg_derived_params(.filter = {.each = 1, .sigma = {1.5, 2}}));
    for (int i = 0; i < ROWS * COLS; i++)
        ck_assert(y[i] == a[i] + b[i]);
    filtered(context, x, 1.5, 2, 1, 0, a);
    filtered(context, x, 1.5, 2, 0, 1, b);
    derived(context, ISG_DERIVED_GRADIENT_MAGNITUDE, x, y,
            isg_derived_params(.filter = {.each = 1, .sigma = {1.5, 2}}));
    for (int i = 0; i < ROWS * COLS; i++)
        ck_assert(fabs(y[i] - hypot(a[i], b[i])) <= 2 * DBL_EPSILON * y[i]);
    filtered(context, x, 1.5, 1.5, 0, 0, a);
    filtered(context, x, 2.4, 2.4, 0, 0, b);
    derived(context, ISG_DERIVED_DIFFERENCE, x, y, isg_derived_params(.filter = {.sigma = {1.5}}, .sigma2 = {2.4}));
    for (int i = 0; i < ROWS * COLS; i++)
        ck_assert(y[i] == a[i] - b[i]);
    derived(context, ISG_DERIVED_DIFFERENCE, x, y, isg_derived_params(.filter = {.sigma = {1.5}})); // 1.6 times
    for (int i = 0; i < ROWS * COLS; i++)
        ck_assert(fabs(y[i] - (a[i] - b[i])) < 1e-14);
    derived(context, ISG_DERIVED_UNSHARP, x, y, isg_derived_params(.filter = {.sigma = {1.5}}, .amount = 0.7));
    for (int i = 0; i < ROWS * COLS; i++)
        ck_assert(y[i] == x[i] + 0.7 * (x[i] - a[i]));
    isg_context_destroy(&context);
}
END_TEST

// Sobel's derivatives of a plane are 8 times its slopes, products of them are what the tensor holds everywhere.
START_TEST(tensor_of_a_plane)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[ROWS * COLS], y[3][ROWS * COLS];
    for (int i = 0; i < ROWS * COLS; i++)
        x[i] = (float)(3 * (i / COLS) - 2 * (i % COLS));
    isg_array in = isg_matrix_f32(x, ROWS, COLS), out[3];
    for (int k = 0; k < 3; k++)
        out[k] = isg_matrix_f32(y[k], ROWS, COLS);
    device_ok(context, isg_filter_derived(context, ISG_DERIVED_STRUCTURE_TENSOR, in, out, 3,
                                          isg_derived_params(.filter = {.sigma = {1}})));
    for (int i = 5; i < ROWS - 5; i++)
        for (int j = 5; j < COLS - 5; j++) {
            const double want[] = {9 * 64, -6 * 64, 4 * 64};
            for (int k = 0; k < 3; k++)
                ck_assert(fabs((double)y[k][i * COLS + j] - want[k]) < 1e-4 * 576);
        }
    isg_context_destroy(&context);
}
END_TEST

// The gradient of an image and of the same times a power of two differ by that power, though squares would vanish, or
// be infinite.
START_TEST(scales)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(320);
    static float x[ROWS * COLS], scaled[ROWS * COLS], y[ROWS * COLS], z[ROWS * COLS];
    for (int i = 0; i < ROWS * COLS; i++)
        x[i] = (float)random_between(&random, 1, 2);
    isg_array in = isg_matrix_f32(x, ROWS, COLS), out = isg_matrix_f32(y, ROWS, COLS);
    const isg_derived_params *p = isg_derived_params(.filter = {.sigma = {2}});
    device_ok(context, isg_filter_derived(context, ISG_DERIVED_GRADIENT_MAGNITUDE, in, &out, 1, p));
    in.data = scaled;
    out.data = z;
    for (int e = -75; e <= 120; e += 65) {
        for (int i = 0; i < ROWS * COLS; i++)
            scaled[i] = ldexpf(x[i], e);
        device_ok(context, isg_filter_derived(context, ISG_DERIVED_GRADIENT_MAGNITUDE, in, &out, 1, p));
        for (int i = 0; i < ROWS * COLS; i++)
            ck_assert_msg(z[i] == ldexpf(y[i], e), "2^%d: %a, not %a", e, (double)z[i], (double)ldexpf(y[i], e));
    }
    isg_context_destroy(&context);
}
END_TEST

// In place, with a mask, and progress from 0 to the end.
static int see(void *user, double done, double total)
{
    double *last = user;
    ck_assert(done >= *last && done <= total);
    *last = done / total;
    return 0;
}

START_TEST(in_place)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(330);
    static float x[ROWS * COLS], y[ROWS * COLS];
    static unsigned char valid[ROWS * COLS];
    double seen = 0;
    for (int i = 0; i < ROWS * COLS; i++) {
        x[i] = (float)random_between(&random, 1, 2);
        valid[i] = random_below(&random, 4) > 0;
    }
    isg_array in = isg_matrix_f32(x, ROWS, COLS), out = isg_matrix_f32(y, ROWS, COLS);
    isg_derived_params p = {
        .filter = {
            .sigma = {2}, .mask = isg_matrix(ISG_U8, valid, ROWS, COLS), .progress = see, .progress_user = &seen}};
    device_ok(context, isg_filter_derived(context, ISG_DERIVED_UNSHARP, in, &out, 1, &p));
    ck_assert(seen > 0.99);
    seen = 0;
    device_ok(context, isg_filter_derived(context, ISG_DERIVED_UNSHARP, in, &in, 1, &p));
    for (int i = 0; i < ROWS * COLS; i++)
        ck_assert(isnan(y[i]) ? isnan(x[i]) : x[i] == y[i]);
    isg_context_destroy(&context);
}
END_TEST

START_TEST(bad_calls)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[64] = {0}, y[3][64] = {{0}};
    unsigned char m[64] = {0};
    isg_array in = isg_matrix_f32(x, 8, 8);
    const isg_array out[3] = {isg_matrix_f32(y[0], 8, 8), isg_matrix_f32(y[1], 8, 8), isg_matrix_f32(y[2], 8, 8)};
    const isg_array twice[3] = {out[0], out[1], out[0]}, over[3] = {out[0], in, out[2]};
    const struct {
        isg_derived derived;
        isg_derived_params params;
        const isg_array *out;
        int32_t count;
        const char *word;
    } rows[] = {
        {ISG_DERIVED_LAPLACIAN, {.filter = {.sigma = {1}}}, out, 2, "2 outputs"},
        {ISG_DERIVED_LAPLACIAN, {.filter = {.sigma = {1}}}, NULL, 1, "outputs"},
        {ISG_DERIVED_LAPLACIAN, {.filter = {.sigma = {0}}}, out, 1, "sigma"},
        {ISG_DERIVED_LAPLACIAN, {.filter = {.sigma = {1}, .order = {1}}}, out, 1, "order 1"},
        {ISG_DERIVED_LAPLACIAN, {.filter = {.sigma = {1}, .nan = ISG_NAN_IGNORE}}, out, 1, "derivatives"},
        {ISG_DERIVED_STRUCTURE_TENSOR,
         {.filter = {.sigma = {1}, .mask = isg_matrix(ISG_U8, m, 8, 8)}},
         out,
         3,
         "valid"},
        {ISG_DERIVED_STRUCTURE_TENSOR, {.filter = {.sigma = {1}}}, out, 1, "takes 3"},
        {ISG_DERIVED_STRUCTURE_TENSOR, {.filter = {.sigma = {1}}}, twice, 3, "overlap"},
        {ISG_DERIVED_STRUCTURE_TENSOR, {.filter = {.sigma = {1}}}, over, 3, "in place"},
        {ISG_DERIVED_STRUCTURE_TENSOR, {.filter = {.sigma = {1}}, .inner = -1}, out, 3, "inner"},
        {ISG_DERIVED_DIFFERENCE, {.filter = {.sigma = {2}}, .sigma2 = {1}}, out, 1, "sigma2"},
        {ISG_DERIVED_UNSHARP, {.filter = {.sigma = {2}}, .amount = NAN}, out, 1, "amount"},
        {ISG_DERIVED_COUNT, {.filter = {.sigma = {2}}}, out, 1, "unknown"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_msg(isg_filter_derived(context, rows[i].derived, in, rows[i].out, rows[i].count, &rows[i].params) ==
                          ISG_ERR_ARGUMENT,
                      "row %d", (int)i);
        const char *message = isg_context_error(context)->message;
        ck_assert_msg(strstr(message, rows[i].word) != NULL, "row %d: %s", (int)i, message);
    }
    ck_assert_int_eq(isg_filter_derived(context, ISG_DERIVED_UNSHARP, in, out, 1, NULL), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_derived_outputs(ISG_DERIVED_STRUCTURE_TENSOR, isg_derived_params(.filter = {.sigma = {1}}), 4),
                     10);
    ck_assert_int_eq(isg_derived_outputs(ISG_DERIVED_LAPLACIAN, NULL, 2), 0);
    ck_assert_int_eq(isg_derived_named("dog"), ISG_DERIVED_DIFFERENCE);
    ck_assert_int_eq(isg_derived_named("log"), ISG_DERIVED_LAPLACIAN);
    ck_assert_int_eq(isg_derived_named("cat"), ISG_DERIVED_COUNT);
    for (int i = 0; i < ISG_DERIVED_COUNT; i++)
        ck_assert_int_eq(isg_derived_named(isg_derived_name((isg_derived)i)), i);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {random_arrays,     hostile_arrays, wide_results, definitions,
                                  tensor_of_a_plane, scales,         in_place,     bad_calls};
    return suite_run(suite_of("derived", tests, COUNT(tests)));
}
