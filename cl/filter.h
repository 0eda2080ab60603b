// What a pass of the filter is told: read by the host, which fills the tables in, and by filter.cl.
#ifndef ISG_CL_FILTER_H
#define ISG_CL_FILTER_H

// A pass looks at an array as planes of rows and columns. PLANES counts them along two axes; IN and OUT are steps, in
// elements, to the next plane along either, the next row and the next column. Index tables say which row (column)
// stands at places -radius ... rows + radius - 1; -1: the constant does.
enum {
    FILTER_PLANES_0,
    FILTER_PLANES_1,
    FILTER_ROWS,
    FILTER_COLS,
    FILTER_IN,
    FILTER_IN_0,
    FILTER_IN_1,
    FILTER_IN_ROW,
    FILTER_IN_COL,
    FILTER_OUT,
    FILTER_OUT_0,
    FILTER_OUT_1,
    FILTER_OUT_ROW,
    FILTER_OUT_COL,
    FILTER_RADIUS_V,
    FILTER_RADIUS_H,
    FILTER_TILE_ROWS,    // rows of a tile, a multiple of HIGH but where there are fewer
    FILTER_TILE_COLS,    // columns, a multiple of a line
    FILTER_TILES_DOWN,   // tiles of a plane, one below the other
    FILTER_TILES_ACROSS, // and side by side
    FILTER_PITCH,        // elements from one row of a panel to the next
    FILTER_READY,        // where rows are put together, behind the panel
    FILTER_TURNED,       // where the turned block begins, behind that
    FILTER_ROOM,         // elements of scratch memory for one work-item
    FILTER_SHAPE_COUNT
};

// Numbers of the real type; the weights follow, those of the vertical axis first, each from the outside in.
enum {
    FILTER_TINY_IN,  // input below it counts as 0
    FILTER_SCALE_IN, // what the rest is multiplied by
    FILTER_LARGE,    // finite input from here on is reported
    FILTER_TINY_V,   // sums below it count as 0
    FILTER_FACTOR_V, // what the rest is multiplied by
    FILTER_TINY_H,
    FILTER_FACTOR_H,
    FILTER_CONSTANT_V, // what stands outside the array, scaled
    FILTER_CONSTANT_H,
    FILTER_WEIGHTS
};

// Cache lines of a row that are put together before they are stored.
#define FILTER_GROUP 16

// Types of elements in memory, as build options name them.
#define FILTER_F32 1
#define FILTER_F64 2
#define FILTER_U8  3
#define FILTER_U16 4
#define FILTER_I16 5
#define FILTER_I32 6
#define FILTER_F16 7

#endif
