// Shapes of tiles: what gram.cl is built with, by kind of device. No shape changes a bit, so that choosing is free;
// this is the seam behind which measured tuning would go.
#ifndef ISG_LIB_SHAPE_H
#define ISG_LIB_SHAPE_H

#include "base.h"

#include <isogram/context.h>

// What gram.cl calls them; local_rows: work-items of a group along the rows when they need not share a panel
// (GROUP_ROWS 1); panels stay as narrow as one work-item then, which suits a CPU's caches.
typedef struct isg_shape {
    int32_t rows, vectors, lanes, down, across, group_cols, group_rows, local_rows;
    int32_t unroll; // coordinates that are added in one round of the loop; 0: as the compiler likes
} isg_shape;

// mirrored: one half of K(X, X) is computed.
isg_shape isg_shape_choose(const isg_device *device, isg_dtype dtype, int64_t dims, bool mirrored);

// The number of coordinates from which on mirroring one half of K(X, X) is faster than computing both.
int64_t isg_shape_least_mirrored(const isg_device *device, isg_dtype dtype);

// A multiple of every panel's width, and of every tile's rows and columns, in any shape that is chosen for the device.
int64_t isg_shape_border(const isg_device *device, isg_dtype dtype);

// Rows of a work-item's tile.
static inline int32_t isg_shape_tall(isg_shape s)
{
    return s.rows * s.down;
}

static inline int32_t isg_shape_row_panel(isg_shape s)
{
    return s.rows * s.group_rows;
}

static inline int32_t isg_shape_col_panel(isg_shape s)
{
    return s.lanes * s.vectors * s.group_cols;
}

// Rows and columns of the tiles that share panels: where tiles begin, and panels end.
static inline int32_t isg_shape_row_tile(isg_shape s)
{
    return isg_shape_row_panel(s) * s.down;
}

static inline int32_t isg_shape_col_tile(isg_shape s)
{
    return isg_shape_col_panel(s) * s.across;
}

#endif
