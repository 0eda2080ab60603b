// Products of a Gram operator with vectors, K V, where K is never stored: memory of (n + m)(d + r) elements, whatever
// n m is.
#ifndef ISOGRAM_APPLY_H
#define ISOGRAM_APPLY_H

#include <isogram/gram.h>
#include <isogram/skip.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct isg_apply_params {
    int32_t transpose; // 1: K' V, for an n x r V and an m x r OUT
    double alpha;      // 0: 1
    double beta;       // 0: OUT is not read
    // The precision of the sums: of the operator, or ISG_PRECISION_F64 beside an operator of single precision: V is
    // rounded to single precision then, and products and sums are double's. Where the device has it.
    isg_precision accumulate;
    isg_skip skip; // of blocks of pairs that are far apart (skip.h); the bits are the same with and without
    // Blocks may be skipped, too, in which no |K[i, j]| is larger than this, in [0, 1). 0: none. OUT is off by at most
    // |alpha| tolerance sum_j |V[j, p]| then, and its bits are those of the device and its tiles.
    double tolerance;
    isg_skip_report *report; // output; NULL: nobody asks
} isg_apply_params;

#define isg_apply_params(...) (&(struct isg_apply_params){__VA_ARGS__})

// OUT = alpha K V + beta OUT. K is n x m, v m x r and out, the output, n x r; vectors (ndim 1) are matrices of one
// column. Both in host memory or views of a cl_mem (opencl.h), by way of the host; with any strides that keep elements
// of out apart. v: of any element type but ISG_F16,
// infinite and NaN elements too: they make their column of OUT infinite or NaN, as IEEE 754 says. out: of the sums'
// type; beside accumulate ISG_F32 will do as well, each element rounded once more. alpha and beta: finite in the sums'
// type.
//
// Sums have one order, and so OUT has the same bits on every device (docs/numerics.md). Blocks until done; the
// operator's progress function is called between launches. ISG_ERR_SHAPE: shapes that do not fit, or elements of out
// that overlap; ISG_ERR_DTYPE; ISG_ERR_ARGUMENT: out overlaps v or the points, or the host may not
// write to its buffer, or read from it what lies between its elements; ISG_ERR_CANCELLED. Of
// these only a cancelled call, or one that fails on the device, leaves OUT unspecified; the context and the operator
// stay usable.
ISG_API isg_status isg_gram_apply(isg_gram *gram, isg_array v, isg_array out, const isg_apply_params *params);

#ifdef __cplusplus
}
#endif

#endif
