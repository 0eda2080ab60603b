// What a device can do at most, measured: the yardstick that reports and benchmarks hold results against.
#include "device_limits.h"
#include "buffer.h"
#include "probe.h"

#include <math.h>
#include <stdlib.h>

enum { TRIES = 5, CHAINS = 12 /* as in probe.cl */, MOST_ROUNDS = 1 << 24, GROUP = 64, SWEEP_GROUP = 256 };

// Seconds after which what was measured has to do: a simulator takes seconds where a GPU takes microseconds.
static const double PATIENCE = 1;

// A large buffer, which lies in host memory on devices that share it: huge pages are twice as fast to write, and a
// limit must not be less than what is held against it.
typedef struct area {
    void *host;
    cl_mem mem;
    int64_t vectors, bytes;
} area;

static void area_free(area *a)
{
    isg_buffer_free(&a->mem);
    free(a->host);
}

static isg_status area_make(isg_context *context, area *a, isg_real_type type)
{
    int64_t vector = (int64_t)isg_dtype_bytes(type.dtype) * type.lanes;
    // Far more than the caches of a device hold, and enough to keep it busy for a while.
    int64_t most = (int64_t)(context->zero_copy ? 128 : 1024) << 20;
    *a = (area){.vectors = isg_min(most, context->max_alloc_bytes / 4) / vector};
    a->bytes = a->vectors * vector;
    if (!context->zero_copy)
        return isg_buffer_new(context, &a->mem, CL_MEM_READ_WRITE, a->bytes);
    a->host = isg_alloc_large(a->bytes);
    if (!a->host)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for %lld bytes", (long long)a->bytes);
    return isg_buffer_of_host(context, &a->mem, CL_MEM_READ_WRITE, a->host, a->bytes, false);
}

// Seconds of one launch, stores through the caches and past them by turns; the first two touch the memory and compile.
static isg_status time_sweeps(isg_context *context, cl_kernel kernel, isg_arg *args, int count, int64_t vectors,
                              double *best)
{
    isg_status st;
    double begin = isg_seconds();
    *best = HUGE_VAL;
    for (int i = 0; i < 2 * TRIES + 2 && (i < 4 || isg_seconds() - begin < PATIENCE); i++) {
        double start = isg_seconds();
        args[count - 1] = arg_int(i % 2);
        TRY(isg_run(context, kernel, args, count, (isg_range){{vectors, 1}, {SWEEP_GROUP, 1}}));
        TRY(isg_finish(context));
        if (i > 1)
            *best = fmin(*best, isg_seconds() - start);
    }
fail:
    return st;
}

isg_status isg_measure_fill(isg_context *context, isg_real_type type, double *bytes_per_s)
{
    isg_status st;
    type.lanes = type.dtype == ISG_F64 ? context->device.lanes_f64 : context->device.lanes_f32;
    cl_kernel kernel;
    area a = {.host = NULL};
    double seconds;
    TRY(isg_program_kernel(context, &kernel, "limits.cl", "limit_fill", type, ""));
    TRY(area_make(context, &a, type));
    isg_arg args[] = {arg_mem(a.mem), arg_real(type.dtype, 1), arg_int(a.vectors), arg_int(0)};
    TRY(time_sweeps(context, kernel, args, 4, a.vectors, &seconds));
    *bytes_per_s = (double)a.bytes / seconds;
fail:
    area_free(&a);
    return st;
}

static isg_status measure_copy(isg_context *context, isg_real_type type, double *bytes_per_s)
{
    isg_status st;
    cl_kernel fill, copy;
    area from = {.host = NULL}, to = {.host = NULL};
    double seconds;
    TRY(isg_program_kernel(context, &fill, "limits.cl", "limit_fill", type, ""));
    TRY(isg_program_kernel(context, &copy, "limits.cl", "limit_copy", type, ""));
    TRY(area_make(context, &from, type));
    TRY(area_make(context, &to, type));
    // Pages that were never written may all be one page of zeros, which the caches hold.
    TRY(isg_run(context, fill, ISG_ARGS(arg_mem(from.mem), arg_real(type.dtype, 1), arg_int(from.vectors), arg_int(0)),
                (isg_range){{from.vectors, 1}, {SWEEP_GROUP, 1}}));
    isg_arg args[] = {arg_mem(from.mem), arg_mem(to.mem), arg_int(to.vectors), arg_int(0)};
    TRY(time_sweeps(context, copy, args, 4, to.vectors, &seconds));
    *bytes_per_s = 2 * (double)to.bytes / seconds;
fail:
    area_free(&from);
    area_free(&to);
    return st;
}

int64_t isg_busy_items(const isg_context *context)
{
    return isg_round_up((int64_t)context->device.compute_units * 1024, GROUP);
}

isg_status isg_measure_rounds(isg_context *context, cl_kernel kernel, isg_arg *args, int count, int at, isg_range range,
                              double *seconds)
{
    isg_status st;
    int64_t rounds = 2;
    double best = HUGE_VAL, begin = isg_seconds();
    for (int timed = -1; timed < TRIES && (timed < 1 || isg_seconds() - begin <
                                                            PATIENCE);) { // the first launch compiles, on some drivers
        double start = isg_seconds();
        args[at] = arg_int(rounds);
        TRY(isg_run(context, kernel, args, count, range));
        TRY(isg_finish(context));
        double launch = isg_seconds() - start;
        if (timed >= 0 && launch < 0.02 && rounds < MOST_ROUNDS) {
            rounds *= 2;
            continue;
        }
        if (timed >= 0)
            best = fmin(best, launch / (double)rounds);
        timed++;
    }
    *seconds = best;
fail:
    return st;
}

static isg_status measure_madds(isg_context *context, isg_real_type type, double *per_s)
{
    isg_status st;
    cl_kernel kernel;
    cl_mem mem = NULL;
    int64_t items = isg_busy_items(context);
    double seconds;
    TRY(isg_program_kernel(context, &kernel, "probe.cl", "probe_speed", type, ""));
    TRY(isg_buffer_new(context, &mem, CL_MEM_WRITE_ONLY, items * type.lanes * (int64_t)isg_dtype_bytes(type.dtype)));
    isg_arg args[] = {arg_mem(mem), arg_real(type.dtype, 0.5), arg_int(0), arg_int(type.fused)};
    TRY(isg_measure_rounds(context, kernel, args, 4, 2, (isg_range){{items, 1}, {GROUP, 1}}, &seconds));
    *per_s = CHAINS * (double)items * type.lanes / seconds;
fail:
    isg_buffer_free(&mem);
    return st;
}

isg_status isg_context_measure(isg_context *context, isg_precision precision, isg_limits *out)
{
    isg_status st = isg_context_enter(context);
    if (st)
        return st;
    if (!out)
        return isg_fail(&context->error, ISG_ERR_ARGUMENT, "no place for limits");
    *out = (isg_limits){0};
    isg_dtype dtype = isg_context_dtype(context, precision);
    TRY(isg_context_require(context, dtype));
    isg_real_type type = {dtype, isg_probe_fused(context, dtype),
                          dtype == ISG_F64 ? context->device.lanes_f64 : context->device.lanes_f32};
    TRY(isg_measure_fill(context, type, &out->fill_bytes_per_s));
    TRY(measure_copy(context, type, &out->copy_bytes_per_s));
    TRY(measure_madds(context, type, &out->madds_per_s));
fail:
    isg_programs_save(context);
    return st;
}
