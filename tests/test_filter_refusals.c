// What filters, derived filters and convolutions refuse: a bad parameter each, the status, words of the message, and an
// output that stays as it was. Nothing here comes as far as a kernel.
#include "device.h"

#include <isogram/derived.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float in[12], out[12];

static isg_context *open_all(void)
{
    for (size_t i = 0; i < COUNT(out); i++)
        out[i] = 7;
    return device_open(ISG_ARITHMETIC_AUTO, 0);
}

static void check_refused(isg_context *context, int at, isg_status got, isg_status wanted, const char *says)
{
    const isg_error *error = isg_context_error(context);
    ck_assert_msg(got == wanted, "case %d: %s: %s", at, isg_status_name(got), error->message);
    ck_assert_msg(strstr(error->message, says) != NULL, "case %d says: %s", at, error->message);
    for (size_t i = 0; i < COUNT(out); i++)
        ck_assert_msg(out[i] == 7, "case %d wrote to its output", at);
}

static isg_array shaped(const void *data, isg_dtype dtype, int32_t ndim, int64_t n0, int64_t n1)
{
    isg_array a = isg_matrix(dtype, data, n0, n1);
    a.ndim = ndim;
    return a;
}

static isg_array with_strides(isg_array a, int64_t s0, int64_t s1)
{
    a.strides[0] = s0;
    a.strides[1] = s1;
    return a;
}

START_TEST(arrays)
{
    isg_context *context = open_all();
    const isg_array x = isg_matrix_f32(in, 3, 4), y = isg_matrix_f32(out, 3, 4), none = {.dtype = ISG_DTYPE_NONE};
    static const uint8_t valid[12] = {1};
    const struct {
        isg_array in, out, mask;
        isg_status status;
        const char *says;
    } cases[] = {
        {isg_matrix(ISG_I64, in, 3, 4), y, none, ISG_ERR_DTYPE, "the input is int64"},
        {x, isg_matrix(ISG_DTYPE_COUNT, out, 3, 4), none, ISG_ERR_DTYPE, "the output is unknown"},
        {shaped(in, ISG_F32, 0, 3, 4), y, none, ISG_ERR_SHAPE, "the input has 0 dimensions"},
        {shaped(in, ISG_F32, 5, 3, 4), y, none, ISG_ERR_SHAPE, "the input has 5 dimensions"},
        {isg_matrix_f32(NULL, 3, 4), y, none, ISG_ERR_ARGUMENT, "the input has no data"},
        {x, isg_matrix_f32(NULL, 3, 4), none, ISG_ERR_ARGUMENT, "the output has no data"},
        {isg_matrix_f32(in, 0, 4), y, none, ISG_ERR_SHAPE, "the input is empty along axis 0"},
        {isg_matrix_f32(in, -3, 4), y, none, ISG_ERR_SHAPE, "negative"},
        {isg_matrix_f32(in, 1, 1LL << 30), y, none, ISG_ERR_OVERFLOW, "axis 1 of the input is too long"},
        {with_strides(x, INT64_MAX, 1), y, none, ISG_ERR_OVERFLOW, "input"},
        {x, isg_matrix_f32(out, 4, 3), none, ISG_ERR_SHAPE, "the input's shape"},
        {x, isg_vector(ISG_F32, out, 3), none, ISG_ERR_SHAPE, "the input's shape"},
        {x, with_strides(y, 1, 1), none, ISG_ERR_SHAPE, "overlap, or might"},
        {x, with_strides(y, 0, 1), none, ISG_ERR_SHAPE, "overlap, or might"},
        {isg_matrix_f32(out, 3, 4), with_strides(y, -4, 1), none, ISG_ERR_ARGUMENT, ""},
        {isg_matrix(ISG_I32, out, 3, 4), y, none, ISG_ERR_ARGUMENT, "overlaps the input"},
        {isg_matrix_f32(out, 2, 4), isg_matrix_f32(out + 1, 2, 4), none, ISG_ERR_ARGUMENT, "overlaps the input"},
        {x, y, isg_matrix(ISG_DTYPE_COUNT, valid, 3, 4), ISG_ERR_DTYPE, "the mask is of an unknown type"},
        {x, y, isg_matrix(ISG_U8, NULL, 3, 4), ISG_ERR_ARGUMENT, "the mask has no data"},
        {x, y, isg_matrix(ISG_U8, valid, 4, 3), ISG_ERR_SHAPE, "the mask's axes"},
        {x, y, isg_vector(ISG_U8, valid, 3), ISG_ERR_SHAPE, "the mask's axes"},
        {x, y, shaped(valid, ISG_U8, 0, 1, 1), ISG_ERR_SHAPE, "the mask's axes"},
        {x, y, shaped(valid, ISG_U8, 3, 3, 4), ISG_ERR_SHAPE, "the mask's axes"},
        {x, y, with_strides(isg_matrix(ISG_U8, valid, 3, 4), INT64_MAX, 1), ISG_ERR_OVERFLOW, "mask"},
        {x, y, isg_matrix(ISG_U8, out, 3, 4), ISG_ERR_ARGUMENT, "the output overlaps the mask"},
    };
    // In place is the same data in the same order.
    check_refused(context, -1,
                  isg_filter(context, shaped(out, ISG_F32, 2, 2, 2), with_strides(isg_matrix_f32(out, 2, 2), 1, 2),
                             isg_filter_params(.sigma = {1})),
                  ISG_ERR_ARGUMENT, "overlaps the input");
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_array to = cases[i].out;
        if (to.strides[0] == -4)
            to.data = out + 8;
        isg_filter_params params = {.sigma = {1}, .mask = cases[i].mask};
        check_refused(context, (int)i, isg_filter(context, cases[i].in, to, &params), cases[i].status, cases[i].says);
    }
    isg_context_destroy(&context);
}
END_TEST

START_TEST(filters)
{
    isg_context *context = open_all();
    const isg_array x = isg_matrix_f32(in, 3, 4), y = isg_matrix_f32(out, 3, 4);
    const struct {
        isg_filter_params params;
        isg_status status;
        const char *says;
    } cases[] = {
        {{.sigma = {1}, .precision = (isg_precision)9}, ISG_ERR_ARGUMENT, "unknown precision"},
        {{.sigma = {1}, .truncate = -1}, ISG_ERR_ARGUMENT, "truncate -1"},
        {{.sigma = {1}, .truncate = INFINITY}, ISG_ERR_ARGUMENT, "truncate inf"},
        {{.sigma = {1}, .sampling = ISG_SAMPLING_DELTA}, ISG_ERR_ARGUMENT, "delta sampling"},
        {{.sigma = {1}, .like = "matlab"}, ISG_ERR_ARGUMENT, "matlab"},
        {{.sigma = {1}, .axis_count = -1}, ISG_ERR_ARGUMENT, "-1 axes of an array of 2"},
        {{.sigma = {1}, .axis_count = 3}, ISG_ERR_ARGUMENT, "3 axes of an array of 2"},
        {{.sigma = {1}, .axes = {2}, .axis_count = 1}, ISG_ERR_ARGUMENT, "axis 2 of an array of 2"},
        {{.sigma = {1}, .axes = {-3}, .axis_count = 1}, ISG_ERR_ARGUMENT, "axis -3 of an array of 2"},
        {{.sigma = {1}, .axes = {1, -1}, .axis_count = 2}, ISG_ERR_ARGUMENT, "is named twice"},
        {{.sigma = {-1}}, ISG_ERR_ARGUMENT, "sigma -1 on axis 0"},
        {{.sigma = {1, INFINITY}, .each = 1}, ISG_ERR_ARGUMENT, "sigma inf on axis 1"},
        {{.sigma = {1}, .order = {-1}}, ISG_ERR_ARGUMENT, "order -1"},
        {{.sigma = {1}, .order = {5}}, ISG_ERR_ARGUMENT, "order 5"},
        {{.sigma = {1}, .mode = {ISG_MODE_COUNT}}, ISG_ERR_ARGUMENT, "unknown mode"},
        {{.sigma = {1}, .radius = {-1}}, ISG_ERR_ARGUMENT, "radius -1"},
        {{.sigma = {0}, .order = {1}}, ISG_ERR_ARGUMENT, "needs a sigma"},
        {{.sigma = {1e10}}, ISG_ERR_ARGUMENT, "is beyond"},
        {{.sigma = {1e300}}, ISG_ERR_ARGUMENT, "is beyond"},
        {{.sigma = {1}, .radius = {1LL << 40}}, ISG_ERR_ARGUMENT, "is beyond"},
        {{.sigma = {1}, .order = {3}, .radius = {1}}, ISG_ERR_ARGUMENT, "too high for radius 1"},
        {{.sigma = {1}, .order = {1}, .nan = ISG_NAN_IGNORE}, ISG_ERR_ARGUMENT, "a mean of the valid elements"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(context, (int)i, isg_filter(context, x, y, &cases[i].params), cases[i].status, cases[i].says);
    check_refused(context, -1, isg_filter(context, x, y, NULL), ISG_ERR_ARGUMENT, "needs parameters");
    isg_context_destroy(&context);
}
END_TEST

// Weights are told without a device.
START_TEST(weights)
{
    const struct {
        const isg_filter_params *params;
        int32_t ndim, axis;
        isg_status status;
    } cases[] = {
        {NULL, 1, 0, ISG_ERR_ARGUMENT},
        {isg_filter_params(.sigma = {1}), 0, 0, ISG_ERR_SHAPE},
        {isg_filter_params(.sigma = {1}), 5, 0, ISG_ERR_SHAPE},
        {isg_filter_params(.sigma = {1}), 2, 2, ISG_ERR_ARGUMENT},
        {isg_filter_params(.sigma = {1}), 2, -1, ISG_ERR_ARGUMENT},
        {isg_filter_params(.sigma = {-1}), 2, 0, ISG_ERR_ARGUMENT},
        {isg_filter_params(.sigma = {1}, .axes = {9}, .axis_count = 1), 2, 0, ISG_ERR_ARGUMENT},
        {isg_filter_params(.sigma = {1e-14}, .order = {4}, .radius = {3}), 1, 0, ISG_ERR_RANGE},
        {isg_filter_params(.sigma = {1}, .order = {4}, .radius = {2}, .exact = 1), 1, 0, ISG_OK},
        {isg_filter_params(.sigma = {1}, .axes = {1}, .axis_count = 1), 2, 0, ISG_OK},
        {isg_filter_params(.sigma = {0}), 1, 0, ISG_OK},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        double few[3] = {7, 7, 7};
        int64_t count = 7;
        isg_error error = {ISG_OK, ""};
        isg_status st = isg_filter_weights(cases[i].params, cases[i].ndim, cases[i].axis, few, 2, &count, &error);
        ck_assert_msg(st == cases[i].status, "case %d: %s, %s", (int)i, isg_status_name(st), error.message);
        ck_assert(few[2] == 7);
        ck_assert_int_eq(isg_filter_weights(cases[i].params, cases[i].ndim, cases[i].axis, NULL, 2, &count, NULL), st);
    }
    ck_assert_str_eq(isg_mode_name(ISG_MODE_DEFAULT), "default");
    ck_assert_str_eq(isg_mode_name(ISG_MODE_COUNT), "default");
    ck_assert_str_eq(isg_nan_policy_name(ISG_NAN_COUNT), "default");
    ck_assert_str_eq(isg_nan_policy_name(ISG_NAN_DEFAULT), "default");
    ck_assert_int_eq(isg_mode_named("no such mode"), ISG_MODE_DEFAULT);
    ck_assert_str_eq(isg_derived_name(ISG_DERIVED_COUNT), "unknown");
}
END_TEST

START_TEST(derived)
{
    isg_context *context = open_all();
    const isg_array x = isg_matrix_f32(in, 3, 4), y = isg_matrix_f32(out, 3, 4);
    const struct {
        isg_derived what;
        isg_derived_params params;
        isg_status status;
        const char *says;
    } cases[] = {
        {ISG_DERIVED_COUNT, {.filter.sigma = {1}}, ISG_ERR_ARGUMENT, ""},
        {ISG_DERIVED_LAPLACIAN, {.filter = {.sigma = {1}, .axis_count = -1}}, ISG_ERR_ARGUMENT, "-1 axes"},
        // More axes than there is room for in the list: nothing beyond it is read.
        {ISG_DERIVED_LAPLACIAN, {.filter = {.sigma = {1}, .axis_count = 1 << 30}}, ISG_ERR_ARGUMENT, "1073741824 axes"},
        {ISG_DERIVED_GRADIENT_MAGNITUDE, {.filter = {.sigma = {1}, .axis_count = 3}}, ISG_ERR_ARGUMENT, "3 axes"},
        {ISG_DERIVED_LAPLACIAN, {.filter = {.sigma = {1}, .axes = {5}, .axis_count = 1}}, ISG_ERR_ARGUMENT, ""},
        {ISG_DERIVED_LAPLACIAN, {.filter = {.sigma = {1}, .order = {1}}}, ISG_ERR_ARGUMENT, "of what is derived"},
        {ISG_DERIVED_LAPLACIAN,
         {.filter = {.sigma = {1}, .nan = ISG_NAN_IGNORE}},
         ISG_ERR_ARGUMENT,
         "made of derivatives"},
        {ISG_DERIVED_GRADIENT_MAGNITUDE,
         {.filter = {.sigma = {1}, .nan = ISG_NAN_PRESERVE}},
         ISG_ERR_ARGUMENT,
         "made of"},
        {ISG_DERIVED_LAPLACIAN, {.filter.sigma = {-1}}, ISG_ERR_ARGUMENT, "sigma -1"},
        {ISG_DERIVED_STRUCTURE_TENSOR, {.filter.sigma = {1}, .inner = -1}, ISG_ERR_ARGUMENT, "inner sigma of -1"},
        {ISG_DERIVED_STRUCTURE_TENSOR,
         {.filter.sigma = {1}, .inner = INFINITY},
         ISG_ERR_ARGUMENT,
         "inner sigma of inf"},
        {ISG_DERIVED_STRUCTURE_TENSOR, {.filter = {.sigma = {1}, .truncate = -1}}, ISG_ERR_ARGUMENT, "truncate"},
        {ISG_DERIVED_DIFFERENCE, {.filter.sigma = {2}, .sigma2 = {1}}, ISG_ERR_ARGUMENT, "smaller than sigma"},
        {ISG_DERIVED_DIFFERENCE, {.filter.sigma = {2}, .sigma2 = {-1}}, ISG_ERR_ARGUMENT, "sigma2 -1"},
        {ISG_DERIVED_DIFFERENCE, {.filter.sigma = {-2}}, ISG_ERR_ARGUMENT, "sigma -2"},
        {ISG_DERIVED_UNSHARP, {.filter.sigma = {1}, .amount = NAN}, ISG_ERR_ARGUMENT, "an amount of nan"},
        {ISG_DERIVED_UNSHARP, {.filter = {.sigma = {1}, .truncate = -1}}, ISG_ERR_ARGUMENT, "truncate"},
        {ISG_DERIVED_LAPLACIAN, {.filter.sigma = {0}}, ISG_ERR_ARGUMENT, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(context, (int)i, isg_filter_derived(context, cases[i].what, x, &y, 1, &cases[i].params),
                      cases[i].status, cases[i].says);
    const isg_derived_params *good = isg_derived_params(.filter = {.sigma = {1}});
    const isg_array half = with_strides(y, INT64_MAX, 1);
    check_refused(context, -1, isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, x, &y, 1, NULL), ISG_ERR_ARGUMENT,
                  "");
    check_refused(context, -2, isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, x, &y, 0, good), ISG_ERR_ARGUMENT,
                  "needs parameters and outputs");
    check_refused(context, -3, isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, x, NULL, 1, good), ISG_ERR_ARGUMENT,
                  "needs parameters and outputs");
    check_refused(context, -4, isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, x, &half, 1, good), ISG_ERR_OVERFLOW,
                  "output");
    // The second output is looked at as the first one is.
    const isg_array three[3] = {y, half, y};
    check_refused(context, -5, isg_filter_derived(context, ISG_DERIVED_STRUCTURE_TENSOR, x, three, 3, good),
                  ISG_ERR_OVERFLOW, "output");
    ck_assert_int_eq(isg_derived_outputs(ISG_DERIVED_LAPLACIAN,
                                         isg_derived_params(.filter = {.sigma = {1}, .axis_count = 1 << 30}), 2),
                     0);
    ck_assert_int_eq(isg_derived_outputs(ISG_DERIVED_STRUCTURE_TENSOR, isg_derived_params(.filter = {.sigma = {1}}), 3),
                     6);
    isg_context_destroy(&context);
}
END_TEST

START_TEST(convolutions)
{
    isg_context *context = open_all();
    const isg_array x = isg_matrix_f32(in, 3, 4), y = isg_matrix_f32(out, 3, 4);
    float w[4] = {1, 2, 3, 4}, bad[4] = {1, NAN, 1, 1}, large[4] = {1e20f, 1, 1, 1}, small[4] = {1e-30f, 0, 0, 0};
    const isg_array square = isg_matrix_f32(w, 2, 2), line = isg_vector(ISG_F32, w, 4);
    isg_array opaque = square;
    opaque.mem = (void *)w;
    const struct {
        isg_array stencil;
        isg_convolve_params params;
        isg_status status;
        const char *says;
    } cases[] = {
        {square, {.precision = (isg_precision)9}, ISG_ERR_ARGUMENT, "unknown precision"},
        {square, {.correlate = 2}, ISG_ERR_ARGUMENT, "0 or 1"},
        {square, {.each = -1}, ISG_ERR_ARGUMENT, "0 or 1"},
        {opaque, {0}, ISG_ERR_ARGUMENT, "must be in host memory"},
        {isg_matrix_f32(NULL, 2, 2), {0}, ISG_ERR_ARGUMENT, "has no data"},
        {isg_matrix(ISG_DTYPE_NONE, w, 2, 2), {0}, ISG_ERR_DTYPE, "no type of numbers"},
        {shaped(w, ISG_F32, 0, 1, 1), {0}, ISG_ERR_SHAPE, "has 0 axes"},
        {shaped(w, ISG_F32, 4, 1, 1), {0}, ISG_ERR_SHAPE, "has 4 axes"},
        {shaped(w, ISG_F32, 3, 1, 1), {0}, ISG_ERR_SHAPE, "has 3 axes; of an array of 2"},
        {isg_matrix_f32(w, -2, 2), {0}, ISG_ERR_SHAPE, "negative"},
        {isg_matrix_f32(w, 0, 2), {0}, ISG_ERR_SHAPE, "0 weights"},
        {isg_matrix_f32(w, 1 << 20, 1 << 20), {0}, ISG_ERR_SHAPE, "weights; it has 1 to"},
        {square, {.axis_count = 1, .axes = {0}}, ISG_ERR_ARGUMENT, "1 axes are named for a stencil of 2"},
        {line, {.axis_count = 1, .axes = {2}}, ISG_ERR_ARGUMENT, "axis 2 of an array of 2"},
        {line, {.axis_count = 1, .axes = {-3}}, ISG_ERR_ARGUMENT, "axis -3 of an array of 2"},
        {square, {.axis_count = 2, .axes = {1, 0}}, ISG_ERR_ARGUMENT, "in ascending order"},
        {square, {.mode = {ISG_MODE_COUNT}}, ISG_ERR_ARGUMENT, "unknown mode"},
        {isg_matrix_f32(bad, 2, 2), {0}, ISG_ERR_NONFINITE, "weight 1 of the stencil, row-major, is nan"},
        {isg_matrix_f32(large, 2, 2), {0}, ISG_ERR_RANGE, "out of range"},
        {isg_matrix_f32(small, 2, 2), {0}, ISG_ERR_RANGE, "out of range"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(context, (int)i, isg_convolve(context, x, cases[i].stencil, y, &cases[i].params), cases[i].status,
                      cases[i].says);
    check_refused(context, -1, isg_convolve(context, isg_matrix(ISG_I64, in, 3, 4), square, y, NULL), ISG_ERR_DTYPE,
                  "the input is int64");
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {arrays, filters, weights, derived, convolutions};
    return suite_run(suite_of("filter_refusals", tests, COUNT(tests)));
}
