// Products and reductions at their edges: sets without points, and arrays that lie in buffers.
#include "cl.h"
#include "device.h"

#include <isogram/opencl.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static isg_gram *operator_of(isg_context *context, const float *x, int64_t n, const float *y, int64_t m, int64_t d)
{
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, n, d), .sigma = 1,
                                                       .y = isg_matrix_f32(y, m, d), .allow_empty = 1)));
    return gram;
}

START_TEST(sums_over_nothing)
{
    enum { N = 5, D = 3 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const float x[N * D] = {1, 2, 3};
    const float before[N] = {1, -2, 3, 4, 5};
    float out[N] = {1, -2, 3, 4, 5}, means[N * 2], k[1];
    int64_t n, m;
    isg_skip_report report = {1, 1, 1};
    isg_gram *none, *gram = operator_of(context, x, N, NULL, 0, D);
    isg_gram_shape(gram, &n, &m, NULL);
    ck_assert(n == N && m == 0);
    device_ok(context, isg_gram_apply(gram, isg_vector(ISG_F32, NULL, 0), isg_vector(ISG_F32, out, N),
                                      isg_apply_params(.beta = -2, .report = &report)));
    for (int i = 0; i < N; i++)
        ck_assert(out[i] == -2 * before[i]);
    ck_assert(report.pairs == 0 && report.computed == 0 && report.bound == 0);
    device_ok(context, isg_gram_apply(gram, isg_vector(ISG_F32, NULL, 0), isg_vector(ISG_F32, out, N), NULL));
    for (int i = 0; i < N; i++)
        ck_assert(out[i] == 0 && !signbit(out[i]));
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.out = isg_vector(ISG_F32, out, N))));
    for (int i = 0; i < N; i++)
        ck_assert(out[i] == 0);
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP,
                                                               .out = isg_vector(ISG_F32, out, N))));
    for (int i = 0; i < N; i++)
        ck_assert(isinf(out[i]) && out[i] < 0);
    device_ok(context,
              isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_MEAN, .out = isg_matrix_f32(means, N, 2),
                                                      .v = isg_matrix_f32(NULL, 0, 2))));
    for (int i = 0; i < N * 2; i++)
        ck_assert(isnan(means[i]));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(isg_gram_reduce(gram, isg_reduce_params(.reduction = i ? ISG_REDUCE_LEAST : ISG_REDUCE_LARGEST,
                                                                 .out = isg_vector(ISG_F32, out, N))),
                         ISG_ERR_ARGUMENT);
    // No targets: nothing to do.
    out[0] = 7;
    device_ok(context, isg_gram_apply(gram, isg_vector(ISG_F32, x, N), isg_vector(ISG_F32, out, 0),
                                      isg_apply_params(.transpose = 1)));
    for (int kind = 0; kind < ISG_REDUCTION_COUNT; kind++) {
        isg_reduce_params params = {
            .reduction = (isg_reduction)kind, .transpose = 1, .out = isg_vector(ISG_F32, out, 0)};
        if (kind == ISG_REDUCE_MEAN)
            params.v = isg_vector(ISG_F32, x, N);
        device_ok(context, isg_gram_reduce(gram, &params));
    }
    ck_assert(out[0] == 7);
    // K has no elements.
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, 0)));
    device_ok(context, isg_gram_diagonal(gram, isg_vector(ISG_F32, k, 0)));
    isg_gram_limits limits;
    ck_assert_int_eq(isg_gram_measure(gram, &limits), ISG_ERR_SHAPE);
    isg_gram_destroy(&gram);
    // K(X, X) of no points, and of points none of which is included.
    const uint8_t include[N] = {0};
    for (int i = 0; i < 2; i++) {
        device_ok(context, isg_gram_create(context, &none,
                                           isg_gram_params(.x = isg_matrix_f32(x, i ? N : 0, D), .allow_empty = 1,
                                                           .include = i ? include : NULL)));
        device_ok(context, isg_gram_packed(none, isg_vector(ISG_F32, k, 0)));
        device_ok(context, isg_gram_reduce(none, isg_reduce_params(.out = isg_vector(ISG_F32, out, 0))));
        isg_gram_destroy(&none);
    }
    // Only where it is allowed, and never without columns.
    ck_assert_int_eq(isg_gram_create(context, &none, isg_gram_params(.x = isg_matrix_f32(x, 0, D))), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_create(context, &none, isg_gram_params(.x = isg_matrix_f32(x, 0, 0), .allow_empty = 1)),
                     ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_create(context, &none,
                                     isg_gram_params(.x = isg_matrix_f32(x, 0, D), .y = isg_matrix_f32(x, N, D - 1),
                                                     .allow_empty = 1)),
                     ISG_ERR_SHAPE);
    ck_assert_int_eq(
        isg_gram_create(context, &none,
                        isg_gram_params(.x = isg_matrix_f32(x, 0, D), .allow_empty = 1, .method = ISG_METHOD_FAST)),
        ISG_ERR_SHAPE);
    isg_context_destroy(&context);
}
END_TEST

// Factors of K's rows in sums of exponentials: of the targets they are added as logarithms, and of the sources to the
// weights'. What is negative is no number, and 0 is nothing.
START_TEST(factors_of_exponentials)
{
    enum { X = 6, Y = 5, DIMS = 2 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(2);
    float *x = device_points(&random, ISG_F32, X * DIMS, -1, 1), *y = device_points(&random, ISG_F32, Y * DIMS, -1, 1),
          *w = device_points(&random, ISG_F32, X, 0.5, 1), *v = device_points(&random, ISG_F32, Y, -1, 1);
    const double factors[X] = {1, 0.25, 3e-20, 7e9, 0, -2};
    float out[X], mean[X], back[Y], k[X * Y];
    isg_gram *gram, *plain;
    isg_gram_params params = {.x = isg_matrix_f32(x, X, DIMS), .y = isg_matrix_f32(y, Y, DIMS), .gamma = 2};
    device_ok(context, isg_gram_create(context, &plain, &params));
    params.factors = factors;
    device_ok(context, isg_gram_create(context, &gram, &params));
    device_ok(context, isg_gram_dense(plain, isg_matrix_f32(k, X, Y)));
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP,
                                                               .out = isg_vector(ISG_F32, out, X))));
    device_ok(context,
              isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_MEAN, .v = isg_vector(ISG_F32, v, Y),
                                                      .out = isg_vector(ISG_F32, mean, X))));
    for (int i = 0; i < X; i++) {
        double sum = 0, above = 0;
        for (int j = 0; j < Y; j++) {
            sum += (double)k[i * Y + j];
            above += (double)k[i * Y + j] * (double)v[j];
        }
        if (factors[i] < 0)
            ck_assert(isnan(out[i]) && isnan(mean[i]));
        else if (factors[i] == 0)
            ck_assert(isinf(out[i]) && out[i] < 0 && isnan(mean[i]));
        else
            ck_assert(fabs((double)out[i] - log(factors[i] * sum)) < 1e-5 &&
                      fabs((double)mean[i] - above / sum) < 1e-5);
    }
    for (int negative = 0; negative < 2; negative++) {
        params.x = isg_matrix_f32(x, negative ? X : X - 1, DIMS);
        isg_gram_destroy(&gram);
        device_ok(context, isg_gram_create(context, &gram, &params));
        device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP, .transpose = 1,
                                                                   .weights = isg_vector(ISG_F32, w, X - !negative),
                                                                   .out = isg_vector(ISG_F32, back, Y),
                                                                   .skip = ISG_SKIP_ALWAYS)));
        for (int j = 0; j < Y; j++) {
            double sum = 0;
            for (int i = 0; i < X - 1; i++)
                sum += factors[i] * (double)w[i] * (double)k[i * Y + j];
            ck_assert(negative ? isnan(back[j]) : fabs((double)back[j] - log(sum)) < 1e-5);
        }
    }
    isg_gram_destroy(&gram);
    isg_gram_destroy(&plain);
    isg_context_destroy(&context);
    free(x);
    free(y);
    free(w);
    free(v);
}
END_TEST

static cl_mem buffer(isg_context *context, cl_mem_flags flags, const void *host, size_t bytes)
{
    cl_int code;
    cl_mem mem = clCreateBuffer(isg_context_cl_context(context), flags | (host ? CL_MEM_COPY_HOST_PTR : 0), bytes,
                                (void *)(uintptr_t)host, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    return mem;
}

static void read_back(isg_context *context, cl_mem mem, void *host, size_t bytes)
{
    ck_assert_int_eq(clEnqueueReadBuffer(isg_context_cl_queue(context), mem, CL_TRUE, 0, bytes, host, 0, NULL, NULL),
                     CL_SUCCESS);
}

enum { N = 40, M = 30, D = 3, R = 2, ROOM = 4000 };

typedef struct layout {
    int64_t offset, strides[2];
} layout;

// Rows close together; far apart, which are gathered; by columns; backwards.
static const layout layouts[] = {{5, {R, 1}}, {3, {40, 1}}, {9, {1, 50}}, {N * R, {-R, 1}}};

static isg_array view_of(isg_dtype dtype, cl_mem mem, void *host, const layout *l, int64_t rows, int64_t columns)
{
    isg_array a = isg_matrix(dtype, NULL, rows, columns);
    a.strides[0] = l->strides[0];
    a.strides[1] = l->strides[1];
    a.mem = mem;
    a.offset = mem ? l->offset : 0;
    a.data = mem ? NULL : (char *)host + (size_t)l->offset * isg_dtype_bytes(dtype);
    return a;
}

// In buffers and in host memory the same, what lies between elements included.
START_TEST(arrays_in_buffers)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(1);
    float *x = device_points(&random, ISG_F32, N * D, -1, 1), *y = device_points(&random, ISG_F32, M * D, -1, 1),
          *v = device_points(&random, ISG_F32, ROOM, -1, 1), *w = device_points(&random, ISG_F32, ROOM, 0, 1);
    float want[ROOM], got[ROOM];
    int64_t places[ROOM], found[ROOM];
    isg_gram *gram = operator_of(context, x, N, y, M, D);
    for (size_t i = 0; i < COUNT(layouts) * COUNT(layouts); i++) {
        const layout *in = &layouts[i / COUNT(layouts)], *out = &layouts[i % COUNT(layouts)];
        for (int at = 0; at < ROOM; at++) {
            want[at] = (float)at;
            found[at] = places[at] = -at;
        }
        cl_mem mv = buffer(context, CL_MEM_READ_ONLY, v, ROOM * sizeof *v),
               mw = buffer(context, CL_MEM_READ_ONLY, w, ROOM * sizeof *w),
               mo = buffer(context, CL_MEM_READ_WRITE, want, ROOM * sizeof *want),
               mi = buffer(context, CL_MEM_READ_WRITE, places, ROOM * sizeof *places);
        const isg_apply_params params = {.beta = 0.5};
        device_ok(context, isg_gram_apply(gram, view_of(ISG_F32, NULL, v, in, M, R),
                                          view_of(ISG_F32, NULL, want, out, N, R), &params));
        device_ok(context, isg_gram_apply(gram, view_of(ISG_F32, mv, NULL, in, M, R),
                                          view_of(ISG_F32, mo, NULL, out, N, R), &params));
        read_back(context, mo, got, sizeof got);
        ck_assert_mem_eq(got, want, sizeof got);
        isg_reduce_params mean = {.reduction = ISG_REDUCE_MEAN,
                                  .out = view_of(ISG_F32, NULL, want, out, N, R),
                                  .v = view_of(ISG_F32, NULL, v, in, M, R),
                                  .weights = isg_vector(ISG_F32, w + 7, M)};
        device_ok(context, isg_gram_reduce(gram, &mean));
        mean.out = view_of(ISG_F32, mo, NULL, out, N, R);
        mean.v = view_of(ISG_F32, mv, NULL, in, M, R);
        mean.weights.mem = mw;
        mean.weights.offset = 7;
        mean.weights.data = NULL;
        device_ok(context, isg_gram_reduce(gram, &mean));
        read_back(context, mo, got, sizeof got);
        ck_assert_mem_eq(got, want, sizeof got);
        isg_reduce_params largest = {.reduction = ISG_REDUCE_LARGEST,
                                     .count = R,
                                     .out = view_of(ISG_F32, NULL, want, out, N, R),
                                     .indices = view_of(ISG_I64, NULL, places, out, N, R)};
        device_ok(context, isg_gram_reduce(gram, &largest));
        largest.out = view_of(ISG_F32, mo, NULL, out, N, R);
        largest.indices = view_of(ISG_I64, mi, NULL, out, N, R);
        device_ok(context, isg_gram_reduce(gram, &largest));
        read_back(context, mo, got, sizeof got);
        read_back(context, mi, found, sizeof found);
        ck_assert_mem_eq(got, want, sizeof got);
        ck_assert_mem_eq(found, places, sizeof found);
        clReleaseMemObject(mv);
        clReleaseMemObject(mw);
        clReleaseMemObject(mo);
        clReleaseMemObject(mi);
    }
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(x);
    free(y);
    free(v);
    free(w);
}
END_TEST

START_TEST(bad_buffers)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const float x[N * D] = {1, 2}, v[N] = {1};
    isg_gram *gram = operator_of(context, x, N, x, N, D);
    cl_mem both = buffer(context, CL_MEM_READ_WRITE, NULL, 3 * N * sizeof *v),
           sealed = buffer(context, CL_MEM_READ_WRITE | CL_MEM_HOST_READ_ONLY, NULL, N * sizeof *v),
           secret = buffer(context, CL_MEM_READ_WRITE | CL_MEM_HOST_WRITE_ONLY, NULL, N * sizeof *v);
    const isg_array out = isg_matrix_mem(ISG_F32, both, N, N, 1), fine = isg_matrix_f32(v, N, 1);
    const struct {
        isg_array v, out;
        isg_status status;
    } cases[] = {
        {isg_matrix_mem(ISG_F32, both, 2 * N - 1, N, 1), out, ISG_ERR_ARGUMENT}, // overlaps
        {isg_matrix_mem(ISG_F32, both, 2 * N + 1, N, 1), out, ISG_ERR_SHAPE},    // leaves its buffer
        {fine, isg_matrix_mem(ISG_F32, sealed, 0, N, 1), ISG_ERR_ARGUMENT},
        {isg_matrix_mem(ISG_F32, secret, 0, N, 1), out, ISG_ERR_ARGUMENT},
        {isg_matrix_mem(ISG_F32, both, 2 * N, N, 1), out, ISG_OK},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(isg_gram_apply(gram, cases[i].v, cases[i].out, NULL) == cases[i].status, "case %d: %s", (int)i,
                      isg_context_error(context)->message);
        const isg_reduce_params params = {.reduction = ISG_REDUCE_MEAN, .v = cases[i].v, .out = cases[i].out};
        ck_assert_msg(isg_gram_reduce(gram, &params) == cases[i].status, "case %d: %s", (int)i,
                      isg_context_error(context)->message);
    }
    clReleaseMemObject(both);
    clReleaseMemObject(sealed);
    clReleaseMemObject(secret);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {sums_over_nothing, factors_of_exponentials, arrays_in_buffers, bad_buffers};
    return suite_run(suite_of("sums", tests, COUNT(tests)));
}
