// What a device was seen to do in one precision. Verdicts live in the disk cache, per device and driver, so that they
// cannot flip.
#ifndef ISG_LIB_PROBE_H
#define ISG_LIB_PROBE_H

#include "context.h"

// Runs the probe of a precision, or recalls it, and fills that precision's half of context->probe. ISG_ERR_UNTRUSTED:
// the device does not compute the contract's bits in this arithmetic.
isg_status isg_probe_precision(isg_context *context, isg_dtype dtype);

// The arithmetic that follows from the probe and from what the context was asked for.
bool isg_probe_fused(const isg_context *context, isg_dtype dtype);

#endif
