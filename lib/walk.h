// The way over all pairs of an operator that is never stored: sets of targets, to each of them all sources in order, in
// launches that stay short. Knows the order, not what is computed on the way.
//
// Targets are the points that results belong to, sources those that are summed over or searched: X's points and Y's, or
// the other way round.
#ifndef ISG_LIB_WALK_H
#define ISG_LIB_WALK_H

#include "program.h"
#include "sides.h"
#include "skipping.h"

// What tile.h is built with; and of sums with columns of weights, how many of these are summed at once, and the sources
// whose values are kept for further columns, 0: none.
typedef struct isg_tile_shape {
    int32_t lanes, vectors, sources, group, dims;
    int32_t columns, depth;
} isg_tile_shape;

// A launch. All relative to the sets.
typedef struct isg_stretch {
    int64_t target_lo, target_hi; // target_lo: at a panel's border
    int64_t source_lo, source_hi;
    int32_t before; // sources of the first set's block that lie in front of it
    bool opened;    // source_lo lies within a block of sources that has begun
    bool last;      // no sources come behind source_hi
    int64_t blocks; // of sources, one behind the other in the second dimension; 0: one work-item does them all
} isg_stretch;

typedef struct isg_walk isg_walk;
struct isg_walk {
    isg_gram *gram;
    bool transposed; // sources are X's points
    isg_tile_shape shape;
    // What the walker does, each with itself:
    isg_status (*begin)(isg_walk *);                       // a set of targets is packed
    isg_status (*bring)(isg_walk *);                       // a set of sources is packed
    isg_status (*launch)(isg_walk *, const isg_stretch *); // enqueues
    isg_status (*end)(isg_walk *);                         // the targets have met all sources
    void *job;
    isg_skipping *skipping;                                 // blocks of pairs are left out; NULL: none
    bool (*keeps)(void *job, int64_t first, int64_t count); // whether these sources may not be; NULL: all may
    const void *shifts, *log_weights; // tile.h's further numbers, in host memory: one for each target; for each source,
                                      // which makes values logarithms. NULL: none
    int64_t bytes_per_target, bytes_per_source; // of the walker's largest buffers: they bound the sets
    int64_t
        most_blocks; // with a block for each work-item: what the walker has room for, of every target; 0: not at all
    double cost;     // of a pair beside its coordinates, in these
    double total;    // pairs of all walks of this call; 0: of this one
    // The sets that are packed now.
    int64_t target_first, target_count, source_first, source_count;
    double done, rate; // pairs; and how many a second, of those that are computed
    cl_mem further[2]; // of the targets' set and the sources'
};

// The other side's points of the walk.
const isg_points *isg_walk_targets(const isg_walk *walk);
const isg_points *isg_walk_sources(const isg_walk *walk);
const isg_panels *isg_walk_target_panels(const isg_walk *walk);
const isg_panels *isg_walk_source_panels(const isg_walk *walk);

// Places for the targets' set in results: whole panels.
int64_t isg_walk_pitch(const isg_walk *walk);

// columns: of weights; 1 where there are none.
isg_tile_shape isg_walk_shape(const isg_gram *gram, int64_t columns);

// The build options of tile.h, the operator's included.
void isg_walk_put_options(isg_text *to, const isg_walk *walk);

// The arguments that kernels over tile.h begin with, and how many; and the work-items of a launch.
enum { ISG_WALK_ARGS = 9 + ISG_SKIPPING_ARGS };
int isg_walk_args(const isg_walk *walk, isg_arg args[ISG_WALK_ARGS]);
isg_range isg_walk_range(const isg_walk *walk, const isg_stretch *stretch);

// Leaves out blocks of pairs on the way where that is asked for, possible, and worth it: sets walk->skipping to
// `skipping` then, which is the caller's to free. tolerance: as isg_far_find. To be called when the shape is known.
isg_status isg_walk_skip(isg_walk *walk, isg_skipping *skipping, isg_skip asked, double tolerance);

// Goes all the way.
isg_status isg_walk_run(isg_walk *walk);

#endif
