// The build compiles this file twice, with REAL_BITS set; FLOAT16 tells that the compiler has _Float16.
#include "half_variant.h"

#include "base.h"

#include "../cl/half.h"

static real value(uint16_t half)
{
    return half == HALF_INFINITE ? 65536 : (real)isg_load_double(ISG_F16, &half, 0);
}

// The next number away from zero, and the one before, for x >= 0 and x > 0.
static real above(real x)
{
    return as_real(as_bits(x) + 1);
}

static real below(real x)
{
    return as_real(as_bits(x) - 1);
}

static void rounded(const void *x, uint16_t *half, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        bits b = half_bits(((const real *)x)[i]);
        half[i] = (uint16_t)b;
        if (b >> 16) // must be nothing; no number has these bits
            half[i] = 0xffff;
    }
}

#if FLOAT16
__extension__ typedef _Float16 float16;

static void by_compiler(const void *x, uint16_t *half, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        real r = ((const real *)x)[i];
        float16 h = (float16)r;
        memcpy(half + i, &h, sizeof h);
        if (is_nan(r))
            half[i] = HALF_NAN;
        else if (half[i] == HALF_SIGN)
            half[i] = 0;
    }
}
#endif

static int64_t between(uint16_t half, void *x, uint16_t *want)
{
    real low = value(half), high = value((uint16_t)(half + 1)), middle = (low + high) / 2; // exact
    const struct {
        real x;
        bool up;
    } cases[] = {{low, false},       {above(low), false},   {below(middle), false},
                 {middle, half & 1}, {above(middle), true}, {below(high), true},
                 {high, true}};
    int64_t count = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int negative = 0; negative < 2; negative++, count++) {
            uint16_t h = (uint16_t)(half + cases[i].up);
            ((real *)x)[count] = negative ? -cases[i].x : cases[i].x;
            want[count] = negative && h ? h | HALF_SIGN : h;
        }
    }
    return count;
}

static void draw(suite_random *random, void *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        bits b = (bits)random_bits(random), sign = b & ~(bits)MAGNITUDE_BITS;
        uint16_t half = (uint16_t)random_below(random, HALF_INFINITE);
        int64_t field = BIAS - 28 + random_below(random, 28 + 18), away = random_below(random, 5) - 2;
        real middle = (value(half) + value((uint16_t)(half + 1))) / 2;
        if (i % 3 == 1)
            b = sign | (b & MANTISSA_BITS) | (bits)field << FIELD;
        else if (i % 3 == 2)
            b = sign | (as_bits(middle) + (bits)away);
        ((real *)x)[i] = as_real(b);
    }
}

#define NAME ISG_CAT(half_variant_, REAL_BITS)
const half_variant NAME = {
    .dtype = REAL_BITS == 64 ? ISG_F64 : ISG_F32,
    .rounded = rounded,
#if FLOAT16
    .by_compiler = by_compiler,
#endif
    .between = between,
    .draw = draw,
};
