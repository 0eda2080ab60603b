#include "stencil.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { NDIM = ISG_GRID_MAX_NDIM, MOST_ORDER = 4, TERMS = (MOST_ORDER + 1) * (MOST_ORDER + 1) * (MOST_ORDER + 1) * 5 };

static const double near_singular = 0x1p-40; // 1 - R^2, of a coordinate that others nearly determine
static const double most_cycles = 0x1p40;    // of a wave across a grid

static const pair two_pi = {0x1.921fb54442d18p+2, 0x1.1a62633145c07p-52};

// The sine and cosine of t turns, |t| < 2^50: an eighth of a turn at most is left, and Taylor's series, by Horner from
// term 2 k on, leaves 2^-103 of it. Whole quarters of a turn are exact.
static void sine_and_cosine(pair t, pair *sine, pair *cosine)
{
    t = add(t, exactly(-rint(t.hi)));
    double quarters = rint(4 * t.hi);
    pair x = multiply(add(t, exactly(-quarters / 4)), two_pi), square = multiply(x, x);
    pair s = exactly(1), c = exactly(1);
    for (int k = 14; k >= 1; k--) {
        s = add(exactly(1), minus(divide(multiply(square, s), exactly(2.0 * k * (2 * k + 1)))));
        c = add(exactly(1), minus(divide(multiply(square, c), exactly(2.0 * k * (2 * k - 1)))));
    }
    s = multiply(s, x);
    switch ((int)quarters & 3) {
    case 0: *sine = s, *cosine = c; break;
    case 1: *sine = c, *cosine = minus(s); break;
    case 2: *sine = minus(s), *cosine = minus(c); break;
    default: *sine = minus(c), *cosine = s;
    }
}

// --- what is asked for

static bool any(const double *values, int count)
{
    for (int i = 0; i < count; i++)
        if (values[i] != 0)
            return true;
    return false;
}

// The conventions of others that are no recipes for one axis.
typedef struct convention {
    const char *name;
    bool turned_around;             // OpenCV writes its kernel from the last element to the first
    double (*reach)(double sigmas); // of the default size
} convention;

static double reach_opencv(double sigmas)
{
    return rint(sigmas); // cvRound: halves to even
}

static double reach_skimage(double sigmas)
{
    return ceil(fmax(sigmas, 1));
}

static const convention conventions[] = {{"gabor-opencv", true, reach_opencv}, {"gabor-skimage", false, reach_skimage}};

static const convention *convention_of(const isg_grid_params *params)
{
    for (size_t i = 0; i < sizeof conventions / sizeof *conventions; i++)
        if (params->like && strcmp(params->like, conventions[i].name) == 0)
            return &conventions[i];
    return NULL;
}

static bool has_wave(const isg_grid_params *p)
{
    return p->wavelength != 0 || p->frequency != 0 || any(p->wave, 3);
}

bool isg_stencil_wanted(const isg_grid_params *p)
{
    bool orders = false;
    for (int a = 0; a < NDIM; a++)
        orders = orders || p->order[a] != 0;
    return orders || any(p->covariance, 9) || p->angle != 0 || has_wave(p) || p->phase != 0 || p->quadrature != 0 ||
           p->bandwidth != 0 || p->gamma != 0 || convention_of(p);
}

static isg_status refuse(isg_error *error, const char *message)
{
    return isg_fail(error, ISG_ERR_ARGUMENT, "%s", message);
}

// What goes together, before anything is computed.
static isg_status check(const isg_grid_params *p, int32_t ndim, isg_error *error)
{
    bool covariance = any(p->covariance, 9);
    int waves = (p->wavelength != 0) + (p->frequency != 0) + any(p->wave, 3);
    const double finite[] = {p->angle, p->wavelength, p->frequency, p->phase,  p->bandwidth,
                             p->gamma, p->wave[0],    p->wave[1],   p->wave[2]};
    for (size_t i = 0; i < sizeof finite / sizeof *finite; i++)
        if (!isfinite(finite[i]))
            return refuse(error, "angle, wave, phase, bandwidth and gamma must be finite");
    if (p->sampling > ISG_SAMPLING_POINT)
        return isg_fail(error, ISG_ERR_ARGUMENT,
                        "sampling %s: grids with a covariance, an angle, an order or a wave are sampled at points",
                        isg_sampling_name(p->sampling));
    if (covariance && ndim > 3)
        return refuse(error, "a covariance is for grids of 1 to 3 axes");
    if (covariance && any(p->sigma, NDIM))
        return refuse(error, "a covariance takes the place of sigma; give one of them");
    if (covariance && (p->angle != 0 || p->bandwidth != 0 || p->gamma != 0))
        return refuse(error, "a covariance says all of the Gaussian's shape: angle, bandwidth and gamma go with sigma");
    if (covariance && p->like)
        return refuse(error, "a recipe has a sigma and takes no covariance");
    if (p->angle != 0 && ndim != 2)
        return refuse(error, "an angle is for grids of 2 axes; of 3 axes give a covariance or a wave vector");
    if (waves > 1)
        return refuse(error, "a wave has a wavelength, a frequency or a vector: give one of them");
    if (!waves && (p->phase != 0 || p->quadrature != 0 || p->bandwidth != 0 || p->gamma != 0 || convention_of(p)))
        return refuse(error, "a Gabor function needs a wavelength, a frequency or a wave vector");
    if ((p->wavelength != 0 || p->frequency != 0) && ndim > 2)
        return refuse(error, "of 3 axes and more a wave is given as a vector");
    if (any(p->wave, 3) && ndim > 3)
        return refuse(error, "a wave vector is for grids of 1 to 3 axes");
    for (int a = ndim; a < 3; a++)
        if (p->wave[a] != 0)
            return refuse(error, "the wave vector has more numbers than the grid has axes");
    if (p->wavelength < 0 || p->frequency < 0)
        return refuse(error, "wavelength and frequency must be positive");
    if (p->wavelength != 0 && !(p->wavelength >= 0x1p-20 && p->wavelength <= 0x1p100))
        return isg_fail(error, ISG_ERR_RANGE, "a wavelength of %g samples is out of range", p->wavelength);
    if (fabs(p->phase) > 0x1p40)
        return isg_fail(error, ISG_ERR_RANGE, "a phase of %g degrees is out of range", p->phase);
    if (fabs(p->angle) > 0x1p40)
        return isg_fail(error, ISG_ERR_RANGE, "an angle of %g degrees is out of range", p->angle);
    if (p->quadrature != 0 && p->quadrature != 1)
        return refuse(error, "quadrature is 0 or 1");
    if (p->bandwidth != 0 && (p->sigma[0] != 0 || any(p->wave, 3)))
        return refuse(error, "a bandwidth goes with a wavelength or a frequency, and takes the place of sigma");
    if (p->bandwidth != 0 && !(p->bandwidth >= 0x1p-10 && p->bandwidth <= 64))
        return isg_fail(error, ISG_ERR_ARGUMENT, "a bandwidth of %g octaves; it is from 0.001 to 64", p->bandwidth);
    if (p->gamma != 0 && (p->gamma < 0 || ndim != 2 || any(p->wave, 3) || any(p->sigma + 1, NDIM - 1)))
        return refuse(error, "gamma is positive, for grids of 2 axes with one sigma and the wave along the angle");
    for (int32_t a = 0; a < NDIM; a++) {
        if (p->order[a] < 0 || p->order[a] > MOST_ORDER || (p->order[a] && a >= ndim))
            return isg_fail(error, ISG_ERR_ARGUMENT, "order %d on axis %d; it is 0 to %d, and of axes that there are",
                            (int)p->order[a], (int)a, MOST_ORDER);
        if (p->order[a] && waves)
            return refuse(error, "a grid is a derivative or a Gabor function, not both");
    }
    return ISG_OK;
}

// sqrt(ln 2 / 2)/pi (2^b + 1)/(2^b - 1), with the contract's power: the sigma of a wave of 1 sample.
static double sigma_of_bandwidth(double bandwidth)
{
    const pair factor = {0x1.7fc6a7f40ed57p-3, -0x1.eb5e2d69b6ebbp-57};
    double two = 2, power;
    isg_reference_get(ISG_F64, true)->apply(FUNCTION_real_pow, &two, &bandwidth, &power, 1);
    return divide(multiply(factor, two_sum(power, 1)), two_sum(power, -1)).hi;
}

// Sigma along v and u, or along the axes, with what stands for them decided.
static void fill_sigma(isg_grid_params *p)
{
    if (p->bandwidth != 0) {
        double factor = sigma_of_bandwidth(p->bandwidth);
        p->sigma[0] = p->wavelength != 0 ? p->wavelength * factor : factor / p->frequency;
    }
    if (p->gamma != 0) {
        p->sigma[1] = p->sigma[0];
        p->sigma[0] = p->sigma[1] / p->gamma;
    }
}

// OpenCV's and scikit-image's sizes where none is given: as far as nsig sigmas reach, seen along the array's axes.
static void fill_size(isg_grid_params *p, const convention *like, pair sine, pair cosine)
{
    double nsig = p->nsig != 0 ? p->nsig : 3, along = p->sigma[1] != 0 ? p->sigma[1] : p->sigma[0];
    double reach[2] = {fmax(fabs(nsig * p->sigma[0] * cosine.hi), fabs(nsig * along * sine.hi)),
                       fmax(fabs(nsig * along * cosine.hi), fabs(nsig * p->sigma[0] * sine.hi))};
    for (int a = 0; a < 2 && p->size[0] == 0; a++)
        if (!(reach[a] < 1e6))
            return; // resolving then says that a size is needed
    bool given = p->size[0] != 0;
    for (int a = 0; a < 2; a++) {
        if (given && like->turned_around && p->size[a] > 0)
            p->size[a] = p->size[a] / 2 * 2 + 1;
        else if (!given)
            p->size[a] = 2 * (int64_t)like->reach(reach[a]) + 1;
    }
}

// --- the Gaussian

static isg_status factorize(isg_stencil *s, int32_t ndim, pair c[NDIM][NDIM], isg_error *error)
{
    for (int32_t i = 0; i < ndim; i++)
        if (!(c[i][i].hi > 0))
            return isg_fail(error, ISG_ERR_ARGUMENT,
                            "the covariance is not positive definite: its element (%d, %d) is %g", (int)i, (int)i,
                            c[i][i].hi);
    for (int32_t j = 0; j < ndim; j++) {
        pair d = c[j][j];
        for (int32_t k = 0; k < j; k++)
            d = add(d, minus(multiply(multiply(s->lower[j][k], s->lower[j][k]), s->pivot[k])));
        double left = d.hi / c[j][j].hi;
        if (left < -near_singular)
            return isg_fail(error, ISG_ERR_ARGUMENT,
                            "the covariance is not positive definite: given the axes before it, axis %d has a variance "
                            "of %g",
                            (int)j, d.hi);
        if (!(left >= near_singular))
            return isg_fail(error, ISG_ERR_ARGUMENT,
                            "the covariance is singular, or nearly so: the axes before it determine axis %d to within "
                            "%g of its variance",
                            (int)j, fabs(left));
        s->pivot[j] = d;
        for (int32_t i = j + 1; i < ndim; i++) {
            pair l = c[i][j];
            for (int32_t k = 0; k < j; k++)
                l = add(l, minus(multiply(multiply(s->lower[i][k], s->lower[j][k]), s->pivot[k])));
            s->lower[i][j] = divide(l, d);
        }
    }
    // C^-1 by columns: L y = e, z = y/D, L' x = z.
    for (int32_t column = 0; column < ndim; column++) {
        pair x[NDIM];
        for (int32_t i = 0; i < ndim; i++) {
            x[i] = exactly(i == column);
            for (int32_t k = 0; k < i; k++)
                x[i] = add(x[i], minus(multiply(s->lower[i][k], x[k])));
        }
        for (int32_t i = ndim - 1; i >= 0; i--) {
            pair value = divide(x[i], s->pivot[i]);
            for (int32_t k = i + 1; k < ndim; k++)
                value = add(value, minus(multiply(s->lower[k][i], x[k])));
            x[i] = value;
        }
        for (int32_t i = 0; i < ndim; i++)
            s->inverse[i][column] = x[i];
    }
    return ISG_OK;
}

// The covariance that was asked for, made symmetric where rounding made it not quite so; and the sigmas along the axes.
static isg_status read_covariance(const isg_grid_params *p, int32_t ndim, pair c[NDIM][NDIM], double *sigma,
                                  isg_error *error)
{
    for (int i = 0; i < ndim * ndim; i++)
        if (!isfinite(p->covariance[i]))
            return refuse(error, "the covariance is not finite");
    for (int i = ndim * ndim; i < 9; i++)
        if (p->covariance[i] != 0)
            return isg_fail(error, ISG_ERR_ARGUMENT, "the covariance has more than the %d numbers of %d axes",
                            (int)(ndim * ndim), (int)ndim);
    for (int32_t i = 0; i < ndim; i++)
        for (int32_t j = 0; j < ndim; j++) {
            double a = p->covariance[i * ndim + j], b = p->covariance[j * ndim + i];
            double variances = fabs(p->covariance[i * ndim + i]) / 2 + fabs(p->covariance[j * ndim + j]) / 2;
            if (!(fabs(a - b) <= 0x1p-48 * variances))
                return isg_fail(error, ISG_ERR_ARGUMENT,
                                "the covariance is not symmetric: elements (%d, %d) and (%d, %d) are %.17g and %.17g",
                                (int)i, (int)j, (int)j, (int)i, a, b);
            c[i][j] = two_sum(a / 2, b / 2);
            if (i == j)
                sigma[i] = sqrt(fabs(a)); // of 0 and below: factorize says what is wrong
        }
    return ISG_OK;
}

isg_status isg_stencil_resolve(isg_stencil *s, const isg_grid_params *params, isg_error *error)
{
    isg_grid_params p = *params;
    int32_t ndim = p.ndim ? p.ndim : 2;
    pair c[NDIM][NDIM] = {{{0, 0}}}, sine = {0, 0}, cosine = {1, 0};
    const convention *like = convention_of(&p);
    *s = (isg_stencil){.waves = has_wave(&p), .quadrature = p.quadrature == 1};
    if (ndim < 1 || ndim > NDIM)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%d axes; a grid has 1 to %d", (int)ndim, NDIM);
    isg_status st = check(&p, ndim, error);
    if (st)
        return st;
    if (like && !like->turned_around && p.sigma[0] == 0 && p.bandwidth == 0 && !any(p.wave, 3))
        p.bandwidth = 1; // scikit-image's
    if (like && ndim != 2)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s makes grids of 2 axes", like->name);
    bool covariance = any(p.covariance, 9);
    if (covariance && ((st = read_covariance(&p, ndim, c, p.sigma, error)) || (st = factorize(s, ndim, c, error))))
        return st;
    sine_and_cosine(divide(exactly(p.angle), exactly(360)), &sine, &cosine);
    fill_sigma(&p);
    if (like)
        fill_size(&p, like, sine, cosine);
    if ((st = isg_grid_resolve(&s->plan, &p, error)))
        return st;
    for (int32_t a = 0; a < ndim; a++) {
        if (s->plan.axis[a].sampling != ISG_SAMPLING_POINT)
            return isg_fail(error, ISG_ERR_ARGUMENT, "recipe %s: grids of this kind are sampled at points", p.like);
        s->order[a] = p.order[a];
        for (int32_t b = 0; b < ndim; b++)
            s->frame[a][b] = exactly(a == b);
        if (!covariance)
            c[a][a] = two_product(s->plan.axis[a].sigma, s->plan.axis[a].sigma);
    }
    if (!covariance && (st = factorize(s, ndim, c, error)))
        return st;
    if (p.angle != 0) {
        s->turned = true;
        s->frame[0][0] = s->frame[1][1] = cosine;
        s->frame[0][1] = minus(sine);
        s->frame[1][0] = sine;
    }
    s->phase = divide(exactly(p.phase), exactly(360));
    pair along = p.wavelength != 0 ? divide(exactly(1), exactly(p.wavelength)) : exactly(p.frequency);
    double cycles = fabs(p.phase / 360);
    for (int32_t a = 0; a < ndim && s->waves; a++) {
        s->wave[a] = any(p.wave, 3) ? exactly(p.wave[a]) : ndim == 1 ? along : multiply(along, a == 1 ? cosine : sine);
        if (like && like->turned_around)
            s->wave[a] = minus(s->wave[a]);
        cycles += fabs(s->wave[a].hi) * fmax(fabs(s->plan.axis[a].from), fabs(s->plan.axis[a].to));
    }
    if (!(cycles < most_cycles))
        return isg_fail(error, ISG_ERR_RANGE, "%g cycles of a wave across the grid are out of range", cycles);
    return ISG_OK;
}

// --- weights

// u' C^-1 u / 2, with y = L^-1 u: the sum of y_k^2/D_k, every term of it positive.
static pair exponent(const isg_stencil *s, const pair *u)
{
    pair y[NDIM], sum = {0, 0};
    for (int32_t i = 0; i < s->plan.ndim; i++) {
        y[i] = u[i];
        for (int32_t k = 0; k < i; k++)
            if (s->lower[i][k].hi != 0)
                y[i] = add(y[i], minus(multiply(s->lower[i][k], y[k])));
        sum = add(sum, divide(multiply(y[i], y[i]), s->pivot[i]));
    }
    return (pair){sum.hi / 2, sum.lo / 2};
}

// The polynomial h of the derivative d^order exp(-u' P u / 2) = h exp(-u' P u / 2), P = C^-1, from lower ones:
//     h of (a + e_i) = -(P u)_i h of a - sum_j P_ij a_j h of (a - e_j)
static pair polynomial(const isg_stencil *s, const pair *u)
{
    int32_t ndim = s->plan.ndim, stride[NDIM], count = 1;
    pair slope[NDIM], h[TERMS];
    for (int32_t i = ndim - 1; i >= 0; i--) {
        stride[i] = count;
        count *= s->order[i] + 1;
        slope[i] = exactly(0);
        for (int32_t j = 0; j < ndim; j++)
            slope[i] = add(slope[i], multiply(s->inverse[i][j], u[j]));
    }
    h[0] = exactly(1);
    for (int32_t at = 1; at < count; at++) {
        int32_t i = 0;
        while (at / stride[i] % (s->order[i] + 1) == 0)
            i++;
        int32_t from = at - stride[i];
        pair value = minus(multiply(slope[i], h[from]));
        for (int32_t j = 0; j < ndim; j++) {
            int32_t a = from / stride[j] % (s->order[j] + 1);
            if (a > 0)
                value = add(value, minus(multiply(multiply(s->inverse[i][j], exactly(a)), h[from - stride[j]])));
        }
        h[at] = value;
    }
    return h[count - 1];
}

static pair wave(const isg_stencil *s, const pair *x)
{
    pair turns = s->phase, sine, cosine;
    for (int32_t a = 0; a < s->plan.ndim; a++)
        turns = add(turns, multiply(s->wave[a], x[a]));
    sine_and_cosine(turns, &sine, &cosine);
    return s->quadrature ? sine : cosine;
}

// The place of a row-major index, along the array's axes and as it is seen.
static void places(const isg_stencil *s, int64_t at, pair *x, pair *u)
{
    int32_t ndim = s->plan.ndim;
    for (int32_t a = ndim - 1; a >= 0; a--) {
        const isg_axis *axis = &s->plan.axis[a];
        x[a] = place(at % axis->size, axis->size, axis->from, axis->to);
        at /= axis->size;
    }
    for (int32_t i = 0; i < ndim; i++) {
        u[i] = s->turned ? exactly(0) : x[i];
        for (int32_t a = 0; a < ndim && s->turned; a++)
            u[i] = add(u[i], multiply(s->frame[i][a], x[a]));
    }
}

// What the Gaussian is divided by.
static pair divisor(const isg_stencil *s, const double *weights, int64_t count)
{
    pair by = {1, 0};
    switch (s->plan.axis[0].normalize) {
    case ISG_NORMALIZE_SUM:
        by = exactly(0);
        for (int64_t i = 0; i < count; i++)
            by = add(by, exactly(weights[i]));
        break;
    case ISG_NORMALIZE_MAX:
        by = exactly(0);
        for (int64_t i = 0; i < count; i++)
            by.hi = fmax(by.hi, weights[i]);
        break;
    case ISG_NORMALIZE_DENSITY: // (2 pi)^(ndim/2) sqrt(D_0 D_1 ...), the roots by a step of Newton's
        for (int32_t a = 0; a < s->plan.ndim; a++) {
            pair square = multiply(two_pi, s->pivot[a]);
            double root = sqrt(square.hi);
            pair rest = add(square, minus(two_product(root, root)));
            by = multiply(by, renormalized(root, rest.hi / (2 * root)));
        }
        break;
    default: break;
    }
    return by;
}

isg_status isg_stencil_weights(const isg_stencil *s, double *weights, isg_error *error)
{
    int64_t count = 1;
    bool derived = false;
    pair x[NDIM], u[NDIM];
    for (int32_t a = 0; a < s->plan.ndim; a++) {
        count *= s->plan.axis[a].size;
        derived = derived || s->order[a] > 0;
    }
    for (int64_t i = 0; i < count; i++) {
        places(s, i, x, u);
        weights[i] = exp_minus_pair(exponent(s, u)).hi;
    }
    pair by = divisor(s, weights, count);
    if (!(by.hi > DBL_MIN))
        return isg_fail(error, ISG_ERR_RANGE, "every weight underflows: there is nothing to normalise");
    for (int64_t i = 0; i < count; i++) {
        pair value = exactly(weights[i]);
        if (derived || s->waves) {
            places(s, i, x, u);
            value = multiply(value, derived ? polynomial(s, u) : wave(s, x));
        }
        weights[i] = divide(value, by).hi;
        if (!(fabs(weights[i]) <= 0x1p30))
            return isg_fail(error, ISG_ERR_RANGE, "a weight of %g is out of range", weights[i]);
        if (fabs(weights[i]) < DBL_MIN)
            weights[i] = 0;
    }
    return ISG_OK;
}

void isg_stencil_round(const double *weights, int64_t count, isg_dtype dtype, void *out)
{
    for (int64_t i = 0; i < count; i++)
        isg_store_double(dtype, out, i, dtype == ISG_F32 && fabs(weights[i]) < FLT_MIN ? 0 : weights[i]);
}
