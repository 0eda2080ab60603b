// Where elements of K go: any strides, half precision, the lower triangle; in host memory or a caller's buffer. Tells
// the layouts that kernels write themselves from those that go through a strip of host memory.
#include "gram_output.h"

#include <stdlib.h>
#include <string.h>

isg_status isg_output_check_type(const isg_gram *gram, const isg_array *k, int32_t ndim, bool halves)
{
    isg_error *error = &gram->context->error;
    isg_dtype dtype = gram->op.x.dtype;
    if (k->dtype != dtype && !(halves && k->dtype == ISG_F16 && dtype == ISG_F32))
        return isg_fail(error, ISG_ERR_DTYPE, "K is %s, the operator %s", isg_dtype_name(k->dtype),
                        isg_dtype_name(dtype));
    if (k->ndim != ndim || (!k->data && !k->mem))
        return isg_fail(error, ISG_ERR_SHAPE, "K must be a %s with data", ndim == 2 ? "matrix" : "vector");
    return ISG_OK;
}

// The address of a view's first element for alignment's sake. A buffer of the device's own begins at a multiple of what
// the device promises; one that promises less than a vector gets an address that no vector has.
static uint64_t aligned_address(const isg_context *context, const isg_place *place)
{
    cl_uint bits = 0;
    if (place->root &&
        (clGetDeviceInfo(context->device_id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits, NULL) != CL_SUCCESS ||
         bits < sizeof(double) * 16 * 8))
        return 1;
    return place->begin;
}

// Checks that K may be written where it lies.
static isg_status check_place(isg_gram *gram, const isg_array *k, uint64_t *address)
{
    isg_error *error = &gram->context->error;
    isg_place place;
    isg_status st = isg_view_place(gram->context, k, "K", &place);
    if (st)
        return st;
    if (k->mem && (isg_view_flags(k->mem) & CL_MEM_READ_ONLY))
        return isg_fail(error, ISG_ERR_ARGUMENT, "K: kernels may not write to its buffer, which is CL_MEM_READ_ONLY");
    if (isg_places_meet(&place, &gram->x_place) || isg_places_meet(&place, &gram->y_place))
        return isg_fail(error, ISG_ERR_ARGUMENT, "K overlaps the memory of the points");
    *address = aligned_address(gram->context, &place);
    return ISG_OK;
}

isg_status isg_output_check(isg_gram *gram, int64_t row, int64_t col, const isg_array *k, isg_output *out)
{
    isg_error *error = &gram->context->error;
    isg_status st = isg_output_check_type(gram, k, 2, true);
    *out = (isg_output){.kind = ISG_OUTPUT_EMPTY, .k = *k};
    if (st)
        return st;
    int64_t rows = k->shape[0], cols = k->shape[1], s0 = k->strides[0], s1 = k->strides[1], total;
    if (rows < 0 || cols < 0 || row < 0 || col < 0 || rows > gram->op.x.count - row || cols > gram->op.y.count - col)
        return isg_fail(error, ISG_ERR_SHAPE,
                        "the block of %lld x %lld at (%lld, %lld) leaves the %lld x %lld operator", (long long)rows,
                        (long long)cols, (long long)row, (long long)col, (long long)gram->op.x.count,
                        (long long)gram->op.y.count);
    uint64_t address;
    if ((st = check_place(gram, k, &address)) || (st = isg_shape_count(k->dtype, 2, k->shape, &total, error)) ||
        total == 0)
        return st;
    if (isg_view_overlaps_itself(k))
        return isg_fail(error, ISG_ERR_SHAPE, "K's strides of %lld and %lld make elements of it overlap", (long long)s0,
                        (long long)s1);
    bool by_rows = (s1 == 1 || cols == 1) && (rows == 1 || s0 >= cols);
    bool by_columns = (s0 == 1 || rows == 1) && (cols == 1 || s1 >= rows);
    // Factors belong to rows, which kernels know of rows only.
    if (!by_rows && gram->op.factors)
        by_columns = false;
    if (!by_rows && !by_columns && k->mem)
        return isg_fail(error, ISG_ERR_SHAPE,
                        "K in a cl_mem needs unit stride along its rows or its columns%s, and strides above 0",
                        gram->op.factors ? " (rows alone where there are factors)" : "");
    out->kind = by_rows ? ISG_OUTPUT_ROWS : by_columns ? ISG_OUTPUT_COLUMNS : ISG_OUTPUT_SCATTERED;
    out->block = (isg_block){.row = row,
                             .col = col,
                             .rows = rows,
                             .cols = cols,
                             .stride = isg_max(s0, cols),
                             .dtype = k->dtype,
                             .data = k->data,
                             .mem = k->mem,
                             .offset = k->offset,
                             .address = address};
    if (out->kind == ISG_OUTPUT_COLUMNS) {
        out->block.row = col;
        out->block.col = row;
        out->block.rows = cols;
        out->block.cols = rows;
        out->block.stride = isg_max(s1, rows);
    }
    return ISG_OK;
}

isg_status isg_output_check_lower(isg_gram *gram, const isg_array *k, isg_output *out)
{
    isg_error *error = &gram->context->error;
    isg_status st = isg_output_check_type(gram, k, 1, true);
    int64_t n = gram->op.x.count, twice;
    uint64_t address;
    *out = (isg_output){.kind = n > 0 ? ISG_OUTPUT_ROWS : ISG_OUTPUT_EMPTY, .k = *k};
    if (st)
        return st;
    if (!gram->op.symmetric)
        return isg_fail(error, ISG_ERR_ARGUMENT, "only K(X, X), without factors, has a triangle that says it all");
    if (n == INT64_MAX || !isg_mul(n, n + 1, &twice))
        return isg_fail(error, ISG_ERR_OVERFLOW, "a triangle of %lld rows is too large", (long long)n);
    if (k->shape[0] != twice / 2 || (k->strides[0] != 1 && twice > 2))
        return isg_fail(error, ISG_ERR_SHAPE, "the lower triangle has %lld elements of unit stride, K %lld",
                        (long long)(twice / 2), (long long)k->shape[0]);
    if ((st = check_place(gram, k, &address)))
        return st;
    out->block = (isg_block){.rows = n,
                             .cols = n,
                             .stride = n,
                             .dtype = k->dtype,
                             .lower = true,
                             .data = k->data,
                             .mem = k->mem,
                             .offset = k->offset,
                             .address = address};
    return ISG_OK;
}

// X and Y change places: K's transpose is K(Y, X), bit for bit.
static void swap_sides(isg_gram *gram)
{
    isg_points x = gram->op.x;
    void *norms = gram->norms[0];
    gram->op.x = gram->op.y;
    gram->op.y = x;
    gram->norms[0] = gram->norms[1];
    gram->norms[1] = norms;
    gram->swapped = !gram->swapped;
    isg_panels_free(&gram->rows);
    isg_panels_free(&gram->cols);
}

static isg_status compute_block(isg_gram *gram, isg_block block)
{
    return gram->fast ? isg_gram_fast_block(gram, block) : isg_gram_direct_block(gram, block);
}

// Strips of rows, each computed as it likes best and then put where it belongs.
static isg_status compute_scattered(isg_gram *gram, const isg_output *out)
{
    const int64_t most_bytes = (int64_t)16 << 20;
    const isg_block *all = &out->block;
    size_t element = isg_dtype_bytes(all->dtype);
    int64_t step = isg_min(isg_max(most_bytes / (all->cols * (int64_t)element), 1), all->rows);
    isg_status st = ISG_OK;
    char *strip = isg_alloc(step * all->cols, element);
    if (!strip)
        return isg_fail(&gram->context->error, ISG_ERR_MEMORY, "no memory for %lld rows of K", (long long)step);
    gram->of = (double)all->rows * (double)all->cols;
    for (int64_t at = 0; at < all->rows && !st; at += step) {
        isg_block block = *all;
        block.row += at;
        block.rows = isg_min(step, all->rows - at);
        block.stride = all->cols;
        block.data = strip;
        block.address = (uint64_t)(uintptr_t)strip;
        gram->before = (double)at * (double)all->cols;
        st = compute_block(gram, block);
        for (int64_t i = 0; i < block.rows && !st; i++)
            for (int64_t j = 0; j < all->cols; j++)
                memcpy((char *)out->k.data + ((at + i) * out->k.strides[0] + j * out->k.strides[1]) * (int64_t)element,
                       strip + (size_t)(i * all->cols + j) * element, element);
    }
    gram->of = gram->before = 0;
    free(strip);
    return st;
}

isg_status isg_output_compute(isg_gram *gram, const isg_output *out)
{
    if (out->kind == ISG_OUTPUT_EMPTY)
        return ISG_OK;
    const double rows = (double)out->block.rows, cols = (double)out->block.cols;
    gram->elements = out->block.lower ? rows * (rows + 1) / 2 : rows * cols;
    isg_status st = gram->fast ? isg_gram_fast_begin(gram) : ISG_OK;
    if (st)
        return st;
    if (out->kind == ISG_OUTPUT_SCATTERED)
        return compute_scattered(gram, out);
    bool swapped = out->kind == ISG_OUTPUT_COLUMNS && !isg_points_same(&gram->op.x, &gram->op.y);
    if (swapped)
        swap_sides(gram);
    st = compute_block(gram, out->block);
    if (swapped)
        swap_sides(gram);
    return st;
}
