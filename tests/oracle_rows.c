#include "oracle_rows.h"

#include "base.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void value(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b);

// exp(-u)
static void exponential(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    (void)b;
    mpfr_neg(slope, u, MPFR_RNDN);
    mpfr_exp(k, slope, MPFR_RNDN);
    mpfr_mul(slope, slope, k, MPFR_RNDN);
}

// (p0 + p1 r + p2 r^2) exp(-r), r = sqrt(u); slope = r/2 df/dr = r/2 (p1 - p0 + (2 p2 - p1) r - p2 r^2) exp(-r). All
// coefficients in thirds.
static void matern(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, long p0, long p1, long p2)
{
    mpfr_t r, e;
    mpfr_inits2(ORACLE_BITS, r, e, (mpfr_ptr)NULL);
    mpfr_sqrt(r, u, MPFR_RNDN);
    mpfr_neg(e, r, MPFR_RNDN);
    mpfr_exp(e, e, MPFR_RNDN);
    mpfr_div_ui(e, e, 3, MPFR_RNDN);

    mpfr_mul_si(k, r, p2, MPFR_RNDN);
    mpfr_add_si(k, k, p1, MPFR_RNDN);
    mpfr_mul(k, k, r, MPFR_RNDN);
    mpfr_add_si(k, k, p0, MPFR_RNDN);
    mpfr_mul(k, k, e, MPFR_RNDN);

    mpfr_mul_si(slope, r, -p2, MPFR_RNDN);
    mpfr_add_si(slope, slope, 2 * p2 - p1, MPFR_RNDN);
    mpfr_mul(slope, slope, r, MPFR_RNDN);
    mpfr_add_si(slope, slope, p1 - p0, MPFR_RNDN);
    mpfr_mul(slope, slope, e, MPFR_RNDN);
    mpfr_mul(slope, slope, r, MPFR_RNDN);
    mpfr_div_ui(slope, slope, 2, MPFR_RNDN);
    mpfr_clears(r, e, (mpfr_ptr)NULL);
}

static void matern12(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    (void)b;
    matern(k, slope, u, 3, 0, 0);
}

static void matern32(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    (void)b;
    matern(k, slope, u, 3, 3, 0);
}

static void matern52(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    (void)b;
    matern(k, slope, u, 3, 3, 1);
}

// (1 + u)^b; slope = b u/(1 + u) times it
static void power(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    mpfr_log1p(k, u, MPFR_RNDN);
    mpfr_mul(k, k, b, MPFR_RNDN);
    mpfr_exp(k, k, MPFR_RNDN);
    mpfr_add_ui(slope, u, 1, MPFR_RNDN);
    mpfr_div(slope, u, slope, MPFR_RNDN);
    mpfr_mul(slope, slope, b, MPFR_RNDN);
    mpfr_mul(slope, slope, k, MPFR_RNDN);
}

static void power_of(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, double exponent)
{
    mpfr_t b;
    mpfr_init2(b, ORACLE_BITS);
    mpfr_set_d(b, exponent, MPFR_RNDN);
    power(k, slope, u, b);
    mpfr_clear(b);
}

static void cauchy(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    (void)b;
    power_of(k, slope, u, -1);
}

static void inverse_multiquadric(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    (void)b;
    power_of(k, slope, u, -0.5);
}

static void multiquadric(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    (void)b;
    power_of(k, slope, u, 0.5);
    mpfr_neg(k, k, MPFR_RNDN);
    mpfr_neg(slope, slope, MPFR_RNDN);
}

// exp(-b sin(pi d)^2), d = sqrt(u); slope = -d/2 b pi sin(2 pi d) times it
static void periodic(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    mpfr_t turn;
    mpfr_init2(turn, ORACLE_BITS);
    mpfr_const_pi(turn, MPFR_RNDN);
    mpfr_sqrt(slope, u, MPFR_RNDN);
    mpfr_mul(turn, turn, slope, MPFR_RNDN);
    mpfr_sin(k, turn, MPFR_RNDN);
    mpfr_sqr(k, k, MPFR_RNDN);
    mpfr_mul(k, k, b, MPFR_RNDN);
    mpfr_neg(k, k, MPFR_RNDN);
    mpfr_exp(k, k, MPFR_RNDN);
    mpfr_mul_ui(slope, turn, 2, MPFR_RNDN);
    mpfr_sin(slope, slope, MPFR_RNDN);
    mpfr_mul(slope, slope, turn, MPFR_RNDN);
    mpfr_mul(slope, slope, b, MPFR_RNDN);
    mpfr_mul(slope, slope, k, MPFR_RNDN);
    mpfr_div_si(slope, slope, -2, MPFR_RNDN);
    mpfr_clear(turn);
}

// u log(u)/2; slope = u (log(u) + 1)/2
static void thin_plate(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    (void)b;
    if (mpfr_zero_p(u)) {
        mpfr_set_zero(k, 1);
        mpfr_set_zero(slope, 1);
        return;
    }
    mpfr_log(k, u, MPFR_RNDN);
    mpfr_add_ui(slope, k, 1, MPFR_RNDN);
    mpfr_mul(k, k, u, MPFR_RNDN);
    mpfr_mul(slope, slope, u, MPFR_RNDN);
    mpfr_div_ui(k, k, 2, MPFR_RNDN);
    mpfr_div_ui(slope, slope, 2, MPFR_RNDN);
}

// (1 - r)^4 (4 r + 1) for r = sqrt(u) < 1, else 0; slope = r/2 df/dr = -10 u (1 - r)^3
static void wendland(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    (void)b;
    mpfr_set_zero(k, 1);
    mpfr_set_zero(slope, 1);
    if (mpfr_cmp_ui(u, 1) >= 0)
        return;
    mpfr_t r, rest;
    mpfr_inits2(ORACLE_BITS, r, rest, (mpfr_ptr)NULL);
    mpfr_sqrt(r, u, MPFR_RNDN);
    mpfr_ui_sub(rest, 1, r, MPFR_RNDN);
    mpfr_pow_ui(slope, rest, 3, MPFR_RNDN);
    mpfr_mul(k, slope, rest, MPFR_RNDN);
    mpfr_mul_ui(r, r, 4, MPFR_RNDN);
    mpfr_add_ui(r, r, 1, MPFR_RNDN);
    mpfr_mul(k, k, r, MPFR_RNDN);
    mpfr_mul(slope, slope, u, MPFR_RNDN);
    mpfr_mul_si(slope, slope, -10, MPFR_RNDN);
    mpfr_clears(r, rest, (mpfr_ptr)NULL);
}

// u 2^b, b whole
static void plain(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    mpfr_mul_2si(k, u, mpfr_get_si(b, MPFR_RNDN), MPFR_RNDN);
    mpfr_set(slope, k, MPFR_RNDN);
}

// -u 2^b, b whole
static void negative(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    plain(k, slope, u, b);
    mpfr_neg(k, k, MPFR_RNDN);
    mpfr_neg(slope, slope, MPFR_RNDN);
}

// sqrt(u) 2^b, b whole
static void root(mpfr_ptr k, mpfr_ptr slope, mpfr_srcptr u, mpfr_srcptr b)
{
    mpfr_sqrt(k, u, MPFR_RNDN);
    mpfr_mul_2si(k, k, mpfr_get_si(b, MPFR_RNDN), MPFR_RNDN);
    mpfr_div_ui(slope, k, 2, MPFR_RNDN);
}

// What u is: s gamma, s, or s times this over the square of the lengthscale, of the period, or of the lengthscale times
// 2 alpha.
typedef enum unit { GAMMA, ONE, LENGTH, PERIOD, ALPHA } unit;

static const struct row {
    const char *name;
    value *value;
    unit unit;
    unsigned factor;
} rows[] = {
    {"rbf", exponential, GAMMA, 1},
    {"laplacian", exponential, GAMMA, 1},
    {"matern12", matern12, LENGTH, 1},
    {"matern32", matern32, LENGTH, 3},
    {"matern52", matern52, LENGTH, 5},
    {"rational_quadratic", power, ALPHA, 1},
    {"periodic", periodic, PERIOD, 1},
    {"cauchy", cauchy, LENGTH, 1},
    {"multiquadric", multiquadric, LENGTH, 1},
    {"inverse_multiquadric", inverse_multiquadric, LENGTH, 1},
    {"thin_plate", thin_plate, LENGTH, 1},
    {"wendland", wendland, LENGTH, 1},
    {"sqeuclidean", plain, ONE, 1},
    {"euclidean", root, ONE, 1},
    {"cityblock", plain, ONE, 1},
    {"chi2", exponential, GAMMA, 1},
    {"additive_chi2", negative, ONE, 1},
};

static const struct row *find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    fprintf(stderr, "tests/oracle_rows.c does not know the row %s\n", name);
    abort();
}

void oracle_row(mpfr_ptr k, mpfr_ptr slope, const char *row, mpfr_srcptr u, mpfr_srcptr b)
{
    find(row)->value(k, slope, u, b);
}

void oracle_row_numbers(mpfr_ptr u, mpfr_ptr b, const char *row, mpfr_srcptr s, double gamma, double length,
                        double param)
{
    const struct row *it = find(row);
    mpfr_set_zero(b, 1);
    if (it->unit == ALPHA)
        mpfr_set_d(b, -param, MPFR_RNDN);
    if (it->unit == PERIOD) { // 2/l^2
        mpfr_set_d(b, length, MPFR_RNDN);
        mpfr_sqr(b, b, MPFR_RNDN);
        mpfr_ui_div(b, 2, b, MPFR_RNDN);
    }
    mpfr_mul_ui(u, s, it->factor, MPFR_RNDN);
    if (it->unit == GAMMA)
        mpfr_mul_d(u, u, gamma, MPFR_RNDN);
    double by = it->unit == PERIOD ? param : length;
    if (it->unit == LENGTH || it->unit == PERIOD || it->unit == ALPHA) {
        mpfr_div_d(u, u, by, MPFR_RNDN);
        mpfr_div_d(u, u, by, MPFR_RNDN);
    }
    if (it->unit == ALPHA) {
        mpfr_div_d(u, u, param, MPFR_RNDN);
        mpfr_div_ui(u, u, 2, MPFR_RNDN);
    }
}

void oracle_dot_row(mpfr_ptr k, mpfr_ptr slope, const char *row, mpfr_srcptr u, double coef0, unsigned degree)
{
    if (strcmp(row, "linear") == 0 || strcmp(row, "cosine") == 0) {
        mpfr_set(k, u, MPFR_RNDN);
        mpfr_set_ui(slope, 1, MPFR_RNDN);
        return;
    }
    mpfr_t t;
    mpfr_init2(t, 2 * ORACLE_BITS); // nothing is lost where u and coef0 cancel
    mpfr_add_d(t, u, coef0, MPFR_RNDN);
    if (strcmp(row, "polynomial") == 0) {
        mpfr_pow_ui(slope, t, degree - 1, MPFR_RNDN);
        mpfr_mul(k, slope, t, MPFR_RNDN);
        mpfr_mul_ui(slope, slope, degree, MPFR_RNDN);
    } else if (strcmp(row, "sigmoid") == 0) {
        mpfr_tanh(k, t, MPFR_RNDN);
        mpfr_sech(slope, t, MPFR_RNDN);
        mpfr_sqr(slope, slope, MPFR_RNDN);
    } else {
        fprintf(stderr, "tests/oracle_rows.c does not know the row %s\n", row);
        abort();
    }
    mpfr_clear(t);
}

double oracle_row_error(double result, mpfr_srcptr exact, isg_dtype dtype, double allowed)
{
    double least = oracle_smallest_normal(dtype), most = dtype == ISG_F64 ? DBL_MAX : (double)FLT_MAX;
    if (isinf(result))
        return mpfr_cmp_d(exact, copysign(most, result)) * (result > 0 ? 1 : -1) > 0 ? 0 : INFINITY;
    if (result != 0)
        return fabs(result) < least ? INFINITY : oracle_error(result, exact, dtype);
    if (signbit(result))
        return INFINITY;
    mpfr_t near;
    mpfr_init2(near, ORACLE_BITS);
    mpfr_set_d(near, -allowed, MPFR_RNDN);
    mpfr_mul_2si(near, near, oracle_ulp(exact, dtype), MPFR_RNDN);
    if (mpfr_sgn(exact) < 0)
        mpfr_sub(near, near, exact, MPFR_RNDN);
    else
        mpfr_add(near, near, exact, MPFR_RNDN);
    bool right = mpfr_cmp_d(near, least) < 0;
    mpfr_clear(near);
    return right ? 0 : INFINITY;
}

void oracle_dot(mpfr_ptr s, mpfr_ptr size, const void *x, const void *y, int64_t dims, isg_dtype dtype)
{
    mpfr_t t;
    mpfr_init2(t, ORACLE_BITS);
    mpfr_set_zero(s, 1);
    mpfr_set_zero(size, 1);
    for (int64_t k = 0; k < dims; k++) {
        mpfr_set_d(t, isg_load_double(dtype, x, k), MPFR_RNDN);
        mpfr_mul_d(t, t, isg_load_double(dtype, y, k), MPFR_RNDN);
        mpfr_add(s, s, t, MPFR_RNDN);
        mpfr_abs(t, t, MPFR_RNDN);
        mpfr_add(size, size, t, MPFR_RNDN);
    }
    mpfr_clear(t);
}

void oracle_chi2(mpfr_ptr s, const void *x, const void *y, int64_t dims, isg_dtype dtype)
{
    mpfr_t t, w;
    mpfr_inits2(ORACLE_BITS, t, w, (mpfr_ptr)NULL);
    mpfr_set_zero(s, 1);
    for (int64_t k = 0; k < dims; k++) {
        double p = isg_load_double(dtype, x, k), q = isg_load_double(dtype, y, k);
        if (p == 0 && q == 0)
            continue;
        mpfr_set_d(t, p, MPFR_RNDN);
        mpfr_add_d(w, t, q, MPFR_RNDN);
        mpfr_sub_d(t, t, q, MPFR_RNDN);
        mpfr_sqr(t, t, MPFR_RNDN);
        mpfr_div(t, t, w, MPFR_RNDN);
        mpfr_add(s, s, t, MPFR_RNDN);
    }
    mpfr_clears(t, w, (mpfr_ptr)NULL);
}

void oracle_l1(mpfr_ptr s, const void *x, const void *y, int64_t dims, isg_dtype dtype)
{
    mpfr_t t;
    mpfr_init2(t, ORACLE_BITS);
    mpfr_set_zero(s, 1);
    for (int64_t k = 0; k < dims; k++) {
        mpfr_set_d(t, isg_load_double(dtype, x, k), MPFR_RNDN);
        mpfr_sub_d(t, t, isg_load_double(dtype, y, k), MPFR_RNDN);
        mpfr_abs(t, t, MPFR_RNDN);
        mpfr_add(s, s, t, MPFR_RNDN);
    }
    mpfr_clear(t);
}
