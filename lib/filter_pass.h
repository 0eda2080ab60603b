// The filter's passes: which axes go together, how a pass sees the array, and its tiles. No OpenCL.
#ifndef ISG_LIB_FILTER_PASS_H
#define ISG_LIB_FILTER_PASS_H

#include "filter_plan.h"

// At most one axis along columns (v) and one along rows (h), as places in the plan; -1: none. A pass with neither
// copies.
typedef struct isg_filter_pass {
    int v, h;
} isg_filter_pass;

enum { ISG_FILTER_MAX_PASSES = ISG_FILTER_MAX_NDIM + 1 };

// The passes over an array of 4 axes, at most ISG_FILTER_MAX_PASSES. tiled: two axes at a time are possible. apart: the
// last pass must not read what it writes to, so that there are two at least.
int isg_filter_passes(const isg_filter_plan *plan, const int64_t *shape, bool tiled, bool apart,
                      isg_filter_pass *passes);

// An array as a pass sees it: which of the 4 axes are rows and columns; the others are planes.
typedef struct isg_filter_layout {
    int64_t count[4], in[4], out[4]; // PLANES_0, PLANES_1, ROWS, COLS: elements, and steps in input and output
} isg_filter_layout;

isg_filter_layout isg_filter_layout_of(const isg_filter_plan *plan, const isg_filter_pass *pass, const int64_t *shape,
                                       const int64_t *in_strides, const int64_t *out_strides);

// How a pass is cut into tiles, as filter.cl has them.
typedef struct isg_filter_tiling {
    bool segmented;
    int high;
    int64_t rows, cols, down, across, pitch;
    int64_t ready, turned; // where these begin in the scratch memory of a work-item
    int64_t room;          // its elements
} isg_filter_tiling;

isg_filter_tiling isg_filter_tiling_of(const isg_filter_plan *plan, const isg_filter_pass *pass,
                                       const isg_filter_layout *layout, int lanes);

#endif
