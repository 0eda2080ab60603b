// The filter from inside: what the front has checked, and the passes behind it, which trust.
#ifndef ISG_LIB_FILTER_H
#define ISG_LIB_FILTER_H

#include "context.h"
#include "filter_plan.h"

// One call. The arrays have 4 dimensions, those in front of the caller's being of a single element.
typedef struct isg_filter_job {
    isg_context *context;
    const isg_filter_plan *plan; // axes count among the 4
    isg_array in, out;
    bool in_place; // out is in
    isg_progress_fn progress;
    void *progress_user;
    bool each; // one work-item per element, also where tiles would be used
} isg_filter_job;

isg_status isg_filter_run(isg_filter_job *job);

// What the filters' fronts and backs share.

// Types, shapes and places of both arrays. in_place: output, whether they are one view.
isg_status isg_filter_check_arrays(isg_context *context, const isg_array *in, const isg_array *out, bool *in_place);
// The same array with 4 dimensions.
isg_array isg_filter_widened(isg_array a);
// As cl/filter.h names the type.
int isg_filter_element_code(isg_dtype dtype);

typedef struct isg_filter_stage {
    isg_dtype dtype;
    cl_mem mem;
    int64_t offset, strides[ISG_FILTER_MAX_NDIM];
} isg_filter_stage;

// A view's memory as a buffer. host: what is to be read back, or NULL.
typedef struct isg_filter_lent {
    isg_filter_stage stage;
    cl_mem own; // to be freed
    void *host;
    int64_t bytes;
} isg_filter_lent;

// a: of 4 dimensions. written: it is the output.
isg_status isg_filter_lend(isg_context *context, const isg_array *a, bool written, isg_filter_lent *to);

// isg_filter; each: as above, for tests.
isg_status isg_filter_call(isg_context *context, isg_array in, isg_array out, const isg_filter_params *params,
                           bool each);

#endif
