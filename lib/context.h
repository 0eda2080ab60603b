// The context from inside: one device, its queue, its programs and cache, the log and the last error.
#ifndef ISG_LIB_CONTEXT_H
#define ISG_LIB_CONTEXT_H

#include "cache.h"
#include "device.h"

#include <isogram/context.h>

typedef struct isg_program isg_program;

struct isg_context {
    isg_device device;
    isg_probe probe;
    bool probed[2];            // by precision: f32, f64
    isg_error verdict[2];      // what came of it
    isg_arithmetic arithmetic; // as asked for
    int64_t max_alloc_bytes;   // of one buffer: the device's limit or the caller's, whichever is less
    bool fma_by_integers[2];   // by precision: fused arithmetic goes through the integer-only fma
    bool zero_copy;            // arrays are used where they lie in host memory

    cl_platform_id platform_id;
    cl_device_id device_id;
    cl_context cl;
    cl_command_queue queue;

    isg_program *programs; // all that were built, newest first
    isg_cache cache;

    isg_log_fn log;
    void *log_user;
    isg_error error;
};

void isg_context_log(const isg_context *context, isg_log_level level, const char *format, ...) ISG_PRINTF(3, 4);

// The dtype of a precision, the default being that of results without input.
isg_dtype isg_context_dtype(const isg_context *context, isg_precision precision);

// Makes sure that this precision can be used here and that its probe was run. ISG_ERR_UNSUPPORTED, ISG_ERR_UNTRUSTED.
isg_status isg_context_require(isg_context *context, isg_dtype dtype);

#endif
