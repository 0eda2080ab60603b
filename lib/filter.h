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

// isg_filter; each: as above, for tests.
isg_status isg_filter_call(isg_context *context, isg_array in, isg_array out, const isg_filter_params *params,
                           bool each);

#endif
