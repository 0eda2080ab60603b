// The promises of isg_filter: the device gives the reference's bits, whatever the shape, strides, types, modes, orders
// and tiles; a mirrored array gives the mirrored result; subnormal numbers show nowhere; bad calls are refused.
#include "filter.h"
#include "filter_arrays.h"
#include "probe.h"
#include "profile.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The view's bytes as the contract has them: NaNs alike.
static void check_same(isg_context *context, const block *in, const isg_filter_params *p, isg_dtype out_type,
                       bool strided, suite_random *random, bool each, const char *what)
{
    isg_dtype dtype = isg_filter_dtype(p, in->array.dtype);
    device_ok(context, isg_context_require(context, dtype)); // which decides on the arithmetic
    block got = make_block(random, out_type, in->array.ndim, in->array.shape, strided);
    block want = got;
    want.memory = device_guard(out_type, got.count);
    want.array.data = (char *)want.memory + ((char *)got.array.data - (char *)got.memory);
    isg_filter_plan plan;
    isg_error error = {ISG_OK, ""};
    ck_assert_msg(isg_filter_plan_make(&plan, p, in->array.ndim, in->array.shape, dtype, in->array.dtype, &error) ==
                      ISG_OK,
                  "%s", error.message);
    ck_assert(isg_reference_filter(isg_reference_get(dtype, isg_probe_fused(context, dtype)), &plan, &in->array,
                                   &want.array));
    isg_filter_plan_free(&plan);
    device_ok(context, isg_filter_call(context, in->array, got.array, p, each));
    // Gaps included: both have the fences' bytes there.
    device_same_bits(out_type, got.memory, got.count, want.memory, got.count, 1, got.count, what);
    free_block(&got);
    free_block(&want);
}

static void check_random(isg_context *context, suite_random *random, bool hostile)
{
    int32_t ndim = 1 + (int32_t)random_below(random, ISG_FILTER_MAX_NDIM);
    static const int64_t most[] = {300, 70, 24, 11};
    int64_t shape[ISG_FILTER_MAX_NDIM];
    for (int32_t a = 0; a < ndim; a++)
        shape[a] = 1 + random_below(random, most[ndim - 1]);
    const struct kind *kind =
        &kinds[random_below(random, 3) ? random_below(random, 2) : random_below(random, COUNT(kinds))];
    if (isg_context_device(context)->lanes_f64 == 0 &&
        (kind->in == ISG_F64 || kind->out == ISG_F64 || kind->arithmetic == ISG_F64))
        kind = &kinds[0];
    isg_filter_params p = random_params(random, ndim, shape);
    p.precision = kind->arithmetic == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
    bool strided = random_below(random, 2), each = random_below(random, 4) == 0;
    block in = make_block(random, kind->in, ndim, shape, strided);
    fill(random, &in, hostile);
    char what[200];
    snprintf(what, sizeof what, "%s to %s, %lld x %lld x %lld x %lld, %s%s", isg_dtype_name(kind->in),
             isg_dtype_name(kind->out), (long long)shape[0], (long long)(ndim > 1 ? shape[1] : 1),
             (long long)(ndim > 2 ? shape[2] : 1), (long long)(ndim > 3 ? shape[3] : 1), strided ? "strided" : "dense",
             each ? ", each" : "");
    check_same(context, &in, &p, kind->out, random_below(random, 2), random, each, what);
    free_block(&in);
}

static void check_many(isg_arithmetic arithmetic, int count, bool hostile, bool zero_copy, int32_t lanes,
                       uint64_t stream)
{
    isg_context *context = device_open(arithmetic, 0);
    if (!context)
        return;
    context->zero_copy = context->zero_copy && zero_copy;
    if (lanes) {
        context->device.lanes_f32 = lanes;
        context->device.lanes_f64 = context->device.lanes_f64 ? lanes : 0;
    }
    suite_random random = suite_stream(stream);
    for (int i = 0; i < count; i++)
        check_random(context, &random, hostile);
    isg_context_destroy(&context);
}

START_TEST(random_arrays)
{
    check_many(ISG_ARITHMETIC_FUSED, suite_rounds(40), false, true, 0, 1);
    check_many(ISG_ARITHMETIC_UNFUSED, suite_rounds(40), false, true, 0, 2);
}
END_TEST

// Down to subnormal numbers, which some devices flush: they count as 0 on all.
START_TEST(hostile_arrays)
{
    check_many(ISG_ARITHMETIC_FUSED, suite_rounds(30), true, true, 0, 3);
    check_many(ISG_ARITHMETIC_UNFUSED, suite_rounds(30), true, true, 0, 4);
}
END_TEST

// Other lanes, and arrays that are copied to the device and back.
START_TEST(lanes_and_copies)
{
    for (int32_t lanes = 1; lanes <= 8; lanes *= 2) // one lane: no tiles
        check_many(ISG_ARITHMETIC_AUTO, 8, false, lanes % 4 != 0, lanes, 5 + (uint64_t)lanes);
}
END_TEST

// Results and input of another precision than the arithmetic's.
START_TEST(other_precision)
{
    static const int64_t shape[2] = {41, 50};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(19);
    for (int i = 0; i < 2 && isg_context_device(context)->lanes_f64 > 0; i++) {
        block in = make_block(&random, i ? ISG_F64 : ISG_F32, 2, shape, false);
        fill(&random, &in, false);
        check_same(context, &in, isg_filter_params(.sigma = {1.5}, .precision = ISG_PRECISION_F32),
                   i ? ISG_F32 : ISG_F64, false, &random, false, "other precision");
        free_block(&in);
    }
    // NaN among whole numbers is 0, as the reference has it.
    block in = make_block(&random, ISG_F32, 2, shape, false);
    fill(&random, &in, false);
    ((float *)in.memory)[7 * 50 + 9] = NAN;
    check_same(context, &in, isg_filter_params(.sigma = {1.5}), ISG_U8, false, &random, false, "NaN to bytes");
    free_block(&in);
    isg_context_destroy(&context);
}
END_TEST

// A dense array of single or double numbers.
static block dense(suite_random *random, isg_dtype dtype, int32_t ndim, const int64_t *shape)
{
    block b = make_block(random, dtype, ndim, shape, false);
    fill(random, &b, false);
    return b;
}

// Several tiles down and across, borders of tiles at odd places, a single row, and lines along each axis; the largest
// has results that go past the caches.
START_TEST(tiles)
{
    static const int64_t shapes[][2] = {{300, 2100}, {1, 30011}, {2, 9000}, {3000, 3}, {140, 1037}, {1030, 1100}};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(20);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        block in = dense(&random, ISG_F32, 2, shapes[i]);
        char what[60];
        snprintf(what, sizeof what, "%d x %d", (int)shapes[i][0], (int)shapes[i][1]);
        check_same(context, &in, isg_filter_params(.sigma = {2.3}, .mode = {ISG_MODE_WRAP}), ISG_F32, false, &random,
                   false, what);
        for (int32_t axis = 0; axis < 2; axis++)
            check_same(context, &in,
                       isg_filter_params(.axes = {axis}, .axis_count = 1, .sigma = {3.7}, .mode = {ISG_MODE_CONSTANT},
                                         .constant = 7),
                       ISG_F32, false, &random, false, what);
        free_block(&in);
    }
    isg_context_destroy(&context);
}
END_TEST

// No scratch memory for tiles: radii far beyond the array, and small buffers.
START_TEST(no_room_for_tiles)
{
    const int64_t shape[2] = {21, 30};
    suite_random random = suite_stream(21);
    for (int small = 0; small < 2; small++) {
        isg_context *context = device_open(ISG_ARITHMETIC_AUTO, small ? 40000 : 0);
        block in = dense(&random, ISG_F32, 2, shape);
        check_same(context, &in, isg_filter_params(.sigma = {small ? 3 : 1500}), ISG_F32, false, &random, false,
                   small ? "small buffers" : "a large radius");
        free_block(&in);
        isg_context_destroy(&context);
    }
}
END_TEST

static float *filtered(isg_context *context, isg_array in, const isg_filter_params *p)
{
    int64_t count = 1;
    isg_array out = in;
    for (int32_t axis = in.ndim - 1; axis >= 0; axis--) {
        out.strides[axis] = count;
        count *= in.shape[axis];
    }
    out.data = malloc((size_t)count * sizeof(float));
    device_ok(context, isg_filter(context, in, out, p));
    return out.data;
}

// Mirrored along both axes: the same bits in the opposite order, with the other sign for odd orders.
START_TEST(mirrored)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(30);
    const int64_t shape[2] = {57, 91}, count = 57 * 91;
    block in = dense(&random, ISG_F32, 2, shape);
    isg_array back = in.array;
    back.data = (float *)in.array.data + count - 1;
    back.strides[0] = -in.array.strides[0];
    back.strides[1] = -1;
    for (int32_t order = 0; order <= 3; order++) {
        const isg_filter_params *p = isg_filter_params(.each = 1, .sigma = {1.7, 2.9}, .order = {order, 2});
        float *forth = filtered(context, in.array, p), *other = filtered(context, back, p);
        for (int64_t i = 0; i < count; i++)
            ck_assert_msg(forth[i] == (order % 2 ? -1.f : 1.f) * other[count - 1 - i], "order %d, element %d",
                          (int)order, (int)i);
        free(forth);
        free(other);
    }
    free_block(&in);
    isg_context_destroy(&context);
}
END_TEST

// A part of an array gives what the whole gives, away from the part's borders; so does the array times a power of two.
START_TEST(parts_and_scales)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(31);
    const int64_t shape[2] = {90, 120};
    block in = dense(&random, ISG_F32, 2, shape), scaled = dense(&random, ISG_F32, 2, shape);
    for (int64_t i = 0; i < 90 * 120; i++)
        ((float *)scaled.memory)[i] = ((float *)in.memory)[i] * 0x1p-80f;
    const isg_filter_params *p = isg_filter_params(.sigma = {2});
    float *whole = filtered(context, in.array, p), *small = filtered(context, scaled.array, p);
    isg_array part = in.array;
    part.data = (float *)part.data + 13 * 120 + 17;
    part.shape[0] = 60;
    part.shape[1] = 77;
    float *alone = filtered(context, part, p);
    for (int64_t i = 8; i < 52; i++)
        for (int64_t j = 8; j < 69; j++)
            ck_assert(alone[i * 77 + j] == whole[(i + 13) * 120 + j + 17]);
    for (int64_t i = 0; i < 90 * 120; i++)
        ck_assert(small[i] == whole[i] * 0x1p-80f);
    free(whole);
    free(small);
    free(alone);
    free_block(&in);
    free_block(&scaled);
    isg_context_destroy(&context);
}
END_TEST

// Numbers, or a constant, beyond the limit of the plain scale; the largest there are.
START_TEST(large_numbers)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(32);
    const int64_t shape[2] = {40, 50};
    for (int i = 0; i < 4; i++) {
        block in = dense(&random, ISG_F32, 2, shape);
        float *x = in.memory;
        for (int at = 0; at < 2000; at++)
            x[at] = i == 0 ? (at % 2 ? 1 : 0.5f) * FLT_MAX : x[at];
        x[777] = i == 1 ? 0x1p60f : i == 2 ? -0x1.8p126f : x[777];
        const isg_filter_params *p =
            isg_filter_params(.sigma = {1.5}, .mode = {ISG_MODE_CONSTANT}, .constant = i == 3 ? 1e25 : 0);
        check_same(context, &in, p, ISG_F32, false, &random, false, "large numbers");
        float *y = filtered(context, in.array, p);
        for (int at = 0; at < 2000; at++)
            ck_assert(isfinite(y[at]));
        free(y);
        free_block(&in);
    }
    isg_context_destroy(&context);
}
END_TEST

// They reach as far as the filter does, and leave everything else as it would be without them.
START_TEST(not_finite)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(33);
    const int64_t shape[2] = {60, 70};
    block in = dense(&random, ISG_F32, 2, shape);
    const isg_filter_params *p = isg_filter_params(.sigma = {1.5});
    float *x = in.memory, *before = filtered(context, in.array, p);
    x[30 * 70 + 31] = NAN;
    check_same(context, &in, p, ISG_F32, false, &random, false, "NaN");
    float *after = filtered(context, in.array, p);
    for (int i = 0; i < 60; i++)
        for (int j = 0; j < 70; j++) {
            bool near = abs(i - 30) <= 6 && abs(j - 31) <= 6;
            ck_assert(near ? isnan(after[i * 70 + j]) : after[i * 70 + j] == before[i * 70 + j]);
        }
    x[30 * 70 + 31] = -INFINITY;
    float *infinite = filtered(context, in.array, p);
    ck_assert(infinite[30 * 70 + 31] == -INFINITY && infinite[24 * 70 + 25] == -INFINITY &&
              isfinite(infinite[23 * 70 + 31]));
    free(before);
    free(after);
    free(infinite);
    free_block(&in);
    isg_context_destroy(&context);
}
END_TEST

START_TEST(in_place)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(34);
    for (int copies = 0; copies < 2; copies++)
        for (int32_t ndim = 1; ndim <= 3; ndim++) {
            const int64_t shape[3] = {23, 31, 17};
            context->zero_copy = context->zero_copy && !copies;
            block in = make_block(&random, ISG_F32, ndim, shape, ndim == 2);
            fill(&random, &in, false);
            ((float *)in.array.data)[0] = ndim == 3 ? 1e30f : 1; // also where the first pass is done again
            const isg_filter_params *p = isg_filter_params(.sigma = {1.3});
            float *want = filtered(context, in.array, p);
            device_ok(context, isg_filter(context, in.array, in.array, p));
            for (int64_t i = 0, at[3] = {0}; at[0] < shape[0]; i++) {
                int64_t index = 0;
                for (int32_t axis = 0; axis < ndim; axis++)
                    index += at[axis] * in.array.strides[axis];
                ck_assert_msg(((float *)in.array.data)[index] == want[i], "%d axes, element %d", (int)ndim, (int)i);
                for (int32_t axis = ndim - 1; axis >= 0 && ++at[axis] == shape[axis] && axis > 0; axis--)
                    at[axis] = 0;
            }
            free(want);
            free_block(&in);
        }
    // How far the next element would be along an axis that has but one is all the same.
    float line[20];
    for (int i = 0; i < 20; i++)
        line[i] = (float)(i * i % 13);
    const isg_array in = isg_matrix_f32(line, 1, 20);
    isg_array out = in;
    out.strides[0] = 7;
    float *want = filtered(context, in, isg_filter_params(.sigma = {1.3}));
    device_ok(context, isg_filter(context, in, out, isg_filter_params(.sigma = {1.3})));
    ck_assert_mem_eq(line, want, sizeof line);
    free(want);
    isg_context_destroy(&context);
}
END_TEST

// Halves go to even numbers, and what leaves the range stays at its end; NaN is 0.
START_TEST(whole_numbers)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const isg_filter_params *alone = isg_filter_params(.sigma = {0});
    const float x[] = {0.5f, 1.5f, 2.5f,     -0.5f,     -1.5f,       254.5f,  255.5f, 300,
                       -7,   NAN,  INFINITY, -INFINITY, 0.49999997f, 8388609, -3e9f,  3e9f};
    const uint8_t bytes[] = {0, 2, 2, 0, 0, 254, 255, 255, 0, 0, 255, 0, 0, 255, 0, 255};
    const int32_t words[] = {0,  2, 2,         0,         -2, 254,     256,       300,
                             -7, 0, INT32_MAX, INT32_MIN, 0,  8388609, INT32_MIN, INT32_MAX};
    uint8_t b[COUNT(x)];
    int32_t w[COUNT(x)];
    device_ok(context, isg_filter(context, isg_vector(ISG_F32, x, COUNT(x)), isg_vector(ISG_U8, b, COUNT(x)), alone));
    device_ok(context, isg_filter(context, isg_vector(ISG_F32, x, COUNT(x)), isg_vector(ISG_I32, w, COUNT(x)), alone));
    for (size_t i = 0; i < COUNT(x); i++)
        ck_assert_msg(b[i] == bytes[i] && w[i] == words[i], "%g: %d, %d", (double)x[i], b[i], w[i]);
    isg_context_destroy(&context);
}
END_TEST

// --- SciPy's results: tests/data/make_filter_cases.py

static int numbers_of(const char *text, double *values)
{
    int count = 0;
    for (char *end; *text && *text != '\n'; text = *end == ',' ? end + 1 : end)
        values[count++] = strtod(text, &end);
    return count;
}

static isg_npy *case_file(const char *name, const char *suffix)
{
    char path[600];
    isg_npy *file;
    isg_error error = {ISG_OK, ""};
    snprintf(path, sizeof path, FILTER_CASES "/%s%s.npy", name, suffix);
    ck_assert_msg(isg_npy_open(&file, path, &error) == ISG_OK, "%s", error.message);
    return file;
}

static void check_case(isg_context *context, const char *name, const char *in_name, const isg_filter_params *params,
                       double *worst)
{
    isg_npy *in = case_file(in_name, ""), *want = case_file(name, "");
    const isg_array *a = isg_npy_array(in), *w = isg_npy_array(want);
    for (int wide = 0; wide < 2; wide++) {
        int64_t count = 1;
        isg_filter_params p = *params;
        isg_array out = *a;
        for (int32_t axis = a->ndim - 1; axis >= 0; axis--)
            count *= a->shape[axis];
        double *got = malloc((size_t)count * sizeof *got), low = INFINITY, high = -INFINITY;
        out.data = got;
        p.precision = wide ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
        device_ok(context, isg_filter(context, *a, out, &p));
        for (int64_t i = 0; i < count; i++) {
            low = fmin(low, ((const double *)a->data)[i]);
            high = fmax(high, ((const double *)a->data)[i]);
        }
        for (int64_t i = 0; i < count; i++) {
            double off = fabs(got[i] - ((const double *)w->data)[i]) / (high - low);
            worst[wide] = fmax(worst[wide], off);
            ck_assert_msg(off <= (wide ? 4e-15 : 1e-6), "%s, %s: element %d is %.17g, SciPy's %.17g", name,
                          wide ? "f64" : "f32", (int)i, got[i], ((const double *)w->data)[i]);
        }
        free(got);
    }
    isg_npy_close(&in);
    isg_npy_close(&want);
}

START_TEST(scipy_cases)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    if (context->device.lanes_f64 == 0) { // the cases are double
        printf("skipped: no double precision\n");
        isg_context_destroy(&context);
        return;
    }
    FILE *f = fopen(FILTER_CASES "/cases.tsv", "r");
    ck_assert_ptr_nonnull(f);
    char line[400], name[60], in[60], sigma[60], order[60], mode[120], radius[60];
    double cval, worst[2] = {0};
    int count = 0;
    for (; fgets(line, sizeof line, f); count++) {
        double values[4];
        isg_filter_params p = {.each = 1};
        ck_assert_int_eq(
            sscanf(line, "%59s %59s %59s %59s %119s %59s %lf", name, in, sigma, order, mode, radius, &cval), 7);
        p.constant = cval;
        int axes = numbers_of(sigma, p.sigma);
        ck_assert_int_eq(numbers_of(order, values), axes);
        for (int i = 0; i < axes; i++)
            p.order[i] = (int32_t)values[i];
        ck_assert_int_eq(numbers_of(radius, values), axes);
        for (int i = 0; i < axes; i++)
            p.radius[i] = (int64_t)values[i];
        char *word = strtok(mode, ",");
        for (int i = 0; i < axes; i++, word = strtok(NULL, ","))
            p.mode[i] = isg_mode_named(word);
        check_case(context, name, in, &p, worst);
    }
    fclose(f);
    printf("  %d cases of SciPy's: at most %.1e (f64), %.1e (f32) of the range of the data away\n", count, worst[1],
           worst[0]);
    ck_assert_int_ge(count, 20);
    isg_context_destroy(&context);
}
END_TEST

// Weights of derivatives: the polynomial, of few digits more than double here, times the weights of order 0.
START_TEST(derivative_weights)
{
    for (double sigma = 0.4; sigma < 40; sigma *= 1.7) {
        int64_t radius = (int64_t)(4 * sigma + 0.5);
        radius = radius < 2 ? 2 : radius;
        double *flat = malloc((size_t)(radius + 1) * sizeof *flat), *half = malloc((size_t)(radius + 1) * sizeof *half);
        ck_assert_int_eq(isg_profile_taps(sigma, 0, radius, ISG_SAMPLING_POINT, false, flat, NULL), ISG_OK);
        for (int32_t order = 1; order <= ISG_FILTER_MAX_ORDER; order++) {
            ck_assert_int_eq(isg_profile_taps(sigma, order, radius, ISG_SAMPLING_POINT, false, half, NULL), ISG_OK);
            for (int64_t k = 0; k <= radius; k++) {
                long double s = 1 / ((long double)sigma * sigma), x = k, u = x * s;
                const long double terms[5][3] = {
                    {1}, {u}, {u * u, -s}, {u * u * u, -3 * u * s}, {u * u * u * u, -6 * u * u * s, 3 * s * s}};
                const long double *t = terms[order];
                double want = (double)((t[0] + t[1] + t[2]) * flat[k]),
                       size = (double)((t[0] + fabsl(t[1]) + t[2]) * flat[k]);
                ck_assert_msg(fabs(half[k] - want) <= 0x1p-51 * fabs(want) + 0x1p-58 * size + 0x1p-1022,
                              "sigma %g, order %d, k = %d: %.17g, not %.17g", sigma, (int)order, (int)k, half[k], want);
            }
        }
        free(flat);
        free(half);
    }
}
END_TEST

// Exact derivatives: moments below the order are 0, that of the order is its factorial; at usual sigmas they are
// SciPy's but for little.
START_TEST(exact_derivatives)
{
    static const double factorial[] = {1, 1, 2, 6, 24}, near[] = {0, 0.001, 0.01, 0.04, 0.12};
    for (double sigma = 0.3; sigma < 20; sigma *= 1.6)
        for (int32_t order = 1; order <= ISG_FILTER_MAX_ORDER; order++) {
            int64_t count, radius = (int64_t)fmax(4 * sigma + 0.5, 3);
            double w[200], plain[200], largest = 0, off = 0;
            isg_filter_params p = {.sigma = {sigma}, .order = {order}, .radius = {radius}, .exact = 1};
            isg_error error = {ISG_OK, ""};
            ck_assert_msg(isg_filter_weights(&p, 1, 0, w, 200, &count, &error) == ISG_OK, "%s", error.message);
            p.exact = 0;
            ck_assert_int_eq(isg_filter_weights(&p, 1, 0, plain, 200, &count, &error), ISG_OK);
            for (int32_t j = 0; j <= order; j++) {
                long double sum = 0, size = 0;
                for (int64_t k = -radius; k <= radius; k++) {
                    sum += w[k + radius] * powl((long double)k, j);
                    size += fabsl(w[k + radius] * powl((long double)k, j));
                }
                double want = j < order ? 0 : factorial[order];
                ck_assert_msg(fabsl(sum - want) <= 4e-16L * size, "sigma %g, order %d: moment %d is %.3Lg", sigma,
                              (int)order, (int)j, sum);
            }
            for (int64_t k = 0; k < count; k++) {
                largest = fmax(largest, fabs(plain[k]));
                off = fmax(off, fabs(plain[k] - w[k]));
            }
            // SciPy's end at 4 sigmas, which the higher moments feel.
            ck_assert_msg(sigma < 1 || off < near[order] * largest, "sigma %g, order %d: %g of the largest weight",
                          sigma, (int)order, off / largest);
        }
    isg_error error = {ISG_OK, ""};
    int64_t count;
    ck_assert_int_eq(isg_filter_weights(isg_filter_params(.sigma = {1e-3}, .order = {2}, .radius = {1}, .exact = 1), 1,
                                        0, NULL, 0, &count, &error),
                     ISG_ERR_RANGE);
}
END_TEST

// --- parameters

START_TEST(conventions)
{
    static const struct {
        isg_filter_params params;
        int64_t count;
    } rows[] = {{{.sigma = {3}}, 25},
                {{.sigma = {3}, .truncate = 3}, 19},
                {{.sigma = {3}, .like = "skimage"}, 25},
                {{.sigma = {3}, .like = "opencv"}, 25},
                {{.sigma = {1.1}, .like = "opencv"}, 11},
                {{.radius = {3}, .like = "opencv"}, 7},
                {{.radius = {3}, .like = "arrayfire"}, 7},
                {{.sigma = {2.2}, .like = "clij"}, 17},
                {{.sigma = {2.0625}, .like = "clij"}, 17},
                {{.sigma = {0}}, 0},
                {{.sigma = {3}, .axes = {0}, .axis_count = 1}, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t count;
        double w[64];
        isg_error error = {ISG_OK, ""};
        ck_assert_int_eq(isg_filter_weights(&rows[i].params, 2, 1, w, 64, &count, &error), ISG_OK);
        ck_assert_msg(count == rows[i].count, "row %d: %d weights", (int)i, (int)count);
        double sum = 0;
        for (int64_t k = 0; k < count; k++)
            sum += w[k];
        ck_assert(count == 0 || fabs(sum - 1) < 1e-15);
    }
    int64_t count;
    double w[7]; // OpenCV: sigma 0.3 ((7 - 1) / 2 - 1) + 0.8 = 1.4; ArrayFire: 7 / 4
    ck_assert_int_eq(isg_filter_weights(isg_filter_params(.radius = {3}, .like = "opencv"), 1, 0, w, 7, &count, NULL),
                     ISG_OK);
    ck_assert(fabs(w[0] / w[3] - exp(-9 / (2 * 1.4 * 1.4))) < 1e-14);
    ck_assert_int_eq(
        isg_filter_weights(isg_filter_params(.radius = {3}, .like = "arrayfire"), 1, 0, w, 7, &count, NULL), ISG_OK);
    ck_assert(fabs(w[0] / w[3] - exp(-9 / (2 * 1.75 * 1.75))) < 1e-14);
    // The response to a ramp of an order that sees it is its slope.
    ck_assert_int_eq(
        isg_filter_weights(isg_filter_params(.sigma = {1}, .order = {1}, .radius = {3}), 1, 0, w, 7, &count, NULL),
        ISG_OK);
    ck_assert(w[6] > 0 && w[0] == -w[6] && w[3] == 0);
    ck_assert_str_eq(isg_mode_name(isg_mode_named("grid-wrap")), "wrap");
    ck_assert_int_eq(isg_mode_named("grid-mirror"), ISG_MODE_REFLECT);
    ck_assert_int_eq(isg_mode_named("nothing"), ISG_MODE_DEFAULT);
}
END_TEST

START_TEST(bad_calls)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[64] = {0}, y[64] = {0};
    isg_array in = isg_matrix_f32(x, 8, 8), out = isg_matrix_f32(y, 8, 8);
    static const struct {
        isg_filter_params params;
        const char *word;
    } rows[] = {{{.sigma = {-1}}, "sigma"},
                {{.sigma = {NAN}}, "sigma"},
                {{.sigma = {INFINITY}}, "sigma"},
                {{.sigma = {1e12}}, "radius"},
                {{.sigma = {1}, .order = {5}}, "order"},
                {{.sigma = {1}, .order = {-1}}, "order"},
                {{.sigma = {1}, .order = {3}, .radius = {1}}, "too high"},
                {{.sigma = {0}, .order = {1}}, "order"},
                {{.sigma = {1}, .order = {1}, .sampling = ISG_SAMPLING_BESSEL}, "point"},
                {{.sigma = {1}, .sampling = ISG_SAMPLING_DELTA}, "delta"},
                {{.sigma = {1}, .mode = {ISG_MODE_COUNT}}, "mode"},
                {{.sigma = {1}, .radius = {-2}}, "radius"},
                {{.sigma = {1}, .truncate = -2}, "truncate"},
                {{.sigma = {1}, .like = "nothing"}, "nothing"},
                {{.sigma = {1}, .axes = {2}, .axis_count = 1}, "axis 2"},
                {{.sigma = {1}, .axes = {-3}, .axis_count = 1}, "axis -3"},
                {{.sigma = {1}, .axes = {0, -2}, .axis_count = 2}, "twice"},
                {{.sigma = {1}, .axis_count = 3}, "axes"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_int_eq(isg_filter(context, in, out, &rows[i].params), ISG_ERR_ARGUMENT);
        const char *message = isg_context_error(context)->message;
        ck_assert_msg(strstr(message, rows[i].word) != NULL, "row %d: %s", (int)i, message);
    }
    ck_assert_int_eq(isg_filter(context, in, out, isg_filter_params(.sigma = {1e-9}, .order = {2}, .radius = {1})),
                     ISG_ERR_RANGE);
    const isg_filter_params *p = isg_filter_params(.sigma = {1});
    ck_assert_int_eq(isg_filter(context, in, out, NULL), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_filter(context, in, isg_matrix_f32(y, 8, 7), p), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_filter(context, in, isg_vector(ISG_F32, y, 64), p), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_filter(context, isg_matrix_f32(x, 0, 8), isg_matrix_f32(y, 0, 8), p), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_filter(context, isg_matrix(ISG_I64, x, 4, 4), isg_matrix_f32(y, 4, 4), p), ISG_ERR_DTYPE);
    ck_assert_int_eq(isg_filter(context, isg_matrix_f32(x, 4, 4), isg_matrix(ISG_U32, y, 4, 4), p), ISG_ERR_DTYPE);
    ck_assert_int_eq(isg_filter(context, isg_matrix_f32(x, 4, 8), isg_matrix_f32(x + 8, 4, 8), p),
                     ISG_ERR_ARGUMENT); // overlap
    isg_array folded = isg_matrix_f32(y, 4, 8);
    folded.strides[0] = 4;
    ck_assert_int_eq(isg_filter(context, isg_matrix_f32(x, 4, 8), folded, p), ISG_ERR_SHAPE);
    for (int i = 0; i < 64; i++)
        ck_assert(y[i] == 0);
    isg_context_destroy(&context);
}
END_TEST

static int stop(void *user, double done, double total)
{
    ck_assert(done > 0 && done <= total);
    return ++*(int *)user == 2;
}

START_TEST(progress)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(35);
    const int64_t shape[3] = {20, 20, 20};
    block in = dense(&random, ISG_F32, 3, shape), out = dense(&random, ISG_F32, 3, shape);
    int calls = 0;
    ck_assert_int_eq(isg_filter(context, in.array, out.array,
                                isg_filter_params(.sigma = {1}, .progress = stop, .progress_user = &calls)),
                     ISG_ERR_CANCELLED);
    ck_assert_int_eq(calls, 2);
    free_block(&in);
    free_block(&out);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        random_arrays, hostile_arrays,    lanes_and_copies,   other_precision, no_room_for_tiles, tiles,
        mirrored,      parts_and_scales,  large_numbers,      not_finite,      in_place,          whole_numbers,
        scipy_cases,   exact_derivatives, derivative_weights, conventions,     bad_calls,         progress};
    return suite_run(suite_of("filter", tests, COUNT(tests)));
}
