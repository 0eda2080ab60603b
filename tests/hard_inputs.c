#include "hard_inputs.h"
#include "oracle.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double ln2 = 0x1.62e42fefa39efp-1;

// What all the drawing needs.
typedef struct draw {
    suite_random *random;
    isg_dtype dtype;
    int digits, top; // 2^top is beyond the largest number, 2^(2 - top) the smallest normal one
} draw;

static int64_t below(const draw *d, int64_t count)
{
    return random_below(d->random, count);
}

static double between(const draw *d, double low, double high)
{
    return random_between(d->random, low, high);
}

static double pick(const draw *d, const double *list, size_t count)
{
    return list[below(d, (int64_t)count)];
}

static double rounded(const draw *d, double x)
{
    return d->dtype == ISG_F64 ? x : (double)(float)x;
}

// Bits in the order of the numbers.
static int64_t in_order(int64_t bits, int64_t sign)
{
    return bits & sign ? sign - bits : bits;
}

double hard_moved(isg_dtype dtype, double x, int64_t steps)
{
    if (dtype == ISG_F64) {
        int64_t bits;
        memcpy(&bits, &x, sizeof x);
        bits = in_order(in_order(bits, INT64_MIN) + steps, INT64_MIN);
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    float narrow = (float)x;
    int32_t bits;
    memcpy(&bits, &narrow, sizeof narrow);
    bits = (int32_t)in_order(in_order(bits, INT32_MIN) + steps, INT32_MIN);
    memcpy(&narrow, &bits, sizeof narrow);
    return narrow;
}

static double near(const draw *d, double x, int64_t steps)
{
    return hard_moved(d->dtype, rounded(d, x), below(d, 2 * steps + 1) - steps);
}

// 2^e for any normal number's e, or for those close to the ends.
static double any_power(const draw *d)
{
    int64_t exponents = 2 * d->top - 2, at = below(d, 4) ? below(d, exponents) : below(d, 6) - 3;
    return ldexp(1, (int)((at + exponents) % exponents) + 2 - d->top);
}

// In [1, 2), with a preference for few ulps above 1 or below 2.
static double any_mantissa(const draw *d)
{
    double ulps = ldexp((double)below(d, 4), 1 - d->digits);
    switch (below(d, 8)) {
    case 0: return 1 + ulps;
    case 1: return 2 - ldexp(1, 1 - d->digits) - ulps;
    default: return rounded(d, 1 + ldexp(floor(ldexp(between(d, 0, 1), d->digits - 1)), 1 - d->digits));
    }
}

// Any bits at all, or one of the numbers that need care.
static double anything(const draw *d)
{
    double least = ldexp(1, 2 - d->top), ulp = ldexp(1, 1 - d->digits);
    double largest = d->dtype == ISG_F64 ? DBL_MAX : (double)FLT_MAX;
    double list[] = {0,   least,   least - least * ulp, least * ulp, largest, INFINITY, 1, 2,
                     0.5, 1 + ulp, 1 - ulp / 2,         (double)NAN};
    uint64_t bits = random_bits(d->random);
    if (below(d, 4) == 0)
        return copysign(pick(d, list, COUNT(list)), bits & 1 ? -1 : 1);
    double x;
    memcpy(&x, &bits, sizeof x);
    if (d->dtype == ISG_F64)
        return x;
    float narrow;
    uint32_t half = (uint32_t)(bits >> 32);
    memcpy(&narrow, &half, sizeof narrow);
    return narrow;
}

// Where exp's reduction takes the next power of two, where the reduced argument cancels or is largest while its
// exponential is below 1, so that ulps are small; and the ends of the range.
static double border_of_exp(const draw *d)
{
    if (below(d, 4) == 0)
        return ln2 * (below(d, 2) ? d->top : 2 - d->top);
    double rest[] = {0, 0.5, between(d, 0.47, 0.505)}, sign = below(d, 2) ? -1 : 1;
    int64_t n = below(d, 1 + d->top / (1 + below(d, d->top))); // small ones more often
    return sign * ln2 * ((double)n + pick(d, rest, COUNT(rest)));
}

static double border_of_log(const draw *d)
{
    double list[] = {1, 0.5, 0x1.6a09e667f3bcdp-1};
    double scale = below(d, 2) ? any_power(d) : ldexp(1, (int)below(d, 9) - 4);
    return pick(d, list, COUNT(list)) * scale;
}

static double border(int function, const draw *d)
{
    bool wide = d->dtype == ISG_F64;
    double sign = below(d, 2) ? -1 : 1, half_ulp = ldexp(1, -d->digits);
    double small[] = {wide ? 0x1p-55 : 0x1p-26, wide ? 0x1p-28 : 0x1p-13, wide ? 0x1p-60 : 0x1p-30};
    double erfc_ends[] = {wide ? 0x1.a8b12fc6e4892p+4 : 0x1.2639bfc42f9fap+3, wide ? 28 : 11};
    if (below(d, 16) == 0)
        return sign * pick(d, small, COUNT(small));
    switch (function) {
    case FUNCTION_exp_nonpositive:
    case FUNCTION_real_exp: return border_of_exp(d);
    case FUNCTION_real_expm1: return below(d, 8) ? border_of_exp(d) : wide ? -38 : -18;
    case FUNCTION_real_tanh: return below(d, 8) ? border_of_exp(d) / 2 : sign * (wide ? 20 : 10);
    case FUNCTION_real_log: return border_of_log(d);
    case FUNCTION_real_log1p: return border_of_log(d) - 1;
    case FUNCTION_real_sqrt: return pow(any_mantissa(d) + half_ulp, 2) * any_power(d); // halfway between two numbers
    case FUNCTION_real_reciprocal: return sign / (any_mantissa(d) + half_ulp) * any_power(d);
    case FUNCTION_real_erf: return sign * (below(d, 2) ? 0.5 : sqrt(fabs(border_of_exp(d))));
    case FUNCTION_real_erfc: return below(d, 2) ? pick(d, erfc_ends, COUNT(erfc_ends)) : sqrt(fabs(border_of_exp(d)));
    default: return sign * floor(random_scaled(d->random, 1, 2, 0, d->digits + 4)) / 4; // of a turn
    }
}

// Anywhere where the function is neither plain nor trivial.
static double inside(int function, const draw *d)
{
    double most = 1.02 * ln2 * d->top;
    switch (function) {
    case FUNCTION_exp_nonpositive: return between(d, -most, 0);
    case FUNCTION_real_exp: return between(d, -most, most);
    case FUNCTION_real_expm1: return below(d, 2) ? between(d, -1, 1) : between(d, -d->digits, most);
    case FUNCTION_real_tanh: return below(d, 2) ? between(d, -1, 1) : between(d, -0.4, 0.4) * d->digits;
    case FUNCTION_real_log: return between(d, 0, 4);
    case FUNCTION_real_log1p: return between(d, -1, 3);
    case FUNCTION_real_sqrt:
    case FUNCTION_real_reciprocal: return any_mantissa(d) * any_power(d);
    case FUNCTION_real_erf: return between(d, -6, 6);
    case FUNCTION_real_erfc: return between(d, -6, d->dtype == ISG_F64 ? 27 : 10);
    default: return between(d, -4, 4);
    }
}

static double argument(int function, const draw *d)
{
    double sign = below(d, 2) ? -1 : 1;
    switch (below(d, 9)) {
    case 0: return anything(d);
    case 1: return sign * between(d, 1, 2) * any_power(d);
    case 2: return sign * random_scaled(d->random, 1, 2, -d->digits - 8, d->digits + 16);
    case 3: return near(d, border(function, d), 200);
    case 4: return border(function, d) * (1 + sign * random_scaled(d->random, 1, 2, -d->digits, d->digits));
    case 5:
    case 6: return near(d, border(function, d), 4);
    default: return inside(function, d);
    }
}

// Factors whose product lies close to the smallest normal number, or anywhere. Neither is subnormal.
static void factors(const draw *d, double *a, double *b)
{
    int lowest = 2 - d->top, half = lowest / 2;
    *a = random_scaled(d->random, 1, 2, lowest, 60 - lowest);
    *b = random_scaled(d->random, 1, 2, lowest, 30 - lowest);
    switch (below(d, 5)) {
    case 0: // a b = 2^lowest (1 - k^2 2^(2 - 2 digits)) for small k: just below, by less than an ulp
        *b = hard_moved(d->dtype, 1, below(d, 40));
        *a = ldexp(2 - *b, half);
        *b = ldexp(*b, lowest - half);
        break;
    case 1: // the quotient's neighbours: the product is within a few ulp
        *a = rounded(d, ldexp(between(d, 1, 2), half));
        *b = near(d, ldexp(1, lowest) / *a, 3);
        break;
    case 2: // the largest product that rounds down, the smallest that rounds up, and theirs
        *a = ldexp(1 - ldexp(1, -d->digits) * (double)below(d, 4), half);
        *b = ldexp(1 + ldexp(1, 1 - d->digits) * (double)below(d, 3), lowest - half);
        break;
    case 3: *(below(d, 2) ? a : b) = 0; break;
    default: break;
    }
    double least = ldexp(1, lowest);
    *a = rounded(d, *a == 0 ? 0 : fmax(*a, least));
    *b = rounded(d, *b == 0 ? 0 : fmax(*b, least));
    *a = *a < 0x1p60 ? *a : 0x1p59;
}

// A quotient close to halfway between two numbers, or close to the ends of the range, or anything.
static void quotient(const draw *d, double *a, double *b)
{
    double sign = below(d, 2) ? -1 : 1, q = any_mantissa(d), ends[] = {1, ldexp(1, 2 - d->top), ldexp(1, d->top - 1)};
    switch (below(d, 8)) {
    case 0:
        *a = anything(d);
        *b = anything(d);
        break;
    case 1:
        *a = any_mantissa(d) * any_power(d) * sign;
        *b = any_mantissa(d) * any_power(d);
        break;
    case 2:
    case 3: // the quotient is about one of the ends
        *b = any_mantissa(d) * any_power(d) * sign;
        *a = near(d, *b * pick(d, ends, COUNT(ends)), 4);
        break;
    default:
        *b = any_mantissa(d) * sign;
        *a = near(d, (q + ldexp(below(d, 4) ? 1 : 0, -d->digits)) * *b, 2) * any_power(d);
        *b *= below(d, 2) ? 1 : any_power(d);
        break;
    }
}

// x of any kind, close to 1 among them, and y such that x^y is as hard as exp's hard arguments, or lies anywhere
// between the ends of the range.
static void power(const draw *d, double *x, double *y)
{
    double sign = below(d, 2) ? -1 : 1;
    switch (below(d, 8)) {
    case 0: *x = border_of_log(d); break;
    case 1: *x = any_mantissa(d) * any_power(d); break;
    case 2:
    case 3: *x = between(d, 0, 4); break;
    case 4: *x = near(d, 1, 8); break;
    default: *x = 1 + sign * random_scaled(d->random, 1, 2, -d->digits, d->digits - 1); break;
    }
    *x = rounded(d, *x);
    double t = below(d, 2) ? inside(FUNCTION_real_exp, d) : border_of_exp(d);
    switch (below(d, 16)) {
    case 0: *y = anything(d); break;
    case 1: *y = (double)(below(d, 41) - 20) / 2; break;
    case 2: *y = sign * between(d, 1, 2) * any_power(d); break;
    case 3:
        *x = anything(d);
        *y = anything(d);
        break;
    case 4:
        *x = fabs(anything(d));
        *y = near(d, t / log(*x), 4);
        break;
    default: *y = near(d, t / log(*x), 4); break;
    }
}

void hard_inputs(int function, isg_dtype dtype, suite_random *random, void *a, void *b, int64_t count)
{
    bool wide = dtype == ISG_F64;
    draw d = {random, dtype, wide ? 53 : 24, wide ? 1024 : 128};
    for (int64_t i = 0; i < count; i++) {
        double x, y = 0;
        switch (function) {
        case FUNCTION_mul_normal: factors(&d, &x, &y); break;
        case FUNCTION_real_divide: quotient(&d, &x, &y); break;
        case FUNCTION_real_pow: power(&d, &x, &y); break;
        default: x = argument(function, &d); break;
        }
        if (function == FUNCTION_exp_nonpositive && x > 0)
            x = -x;
        oracle_put(dtype, a, i, x);
        if (b)
            oracle_put(dtype, b, i, y);
    }
}
