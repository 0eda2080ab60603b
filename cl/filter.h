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

// What filter_valid is told: the array's axes but the first, which it has no need of, and where elements of input and
// mask lie. Its numbers are TINY_IN, SCALE_IN, LARGE and what stands for an element that is not valid.
enum {
    VALID_COUNT_1,
    VALID_COUNT_2,
    VALID_COUNT_3,
    VALID_IN,
    VALID_IN_0,
    VALID_IN_1,
    VALID_IN_2,
    VALID_IN_3,
    VALID_MASK,
    VALID_MASK_0,
    VALID_MASK_1,
    VALID_MASK_2,
    VALID_MASK_3,
    VALID_SHAPE_COUNT
};
enum { VALID_BEYOND = FILTER_LARGE + 1, VALID_NUMBER_COUNT };

// Numbers of a pass over valid elements; the weights follow, from the outside in.
enum {
    WEIGH_UNIT,       // the weight of a valid element, scaled
    WEIGH_TINY,       // sums below it count as 0 between two passes
    WEIGH_NONE,       // elements whose valid ones have less weight have no result,
    WEIGH_EMPTY,      // but this
    WEIGH_WHOLE,      // the weight where all is valid
    WEIGH_TINY_WHOLE, // there, results below it count as 0,
    WEIGH_FACTOR_WHOLE,
    WEIGH_TINY_MEAN, // and else means below this
    WEIGH_FACTOR_MEAN,
    WEIGH_CONSTANT, // what stands outside the array: NaN in the first pass, if it is not valid
    WEIGH_CONSTANT_WEIGHT,
    WEIGH_WEIGHTS
};

// What such a pass is told besides: whether elements that were not valid stay so, and steps in the array that tells.
enum { WEIGH_PRESERVE = FILTER_SHAPE_COUNT, WEIGH_OWN_0, WEIGH_OWN_1, WEIGH_OWN_ROW, WEIGH_OWN_COL, WEIGH_SHAPE_COUNT };

// Types of elements in memory, as build options name them.
#define FILTER_F32 1
#define FILTER_F64 2
#define FILTER_U8  3
#define FILTER_U16 4
#define FILTER_I16 5
#define FILTER_I32 6
#define FILTER_F16 7

#endif
