// The convolution from inside: what the front has checked, and the launches behind it, which trust.
#ifndef ISG_LIB_CONVOLVE_H
#define ISG_LIB_CONVOLVE_H

#include "context.h"
#include "convolve_plan.h"

// How work is cut. Bits do not depend on it; tests try others. 0: what suits the device.
typedef struct isg_convolve_shape {
    int32_t lanes, tall,
        wide;     // of vectors; rows and vectors of a work-item's sums. tall: at most the stencil's rows + 1
    int64_t span; // columns of a work-item, a multiple of lanes * wide
    int64_t slab; // elements of the array that are packed at a time, about
} isg_convolve_shape;

// One call. The arrays have 4 dimensions, those in front of the caller's being of a single element.
typedef struct isg_convolve_job {
    isg_context *context;
    const isg_convolve_plan *plan; // axes count among the 4
    isg_array in, out;
    bool in_place; // out is in
    isg_progress_fn progress;
    void *progress_user;
    isg_convolve_shape shape;
} isg_convolve_job;

isg_status isg_convolve_run(isg_convolve_job *job);

// isg_convolve; shape: as above, for tests.
isg_status isg_convolve_call(isg_context *context, isg_array in, isg_array stencil, isg_array out,
                             const isg_convolve_params *params, isg_convolve_shape shape);

#endif
