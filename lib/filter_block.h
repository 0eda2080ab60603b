// Parts of a filtered array: what a block of the output takes of the input, and blocks that fit a device's memory. No
// OpenCL.
#ifndef ISG_LIB_FILTER_BLOCK_H
#define ISG_LIB_FILTER_BLOCK_H

#include "filter_plan.h"

// Along one axis: elements [begin, begin + count) of the output, of as many of the input, and behind these, in any
// order, what else of the input the filter reaches.
typedef struct isg_filter_span {
    int64_t begin, count;
    int64_t rows;   // of the input
    int64_t *halo;  // rows - count: which of the array's are behind
    int32_t *table; // count + 2 radius: as isg_filter_table, of the span's rows; NULL: as it is of the whole axis
} isg_filter_span;

// axis: of the plan, NULL: it is not filtered. n: its length. span: to be freed, also after a failure.
isg_status isg_filter_span_make(isg_filter_span *span, const isg_filter_axis *axis, int64_t n, int64_t begin,
                                int64_t count, isg_error *error);
void isg_filter_span_free(isg_filter_span *span);

// Row i of the span among the array's.
static inline int64_t isg_filter_span_source(const isg_filter_span *span, int64_t i)
{
    return i < span->count ? span->begin + i : span->halo[i - span->count];
}

// The plan's axis that filters an array's axis, or NULL.
const isg_filter_axis *isg_filter_axis_of(const isg_filter_plan *plan, int axis);

// What blocks have to fit.
typedef struct isg_filter_room {
    int64_t bytes, buffer_bytes; // of all buffers, and of one
    int64_t in, out, mask;       // bytes of an element; mask: 0: there is none
    int copies;                  // of input, mask and output that are on the device at a time
} isg_filter_room;

// Bytes of the device that a block of these lengths takes, or -1 where a single buffer takes too many.
int64_t isg_filter_block_bytes(const isg_filter_plan *plan, const int64_t *shape, const int64_t *counts,
                               const isg_filter_room *room);

// The lengths of blocks that fit: of axes whose blocks overlap little, the slowest in memory are cut first. false: not
// even single elements do.
bool isg_filter_block_choose(const isg_filter_plan *plan, const int64_t *shape, const isg_filter_room *room,
                             int64_t *counts);

// Whether a device would find large numbers in an array of the host's. mask: of the same shape; dtype ISG_DTYPE_NONE:
// none.
bool isg_filter_holds_large(const isg_filter_plan *plan, const isg_array *in, const isg_array *mask);

#endif
