// Gaussian grids: profiles on the host, assembled on the device; or, what is no product of them, stencils.
#include "buffer.h"
#include "profile.h"
#include "program.h"
#include "stencil.h"

#include <stdlib.h>

struct isg_grid {
    isg_context *context;
    isg_dtype dtype;
    int32_t ndim;
    int64_t shape[ISG_GRID_MAX_NDIM];
    double *profiles;                   // one behind the other
    double *profile[ISG_GRID_MAX_NDIM]; // where each begins
    double *weights;                    // of a stencil, which has no profiles; else NULL
};

static isg_status resolve(isg_grid_plan *plan, isg_stencil *stencil, bool wanted, const isg_grid_params *params,
                          isg_error *error)
{
    if (!wanted)
        return isg_grid_resolve(plan, params, error);
    isg_status st = isg_stencil_resolve(stencil, params, error);
    *plan = stencil->plan;
    return st;
}

static isg_status make_profiles(isg_grid *grid, const isg_grid_plan *plan, int64_t sum, isg_error *error)
{
    isg_status st = ISG_OK;
    grid->profiles = isg_alloc(sum, sizeof(double));
    if (!grid->profiles)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for the profiles of a grid");
    double *at = grid->profiles;
    for (int32_t a = 0; a < plan->ndim && !st; a++) {
        grid->profile[a] = at;
        st = isg_profile(&plan->axis[a], at, error);
        at += grid->shape[a];
    }
    return st;
}

static isg_status make_weights(isg_grid *grid, const isg_stencil *stencil, int64_t total, isg_error *error)
{
    grid->weights = isg_alloc(total, sizeof(double));
    if (!grid->weights)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for the %lld weights of a grid", (long long)total);
    return isg_stencil_weights(stencil, grid->weights, error);
}

isg_status isg_grid_create(isg_context *context, isg_grid **out, const isg_grid_params *params)
{
    if (out)
        *out = NULL;
    isg_status st = isg_context_enter(context);
    if (st)
        return st;
    isg_error *error = &context->error;
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    isg_grid_plan plan;
    isg_stencil stencil;
    isg_grid *grid = calloc(1, sizeof *grid);
    if (!grid)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a grid");
    grid->context = context;
    isg_context_hold(context);
    if (!params || (unsigned)params->precision > ISG_PRECISION_F64) {
        st = isg_fail(error, ISG_ERR_ARGUMENT, params ? "unknown precision" : "a grid needs parameters");
        goto fail;
    }
    grid->dtype = isg_context_dtype(context, params->precision);
    bool wanted = isg_stencil_wanted(params);
    TRY(resolve(&plan, &stencil, wanted, params, error));
    TRY(isg_context_require(context, grid->dtype));
    if (plan.warning)
        isg_context_log(context, ISG_LOG_WARN, "%s", plan.warning);
    grid->ndim = plan.ndim;
    int64_t sum = 0, total;
    for (int32_t a = 0; a < plan.ndim; a++) {
        grid->shape[a] = plan.axis[a].size;
        if (plan.axis[a].size > INT32_MAX / 8) {
            st = isg_fail(error, ISG_ERR_OVERFLOW, "size %lld on axis %d is too large", (long long)plan.axis[a].size,
                          (int)a);
            goto fail;
        }
        sum += grid->shape[a];
    }
    TRY(isg_shape_count(grid->dtype, grid->ndim, grid->shape, &total, error));
    if (wanted)
        TRY(make_weights(grid, &stencil, total, error));
    else
        TRY(make_profiles(grid, &plan, sum, error));
    *out = grid;
    return ISG_OK;
fail:
    isg_grid_destroy(&grid); // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): only other processes' handles stay
    return st;
}

void isg_grid_destroy(isg_grid **grid)
{
    if (!grid || !*grid || (*grid)->context->asking)
        return;
    free((*grid)->profiles);
    free((*grid)->weights);
    isg_context_drop((*grid)->context);
    free(*grid);
    *grid = NULL;
}

int32_t isg_grid_shape(const isg_grid *grid, int64_t *shape)
{
    const int32_t ndim = grid ? grid->ndim : 0;
    for (int32_t a = 0; shape && a < ISG_GRID_MAX_NDIM; a++)
        shape[a] = a < ndim ? grid->shape[a] : 0;
    return ndim;
}

isg_dtype isg_grid_dtype(const isg_grid *grid)
{
    return grid ? grid->dtype : ISG_DTYPE_NONE;
}

const double *isg_grid_profile(const isg_grid *grid, int32_t axis)
{
    return grid && axis >= 0 && axis < grid->ndim ? grid->profile[axis] : NULL;
}

// Four profiles of the grid's type, those in front of the first axis being a single 1. count: their lengths.
static void *four_profiles(const isg_grid *grid, int64_t *count, int64_t *total)
{
    *total = 0;
    for (int32_t a = 0; a < 4; a++) {
        int32_t axis = a - (4 - grid->ndim);
        count[a] = axis >= 0 ? grid->shape[axis] : 1;
        *total += count[a];
    }
    size_t element = isg_dtype_bytes(grid->dtype);
    char *values = isg_alloc(*total, element), *at = values;
    const double one = 1;
    for (int32_t a = 0; a < 4 && values; a++) {
        int32_t axis = a - (4 - grid->ndim);
        isg_profile_round(axis >= 0 ? grid->profile[axis] : &one, count[a], grid->dtype, at);
        at += count[a] * (int64_t)element;
    }
    return values;
}

static isg_status check_output(const isg_grid *grid, const isg_array *out)
{
    isg_error *error = &grid->context->error;
    if (out->dtype != grid->dtype)
        return isg_fail(error, ISG_ERR_DTYPE, "the output is %s, the grid %s", isg_dtype_name(out->dtype),
                        isg_dtype_name(grid->dtype));
    if (out->mem)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a grid goes to host memory only, and the output is a cl_mem");
    bool fits = out->ndim == grid->ndim && out->data;
    int64_t stride = 1;
    for (int32_t a = grid->ndim - 1; a >= 0 && fits; a--) {
        fits = out->shape[a] == grid->shape[a] && (out->strides[a] == stride || out->shape[a] == 1);
        stride *= grid->shape[a];
    }
    return fits ? ISG_OK
                : isg_fail(error, ISG_ERR_SHAPE, "the output must have the grid's shape, row-major without gaps");
}

// One launch over rows [row, row_end) and columns [column, column_end), into `host`.
static isg_status fill_part(isg_grid *grid, cl_kernel kernel, cl_mem profiles, const int64_t *n, int64_t row,
                            int64_t row_end, int64_t column, int64_t column_end, void *host)
{
    isg_context *context = grid->context;
    isg_status st;
    cl_mem out = NULL;
    int64_t rows = row_end - row, columns = column_end - column;
    int64_t bytes = rows * columns * (int64_t)isg_dtype_bytes(grid->dtype);
    TRY(isg_buffer_of_host(context, &out, CL_MEM_WRITE_ONLY, host, bytes, false));
    TRY(isg_run(context, kernel,
                ISG_ARGS(arg_mem(profiles), arg_mem(out), arg_int(n[0]), arg_int(n[1]), arg_int(n[2]), arg_int(n[3]),
                         arg_long(row), arg_long(row_end), arg_long(column), arg_long(column_end)),
                (isg_range){{columns, rows}, {16, 1}}));
    TRY(isg_buffer_to_host(context, out, host, bytes));
fail:
    isg_buffer_free(&out);
    return st;
}

isg_status isg_grid_fill(isg_grid *grid, isg_array out)
{
    isg_status st = grid ? isg_context_enter(grid->context) : ISG_ERR_ARGUMENT;
    if (!st)
        st = check_output(grid, &out);
    if (st)
        return st;
    isg_context *context = grid->context;
    if (grid->weights) {
        int64_t count = 1;
        for (int32_t a = 0; a < grid->ndim; a++)
            count *= grid->shape[a];
        isg_stencil_round(grid->weights, count, grid->dtype, out.data);
        return ISG_OK;
    }
    cl_mem profiles = NULL;
    cl_kernel kernel;
    int64_t n[4], total, element = (int64_t)isg_dtype_bytes(grid->dtype);
    void *values = four_profiles(grid, n, &total);
    if (!values)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for the profiles of a grid");
    isg_real_type type = {grid->dtype, false, 1}; // products alone: the same bits in both arithmetics
    TRY(isg_program_kernel(context, &kernel, "grid.cl", "grid", type, ""));
    TRY(isg_buffer_new(context, &profiles, CL_MEM_READ_ONLY, total * element));
    CL_TRY(context, clEnqueueWriteBuffer(context->queue, profiles, CL_TRUE, 0, (size_t)(total * element), values, 0,
                                         NULL, NULL));

    // Whole rows as far as they fit a buffer and stay short; a row that does not fit in pieces.
    int64_t most = isg_max(isg_min(context->max_alloc_bytes / element, (int64_t)1 << 26), 1);
    int64_t columns = isg_min(n[3], most), step = isg_min(isg_max(most / columns, 1), 32768);
    int64_t rows = n[0] * n[1] * n[2];
    for (int64_t r = 0; r < rows; r += step) {
        int64_t row_end = isg_min(rows, r + step);
        for (int64_t c = 0; c < n[3]; c += columns)
            TRY(fill_part(grid, kernel, profiles, n, r, row_end, c, isg_min(n[3], c + columns),
                          (char *)out.data + (r * n[3] + c) * element));
    }
    isg_programs_save(context);
fail:
    isg_buffer_free(&profiles);
    free(values);
    return st;
}
