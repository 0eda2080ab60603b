#include "jobs.h"

#include "filter.h"
#include "functions.h"

#include <isogram/isogram.h>

enum { MANY = 2100, ROWS = 60, COLS = 50, DIMS = 5, COLUMNS = 40, DEPTH = 5, HEIGHT = 12, WIDTH = 21 };

static float x[ROWS * DIMS], many[MANY], y[COLS * DIMS], v[ROWS * COLUMNS], image[HEIGHT * WIDTH];
static double wide_x[ROWS * DIMS];
static uint8_t volume[DEPTH * HEIGHT * WIDTH];

void small_jobs_fill(void)
{
    suite_random random = suite_stream(7);
    for (size_t i = 0; i < COUNT(x); i++)
        wide_x[i] = x[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(y); i++)
        y[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(v); i++)
        v[i] = (float)random_between(&random, -1, 1);
    for (size_t i = 0; i < COUNT(image); i++)
        image[i] = (float)random_between(&random, 0, 1);
    for (size_t i = 0; i < COUNT(volume); i++)
        volume[i] = (uint8_t)random_bits(&random);
}

static isg_status with_gram(isg_context *context, const isg_gram_params *params, void *result,
                            isg_status (*use)(isg_gram *gram, void *result))
{
    isg_gram *gram = NULL;
    isg_status st = isg_gram_create(context, &gram, params);
    if (!st)
        st = use(gram, result);
    isg_gram_destroy(&gram);
    return st;
}

#define OF_X(...)  isg_gram_params(.x = isg_matrix_f32(x, ROWS, DIMS), __VA_ARGS__)
#define OF_XY(...) OF_X(.y = isg_matrix_f32(y, COLS, DIMS), __VA_ARGS__)
#define WIDE(...)  isg_gram_params(.x = isg_matrix_f64(wide_x, ROWS, DIMS), __VA_ARGS__)

// GRAM(name, operator, what is done with it)
#define GRAM(name, params, call)                                                                                       \
    static isg_status name##_use(isg_gram *gram, void *result)                                                         \
    {                                                                                                                  \
        return call;                                                                                                   \
    }                                                                                                                  \
    static isg_status name(isg_context *context, void *result)                                                         \
    {                                                                                                                  \
        return with_gram(context, params, result, name##_use);                                                         \
    }

GRAM(dense, OF_X(.sigma = 0.5), isg_gram_dense(gram, isg_matrix(ISG_F32, result, ROWS, ROWS)))
GRAM(tile, OF_XY(.sigma = 0.5), isg_gram_tile(gram, 3, 5, isg_matrix(ISG_F32, result, 50, 41)))
GRAM(half, OF_XY(.sigma = 0.5), isg_gram_dense(gram, isg_matrix(ISG_F16, result, ROWS, COLS)))
GRAM(packed, OF_X(.sigma = 0.5), isg_gram_packed(gram, isg_vector(ISG_F32, result, ROWS *(ROWS + 1) / 2)))
GRAM(strided, OF_XY(.kernel = isg_kernel_find("laplacian")),
     isg_gram_dense(gram,
                    ((isg_array){
                        .dtype = ISG_F32, .ndim = 2, .shape = {ROWS, COLS}, .strides = {2, 2 * ROWS}, .data = result})))
GRAM(diagonal, OF_X(.kernel = isg_kernel_find("linear")), isg_gram_diagonal(gram, isg_vector(ISG_F32, result, ROWS)))
GRAM(fast, OF_X(.sigma = 0.5, .method = ISG_METHOD_FAST), isg_gram_dense(gram, isg_matrix(ISG_F32, result, ROWS, ROWS)))
GRAM(wide, WIDE(.kernel = isg_kernel_find("cosine"), .precision = ISG_PRECISION_F64),
     isg_gram_dense(gram, isg_matrix(ISG_F64, result, ROWS, ROWS)))
GRAM(apply, OF_XY(.sigma = 0.5),
     isg_gram_apply(gram, isg_matrix_f32(v, COLS, 3), isg_matrix(ISG_F32, result, ROWS, 3), NULL))
GRAM(apply_wide, OF_XY(.sigma = 0.5),
     isg_gram_apply(gram, isg_matrix_f32(v, COLS, COLUMNS), isg_matrix(ISG_F32, result, ROWS, COLUMNS),
                    isg_apply_params(.accumulate = ISG_PRECISION_F64)))
// Few targets and many sources: whole blocks of these side by side, joined afterwards.
GRAM(apply_few, isg_gram_params(.x = isg_matrix_f32(x, 6, 1), .y = isg_matrix_f32(many, MANY, 1), .sigma = 0.5),
     isg_gram_apply(gram, isg_matrix_f32(many, MANY, 1), isg_matrix(ISG_F32, result, 6, 1), NULL))
GRAM(skipped, OF_XY(.sigma = 0.15),
     isg_gram_apply(gram, isg_matrix_f32(v, COLS, 3), isg_matrix(ISG_F32, result, ROWS, 3),
                    isg_apply_params(.skip = ISG_SKIP_ALWAYS)))
GRAM(sums, OF_XY(.sigma = 0.5), isg_gram_reduce(gram, isg_reduce_params(.out = isg_vector(ISG_F32, result, ROWS))))
GRAM(extremes, OF_XY(.sigma = 0.5),
     isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LARGEST, .count = 3,
                                             .out = isg_matrix(ISG_F32, result, ROWS, 3),
                                             .indices = isg_matrix(ISG_I64, (char *)result + 4096, ROWS, 3))))
GRAM(logsumexp, OF_XY(.sigma = 0.5),
     isg_gram_reduce(gram,
                     isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP, .out = isg_vector(ISG_F32, result, ROWS))))
GRAM(means, OF_XY(.sigma = 0.5),
     isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_MEAN, .v = isg_matrix_f32(v, COLS, 3),
                                             .out = isg_matrix(ISG_F32, result, ROWS, 3))))
GRAM(gradient, OF_XY(.sigma = 0.5),
     isg_gram_gradient(gram, isg_gradient_params(.v = isg_matrix_f32(v, ROWS, 1), .w = isg_matrix_f32(v, COLS, 1),
                                                 .x = isg_matrix(ISG_F32, result, ROWS, DIMS),
                                                 .y = isg_matrix(ISG_F32, (char *)result + 4096, COLS, DIMS),
                                                 .parameters = (double *)(void *)((char *)result + 8192))))

static isg_status measure_gram_use(isg_gram *gram, void *result)
{
    (void)result;
    isg_gram_limits limits;
    return isg_gram_measure(gram, &limits);
}

static isg_status measure_gram(isg_context *context, void *result)
{
    return with_gram(context, OF_X(.sigma = 0.5), result, measure_gram_use);
}

static isg_status measure(isg_context *context, void *result)
{
    (void)result;
    isg_limits limits;
    return isg_context_measure(context, ISG_PRECISION_F32, &limits);
}

static isg_status grid(isg_context *context, void *result)
{
    isg_grid *grid = NULL;
    isg_status st = isg_grid_create(
        context, &grid, isg_grid_params(.ndim = 2, .size = {21, 13}, .sigma = {3, 2}, .precision = ISG_PRECISION_F32));
    if (!st)
        st = isg_grid_fill(grid, isg_matrix(ISG_F32, result, 21, 13));
    isg_grid_destroy(&grid);
    return st;
}

static isg_array block(isg_dtype dtype, void *data)
{
    return (isg_array){.dtype = dtype,
                       .ndim = 3,
                       .shape = {DEPTH, HEIGHT, WIDTH},
                       .strides = {HEIGHT * WIDTH, WIDTH, 1},
                       .data = data};
}

static isg_status filter(isg_context *context, void *result)
{
    return isg_filter(context, isg_matrix_f32(image, HEIGHT, WIDTH), isg_matrix(ISG_F32, result, HEIGHT, WIDTH),
                      isg_filter_params(.sigma = {2}));
}

// Numbers that are large are found, and all is done again.
static isg_status filter_large(isg_context *context, void *result)
{
    float huge[HEIGHT * WIDTH];
    for (size_t i = 0; i < COUNT(huge); i++)
        huge[i] = image[i] * 0x1p127f;
    return isg_filter(context, isg_matrix_f32(huge, HEIGHT, WIDTH), isg_matrix(ISG_F32, result, HEIGHT, WIDTH),
                      isg_filter_params(.sigma = {1}));
}

static isg_status filter_each(isg_context *context, void *result)
{
    return isg_filter_call(context, isg_matrix_f32(image, HEIGHT, WIDTH), isg_matrix(ISG_F32, result, HEIGHT, WIDTH),
                           isg_filter_params(.sigma = {1.5}, .mode = {ISG_MODE_CONSTANT}), true);
}

static isg_status filter_volume(isg_context *context, void *result)
{
    return isg_filter(
        context, block(ISG_U8, volume), block(ISG_U8, result),
        isg_filter_params(.sigma = {1, 2, 3}, .order = {0, 1, 0}, .each = 1, .axes = {0, 1, 2}, .axis_count = 3));
}

static isg_status filter_row(isg_context *context, void *result)
{
    return isg_filter(context, isg_vector(ISG_F32, image, HEIGHT * WIDTH), isg_vector(ISG_F32, result, HEIGHT * WIDTH),
                      isg_filter_params(.sigma = {3}));
}

static isg_status filter_valid(isg_context *context, void *result)
{
    return isg_filter(context, isg_matrix_f32(image, HEIGHT, WIDTH), isg_matrix(ISG_F32, result, HEIGHT, WIDTH),
                      isg_filter_params(.sigma = {2}, .mask = isg_matrix(ISG_U8, volume, HEIGHT, WIDTH)));
}

static isg_status laplacian(isg_context *context, void *result)
{
    isg_array out = isg_matrix(ISG_F32, result, HEIGHT, WIDTH);
    return isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, isg_matrix_f32(image, HEIGHT, WIDTH), &out, 1,
                              isg_derived_params(.filter = {.sigma = {1}}));
}

static isg_status convolve(isg_context *context, void *result)
{
    return isg_convolve(context, isg_matrix_f32(image, HEIGHT, WIDTH), isg_matrix_f32(y, 7, 3),
                        isg_matrix(ISG_F32, result, HEIGHT, WIDTH), NULL);
}

static isg_status functions(isg_context *context, void *result)
{
    const isg_real_type type = {ISG_F32, false, context->device.lanes_f32};
    return isg_functions_run(context, type, FUNCTION_real_exp, x, NULL, result, ROWS * DIMS);
}

const small_job small_jobs[] = {
    {"dense", dense, false, false, false, false},
    {"tile", tile, true, false, false, false},
    {"half", half, false, false, false, false},
    {"packed", packed, false, false, false, false},
    {"strided", strided, false, false, false, false},
    {"diagonal", diagonal, true, false, false, false},
    {"fast", fast, false, false, false, true},
    {"wide", wide, false, true, false, false},
    {"apply", apply, false, false, false, false},
    {"apply_wide", apply_wide, false, true, false, false},
    {"apply_few", apply_few, false, false, false, false},
    {"skipped", skipped, false, false, false, false},
    {"sums", sums, true, false, false, false},
    {"extremes", extremes, true, false, false, false},
    {"logsumexp", logsumexp, false, false, false, false},
    {"means", means, false, false, false, false},
    {"gradient", gradient, false, false, false, false},
    {"grid", grid, true, false, false, false},
    {"filter", filter, false, false, false, false},
    {"filter_large", filter_large, false, false, false, false},
    {"filter_each", filter_each, true, false, false, false},
    {"filter_volume", filter_volume, false, false, false, false},
    {"filter_row", filter_row, false, false, false, false},
    {"filter_valid", filter_valid, false, false, false, false},
    {"laplacian", laplacian, false, false, false, false},
    {"convolve", convolve, true, false, false, false},
    {"functions", functions, false, false, false, false},
    {"measure", measure, false, false, true, false},
    {"measure_gram", measure_gram, false, false, true, false},
};
const size_t small_job_count = COUNT(small_jobs);
