// The filter from inside: what the front has checked, and the passes behind it, which trust.
#ifndef ISG_LIB_FILTER_H
#define ISG_LIB_FILTER_H

#include "context.h"
#include "filter_plan.h"

// One call, or a block of one. The arrays have 4 dimensions, those in front of the caller's being of a single element.
typedef struct isg_filter_job {
    isg_context *context;
    const isg_filter_plan *plan; // axes count among the 4
    isg_array in, out;
    isg_array mask; // of the input's shape, strides may be 0; dtype ISG_DTYPE_NONE: none
    bool in_place;  // out is in
    // Of a block, along each axis: which input stands at the places of isg_filter_table; NULL: what the mode says. The
    // input may then be longer than the output along that axis, which begins with the output's elements.
    const int32_t *tables[ISG_FILTER_MAX_NDIM];
    int64_t memory; // of the device, to be used at most
    bool large;     // scaled for large numbers; set when they are found
    isg_progress_fn progress;
    void *progress_user;
    bool each; // one work-item per element, also where tiles would be used
} isg_filter_job;

// The whole of it on the device at once.
isg_status isg_filter_run(isg_filter_job *job);

// filter_slabs.c: whether arrays fit the device, or are none of the host's; and those that do not, in blocks.
bool isg_filter_fits(const isg_filter_job *job);
isg_status isg_filter_run_slabs(isg_filter_job *job);

// What the fronts of filters check. in_place: output. mask: becomes one of the array's shape.
isg_status isg_filter_check_pair(isg_context *context, const isg_array *in, const isg_array *out, bool *in_place);
isg_status isg_filter_check_mask(isg_context *context, const isg_array *in, const isg_array *out, isg_array *mask);
// The same array with 4 axes.
isg_array isg_filter_widened(isg_array a);

// isg_filter; each: as above, for tests.
isg_status isg_filter_call(isg_context *context, isg_array in, isg_array out, const isg_filter_params *params,
                           bool each);

#endif
