// What a device can do at most, measured: the yardstick that reports and benchmarks hold results against.
#include "buffer.h"
#include "probe.h"
#include "program.h"

#include <math.h>

enum { TRIES = 5, CHAINS = 16 /* as in probe.cl */, MOST_ROUNDS = 1 << 24 };

static isg_status measure_fill(isg_context *context, isg_real_type type, double *bytes_per_s)
{
    isg_status st;
    cl_kernel kernel;
    cl_mem mem = NULL;
    int64_t element = (int64_t)isg_dtype_bytes(type.dtype);
    int64_t bytes = isg_min((int64_t)128 << 20, context->max_alloc_bytes / 2);
    int64_t vectors = bytes / element / type.lanes;
    double best = HUGE_VAL;
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "limit_fill", type, ""));
    TRY(isg_buffer_new(context, &mem, CL_MEM_WRITE_ONLY, bytes));
    for (int i = 0; i < 2 * TRIES + 1; i++) { // the first one touches the memory and compiles
        double start = isg_seconds();
        TRY(isg_run(context, kernel, ISG_ARGS(arg_mem(mem), arg_real(type.dtype, i), arg_int(vectors), arg_int(i % 2)),
                    (isg_range){{vectors, 1}, {64, 1}}));
        TRY(isg_finish(context));
        if (i > 0)
            best = fmin(best, isg_seconds() - start);
    }
    *bytes_per_s = (double)(vectors * type.lanes * element) / best;
fail:
    isg_buffer_free(&mem);
    return st;
}

static isg_status measure_madds(isg_context *context, isg_real_type type, double *per_s)
{
    isg_status st;
    cl_kernel kernel;
    cl_mem mem = NULL;
    int64_t items = isg_round_up((int64_t)context->device.compute_units * 1024, 64);
    double best = HUGE_VAL;
    int64_t rounds = 2;
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_speed", type, ""));
    TRY(isg_buffer_new(context, &mem, CL_MEM_WRITE_ONLY, items * type.lanes * (int64_t)isg_dtype_bytes(type.dtype)));
    // Rounds grow until one launch takes long enough to be timed.
    for (int timed = 0; timed < TRIES;) {
        double start = isg_seconds();
        TRY(isg_run(context, kernel,
                    ISG_ARGS(arg_mem(mem), arg_real(type.dtype, 0.5), arg_int(rounds), arg_int(type.fused)),
                    (isg_range){{items, 1}, {64, 1}}));
        TRY(isg_finish(context));
        double seconds = isg_seconds() - start;
        if (seconds < 0.02 && rounds < MOST_ROUNDS) {
            rounds *= 2;
            continue;
        }
        best = fmin(best, seconds / (double)rounds);
        timed++;
    }
    *per_s = CHAINS * (double)items * type.lanes / best;
fail:
    isg_buffer_free(&mem);
    return st;
}

isg_status isg_context_measure(isg_context *context, isg_precision precision, isg_limits *out)
{
    isg_error_clear(&context->error);
    *out = (isg_limits){0, 0};
    isg_dtype dtype = isg_context_dtype(context, precision);
    isg_status st = isg_context_require(context, dtype);
    if (st)
        return st;
    isg_real_type type = {dtype, isg_probe_fused(context, dtype),
                          dtype == ISG_F64 ? context->device.lanes_f64 : context->device.lanes_f32};
    if ((st = measure_fill(context, type, &out->fill_bytes_per_s)) == ISG_OK)
        st = measure_madds(context, type, &out->madds_per_s);
    isg_programs_save(context);
    return st;
}
