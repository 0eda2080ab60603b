// The context from inside: one device, its queue, its programs and cache, the log and the last error.
#ifndef ISG_LIB_CONTEXT_H
#define ISG_LIB_CONTEXT_H

#include "cache.h"
#include "device.h"
#include "spare.h"

#include <isogram/context.h>

#include <sys/types.h>

typedef struct isg_program isg_program;
typedef struct isg_chain isg_chain;

// What the probe found of one precision, as it lies in the cache. context->probe is what the public sees of it.
typedef struct isg_verdict {
    int32_t contracts;       // a * b + c is fused although contraction is off
    int32_t fma_fused;       // fma rounds once, among normal numbers
    int32_t fma_subnormals;  // and among subnormal ones
    int32_t fma_by_integers; // the integer fma is the one to use: the device's is not fused, or slower
    int32_t subnormals;      // kept by products and sums
    int32_t rounds_to_nearest;
    int32_t integers_64;
    int32_t whole_loops; // go on for as many rounds as they should
    int32_t trusted[2];   // the self-check by arithmetic, unfused and fused: enum isg_trust
    double fma_cost;      // the device's fma over a multiply and an add, in time
    double integers_cost; // the integer fma likewise; 0: not measured
} isg_verdict;

enum isg_trust { ISG_UNCHECKED = 0, ISG_TRUSTED = 1, ISG_WRONG = 2 };

struct isg_context {
    isg_device device;
    isg_probe probe;
    isg_verdict verdict[2];    // by precision: f32, f64
    bool measured[2];          // verdict is there, but perhaps for trusted
    bool probed[2];            // and was judged
    isg_error judgement[2];    // what came of it
    isg_arithmetic arithmetic; // as asked for
    int64_t max_alloc_bytes;   // of one buffer: the device's limit or the caller's, whichever is less
    bool fma_by_integers[2];   // by precision: fused arithmetic goes through the integer-only fma
    bool passing;              // programs are used once: not worth the time that their binaries take
    bool zero_copy;            // arrays are used where they lie in host memory

    cl_platform_id platform_id;
    cl_device_id device_id;
    cl_context cl;
    cl_command_queue queue; // in order, always
    bool borrowed;          // the queue is the caller's, and so may be what waits in it
    bool part_of_device;    // device_id was retained, which only parts of devices need
    isg_chain *chain;       // commands are enqueued behind these events and nothing waits for them; NULL: calls block

    isg_program *programs; // all that were built, newest first
    isg_cache cache;
    isg_spare spare;

    isg_log_fn log;
    void *log_user;
    isg_error error;

    int64_t holders; // the caller, until it destroys the context, and all that was made from it
    pid_t process;   // that it was made in; OpenCL does not survive fork()
    int32_t asking;  // functions of the caller's that are being called: they must not call back
};

// How every public call on a context, or on what was made from it, begins: the last failure is forgotten.
// ISG_ERR_ARGUMENT: no context at all; a context made before fork(), which the message says; or a call from inside a
// function of the caller's (progress, log), which leaves the error alone, for it is the outer call's.
isg_status isg_context_enter(isg_context *context);
// What is made from a context holds it, so that it outlives them all in whatever order they are destroyed.
void isg_context_hold(isg_context *context);
void isg_context_drop(isg_context *context);
// Whether the context was made by this process; where not, nothing of OpenCL may be touched, not even to release it.
bool isg_context_is_ours(const isg_context *context);
// Calls the progress function, if there is one; whether to stop.
int isg_context_ask(isg_context *context, isg_progress_fn progress, void *user, double done, double total);

// The three steps of making a context, for context.c and opencl.c. begin: what the params say, no device yet; NULL when
// it fails. open: takes a device; cl, queue: the caller's, to be retained; NULL: they are made. end: hands the context
// out, or destroys it and tells the params' error; returns `st`, which came of the steps before.
isg_status isg_context_begin(isg_context **out, const isg_context_params *params);
isg_status isg_context_open(isg_context *context, const isg_candidate *candidate, cl_context cl,
                            cl_command_queue queue);
isg_status isg_context_end(isg_context **out, isg_context *context, const isg_context_params *params, isg_status st);

void isg_context_log(const isg_context *context, isg_log_level level, const char *format, ...) ISG_PRINTF(3, 4);

// The dtype of a precision, the default being that of results without input.
isg_dtype isg_context_dtype(const isg_context *context, isg_precision precision);

// Makes sure that this precision can be used here and that its probe was run. ISG_ERR_UNSUPPORTED, ISG_ERR_UNTRUSTED.
isg_status isg_context_require(isg_context *context, isg_dtype dtype);

// Turns to another arithmetic. What was measured stays; precisions are judged anew when they are required next.
void isg_context_turn(isg_context *context, isg_arithmetic arithmetic);

#endif
