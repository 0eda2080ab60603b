// Jobs of devices: listing them, opening contexts whose programs are cached, those on the caller's own OpenCL objects,
// the certificate and what is measured.
#include "fault_jobs.h"

#include <isogram/opencl.h>

#include <stdio.h>
#include <string.h>

static isg_status listed(isg_context *context, isg_error *error)
{
    (void)context;
    isg_device *devices = (isg_device *)(void *)(fault_result + 64);
    int32_t count = -1, room = (FAULT_RESULT_BYTES - 64) / (int32_t)sizeof *devices;
    isg_status st = isg_device_list(devices, room, &count, error);
    memcpy(fault_result, &count, sizeof count);
    return st;
}

// ---- Contexts whose programs are cached ----

// Of an arithmetic that is given: AUTO goes by times, which are measured again when the cache cannot be read.

static isg_status fill_dense(isg_context *context, isg_precision precision)
{
    isg_gram *gram = NULL;
    isg_dtype dtype = precision == ISG_PRECISION_F64 ? ISG_F64 : ISG_F32;
    isg_status st =
        isg_gram_create(context, &gram, isg_gram_params(.sigma = 0.5, .x = FAULT_X, .precision = precision));
    if (!st)
        st = isg_gram_dense(gram, fault_out(dtype, 0, FAULT_ROWS, FAULT_ROWS));
    isg_gram_destroy(&gram);
    return st;
}

static isg_status use_and_destroy(isg_context *context, isg_status st, isg_precision precision, isg_error *error)
{
    if ((context != NULL) != (st == ISG_OK))
        return fault_broken(error, "a handle beside a failure, or none beside success");
    if (!st && (st = fill_dense(context, precision))) {
        *error = *isg_context_error(context);
        // What a context has learned of its device by then, must not be what failed.
        if (!fault_lasts && fill_dense(context, precision))
            st = fault_broken(error, isg_context_error(context)->message);
    }
    isg_context_destroy(&context);
    return st;
}

static isg_status reopened(isg_context *context, isg_error *error)
{
    isg_context *own = context;
    isg_status st = isg_context_create(
        &own, isg_context_params(.cache_dir = "cache/deep", .arithmetic = ISG_ARITHMETIC_UNFUSED, .error = error));
    return use_and_destroy(own, st, ISG_PRECISION_F32, error);
}

static isg_status reopened_wide(isg_context *context, isg_error *error)
{
    isg_context *own = context;
    isg_status st = isg_context_create(
        &own, isg_context_params(.cache_dir = "cache/deep", .arithmetic = ISG_ARITHMETIC_UNFUSED, .error = error));
    return use_and_destroy(own, st, ISG_PRECISION_F64, error);
}

static isg_status adopted(isg_context *context, isg_error *error)
{
    isg_context *own = context;
    isg_status st = isg_context_from_opencl(
        &own, isg_context_cl_context(context), isg_context_cl_device(context), isg_context_cl_queue(context),
        isg_context_params(.cache_dir = "cache/deep", .arithmetic = ISG_ARITHMETIC_UNFUSED, .error = error));
    return use_and_destroy(own, st, ISG_PRECISION_F32, error);
}

// ---- The caller's own objects ----

static cl_mem kept;

void fault_release_kept(void)
{
    if (kept)
        clReleaseMemObject(kept);
    kept = NULL;
}

// A call of the job's own, which fails as those of the library do.
static isg_status ours(isg_error *error, const char *call, cl_int code)
{
    if (code == CL_SUCCESS || error->status)
        return error->status;
    error->status = ISG_ERR_DEVICE;
    snprintf(error->message, sizeof error->message, "%s failed with %d", call, (int)code);
    return error->status;
}

// Points and K in one buffer, a wait list, an event of the whole.
static isg_status enqueued(isg_context *context, isg_error *error)
{
    enum { X_BYTES = sizeof fault_x, K_COUNT = FAULT_ROWS * FAULT_ROWS, K_BYTES = K_COUNT * 4 };
    cl_command_queue queue = isg_context_cl_queue(context);
    cl_event before = NULL, done = NULL;
    isg_gram *gram = NULL;
    cl_int code = CL_SUCCESS;
    if (!kept)
        kept = clCreateBuffer(isg_context_cl_context(context), CL_MEM_READ_WRITE, X_BYTES + K_BYTES, NULL, &code);
    if (ours(error, "clCreateBuffer", code) ||
        ours(error, "clEnqueueWriteBuffer",
             clEnqueueWriteBuffer(queue, kept, CL_FALSE, 0, X_BYTES, fault_x, 0, NULL, &before)))
        return error->status;
    isg_array x = isg_matrix_mem(ISG_F32, kept, 0, FAULT_ROWS, FAULT_DIMS),
              k = isg_matrix_mem(ISG_F32, kept, FAULT_ROWS * FAULT_DIMS, FAULT_ROWS, FAULT_ROWS);
    isg_status st = isg_gram_create(context, &gram, isg_gram_params(.sigma = 0.5, .x = x));
    if (!st)
        st = isg_gram_tile_enqueue(gram, 0, 0, k, 1, &before, &done);
    if (st && done)
        st = fault_broken(error, "an event of what failed");
    if (!st)
        st = ours(error, "clWaitForEvents", clWaitForEvents(1, &done));
    if (!st)
        st = ours(error, "clEnqueueReadBuffer",
                  clEnqueueReadBuffer(queue, kept, CL_TRUE, X_BYTES, K_BYTES, fault_result, 0, NULL, NULL));
    if (!st)
        st = isg_gram_tile(gram, 0, 0, k); // the blocking one, into a buffer
    isg_gram_destroy(&gram);
    clWaitForEvents(1, &before); // fault_x is read until then
    clReleaseEvent(before);
    if (done)
        clReleaseEvent(done);
    return st;
}

// ---- The certificate, and what is measured ----

typedef struct checks {
    int count;
    char *at;
    isg_error error;
} checks;

static int check(void *user, const isg_verify_check *one)
{
    checks *all = user;
    memcpy(all->at, one->hash, sizeof one->hash);
    all->at += sizeof one->hash;
    if (one->status && !all->error.status) {
        all->error.status = one->status;
        snprintf(all->error.message, sizeof all->error.message, "%s", one->message);
    }
    return ++all->count == 2 || one->status;
}

// Its first checks. One that could not be computed is told, and is no difference.
static isg_status verified(isg_context *context, isg_error *error)
{
    (void)context;
    checks all = {.at = (char *)fault_result};
    isg_verify_summary summary;
    isg_status st = isg_verify(
        isg_verify_params(.context = isg_context_params(.cache_dir = "cache/deep", .arithmetic = ISG_ARITHMETIC_UNFUSED,
                                                        .error = error),
                          .quick = 1, .precision = ISG_PRECISION_F32, .each = check, .user = &all),
        &summary);
    if (st == ISG_OK)
        return fault_broken(error, "a certificate that was stopped is complete");
    if (st != ISG_ERR_CANCELLED)
        return st;
    if (summary.equal + summary.failed != all.count || summary.failed != (all.error.status != ISG_OK))
        return fault_broken(error, "the summary is not that of the checks");
    *error = all.error;
    return error->status;
}

static isg_status measured(isg_context *context, isg_error *error)
{
    (void)error;
    isg_limits limits;
    return isg_context_measure(context, ISG_PRECISION_F32, &limits);
}

const fault_job fault_jobs_of_devices[] = {
    {.name = "listed", .run = listed},
    {.name = "reopened", .run = reopened},
    {.name = "reopened_wide", .run = reopened_wide, .doubles = true},
    {.name = "adopted", .run = adopted},
    {.name = "enqueued", .run = enqueued},
    {.name = "verified", .run = verified},
    {.name = "measured", .run = measured, .timed = true},
    {.name = NULL},
};
