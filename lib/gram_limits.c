// The least time that an operator's matrix can take: its own inner step and its own value, timed in registers with the
// lanes and the arithmetic of the kernels of gram_direct.c, beside the writing of K.
#include "cl.h"
#include "device_limits.h"
#include "probe.h"
#include "tiles.h"

#include <math.h>
#include <stdlib.h>

enum { POINTS = 20, VALUES = 12 }; // as in gram_limits.cl

// Numbers in [1, 2), no two alike: equal lanes are worth one to a compiler that knows of them.
static isg_status make_values(isg_context *context, isg_real_type type, cl_mem *mem)
{
    isg_status st = ISG_OK;
    int count = (POINTS + 2) * type.lanes;
    size_t element = isg_dtype_bytes(type.dtype);
    void *values = isg_alloc(count, element);
    if (!values)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for %d numbers", count);
    for (int i = 0; i < count; i++) {
        double value = 1 + (i + 0.5) / count;
        isg_store_double(type.dtype, values, i, value);
    }
    TRY(isg_buffer_new(context, mem, CL_MEM_READ_ONLY, count * (int64_t)element));
    CL_TRY(context,
           clEnqueueWriteBuffer(context->queue, *mem, CL_TRUE, 0, (size_t)count * element, values, 0, NULL, NULL));
fail:
    free(values);
    return st;
}

static isg_status measure_operations(isg_gram *gram, isg_real_type type, isg_gram_limits *out)
{
    isg_status st;
    isg_context *context = gram->context;
    cl_kernel steps, values;
    cl_mem in = NULL, result = NULL;
    char options[ISG_LONGEST_OPTIONS];
    isg_text text = {options, sizeof options, 0};
    int64_t items = isg_busy_items(context);
    isg_range range = {{items, 1}, {64, 1}};
    double round;
    isg_gram_put_options(&text, gram);
    TRY(isg_program_kernel(context, &steps, "gram_limits.cl", "limit_steps", type, options));
    TRY(isg_program_kernel(context, &values, "gram_limits.cl", "limit_values", type, options));
    TRY(isg_gram_upload_numbers(gram));
    TRY(make_values(context, type, &in));
    TRY(isg_buffer_new(context, &result, CL_MEM_WRITE_ONLY, items * type.lanes * (int64_t)isg_dtype_bytes(type.dtype)));
    double elements = (double)items * type.lanes;
    isg_arg step_args[] = {arg_mem(in), arg_mem(result), arg_int(0)};
    TRY(isg_measure_rounds(context, steps, step_args, 3, 2, range, &round));
    out->steps_per_s = POINTS * elements / round;
    isg_arg value_args[] = {arg_mem(in), arg_mem(gram->numbers), arg_mem(result), arg_int(0)};
    TRY(isg_measure_rounds(context, values, value_args, 4, 3, range, &round));
    out->values_per_s = VALUES * elements / round;
fail:
    isg_buffer_free(&in);
    isg_buffer_free(&result);
    return st;
}

isg_status isg_gram_measure(isg_gram *gram, isg_gram_limits *out)
{
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    isg_context *context = gram->context;
    isg_dtype dtype = gram->op.x.dtype;
    int64_t n = gram->op.x.count, m = gram->op.y.count;
    isg_real_type type = {dtype, isg_probe_fused(context, dtype), isg_gram_direct_lanes(gram)};
    isg_block whole = {.rows = n, .cols = m, .stride = m, .dtype = dtype};
    if (!out)
        return isg_fail(&context->error, ISG_ERR_ARGUMENT, "no place for limits");
    *out = (isg_gram_limits){0};
    if (n == 0 || m == 0)
        return isg_fail(&context->error, ISG_ERR_SHAPE, "K is %lld x %lld: there is nothing to measure", (long long)n,
                        (long long)m);
    TRY(isg_measure_fill(context, type, &out->fill_bytes_per_s));
    TRY(measure_operations(gram, type, out));
    double pairs = (double)n * (double)m;
    if (!context->zero_copy)
        whole.mem = gram->numbers; // any buffer: K is taken to lie in the device's memory
    out->computed_pairs = isg_tiles_mirror(gram, &whole) ? (double)n * (double)(n + 1) / 2 : pairs;
    out->memory_seconds = pairs * (double)isg_dtype_bytes(dtype) / out->fill_bytes_per_s;
    out->arithmetic_seconds =
        out->computed_pairs * ((double)gram->op.x.dims / out->steps_per_s + 1 / out->values_per_s);
    out->seconds = fmax(out->memory_seconds, out->arithmetic_seconds);
fail:
    isg_programs_save(context);
    return st;
}
