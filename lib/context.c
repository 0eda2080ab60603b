#include "context.h"
#include "probe.h"
#include "program.h"
#include "reference.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *isg_cl_error_name(cl_int code)
{
    static const struct {
        cl_int code;
        const char *name;
    } names[] = {
#define NAME(n) {n, #n}
        NAME(CL_DEVICE_NOT_FOUND),
        NAME(CL_DEVICE_NOT_AVAILABLE),
        NAME(CL_COMPILER_NOT_AVAILABLE),
        NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE),
        NAME(CL_OUT_OF_RESOURCES),
        NAME(CL_OUT_OF_HOST_MEMORY),
        NAME(CL_MEM_COPY_OVERLAP),
        NAME(CL_BUILD_PROGRAM_FAILURE),
        NAME(CL_MAP_FAILURE),
        NAME(CL_INVALID_VALUE),
        NAME(CL_INVALID_DEVICE),
        NAME(CL_INVALID_CONTEXT),
        NAME(CL_INVALID_COMMAND_QUEUE),
        NAME(CL_INVALID_HOST_PTR),
        NAME(CL_INVALID_MEM_OBJECT),
        NAME(CL_INVALID_BINARY),
        NAME(CL_INVALID_BUILD_OPTIONS),
        NAME(CL_INVALID_PROGRAM),
        NAME(CL_INVALID_PROGRAM_EXECUTABLE),
        NAME(CL_INVALID_KERNEL_NAME),
        NAME(CL_INVALID_KERNEL),
        NAME(CL_INVALID_ARG_INDEX),
        NAME(CL_INVALID_ARG_VALUE),
        NAME(CL_INVALID_ARG_SIZE),
        NAME(CL_INVALID_KERNEL_ARGS),
        NAME(CL_INVALID_WORK_DIMENSION),
        NAME(CL_INVALID_WORK_GROUP_SIZE),
        NAME(CL_INVALID_WORK_ITEM_SIZE),
        NAME(CL_INVALID_GLOBAL_OFFSET),
        NAME(CL_INVALID_OPERATION),
        NAME(CL_INVALID_BUFFER_SIZE),
        NAME(CL_INVALID_GLOBAL_WORK_SIZE),
#undef NAME
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            return names[i].name;
    return "an unknown OpenCL error";
}

void isg_context_log(const isg_context *context, isg_log_level level, const char *format, ...)
{
    if (!context->log)
        return;
    char line[2000];
    va_list values;
    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    isg_context *asking = (isg_context *)(uintptr_t)context; // const but for this
    asking->asking++;
    context->log(context->log_user, level, line);
    asking->asking--;
}

// The cache's lines go the same way.
static void log_of_cache(void *user, isg_log_level level, const char *message)
{
    isg_context_log(user, level, "%s", message);
}

int isg_context_ask(isg_context *context, isg_progress_fn progress, void *user, double done, double total)
{
    if (!progress)
        return 0;
    context->asking++;
    int stop = progress(user, done, total);
    context->asking--;
    return stop;
}

bool isg_context_is_ours(const isg_context *context)
{
    return context->process == getpid();
}

isg_status isg_context_enter(isg_context *context)
{
    if (!context || context->asking)
        return ISG_ERR_ARGUMENT;
    isg_error_clear(&context->error);
    return isg_context_is_ours(context)
               ? ISG_OK
               : isg_fail(&context->error, ISG_ERR_ARGUMENT,
                          "the context was made before fork(), by process %ld; OpenCL does not reach across",
                          (long)context->process);
}

void isg_context_hold(isg_context *context)
{
    context->holders++;
}

isg_status(isg_cl_fail)(isg_context *context, cl_int code, const char *call, const char *file, int line)
{
    // The call's name is what helps; its arguments are names of variables here.
    const char *slash = strrchr(file, '/');
    int length = (int)strcspn(call, "( ");
    isg_status st = code == CL_OUT_OF_HOST_MEMORY ? ISG_ERR_MEMORY : ISG_ERR_DEVICE;
    isg_fail(&context->error, st, "%.*s failed on %s with %s (%d) at %s:%d", length, call,
             context->device.name[0] ? context->device.name : "the device", isg_cl_error_name(code), (int)code,
             slash ? slash + 1 : file, line);
    isg_context_log(context, ISG_LOG_ERROR, "%s", context->error.message);
    // The caller is about to give up, and takes back memory that earlier commands may still be working on.
    if (context->queue && !context->chain)
        clFinish(context->queue);
    return st;
}

isg_status isg_cl_refuse(isg_context *context, cl_int code, const char *call, const char *refusal)
{
    if (code > CL_INVALID_VALUE) // codes of failures at run time lie between it and CL_SUCCESS
        return isg_cl_fail(context, code, call, __FILE__, __LINE__);
    return isg_fail(&context->error, ISG_ERR_ARGUMENT, "%s: %s", refusal, isg_cl_error_name(code));
}

isg_status isg_context_open(isg_context *context, const isg_candidate *candidate, cl_context cl, cl_command_queue queue)
{
    isg_status st = ISG_OK;
    context->device = candidate->device;
    context->platform_id = candidate->platform_id;
    context->device_id = candidate->device_id;
    context->zero_copy = candidate->device.unified_memory != 0;
    if (context->max_alloc_bytes <= 0 || context->max_alloc_bytes > candidate->device.max_alloc_bytes)
        context->max_alloc_bytes = candidate->device.max_alloc_bytes;
    if (candidate->code != CL_SUCCESS) {
        st = isg_cl_fail(context, candidate->code, candidate->call, __FILE__, __LINE__);
        goto fail;
    }
    // Parts of devices come and go; whole ones are always there, and OpenCL 1.1 cannot retain them.
    if (isg_device_parent(candidate->device_id)) {
        CL_TRY(context, clRetainDevice(candidate->device_id));
        context->part_of_device = true;
    }
    if (cl) {
        CL_TRY(context, clRetainContext(cl));
        context->cl = cl;
    } else {
        const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)candidate->platform_id,
                                                    0};
        CL_MAKE(context, context->cl, clCreateContext(properties, 1, &candidate->device_id, NULL, NULL, &code));
    }
    if (queue) {
        CL_TRY(context, clRetainCommandQueue(queue));
        context->queue = queue;
        context->borrowed = true;
    } else {
        CL_MAKE(context, context->queue, clCreateCommandQueue(context->cl, candidate->device_id, 0, &code));
    }
    TRY(isg_context_require(context, ISG_F32));
fail:
    return st;
}

static void close_device(isg_context *context)
{
    if (!isg_context_is_ours(context)) {
        isg_programs_abandon(context);
        return;
    }
    // Nothing of this library's is left in a caller's queue; what else is there may wait for an event that the caller
    // is still to set.
    if (context->queue && !context->borrowed)
        clFinish(context->queue);
    isg_programs_save(context);
    isg_programs_free(context);
    if (context->queue)
        clReleaseCommandQueue(context->queue);
    if (context->cl)
        clReleaseContext(context->cl);
    if (context->part_of_device)
        clReleaseDevice(context->device_id);
    context->queue = NULL;
    context->cl = NULL;
    context->borrowed = context->part_of_device = false;
}

// Tries the candidates that fit, best first.
static isg_status choose(isg_context *context, const char *spec, int64_t max_alloc_bytes)
{
    isg_candidate *list;
    int32_t count;
    isg_trouble trouble;
    isg_status st = isg_candidates(&list, &count, trouble, &context->error);
    if (st)
        return st;
    if (trouble[0])
        isg_context_log(context, ISG_LOG_WARN, "a platform is passed over: %s", trouble);
    st = ISG_ERR_NO_DEVICE;
    for (int32_t i = 0; i < count; i++) {
        if (!isg_spec_matches(spec, &list[i].device))
            continue;
        isg_error_clear(&context->error);
        memset(&context->probe, 0, sizeof context->probe);
        memset(context->measured, 0, sizeof context->measured);
        memset(context->probed, 0, sizeof context->probed);
        context->max_alloc_bytes = max_alloc_bytes;
        st = isg_context_open(context, &list[i], NULL, NULL);
        if (!st)
            break;
        close_device(context);
        isg_context_log(context, ISG_LOG_WARN, "passed over %s: %s", list[i].device.name, context->error.message);
        if (isg_spec_is_name(spec))
            break;
    }
    if (st == ISG_ERR_NO_DEVICE)
        isg_no_device(spec, list, count, trouble, &context->error);
    free(list);
    return st;
}

isg_status isg_context_begin(isg_context **out, const isg_context_params *params)
{
    isg_error_clear(params->error);
    if (!out)
        return isg_fail(params->error, ISG_ERR_ARGUMENT, "no place for the handle");
    *out = NULL;
    if ((unsigned)params->arithmetic > ISG_ARITHMETIC_UNFUSED || params->max_alloc_bytes < 0)
        return isg_fail(params->error, ISG_ERR_ARGUMENT, "unknown arithmetic, or a negative size");
    isg_context *context = calloc(1, sizeof *context);
    if (!context)
        return isg_fail(params->error, ISG_ERR_MEMORY, "no memory for a context");
    context->holders = 1;
    context->process = getpid();
    context->log = params->log;
    context->log_user = params->log_user;
    context->arithmetic = params->arithmetic;
    context->max_alloc_bytes = params->max_alloc_bytes;
    isg_cache_open(&context->cache, params->cache_dir, log_of_cache, context);
    *out = context;
    return ISG_OK;
}

isg_status isg_context_end(isg_context **out, isg_context *context, const isg_context_params *params, isg_status st)
{
    if (st) {
        if (params->error)
            *params->error = context->error;
        isg_context_destroy(&context);
    }
    *out = context;
    return st;
}

isg_status isg_context_create(isg_context **out, const isg_context_params *params)
{
    static const isg_context_params defaults;
    params = params ? params : &defaults;
    const char *spec = params->device && *params->device ? params->device : getenv("ISOGRAM_DEVICE");
    spec = spec && *spec ? spec : "auto";
    isg_context *context;
    isg_status st = isg_context_begin(out, params);
    if (st)
        return st;
    context = *out;
    *out = NULL;
    return isg_context_end(out, context, params, choose(context, spec, params->max_alloc_bytes));
}

void isg_context_drop(isg_context *context)
{
    if (--context->holders > 0)
        return;
    close_device(context);
    isg_spare_free(&context->spare);
    isg_cache_close(&context->cache);
    free(context);
}

void isg_context_destroy(isg_context **context)
{
    if (!context || !*context || (*context)->asking)
        return;
    isg_context_drop(*context);
    *context = NULL;
}

isg_status isg_context_require(isg_context *context, isg_dtype dtype)
{
    bool wide = dtype == ISG_F64;
    isg_error *judgement = &context->judgement[wide];
    if (!context->probed[wide]) {
        isg_error kept = context->error;
        isg_error_clear(&context->error);
        if (wide && context->device.lanes_f64 == 0)
            isg_fail(&context->error, ISG_ERR_UNSUPPORTED,
                     "%s has no double precision; ask for f32, or for another device", context->device.name);
        else
            isg_probe_precision(context, dtype);
        *judgement = context->error;
        context->error = kept;
        // A verdict on the device stands. That the probe itself failed says nothing of the next time.
        context->probed[wide] = judgement->status == ISG_OK || judgement->status == ISG_ERR_UNTRUSTED ||
                                judgement->status == ISG_ERR_UNSUPPORTED;
    }
    return judgement->status ? isg_fail(&context->error, judgement->status, "%s", judgement->message) : ISG_OK;
}

void isg_context_turn(isg_context *context, isg_arithmetic arithmetic)
{
    context->arithmetic = arithmetic;
    memset(&context->probe, 0, sizeof context->probe);
    memset(context->probed, 0, sizeof context->probed);
}

isg_dtype isg_context_dtype(const isg_context *context, isg_precision precision)
{
    if (precision == ISG_PRECISION_DEFAULT)
        return context->device.lanes_f64 > 0 ? ISG_F64 : ISG_F32;
    return precision == ISG_PRECISION_F64 ? ISG_F64 : ISG_F32;
}

const isg_error *isg_context_error(const isg_context *context)
{
    static const isg_error none;
    return context ? &context->error : &none;
}

const isg_device *isg_context_device(const isg_context *context)
{
    static const isg_device none;
    return context ? &context->device : &none;
}

const isg_probe *isg_context_probe(isg_context *context)
{
    static const isg_probe none;
    if (!context)
        return &none;
    // Double precision is probed when it is first used, or asked about. What came of it is in the probe.
    const bool may = !context->asking && isg_context_is_ours(context);
    if (context->device.lanes_f64 && !context->probed[1] && may) {
        isg_error kept = context->error;
        if (isg_context_require(context, ISG_F64))
            isg_context_log(context, ISG_LOG_WARN, "%s", context->judgement[1].message);
        context->error = kept;
    }
    return &context->probe;
}

const char *isg_context_contract(isg_context *context, isg_precision precision)
{
    if (!context)
        return "";
    isg_dtype dtype = isg_context_dtype(context, precision);
    if (dtype == ISG_F64)
        isg_context_probe(context);
    return isg_contract_name(dtype, isg_probe_fused(context, dtype));
}
