// Blocks of an array in host memory, copied out of it and into it; and of an array that is filtered in place, what the
// filter still reaches where results have been written. No OpenCL.
#ifndef ISG_LIB_FILTER_KEPT_H
#define ISG_LIB_FILTER_KEPT_H

#include "filter_block.h"

// An array of 4 axes in host memory, from its first element on; strides in elements.
typedef struct isg_filter_view {
    char *data;
    int64_t strides[ISG_FILTER_MAX_NDIM];
} isg_filter_view;

// Copies elements of `bytes` bytes: those that the spans (NULL: the first ones) name to the first ones of `to`. counts:
// along each axis.
void isg_filter_copy(isg_filter_view from, const isg_filter_span *const *spans, isg_filter_view to,
                     const int64_t *counts, int64_t bytes);

// Rows, in this file, are all that an array has at one index of the axis along which it is written over from the
// beginning on, block by block.
typedef struct isg_filter_kept {
    const isg_filter_axis *axis;
    isg_filter_view array;
    int64_t shape[ISG_FILTER_MAX_NDIM]; // of the part that is filtered, and a row's when that axis is 1
    int64_t bytes, row_bytes;           // of an element; of a row
    int64_t begin;                      // of the block that is read; what is in front of it has been written over
    int64_t low, high;                  // rows of the window: those in front of `begin`
    char *window, *ends;
    int64_t *end_rows, end_count; // those that the last blocks reach around the border
} isg_filter_kept;

// array: what is filtered; it stays the caller's.
isg_status isg_filter_kept_make(isg_filter_kept *kept, const isg_filter_axis *axis, isg_filter_view array,
                                const int64_t *shape, int64_t bytes, isg_error *error);
void isg_filter_kept_free(isg_filter_kept *kept);

// A row as it was, whatever has been written: to be asked for rows of the block's span only.
isg_filter_view isg_filter_kept_row(const isg_filter_kept *kept, int64_t row);

// A block that ends at `end` has been read, and may be written: keeps what later ones reach of it.
void isg_filter_kept_pass(isg_filter_kept *kept, int64_t end);

// Copies a block: `spans` of the part.
void isg_filter_kept_copy(const isg_filter_kept *kept, const isg_filter_span *const *spans, isg_filter_view to);

#endif
