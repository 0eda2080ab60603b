// The functions of numerics.h, and the formulas of the registry, element by element: what a device is checked with.
#include "functions.h"
#include "formulas.h"
#include "rows.h"
#include "lanes.h"
#include "numerics.h"

enum {
#define ROW(id) ROW_##id,
    EACH_ROW(ROW)
#undef ROW
};

// One work-item per vector of elements. function: which row of functions.h; b: the second argument, or anything. Behind
// them stand the formulas, in the registry's order: a is the pair's number, n0 to n2 the row's three.
kernel void functions(global const scalar *a, global const scalar *b, global scalar *y, int function, int vectors,
                      scalar n0, scalar n1, scalar n2)
{
    int i = (int)get_global_id(0);
    if (i >= vectors)
        return;
    real u = LOAD(a + (long)i * LANES), v = LOAD(b + (long)i * LANES), r = REAL(0);
    switch (function) {
#define CALL_1(name) name(u)
#define CALL_2(name) name(u, v)
#define FUNCTION(name, arity)                                                                                          \
    case FUNCTION_##name: r = CALL_##arity(name); break;
        EACH_FUNCTION(FUNCTION)
#define ROW(id)                                                                                                        \
    case FUNCTION_COUNT + ROW_##id: r = f_##id(u, (real)n0, (real)n1, (real)n2); break;
        EACH_ROW(ROW)
    }
    STORE(r, y + (long)i * LANES);
}
