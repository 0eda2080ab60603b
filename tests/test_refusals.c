// What the fronts refuse: a bad parameter each, the status, words of the message, and an output that stays as it was.
// Nothing here comes as far as a kernel.
#include "composite.h"
#include "device.h"

#include <isogram/derived.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float numbers[6] = {1, 2, 3, 4, 5, 6}, out[12];

static void check_refused(isg_context *context, int at, isg_status got, isg_status wanted, const char *says)
{
    const isg_error *error = isg_context_error(context);
    ck_assert_msg(got == wanted, "case %d: %s: %s", at, isg_status_name(got), error->message);
    ck_assert_msg(strstr(error->message, says) != NULL, "case %d says: %s", at, error->message);
    for (size_t i = 0; i < COUNT(out); i++)
        ck_assert_msg(out[i] == 7, "case %d wrote to its output", at);
}

static isg_context *open_all(void)
{
    for (size_t i = 0; i < COUNT(out); i++)
        out[i] = 7;
    return device_open(ISG_ARITHMETIC_AUTO, 0);
}

static isg_array with_strides(isg_array a, int64_t s0, int64_t s1)
{
    a.strides[0] = s0;
    a.strides[1] = s1;
    return a;
}

static isg_array with_axes(isg_array a, int32_t ndim)
{
    a.ndim = ndim;
    return a;
}

START_TEST(products)
{
    isg_context *context = open_all();
    isg_gram *gram;
    // 3 x 2: K(X, Y).
    device_ok(context,
              isg_gram_create(context, &gram,
                              isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2), .y = isg_matrix_f32(numbers, 2, 2))));
    const isg_array v = isg_matrix_f32(numbers, 2, 2), to = isg_matrix_f32(out, 3, 2);
    const struct {
        isg_array v, out;
        isg_apply_params params;
        isg_status status;
        const char *says;
    } cases[] = {
        {v, to, {.accumulate = (isg_precision)3}, ISG_ERR_ARGUMENT, "sums are of"},
        {v, to, {.alpha = NAN}, ISG_ERR_ARGUMENT, "alpha nan"},
        {v, to, {.alpha = 1e39}, ISG_ERR_ARGUMENT, "finite in single precision"},
        {v, to, {.beta = -INFINITY}, ISG_ERR_ARGUMENT, "beta -inf"},
        {v, to, {.alpha = INFINITY, .accumulate = ISG_PRECISION_F64}, ISG_ERR_ARGUMENT, "must be finite"},
        {v, to, {.skip = (isg_skip)9}, ISG_ERR_ARGUMENT, "skipping 9"},
        {v, to, {.tolerance = 1}, ISG_ERR_ARGUMENT, "tolerance 1"},
        {v, to, {.tolerance = -0.1}, ISG_ERR_ARGUMENT, "tolerance -0.1"},
        {v, to, {.tolerance = NAN}, ISG_ERR_ARGUMENT, "tolerance nan"},
        {with_axes(v, 3), to, {0}, ISG_ERR_SHAPE, "V must be a matrix"},
        {isg_matrix_f32(NULL, 2, 2), to, {0}, ISG_ERR_SHAPE, "with data"},
        {isg_matrix_f32(numbers, 3, 2), to, {0}, ISG_ERR_SHAPE, "V is 3 x 2, and must have 2 rows"},
        {isg_matrix_f32(numbers, 2, -1), to, {0}, ISG_ERR_SHAPE, "V is 2 x -1"},
        {v, isg_matrix_f32(out, 2, 2), {0}, ISG_ERR_SHAPE, "OUT is 2 x 2, and must have 3 rows"},
        {v, isg_matrix_f32(out, 3, 3), {0}, ISG_ERR_SHAPE, "and V's columns"},
        {v, isg_matrix_f32(out, 3, 2), {.transpose = 1}, ISG_ERR_SHAPE, "V is 2 x 2, and must have 3 rows"},
        {isg_matrix(ISG_F16, numbers, 2, 2), to, {0}, ISG_ERR_DTYPE, "V is of float16"},
        {isg_matrix(ISG_DTYPE_NONE, numbers, 2, 2), to, {0}, ISG_ERR_DTYPE, "V is of none"},
        {v, isg_matrix(ISG_F64, out, 3, 2), {0}, ISG_ERR_DTYPE, "OUT is float64, the sums float32"},
        {v, isg_matrix(ISG_I32, out, 3, 2), {.accumulate = ISG_PRECISION_F64}, ISG_ERR_DTYPE, "OUT is int32, the sums"},
        {isg_matrix_f32(out, 2, 2), to, {0}, ISG_ERR_ARGUMENT, "overlaps the memory of V"},
        {v, with_strides(to, 1, 1), {0}, ISG_ERR_SHAPE, "overlap"},
        {with_strides(v, INT64_MAX, 1), to, {0}, ISG_ERR_OVERFLOW, "V"},
        {v, with_strides(to, INT64_MAX, 1), {0}, ISG_ERR_OVERFLOW, "OUT"},
        {v, with_strides(to, (int64_t)1 << 60, 1), {0}, ISG_ERR_OVERFLOW, "OUT"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(context, (int)i, isg_gram_apply(gram, cases[i].v, cases[i].out, &cases[i].params),
                      cases[i].status, cases[i].says);
    float more[4] = {1, -1, 2, 0.5F}, got[6], plain[6];
    const isg_array w = isg_matrix_f32(more, 2, 2);
    check_refused(context, 50, isg_gram_apply(gram, w, isg_matrix_f32(numbers, 3, 2), NULL), ISG_ERR_ARGUMENT,
                  "overlaps the memory of V or of the points");
    isg_gram *apart;
    device_ok(context,
              isg_gram_create(context, &apart,
                              isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2), .y = isg_matrix_f32(got, 2, 2))));
    check_refused(context, 51, isg_gram_apply(apart, w, isg_matrix_f32(got, 3, 2), NULL), ISG_ERR_ARGUMENT,
                  "overlaps the memory of V or of the points");
    isg_gram_destroy(&apart);
    // No columns need no memory; and single precision may be said.
    device_ok(context, isg_gram_apply(gram, isg_matrix_f32(NULL, 2, 0), isg_matrix_f32(NULL, 3, 0), NULL));
    device_ok(context,
              isg_gram_apply(gram, w, isg_matrix_f32(got, 3, 2), isg_apply_params(.accumulate = ISG_PRECISION_F32)));
    device_ok(context, isg_gram_apply(gram, w, isg_matrix_f32(plain, 3, 2), NULL));
    ck_assert_mem_eq(got, plain, sizeof got);
    isg_gram_destroy(&gram);
    double wide[6] = {1, 2, 3, 4, 5, 6};
    if (isg_context_device(context)->lanes_f64 > 0) {
        device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f64(wide, 3, 2))));
        check_refused(context, 100,
                      isg_gram_apply(gram, isg_matrix_f64(wide, 3, 1), isg_matrix(ISG_F64, out, 3, 1),
                                     isg_apply_params(.accumulate = ISG_PRECISION_F32)),
                      ISG_ERR_ARGUMENT, "or of double");
        check_refused(context, 101,
                      isg_gram_gradient(gram, isg_gradient_params(.v = isg_vector(ISG_F64, wide, 3),
                                                                  .w = isg_vector(ISG_F64, wide, 3),
                                                                  .x = isg_matrix(ISG_F64, out, 3, 2),
                                                                  .accumulate = ISG_PRECISION_F32)),
                      ISG_ERR_ARGUMENT, "or of double");
        isg_gram_destroy(&gram);
    }
    isg_context_destroy(&context);
}
END_TEST

START_TEST(reductions)
{
    isg_context *context = open_all();
    isg_gram *gram;
    device_ok(context,
              isg_gram_create(context, &gram,
                              isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2), .y = isg_matrix_f32(numbers, 2, 2))));
    float weights[2] = {1, -1}, more[2] = {1, INFINITY}, good[2] = {1, 2}, both[3] = {1, 2, 3};
    int64_t places[6] = {0};
    const isg_array to = isg_vector(ISG_F32, out, 3), pairs = isg_matrix_f32(out, 3, 2),
                    vectors = isg_matrix_f32(numbers, 2, 2), ones = isg_vector(ISG_F32, numbers, 2);
    const struct {
        isg_reduce_params params;
        isg_status status;
        const char *says;
    } cases[] = {
        {{.reduction = ISG_REDUCTION_COUNT, .out = to}, ISG_ERR_ARGUMENT, "unknown reduction"},
        {{.skip = (isg_skip)9, .out = to}, ISG_ERR_ARGUMENT, "skipping 9"},
        {{.tolerance = 1, .out = to}, ISG_ERR_ARGUMENT, "tolerance 1"},
        {{.tolerance = -1, .out = to}, ISG_ERR_ARGUMENT, "tolerance -1"},
        {{.reduction = ISG_REDUCE_LOGSUMEXP, .tolerance = 0.1, .out = to}, ISG_ERR_ARGUMENT, "is for sums"},
        {{.reduction = ISG_REDUCE_LEAST, .count = 3, .out = to}, ISG_ERR_ARGUMENT, "3 values of each 2; 1 to 2"},
        {{.reduction = ISG_REDUCE_LEAST, .count = -1, .out = to}, ISG_ERR_ARGUMENT, "-1 values"},
        {{.reduction = ISG_REDUCE_LARGEST, .count = ISG_MOST_EXTREMES + 1, .out = to}, ISG_ERR_ARGUMENT, "values of"},
        {{.weights = ones, .out = to}, ISG_ERR_ARGUMENT, "weights are for"},
        {{.v = vectors, .out = to}, ISG_ERR_ARGUMENT, "weights are for"},
        {{.count = 1, .out = to}, ISG_ERR_ARGUMENT, "are for extremes"},
        {{.indices = isg_vector(ISG_I64, places, 3), .out = to}, ISG_ERR_ARGUMENT, "are for extremes"},
        {{.reduction = ISG_REDUCE_MEAN, .out = to}, ISG_ERR_ARGUMENT, "are of vectors v"},
        {{.reduction = ISG_REDUCE_LOGSUMEXP, .v = vectors, .out = to}, ISG_ERR_ARGUMENT, "are of vectors v"},
        {{.reduction = ISG_REDUCE_LOGSUMEXP, .weights = isg_vector(ISG_F32, weights, 2), .out = to},
         ISG_ERR_ARGUMENT,
         "weight 1 is -1"},
        {{.reduction = ISG_REDUCE_LOGSUMEXP, .weights = isg_vector(ISG_F32, more, 2), .out = to},
         ISG_ERR_ARGUMENT,
         "weight 1 is inf"},
        {{.reduction = ISG_REDUCE_LOGSUMEXP, .weights = isg_vector(ISG_F32, numbers, 3), .out = to},
         ISG_ERR_SHAPE,
         "weights must have data and 2 rows"},
        {{.reduction = ISG_REDUCE_LOGSUMEXP, .weights = isg_vector(ISG_F16, numbers, 2), .out = to},
         ISG_ERR_DTYPE,
         "weights is of float16"},
        {{.reduction = ISG_REDUCE_MEAN, .v = isg_matrix_f32(numbers, 2, 0), .out = to}, ISG_ERR_SHAPE, "v must have"},
        {{.reduction = ISG_REDUCE_MEAN, .v = isg_matrix_f32(NULL, 2, 2), .out = pairs},
         ISG_ERR_SHAPE,
         "v must have data"},
        {{.reduction = ISG_REDUCE_MEAN, .v = with_axes(vectors, 3), .out = pairs}, ISG_ERR_SHAPE, "v must have data"},
        {{.reduction = ISG_REDUCE_MEAN, .v = isg_matrix(ISG_DTYPE_COUNT, numbers, 2, 2), .out = pairs},
         ISG_ERR_DTYPE,
         "v is of unknown"},
        {{.reduction = ISG_REDUCE_MEAN, .v = with_strides(vectors, INT64_MAX, 2), .out = pairs}, ISG_ERR_OVERFLOW, "v"},
        {{.reduction = ISG_REDUCE_MEAN, .v = vectors, .out = to}, ISG_ERR_SHAPE, "out has 1 columns, and must have 2"},
        {{.out = isg_vector(ISG_F64, out, 3)}, ISG_ERR_DTYPE, "out is float64, and must be float32"},
        {{.out = isg_vector(ISG_F32, out, 2)}, ISG_ERR_SHAPE, "out must have data and 3 rows"},
        {{.out = with_strides(to, 0, 1)}, ISG_ERR_SHAPE, "overlap"},
        {{.out = with_strides(to, INT64_MAX, 1)}, ISG_ERR_OVERFLOW, "out"},
        // 2^61 elements fit 64 bits, their bytes do not.
        {{.out = with_strides(to, (int64_t)1 << 60, 1)}, ISG_ERR_OVERFLOW, "out"},
        {{.out = with_strides(to, -((int64_t)1 << 60), 1)}, ISG_ERR_OVERFLOW, "out"},
        {{.out = isg_vector(ISG_F32, numbers, 3)}, ISG_ERR_ARGUMENT, "overlaps the memory of another array"},
        {{.reduction = ISG_REDUCE_LEAST, .out = to, .indices = isg_vector(ISG_I32, places, 3)},
         ISG_ERR_DTYPE,
         "indices is int32"},
        {{.reduction = ISG_REDUCE_LEAST, .out = to, .indices = isg_vector(ISG_I64, out, 3)},
         ISG_ERR_ARGUMENT,
         "overlaps"},
        {{.reduction = ISG_REDUCE_MEAN, .v = isg_vector(ISG_F32, out, 2), .out = to}, ISG_ERR_ARGUMENT, "overlaps"},
        {{.reduction = ISG_REDUCE_LOGSUMEXP, .weights = isg_vector(ISG_F32, out, 2), .out = to},
         ISG_ERR_ARGUMENT,
         "overlaps"},
        {{.reduction = ISG_REDUCE_LOGSUMEXP,
          .weights = isg_vector(ISG_F32, good, 2),
          .out = isg_vector(ISG_F32, numbers, 3)},
         ISG_ERR_ARGUMENT,
         "overlaps"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(context, (int)i, isg_gram_reduce(gram, &cases[i].params), cases[i].status, cases[i].says);
    check_refused(context, -1, isg_gram_reduce(gram, NULL), ISG_ERR_ARGUMENT, "needs an output");
    isg_gram *apart;
    device_ok(context, isg_gram_create(
                           context, &apart,
                           isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2), .y = isg_matrix_f32(both + 1, 1, 2))));
    check_refused(context, -2, isg_gram_reduce(apart, isg_reduce_params(.out = isg_vector(ISG_F32, both, 3))),
                  ISG_ERR_ARGUMENT, "overlaps");
    isg_gram_destroy(&apart);
    // A sum may have a tolerance.
    float sums[3];
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.out = isg_vector(ISG_F32, sums, 3), .tolerance = 0.1)));
    for (int i = 0; i < 3; i++)
        ck_assert(sums[i] > 0 && sums[i] < 2);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

START_TEST(gradients)
{
    isg_context *context = open_all();
    isg_gram *gram, *alone;
    device_ok(context,
              isg_gram_create(context, &gram,
                              isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2), .y = isg_matrix_f32(numbers, 2, 2))));
    device_ok(context, isg_gram_create(context, &alone, isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2))));
    const isg_array v = isg_vector(ISG_F32, numbers, 3), w = isg_vector(ISG_F32, numbers, 2),
                    x = isg_matrix_f32(out, 3, 2), y = isg_matrix_f32(out + 6, 2, 2);
    const struct {
        isg_gradient_params params;
        isg_status status;
        const char *says;
    } cases[] = {
        {{.v = v, .w = w, .x = x, .accumulate = (isg_precision)5}, ISG_ERR_ARGUMENT, "sums are of"},
        {{.v = v, .w = w}, ISG_ERR_ARGUMENT, "nothing of the gradient"},
        {{.v = w, .w = w, .x = x}, ISG_ERR_SHAPE, "V is 2 x 1, and must have 3 rows"},
        {{.v = isg_matrix_f32(numbers, 3, -1), .w = w, .x = x}, ISG_ERR_SHAPE, "V is 3 x -1"},
        {{.v = isg_matrix_f32(NULL, 3, 1), .w = w, .x = x}, ISG_ERR_SHAPE, "V must be a matrix"},
        {{.v = with_axes(v, 4), .w = w, .x = x}, ISG_ERR_SHAPE, "V must be a matrix"},
        {{.v = v, .w = isg_matrix_f32(numbers, 2, 2), .x = x}, ISG_ERR_SHAPE, "W is 2 x 2, and must have 2 rows and 1"},
        {{.v = isg_vector(ISG_F16, numbers, 3), .w = w, .x = x}, ISG_ERR_DTYPE, "V is of float16"},
        {{.v = v, .w = isg_vector(ISG_DTYPE_NONE, numbers, 2), .x = x}, ISG_ERR_DTYPE, "W: unknown element type"},
        {{.v = v, .w = w, .x = isg_matrix(ISG_F64, out, 3, 2)}, ISG_ERR_DTYPE, "X's gradient is float64"},
        {{.v = v, .w = w, .x = isg_matrix(ISG_I32, out, 3, 2), .accumulate = ISG_PRECISION_F64},
         ISG_ERR_DTYPE,
         "X's gradient is int32"},
        {{.v = v, .w = w, .x = isg_matrix_f32(out, 3, 3)}, ISG_ERR_SHAPE, "X's gradient is 3 x 3"},
        {{.v = v, .w = w, .y = isg_matrix_f32(out, 3, 2)}, ISG_ERR_SHAPE, "Y's gradient is 3 x 2"},
        {{.v = v, .w = w, .x = isg_matrix_f32(numbers, 3, 2)}, ISG_ERR_ARGUMENT, "overlaps"},
        {{.v = v, .w = w, .x = x, .y = isg_matrix_f32(out + 4, 2, 2)}, ISG_ERR_ARGUMENT, "Y's gradient overlaps"},
        {{.v = v, .w = w, .y = with_strides(y, 1, 1)}, ISG_ERR_SHAPE, "overlap"},
        {{.v = v, .w = w, .x = with_strides(x, INT64_MAX, 1)}, ISG_ERR_OVERFLOW, "X's gradient"},
        {{.v = v, .w = w, .x = with_strides(x, (int64_t)1 << 60, 1)}, ISG_ERR_OVERFLOW, "X's gradient"},
        {{.v = with_strides(v, INT64_MAX, 1), .w = w, .x = x}, ISG_ERR_OVERFLOW, "V"},
        {{.v = {ISG_F32, 1, {3}, {1}, NULL, (cl_mem)(void *)out, 0}, .w = w, .x = x},
         ISG_ERR_ARGUMENT,
         "V is a cl_mem"},
        {{.v = {ISG_F32, 2, {3, INT32_MAX}, {0, 0}, numbers, NULL, 0},
          .w = {ISG_F32, 2, {2, INT32_MAX}, {0, 0}, numbers, NULL, 0},
          .x = x},
         ISG_ERR_OVERFLOW,
         "V has 2147483647 columns"},
        {{.v = isg_matrix_f32(NULL, 3, 0), .w = with_axes(isg_matrix_f32(NULL, 2, 0), 3), .x = x},
         ISG_ERR_SHAPE,
         "W must be"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(context, (int)i, isg_gram_gradient(gram, &cases[i].params), cases[i].status, cases[i].says);
    check_refused(context, -1, isg_gram_gradient(gram, NULL), ISG_ERR_ARGUMENT, "nothing of the gradient");
    check_refused(context, -2, isg_gram_gradient(alone, isg_gradient_params(.v = v, .w = v, .y = x)), ISG_ERR_ARGUMENT,
                  "goes to x alone");
    isg_gram *distances;
    device_ok(context, isg_gram_create(context, &distances,
                                       isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2),
                                                       .kernel = isg_kernel_find("sqeuclidean"))));
    check_refused(context, -5,
                  isg_gram_gradient(distances, isg_gradient_params(.v = v, .w = v, .rows = isg_matrix_f32(out, 3, 1))),
                  ISG_ERR_ARGUMENT, "has no parameters");
    isg_gram_destroy(&distances);
    isg_gradient_parameter parameter;
    ck_assert_int_eq(isg_gram_parameter_count(gram), 1);
    ck_assert_int_eq(isg_gram_parameter(gram, 0, &parameter), ISG_OK);
    check_refused(context, -3, isg_gram_parameter(gram, 1, &parameter), ISG_ERR_ARGUMENT,
                  "there is no parameter 1; there are 1");
    check_refused(context, -4, isg_gram_parameter(gram, -1, &parameter), ISG_ERR_ARGUMENT, "there is no parameter -1");
    ck_assert(isg_kernel_has_gradient(isg_kernel_find("rbf")) && !isg_kernel_has_gradient(NULL));
    isg_gram_destroy(&gram);
    // Of no columns the gradient is 0; in single precision, which may be said.
    device_ok(context,
              isg_gram_create(context, &gram,
                              isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2), .y = isg_matrix_f32(numbers, 2, 2))));
    float slopes[6] = {1, 1, 1, 1, 1, 1}, said[6];
    device_ok(context, isg_gram_gradient(gram, isg_gradient_params(.v = isg_matrix_f32(NULL, 3, 0),
                                                                   .w = isg_matrix_f32(NULL, 2, 0),
                                                                   .x = isg_matrix_f32(slopes, 3, 2))));
    for (size_t i = 0; i < COUNT(slopes); i++)
        ck_assert(slopes[i] == 0);
    device_ok(context, isg_gram_gradient(gram, isg_gradient_params(.v = v, .w = w, .x = isg_matrix_f32(slopes, 3, 2))));
    device_ok(context, isg_gram_gradient(gram, isg_gradient_params(.v = v, .w = w, .x = isg_matrix_f32(said, 3, 2),
                                                                   .accumulate = ISG_PRECISION_F32)));
    ck_assert_mem_eq(slopes, said, sizeof said);
    isg_gram_destroy(&gram);
    if (isg_context_device(context)->lanes_f64 > 0) {
        double wide[6] = {1, 2, 3, 4, 5, 6}, one[6], two[6];
        device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f64(wide, 3, 2))));
        const isg_array u = isg_vector(ISG_F64, wide, 3);
        device_ok(context,
                  isg_gram_gradient(gram, isg_gradient_params(.v = u, .w = u, .x = isg_matrix_f64(one, 3, 2))));
        device_ok(context, isg_gram_gradient(gram, isg_gradient_params(.v = u, .w = u, .x = isg_matrix_f64(two, 3, 2),
                                                                       .accumulate = ISG_PRECISION_F64)));
        ck_assert_mem_eq(one, two, sizeof two);
        isg_gram_destroy(&gram);
    }
    isg_gram_destroy(&alone);
    isg_context_destroy(&context);
}
END_TEST

START_TEST(operators)
{
    isg_context *context = open_all();
    isg_gram *gram = (isg_gram *)&context;
    ck_assert_int_eq(isg_gram_create(context, &gram, NULL), ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(gram);
    isg_gram_destroy(NULL);
    isg_grid_destroy(NULL);
    isg_composite *sum;
    ck_assert_int_eq(isg_kernel_parse(&sum, "rbf + laplacian", NULL), ISG_OK);
    device_ok(context,
              isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2), .composite = sum)));
    ck_assert(!isg_gram_kernel(gram) && isg_gram_gamma(gram) == 0 && isg_gram_param(gram, 0) == 0);
    isg_gram_destroy(&gram);
    isg_composite_destroy(&sum);
    const isg_setting degree = {"degree", 5};
    device_ok(context,
              isg_gram_create(context, &gram,
                              isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2), .kernel = isg_kernel_find("poly"),
                                              .settings = &degree, .setting_count = 1)));
    ck_assert(isg_gram_param(gram, 0) == 5 && isg_gram_param(gram, -1) == 0 && isg_gram_param(gram, 99) == 0);
    const isg_array k = isg_matrix_f32(out, 3, 3);
    const struct {
        int64_t row, col;
        isg_array k;
        isg_status status;
        const char *says;
    } cases[] = {
        {0, 0, isg_vector(ISG_F32, out, 9), ISG_ERR_SHAPE, "K must be a matrix with data"},
        {0, 0, isg_matrix_f32(NULL, 3, 3), ISG_ERR_SHAPE, "K must be a matrix with data"},
        {0, 0, isg_matrix_f32(out, -1, 3), ISG_ERR_SHAPE, "-1 x 3"},
        {0, 0, isg_matrix_f32(out, 3, -1), ISG_ERR_SHAPE, "3 x -1"},
        {0, -1, isg_matrix_f32(out, 1, 1), ISG_ERR_SHAPE, "(0, -1)"},
        {0, 2, isg_matrix_f32(out, 1, 2), ISG_ERR_SHAPE, "leaves the 3 x 3 operator"},
        {0, 0, with_strides(k, INT64_MAX, 1), ISG_ERR_OVERFLOW, "K"},
        {0, 0, with_strides(isg_matrix_f32(out, 1, 3), 3, 0), ISG_ERR_SHAPE, "overlap"},
        {0, 0, with_strides(isg_matrix_f32(out, 3, 1), 0, 3), ISG_ERR_SHAPE, "overlap"},
        {0, 0, isg_matrix(ISG_I32, out, 3, 3), ISG_ERR_DTYPE, "K is int32"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(context, (int)i, isg_gram_tile(gram, cases[i].row, cases[i].col, cases[i].k), cases[i].status,
                      cases[i].says);
    check_refused(context, -1, isg_gram_packed(gram, isg_vector(ISG_F32, out, 5)), ISG_ERR_SHAPE,
                  "the lower triangle has 6");
    check_refused(context, -2, isg_gram_packed(gram, with_strides(isg_vector(ISG_F32, out, 6), 2, 1)), ISG_ERR_SHAPE,
                  "unit stride");
    check_refused(context, -3, isg_gram_packed(gram, isg_vector(ISG_F32, numbers, 6)), ISG_ERR_ARGUMENT,
                  "overlaps the memory of the points");
    check_refused(context, -4, isg_gram_packed(gram, isg_matrix_f32(out, 3, 2)), ISG_ERR_SHAPE, "K must be a vector");
    check_refused(context, -5, isg_gram_packed(gram, isg_vector(ISG_I8, out, 6)), ISG_ERR_DTYPE, "K is int8");
    check_refused(context, -6, isg_gram_dense(gram, isg_matrix_f32(out, 2, 3)), ISG_ERR_SHAPE, "K is 2 x 3");
    check_refused(context, -7, isg_gram_dense(gram, isg_matrix_f32(out, 3, 2)), ISG_ERR_SHAPE, "K is 3 x 2");
    device_ok(context, isg_gram_tile(gram, 1, 1, isg_matrix_f32(out, 0, 2))); // nothing to do
    isg_gram_destroy(&gram);
    // Of one column the stride along it says nothing.
    float slim[3], same[9], other[9];
    for (int i = 0; i < 3; i++)
        slim[i] = numbers[i];
    for (int wide = 0; wide < 2; wide++) {
        device_ok(context,
                  isg_gram_create(context, &gram,
                                  isg_gram_params(.x = with_strides(isg_matrix_f32(slim, 3, 1), 1, wide ? 7 : 1))));
        device_ok(context, isg_gram_tile(gram, 2, 2, with_strides(isg_matrix_f32(other, 1, 1), 9, 0)));
        ck_assert(other[0] == 1);
        device_ok(context, isg_gram_dense(gram, isg_matrix_f32(wide ? other : same, 3, 3)));
        isg_gram_destroy(&gram);
    }
    ck_assert_mem_eq(same, other, sizeof same);
    // One row of three, two elements apart: by columns.
    float row[6] = {9, 9, 9, 9, 9, 9}, all[9];
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2))));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(all, 3, 3)));
    device_ok(context, isg_gram_tile(gram, 1, 0, with_strides(isg_matrix_f32(row, 1, 3), 6, 2)));
    for (int i = 0; i < 3; i++)
        ck_assert(row[2 * i] == all[3 + i] && row[2 * i + 1] == 9);
    isg_gram_destroy(&gram);
    isg_gram_limits limits;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(numbers, 3, 2),
                                                       .y = isg_matrix_f32(numbers, 0, 2), .allow_empty = 1)));
    check_refused(context, -8, isg_gram_measure(gram, &limits), ISG_ERR_SHAPE, "nothing to measure");
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(out, 3, 0)));
    isg_gram_destroy(&gram);
    // The triangle of one row is one element, whatever its stride.
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(numbers, 1, 2))));
    device_ok(context, isg_gram_packed(gram, with_strides(isg_vector(ISG_F32, out, 1), 5, 1)));
    ck_assert(out[0] == 1);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

// Points and lengthscales that are none.
START_TEST(points)
{
    isg_context *context = open_all();
    isg_gram *gram;
    const double lengths[] = {1, 2};
    const isg_array x = isg_matrix_f32(numbers, 3, 2);
    static const uint8_t none[3];
    const struct {
        isg_gram_params params;
        isg_status status;
        const char *says;
    } cases[] = {
        {{.x = x, .kernel = isg_kernel_find("linear"), .lengthscales = lengths}, ISG_ERR_ARGUMENT, "no lengthscales"},
        {{.x = x, .kernel = isg_kernel_find("cityblock"), .lengthscales = lengths},
         ISG_ERR_ARGUMENT,
         "no lengthscales"},
        {{.x = x, .kernel = isg_kernel_find("chi2"), .lengthscales = lengths}, ISG_ERR_ARGUMENT, "no lengthscales"},
        {{.x = with_axes(x, 3), .allow_empty = 1}, ISG_ERR_SHAPE, "X"},
        {{.x = isg_matrix_f32(numbers, -1, 2), .allow_empty = 1}, ISG_ERR_SHAPE, "X"},
        {{.x = isg_matrix_f32(numbers, 0, 0), .allow_empty = 1}, ISG_ERR_SHAPE, "X"},
        {{.x = isg_matrix(ISG_DTYPE_COUNT, numbers, 0, 2), .allow_empty = 1}, ISG_ERR_DTYPE, "X"},
        {{.x = x, .include = none}, ISG_ERR_SHAPE, "X"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(context, (int)i, isg_gram_create(context, &gram, &cases[i].params), cases[i].status,
                      cases[i].says);
    int64_t n = -1;
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = x, .include = none, .allow_empty = 1)));
    isg_gram_shape(gram, &n, NULL, NULL);
    ck_assert_int_eq(n, 0);
    isg_gram_destroy(&gram);
    // Of a scale that is given and lengthscales beside it.
    isg_composite *sum;
    ck_assert_int_eq(isg_kernel_parse(&sum, "rbf(lengthscale=0.5) + laplacian(gamma=2) + rbf(gamma=3) + rbf", NULL),
                     ISG_OK);
    device_ok(context,
              isg_gram_create(context, &gram, isg_gram_params(.x = x, .composite = sum, .lengthscales = lengths)));
    float k[3];
    device_ok(context, isg_gram_diagonal(gram, isg_vector(ISG_F32, k, 3)));
    ck_assert(k[0] == 4 && k[1] == 4 && k[2] == 4);
    isg_gram_destroy(&gram);
    isg_composite_destroy(&sum);
    ck_assert_int_eq(isg_kernel_parse(&sum, "1e39*rbf", NULL), ISG_OK);
    check_refused(context, 20, isg_gram_create(context, &gram, isg_gram_params(.x = x, .composite = sum)),
                  ISG_ERR_RANGE, "1e+39");
    isg_composite_destroy(&sum);
    ck_assert_int_eq(isg_kernel_parse(&sum, "1e39*rbf + rbf", NULL), ISG_OK);
    check_refused(context, 21, isg_gram_create(context, &gram, isg_gram_params(.x = x, .composite = sum)),
                  ISG_ERR_RANGE, "1e+39");
    isg_composite_destroy(&sum);
    isg_context_destroy(&context);
    isg_composite empty = {.count = 0}, *made;
    isg_error error;
    char text[20] = "before";
    ck_assert(isg_composite_text(&empty, text, sizeof text) == 0 && text[0] == 0);
    ck_assert_int_eq(isg_kernel_parse(&sum, "rbf", NULL), ISG_OK);
    ck_assert_int_eq(isg_kernel_product(&made, sum, NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert(made == NULL && strstr(error.message, "no covariance function"));
    isg_composite_destroy(&sum);
    ck_assert(isg_is_letter('z') && !isg_is_letter('{') && !isg_is_letter('@'));
    ck_assert_ptr_null(isg_kernel_nearest(NULL));
    ck_assert_str_eq(isg_pair_name(ISG_PAIR_COUNT), "unknown");
}
END_TEST

START_TEST(grids)
{
    isg_context *context = open_all();
    const struct {
        isg_grid_params params;
        isg_status status;
        const char *says;
    } cases[] = {
        {{.size = {3}, .sigma = {1}, .precision = (isg_precision)9}, ISG_ERR_ARGUMENT, "unknown precision"},
        {{.size = {3}, .sigma = {1}, .angle = INFINITY}, ISG_ERR_ARGUMENT, "must be finite"},
        {{.size = {3}, .sigma = {1}, .order = {1}, .sampling = ISG_SAMPLING_BESSEL},
         ISG_ERR_ARGUMENT,
         "sampled at points"},
        {{.size = {3}, .ndim = 4, .covariance = {1}}, ISG_ERR_ARGUMENT, "1 to 3 axes"},
        {{.size = {3}, .sigma = {0, 1}, .covariance = {1, 0, 0, 1}}, ISG_ERR_ARGUMENT, "give one of them"},
        {{.size = {3}, .covariance = {1, 0, 0, 1}, .angle = 3}, ISG_ERR_ARGUMENT, "go with sigma"},
        {{.size = {3}, .covariance = {1, 0, 0, 1}, .bandwidth = 1}, ISG_ERR_ARGUMENT, "go with sigma"},
        {{.size = {3}, .covariance = {1, 0, 0, 1}, .gamma = 1}, ISG_ERR_ARGUMENT, "go with sigma"},
        {{.size = {3}, .covariance = {1, 0, 0, 1}, .like = "gkern"}, ISG_ERR_ARGUMENT, "takes no covariance"},
        {{.size = {3}, .ndim = 3, .sigma = {1}, .angle = 3}, ISG_ERR_ARGUMENT, "of 2 axes"},
        {{.size = {3}, .sigma = {1}, .wavelength = 2, .frequency = 1}, ISG_ERR_ARGUMENT, "give one of them"},
        {{.size = {3}, .sigma = {1}, .phase = 2}, ISG_ERR_ARGUMENT, "needs a wavelength"},
        {{.size = {3}, .sigma = {1}, .quadrature = 1}, ISG_ERR_ARGUMENT, "needs a wavelength"},
        {{.size = {3}, .sigma = {1}, .bandwidth = 1}, ISG_ERR_ARGUMENT, "needs a wavelength"},
        {{.size = {3}, .sigma = {1}, .gamma = 1}, ISG_ERR_ARGUMENT, "needs a wavelength"},
        {{.size = {3}, .sigma = {1}, .like = "gabor-opencv"}, ISG_ERR_ARGUMENT, "needs a wavelength"},
        {{.size = {3}, .sigma = {1}, .ndim = 3, .frequency = 0.1}, ISG_ERR_ARGUMENT, "given as a vector"},
        {{.size = {3}, .sigma = {1}, .ndim = 4, .wave = {0.1}}, ISG_ERR_ARGUMENT, "1 to 3 axes"},
        {{.size = {3}, .sigma = {1}, .wave = {0, 0, 0.1}}, ISG_ERR_ARGUMENT, "more numbers than"},
        {{.size = {3}, .sigma = {1}, .wavelength = -2}, ISG_ERR_ARGUMENT, "must be positive"},
        {{.size = {3}, .sigma = {1}, .frequency = -2}, ISG_ERR_ARGUMENT, "must be positive"},
        {{.size = {3}, .sigma = {1}, .wavelength = 1e-9}, ISG_ERR_RANGE, "out of range"},
        {{.size = {3}, .sigma = {1}, .wavelength = 1e99}, ISG_ERR_RANGE, "out of range"},
        {{.size = {3}, .sigma = {1}, .wavelength = 2, .phase = 1e30}, ISG_ERR_RANGE, "a phase of"},
        {{.size = {3}, .sigma = {1}, .angle = -1e30}, ISG_ERR_RANGE, "an angle of"},
        {{.size = {3}, .sigma = {1}, .wavelength = 2, .quadrature = 2}, ISG_ERR_ARGUMENT, "0 or 1"},
        {{.size = {3}, .sigma = {1}, .wavelength = 2, .bandwidth = 1}, ISG_ERR_ARGUMENT, "the place of sigma"},
        {{.size = {3}, .wave = {1}, .bandwidth = 1}, ISG_ERR_ARGUMENT, "the place of sigma"},
        {{.size = {3}, .wavelength = 2, .bandwidth = 1e-9}, ISG_ERR_ARGUMENT, "octaves"},
        {{.size = {3}, .wavelength = 2, .bandwidth = 65}, ISG_ERR_ARGUMENT, "octaves"},
        {{.size = {3}, .sigma = {1}, .wavelength = 2, .gamma = -1}, ISG_ERR_ARGUMENT, "gamma is positive"},
        {{.size = {3}, .sigma = {1}, .ndim = 1, .wavelength = 2, .gamma = 1}, ISG_ERR_ARGUMENT, "gamma is positive"},
        {{.size = {3}, .sigma = {1}, .wave = {1}, .gamma = 1}, ISG_ERR_ARGUMENT, "gamma is positive"},
        {{.size = {3}, .sigma = {1, 2}, .wavelength = 2, .gamma = 1}, ISG_ERR_ARGUMENT, "gamma is positive"},
        {{.size = {3}, .sigma = {1}, .order = {-1}}, ISG_ERR_ARGUMENT, "order -1 on axis 0"},
        {{.size = {3}, .sigma = {1}, .order = {5}}, ISG_ERR_ARGUMENT, "order 5 on axis 0"},
        {{.size = {3}, .sigma = {1}, .order = {0, 0, 1}}, ISG_ERR_ARGUMENT, "order 1 on axis 2"},
        {{.size = {3}, .sigma = {1}, .order = {1}, .wavelength = 2}, ISG_ERR_ARGUMENT, "not both"},
        {{.size = {3}, .sigma = {1}, .order = {1}, .ndim = 5}, ISG_ERR_ARGUMENT, "5 axes"},
        {{.size = {3}, .sigma = {1}, .order = {1}, .ndim = -1}, ISG_ERR_ARGUMENT, "-1 axes"},
        {{.like = "gabor-skimage", .frequency = 0.1, .ndim = 1}, ISG_ERR_ARGUMENT, "of 2 axes"},
        {{.like = "gabor-opencv", .sigma = {1e9}, .frequency = 0.1}, ISG_ERR_ARGUMENT, "needs a size"},
        {{.size = {1 << 29}, .ndim = 1, .sigma = {1}}, ISG_ERR_OVERFLOW, "is too large"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_grid *grid = (isg_grid *)&context;
        check_refused(context, (int)i, isg_grid_create(context, &grid, &cases[i].params), cases[i].status,
                      cases[i].says);
        ck_assert_ptr_null(grid);
    }
    isg_grid *grid;
    device_ok(context, isg_grid_create(context, &grid,
                                       isg_grid_params(.size = {3, 1}, .sigma = {1}, .precision = ISG_PRECISION_F32)));
    ck_assert(isg_grid_shape(grid, NULL) == 2 && !isg_grid_profile(grid, -1));
    check_refused(context, -1, isg_grid_fill(grid, isg_matrix_f32(NULL, 3, 1)), ISG_ERR_SHAPE, "the grid's shape");
    check_refused(context, -2, isg_grid_fill(grid, with_strides(isg_matrix_f32(out, 3, 1), 2, 1)), ISG_ERR_SHAPE,
                  "without gaps");
    device_ok(context, isg_grid_fill(grid, with_strides(isg_matrix_f32(out, 3, 1), 1, 99)));
    isg_grid_destroy(&grid);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {products, reductions, gradients, operators, points, grids};
    return suite_run(suite_of("refusals", tests, COUNT(tests)));
}
