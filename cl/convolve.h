// What the kernels of a convolution are told: read by the host, which fills the tables in, and by convolve.cl.
#ifndef ISG_CL_CONVOLVE_H
#define ISG_CL_CONVOLVE_H

// The array is seen as items of planes of rows of columns; the stencil has K places along the last three, 1 where it
// has no axis there. IN and OUT are steps, in elements.
enum {
    CONVOLVE_PLANES,
    CONVOLVE_ROWS,
    CONVOLVE_COLS,
    CONVOLVE_K_PLANES,
    CONVOLVE_K_ROWS,
    CONVOLVE_K_COLS,
    CONVOLVE_BEFORE, // places of the stencil in front of an element of a row
    CONVOLVE_PITCH,  // elements from one packed row to the next
    CONVOLVE_IN,
    CONVOLVE_IN_ITEM,
    CONVOLVE_IN_PLANE,
    CONVOLVE_IN_ROW,
    CONVOLVE_IN_COL,
    CONVOLVE_OUT,
    CONVOLVE_OUT_ITEM,
    CONVOLVE_OUT_PLANE,
    CONVOLVE_OUT_ROW,
    CONVOLVE_OUT_COL,
    CONVOLVE_SHAPE_COUNT
};

// Numbers of the real type; the weights follow.
enum {
    CONVOLVE_TINY_IN,  // input below it counts as 0
    CONVOLVE_SCALE_IN, // what the rest is multiplied by
    CONVOLVE_LARGE,    // finite input from here on is reported
    CONVOLVE_CONSTANT, // what stands outside the array, scaled
    CONVOLVE_TINY_OUT, // sums below it count as 0
    CONVOLVE_FACTOR,   // what the rest is multiplied by
    CONVOLVE_WEIGHTS
};

#endif
