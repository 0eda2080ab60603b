// The table of shapes, each row as measured: docs/performance.md.
#include "shape.h"

// Neighbours in a group read and write neighbouring vectors of 16 bytes: whole sectors of 32 bytes and more both ways.
// Eight coordinates of each side are enough to keep the multipliers busy, and their sums fit the registers.
static isg_shape on_gpu(int32_t lanes, bool wide, bool mirrored)
{
    isg_shape s = {.down = 1, .across = 1, .group_cols = 8, .group_rows = 8, .local_rows = 8, .unroll = 2};
    if (lanes == 1) {
        s.rows = s.vectors = 4;
        s.lanes = 1;
        s.group_cols = s.group_rows = s.local_rows = 16;
        s.unroll = 0;
    } else if (wide) {
        s.rows = 8;
        s.vectors = mirrored ? 4 : 1;
        s.lanes = mirrored ? 2 : 4;
    } else {
        s.rows = mirrored ? 4 : 8;
        s.vectors = mirrored ? 4 : 2;
        s.lanes = 4;
        s.group_cols = mirrored ? 4 : 8;
        s.group_rows = s.local_rows = mirrored ? 16 : 8;
    }
    return s;
}

// On vectors of less than a cache line, tiles are made of blocks so that rows and mirror image are stored in whole
// lines. Six rows keep the multipliers busier than four, but their tiles are coarser; which wins was measured.
static isg_shape on_cpu(int32_t lanes, bool wide, int64_t dims, bool mirrored)
{
    const int32_t line = wide ? 8 : 16;
    isg_shape s = {.rows = 4, .vectors = 2, .lanes = lanes, .down = 1, .across = 1, .group_cols = 1, .group_rows = 1};
    s.local_rows = 16;
    if (lanes == 1) {
        s.vectors = 4;
    } else if (lanes >= line && (mirrored || wide || dims >= 8)) {
        s.rows = 16; // with 32 registers and coordinates of rows read by the operations themselves
        s.vectors = 1;
    } else if (mirrored && dims >= 128) {
        s.rows = 6;
        s.down = lanes / 2;
        s.across = 3;
    } else if (mirrored) {
        s.down = line / 4;
        s.across = (int32_t)isg_max(line / (2 * lanes), 1);
    } else if (wide || dims >= 16) {
        s.rows = 6;
    } else {
        s.local_rows = 64;
    }
    return s;
}

isg_shape isg_shape_choose(const isg_device *device, isg_dtype dtype, int64_t dims, bool mirrored)
{
    bool wide = dtype == ISG_F64;
    int32_t lanes = wide ? device->lanes_f64 : device->lanes_f32;
    return device->device_class != ISG_DEVICE_CPU ? on_gpu(lanes, wide, mirrored) : on_cpu(lanes, wide, dims, mirrored);
}

int64_t isg_shape_least_mirrored(const isg_device *device, isg_dtype dtype)
{
    if (device->device_class != ISG_DEVICE_CPU)
        return dtype == ISG_F64 ? 8 : 1;
    return dtype == ISG_F64 ? 1 : 8;
}

int64_t isg_shape_border(const isg_device *device, isg_dtype dtype)
{
    const int64_t lanes = dtype == ISG_F64 ? device->lanes_f64 : device->lanes_f32;
    return device->device_class != ISG_DEVICE_CPU ? 64 : isg_max(6 * lanes, 48);
}
