// From what a caller asked for (isg_grid_params) to one complete plan per axis: defaults, recipes and checks. No
// numerics.
#ifndef ISG_LIB_RECIPE_H
#define ISG_LIB_RECIPE_H

#include "base.h"

#include <isogram/grid.h>

// One axis of a grid; every field is set.
typedef struct isg_axis {
    int64_t size;
    double from, to;
    double sigma;
    isg_sampling sampling;
    isg_normalize normalize;
    bool square_root; // of the weights, before they are normalised: the recipe gkern-sqrt
} isg_axis;

typedef struct isg_grid_plan {
    int32_t ndim;
    isg_axis axis[ISG_GRID_MAX_NDIM];
    const char *warning; // NULL, or what the caller should hear
} isg_grid_plan;

isg_status isg_grid_resolve(isg_grid_plan *plan, const isg_grid_params *params, isg_error *error);

#endif
