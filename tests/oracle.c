#include "oracle.h"

#include <math.h>
#include <stdlib.h>

static int mantissa_bits(isg_dtype dtype)
{
    return dtype == ISG_F64 ? 53 : 24;
}

double oracle_smallest_normal(isg_dtype dtype)
{
    return dtype == ISG_F64 ? 0x1p-1022 : 0x1p-126;
}

bool oracle_is_normal(mpfr_srcptr exact, isg_dtype dtype)
{
    mpfr_t smallest;
    mpfr_init2(smallest, 53);
    mpfr_set_d(smallest, oracle_smallest_normal(dtype), MPFR_RNDN);
    bool normal = mpfr_cmpabs(exact, smallest) >= 0;
    mpfr_clear(smallest);
    return normal;
}

long oracle_ulp(mpfr_srcptr exact, isg_dtype dtype)
{
    long lowest = dtype == ISG_F64 ? -1074 : -149;
    if (mpfr_zero_p(exact))
        return lowest;
    mpfr_t rounded;
    mpfr_init2(rounded, mantissa_bits(dtype));
    mpfr_set(rounded, exact, MPFR_RNDN);
    long ulp = mpfr_get_exp(rounded) - mantissa_bits(dtype); // MPFR's mantissas lie in [1/2, 1)
    mpfr_clear(rounded);
    return ulp > lowest ? ulp : lowest;
}

double oracle_error(double result, mpfr_srcptr exact, isg_dtype dtype)
{
    if (!isfinite(result))
        return INFINITY;
    mpfr_t error;
    mpfr_init2(error, ORACLE_BITS);
    mpfr_d_sub(error, result, exact, MPFR_RNDN);
    mpfr_abs(error, error, MPFR_RNDN);
    mpfr_mul_2si(error, error, -oracle_ulp(exact, dtype), MPFR_RNDN);
    double ulps = mpfr_get_d(error, MPFR_RNDU);
    mpfr_clear(error);
    return ulps;
}

void *oracle_array(isg_dtype dtype, int64_t count)
{
    void *array = calloc((size_t)count, dtype == ISG_F64 ? sizeof(double) : sizeof(float));
    if (!array)
        abort();
    return array;
}

void oracle_put(isg_dtype dtype, void *array, int64_t i, double value)
{
    if (dtype == ISG_F64)
        ((double *)array)[i] = value;
    else
        ((float *)array)[i] = (float)value;
}

static void load(mpfr_ptr x, const void *row, int64_t k, isg_dtype dtype)
{
    if (dtype == ISG_F64)
        mpfr_set_d(x, ((const double *)row)[k], MPFR_RNDN);
    else
        mpfr_set_flt(x, ((const float *)row)[k], MPFR_RNDN);
}

void oracle_sqdist(mpfr_ptr s, const void *x, const void *y, int64_t dims, isg_dtype dtype)
{
    mpfr_t a, b, sum;
    mpfr_inits2(ORACLE_BITS, a, b, sum, (mpfr_ptr)NULL);
    mpfr_set_zero(sum, 1);
    for (int64_t k = 0; k < dims; k++) {
        load(a, x, k, dtype);
        load(b, y, k, dtype);
        mpfr_sub(a, a, b, MPFR_RNDN);
        mpfr_sqr(a, a, MPFR_RNDN);
        mpfr_add(sum, sum, a, MPFR_RNDN);
    }
    mpfr_set(s, sum, MPFR_RNDN);
    mpfr_clears(a, b, sum, (mpfr_ptr)NULL);
}

void oracle_gaussian(mpfr_ptr k, double gamma, mpfr_srcptr s)
{
    mpfr_t u;
    mpfr_init2(u, ORACLE_BITS);
    mpfr_mul_d(u, s, -gamma, MPFR_RNDN);
    mpfr_exp(k, u, MPFR_RNDN);
    mpfr_clear(u);
}

void oracle_place(mpfr_ptr x, int64_t i, int64_t n, double a, double b)
{
    mpfr_t low, high;
    mpfr_inits2(ORACLE_BITS, low, high, (mpfr_ptr)NULL);
    mpfr_set_d(low, a, MPFR_RNDN);
    if (n > 1) {
        mpfr_set_d(high, b, MPFR_RNDN);
        mpfr_mul_si(low, low, n - 1 - i, MPFR_RNDN);
        mpfr_mul_si(high, high, i, MPFR_RNDN);
        mpfr_add(low, low, high, MPFR_RNDN);
        mpfr_div_si(low, low, n - 1, MPFR_RNDN);
    }
    mpfr_set(x, low, MPFR_RNDN);
    mpfr_clears(low, high, (mpfr_ptr)NULL);
}

// exp(-x^2/(2 sigma^2))
static void bell(mpfr_ptr w, mpfr_srcptr x, double sigma)
{
    mpfr_t z;
    mpfr_init2(z, ORACLE_BITS);
    mpfr_div_d(z, x, sigma, MPFR_RNDN);
    mpfr_sqr(z, z, MPFR_RNDN);
    mpfr_div_si(z, z, -2, MPFR_RNDN);
    mpfr_exp(w, z, MPFR_RNDN);
    mpfr_clear(z);
}

void oracle_point(mpfr_ptr w, int64_t i, int64_t n, double a, double b, double sigma)
{
    mpfr_t x;
    mpfr_init2(x, ORACLE_BITS);
    oracle_place(x, i, n, a, b);
    bell(w, x, sigma);
    mpfr_clear(x);
}

// The probability of [low, high] is (erfc(low/(sqrt(2) sigma)) - erfc(high/(sqrt(2) sigma)))/2, on the side of zero
// where erfc is small and holds its digits; near zero erf does. That leaves the cancellation of a narrow cell, for
// which ORACLE_BITS are plenty.
void oracle_cell(mpfr_ptr w, int64_t i, int64_t n, double a, double b, double sigma)
{
    mpfr_t low, high, scale;
    mpfr_inits2(ORACLE_BITS, low, high, scale, (mpfr_ptr)NULL);
    oracle_place(low, i, n + 1, a, b);
    oracle_place(high, i + 1, n + 1, a, b);
    mpfr_sqrt_ui(scale, 2, MPFR_RNDN);
    mpfr_mul_d(scale, scale, sigma, MPFR_RNDN);
    mpfr_div(low, low, scale, MPFR_RNDN);
    mpfr_div(high, high, scale, MPFR_RNDN);
    if (mpfr_cmp_ui(low, 1) < 0 && mpfr_cmp_si(high, -1) > 0) {
        mpfr_erf(low, low, MPFR_RNDN);
        mpfr_erf(high, high, MPFR_RNDN);
    } else {
        mpfr_abs(low, low, MPFR_RNDN);
        mpfr_abs(high, high, MPFR_RNDN);
        mpfr_erfc(low, low, MPFR_RNDN);
        mpfr_erfc(high, high, MPFR_RNDN);
    }
    mpfr_sub(low, high, low, MPFR_RNDN);
    mpfr_abs(low, low, MPFR_RNDN);
    mpfr_div_ui(w, low, 2, MPFR_RNDN);
    mpfr_clears(low, high, scale, (mpfr_ptr)NULL);
}

// I_n(t) = sum over k >= 0 of (t/2)^(2k+n)/(k! (k+n)!): every term is positive, so nothing cancels.
void oracle_bessel(mpfr_ptr w, int64_t n, double sigma)
{
    unsigned long order = (unsigned long)(n < 0 ? -n : n);
    mpfr_t half, quarter, term, sum, factorial;
    mpfr_inits2(ORACLE_BITS, half, quarter, term, sum, factorial, (mpfr_ptr)NULL);
    mpfr_set_d(half, sigma, MPFR_RNDN);
    mpfr_sqr(half, half, MPFR_RNDN);
    mpfr_div_ui(half, half, 2, MPFR_RNDN);
    mpfr_sqr(quarter, half, MPFR_RNDN);
    mpfr_pow_ui(term, half, order, MPFR_RNDN);
    mpfr_fac_ui(factorial, order, MPFR_RNDN);
    mpfr_div(term, term, factorial, MPFR_RNDN);
    mpfr_set(sum, term, MPFR_RNDN);
    // The terms rise to one peak and then fall; before the peak no term is small beside the sum.
    for (unsigned long k = 1; mpfr_get_exp(term) > mpfr_get_exp(sum) - ORACLE_BITS; k++) {
        mpfr_mul(term, term, quarter, MPFR_RNDN);
        mpfr_div_ui(term, term, k, MPFR_RNDN);
        mpfr_div_ui(term, term, k + order, MPFR_RNDN);
        mpfr_add(sum, sum, term, MPFR_RNDN);
    }
    mpfr_mul_si(half, half, -2, MPFR_RNDN);
    mpfr_exp(half, half, MPFR_RNDN);
    mpfr_mul(w, sum, half, MPFR_RNDN);
    mpfr_clears(half, quarter, term, sum, factorial, (mpfr_ptr)NULL);
}

static int64_t reflected(int64_t i, int64_t n)
{
    int64_t period = 2 * n, at = (i % period + period) % period;
    return at < n ? at : period - 1 - at;
}

void oracle_delta(mpfr_ptr w, int64_t i, int64_t n, double sigma)
{
    int64_t radius = (int64_t)(4 * sigma + 0.5);
    mpfr_t tap, hit, sum;
    mpfr_inits2(ORACLE_BITS, tap, hit, sum, (mpfr_ptr)NULL);
    mpfr_set_zero(hit, 1);
    mpfr_set_zero(sum, 1);
    for (int64_t k = -radius; k <= radius; k++) {
        mpfr_set_si(tap, k, MPFR_RNDN);
        bell(tap, tap, sigma);
        mpfr_add(sum, sum, tap, MPFR_RNDN);
        if (reflected(i + k, n) == n / 2)
            mpfr_add(hit, hit, tap, MPFR_RNDN);
    }
    mpfr_div(w, hit, sum, MPFR_RNDN);
    mpfr_clears(tap, hit, sum, (mpfr_ptr)NULL);
}

void oracle_density(mpfr_ptr by, double sigma)
{
    mpfr_t pi;
    mpfr_init2(pi, ORACLE_BITS);
    mpfr_const_pi(pi, MPFR_RNDN);
    mpfr_mul_ui(pi, pi, 2, MPFR_RNDN);
    mpfr_sqrt(pi, pi, MPFR_RNDN);
    mpfr_mul_d(by, pi, sigma, MPFR_RNDN);
    mpfr_clear(pi);
}
