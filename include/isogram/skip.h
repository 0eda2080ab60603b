// Pairs of points that are so far apart that nothing of them counts: which calls may leave them out, what they tell
// about it, and points in an order in which there are many.
#ifndef ISOGRAM_SKIP_H
#define ISOGRAM_SKIP_H

#include <isogram/base.h>

#ifdef __cplusplus
extern "C" {
#endif

// Products and reductions (apply.h, reduce.h) go over blocks of pairs: some consecutive targets, and 64 to 128 or 1024
// consecutive sources. A block of which the smallest boxes around either's points prove that every value of K in it is
// +0 is skipped, and the bits are those that they are without. Kernels that fall to 0 with the distance have such
// values: rbf, laplacian, matern12 to matern52, wendland, chi2, and in single precision cauchy and rational_quadratic
// of high alpha (`falling` in isg_kernel); so have products with one of them, and sums of them. A block beside an
// infinite or NaN element of V, or with a point that is not finite, is never skipped.
typedef enum isg_skip {
    ISG_SKIP_AUTO = 0, // where a look at some of the boxes says that it is worth it
    ISG_SKIP_ALWAYS,   // wherever there are such blocks
    ISG_SKIP_NEVER
} isg_skip;

// What a call has skipped.
typedef struct isg_skip_report {
    double pairs;    // n m, for each time that the call goes over them: once for some hundred columns of V
    double computed; // of these: not skipped
    double bound;    // of |K[i, j]| in blocks that were skipped: 0 where nothing but 0 was, else the call's tolerance.
                     // So OUT[i, p] is off by at most |alpha| bound sum_j |V[j, p]|, besides what roundings do
} isg_skip_report;

// Finds an order of points in which neighbours lie close together, so that blocks have small boxes: order[i] is the row
// of `points` that comes i-th. To be used with rows of both sets in such an order, V's rows in that of the sources;
// results come in that of the targets. The sums' order, and so their last bits, are those of the points so ordered.
//
// points: n x d, any strides and element type but ISG_F16, in host memory, all finite. n may be 0. lengthscales: one
// for each coordinate, by which distances are measured, positive and finite; NULL: all are 1. order: output, n. error:
// may be NULL.
//
// How: a set is halved where it is widest (in the first such coordinate), by that coordinate and among equal ones by
// the row's number, the lower half made of whole blocks of 1024; down to 8 points, which then come in their own order.
// Nothing but comparisons, of differences rounded to double, decides, so the order is the same on every machine.
// O(n d log n) time, and 8 n bytes, those of order. A k-d tree's boxes do not get long and thin
// where points are unevenly spread, as those of a space-filling curve on a grid do.
//
// ISG_ERR_NONFINITE; ISG_ERR_SHAPE; ISG_ERR_DTYPE; ISG_ERR_ARGUMENT: a cl_mem, no memory of points or order, a
// lengthscale; ISG_ERR_MEMORY. Needs no context; any thread may call it.
ISG_API isg_status isg_gram_cluster(isg_array points, const double *lengthscales, int64_t *order, isg_error *error);

#ifdef __cplusplus
}
#endif

#endif
