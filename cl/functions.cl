// The functions of numerics.h, element by element: what a device is checked with.
#include "functions.h"
#include "numerics.h"
#include "lanes.h"

// One work-item per vector of elements. function: which row of functions.h; b: read by functions of two arguments only.
kernel void functions(global const scalar *a, global const scalar *b, global scalar *y, int function, int vectors)
{
    int i = (int)get_global_id(0);
    if (i >= vectors)
        return;
    real u = LOAD(a + (long)i * LANES), v = LOAD(b + (long)i * LANES), r = REAL(0);
    switch (function) {
#define CALL_1(name) name(u)
#define CALL_2(name) name(u, v)
#define FUNCTION(name, arity)                                                                                          \
    case FUNCTION_##name:                                                                                              \
        r = CALL_##arity(name);                                                                                        \
        break;
        EACH_FUNCTION(FUNCTION)
    }
    STORE(r, y + (long)i * LANES);
}
