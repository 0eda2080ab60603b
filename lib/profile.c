// Arithmetic is double-double (twofold.h) wherever an error would grow: in the exponent's argument, in sums and in the
// recurrence of the Bessel weights. exp itself is the contract's, fused, so that every host gives the same bits.
#include "profile.h"
#include "twofold.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_ORDER = 4 }; // of a derivative

static void sample_points(const isg_axis *axis, double *weights)
{
    for (int64_t i = 0; i < axis->size; i++)
        weights[i] = gaussian(divide(place(i, axis->size, axis->from, axis->to), exactly(axis->sigma))).hi;
}

// The integral of exp(-a u - u^2/2) for u in [0, length], a >= 0: Gauss and Legendre's rule of 8 points (Abramowitz and
// Stegun 25.4.30) on panels over which the integrand falls by no more than a factor of about e. Everything added is
// positive, so the tails keep their relative accuracy.
static pair decaying_integral(double a, double length)
{
    static const double place_of[8] = {0x1.454e34f533998p-6, 0x1.a06d536d82f88p-4, 0x1.e5dad4f9af698p-3,
                                       0x1.a214dac30e32fp-2, 0x1.2ef5929e78e69p-1, 0x1.86894ac19425ap-1,
                                       0x1.cbf255924fa0fp-1, 0x1.f5d58e5856633p-1};
    static const double weight_of[8] = {0x1.9ea1d04ca0374p-5, 0x1.c76fb531d2b96p-4, 0x1.413c50a255615p-3,
                                        0x1.736360b199343p-3, 0x1.736360b199343p-3, 0x1.413c50a255615p-3,
                                        0x1.c76fb531d2b96p-4, 0x1.9ea1d04ca0374p-5};
    pair total = {0, 0};
    double at = 0;
    while (at < length && at * (a + at / 2) < 45) {
        double width = fmin(0.5, 1 / (a + at));
        width = fmin(width, length - at);
        pair panel = {0, 0};
        for (int i = 0; i < 8; i++) {
            double u = at + width * place_of[i];
            pair decay = multiply(exactly(u), two_sum(a, u / 2));
            panel = add(panel, multiply(exactly(weight_of[i]), exp_minus_pair(decay)));
        }
        total = add(total, multiply(panel, exactly(width)));
        double next = at + width;
        if (next == at)
            break;
        at = next;
    }
    return total;
}

// Probability of [a, b] under the unit normal, 0 <= a <= b, over `per`; a density can be a normal number where the
// probability is not.
static pair tail_mass(pair a, pair b, pair per)
{
    const pair one_over_sqrt_2pi = {0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56};
    pair length = add(b, (pair){-a.hi, -a.lo});
    pair mean = divide(multiply(one_over_sqrt_2pi, decaying_integral(a.hi, length.hi)), per);
    return multiply(gaussian(a), mean);
}

static void sample_cells(const isg_axis *axis, double *weights)
{
    pair zero = {0, 0}, per = {1, 0};
    if (axis->normalize == ISG_NORMALIZE_DENSITY)
        per = divide(two_sum(axis->to, -axis->from), exactly((double)axis->size));
    pair low = divide(place(0, axis->size + 1, axis->from, axis->to), exactly(axis->sigma));
    for (int64_t i = 0; i < axis->size; i++) {
        pair high = divide(place(i + 1, axis->size + 1, axis->from, axis->to), exactly(axis->sigma));
        if (low.hi >= 0)
            weights[i] = tail_mass(low, high, per).hi;
        else if (high.hi <= 0)
            weights[i] = tail_mass(minus(high), minus(low), per).hi;
        else
            weights[i] = add(tail_mass(zero, minus(low), per), tail_mass(zero, high, per)).hi;
        low = high;
    }
}

static isg_status no_memory(isg_error *error)
{
    return isg_fail(error, ISG_ERR_MEMORY, "no memory for the weights of one axis");
}

// What scipy.ndimage.gaussian_filter (truncate 4, mode reflect) makes of a unit impulse at size/2: every mirror image
// of the impulse within the filter's reach adds one of its taps.
static isg_status filter_impulse(const isg_axis *axis, double *weights, isg_error *error)
{
    if (!(axis->sigma < 1e6))
        return isg_fail(error, ISG_ERR_RANGE, "sigma %g is too wide for delta sampling", axis->sigma);
    int64_t n = axis->size, radius = (int64_t)(4 * axis->sigma + 0.5);
    double *taps = isg_alloc(radius + 1, sizeof *taps);
    if (!taps)
        return no_memory(error);
    pair sum = {0, 0};
    for (int64_t k = radius; k >= 0; k--) {
        taps[k] = gaussian(divide(exactly((double)k), exactly(axis->sigma))).hi;
        sum = add(sum, k ? two_product(2, taps[k]) : exactly(taps[k]));
    }
    int64_t centre = n / 2;
    for (int64_t i = 0; i < n; i++) {
        pair w = {0, 0};
        // Images lie at centre + 2 n m and at -1 - centre + 2 n m.
        for (int side = 0; side < 2; side++) {
            int64_t image = side ? -1 - centre : centre;
            int64_t first = image + (i - radius - image) / (2 * n) * 2 * n;
            for (int64_t q = first - 2 * n; q <= i + radius; q += 2 * n)
                if (q >= i - radius)
                    w = add(w, exactly(taps[q > i ? q - i : i - q]));
        }
        weights[i] = divide(w, sum).hi;
    }
    free(taps);
    return ISG_OK;
}

// exp(-t) I_n(t), t = sigma^2, by Miller's backward recurrence I_{n-1} = I_{n+1} + (2n/t) I_n, scaled by
// exp(t) = I_0 + 2 (I_1 + I_2 + …) (Abramowitz and Stegun 9.6.26, 9.6.37; Lindeberg 1990 for the use). Every term is
// positive.
static isg_status sample_bessel(const isg_axis *axis, double *weights, isg_error *error)
{
    double reach = fmax(fabs(axis->from), fabs(axis->to));
    if (axis->sigma < 0x1p-200) {
        // T(n, t) = (t/2)^n/n! but for a factor of 1 + O(t); the recurrence's 2n/t would overflow.
        pair t = two_product(axis->sigma, axis->sigma);
        for (int64_t i = 0; i < axis->size; i++) {
            double n = fabs(axis->from + (double)i);
            pair square = multiply(t, multiply(t, exactly(0.125)));
            weights[i] = n == 0 ? 1 : n == 1 ? t.hi / 2 : n == 2 ? square.hi : 0;
        }
        return ISG_OK;
    }
    double start = reach + 20 + ceil(axis->sigma * sqrt(120));
    if (!(start < 1e7))
        return isg_fail(error, ISG_ERR_RANGE, "bessel weights up to %g are out of range", start);
    int64_t last = (int64_t)reach;
    double *value = isg_alloc(last + 1, sizeof *value);
    int64_t *lift = isg_alloc(last + 1, sizeof *lift); // value[n] is too small by 2^(-512 lift[n])
    if (!value || !lift) {
        free(value);
        free(lift);
        return no_memory(error);
    }
    const double much = 0x1p512;
    pair t = two_product(axis->sigma, axis->sigma);
    pair above = {0, 0}, here = {0x1p-500, 0}, sum = {0, 0};
    int64_t lifts = 0;
    for (int64_t n = (int64_t)start; n >= 0; n--) {
        if (n <= last) {
            value[n] = here.hi;
            lift[n] = lifts;
        }
        sum = add(sum, n ? multiply(here, exactly(2)) : here);
        pair below = add(above, multiply(divide(exactly(2 * (double)n), t), here));
        above = here;
        here = below;
        if (here.hi > much) {
            lifts++;
            here = multiply(here, exactly(1 / much));
            above = multiply(above, exactly(1 / much));
            sum = multiply(sum, exactly(1 / much));
        }
    }
    for (int64_t i = 0; i < axis->size; i++) {
        int64_t n = (int64_t)fabs(axis->from + (double)i);
        double down = (double)(lifts - lift[n]) * -512;
        weights[i] = ldexp(divide(exactly(value[n]), sum).hi, down < -5000 ? -5000 : (int)down);
    }
    free(value);
    free(lift);
    return ISG_OK;
}

static isg_status normalize(const isg_axis *axis, double *weights, isg_error *error)
{
    pair by = {1, 0};
    double sigma = axis->sigma;
    switch (axis->normalize) {
    case ISG_NORMALIZE_SUM:
        by = exactly(0);
        for (int64_t i = 0; i < axis->size; i++)
            by = add(by, exactly(weights[i]));
        break;
    case ISG_NORMALIZE_MAX:
        by = exactly(0);
        for (int64_t i = 0; i < axis->size; i++)
            by.hi = fmax(by.hi, weights[i]);
        break;
    case ISG_NORMALIZE_DENSITY:
        if (axis->sampling == ISG_SAMPLING_POINT) // cells come divided by their width
            by = multiply((pair){0x1.40d931ff62706p+1, -0x1.a6a0d6f814637p-53}, exactly(sigma)); // sqrt(2 pi) sigma
        break;
    default: break;
    }
    if (!(by.hi > DBL_MIN))
        return isg_fail(error, ISG_ERR_RANGE,
                        "every weight from %g to %g underflows at sigma %g: there is nothing to normalise", axis->from,
                        axis->to, sigma);
    for (int64_t i = 0; i < axis->size; i++) {
        weights[i] = divide(exactly(weights[i]), by).hi;
        if (!(weights[i] <= 0x1p30))
            return isg_fail(error, ISG_ERR_RANGE, "a weight of %g at sigma %g is out of range", weights[i], sigma);
        if (weights[i] < DBL_MIN)
            weights[i] = 0;
    }
    return ISG_OK;
}

isg_status isg_profile(const isg_axis *axis, double *weights, isg_error *error)
{
    isg_status st = ISG_OK;
    switch (axis->sampling) {
    case ISG_SAMPLING_INTEGRATED: sample_cells(axis, weights); break;
    case ISG_SAMPLING_DELTA: st = filter_impulse(axis, weights, error); break;
    case ISG_SAMPLING_BESSEL: st = sample_bessel(axis, weights, error); break;
    default: sample_points(axis, weights);
    }
    if (st)
        return st;
    if (axis->square_root)
        for (int64_t i = 0; i < axis->size; i++)
            weights[i] = sqrt(weights[i]);
    return normalize(axis, weights, error);
}

void isg_profile_round(const double *weights, int64_t count, isg_dtype dtype, void *out)
{
    for (int64_t i = 0; i < count; i++) {
        if (dtype == ISG_F64)
            ((double *)out)[i] = weights[i];
        else
            ((float *)out)[i] = weights[i] < FLT_MIN ? 0 : (float)weights[i];
    }
}

// The polynomial that makes the derivative of a Gaussian: q of order n + 1 is q' - (x/sigma^2) q, and 1 of order 0.
// coefficients: of x^0 ... x^order.
static void derivative_polynomial(double sigma, int32_t order, pair *coefficients)
{
    pair by = divide(exactly(1), two_product(sigma, sigma)), next[MOST_ORDER + 2];
    for (int32_t i = 0; i <= MOST_ORDER; i++)
        coefficients[i] = exactly(i == 0);
    for (int32_t n = 0; n < order; n++) {
        for (int32_t i = 0; i <= n + 1; i++) {
            pair slope = i <= n ? multiply(exactly(i + 1), i < n ? coefficients[i + 1] : exactly(0)) : exactly(0);
            next[i] = add(slope, i > 0 ? minus(multiply(by, coefficients[i - 1])) : exactly(0));
        }
        for (int32_t i = 0; i <= n + 1; i++)
            coefficients[i] = next[i];
    }
}

// The polynomial of that order and parity, times the weights, whose moments below the order are 0 and whose moment of
// the order is order!: a linear system in its 1 to 3 coefficients, solved by elimination. Unit is sigma, so that
// coefficients are of one size; a filter of few places may have no such polynomial.
static isg_status exact_polynomial(const double *weights, double sigma, int32_t order, int64_t radius,
                                   pair *coefficients, isg_error *error)
{
    enum { MOST = MOST_ORDER / 2 + 1 };
    int32_t parity = order % 2, count = order / 2 + 1;
    pair moment[2 * MOST_ORDER + 1], row[MOST][MOST + 1];
    for (int32_t j = 0; j <= 2 * order; j += 2) {
        moment[j] = exactly(j == 0 ? weights[radius] : 0);
        for (int64_t k = radius; k >= 1; k--) {
            pair power = exactly(2 * weights[radius + k]), x = divide(exactly((double)k), exactly(sigma));
            for (int32_t i = 0; i < j; i++)
                power = multiply(power, x);
            moment[j] = add(moment[j], power);
        }
    }
    for (int32_t i = 0; i < count; i++) {
        for (int32_t c = 0; c < count; c++)
            row[i][c] = moment[2 * (size_t)(parity + i + c)];
        row[i][count] = exactly(0);
    }
    row[count - 1][count] = exactly(1);
    for (int32_t i = 0; i < order; i++) // order! / sigma^order
        row[count - 1][count] = divide(multiply(row[count - 1][count], exactly(i + 1)), exactly(sigma));
    // Moments of positive weights: the system is positive definite, or singular where there are too few places.
    for (int32_t i = 0; i < count; i++) {
        if (!(row[i][i].hi > 1e-24 * moment[2 * (size_t)(parity + i)].hi))
            return isg_fail(error, ISG_ERR_RANGE,
                            "an exact derivative of order %d cannot be had at sigma %g with radius %lld", (int)order,
                            sigma, (long long)radius);
        for (int32_t below = i + 1; below < count; below++) {
            pair factor = divide(row[below][i], row[i][i]);
            for (int32_t c = i; c <= count; c++)
                row[below][c] = add(row[below][c], minus(multiply(factor, row[i][c])));
        }
    }
    for (int32_t i = 0; i <= MOST_ORDER; i++)
        coefficients[i] = exactly(0);
    for (int32_t i = count - 1; i >= 0; i--) {
        pair value = row[i][count];
        for (int32_t c = i + 1; c < count; c++)
            value = add(value, minus(multiply(row[i][c], coefficients[parity + 2 * c])));
        coefficients[parity + 2 * i] = divide(value, row[i][i]);
    }
    // Back to samples; of an odd order SciPy's sign, which is that of -k.
    for (int32_t i = parity; i <= order; i += 2) {
        for (int32_t q = 0; q < i; q++)
            coefficients[i] = divide(coefficients[i], exactly(sigma));
        coefficients[i] = parity ? minus(coefficients[i]) : coefficients[i];
    }
    return ISG_OK;
}

isg_status isg_profile_taps(double sigma, int32_t order, int64_t radius, isg_sampling sampling, bool exact,
                            double *half, isg_error *error)
{
    double reach = (double)radius + (sampling == ISG_SAMPLING_INTEGRATED ? 0.5 : 0);
    isg_axis axis = {.size = 2 * radius + 1,
                     .from = -reach,
                     .to = reach,
                     .sigma = sigma,
                     .sampling = sampling == ISG_SAMPLING_DEFAULT ? ISG_SAMPLING_POINT : sampling,
                     .normalize = ISG_NORMALIZE_SUM};
    double *weights = isg_alloc(axis.size, sizeof *weights);
    if (!weights)
        return no_memory(error);
    isg_status st = isg_profile(&axis, weights, error);
    pair q[MOST_ORDER + 1];
    derivative_polynomial(sigma, order, q);
    if (exact && order > 0 && !st)
        st = exact_polynomial(weights, sigma, order, radius, q, error);
    for (int64_t k = 0; k <= radius && !st; k++) {
        pair value = q[order];
        for (int32_t i = order - 1; i >= 0; i--)
            value = add(multiply(value, exactly((double)k)), q[i]);
        // The element ahead is seen by the Gaussian from behind: q(-k).
        half[k] = multiply(order % 2 ? minus(value) : value, exactly(weights[radius + k])).hi;
        if (!(fabs(half[k]) <= 0x1p30))
            st = isg_fail(error, ISG_ERR_RANGE, "a weight of %g, of order %d at sigma %g, is out of range", half[k],
                          (int)order, sigma);
        if (fabs(half[k]) < DBL_MIN)
            half[k] = 0;
    }
    free(weights);
    return st;
}
