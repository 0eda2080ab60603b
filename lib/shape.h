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
} isg_shape;

// mirrored: one half of K(X, X) is computed.
isg_shape isg_shape_choose(const isg_device *device, isg_dtype dtype, int64_t dims, bool mirrored);

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
