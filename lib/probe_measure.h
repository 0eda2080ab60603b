// The measurements behind the probe's verdicts: what a device does with arithmetic, whatever it says.
#ifndef ISG_LIB_PROBE_MEASURE_H
#define ISG_LIB_PROBE_MEASURE_H

#include "context.h"

// Fills in everything but trusted, fma_by_integers and integers_cost.
isg_status isg_measure_arithmetic(isg_context *context, isg_dtype dtype, isg_verdict *verdict);

// The time of one fma (context->fma_by_integers says which) over that of a multiply and an add, launches taken off.
isg_status isg_measure_fma(isg_context *context, isg_dtype dtype, double *cost);

// The known-answer self-check: the contract's functions against the host's reference, in the lanes that kernels use.
// Sets trusted[fused].
isg_status isg_measure_functions(isg_context *context, isg_dtype dtype, bool fused, isg_verdict *verdict);

#endif
