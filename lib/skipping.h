// Which blocks of pairs a walk leaves out: boxes on the device, an estimate of what is left to compute, and the count
// of what was left out. Knows nothing of what is computed.
#ifndef ISG_LIB_SKIPPING_H
#define ISG_LIB_SKIPPING_H

#include "boxes.h"
#include "program.h"
#include "sides.h"

#include <isogram/skip.h>

typedef struct isg_skipping {
    isg_gram *gram;
    bool transposed;                  // the sources are X's points
    const void *log_weights, *shifts; // as isg_walk has them
    isg_far far;                      // with log_weights: to plan with
    int32_t panel, unit;              // points of a box: targets, and sources at the least
    // Of the walk's sets. For the host whole blocks of either.
    isg_boxes fine_targets, coarse_targets, coarse_sources;
    cl_mem targets, blocks, units, from, counts;
    int64_t target_count, parts; // parts: of the sources, that are counted apart
    double skipped;              // pairs
} isg_skipping;

// Whether to skip: what is asked for, and whether K has such values, and, by itself, whether there are enough of them
// in a sample of the boxes. *use is set.
isg_status isg_skipping_choose(isg_skipping *skipping, isg_skip asked, double tolerance, bool *use);

// Sets of points in the walk, and how many parts of the sources there are at the most. keeps: whether the sources
// [first, first + count), by their places in the operator, must not be skipped; NULL: none.
isg_status isg_skipping_targets(isg_skipping *skipping, int64_t first, int64_t count, int64_t parts);
isg_status isg_skipping_sources(isg_skipping *skipping, int64_t first, int64_t count,
                                bool (*keeps)(void *user, int64_t first, int64_t count), void *user);

// About how many pairs are left of targets [lo, hi) and a block of the set's sources, and what looking at boxes takes
// in these.
double isg_skipping_work(const isg_skipping *skipping, int64_t lo, int64_t hi, int64_t block);

// Adds up what kernels have counted since.
isg_status isg_skipping_count(isg_skipping *skipping);

// As tile.h wants them. args: ISG_SKIPPING_ARGS.
enum { ISG_SKIPPING_ARGS = 5 };
void isg_skipping_put_options(isg_text *to, const isg_skipping *skipping);
void isg_skipping_args(const isg_skipping *skipping, isg_arg *args);

void isg_skipping_free(isg_skipping *skipping);

#endif
