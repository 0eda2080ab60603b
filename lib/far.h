// How far apart points must be for an operator's values to be +0, or no larger than is asked; from the formulas
// themselves. Knows nothing of devices.
#ifndef ISG_LIB_FAR_H
#define ISG_LIB_FAR_H

#include "operator.h"

// For each of the pair's numbers: from which one on every value is so small, whatever the others are. INFINITY: that
// number never says so.
typedef struct isg_far {
    double from[ISG_PAIR_COUNT];
} isg_far;

// most: what values may be in size, K's factors included; 0: +0 and nothing else.
isg_far isg_far_find(const isg_operator *op, bool fused, double most);

// Whether any number says so.
bool isg_far_known(const isg_far *far);

#endif
