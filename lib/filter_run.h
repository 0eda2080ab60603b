// What the kinds of the filter's passes share on the device: arrays as stages, tables, launches that stay short.
#ifndef ISG_LIB_FILTER_RUN_H
#define ISG_LIB_FILTER_RUN_H

#include "filter.h"
#include "filter_pass.h"
#include "program.h"

// An array on the device.
typedef struct isg_stage {
    isg_dtype dtype;
    cl_mem mem;
    int64_t offset, strides[ISG_FILTER_MAX_NDIM];
} isg_stage;

// A view's memory as a buffer. own: to be freed, NULL: it is the caller's. host: what is to be read back, or NULL.
typedef struct isg_filter_lent {
    isg_stage stage;
    cl_mem own;
    void *host;
    int64_t bytes;
} isg_filter_lent;

// An array of 4 axes. written: what lies in its gaps comes along and goes back.
isg_status isg_filter_lend(isg_context *context, const isg_array *a, bool written, isg_filter_lent *to);

typedef struct isg_filter_runner {
    isg_filter_job *job;
    isg_context *context;
    const isg_filter_plan *plan;
    // The array's, as it is at the moment: an axis that was filtered has lost what only served its borders.
    int64_t shape[ISG_FILTER_MAX_NDIM];
    int lanes;
    bool tiled;    // filter; else filter_each
    bool in_place; // the passes' output is their input
    bool large;
    double done, total;
    int64_t groups; // work-items, each with its scratch memory, of a pass over tiles
    double rate;    // of work per second, as measured so far; 0: not known
} isg_filter_runner;

// All elements of the array.
int64_t isg_filter_elements(const isg_filter_runner *r);

// A dtype as build options name it.
int isg_filter_code(isg_dtype dtype);

// The index of an axis, of the plan or none: NULL: every place is where it is. n: its length in the output.
isg_status isg_filter_upload_index(isg_filter_runner *r, const isg_filter_axis *axis, int64_t n, cl_mem *mem);

// The passes' axes, from now on, are as long as the output's.
void isg_filter_settle_axis(isg_filter_runner *r, int at);

// Between passes: memory for the array in the plan's type, without gaps, and room for `more` elements behind it.
// *block: goes back to the context's spare memory, after the buffer.
isg_status isg_filter_make_between(isg_filter_runner *r, int64_t more, isg_stage *between, void **block);

// A kernel's flags, cleared; and *raised is set where one of its work-items has raised them.
isg_status isg_filter_new_flags(isg_filter_runner *r, cl_mem *flags);
isg_status isg_filter_read_flags(isg_filter_runner *r, cl_mem flags, bool *raised);

// The strides of an array without gaps.
void isg_filter_dense(const int64_t *shape, int64_t *strides);

// Work-items that share lines of so many elements: 64 each, more where a line is so long that loops along it could end
// early (isg_probe.whole_loops).
isg_range isg_filter_line_range(int64_t elements, int64_t lines);

// How many units of work one launch may take, `least` at least.
int64_t isg_filter_launch_units(const isg_filter_runner *r, double work_per_unit, int64_t least);
// After one, which began at `start`: waits for it, and tells the caller.
isg_status isg_filter_launched(isg_filter_runner *r, double work, double start);

// The passes of a plan that looks after no elements.
isg_status isg_filter_run_passes(isg_filter_runner *r, const isg_stage *in, const isg_stage *out);

// filter_masked.c: those of all others. mask: NULL or elements that say which others are valid.
isg_status isg_filter_run_masked(isg_filter_runner *r, const isg_stage *in, const isg_stage *mask,
                                 const isg_stage *out);

#endif
