// The certificate: whether a device gives the contract's bits.
#ifndef ISOGRAM_VERIFY_H
#define ISOGRAM_VERIFY_H

#include <isogram/context.h>

#ifdef __cplusplus
extern "C" {
#endif

// One comparison of a device's results with the golden hash.
typedef struct isg_verify_check {
    const char *contract; // "isogram-2/f32/fused"
    const char *what;     // "function real_exp", "gram rbf", "grid bessel", ...
    const char *inputs;   // "hostile", ...: from a fixed generator of integers, the same everywhere
    // ISG_OK: equal bits. ISG_ERR_UNTRUSTED: different bits; message has the first differing element, its inputs and
    // both values. ISG_ERR_UNSUPPORTED: the device lacks the precision. Others: the device failed.
    isg_status status;
    char message[800];
    char hash[33]; // XXH3-128 of the results, NaNs made alike; "" when there are none
    int64_t count; // numbers compared
    double seconds;
} isg_verify_check;

// Called after each check; the check is valid during the call only. Non-zero stops: ISG_ERR_CANCELLED.
typedef int (*isg_verify_fn)(void *user, const isg_verify_check *check);

typedef struct isg_verify_params {
    const isg_context_params *context; // the device, its cache, the log, the error; its arithmetic, if not AUTO, is the
                                       // only one that is verified
    isg_precision precision;           // DEFAULT: all that the device has
    int32_t quick;                     // 1: fewer and smaller inputs, some seconds
    isg_verify_fn each;                // may be NULL
    void *user;
} isg_verify_params;

#define isg_verify_params(...) (&(struct isg_verify_params){__VA_ARGS__})

typedef struct isg_verify_summary {
    isg_device device; // zeroed when none was opened
    int32_t equal, different, unsupported, failed;
} isg_verify_summary;

// Runs every kernel row, grid sampling and elementary function in every precision and arithmetic on one device.
// ISG_OK: all bits are the contract's. ISG_ERR_UNTRUSTED: some are not, or the device failed its self-check. Errors are
// told in params->context->error. A device that only lacks double precision passes.
// out: required.
ISG_API isg_status isg_verify(const isg_verify_params *params, isg_verify_summary *out);

#ifdef __cplusplus
}
#endif

#endif
