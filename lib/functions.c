#include "functions.h"
#include "buffer.h"
#include "cl.h"

static isg_status run(isg_context *context, isg_real_type type, int function, const void *a, const void *b,
                      isg_numbers n, void *y, int64_t count)
{
    isg_status st;
    cl_kernel kernel;
    cl_mem in[2] = {NULL, NULL}, out = NULL;
    const void *host[2] = {a, b ? b : a};
    // Whole vectors; what is behind the last element is computed from whatever lies there.
    int64_t vectors = isg_round_up(count, type.lanes) / type.lanes;
    size_t bytes = (size_t)count * isg_dtype_bytes(type.dtype);
    TRY(isg_program_kernel(context, &kernel, "functions.cl", "functions", type, ""));
    for (int i = 0; i < 2; i++) {
        TRY(isg_buffer_new(context, &in[i], CL_MEM_READ_ONLY,
                           vectors * type.lanes * (int64_t)isg_dtype_bytes(type.dtype)));
        CL_TRY(context, clEnqueueWriteBuffer(context->queue, in[i], CL_TRUE, 0, bytes, host[i], 0, NULL, NULL));
    }
    TRY(isg_buffer_new(context, &out, CL_MEM_WRITE_ONLY, vectors * type.lanes * (int64_t)isg_dtype_bytes(type.dtype)));
    TRY(isg_run(context, kernel,
                ISG_ARGS(arg_mem(in[0]), arg_mem(in[1]), arg_mem(out), arg_int(function), arg_int(vectors),
                         arg_real(type.dtype, n.a), arg_real(type.dtype, n.b), arg_real(type.dtype, n.c)),
                (isg_range){{vectors, 1}, {16, 1}}));
    CL_TRY(context, clEnqueueReadBuffer(context->queue, out, CL_TRUE, 0, bytes, y, 0, NULL, NULL));
fail:
    isg_buffer_free(&in[0]);
    isg_buffer_free(&in[1]);
    isg_buffer_free(&out);
    return st;
}

isg_status isg_functions_run(isg_context *context, isg_real_type type, int function, const void *a, const void *b,
                             void *y, int64_t count)
{
    return run(context, type, function, a, b, (isg_numbers){0, 0, 0}, y, count);
}

isg_status isg_functions_formula(isg_context *context, isg_real_type type, int kernel, const void *s, isg_numbers n,
                                 void *y, int64_t count)
{
    return run(context, type, FUNCTION_COUNT + kernel, s, NULL, n, y, count);
}
