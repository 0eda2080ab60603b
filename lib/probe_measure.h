// The measurements behind the probe's verdicts: what a device does with arithmetic, whatever it says.
#ifndef ISG_LIB_PROBE_MEASURE_H
#define ISG_LIB_PROBE_MEASURE_H

#include "context.h"

// One precision's verdict, as it lies in the cache.
typedef struct isg_verdict {
    int32_t contracts;       // a * b + c is fused although contraction is off
    int32_t fma_fused;       // fma rounds once, among normal numbers
    int32_t fma_subnormals;  // and among subnormal ones
    int32_t fma_by_integers; // the integer fma is the one to use: the device's is not fused, or slower
    int32_t subnormals;      // kept by products and sums
    int32_t rounds_to_nearest;
    int32_t integers_64;
    int32_t trusted[2];   // the self-check by arithmetic, unfused and fused: enum isg_trust
    double fma_cost;      // the device's fma over a multiply and an add, in time
    double integers_cost; // the integer fma likewise; 0: not measured
} isg_verdict;

enum isg_trust { ISG_UNCHECKED = 0, ISG_TRUSTED = 1, ISG_WRONG = 2 };

// Fills in everything but trusted, fma_by_integers and integers_cost.
isg_status isg_measure_arithmetic(isg_context *context, isg_dtype dtype, isg_verdict *verdict);

// The time of one fma (context->fma_by_integers says which) over that of a multiply and an add, launches taken off.
isg_status isg_measure_fma(isg_context *context, isg_dtype dtype, double *cost);

// The known-answer self-check: the contract's functions against the host's reference, in the lanes that kernels use.
// Sets trusted[fused].
isg_status isg_measure_functions(isg_context *context, isg_dtype dtype, bool fused, isg_verdict *verdict);

#endif
