// The rooms of the filter that know no device: whose defaults are whose, what is refused by number, how passes see an
// array, what is kept of one that is filtered in place, and which numbers are large.
#include "suite.h"

#include "convolve_plan.h"
#include "derived_plan.h"
#include "filter_kept.h"
#include "filter_pass.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { NDIM = ISG_FILTER_MAX_NDIM };

// Sigma and radius as they were asked for stay; one that was left open is the convention's. OpenCV's size of bytes is
// another one.
START_TEST(conventions)
{
    static const struct {
        isg_filter_params params;
        isg_dtype in;
        int64_t radius;
        double sigma;
    } rows[] = {
        {{.sigma = {1.5}, .radius = {2}}, ISG_F32, 2, 1.5},
        {{.sigma = {1.1}, .like = "opencv"}, ISG_F32, 5, 1.1},
        {{.sigma = {1.1}, .like = "opencv"}, ISG_U8, 4, 1.1},
        {{.sigma = {2}, .radius = {3}, .like = "opencv"}, ISG_U8, 3, 2},
        {{.radius = {3}, .like = "opencv"}, ISG_U8, 3, 1.4},
        {{.sigma = {2}, .radius = {3}, .like = "arrayfire"}, ISG_F32, 3, 2},
        {{.sigma = {2}, .like = "arrayfire"}, ISG_F32, 8, 2},
        {{.radius = {3}, .like = "arrayfire"}, ISG_F32, 3, 1.75},
        {{.sigma = {2}, .radius = {3}, .like = "clij"}, ISG_F32, 3, 2},
        {{.sigma = {2.2}, .like = "clij"}, ISG_F32, 8, 2.2},
    };
    const int64_t shape[1] = {40};
    for (size_t i = 0; i < COUNT(rows); i++) {
        isg_filter_plan plan;
        ck_assert_int_eq(isg_filter_plan_make(&plan, &rows[i].params, 1, shape, ISG_F64, rows[i].in, NULL), ISG_OK);
        ck_assert_int_eq(plan.count, 1);
        const isg_filter_axis *a = &plan.axis[0];
        ck_assert_msg(a->radius == rows[i].radius, "row %d: radius %d", (int)i, (int)a->radius);
        const double part = a->weights[a->radius - 1] / a->weights[a->radius]; // a sample off the middle
        ck_assert_msg(fabs(part - exp(-0.5 / (rows[i].sigma * rows[i].sigma))) < 1e-14, "row %d: %.17g", (int)i, part);
        isg_filter_plan_free(&plan);
    }
    static const struct {
        isg_precision asked;
        isg_dtype in, arithmetic;
    } types[] = {{ISG_PRECISION_DEFAULT, ISG_U8, ISG_F32},  {ISG_PRECISION_DEFAULT, ISG_F16, ISG_F32},
                 {ISG_PRECISION_DEFAULT, ISG_I32, ISG_F64}, {ISG_PRECISION_DEFAULT, ISG_F64, ISG_F64},
                 {ISG_PRECISION_F32, ISG_F64, ISG_F32},     {ISG_PRECISION_F64, ISG_U8, ISG_F64}};
    for (size_t i = 0; i < COUNT(types); i++)
        ck_assert_int_eq(isg_filter_dtype(&(isg_filter_params){.precision = types[i].asked}, types[i].in),
                         types[i].arithmetic);
    ck_assert_int_eq(isg_mode_named(NULL), ISG_MODE_DEFAULT);
    ck_assert_int_eq(isg_derived_named(NULL), ISG_DERIVED_COUNT);
    ck_assert_int_eq(isg_derived_named("dog"), ISG_DERIVED_DIFFERENCE);
}
END_TEST

START_TEST(refused)
{
    const isg_filter_params *p = isg_filter_params(.sigma = {1});
    isg_error error = {ISG_OK, ""};
    isg_filter_plan plan;
    const int64_t longest[2] = {INT32_MAX / 4, 1}, beyond[2] = {INT32_MAX / 4 + 1, 1};
    ck_assert_int_eq(isg_filter_plan_make(&plan, p, 2, longest, ISG_F32, ISG_F32, &error), ISG_OK);
    isg_filter_plan_free(&plan);
    ck_assert_int_eq(isg_filter_plan_make(&plan, p, 2, beyond, ISG_F32, ISG_F32, &error), ISG_ERR_OVERFLOW);
    ck_assert_msg(strstr(error.message, "axis 0 of 536870912 elements") != NULL, "%s", error.message);
    isg_filter_plan_free(&plan);
    const double w[1] = {1};
    const isg_array stencil = isg_matrix_f64(w, 1, 1);
    isg_convolve_plan convolve;
    isg_error_clear(&error);
    ck_assert_int_eq(isg_convolve_plan_make(&convolve, NULL, 2, longest, &stencil, ISG_F32, &error), ISG_OK);
    isg_convolve_plan_free(&convolve);
    ck_assert_int_eq(isg_convolve_plan_make(&convolve, NULL, 2, beyond, &stencil, ISG_F32, &error), ISG_ERR_OVERFLOW);
    ck_assert_msg(strstr(error.message, "axis 0 of 536870912 elements") != NULL, "%s", error.message);
    isg_convolve_plan_free(&convolve);
    // The number of weights needs a place, weights do not.
    int64_t count;
    ck_assert_int_eq(isg_filter_weights(p, 1, 0, NULL, 0, NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_str_eq(error.message, "no place for a number");
    ck_assert_int_eq(isg_filter_weights(p, 1, 0, NULL, 9, &count, &error), ISG_OK);
    ck_assert_int_eq(count, 9);
    // Arrays without axes, or with too many, have nothing to derive.
    const isg_derived_params *d = isg_derived_params(.filter = {.sigma = {1}});
    for (int what = 0; what < ISG_DERIVED_COUNT; what++) {
        ck_assert_int_eq(isg_derived_outputs((isg_derived)what, d, 0), 0);
        ck_assert_int_eq(isg_derived_outputs((isg_derived)what, d, NDIM + 1), 0);
        ck_assert_int_gt(isg_derived_outputs((isg_derived)what, d, NDIM), 0);
    }
    // Axes by their places from the end; derived by Sobel's weights, and by a Gaussian's.
    for (int inner = 0; inner < 2; inner++) {
        const isg_derived_params of_two = {.filter = {.sigma = {1}, .axes = {-1, 0}, .axis_count = 2}, .inner = inner};
        ck_assert_int_eq(isg_derived_outputs(ISG_DERIVED_STRUCTURE_TENSOR, &of_two, 3), 3);
    }
}
END_TEST

// A derivative whose weights have all vanished is 0 everywhere; a constant that is NaN is missing, also around whole
// numbers.
START_TEST(odd_numbers)
{
    isg_filter_plan plan;
    const int64_t shape[2] = {9, 9};
    const isg_filter_params *flat = isg_filter_params(.sigma = {1e-10}, .order = {1}, .radius = {1});
    ck_assert_int_eq(isg_filter_plan_make(&plan, flat, 1, shape, ISG_F32, ISG_F32, NULL), ISG_OK);
    ck_assert(plan.axis[0].exponent == 0 && plan.axis[0].weights[0] == 0 && plan.axis[0].weights[1] == 0);
    isg_filter_plan_free(&plan);
    static const struct {
        double constant;
        isg_mode mode[2];
        isg_dtype in;
        isg_nan_policy policy;
    } rows[] = {{NAN, {ISG_MODE_CONSTANT, ISG_MODE_CONSTANT}, ISG_U8, ISG_NAN_IGNORE},
                {NAN, {ISG_MODE_WRAP, ISG_MODE_CONSTANT}, ISG_U8, ISG_NAN_IGNORE},
                {NAN, {ISG_MODE_WRAP, ISG_MODE_MIRROR}, ISG_U8, ISG_NAN_PROPAGATE},
                {3, {ISG_MODE_CONSTANT, ISG_MODE_CONSTANT}, ISG_U8, ISG_NAN_PROPAGATE},
                {3, {ISG_MODE_WRAP, ISG_MODE_WRAP}, ISG_F32, ISG_NAN_IGNORE}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const isg_filter_params p = {.sigma = {1, 1},
                                     .each = 1,
                                     .mode = {rows[i].mode[0], rows[i].mode[1]},
                                     .constant = rows[i].constant,
                                     .nan = ISG_NAN_IGNORE};
        ck_assert_int_eq(isg_filter_plan_make(&plan, &p, 2, shape, ISG_F32, rows[i].in, NULL), ISG_OK);
        ck_assert_msg(plan.policy == rows[i].policy, "row %d", (int)i);
        isg_filter_plan_free(&plan);
    }
}
END_TEST

static void dense(const int64_t *shape, int64_t *strides)
{
    int64_t stride = 1;
    for (int a = NDIM - 1; a >= 0; a--) {
        strides[a] = stride;
        stride *= shape[a];
    }
}

// Axes that lie side by side are walked as one, where a launch can count them; else rows are the longest that is left.
START_TEST(layouts)
{
    const isg_filter_plan plan = {.count = 2, .axis = {{.axis = 1}, {.axis = 3}}};
    const isg_filter_pass columns = {.v = 0, .h = -1}, rows = {.v = -1, .h = 1}, both = {.v = 0, .h = 1};
    int64_t strides[NDIM], gaps[NDIM];
    int64_t shape[NDIM] = {3, 5, 7, 11};
    dense(shape, strides);
    isg_filter_layout l = isg_filter_layout_of(&plan, &columns, shape, strides, strides);
    ck_assert(l.count[2] == 5 && l.in[2] == 77 && l.count[3] == 77 && l.in[3] == 1 && l.count[0] == 3);
    l = isg_filter_layout_of(&plan, &rows, shape, strides, strides);
    ck_assert(l.count[3] == 11 && l.count[2] == 105 && l.in[2] == 11 && l.count[0] == 1);
    l = isg_filter_layout_of(&plan, &both, shape, strides, strides);
    ck_assert(l.count[3] == 11 && l.count[2] == 5 && l.in[2] == 77 && l.count[0] == 3 && l.count[1] == 7);
    // What has gaps, on either side, stays apart.
    for (int side = 0; side < 2; side++) {
        memcpy(gaps, strides, sizeof gaps);
        for (int a = 0; a < 3; a++)
            gaps[a] = 2 * strides[a];
        l = isg_filter_layout_of(&plan, &columns, shape, side ? strides : gaps, side ? gaps : strides);
        ck_assert(l.count[3] == 11 && l.count[2] == 5 && l.count[0] == 3 && l.count[1] == 7);
        gaps[1] = strides[1];
        l = isg_filter_layout_of(&plan, &rows, shape, side ? strides : gaps, side ? gaps : strides);
        ck_assert(l.count[3] == 11 && l.count[2] == 7 && l.count[0] == 3 && l.count[1] == 5);
    }
    // The longest is not the first, nor the last.
    const int64_t uneven[NDIM] = {3, 9, 7, 11};
    dense(uneven, strides);
    strides[0] *= 2;
    strides[1] *= 2;
    l = isg_filter_layout_of(&plan, &rows, uneven, strides, strides);
    ck_assert(l.count[3] == 11 && l.count[2] == 9 && l.in[2] == strides[1] && l.count[0] == 3 && l.count[1] == 7);
    // More than a launch counts.
    const int64_t large[NDIM] = {1 << 15, 3, 1 << 15, 1 << 14};
    dense(large, strides);
    l = isg_filter_layout_of(&plan, &columns, large, strides, strides);
    ck_assert(l.count[3] == 1 << 14 && l.count[2] == 3 && l.count[0] == 1 << 15 && l.count[1] == 1 << 15);
    l = isg_filter_layout_of(&plan, &rows, large, strides, strides);
    ck_assert(l.count[3] == 1 << 14 && l.count[2] == 1 << 15 && l.count[0] == 3 && l.count[1] == 1 << 15);
}
END_TEST

// Elements of every size, side by side and with gaps.
START_TEST(copies)
{
    static const int64_t counts[NDIM] = {2, 3, 2, 5};
    for (int64_t bytes = 1; bytes <= 8; bytes *= 2)
        for (int gaps = 0; gaps < 4; gaps++) {
            unsigned char from[2 * 60 * 8], to[2 * 60 * 8];
            const int64_t in = gaps & 1 ? 2 : 1, out = gaps & 2 ? 2 : 1;
            isg_filter_view a = {.data = (char *)from}, b = {.data = (char *)to};
            dense(counts, a.strides);
            dense(counts, b.strides);
            for (int i = 0; i < NDIM; i++) {
                a.strides[i] *= in;
                b.strides[i] *= out;
            }
            for (size_t i = 0; i < sizeof from; i++)
                from[i] = (unsigned char)(i * 7 + i / 256);
            memset(to, 0xa5, sizeof to);
            isg_filter_copy(a, NULL, b, counts, bytes);
            for (int64_t i = 0; i < 2 * 60; i++) {
                const unsigned char *at = to + i * bytes;
                if (i % out == 0 && i / out < 60)
                    ck_assert_mem_eq(at, from + i / out * in * bytes, (size_t)bytes);
                else
                    ck_assert(at[0] == 0xa5 && at[bytes - 1] == 0xa5);
            }
        }
}
END_TEST

// An array is written over from the beginning on, block by block of any length: every row that a block reaches is as it
// was.
START_TEST(kept)
{
    suite_random random = suite_stream(240);
    for (int round = 0; round < 3000; round++) {
        const int64_t n = 1 + random_below(&random, 30), length = 1 + random_below(&random, n);
        const int64_t shape[NDIM] = {1, 2, n, 3};
        isg_filter_axis axis = {.axis = 2,
                                .mode = (isg_mode)(1 + random_below(&random, ISG_MODE_COUNT - 1)),
                                .radius = random_below(&random, 40)};
        int16_t numbers[2 * 30 * 3];
        isg_filter_view array = {.data = (char *)numbers};
        isg_filter_kept k;
        dense(shape, array.strides);
        for (int64_t i = 0; i < 6 * n; i++)
            numbers[i] = (int16_t)i;
        ck_assert_int_eq(isg_filter_kept_make(&k, &axis, array, shape, sizeof *numbers, NULL), ISG_OK);
        for (int64_t begin = 0; begin < n; begin += length) {
            const int64_t count = isg_min(length, n - begin);
            isg_filter_span span;
            ck_assert_int_eq(isg_filter_span_make(&span, &axis, n, begin, count, NULL), ISG_OK);
            for (int64_t i = 0; i < span.rows; i++) {
                const int64_t row = isg_filter_span_source(&span, i);
                const isg_filter_view v = isg_filter_kept_row(&k, row);
                for (int p = 0; p < 2; p++)
                    for (int c = 0; c < 3; c++)
                        ck_assert_int_eq(((const int16_t *)(const void *)v.data)[p * v.strides[1] + c * v.strides[3]],
                                         (p * n + row) * 3 + c);
            }
            isg_filter_kept_pass(&k, begin + count);
            for (int64_t i = begin; i < begin + count; i++)
                for (int p = 0; p < 2; p++)
                    memset(numbers + (p * n + i) * 3, 0xa5, 3 * sizeof *numbers);
            isg_filter_span_free(&span);
        }
        isg_filter_kept_free(&k);
    }
}
END_TEST

// One number at a place, and what the plan makes of it.
START_TEST(large)
{
    static const struct {
        isg_dtype in, arithmetic;
        double number;
        isg_nan_policy policy;
        double fill;
        int mask; // of the number: -1: none
        bool large;
    } rows[] = {
        {ISG_F32, ISG_F32, 0x1p59, ISG_NAN_PROPAGATE, NAN, -1, false},
        {ISG_F32, ISG_F32, 0x1p60, ISG_NAN_PROPAGATE, NAN, -1, true},
        {ISG_F32, ISG_F32, -0x1p60, ISG_NAN_PROPAGATE, NAN, -1, true},
        {ISG_F32, ISG_F32, INFINITY, ISG_NAN_PROPAGATE, NAN, -1, false},
        {ISG_F32, ISG_F32, NAN, ISG_NAN_PROPAGATE, NAN, -1, false},
        {ISG_F32, ISG_F64, 0x1p100, ISG_NAN_PROPAGATE, NAN, -1, false},
        {ISG_F64, ISG_F32, 0x1p100, ISG_NAN_PROPAGATE, NAN, -1, true},
        {ISG_F64, ISG_F32, 0x1p200, ISG_NAN_PROPAGATE, NAN, -1, false}, // infinite in single precision
        {ISG_F64, ISG_F64, 0x1p900, ISG_NAN_PROPAGATE, NAN, -1, true},
        {ISG_F64, ISG_F64, 0x1p899, ISG_NAN_PROPAGATE, NAN, -1, false},
        {ISG_I32, ISG_F32, 0x1p30, ISG_NAN_PROPAGATE, NAN, -1, false},
        {ISG_F32, ISG_F32, 0x1p60, ISG_NAN_IGNORE, NAN, -1, true},
        {ISG_F32, ISG_F32, 0x1p60, ISG_NAN_IGNORE, NAN, 1, true},
        {ISG_F32, ISG_F32, 0x1p60, ISG_NAN_IGNORE, NAN, 0, false},
        {ISG_F32, ISG_F32, 0x1p60, ISG_NAN_FILL, 1, 0, false},
        {ISG_F32, ISG_F32, 1, ISG_NAN_FILL, 0x1p60, 0, true},
        {ISG_F32, ISG_F32, NAN, ISG_NAN_FILL, 0x1p60, -1, true},
        {ISG_F32, ISG_F32, NAN, ISG_NAN_IGNORE, 0x1p60, -1, false},
        {ISG_F32, ISG_F32, 0x1p60, ISG_NAN_IGNORE, NAN, 2, false},
    };
    static const double masks[] = {0, 1, NAN};
    for (size_t i = 0; i < COUNT(rows); i++) {
        double numbers[6] = {0}, valid[6] = {1, 1, 1, 1, 1, 1};
        isg_array in = {.dtype = rows[i].in, .ndim = NDIM, .shape = {1, 1, 2, 3}, .data = numbers};
        isg_array mask = {.dtype = rows[i].mask < 0 ? ISG_DTYPE_NONE : ISG_F64, .ndim = NDIM, .data = valid};
        dense(in.shape, in.strides);
        memcpy(mask.strides, in.strides, sizeof mask.strides);
        memcpy(mask.shape, in.shape, sizeof mask.shape);
        isg_store_double(rows[i].in, numbers, 4, rows[i].number);
        if (rows[i].mask >= 0)
            valid[4] = masks[rows[i].mask];
        const isg_filter_plan plan = {.dtype = rows[i].arithmetic, .policy = rows[i].policy, .fill = rows[i].fill};
        ck_assert_msg(isg_filter_holds_large(&plan, &in, &mask) == rows[i].large, "row %d", (int)i);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {conventions, refused, odd_numbers, layouts, copies, kept, large};
    return suite_run(suite_of("filter_plan", tests, COUNT(tests)));
}
