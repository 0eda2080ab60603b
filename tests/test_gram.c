// The device's Gram matrix is the reference's, bit for bit, for any shape, block, stride, precision, arithmetic and way
// through memory.
#include "any_operator.h"
#include "device.h"
#include "kernels.h"
#include "oracle_functions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static isg_dtype dtype_of(int wide)
{
    return wide ? ISG_F64 : ISG_F32;
}

// Whether the device has the precision in the context's arithmetic.
static bool lacks(isg_context *context, isg_dtype dtype)
{
    isg_status st = isg_context_require(context, dtype);
    ck_assert_msg(st == ISG_OK || st == ISG_ERR_UNSUPPORTED, "%s", isg_context_error(context)->message);
    return st != ISG_OK;
}

// Mostly rbf or laplacian, whose pair engines differ; now and then any row. Each is a program to compile.
static const isg_kernel *random_kernel(suite_random *random)
{
    const isg_kernel *few[] = {isg_kernel_find("rbf"), isg_kernel_find("laplacian")};
    if (random_below(random, 12) == 0)
        return isg_kernel_list()[random_below(random, ISG_KERNEL_COUNT)];
    return few[random_below(random, 2)];
}

// One random operator: the whole of K, then a random block of it, then its diagonal.
static void check_random(isg_context *context, suite_random *random, isg_dtype dtype, int64_t most)
{
    int64_t n = 1 + random_below(random, most), m = 1 + random_below(random, most), d = 1 + random_below(random, 70);
    bool symmetric = random_below(random, 2) != 0;
    m = symmetric ? n : m;
    const isg_kernel *kernel = random_kernel(random);
    double gamma = ldexp(random_between(random, 1, 2), (int)random_below(random, 8) - 9);
    const double low = kernel->pair == ISG_PAIR_CHI2 ? 0 : -2;
    void *x = device_points(random, dtype, n * d, low, 2), *y = device_points(random, dtype, m * d, low, 2);
    void *want = device_expected_gram(context, kernel, dtype, x, n, symmetric ? NULL : y, m, d, gamma);
    char what[120];
    snprintf(what, sizeof what, "%s %s n %lld m %lld d %lld symmetric %d", kernel->name, isg_dtype_name(dtype),
             (long long)n, (long long)m, (long long)d, symmetric);

    isg_gram *gram;
    isg_array none = {.dtype = ISG_DTYPE_NONE};
    device_ok(context,
              isg_gram_create(context, &gram,
                              isg_gram_params(.x = isg_matrix(dtype, x, n, d),
                                              .y = symmetric ? none : isg_matrix(dtype, y, m, d),
                                              .gamma = kernel->scale == ISG_SCALE_NONE ? 0 : gamma, .kernel = kernel)));
    int64_t stride = m + random_below(random, 3) * random_below(random, 20);
    void *k = device_guard(dtype, n * stride);
    isg_array whole = isg_matrix(dtype, k, n, m);
    whole.strides[0] = stride;
    device_ok(context, isg_gram_dense(gram, whole));
    device_same_bits(dtype, k, stride, want, m, n, m, what);
    for (int64_t i = 0; i < n && symmetric && !isnan(kernel->on_diagonal); i++)
        ck_assert_msg(isg_load_double(dtype, k, i * stride + i) == kernel->on_diagonal, "%s: %g on the diagonal", what,
                      isg_load_double(dtype, k, i * stride + i));
    // The gaps between rows were left alone: they still hold the fence's byte.
    for (int64_t i = 0; i + 1 < n && stride > m; i++)
        ck_assert_int_eq(((unsigned char *)k)[(size_t)(i * stride + m) * isg_dtype_bytes(dtype)], 0xa5);
    device_guard_free(k, dtype, n * stride);

    int64_t row = random_below(random, n), col = random_below(random, m);
    int64_t rows = 1 + random_below(random, n - row), cols = 1 + random_below(random, m - col);
    k = device_guard(dtype, rows * cols);
    device_ok(context, isg_gram_tile(gram, row, col, isg_matrix(dtype, k, rows, cols)));
    device_same_bits(dtype, k, cols, (char *)want + (size_t)(row * m + col) * isg_dtype_bytes(dtype), m, rows, cols,
                     what);
    device_guard_free(k, dtype, rows * cols);

    int64_t count = n < m ? n : m;
    k = device_guard(dtype, count);
    device_ok(context, isg_gram_diagonal(gram, isg_vector(dtype, k, count)));
    device_same_bits(dtype, k, 1, want, m + 1, count, 1, "diagonal");
    device_guard_free(k, dtype, count);
    isg_gram_destroy(&gram);
    free(want);
    free(x);
    free(y);
}

static void check_many(isg_arithmetic arithmetic, int64_t max_alloc_bytes, bool zero_copy, int rounds, int64_t most,
                       int stream)
{
    isg_context *context = device_open(arithmetic, max_alloc_bytes);
    if (!context)
        return;
    context->zero_copy = context->zero_copy && zero_copy;
    suite_random random = suite_stream((uint64_t)stream);
    for (int i = 0; i < rounds; i++)
        for (int wide = 0; wide < 2; wide++)
            if (!lacks(context, dtype_of(wide)))
                check_random(context, &random, dtype_of(wide), most);
    isg_context_destroy(&context);
}

START_TEST(random_shapes_fused)
{
    check_many(ISG_ARITHMETIC_FUSED, 0, true, suite_rounds(40), 150, 1);
}
END_TEST

START_TEST(random_shapes_unfused)
{
    check_many(ISG_ARITHMETIC_UNFUSED, 0, true, suite_rounds(40), 150, 2);
}
END_TEST

// Through a staging buffer, as on a device with its own memory.
START_TEST(random_shapes_staged)
{
    check_many(ISG_ARITHMETIC_AUTO, 0, false, suite_rounds(20), 150, 3);
}
END_TEST

// Composites, lengthscales, factors and masks, on points of any size, subnormal numbers included: all of K, a block and
// the diagonal. Each is a program or three to compile. A NaN is any NaN.
static void check_any(isg_context *context, const any_operator *any)
{
    enum { FAR = 3 };
    char what[1500];
    isg_gram *gram;
    int64_t n, m;
    isg_gram_params params = any_operator_params(any);
    any_operator_describe(any, what, sizeof what);
    isg_status st = isg_gram_create(context, &gram, &params);
    if (st == ISG_ERR_RANGE || st == ISG_ERR_ARGUMENT)
        return;
    ck_assert_msg(st == ISG_OK, "%s: %s", what, isg_context_error(context)->message);
    void *want = device_expected(context, &params);
    isg_gram_shape(gram, &n, &m, NULL);
    oracle_one_nan(any->dtype, want, n * m);
    int64_t row = n / FAR, col = m / 2, rows = n - row, cols = m - col, count = n < m ? n : m;
    void *k = device_guard(any->dtype, n * m);
    device_ok(context, isg_gram_dense(gram, isg_matrix(any->dtype, k, n, m)));
    oracle_one_nan(any->dtype, k, n * m);
    device_same_bits(any->dtype, k, m, want, m, n, m, what);
    device_guard_free(k, any->dtype, n * m);
    k = device_guard(any->dtype, rows * cols);
    device_ok(context, isg_gram_tile(gram, row, col, isg_matrix(any->dtype, k, rows, cols)));
    oracle_one_nan(any->dtype, k, rows * cols);
    device_same_bits(any->dtype, k, cols, (char *)want + (size_t)(row * m + col) * isg_dtype_bytes(any->dtype), m, rows,
                     cols, what);
    device_guard_free(k, any->dtype, rows * cols);
    k = device_guard(any->dtype, count);
    device_ok(context, isg_gram_diagonal(gram, isg_vector(any->dtype, k, count)));
    oracle_one_nan(any->dtype, k, count);
    device_same_bits(any->dtype, k, 1, want, m + 1, count, 1, what);
    device_guard_free(k, any->dtype, count);
    isg_gram_destroy(&gram);
    free(want);
}

START_TEST(any_operators)
{
    enum { MOST = 60 };
    isg_context *context = device_open(_i ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
    if (!context)
        return;
    suite_random random = suite_stream(20 + (uint64_t)_i);
    for (int round = 0; round < suite_rounds(5); round++)
        for (int wide = 0; wide < 2; wide++) {
            any_operator any = any_operator_make(&random, dtype_of(wide), MOST, round % 4 == 0);
            if (!lacks(context, any.dtype))
                check_any(context, &any);
            any_operator_free(&any);
        }
    isg_context_destroy(&context);
}
END_TEST

// Buffers so small that points and K come in many parts, in both ways through memory.
START_TEST(random_shapes_in_parts)
{
    check_many(ISG_ARITHMETIC_AUTO, 40000, true, suite_rounds(15), 300, 4);
    check_many(ISG_ARITHMETIC_AUTO, 40000, false, suite_rounds(15), 300, 5);
}
END_TEST

// In the tiles and groups that a GPU gets, in place and staged.
START_TEST(random_shapes_in_gpu_tiles)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(9);
    context->device.device_class = ISG_DEVICE_GPU_DISCRETE;
    const int rounds = suite_rounds(20);
    for (int i = 0; i < rounds; i++) {
        context->zero_copy = context->zero_copy && i < rounds / 2;
        for (int wide = 0; wide < 2; wide++)
            if (!lacks(context, dtype_of(wide)))
                check_random(context, &random, dtype_of(wide), 200);
    }
    isg_context_destroy(&context);
}
END_TEST

// Rows that begin anywhere in memory: whole tiles still begin at multiples of a vector, in front of K if need be.
START_TEST(unaligned_rows)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(11);
    enum { N = 1100, STRIDE = 1104 }; // above 4 MiB, where K goes past the caches
    static const int offsets[] = {0, 1, 4, 15, 2};
    for (int64_t d = 3; d < 40; d += 20) {
        void *x = device_points(&random, ISG_F32, N * d, -1, 1);
        float *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, NULL, N, d, 0.1);
        for (size_t o = 0; o < COUNT(offsets); o++) {
            float *memory = device_guard(ISG_F32, (int64_t)N * STRIDE + offsets[o]), *k = memory + offsets[o];
            isg_gram *gram;
            device_ok(context, isg_gram_create(context, &gram,
                                               isg_gram_params(.x = isg_matrix(ISG_F32, x, N, d), .gamma = 0.1)));
            isg_array whole = isg_matrix_f32(k, N, N);
            whole.strides[0] = STRIDE;
            device_ok(context, isg_gram_dense(gram, whole));
            device_same_bits(ISG_F32, k, STRIDE, want, N, N, N, "unaligned");
            for (int64_t i = 0; i + 1 < N; i++)
                ck_assert_int_eq(((unsigned char *)(k + i * STRIDE + N))[0], 0xa5);
            for (int i = 0; i < offsets[o]; i++)
                ck_assert_int_eq(((unsigned char *)(memory + i))[0], 0xa5);
            whole.shape[0] = N - 7;
            whole.shape[1] = N - 5;
            device_ok(context, isg_gram_tile(gram, 7, 5, whole));
            device_same_bits(ISG_F32, k, STRIDE, want + 7 * N + 5, N, N - 7, N - 5, "unaligned tile");
            device_guard_free(memory, ISG_F32, (int64_t)N * STRIDE + offsets[o]);
            isg_gram_destroy(&gram);
        }
        free(want);
        free(x);
    }
    isg_context_destroy(&context);
}
END_TEST

// Sets of points that fill a buffer to its last byte leave no room for a shifted first tile.
START_TEST(unaligned_rows_in_parts)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 1 << 20);
    suite_random random = suite_stream(12);
    enum { N = 4200, D = 64, ROWS = 300, COLS = 4192, OFFSET = 4 };
    void *x = device_points(&random, ISG_F32, N * D, -1, 1);
    float *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, ROWS, x, COLS, D, 0.05);
    float *memory = device_guard(ISG_F32, ROWS * COLS + OFFSET);
    isg_gram *gram;
    device_ok(context,
              isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix(ISG_F32, x, N, D), .gamma = 0.05)));
    device_ok(context, isg_gram_tile(gram, 0, 0, isg_matrix_f32(memory + OFFSET, ROWS, COLS)));
    device_same_bits(ISG_F32, memory + OFFSET, COLS, want, COLS, ROWS, COLS, "unaligned in parts");
    device_guard_free(memory, ISG_F32, ROWS * COLS + OFFSET);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(want);
    free(x);
}
END_TEST

// K has more elements than 32 bits can count; a block at its far end is that of the points there.
START_TEST(far_block)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(10);
    enum { N = 100000, D = 2, ROW = 99877, COL = 98765, ROWS = 123, COLS = 77 };
    float *x = device_points(&random, ISG_F32, (int64_t)N * D, -1, 1), k[ROWS * COLS];
    float *want =
        device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x + ROW * D, ROWS, x + COL * D, COLS, D, 0.5);
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, N, D), .gamma = 0.5)));
    device_ok(context, isg_gram_tile(gram, ROW, COL, isg_matrix_f32(k, ROWS, COLS)));
    device_same_bits(ISG_F32, k, COLS, want, COLS, ROWS, COLS, "far block");
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(want);
    free(x);
}
END_TEST

// Large enough for several launches and the mirrored kernel.
START_TEST(large_mirrored)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(6);
    enum { N = 1201, D = 40 };
    void *x = device_points(&random, ISG_F32, N * D, -1, 1);
    void *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, NULL, N, D, 0.02);
    float *k = device_guard(ISG_F32, (int64_t)N * N);
    isg_gram *gram;
    device_ok(context,
              isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix(ISG_F32, x, N, D), .gamma = 0.02)));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, N)));
    device_same_bits(ISG_F32, k, N, want, N, N, N, "mirrored");
    for (int i = 0; i < N; i++)
        ck_assert(k[i * N + i] == 1);
    device_guard_free(k, ISG_F32, (int64_t)N * N);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(want);
    free(x);
}
END_TEST

// Scales from 1e-30 to 1e30, in powers of two, give the bits of scale 1; so do points far from the origin, within the
// reference's own.
START_TEST(scales)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(7);
    enum { N = 33, D = 5 };
    float *x = device_points(&random, ISG_F32, N * D, -3, 3), y[N * D];
    float *want = device_expected_gram(context, isg_kernel_find("rbf"), ISG_F32, x, N, NULL, N, D, 0.5);
    for (int e = -100; e <= 100; e += 25) {
        float k[N * N];
        for (int i = 0; i < N * D; i++)
            y[i] = ldexpf(x[i], e);
        isg_gram *gram;
        device_ok(context,
                  isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(y, N, D), .sigma = ldexp(1, e))));
        device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, N)));
        device_same_bits(ISG_F32, k, N, want, N, N, N, "scaled");
        isg_gram_destroy(&gram);
    }
    isg_context_destroy(&context);
    free(want);
    free(x);
}
END_TEST

// NaN in a point gives NaN in its row and column, and nowhere else, when it is allowed.
START_TEST(nan_allowed)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[3 * 2] = {0, 1, NAN, 2, 3, 4}, k[9];
    isg_gram *gram;
    device_ok(context,
              isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 3, 2), .allow_nonfinite = 1)));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, 3, 3)));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            ck_assert_int_eq(isnan(k[i * 3 + j]) != 0, i == 1 || j == 1);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

typedef struct bad_case {
    isg_gram_params params;
    isg_status status;
    const char *says;
} bad_case;

START_TEST(bad_parameters)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[6] = {1, 2, 3, 4, 5, 6}, nan_at_21[6] = {1, 2, 3, 4, 5, NAN};
    double big[2] = {1, 1e300};
    isg_array m = isg_matrix_f32(x, 3, 2);
    const bad_case cases[] = {
        {{0}, ISG_ERR_ARGUMENT, "points"},
        {{.x = isg_matrix_f32(x, 0, 2)}, ISG_ERR_SHAPE, "0 rows"},
        {{.x = isg_matrix_f32(x, 3, 0)}, ISG_ERR_SHAPE, "0 columns"},
        {{.x = m, .y = isg_matrix_f32(x, 2, 3)}, ISG_ERR_SHAPE, "2 columns"},
        {{.x = isg_vector(ISG_F32, x, 6)}, ISG_ERR_SHAPE, "1-dimensional"},
        {{.x = isg_matrix_f32(NULL, 3, 2)}, ISG_ERR_ARGUMENT, "no data"},
        {{.x = m, .sigma = -1}, ISG_ERR_ARGUMENT, "sigma"},
        {{.x = m, .sigma = NAN}, ISG_ERR_ARGUMENT, "sigma"},
        {{.x = m, .gamma = INFINITY}, ISG_ERR_ARGUMENT, "gamma"},
        {{.x = m, .gamma = 1, .sigma = 1}, ISG_ERR_ARGUMENT, "gamma and sigma"},
        {{.x = m, .lengthscale = 1e-300}, ISG_ERR_RANGE, "lengthscale"},
        {{.x = isg_matrix_f32(nan_at_21, 3, 2)}, ISG_ERR_NONFINITE, "row 2, column 1"},
        {{.x = isg_matrix_f32(nan_at_21, 3, 2), .x_name = "a.npy"}, ISG_ERR_NONFINITE, "a.npy"},
        {{.x = isg_matrix_f64(big, 1, 2), .precision = ISG_PRECISION_F32}, ISG_ERR_RANGE, "row 0, column 1"},
        {{.x = m, .precision = (isg_precision)7}, ISG_ERR_ARGUMENT, "precision"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_gram *gram = (isg_gram *)&i;
        isg_status st = isg_gram_create(context, &gram, &cases[i].params);
        const isg_error *e = isg_context_error(context);
        ck_assert_msg(st == cases[i].status, "case %d: status %s (%s)", (int)i, isg_status_name(st), e->message);
        ck_assert_msg(strstr(e->message, cases[i].says) != NULL, "case %d says: %s", (int)i, e->message);
        ck_assert_ptr_null(gram);
    }
    isg_context_destroy(&context);
}
END_TEST

START_TEST(bad_outputs)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float x[6] = {1, 2, 3, 4, 5, 6}, k[9];
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 3, 2))));
    isg_array overlapping = isg_matrix_f32(k, 3, 3);
    overlapping.strides[0] = 1;
    for (int i = 0; i < 9; i++)
        k[i] = 7;
    ck_assert_int_eq(isg_gram_dense(gram, isg_matrix_f32(k, 3, 2)), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_dense(gram, isg_matrix(ISG_F64, k, 3, 3)), ISG_ERR_DTYPE);
    ck_assert_int_eq(isg_gram_dense(gram, overlapping), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_tile(gram, 2, 0, isg_matrix_f32(k, 2, 1)), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_tile(gram, -1, 0, isg_matrix_f32(k, 1, 1)), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_tile(gram, INT64_MAX, 0, isg_matrix_f32(k, 1, 1)), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_gram_diagonal(gram, isg_vector(ISG_F32, k, 2)), ISG_ERR_SHAPE);
    for (int i = 0; i < 9; i++)
        ck_assert(k[i] == 7);
    // The operator is still usable.
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, 3, 3)));
    ck_assert(k[0] == 1 && k[4] == 1 && k[8] == 1);
    isg_gram_destroy(&gram);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
}
END_TEST

typedef struct steps {
    int calls, stop_at;
    double last;
} steps;

static int count_steps(void *user, double done, double total)
{
    steps *s = user;
    ck_assert(done > s->last && done <= total);
    s->last = done;
    return ++s->calls == s->stop_at;
}

// Progress rises to the total and may stop the work.
START_TEST(progress)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 1 << 16);
    suite_random random = suite_stream(8);
    enum { N = 400, D = 3 };
    void *x = device_points(&random, ISG_F32, N * D, -1, 1);
    float *k = malloc(sizeof *k * N * N);
    for (int stop_at = 0; stop_at < 3; stop_at += 2) {
        steps s = {.stop_at = stop_at};
        isg_gram *gram;
        device_ok(context, isg_gram_create(context, &gram,
                                           isg_gram_params(.x = isg_matrix(ISG_F32, x, N, D), .progress = count_steps,
                                                           .progress_user = &s)));
        ck_assert_int_eq(isg_gram_dense(gram, isg_matrix_f32(k, N, N)), stop_at ? ISG_ERR_CANCELLED : ISG_OK);
        ck_assert_int_gt(s.calls, 1);
        ck_assert(stop_at ? s.calls == stop_at : s.last == (double)N * N);
        isg_gram_destroy(&gram);
    }
    isg_context_destroy(&context);
    free(k);
    free(x);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {random_shapes_fused,
                                  random_shapes_unfused,
                                  random_shapes_staged,
                                  random_shapes_in_parts,
                                  random_shapes_in_gpu_tiles,
                                  far_block,
                                  unaligned_rows,
                                  unaligned_rows_in_parts,
                                  large_mirrored,
                                  scales,
                                  nan_allowed,
                                  bad_parameters,
                                  bad_outputs,
                                  progress};
    Suite *suite = suite_of("gram", tests, COUNT(tests));
    TCase *any = tcase_create("any_operators");
    tcase_add_loop_test(any, any_operators, 0, 2);
    suite_add_tcase(suite, any);
    return suite_run(suite);
}
