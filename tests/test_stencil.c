// The promises of grids that are no products of profiles, against their definitions in MPFR:
//   |w - exact| <= 4 ulp + 2^-90 of the largest weight (near the zeros of a polynomial or a wave), where w is the
//   Gaussian of any covariance or angle, its derivative along the axes or the angle, or a Gabor function;
//   what is asked for wrongly is refused by the name of what is wrong.
// The oracle differentiates by differences: with 2048 bits and steps of 2^-100 nothing is lost.
#include "device.h"
#include "oracle.h"
#include "stencil.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 2048, STEP = -100, NDIM = ISG_GRID_MAX_NDIM };

static double worst;

// The definition: a place x, seen along F, and the inverse of the covariance there.
typedef struct definition {
    const isg_grid_params *p;
    int32_t ndim;
    int64_t size[NDIM];
    double from[NDIM], to[NDIM];
    mpfr_t inverse[3][3], frame[2][2], determinant; // of the covariance
} definition;

static void degrees(mpfr_ptr radians, double angle)
{
    mpfr_const_pi(radians, MPFR_RNDN);
    mpfr_mul_d(radians, radians, angle, MPFR_RNDN);
    mpfr_div_ui(radians, radians, 180, MPFR_RNDN);
}

// a d - b c of elements of the covariance, rows r and s, columns c and d, by Cramer.
static void minor_of(mpfr_ptr to, const double *c, int32_t n, int r, int s, int k, int l)
{
    mpfr_t t;
    mpfr_init2(t, BITS);
    mpfr_set_d(to, c[r * n + k], MPFR_RNDN);
    mpfr_mul_d(to, to, c[s * n + l], MPFR_RNDN);
    mpfr_set_d(t, c[r * n + l], MPFR_RNDN);
    mpfr_mul_d(t, t, c[s * n + k], MPFR_RNDN);
    mpfr_sub(to, to, t, MPFR_RNDN);
    mpfr_clear(t);
}

static void define(definition *d, const isg_grid_params *p)
{
    isg_stencil s;
    isg_error error = {ISG_OK, ""};
    double c[9];
    ck_assert_msg(isg_stencil_resolve(&s, p, &error) == ISG_OK, "%s", error.message);
    *d = (definition){.p = p, .ndim = s.plan.ndim};
    for (int32_t a = 0; a < d->ndim; a++) {
        d->size[a] = s.plan.axis[a].size;
        d->from[a] = s.plan.axis[a].from;
        d->to[a] = s.plan.axis[a].to;
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            mpfr_init2(d->inverse[i][j], BITS);
    mpfr_init2(d->determinant, BITS);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            mpfr_init2(d->frame[i][j], BITS);
    mpfr_t t;
    mpfr_init2(t, BITS);
    degrees(t, p->angle);
    mpfr_cos(d->frame[0][0], t, MPFR_RNDN);
    mpfr_set(d->frame[1][1], d->frame[0][0], MPFR_RNDN);
    mpfr_sin(d->frame[1][0], t, MPFR_RNDN);
    mpfr_neg(d->frame[0][1], d->frame[1][0], MPFR_RNDN);
    mpfr_set_ui(d->determinant, 1, MPFR_RNDN);
    memcpy(c, p->covariance, sizeof c);
    if (c[0] == 0) {
        for (int32_t a = 0; a < d->ndim; a++) {
            mpfr_set_d(t, s.plan.axis[a].sigma, MPFR_RNDN);
            mpfr_sqr(t, t, MPFR_RNDN);
            mpfr_mul(d->determinant, d->determinant, t, MPFR_RNDN);
            mpfr_ui_div(d->inverse[a][a], 1, t, MPFR_RNDN);
            for (int32_t b = 0; b < 3; b++)
                if (b != a)
                    mpfr_set_ui(d->inverse[a][b], 0, MPFR_RNDN);
        }
    } else if (d->ndim == 1) {
        mpfr_set_d(d->determinant, c[0], MPFR_RNDN);
        mpfr_ui_div(d->inverse[0][0], 1, d->determinant, MPFR_RNDN);
    } else if (d->ndim == 2) {
        minor_of(d->determinant, c, 2, 0, 1, 0, 1);
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++) {
                mpfr_set_d(t, (i + j) % 2 ? -c[i * 2 + j] : c[(1 - i) * 2 + 1 - j], MPFR_RNDN);
                mpfr_div(d->inverse[i][j], t, d->determinant, MPFR_RNDN);
            }
    } else {
        mpfr_set_ui(d->determinant, 0, MPFR_RNDN);
        for (int j = 0; j < 3; j++) {
            minor_of(t, c, 3, 1, 2, (j + 1) % 3, (j + 2) % 3);
            mpfr_mul_d(t, t, c[j], MPFR_RNDN);
            mpfr_add(d->determinant, d->determinant, t, MPFR_RNDN);
        }
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                minor_of(t, c, 3, (j + 1) % 3, (j + 2) % 3, (i + 1) % 3, (i + 2) % 3);
                mpfr_div(d->inverse[i][j], t, d->determinant, MPFR_RNDN);
            }
    }
    mpfr_clear(t);
}

static void undefine(definition *d)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            mpfr_clear(d->inverse[i][j]);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            mpfr_clear(d->frame[i][j]);
    mpfr_clear(d->determinant);
}

// The Gaussian at u.
static void gaussian_at(mpfr_ptr y, const definition *d, mpfr_t *u)
{
    mpfr_t t;
    mpfr_init2(t, BITS);
    mpfr_set_ui(y, 0, MPFR_RNDN);
    for (int32_t i = 0; i < d->ndim; i++)
        for (int32_t j = 0; j < d->ndim; j++) {
            mpfr_mul(t, u[i], u[j], MPFR_RNDN);
            mpfr_mul(t, t, d->inverse[i][j], MPFR_RNDN);
            mpfr_add(y, y, t, MPFR_RNDN);
        }
    mpfr_div_si(y, y, -2, MPFR_RNDN);
    mpfr_exp(y, y, MPFR_RNDN);
    mpfr_clear(t);
}

// Its derivative of the definition's order along axes from `axis` on: central differences over half steps.
static void derivative(mpfr_ptr y, const definition *d, mpfr_t *u, int32_t axis)
{
    while (axis < d->ndim && d->p->order[axis] == 0)
        axis++;
    if (axis == d->ndim) {
        gaussian_at(y, d, u);
        return;
    }
    int32_t n = d->p->order[axis], binomial = 1;
    mpfr_t t, middle;
    mpfr_inits2(BITS, t, middle, (mpfr_ptr)0);
    mpfr_set(middle, u[axis], MPFR_RNDN);
    mpfr_set_ui(y, 0, MPFR_RNDN);
    for (int32_t k = 0; k <= n; k++) {
        mpfr_set_d(t, ldexp(n - 2 * k, STEP - 1), MPFR_RNDN);
        mpfr_add(u[axis], middle, t, MPFR_RNDN);
        derivative(t, d, u, axis + 1);
        mpfr_mul_si(t, t, k % 2 ? -binomial : binomial, MPFR_RNDN);
        mpfr_add(y, y, t, MPFR_RNDN);
        binomial = binomial * (n - k) / (k + 1);
    }
    mpfr_mul_2si(y, y, -STEP * n, MPFR_RNDN);
    mpfr_set(u[axis], middle, MPFR_RNDN);
    mpfr_clears(t, middle, (mpfr_ptr)0);
}

// cos or sin of the wave at x and u.
static void wave_at(mpfr_ptr y, const definition *d, mpfr_t *x, mpfr_t *u)
{
    const isg_grid_params *p = d->p;
    mpfr_t t;
    mpfr_init2(t, BITS);
    if (p->wave[0] != 0 || p->wave[1] != 0 || p->wave[2] != 0) {
        mpfr_set_ui(y, 0, MPFR_RNDN);
        for (int32_t a = 0; a < d->ndim; a++) {
            mpfr_mul_d(t, x[a], p->wave[a], MPFR_RNDN);
            mpfr_add(y, y, t, MPFR_RNDN);
        }
    } else if (p->wavelength != 0) {
        mpfr_div_d(y, u[d->ndim - 1], p->wavelength, MPFR_RNDN);
    } else {
        mpfr_mul_d(y, u[d->ndim - 1], p->frequency, MPFR_RNDN);
    }
    mpfr_const_pi(t, MPFR_RNDN);
    mpfr_mul_ui(t, t, 2, MPFR_RNDN);
    mpfr_mul(y, y, t, MPFR_RNDN);
    degrees(t, p->phase);
    mpfr_add(y, y, t, MPFR_RNDN);
    if (p->quadrature)
        mpfr_sin(y, y, MPFR_RNDN);
    else
        mpfr_cos(y, y, MPFR_RNDN);
    mpfr_clear(t);
}

// Row-major element `at`; gaussian: of the Gaussian alone.
static void exact_weight(mpfr_ptr y, const definition *d, int64_t at, bool gaussian)
{
    mpfr_t x[3], u[3], t;
    mpfr_init2(t, BITS);
    for (int32_t a = d->ndim - 1; a >= 0; a--) {
        mpfr_inits2(BITS, x[a], u[a], (mpfr_ptr)0);
        oracle_place(x[a], at % d->size[a], d->size[a], d->from[a], d->to[a]);
        mpfr_set(u[a], x[a], MPFR_RNDN);
        at /= d->size[a];
    }
    for (int32_t i = 0; i < 2 && d->p->angle != 0; i++) {
        mpfr_mul(u[i], d->frame[i][0], x[0], MPFR_RNDN);
        mpfr_mul(t, d->frame[i][1], x[1], MPFR_RNDN);
        mpfr_add(u[i], u[i], t, MPFR_RNDN);
    }
    if (gaussian)
        gaussian_at(y, d, u);
    else
        derivative(y, d, u, 0);
    if (!gaussian && (d->p->wavelength != 0 || d->p->frequency != 0 || d->p->wave[0] != 0 || d->p->wave[1] != 0)) {
        wave_at(t, d, x, u);
        mpfr_mul(y, y, t, MPFR_RNDN);
    }
    for (int32_t a = 0; a < d->ndim; a++)
        mpfr_clears(x[a], u[a], (mpfr_ptr)0);
    mpfr_clear(t);
}

// What the Gaussian is divided by.
static void exact_divisor(mpfr_ptr by, const definition *d, int64_t count)
{
    mpfr_t t;
    mpfr_init2(t, BITS);
    mpfr_set_ui(by, d->p->normalize == ISG_NORMALIZE_NONE, MPFR_RNDN);
    for (int64_t i = 0; i < count; i++) {
        exact_weight(t, d, i, true);
        if (d->p->normalize == ISG_NORMALIZE_DEFAULT || d->p->normalize == ISG_NORMALIZE_SUM)
            mpfr_add(by, by, t, MPFR_RNDN);
        else if (d->p->normalize == ISG_NORMALIZE_MAX)
            mpfr_max(by, by, t, MPFR_RNDN);
    }
    if (d->p->normalize == ISG_NORMALIZE_DENSITY) {
        mpfr_const_pi(by, MPFR_RNDN);
        mpfr_mul_ui(by, by, 2, MPFR_RNDN);
        mpfr_pow_ui(by, by, (unsigned)d->ndim, MPFR_RNDN);
        mpfr_mul(by, by, d->determinant, MPFR_RNDN);
        mpfr_sqrt(by, by, MPFR_RNDN);
    }
    mpfr_clear(t);
}

static double *weights_of(const isg_grid_params *p, int64_t *count)
{
    isg_stencil s;
    isg_error error = {ISG_OK, ""};
    ck_assert_msg(isg_stencil_wanted(p) && isg_stencil_resolve(&s, p, &error) == ISG_OK, "%s", error.message);
    *count = 1;
    for (int32_t a = 0; a < s.plan.ndim; a++)
        *count *= s.plan.axis[a].size;
    double *weights = oracle_array(ISG_F64, *count);
    ck_assert_msg(isg_stencil_weights(&s, weights, &error) == ISG_OK, "%s", error.message);
    return weights;
}

static void check_exact(const isg_grid_params *p, const char *what)
{
    definition d;
    int64_t count;
    double *weights = weights_of(p, &count), largest = 0;
    mpfr_t by, exact, rest;
    mpfr_inits2(BITS, by, exact, rest, (mpfr_ptr)0);
    define(&d, p);
    exact_divisor(by, &d, count);
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(weights[i]));
    ck_assert(largest > 0);
    for (int64_t i = 0; i < count; i++) {
        exact_weight(exact, &d, i, false);
        mpfr_div(exact, exact, by, MPFR_RNDN);
        mpfr_sub_d(rest, exact, weights[i], MPFR_RNDN);
        double error = oracle_error(weights[i], exact, ISG_F64), off = fabs(mpfr_get_d(rest, MPFR_RNDN));
        if (off <= ldexp(largest, -90) || (weights[i] == 0 && !oracle_is_normal(exact, ISG_F64)))
            error = 0;
        ck_assert_msg(error <= 4, "%s, weight %d: %a is %g ulp from %.17g", what, (int)i, weights[i], error,
                      mpfr_get_d(exact, MPFR_RNDN));
        worst = fmax(worst, error);
    }
    undefine(&d);
    mpfr_clears(by, exact, rest, (mpfr_ptr)0);
    free(weights);
}

// Narrow ones, of a ratio of 1000, too; tails beyond double's range; every normalisation; axes that are not centred.
START_TEST(covariances)
{
    check_exact(isg_grid_params(.size = {9, 12}, .covariance = {4, 1.5, 1.5, 2}), "2-d");
    check_exact(isg_grid_params(.size = {9}, .covariance = {0.3, -0.1, -0.1, 0.2}, .normalize = ISG_NORMALIZE_MAX,
                                .from = {-3.25, 2.5}, .to = {9, 7.75}),
                "away from the middle");
    check_exact(isg_grid_params(.size = {11}, .covariance = {100.0001, 99.9999, 99.9999, 100.0001},
                                .normalize = ISG_NORMALIZE_NONE),
                "narrow");
    check_exact(
        isg_grid_params(.size = {11}, .covariance = {0.01, 0.005, 0.005, 0.01}, .normalize = ISG_NORMALIZE_NONE),
        "tails");
    check_exact(isg_grid_params(.ndim = 3, .size = {5, 6, 7}, .normalize = ISG_NORMALIZE_DENSITY,
                                .covariance = {4, 1, -0.5, 1, 3, 0.7, -0.5, 0.7, 2}),
                "3-d");
    check_exact(isg_grid_params(.ndim = 1, .size = {9}, .covariance = {2}), "1-d");
}
END_TEST

START_TEST(angles)
{
    static const double angle[] = {30, 45, 90, -123.456, 1e-3, 7200.5};
    for (size_t i = 0; i < COUNT(angle); i++)
        check_exact(isg_grid_params(.size = {9, 8}, .sigma = {1, 3}, .angle = angle[i],
                                    .normalize = (isg_normalize)(i % ISG_NORMALIZE_COUNT)),
                    "angle");
}
END_TEST

START_TEST(derivatives)
{
    for (int32_t order = 1; order <= 4; order++) {
        check_exact(isg_grid_params(.ndim = 1, .size = {13}, .sigma = {1.7}, .order = {order}), "1-d");
        check_exact(isg_grid_params(.size = {7, 6}, .sigma = {1.5, 2}, .order = {order, 4 - order}), "2-d");
        check_exact(isg_grid_params(.size = {7, 6}, .sigma = {1.5, 2}, .order = {4 - order, order}, .angle = 33,
                                    .normalize = ISG_NORMALIZE_DENSITY),
                    "along an angle");
        check_exact(isg_grid_params(.size = {6, 7}, .covariance = {4, 1.5, 1.5, 2}, .order = {order, 1},
                                    .normalize = ISG_NORMALIZE_MAX),
                    "of a covariance");
    }
    check_exact(isg_grid_params(.ndim = 3, .size = {4, 5, 3}, .covariance = {4, 1, -0.5, 1, 3, 0.7, -0.5, 0.7, 2},
                                .order = {1, 2, 1}),
                "3-d");
}
END_TEST

START_TEST(waves)
{
    for (int32_t quadrature = 0; quadrature < 2; quadrature++) {
        check_exact(isg_grid_params(.size = {9, 12}, .sigma = {3}, .gamma = 0.5, .wavelength = 5, .angle = 30,
                                    .phase = 20, .quadrature = quadrature),
                    "wavelength");
        check_exact(isg_grid_params(.size = {9, 12}, .sigma = {2, 3}, .frequency = 0.25, .quadrature = quadrature,
                                    .normalize = ISG_NORMALIZE_DENSITY),
                    "frequency"); // zeros of cos
        check_exact(isg_grid_params(.ndim = 1, .size = {15}, .sigma = {3}, .wavelength = 4.5, .phase = 1e6,
                                    .quadrature = quadrature),
                    "1-d");
        check_exact(isg_grid_params(.ndim = 3, .size = {5, 4, 6}, .wave = {0.1, -0.2, 0.05}, .phase = 45,
                                    .covariance = {4, 1, -0.5, 1, 3, 0.7, -0.5, 0.7, 2}, .quadrature = quadrature),
                    "3-d");
    }
}
END_TEST

// sigma = wavelength sqrt(ln 2 / 2)/pi (2^b + 1)/(2^b - 1), to some roundings; both recipes' sizes and conventions.
START_TEST(recipes)
{
    isg_stencil s, turned;
    isg_error error = {ISG_OK, ""};
    for (double b = 0.25; b < 5; b += 0.375) {
        mpfr_t t, u;
        mpfr_inits2(ORACLE_BITS, t, u, (mpfr_ptr)0);
        mpfr_set_d(t, b, MPFR_RNDN);
        mpfr_exp2(t, t, MPFR_RNDN);
        mpfr_sub_ui(u, t, 1, MPFR_RNDN);
        mpfr_add_ui(t, t, 1, MPFR_RNDN);
        mpfr_div(t, t, u, MPFR_RNDN);
        mpfr_const_log2(u, MPFR_RNDN);
        mpfr_div_ui(u, u, 2, MPFR_RNDN);
        mpfr_sqrt(u, u, MPFR_RNDN);
        mpfr_mul(t, t, u, MPFR_RNDN);
        mpfr_const_pi(u, MPFR_RNDN);
        mpfr_div(t, t, u, MPFR_RNDN);
        mpfr_mul_d(t, t, 7, MPFR_RNDN);
        ck_assert(isg_stencil_resolve(&s, isg_grid_params(.size = {5}, .wavelength = 7, .bandwidth = b), &error) ==
                  ISG_OK);
        // 2^b - 1 magnifies the power's ulp.
        ck_assert(fabs(s.plan.axis[0].sigma / mpfr_get_d(t, MPFR_RNDN) - 1) <=
                  4 * DBL_EPSILON * exp2(b) / (exp2(b) - 1));
        ck_assert(s.plan.axis[1].sigma == s.plan.axis[0].sigma);
        mpfr_clears(t, u, (mpfr_ptr)0);
    }
    ck_assert(isg_stencil_resolve(&s, isg_grid_params(.like = "gabor-skimage", .frequency = 0.1), &error) == ISG_OK);
    ck_assert_int_eq(s.plan.axis[0].size, 2 * 17 + 1); // sigma 5.62
    ck_assert(s.plan.axis[0].normalize == ISG_NORMALIZE_DENSITY);
    ck_assert(isg_stencil_resolve(&s, isg_grid_params(.like = "gabor-opencv", .sigma = {2, 4}, .wavelength = 5),
                                  &error) == ISG_OK);
    ck_assert_int_eq(s.plan.axis[0].size, 13);
    ck_assert_int_eq(s.plan.axis[1].size, 25);
    ck_assert(isg_stencil_resolve(
                  &turned, isg_grid_params(.like = "gabor-opencv", .sigma = {2}, .wavelength = 5, .size = {4, 5}),
                  &error) == ISG_OK);
    ck_assert(turned.plan.axis[0].size == 5 && turned.plan.axis[1].size == 5);
    ck_assert(turned.wave[1].hi == -s.wave[1].hi || turned.wave[1].hi == s.wave[1].hi);
    // What is given stays: how far to see, a size (OpenCV's is odd, and one is for both axes), a sigma, a bandwidth.
    static const struct {
        isg_grid_params params;
        int64_t size[2];
        double sigma; // 0: that of the bandwidth of 2 octaves without a recipe
    } given[] = {{{.like = "gabor-opencv", .sigma = {2, 4}, .wavelength = 5, .nsig = 2}, {9, 17}, 2},
                 {{.like = "gabor-opencv", .sigma = {2}, .wavelength = 5, .size = {4}}, {5, 5}, 2},
                 {{.like = "gabor-skimage", .sigma = {2}, .wavelength = 5, .size = {6, 7}}, {6, 7}, 2},
                 {{.like = "gabor-skimage", .sigma = {2}, .wave = {0.1, 0.2}}, {13, 13}, 2},
                 {{.like = "gabor-skimage", .frequency = 0.2, .bandwidth = 2, .size = {5}}, {5, 5}, 0}};
    ck_assert(isg_stencil_resolve(&s, isg_grid_params(.frequency = 0.2, .bandwidth = 2, .size = {5}), &error) ==
              ISG_OK);
    const double of_bandwidth = s.plan.axis[0].sigma;
    for (size_t i = 0; i < COUNT(given); i++) {
        ck_assert_msg(isg_stencil_resolve(&s, &given[i].params, &error) == ISG_OK, "%s", error.message);
        for (int a = 0; a < 2; a++)
            ck_assert_msg(s.plan.axis[a].size == given[i].size[a], "recipe %d: size %d", (int)i,
                          (int)s.plan.axis[a].size);
        ck_assert(s.plan.axis[0].sigma == (given[i].sigma > 0 ? given[i].sigma : of_bandwidth));
    }
    // The bandwidth of 1 is for waves whose length along the angle is known.
    ck_assert_int_eq(isg_stencil_resolve(&s, isg_grid_params(.like = "gabor-skimage", .wave = {0.1, 0.2}), &error),
                     ISG_ERR_ARGUMENT);
}
END_TEST

// Mirror images: even and odd functions are that, bit for bit. Weights of a filter are the same but for the last bits,
// and the other way round.
START_TEST(symmetries)
{
    int64_t count, taps;
    double *w = weights_of(isg_grid_params(.size = {9, 11}, .covariance = {4, 1.5, 1.5, 2}, .order = {1, 2}), &count);
    for (int64_t i = 0; i < count; i++)
        ck_assert(w[i] == -w[count - 1 - i]);
    free(w);
    w = weights_of(isg_grid_params(.size = {9, 11}, .sigma = {2}, .angle = 20, .wavelength = 5), &count);
    for (int64_t i = 0; i < count; i++)
        ck_assert(w[i] == w[count - 1 - i]);
    free(w);
    for (int32_t order = 1; order <= 4; order++) {
        double filter[41];
        ck_assert(isg_filter_weights(isg_filter_params(.sigma = {2.5}, .order = {order}, .radius = {20}), 1, 0, filter,
                                     41, &taps, NULL) == ISG_OK);
        w = weights_of(isg_grid_params(.ndim = 1, .size = {41}, .sigma = {2.5}, .order = {order}), &count);
        for (int64_t i = 0; i < 41; i++)
            ck_assert(fabs(w[i] - filter[40 - i]) <= 4 * DBL_EPSILON * fabs(w[i]));
        free(w);
    }
}
END_TEST

// Through the public call, in both precisions: the doubles rounded once, +0 below the normal numbers; and the profile
// of an axis is none.
START_TEST(filled)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    int64_t count;
    for (int wide = 0; wide < (isg_context_device(context)->lanes_f64 ? 2 : 1); wide++) {
        isg_dtype dtype = wide ? ISG_F64 : ISG_F32;
        isg_grid_params p = {.size = {41},
                             .sigma = {1, 1.5},
                             .angle = 30,
                             .order = {1, 0},
                             .precision = wide ? ISG_PRECISION_F64 : ISG_PRECISION_F32};
        double *w = weights_of(&p, &count);
        void *got = device_guard(dtype, count);
        isg_grid *grid;
        int zeros = 0;
        device_ok(context, isg_grid_create(context, &grid, &p));
        ck_assert(isg_grid_dtype(grid) == dtype && !isg_grid_profile(grid, 0));
        device_ok(context, isg_grid_fill(grid, isg_matrix(dtype, got, 41, 41)));
        for (int64_t i = 0; i < count; i++) {
            double want = wide                   ? w[i]
                          : fabs(w[i]) < FLT_MIN ? 0
                                                 : (double)(float)w[i],
                   value = isg_load_double(dtype, got, i);
            ck_assert(value == want && signbit(value) == signbit(want));
            zeros += value == 0;
        }
        ck_assert(wide || zeros > 41); // tails, not only the line where the derivative is 0
        isg_grid_destroy(&grid);
        device_guard_free(got, dtype, count);
        free(w);
    }
    isg_context_destroy(&context);
}
END_TEST

static void refused(isg_status status, const char *words, const isg_grid_params *p)
{
    isg_stencil s;
    isg_error error = {ISG_OK, ""};
    ck_assert_msg(isg_stencil_wanted(p), "%s", words);
    isg_status st = isg_stencil_resolve(&s, p, &error);
    if (!st) {
        double weights[25];
        st = isg_stencil_weights(&s, weights, &error);
    }
    ck_assert_msg(st == status && strstr(error.message, words), "%s: '%s', not '%s'", isg_status_name(st),
                  error.message, words);
}

START_TEST(bad_calls)
{
    const isg_status a = ISG_ERR_ARGUMENT, r = ISG_ERR_RANGE;
    refused(a, "not symmetric: elements (0, 1)", isg_grid_params(.size = {5}, .covariance = {4, 1, 1.0000001, 4}));
    refused(a, "not positive definite: its element (1, 1)", isg_grid_params(.size = {5}, .covariance = {4, 1, 1, 0}));
    refused(a, "not positive definite: given", isg_grid_params(.size = {5}, .covariance = {4, 5, 5, 4}));
    refused(a, "singular", isg_grid_params(.size = {5}, .covariance = {4, 4, 4, 4}));
    refused(a, "singular", isg_grid_params(.size = {5}, .covariance = {1, 1, 1, 1 + 1e-13}));
    refused(a, "not finite", isg_grid_params(.size = {5}, .covariance = {1, 0, 0, INFINITY}));
    refused(a, "more than the 4", isg_grid_params(.size = {5}, .covariance = {1, 0, 0, 1, 3}));
    refused(a, "1 to 3 axes", isg_grid_params(.ndim = 4, .size = {5}, .covariance = {1}));
    refused(a, "place of sigma", isg_grid_params(.size = {5}, .sigma = {1}, .covariance = {1, 0, 0, 1}));
    refused(a, "angle, bandwidth and gamma", isg_grid_params(.size = {5}, .angle = 5, .covariance = {1, 0, 0, 1}));
    refused(a, "sampled at points",
            isg_grid_params(.size = {5}, .sigma = {1}, .angle = 5, .sampling = ISG_SAMPLING_INTEGRATED));
    refused(a, "sampled at points", isg_grid_params(.angle = 5, .like = "gkern"));
    refused(a, "grids of 2 axes", isg_grid_params(.ndim = 3, .size = {5}, .sigma = {1}, .angle = 5));
    refused(a, "give one of them", isg_grid_params(.size = {5}, .sigma = {1}, .wavelength = 5, .frequency = 1));
    refused(a, "needs a wavelength", isg_grid_params(.size = {5}, .sigma = {1}, .phase = 5));
    refused(a, "given as a vector", isg_grid_params(.ndim = 3, .size = {5}, .sigma = {1}, .wavelength = 5));
    refused(a, "more numbers", isg_grid_params(.size = {5}, .sigma = {1}, .wave = {1, 1, 1}));
    refused(a, "must be positive", isg_grid_params(.size = {5}, .sigma = {1}, .wavelength = -5));
    refused(a, "place of sigma", isg_grid_params(.size = {5}, .sigma = {1}, .wavelength = 5, .bandwidth = 1));
    refused(a, "octaves", isg_grid_params(.size = {5}, .wavelength = 5, .bandwidth = -1));
    refused(a, "gamma is positive", isg_grid_params(.size = {5}, .sigma = {1, 2}, .wavelength = 5, .gamma = 1));
    refused(a, "order 5 on axis 0", isg_grid_params(.size = {5}, .sigma = {1}, .order = {5}));
    refused(a, "order 1 on axis 2", isg_grid_params(.size = {5}, .sigma = {1}, .order = {0, 0, 1}));
    refused(a, "not both", isg_grid_params(.size = {5}, .sigma = {1}, .order = {1}, .wavelength = 3));
    refused(a, "must be finite", isg_grid_params(.size = {5}, .sigma = {1}, .angle = NAN));
    refused(a, "a size and a sigma", isg_grid_params(.covariance = {1, 0, 0, 1}));
    refused(a, "5 axes", isg_grid_params(.ndim = 5, .size = {5}, .covariance = {1, 0, 0, 1}));
    refused(r, "is out of range", isg_grid_params(.size = {5}, .sigma = {1e-200}, .angle = 5));
    refused(r, "cycles", isg_grid_params(.size = {5}, .sigma = {1}, .frequency = 1e15));
    refused(r, "out of range", isg_grid_params(.size = {5}, .sigma = {1e-9}, .order = {4}, .from = {-1}, .to = {1}));
    refused(r, "nothing to normalise",
            isg_grid_params(.size = {5}, .covariance = {1, 0, 0, 1}, .from = {90, 90}, .to = {99, 99}));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {covariances, angles, derivatives, waves, recipes, symmetries, filled, bad_calls};
    int code = suite_run(suite_of("stencil", tests, COUNT(tests)));
    printf("worst: %.3g ulp\n", worst);
    return code;
}
