// Where K can go: any strides, half precision, the lower triangle, and blocks of operators far too large to be stored.
// Always the reference's bits.
#include "device.h"
#include "half_variant.h"

#include "buffer.h"
#include "gram.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 83, M = 61, D = 5 };
static const isg_dtype precisions[] = {ISG_F32, ISG_F64};

typedef struct world {
    isg_context *context;
    isg_dtype dtype;
    void *x, *y;
    double *factors;
    isg_gram_params params;
    isg_gram *gram;
    void *want; // dense
    int64_t rows, cols;
} world;

// K(X, Y), or K(X, X) without `cross`; max_alloc: of one buffer, 0: the device's.
static bool open_world(world *w, isg_dtype dtype, const char *kernel, bool cross, bool factors, int64_t n, int64_t d,
                       int64_t max_alloc)
{
    suite_random random = suite_stream(77);
    *w = (world){.context = device_open(ISG_ARITHMETIC_AUTO, max_alloc), .dtype = dtype, .rows = n};
    if (dtype == ISG_F64 && w->context->device.lanes_f64 == 0) {
        printf("skipped: no double precision\n");
        isg_context_destroy(&w->context);
        return false;
    }
    w->x = device_points(&random, dtype, n * d, -1, 1);
    w->y = device_points(&random, dtype, M * d, -1, 1);
    w->cols = cross ? M : n;
    w->params = (isg_gram_params){.kernel = isg_kernel_find(kernel), .x = isg_matrix(dtype, w->x, n, d)};
    if (cross)
        w->params.y = isg_matrix(dtype, w->y, M, d);
    if (factors) {
        w->factors = malloc((size_t)n * sizeof *w->factors);
        for (int64_t i = 0; i < n; i++)
            w->factors[i] = random_between(&random, -2, 2);
        w->params.factors = w->factors;
    }
    device_ok(w->context, isg_gram_create(w->context, &w->gram, &w->params));
    w->want = device_expected(w->context, &w->params);
    return true;
}

static void close_world(world *w)
{
    isg_gram_destroy(&w->gram);
    isg_context_destroy(&w->context);
    free(w->x);
    free(w->y);
    free(w->factors);
    free(w->want);
}

static const struct layout {
    const char *name;
    bool cross, factors;
    int64_t row_stride, col_stride; // elements; COLS and ROWS stand for those of the block
} layouts[] = {
    {"columns", true, false, 1, N},
    {"columns with gaps", true, false, 1, N + 7},
    {"columns of K(X, X)", false, false, 1, N + 1},
    {"columns with factors", true, true, 1, N},
    {"every third column", true, false, 3 * M, 3},
    {"backwards", true, false, -M, -1},
    {"rows backwards", false, false, -(N + 2), 1},
    {"interleaved", true, false, 2 * M, 2},
    {"columns of columns", true, false, 2, 2 * N},
};

static void check_layout(const struct layout *l, isg_dtype dtype, int64_t max_alloc)
{
    world w;
    if (!open_world(&w, dtype, l->factors ? "cosine" : "rbf", l->cross, l->factors, N, D, max_alloc))
        return;
    const int64_t row = 3, col = 2, rows = N - 5, cols = w.cols - 4;
    size_t element = isg_dtype_bytes(dtype);
    int64_t low = 0, high = 0;
    *(l->row_stride < 0 ? &low : &high) += (rows - 1) * l->row_stride;
    *(l->col_stride < 0 ? &low : &high) += (cols - 1) * l->col_stride;
    int64_t count = high - low + 1;
    char *memory = malloc((size_t)count * element), *touched = calloc((size_t)count, 1);
    memset(memory, 0x5a, (size_t)count * element);
    isg_array k = isg_matrix(dtype, memory - low * (int64_t)element, rows, cols);
    k.strides[0] = l->row_stride;
    k.strides[1] = l->col_stride;
    device_ok(w.context, isg_gram_tile(w.gram, row, col, k));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            int64_t at = i * l->row_stride + j * l->col_stride - low;
            touched[at] = 1;
            ck_assert_msg(memcmp(memory + (size_t)at * element,
                                 (char *)w.want + (size_t)((row + i) * w.cols + col + j) * element, element) == 0,
                          "%s, %s: element (%d, %d)", l->name, isg_dtype_name(dtype), (int)i, (int)j);
        }
    for (int64_t at = 0; at < count; at++)
        for (size_t b = 0; b < element && !touched[at]; b++)
            ck_assert_msg(memory[(size_t)at * element + b] == 0x5a, "%s: wrote between the elements", l->name);
    // The operator computes as before.
    void *dense = malloc((size_t)(w.rows * w.cols) * element);
    device_ok(w.context, isg_gram_dense(w.gram, isg_matrix(dtype, dense, w.rows, w.cols)));
    device_same_bits(dtype, dense, w.cols, w.want, w.cols, w.rows, w.cols, "dense, after another layout");
    free(dense);
    free(touched);
    free(memory);
    close_world(&w);
}

START_TEST(strides)
{
    for (int p = 0; p < 2; p++)
        check_layout(&layouts[_i], precisions[p], 0);
}
END_TEST

START_TEST(strides_in_parts)
{
    check_layout(&layouts[_i], ISG_F32, 8192);
}
END_TEST

// Y begins where X does, but is another set: fewer points. Columns first, K's transpose is computed from sides that
// have changed places.
START_TEST(some_of_the_same_points)
{
    enum { SOME = 10 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(31);
    float *x = device_points(&random, ISG_F32, N * D, -1, 1), k[N * SOME], turned[N * SOME];
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, N, D), .y = isg_matrix_f32(x, SOME, D))));
    device_ok(context, isg_gram_dense(gram, isg_matrix_f32(k, N, SOME)));
    isg_array columns = isg_matrix_f32(turned, N, SOME);
    columns.strides[0] = 1;
    columns.strides[1] = N;
    device_ok(context, isg_gram_dense(gram, columns));
    for (int i = 0; i < N; i++)
        for (int j = 0; j < SOME; j++)
            ck_assert_msg(k[i * SOME + j] == turned[j * N + i], "element (%d, %d)", i, j);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(x);
}
END_TEST

START_TEST(strides_that_overlap)
{
    static const struct {
        int64_t rows, cols, row_stride, col_stride;
        bool fits;
    } cases[] = {
        {4, 5, 3, 1, false},  {4, 5, 0, 1, false}, {4, 5, 1, 0, false},         {4, 5, 2, 2, false},
        {4, 5, -2, 3, false}, {4, 5, 5, 4, true},  {2, 2, 2, 3, true},          {1, 5, 0, 1, true},
        {5, 1, 1, 0, true},   {5, 1, 0, 1, false}, {4, 5, INT64_MIN, 1, false},
    };
    world w;
    float memory[64];
    if (!open_world(&w, ISG_F32, "rbf", true, false, N, D, 0))
        return;
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_array k = isg_matrix_f32(memory + 32, cases[i].rows, cases[i].cols);
        k.strides[0] = cases[i].row_stride;
        k.strides[1] = cases[i].col_stride;
        isg_status st = isg_gram_tile(w.gram, 0, 0, k);
        ck_assert_msg((st == ISG_OK) == cases[i].fits, "case %d: %s", (int)i, isg_context_error(w.context)->message);
        ck_assert(cases[i].fits || st == ISG_ERR_SHAPE || st == ISG_ERR_OVERFLOW);
    }
    isg_array over_points = isg_matrix_f32(w.x, 4, 4);
    ck_assert_int_eq(isg_gram_tile(w.gram, 0, 0, over_points), ISG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(isg_context_error(w.context)->message, "overlaps the memory of the points"));
    close_world(&w);
}
END_TEST

// n, whether several sets of points and several buffers are needed, and dimensions on both sides of the shapes' border.
static const struct triangle {
    int64_t n, d, max_alloc;
} triangles[] = {{1, 3, 0}, {2, 3, 0}, {83, 5, 0}, {200, 300, 0}, {500, 3, 8192}, {777, 17, 0}};

static void check_triangle(const struct triangle *t, isg_dtype dtype, isg_device_class device_class)
{
    world w;
    if (!open_world(&w, dtype, "rbf", false, false, t->n, t->d, t->max_alloc))
        return;
    if (device_class != ISG_DEVICE_CPU)
        w.context->device.device_class = device_class;
    int64_t n = t->n, count = n * (n + 1) / 2;
    size_t element = isg_dtype_bytes(dtype);
    char *k = device_guard(dtype, count);
    device_ok(w.context, isg_gram_packed(w.gram, isg_vector(dtype, k, count)));
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(memcmp(k + (size_t)(i * (i + 1) / 2) * element, (char *)w.want + (size_t)(i * n) * element,
                             (size_t)(i + 1) * element) == 0,
                      "n = %d, row %d", (int)n, (int)i);
    ck_assert_int_eq(isg_gram_packed(w.gram, isg_vector(dtype, k, count - 1 + 2 * (count == 1))), ISG_ERR_SHAPE);
    device_guard_free(k, dtype, count);
    close_world(&w);
}

START_TEST(lower_triangle)
{
    for (int p = 0; p < 2; p++)
        check_triangle(&triangles[_i], precisions[p], ISG_DEVICE_CPU);
    check_triangle(&triangles[_i], ISG_F32, ISG_DEVICE_GPU_DISCRETE);
}
END_TEST

START_TEST(lower_triangle_of_what_has_none)
{
    world w;
    float k[8];
    for (int i = 0; i < 2; i++) {
        if (!open_world(&w, ISG_F32, "rbf", i == 0, i == 1, N, D, 0))
            return;
        ck_assert_int_eq(isg_gram_packed(w.gram, isg_vector(ISG_F32, k, N * (N + 1) / 2)), ISG_ERR_ARGUMENT);
        close_world(&w);
    }
}
END_TEST

// Every value of K rounded once more.
START_TEST(half_precision)
{
    static const char *const kernels[] = {"rbf", "linear"};
    world w;
    if (!open_world(&w, ISG_F32, kernels[_i % 2], _i < 2, false, N, D, 0))
        return;
    int64_t count = w.rows * w.cols;
    uint16_t *k = calloc((size_t)count, sizeof *k), *want = calloc((size_t)count, sizeof *want);
    half_variant_32.rounded(w.want, want, count);
    device_ok(w.context, isg_gram_dense(w.gram, isg_matrix(ISG_F16, k, w.rows, w.cols)));
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(k[i] == want[i], "element %d is %04x, not %04x", (int)i, k[i], want[i]);
    isg_array columns = isg_matrix(ISG_F16, k, w.rows, w.cols);
    columns.strides[0] = 1;
    columns.strides[1] = w.rows;
    device_ok(w.context, isg_gram_dense(w.gram, columns));
    for (int64_t i = 0; i < count; i++)
        ck_assert_int_eq(k[i % w.cols * w.rows + i / w.cols], want[i]);
    if (w.cols == w.rows) {
        device_ok(w.context, isg_gram_packed(w.gram, isg_vector(ISG_F16, k, w.rows * (w.rows + 1) / 2)));
        for (int64_t i = 0; i < w.rows; i++)
            for (int64_t j = 0; j <= i; j++)
                ck_assert_int_eq(k[i * (i + 1) / 2 + j], want[i * w.cols + j]);
    }
    ck_assert_int_eq(isg_gram_diagonal(w.gram, isg_vector(ISG_F16, k, w.cols)), ISG_ERR_DTYPE);
    free(k);
    free(want);
    close_world(&w);
}
END_TEST

START_TEST(half_precision_beside_double)
{
    world w;
    uint16_t k[4];
    if (!open_world(&w, ISG_F64, "rbf", true, false, N, D, 0))
        return;
    ck_assert_int_eq(isg_gram_tile(w.gram, 0, 0, isg_matrix(ISG_F16, k, 2, 2)), ISG_ERR_DTYPE);
    close_world(&w);
}
END_TEST

// Tiles at the corners of an operator of 4.9 10^9 elements, beyond 2^31 and 2^32, which is never stored.
START_TEST(far_corner)
{
    enum { MANY = 70000, COORDINATES = 3, SIZE = 100 };
    static const int64_t corners[][2] = {{MANY - SIZE, MANY - SIZE},
                                         {0, MANY - SIZE},
                                         {MANY - SIZE, 0},
                                         {MANY - SIZE, 46341},
                                         {32767, 65536 - SIZE / 2}};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(70);
    float *x = device_points(&random, ISG_F32, MANY * COORDINATES, -1, 1), *k = malloc(SIZE * SIZE * sizeof *k);
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram,
                                       isg_gram_params(.x = isg_matrix_f32(x, MANY, COORDINATES), .gamma = 0.5)));
    for (size_t c = 0; c < COUNT(corners); c++) {
        isg_gram_params some = {.x = isg_matrix_f32(x + corners[c][0] * COORDINATES, SIZE, COORDINATES),
                                .y = isg_matrix_f32(x + corners[c][1] * COORDINATES, SIZE, COORDINATES),
                                .gamma = 0.5};
        float *want = device_expected(context, &some);
        device_ok(context, isg_gram_tile(gram, corners[c][0], corners[c][1], isg_matrix_f32(k, SIZE, SIZE)));
        device_same_bits(ISG_F32, k, SIZE, want, SIZE, SIZE, SIZE, "far corner");
        free(want);
    }
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(x);
    free(k);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("output");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, strides, 0, COUNT(layouts));
    tcase_add_loop_test(all, strides_in_parts, 0, COUNT(layouts));
    tcase_add_test(all, some_of_the_same_points);
    tcase_add_test(all, strides_that_overlap);
    tcase_add_loop_test(all, lower_triangle, 0, COUNT(triangles));
    tcase_add_test(all, lower_triangle_of_what_has_none);
    tcase_add_loop_test(all, half_precision, 0, 4);
    tcase_add_test(all, half_precision_beside_double);
    tcase_add_test(all, far_corner);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
