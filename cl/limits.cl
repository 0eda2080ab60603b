// How fast memory can be written and copied: a vector per work-item, through the caches or past them.
#include "lanes.h"

kernel void limit_fill(global scalar *out, scalar value, int vectors, int streamed)
{
    int i = (int)get_global_id(0);
    if (i >= vectors)
        return;
    if (streamed)
        STREAM((real)value, out + (long)i * LANES);
    else
        STORE_ALIGNED((real)value, out + (long)i * LANES);
}

kernel void limit_copy(global const scalar *in, global scalar *out, int vectors, int streamed)
{
    int i = (int)get_global_id(0);
    if (i >= vectors)
        return;
    real value = LOAD_ALIGNED(in + (long)i * LANES);
    if (streamed)
        STREAM(value, out + (long)i * LANES);
    else
        STORE_ALIGNED(value, out + (long)i * LANES);
}
