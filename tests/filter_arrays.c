#include "filter_arrays.h"

const struct kind kinds[KIND_COUNT] = {
    {ISG_F32, ISG_F32, ISG_F32}, {ISG_F64, ISG_F64, ISG_F64}, {ISG_U8, ISG_U8, ISG_F32},   {ISG_U16, ISG_F32, ISG_F32},
    {ISG_I16, ISG_U16, ISG_F32}, {ISG_I32, ISG_I32, ISG_F64}, {ISG_I32, ISG_I32, ISG_F32}, {ISG_F16, ISG_F16, ISG_F32},
    {ISG_F32, ISG_I16, ISG_F64}, {ISG_F64, ISG_F16, ISG_F64}, {ISG_F64, ISG_F32, ISG_F64}, {ISG_F64, ISG_F64, ISG_F32}};

block make_block(suite_random *random, isg_dtype dtype, int32_t ndim, const int64_t *shape, bool strided)
{
    block b = {.array = {.dtype = dtype, .ndim = ndim}};
    int32_t order[ISG_FILTER_MAX_NDIM] = {0, 1, 2, 3};
    for (int32_t a = ndim - 1; a > 0 && strided; a--) {
        int32_t other = (int32_t)random_below(random, a + 1), kept = order[a];
        order[a] = order[other];
        order[other] = kept;
    }
    int64_t stride = 1, first = 0;
    for (int32_t i = ndim - 1; i >= 0; i--) {
        int32_t a = order[i];
        stride *= strided ? 1 + random_below(random, 2) : 1;
        bool back = strided && random_below(random, 3) == 0;
        b.array.shape[a] = shape[a];
        b.array.strides[a] = back ? -stride : stride;
        first += back ? (shape[a] - 1) * stride : 0;
        stride *= shape[a];
        stride += strided ? random_below(random, 3) : 0;
    }
    b.count = stride;
    b.memory = device_guard(dtype, b.count);
    b.array.data = (char *)b.memory + (size_t)first * isg_dtype_bytes(dtype);
    return b;
}

void free_block(block *b)
{
    device_guard_free(b->memory, b->array.dtype, b->count);
}

void fill(suite_random *random, block *b, bool hostile)
{
    for (int64_t i = 0; i < b->count; i++) {
        double x = random_between(random, -100, 100);
        int64_t kind = random_below(random, 40);
        uint64_t any = random_bits(random);
        if (hostile && kind < 12) // down to subnormal numbers
            x = ldexp(x, b->array.dtype == ISG_F64 ? -(int)(any % 1080) : -(int)(any % 160));
        if (hostile && kind == 13)
            x = 0;
        switch (b->array.dtype) {
        case ISG_F32: ((float *)b->memory)[i] = (float)x; break;
        case ISG_F64: ((double *)b->memory)[i] = x; break;
        case ISG_U8: ((uint8_t *)b->memory)[i] = (uint8_t)any; break;
        case ISG_U16: ((uint16_t *)b->memory)[i] = (uint16_t)any; break;
        case ISG_I16: ((int16_t *)b->memory)[i] = (int16_t)(uint16_t)any; break;
        case ISG_I32: ((int32_t *)b->memory)[i] = (int32_t)(uint32_t)any; break;
        default: ((uint16_t *)b->memory)[i] = (uint16_t)((any & 0x8000) | any % 0x7c00); break; // finite
        }
    }
}

isg_filter_params random_params(suite_random *random, int32_t ndim, const int64_t *shape)
{
    isg_filter_params p = {.each = 1};
    bool some = random_below(random, 3) == 0, odd = random_below(random, 3) == 0;
    int32_t first = (int32_t)random_below(random, ndim);
    p.axis_count = some ? 1 + (int32_t)random_below(random, ndim) : 0;
    for (int32_t i = 0; i < p.axis_count; i++)
        p.axes[i] = (first + i) % ndim - (random_below(random, 2) ? ndim : 0);
    p.sampling = (isg_sampling)(random_below(random, 4)   ? 0
                                : random_below(random, 2) ? ISG_SAMPLING_INTEGRATED
                                                          : ISG_SAMPLING_BESSEL);
    p.constant = random_between(random, -3, 3);
    for (int32_t i = 0; i < ndim; i++) {
        p.sigma[i] = random_below(random, 12) == 0 ? 0 : random_between(random, 0.3, random_below(random, 3) ? 2 : 9);
        p.mode[i] = (isg_mode)random_below(random, ISG_MODE_COUNT);
        if (p.sigma[i] > 0 && p.sampling == 0)
            p.order[i] = (int32_t)(odd ? random_below(random, 5) : 2 * random_below(random, 3));
        p.radius[i] = p.sigma[i] < 0.7 || random_below(random, 4) == 0 ? 2 + random_below(random, 2 * shape[i] + 3) : 0;
    }
    return p;
}
