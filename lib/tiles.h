// A block of K in launches of gram.cl that stay short: what all ways of computing it tile by tile share. They differ in
// build options, further arguments, and in how a part of a block is launched.
#ifndef ISG_LIB_TILES_H
#define ISG_LIB_TILES_H

#include "program.h"
#include "shape.h"
#include "sides.h"

enum { ISG_MORE_ARGS = 12 };

// A part of the block that one pair of panel sets and one output buffer cover, in indices relative to the panel sets.
typedef struct isg_part {
    int64_t row_lo, row_hi, col_lo, col_hi;
    cl_mem k;
    int64_t origin, stride, below; // as gram.cl has them
} isg_part;

// What one block's launches share. The caller sets the first group, isg_tiles_compute the rest.
typedef struct isg_tiles isg_tiles;
struct isg_tiles {
    isg_gram *gram;
    const char *options; // further build options, each with a space in front; "" for none
    isg_status (*launch)(isg_tiles *t, const isg_part *p); // isg_tiles_launch, or what calls it for parts of the part
    void *user;                                            // launch's own
    isg_arg more[ISG_MORE_ARGS];                           // the kernel's further arguments
    int more_count;

    cl_kernel kernel;
    isg_shape shape;
    bool mirrored;
    const isg_panels *cols;  // gram->cols, or gram->rows where they are the same
    double done, total;      // elements of K
    double pairs_per_second; // as measured so far; 0: not known
};

// Computes a block. With context->chain, and mem then, launches are enqueued and nothing waits.
isg_status isg_tiles_compute(isg_tiles *t, isg_block b);

// Launches the kernel over a part, in strips of rows and stretches of columns.
isg_status isg_tiles_launch(isg_tiles *t, const isg_part *p);

// X's points for the rows of tiles, or Y's for their columns.
isg_status isg_tiles_pack(isg_gram *gram, bool rows, int64_t first, int64_t count, isg_shape s, int32_t lead);

// Whether one half of the block only is computed, and mirrored.
bool isg_tiles_mirror(const isg_gram *gram, const isg_block *b);

#endif
