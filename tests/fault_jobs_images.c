// Jobs of arrays: grids, filters and convolutions.
#include "fault_jobs.h"

static isg_status fill_grid(isg_context *context, const isg_grid_params *params)
{
    isg_grid *grid = NULL;
    isg_status st = isg_grid_create(context, &grid, params);
    if (!st)
        st = isg_grid_fill(grid, fault_out(ISG_F32, 0, 21, 13));
    isg_grid_destroy(&grid);
    return st;
}

static isg_status grid(isg_context *context, isg_error *error)
{
    (void)error;
    return fill_grid(context,
                     isg_grid_params(.ndim = 2, .size = {21, 13}, .sigma = {3, 2}, .precision = ISG_PRECISION_F32));
}

static isg_status covariance(isg_context *context, isg_error *error)
{
    (void)error;
    return fill_grid(context, isg_grid_params(.ndim = 2, .size = {21, 13}, .covariance = {4, 1, 1, 3}, .order = {0, 1},
                                              .precision = ISG_PRECISION_F32));
}

static isg_status gabor(isg_context *context, isg_error *error)
{
    (void)error;
    return fill_grid(context, isg_grid_params(.ndim = 2, .size = {21, 13}, .sigma = {3}, .angle = 30, .wavelength = 5,
                                              .precision = ISG_PRECISION_F32));
}

#define IMAGE isg_matrix_f32(fault_v, FAULT_ROWS, FAULT_COLUMNS)
#define OUT   fault_out(ISG_F32, 0, FAULT_ROWS, FAULT_COLUMNS)
static const isg_array volume = {.dtype = ISG_U8,
                                 .ndim = 3,
                                 .shape = {FAULT_DEPTH, FAULT_HEIGHT, FAULT_WIDTH},
                                 .strides = {FAULT_HEIGHT * FAULT_WIDTH, FAULT_WIDTH, 1},
                                 .data = fault_volume};
static isg_array like_volume(void)
{
    isg_array out = volume;
    out.data = fault_result;
    return out;
}

static isg_status filter(isg_context *context, isg_error *error)
{
    (void)error;
    return isg_filter(context, IMAGE, OUT, isg_filter_params(.sigma = {2}));
}

static isg_status filter_volume(isg_context *context, isg_error *error)
{
    (void)error;
    return isg_filter(context, volume, like_volume(),
                      isg_filter_params(.sigma = {1, 2, 3}, .each = 1, .axes = {0, 1, 2}, .axis_count = 3));
}

static isg_status filter_valid(isg_context *context, isg_error *error)
{
    (void)error;
    return isg_filter(
        context, IMAGE, OUT,
        isg_filter_params(.sigma = {2}, .mask = isg_matrix(ISG_U8, fault_volume, FAULT_ROWS, FAULT_COLUMNS)));
}

// In blocks, of a budget that does not hold the volume.
static isg_status filter_blocks(isg_context *context, isg_error *error)
{
    (void)error;
    return isg_filter(context, volume, like_volume(), isg_filter_params(.sigma = {1}, .memory = 60000));
}

static isg_status laplacian(isg_context *context, isg_error *error)
{
    (void)error;
    isg_array out = OUT;
    return isg_filter_derived(context, ISG_DERIVED_LAPLACIAN, IMAGE, &out, 1,
                              isg_derived_params(.filter = {.sigma = {1}}));
}

static isg_status structure(isg_context *context, isg_error *error)
{
    (void)error;
    isg_array out[3];
    for (int i = 0; i < 3; i++)
        out[i] = fault_out(ISG_F32, 16384 * i, FAULT_ROWS, FAULT_COLUMNS);
    return isg_filter_derived(context, ISG_DERIVED_STRUCTURE_TENSOR, IMAGE, out, 3,
                              isg_derived_params(.filter = {.sigma = {1}}));
}

static isg_status convolve(isg_context *context, isg_error *error)
{
    (void)error;
    return isg_convolve(context, IMAGE, isg_matrix_f32(fault_y, 7, 3), OUT, NULL);
}

static isg_status weights(isg_context *context, isg_error *error)
{
    (void)context;
    int64_t count;
    return isg_filter_weights(isg_filter_params(.sigma = {2}), 2, 0, (double *)(void *)fault_result, 100, &count,
                              error);
}

const fault_job fault_jobs_of_images[] = {
    {.name = "grid", .run = grid},
    {.name = "covariance", .run = covariance},
    {.name = "gabor", .run = gabor},
    {.name = "filter", .run = filter},
    {.name = "filter_volume", .run = filter_volume},
    {.name = "filter_valid", .run = filter_valid},
    {.name = "filter_blocks", .run = filter_blocks},
    {.name = "laplacian", .run = laplacian},
    {.name = "structure", .run = structure},
    {.name = "convolve", .run = convolve},
    {.name = "weights", .run = weights},
    {.name = NULL},
};
