// The ways in which results of filters are put together (derived.h), and how many of them at most.
#ifndef ISG_CL_DERIVED_KINDS_H
#define ISG_CL_DERIVED_KINDS_H

#define DERIVED_SUM        1 // x0 + x1 + ..., in this order
#define DERIVED_MAGNITUDE  2 // the root of the sum of squares
#define DERIVED_DIFFERENCE 3 // x0 - x1
#define DERIVED_UNSHARP    4 // x0 + amount (x0 - x1)
#define DERIVED_PRODUCT    5 // x0 x1
#define DERIVED_MOST       4

#endif
