// The Gram matrix by subtracting first, under the contract. gram.c has checked its input.
#include "cl.h"
#include "probe.h"
#include "tiles.h"

int32_t isg_gram_direct_lanes(const isg_gram *gram)
{
    return isg_shape_choose(&gram->context->device, gram->op.x.dtype, gram->op.x.dims, false).lanes;
}

isg_status isg_gram_direct_block(isg_gram *gram, isg_block block)
{
    isg_tiles t = {.gram = gram, .options = "", .launch = isg_tiles_launch};
    return isg_tiles_compute(&t, block);
}

isg_status isg_gram_direct_diagonal(isg_gram *gram, int64_t count, void *out)
{
    isg_status st;
    isg_context *context = gram->context;
    isg_shape s = isg_shape_choose(&context->device, gram->op.x.dtype, gram->op.x.dims, false);
    cl_kernel kernel;
    cl_mem k = NULL;
    int64_t element = (int64_t)isg_dtype_bytes(gram->op.x.dtype);
    isg_real_type type = {gram->op.x.dtype, isg_probe_fused(context, gram->op.x.dtype), 1};
    char options[ISG_LONGEST_OPTIONS];
    isg_text text = {options, sizeof options, 0};
    int64_t set = isg_points_per_set(gram);
    isg_gram_put_options(&text, gram);
    isg_put(&text, "-D ROW_PANEL=%d -D COL_PANEL=%d", (int)isg_shape_row_panel(s), (int)isg_shape_col_panel(s));
    TRY(isg_gram_upload_numbers(gram));
    TRY(isg_program_kernel(context, &kernel, "diagonal.cl", "diagonal", type, options));
    int64_t step = isg_min(set, 1 << 20);
    for (int64_t at = 0; at < count; at += step) {
        int64_t first = at / set * set, rows = isg_min(step, isg_min(count, first + set) - at);
        TRY(isg_tiles_pack(gram, true, first, isg_min(set, gram->op.x.count - first), s, 0));
        TRY(isg_tiles_pack(gram, false, first, isg_min(set, gram->op.y.count - first), s, 0));
        TRY(isg_buffer_of_host(context, &k, CL_MEM_READ_WRITE, (char *)out + at * element, rows * element, false));
        TRY(isg_run(context, kernel,
                    ISG_ARGS(arg_mem(gram->rows.mem), arg_mem(gram->cols.mem),
                             arg_mem(isg_side_data(gram, &gram->rows)), arg_mem(isg_side_data(gram, &gram->cols)),
                             arg_int(gram->rows.pitch), arg_int(gram->cols.pitch), arg_mem(gram->numbers), arg_mem(k),
                             arg_int(at - first), arg_int(at - first + rows), arg_int(gram->op.x.dims)),
                    (isg_range){{rows, 1}, {16, 1}}));
        TRY(isg_buffer_to_host(context, k, (char *)out + at * element, rows * element));
        isg_buffer_free(&k);
    }
fail:
    isg_buffer_free(&k);
    return st;
}
