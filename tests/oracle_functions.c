#include "oracle_functions.h"

#include "base.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A number modulo 2, without error: |x| = 2 m + n/2 + rest, |rest| <= 1/4. Doubles from 2^53 on are even.
typedef struct turn {
    int n;
    double rest;
} turn;

static turn turn_of(double x)
{
    double r = fabs(x) < 0x1p53 ? fabs(x) : 0;
    r -= 2 * floor(r / 2);
    double n = rint(2 * r);
    return (turn){(int)n, r - n / 2};
}

// The powers that are plain to see, and those that MPFR or the C library see in another way.
static bool pow_special(double x, double y, double *value)
{
    if (y == 0)
        *value = 1;
    else if (isnan(x) || isnan(y) || x < 0)
        *value = NAN;
    else if (x == 0 || isinf(x))
        *value = (x == 0) == (y > 0) ? 0 : INFINITY;
    else if (isinf(y))
        *value = x == 1 ? 1 : (x > 1) == (y > 0) ? INFINITY : 0;
    else
        return false;
    return true;
}

// The C library's function in more precision: double for float, long double for double. glibc's own figures for these
// are 5 ulp at most, in either format (its manual, "Known Maximum Errors in Math Functions"): below 2^-26 ulp of float
// and 2^-8 ulp of double, where long double has 64 bits.
typedef double near_f32(double a, double b);
typedef long double near_f64(long double a, long double b);

#define NEAR_1(call)                                                                                                   \
    static double call##_f32(double a, double b)                                                                       \
    {                                                                                                                  \
        (void)b;                                                                                                       \
        return call(a);                                                                                                \
    }                                                                                                                  \
    static long double call##_f64(long double a, long double b)                                                        \
    {                                                                                                                  \
        (void)b;                                                                                                       \
        return call##l(a);                                                                                             \
    }

// sin(pi (rest + n/2)), which is also what the cosine is for n + 1.
#define NEAR_TURN(name, add, sign)                                                                                     \
    static double name##_f32(double a, double b)                                                                       \
    {                                                                                                                  \
        (void)b;                                                                                                       \
        turn t = turn_of(a);                                                                                           \
        double angle = 3.14159265358979323846 * t.rest, y = (t.n + (add)) & 1 ? cos(angle) : sin(angle);               \
        return isfinite(a) ? (((t.n + (add)) & 2) != 0) != (sign) ? -y : y : NAN;                                      \
    }                                                                                                                  \
    static long double name##_f64(long double a, long double b)                                                        \
    {                                                                                                                  \
        (void)b;                                                                                                       \
        turn t = turn_of((double)a);                                                                                   \
        long double angle = 3.14159265358979323846264338327950288L * t.rest;                                           \
        long double y = (t.n + (add)) & 1 ? cosl(angle) : sinl(angle);                                                 \
        return isfinite(a) ? (((t.n + (add)) & 2) != 0) != (sign) ? -y : y : NAN;                                      \
    }

NEAR_1(exp)
NEAR_1(expm1)
NEAR_1(log)
NEAR_1(log1p)
NEAR_1(erf)
NEAR_1(erfc)
NEAR_1(tanh)
NEAR_TURN(sinpi, 0, a < 0)
NEAR_TURN(cospi, 1, 0)

static double pow_f32(double a, double b)
{
    double special;
    return pow_special(a, b, &special) ? special : pow(a, b);
}

static long double pow_f64(long double a, long double b)
{
    double special;
    return pow_special((double)a, (double)b, &special) ? special : powl(a, b);
}

typedef struct row {
    near_f32 *near_f32; // NULL: correctly rounded
    near_f64 *near_f64;
    bool sharp; // +0 exactly where the exact value is below the smallest normal number
} row;

static const row rows[FUNCTION_COUNT] = {
    [FUNCTION_exp_nonpositive] = {exp_f32, exp_f64, true}, [FUNCTION_real_exp] = {exp_f32, exp_f64, true},
    [FUNCTION_real_expm1] = {expm1_f32, expm1_f64, false}, [FUNCTION_real_log] = {log_f32, log_f64, false},
    [FUNCTION_real_log1p] = {log1p_f32, log1p_f64, false}, [FUNCTION_real_erf] = {erf_f32, erf_f64, false},
    [FUNCTION_real_erfc] = {erfc_f32, erfc_f64, false},    [FUNCTION_real_tanh] = {tanh_f32, tanh_f64, false},
    [FUNCTION_real_sinpi] = {sinpi_f32, sinpi_f64, false}, [FUNCTION_real_cospi] = {cospi_f32, cospi_f64, false},
    [FUNCTION_real_pow] = {pow_f32, pow_f64, false},
};

const char *oracle_name(int function)
{
    static const char *const names[] = {
#define FUNCTION(name, arity) #name,
        EACH_FUNCTION(FUNCTION)
#undef FUNCTION
    };
    return names[function];
}

int oracle_arity(int function)
{
    static const int arities[] = {
#define FUNCTION(name, arity) arity,
        EACH_FUNCTION(FUNCTION)
#undef FUNCTION
    };
    return arities[function];
}

double oracle_bound(int function)
{
    return rows[function].near_f32 ? 1 : 0.5;
}

static double flushed(double least, double x)
{
    return fabs(x) < least ? copysign(0, x) : x;
}

// v = function(a, b) with an error below 2^-100 v.
static void by_mpfr(mpfr_ptr v, int function, double a, double b)
{
    mpfr_t x, w;
    double special;
    turn t = turn_of(a);
    mpfr_init2(x, 53);
    mpfr_init2(w, 192); // of powers: x log(y) is at most 2^62, or the result is plain
    mpfr_set_d(x, a, MPFR_RNDN);
    switch (function) {
    case FUNCTION_exp_nonpositive:
    case FUNCTION_real_exp: mpfr_exp(v, x, MPFR_RNDN); break;
    case FUNCTION_real_expm1: mpfr_expm1(v, x, MPFR_RNDN); break;
    case FUNCTION_real_log: mpfr_log(v, x, MPFR_RNDN); break;
    case FUNCTION_real_log1p: mpfr_log1p(v, x, MPFR_RNDN); break;
    case FUNCTION_real_sqrt: mpfr_sqrt(v, x, MPFR_RNDN); break;
    case FUNCTION_real_reciprocal: mpfr_ui_div(v, 1, x, MPFR_RNDN); break;
    case FUNCTION_real_erf: mpfr_erf(v, x, MPFR_RNDN); break;
    case FUNCTION_real_erfc: mpfr_erfc(v, x, MPFR_RNDN); break;
    case FUNCTION_real_tanh: mpfr_tanh(v, x, MPFR_RNDN); break;
    case FUNCTION_real_sinpi:
    case FUNCTION_real_cospi:
        t.n += function == FUNCTION_real_cospi;
        mpfr_const_pi(w, MPFR_RNDN);
        mpfr_mul_d(w, w, t.rest, MPFR_RNDN);
        (t.n & 1 ? mpfr_cos : mpfr_sin)(v, w, MPFR_RNDN);
        if (((t.n & 2) != 0) != (function == FUNCTION_real_sinpi && a < 0))
            mpfr_neg(v, v, MPFR_RNDN);
        if (!isfinite(a))
            mpfr_set_nan(v);
        break;
    case FUNCTION_mul_normal: mpfr_mul_d(v, x, b, MPFR_RNDN); break;
    case FUNCTION_real_divide:
        mpfr_set_d(w, b, MPFR_RNDN);
        mpfr_div(v, x, w, MPFR_RNDN);
        break;
    case FUNCTION_real_pow:
        if (pow_special(a, b, &special)) {
            mpfr_set_d(v, special, MPFR_RNDN);
        } else {
            mpfr_log(w, x, MPFR_RNDN);
            mpfr_mul_d(w, w, b, MPFR_RNDN);
            mpfr_exp(v, w, MPFR_RNDN);
        }
        break;
    default: abort();
    }
    mpfr_clears(x, w, (mpfr_ptr)NULL);
}

// (|v| - border) / ulp(v)
static double above(mpfr_srcptr v, mpfr_srcptr border, isg_dtype dtype)
{
    mpfr_t d;
    mpfr_init2(d, ORACLE_BITS);
    mpfr_abs(d, v, MPFR_RNDN);
    mpfr_sub(d, d, border, MPFR_RNDN);
    mpfr_mul_2si(d, d, -oracle_ulp(v, dtype), MPFR_RNDN);
    double ulps = mpfr_get_d(d, MPFR_RNDN);
    mpfr_clear(d);
    return ulps;
}

// For y = 0 or infinite, and any v but those.
static double error_at_end(double y, mpfr_srcptr v, isg_dtype dtype)
{
    mpfr_t border;
    mpfr_init2(border, dtype == ISG_F64 ? 53 : 24);
    double error = INFINITY;
    if (isinf(y)) {
        mpfr_set_ui_2exp(border, 1, dtype == ISG_F64 ? 1024 : 128, MPFR_RNDN);
        if ((mpfr_sgn(v) < 0) == (y < 0))
            error = fmax(-above(v, border, dtype), 0);
    } else if (!signbit(y)) { // the last number below the smallest normal one, if there were no least exponent
        mpfr_set_d(border, oracle_smallest_normal(dtype), MPFR_RNDN);
        mpfr_nextbelow(border);
        error = fmax(above(v, border, dtype), 0);
    }
    mpfr_clear(border);
    return error;
}

double oracle_function_error(int function, isg_dtype dtype, double a, double b, double y)
{
    mpfr_t v;
    mpfr_init2(v, 128);
    double error, least = oracle_smallest_normal(dtype);
    by_mpfr(v, function, flushed(least, a), flushed(least, b));
    if (mpfr_nan_p(v) || isnan(y))
        error = mpfr_nan_p(v) && isnan(y) ? 0 : INFINITY;
    else if (mpfr_inf_p(v))
        error = y == mpfr_get_d(v, MPFR_RNDN) ? 0 : INFINITY;
    else if (mpfr_zero_p(v))
        error = y == 0 && !signbit(y) ? 0 : INFINITY;
    else if (rows[function].sharp && (y != 0) != oracle_is_normal(v, dtype))
        error = INFINITY;
    else if (y == 0 || isinf(y))
        error = error_at_end(y, v, dtype);
    else
        error = fabs(y) < least ? INFINITY : oracle_error(y, v, dtype);
    mpfr_clear(v);
    return error;
}

// m 2^e, as results are for m of the type's precision.
static double composed(isg_dtype dtype, double m, int e)
{
    int more, top = dtype == ISG_F64 ? 1024 : 128;
    m = frexp(m, &more);
    e += more;
    return e > top ? copysign(INFINITY, m) : e < 3 - top ? 0 : ldexp(m, e);
}

// The functions that are correctly rounded, by the host's own operations. Those work on mantissas: a subnormal result
// would be rounded to fewer digits.
static double by_host(int function, isg_dtype dtype, double a, double b)
{
    bool wide = dtype == ISG_F64;
    if (function == FUNCTION_real_reciprocal)
        return by_host(FUNCTION_real_divide, dtype, 1, a);
    if (function == FUNCTION_real_sqrt)
        return a == 0 ? 0 : wide ? sqrt(a) : (double)sqrtf((float)a);
    bool divide = function == FUNCTION_real_divide;
    if (!isfinite(a) || !isfinite(b) || a == 0 || b == 0) {
        double y = divide ? a / b : a * b;
        return y == 0 ? 0 : y;
    }
    int e_a, e_b;
    a = frexp(a, &e_a);
    b = frexp(b, &e_b);
    if (divide)
        return composed(dtype, wide ? a / b : (double)((float)a / (float)b), e_a - e_b);
    return composed(dtype, wide ? a * b : (double)((float)a * (float)b), e_a + e_b);
}

#define UNDECIDED (-1.0)

// The error of y where near is a NaN or close to the ends of the range.
static double quick_at_ends(long double near, double y, isg_dtype dtype)
{
    long double size = fabsl(near), least = oracle_smallest_normal(dtype), most = dtype == ISG_F64 ? DBL_MAX : FLT_MAX;
    if (isnan(near))
        return isnan(y) ? 0 : INFINITY;
    if (size < least * (1 - 0x1p-20L))
        return y == 0 && !signbit(y) ? 0 : INFINITY;
    if (size > most * (1 + 0x1p-20L))
        return isinf(y) && !signbit(y) == !signbit(near) ? 0 : INFINITY;
    return UNDECIDED;
}

// |y - near| in ulps of float. UNDECIDED also about halfway below a power of two, where the ulp doubles.
static double quick_f32(double near, double y)
{
    double size = fabs(near), scale;
    if (!(size > 0x1p-126 * (1 + 0x1p-20) && size < (double)FLT_MAX * (1 - 0x1p-20)))
        return quick_at_ends(near, y, ISG_F32);
    float nearest = (float)size;
    uint32_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    bool power = ((bits + 1) & 0x7fffff) <= 1; // or the number below one
    if (power && fabs(fabs(size - nearest) - size * 0x1p-25) < size * 0x1p-32)
        return UNDECIDED;
    uint64_t inverse = (uint64_t)(1023 + 127 + 23 - (bits >> 23)) << 52;
    memcpy(&scale, &inverse, sizeof scale);
    double error = fabs(y - near) * scale;
    return isnan(error) ? INFINITY : error;
}

// The same for double.
static double quick_f64(long double near, double y)
{
    long double size = fabsl(near);
    if (!(size > 0x1p-1022L * (1 + 0x1p-20L) && size < DBL_MAX * (1 - 0x1p-20L)))
        return quick_at_ends(near, y, ISG_F64);
    double nearest = (double)size, scale;
    uint64_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    bool power = ((bits + 1) & 0xfffffffffffff) <= 1;
    if (power && fabsl(fabsl(size - nearest) - size * 0x1p-54L) < size * 0x1p-60L)
        return UNDECIDED;
    uint64_t inverse = (uint64_t)(2 * 1023 + 1 - (bits >> 52)) << 52; // of two ulps: that of one could be infinite
    memcpy(&scale, &inverse, sizeof scale);
    double error = (double)(fabsl(y - near) * scale * 0x1p51L);
    return isnan(error) ? INFINITY : error;
}

static double load(isg_dtype dtype, const void *array, int64_t i)
{
    return dtype == ISG_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

static bool same(double x, double y)
{
    return isnan(x) ? isnan(y) : x == y && !signbit(x) == !signbit(y);
}

// Takes one result into account. quick: its error by the fast judge.
static void settle(oracle_worst *worst, int function, isg_dtype dtype, double a, double b, double y, double quick,
                   bool sampled)
{
    double error = quick, bound = oracle_bound(function);
    bool close = quick > 0.99 && quick<1.02, record = quick> worst->error + 0.001 && quick <= bound;
    if (quick == UNDECIDED || sampled || close || record) {
        error = oracle_function_error(function, dtype, a, b, y);
        bool agree = fabs(error - quick) <= 0.01;
        if (bound < 1) { // all that the host says is whether y is right
            agree = quick > 0 || error <= bound;
            error = fmax(error, quick);
        }
        if (quick >= 0 && quick <= 2 && !agree) {
            fprintf(stderr, "%s(%a, %a) = %a: the judges disagree: %g and %g ulp\n", oracle_name(function), a, b, y,
                    quick, error);
            abort();
        }
    }
    worst->beyond += !(error <= bound);
    if (error > worst->error) {
        worst->error = error;
        worst->a = a;
        worst->b = b;
        worst->y = y;
    }
}

void oracle_judge(oracle_worst worst[2], int function, isg_dtype dtype, const void *a, const void *b,
                  const void *const y[2], int64_t count, int64_t sample)
{
    const row *r = &rows[function];
    bool wide = dtype == ISG_F64, two = oracle_arity(function) == 2;
    bool blind = wide && r->near_f64 && LDBL_MANT_DIG < 64;
    double least = oracle_smallest_normal(dtype);
    for (int64_t i = 0; i < count; i++) {
        bool sampled = sample > 0 && i % sample == 0;
        if (blind && !sampled)
            continue;
        double u = load(dtype, a, i), v = two ? load(dtype, b, i) : 0;
        double x = flushed(least, u), z = flushed(least, v), near = 0;
        long double near_wide = 0;
        if (!r->near_f32)
            near = by_host(function, dtype, x, z);
        else if (!wide)
            near = r->near_f32(x, z);
        else if (!blind)
            near_wide = r->near_f64(x, z);
        for (int k = 0; k < 2; k++) {
            if (!y[k])
                continue;
            double got = load(dtype, y[k], i), quick = UNDECIDED;
            if (!r->near_f32)
                quick = same(got, near) ? 0 : 1;
            else if (!wide)
                quick = quick_f32(near, got);
            else if (!blind)
                quick = quick_f64(near_wide, got);
            settle(&worst[k], function, dtype, u, v, got, quick, sampled);
        }
    }
}

void oracle_worst_join(oracle_worst *all, const oracle_worst *part)
{
    int64_t beyond = all->beyond + part->beyond;
    if (part->error > all->error)
        *all = *part;
    all->beyond = beyond;
}

void oracle_one_nan(isg_dtype dtype, void *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (isnan(load(dtype, y, i)))
            oracle_put(dtype, y, i, (double)NAN);
}
