// The build compiles this file twice, with REAL_BITS set.
#include "fma_variant.h"

#define FUSED 1
#include "../cl/real.h"
#include "../cl/fma.h"

enum { DIGITS = FIELD + 1, TOP_FIELD = 2 * BIAS };

// Sometimes a bit, sometimes a run of them: where rounding and carries have to look far.
static bits mantissa(suite_random *random)
{
    bits any = (bits)random_bits(random) & MANTISSA_BITS;
    int64_t at = random_below(random, FIELD);
    switch (random_below(random, 8)) {
    case 0: return 0;
    case 1: return MANTISSA_BITS;
    case 2: return (bits)1 << at;
    case 3: return MANTISSA_BITS - ((bits)1 << at);
    case 4: return any & (((bits)1 << at) - 1);
    case 5: return any >> at << at;
    default: return any;
    }
}

// A number of this exponent field, as near as there is a finite one, and either sign.
static real of_field(suite_random *random, int64_t field)
{
    bits magnitude = mantissa(random);
    magnitude |= (bits)(field < 0 ? 0 : field > TOP_FIELD ? TOP_FIELD : field) << FIELD;
    return as_real(random_below(random, 2) ? magnitude : magnitude | ~(bits)MAGNITUDE_BITS);
}

static int64_t field_of(real x)
{
    int64_t field = (as_bits(x) & MAGNITUDE_BITS) >> FIELD;
    return field ? field : 1;
}

// In [-reach, reach].
static int64_t around(suite_random *random, int64_t reach)
{
    return random_below(random, 2 * reach + 1) - reach;
}

// An odd number of `digits` digits.
static real odd(suite_random *random, int64_t digits)
{
    int64_t top = (int64_t)1 << (digits - 1);
    return (real)(top | random_below(random, top) | 1);
}

static const real specials[] = {
    0,
    1,
    (real)1.5,
    2,
    3,
    (real)0.1,
    SMALLEST_NORMAL,
    SMALLEST_NORMAL * 2,
    SMALLEST_NORMAL *(real)1.5,
    INFINITY,
    NAN,
#if REAL_BITS == 64
    0x1p-1074,
    0x3p-1074,
    0x0.fffffffffffffp-1022,
    0x0.8p-1022,
    DBL_MAX,
    0x1.ffffffffffffep+1023,
    0x1p+1023,
    0x1p+512,
    0x1.fffffffffffffp-1,
    0x1.0000000000001p+0,
    0x1p-511,
    0x1p-537,
    0x1p-52,
    0x1p-53,
#else
    0x1p-149f,
    0x3p-149f,
    0x0.fffffep-126f,
    0x0.8p-126f,
    FLT_MAX,
    0x1.fffffcp+127f,
    0x1p+127f,
    0x1p+64f,
    0x1.fffffep-1f,
    0x1.000002p+0f,
    0x1p-63f,
    0x1p-75f,
    0x1p-23f,
    0x1p-24f,
#endif
};
enum { SPECIALS = 2 * COUNT(specials) };

static real special_value(int64_t i)
{
    return i % 2 ? -specials[i / 2] : specials[i / 2];
}

typedef struct triple {
    real a, b, c;
} triple;

// Two factors whose product has about this exponent field, if there is one.
static triple with_product(suite_random *random, int64_t field)
{
    int64_t half = (field + BIAS) / 2, reach = half < TOP_FIELD - half ? half : TOP_FIELD - half;
    int64_t apart = around(random, reach < 0 ? 0 : reach);
    triple t = {.a = of_field(random, half + apart)};
    t.b = of_field(random, field + BIAS - (half + apart));
    return t;
}

static triple any_bits(suite_random *random)
{
    triple t;
    t.a = as_real((bits)random_bits(random));
    t.b = as_real((bits)random_bits(random));
    t.c = as_real((bits)random_bits(random));
    return t;
}

// c is within some places of -a b, or of half or twice that.
static triple cancelling(suite_random *random)
{
    triple t = with_product(random, random_below(random, TOP_FIELD));
    real away = -(t.a * t.b);
    bits magnitude = as_bits(away) & MAGNITUDE_BITS;
    if (magnitude < 4 || magnitude > INFINITE_BITS - 4)
        return any_bits(random);
    int64_t fields = random_below(random, 4) ? 0 : around(random, 1);
    magnitude += (bits)around(random, 3) + (bits)fields * NORMAL_BITS;
    t.c = with_sign(as_real(magnitude), away);
    return t;
}

// Every distance between the product and c.
static triple apart(suite_random *random)
{
    triple t = with_product(random, random_below(random, TOP_FIELD));
    t.c = of_field(random, field_of(t.a) + field_of(t.b) - BIAS + around(random, 2 * REAL_BITS + 8));
    return t;
}

// A subnormal factor, and c as far from the product as matters.
static triple subnormal_factor(suite_random *random)
{
    triple t = {.a = of_field(random, 0)};
    t.b = of_field(random, random_below(random, TOP_FIELD + 1));
    t.a = as_real(as_bits(t.a) & ~(bits)(MANTISSA_BITS ^ (MANTISSA_BITS >> random_below(random, FIELD))));
    t.c = of_field(random, field_of(t.b) - BIAS - DIGITS / 2 + around(random, 2 * DIGITS));
    return t;
}

// Products about the subnormal numbers, and c is nothing or is there too.
static triple small_result(suite_random *random)
{
    triple t = with_product(random, 4 - random_below(random, DIGITS + 8));
    t.c = of_field(random, random_below(random, 2) ? 0 : random_below(random, DIGITS));
    if (random_below(random, 3) == 0)
        t.c = with_sign(0, t.c);
    return t;
}

// Sums about the largest number.
static triple large_result(suite_random *random)
{
    triple t = with_product(random, TOP_FIELD + around(random, 2));
    t.c = of_field(random, TOP_FIELD + 1 - random_below(random, random_below(random, 2) ? 3 : DIGITS + 4));
    if (random_below(random, 4) == 0) { // the largest number and half of its last place, or so
        t.c = with_sign(as_real(INFINITE_BITS - 1), t.c);
        t.a = with_sign(as_real((bits)(BIAS + 3) << FIELD | (mantissa(random) & 3)), t.a);
        t.b = with_sign(as_real((bits)(TOP_FIELD - DIGITS - 3 + around(random, 1)) << FIELD), t.b);
    }
    return t;
}

// Products of as many digits as make a tie, alone or with c, and now and then something tiny besides.
static triple tie(suite_random *random)
{
    int64_t of_a = 1 + random_below(random, DIGITS), of_b = DIGITS + 1 - of_a;
    triple t = {.a = odd(random, of_a), .b = odd(random, of_b)};
    int at = -BIAS - DIGITS + (int)random_below(random, 2 * BIAS - 2); // of the product's last digit
    if (random_below(random, 3) == 0)
        at = 1 - BIAS - FIELD - 1 - (int)random_below(random, 3); // halves of the smallest subnormal number
    t.a = (real)ldexp(t.a, at / 2);
    t.b = (real)ldexp(t.b, at - at / 2);
    t.c = (real)ldexp((real)random_below(random, (int64_t)1 << DIGITS), at + 1);
    if (random_below(random, 3) == 0)
        t.c = as_real((bits)random_below(random, 2));
    t.a = random_below(random, 2) ? t.a : -t.a;
    t.c = random_below(random, 2) ? t.c : -t.c;
    return t;
}

// Special values beside other numbers.
static triple partly_special(suite_random *random)
{
    triple t = random_below(random, 2) ? apart(random) : any_bits(random);
    int64_t which = 1 + random_below(random, 7);
    t.a = which & 1 ? special_value(random_below(random, SPECIALS)) : t.a;
    t.b = which & 2 ? special_value(random_below(random, SPECIALS)) : t.b;
    t.c = which & 4 ? special_value(random_below(random, SPECIALS)) : t.c;
    return t;
}

static triple (*const classes[])(suite_random *) = {any_bits,     cancelling,   apart, subnormal_factor,
                                                    small_result, large_result, tie,   partly_special};

static void draw(suite_random *random, void *a, void *b, void *c, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        triple t = classes[i % (int64_t)COUNT(classes)](random);
        bool swap = random_below(random, 2);
        ((real *)a)[i] = swap ? t.b : t.a;
        ((real *)b)[i] = swap ? t.a : t.b;
        ((real *)c)[i] = t.c;
    }
}

static int64_t special(int64_t first, void *a, void *b, void *c, int64_t count)
{
    int64_t i = 0;
    for (; i < count && first + i < (int64_t)SPECIALS * SPECIALS * SPECIALS; i++) {
        ((real *)a)[i] = special_value((first + i) / (SPECIALS * SPECIALS));
        ((real *)b)[i] = special_value((first + i) / SPECIALS % SPECIALS);
        ((real *)c)[i] = special_value((first + i) % SPECIALS);
    }
    return i;
}

static void by_integers(const void *a, const void *b, const void *c, void *result, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        ((real *)result)[i] = fma_by_integers(((const real *)a)[i], ((const real *)b)[i], ((const real *)c)[i]);
}

static void by_library(const void *a, const void *b, const void *c, void *result, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        ((real *)result)[i] = FMA_FUSED(((const real *)a)[i], ((const real *)b)[i], ((const real *)c)[i]);
}

static int64_t difference(const void *x, const void *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        real p = ((const real *)x)[i], q = ((const real *)y)[i];
        if (as_bits(p) != as_bits(q) && !(is_nan(p) && is_nan(q)))
            return i;
    }
    return -1;
}

#define NAME ISG_CAT(fma_variant_, REAL_BITS)
const fma_variant NAME = {
    .dtype = REAL_BITS == 64 ? ISG_F64 : ISG_F32,
    .draw = draw,
    .special = special,
    .by_integers = by_integers,
    .by_library = by_library,
    .difference = difference,
};
