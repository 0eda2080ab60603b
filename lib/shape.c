// The table of shapes, each row as measured: docs/performance.md.
#include "shape.h"

// On vectors of less than a cache line, tiles are made of blocks so that rows and mirror image are stored in whole
// lines. Six rows keep the multipliers busier than four, but their tiles are coarser; which wins was measured.
isg_shape isg_shape_choose(const isg_device *device, isg_dtype dtype, int64_t dims, bool mirrored)
{
    bool wide = dtype == ISG_F64;
    int32_t lanes = wide ? device->lanes_f64 : device->lanes_f32, line = wide ? 8 : 16;
    if (device->device_class != ISG_DEVICE_CPU)
        return (isg_shape){4, 4, 1, 1, 1, 16, 16, 16};
    if (lanes == 1)
        return (isg_shape){4, 4, 1, 1, 1, 1, 1, 16};
    if (mirrored && lanes >= line)
        return (isg_shape){lanes, 1, lanes, 1, 1, 1, 1, 16};
    if (mirrored && dims >= 128)
        return (isg_shape){6, 2, lanes, lanes / 2, 3, 1, 1, 16};
    if (mirrored)
        return (isg_shape){4, 2, lanes, line / 4, (int32_t)isg_max(line / (2 * lanes), 1), 1, 1, 16};
    if (wide || dims >= 16)
        return (isg_shape){6, 2, lanes, 1, 1, 1, 1, 16};
    return (isg_shape){4, 2, lanes, 1, 1, 1, 1, 64};
}
