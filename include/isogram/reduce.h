// Reductions of the rows of a Gram operator that is never stored: sums, extremes with their places, logarithms of sums,
// weighted means. Memory of (n + m)(d + r) elements, whatever n m is.
#ifndef ISOGRAM_REDUCE_H
#define ISOGRAM_REDUCE_H

#include <isogram/gram.h>
#include <isogram/skip.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum isg_reduction {
    ISG_REDUCE_SUM = 0,   // sum_j K[i, j]
    ISG_REDUCE_LEAST,     // the least of K[i, j] over j, in order; of equal ones the first j first
    ISG_REDUCE_LARGEST,   // the largest likewise
    ISG_REDUCE_LOGSUMEXP, // log(sum_j weights[j] K[i, j]), right where K itself is too small to be a number
    ISG_REDUCE_MEAN, // sum_j weights[j] K[i, j] V[j] / sum_j weights[j] K[i, j], likewise: Nadaraya-Watson regression
    ISG_REDUCTION_COUNT
} isg_reduction;

// The largest `count` of extremes.
enum { ISG_MOST_EXTREMES = 256 };

typedef struct isg_reduce_params {
    isg_reduction reduction;
    int32_t transpose; // 1: of K's columns: i and j change places in all that is said here
    isg_array out;     // output, of the operator's type: a vector of n, or n x count for extremes, n x r
                       // for means (a vector where that is n x 1); any strides that keep elements apart
    // Of extremes:
    int32_t count;     // how many, 1 to min(m, ISG_MOST_EXTREMES). 0: 1
    isg_array indices; // output, of ISG_I64 and of out's shape: the j of each. Left out (dtype NONE): they are not told
    // Of logsumexp and means:
    isg_array weights; // m numbers, not negative and finite, of any element type but ISG_F16. Left out: all are 1
    isg_array v;       // of means: m x r, or a vector of m; likewise, but any numbers, infinite and NaN too
    // Of blocks of pairs that are far apart (skip.h), for sums, and for logsumexp and means of kernels whose logarithm
    // is known: rbf, laplacian, the Matern kernels, chi2, their products and multiples. The bits are the same with and
    // without. Of these the report counts pairs twice, for they are gone over twice.
    isg_skip skip;
    double tolerance;        // of sums: as isg_apply_params has it
    isg_skip_report *report; // output; NULL: nobody asks
} isg_reduce_params;

#define isg_reduce_params(...) (&(struct isg_reduce_params){__VA_ARGS__})

// Computes out. The same bits on every device (docs/numerics.md). Blocks until done; the operator's progress function
// is called between launches.
//
// Arrays lie in host memory, or are views of a cl_mem (opencl.h), which go by way of the host.
//
// Where there are no points to go over (allow_empty), or all weights are 0, a sum is 0, logsumexp -infinity and a mean
// NaN; of no points there are no extremes (ISG_ERR_ARGUMENT, for count is above m). A value K[i, j] that is NaN is no
// extreme; places that are left over have NaN and -1. For logsumexp and means K must not be negative: such rows give
// NaN; the operator's factors are added as logarithms, rounded once more. ISG_ERR_SHAPE: shapes that do not fit, or
// elements of an output that overlap; ISG_ERR_DTYPE; ISG_ERR_ARGUMENT: count above m, a weight below 0, an output that
// overlaps another array, or that the host may not write; ISG_ERR_CANCELLED. A call that is cancelled or fails on the
// device leaves the outputs unspecified; context and operator stay usable.
ISG_API isg_status isg_gram_reduce(isg_gram *gram, const isg_reduce_params *params);

#ifdef __cplusplus
}
#endif

#endif
