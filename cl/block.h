// A block of pairs, HEIGHT points by VECTORS vectors of LANES others, as macros for EACH_PAIR (pairs.h): room for the
// pairs' numbers, all of them 0; what one coordinate adds to those of r and c; and one of them by its name.
#ifndef ISG_CL_BLOCK_H
#define ISG_CL_BLOCK_H

#define BLOCK(name, step)                                                                                              \
    real sums_##name[HEIGHT][VECTORS];                                                                                 \
    EACH (r, HEIGHT)                                                                                                   \
        EACH (c, VECTORS)                                                                                              \
            sums_##name[r][c] = REAL(0);
#define ADD_TO_BLOCK(name, step) sums_##name[r][c] = step(sums_##name[r][c], y[c], x, w);
#define FROM_BLOCK(name, step)   real name = sums_##name[r][c];

#endif
