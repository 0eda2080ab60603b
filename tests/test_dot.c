// What rows of products promise, on the host's reference, against MPFR. A formula is within 2 ulp of its exact value,
// products below 2^-76 (2^-900) of it counting as 0 where something is added to them. The Gram matrix of n points in d
// dimensions, with S = sum |x_k y_k|, u = gamma x.y and f the row's function:
//   linear, polynomial, sigmoid:  |K - f(u)| <= delta sup |f'| + 2 ulp, the supremum over [u - delta, u + delta],
//                                 delta = (d/2 + 1) eps gamma S + gamma d L: a sum of d terms has d roundings of half
//                                 an eps, and gamma has one; L is the largest product that is left out.
//   cosine:  |K - x.y/(|x| |y|)| <= (d/2 + 1) eps (S + |x.y|)/(|x| |y|) + what is left out of x.y and both norms + 2
//   ulp:
//            each norm's square has d roundings, half of which reach the norm.
// K is symmetric, cosine is exactly 1 for equal points and 0 for points of length 0, and scaling points by a power of
// two changes no mantissa.
#include "oracle_rows.h"
#include "suite.h"

#include "kernels.h"
#include "operator.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const isg_dtype precisions[] = {ISG_F32, ISG_F64};
static const int dot_rows[] = {ISG_KERNEL_linear, ISG_KERNEL_polynomial, ISG_KERNEL_sigmoid, ISG_KERNEL_cosine};

static double epsilon(isg_dtype dtype)
{
    return dtype == ISG_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
}

static double rounded(isg_dtype dtype, double x)
{
    return dtype == ISG_F64 ? x : (double)(float)x;
}

static int row_of(int i)
{
    return dot_rows[i / 2];
}

static const char *name_of(int row)
{
    return isg_kernel_list()[row]->name;
}

START_TEST(every_row_of_products_is_here)
{
    size_t count = 0;
    for (int row = 0; row < ISG_KERNEL_COUNT; row++)
        count += isg_kernel_list()[row]->pair == ISG_PAIR_DOT;
    ck_assert_uint_eq(count, COUNT(dot_rows));
}
END_TEST

// ---- The formula ----

static struct worst {
    double error, s, result, exact;
    isg_numbers n;
} worst[ISG_KERNEL_COUNT][2][2];

static double any_coef0(suite_random *random, isg_dtype dtype)
{
    switch (random_below(random, 6)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return -1;
    case 3: return rounded(dtype, random_scaled(random, -1, 1, -90, 60));
    case 4: return rounded(dtype, random_between(random, -1e15, 1e15));
    default: return rounded(dtype, random_between(random, -4, 4));
    }
}

static isg_numbers any_numbers(suite_random *random, int row, isg_dtype dtype)
{
    static const int degrees[] = {1, 2, 3, 4, 5, 6, 7, 25, 100};
    const int wide = dtype == ISG_F64;
    isg_numbers n = {1, 0, 0};
    if (row == ISG_KERNEL_linear) {
        n.b = (double)(random_below(random, 121) - 60);
    } else if (row == ISG_KERNEL_cosine) { // two points of any size, and an inverse of a bit more than the digits
        n.a = rounded(dtype, random_scaled(random, 1, 2, wide ? -300 : -40, wide ? 800 : 90));
        n.b = rounded(dtype, n.a * random_between(random, -0.25, 0.25) * epsilon(dtype));
    } else {
        n.a = rounded(dtype, random_scaled(random, 1, 2, -2, 4));
        n.b = any_coef0(random, dtype);
        if (row == ISG_KERNEL_polynomial)
            n.c = degrees[random_below(random, COUNT(degrees))];
    }
    return n;
}

// A pair's number: of any size; where the value is of a moderate one; or where a power or the sum with coef0 is small.
static double any_sum(suite_random *random, int row, isg_dtype dtype, isg_numbers n)
{
    const int most = dtype == ISG_F64 ? 960 : 108;
    double sign = random_below(random, 2) ? -1 : 1;
    if (row == ISG_KERNEL_cosine) // |s| up to |x| |y|, and down to where the quotient is no normal number
        return sign * rounded(dtype, random_scaled(random, 0, 1, random_below(random, 3) ? -30 : -most - 16, 30) / n.a);
    switch (random_below(random, 5)) {
    case 0: return sign * rounded(dtype, random_scaled(random, 1, 2, -most, 2 * most));
    case 1: return sign * rounded(dtype, random_scaled(random, 1, 2, -30, 40));
    case 2: return rounded(dtype, random_between(random, -3, 3));
    case 3: { // (s a + coef0)^n is moderate
        double u = n.c > 0
                       ? exp(random_between(random, dtype == ISG_F64 ? -700 : -85, dtype == ISG_F64 ? 700 : 85) / n.c)
                       : random_between(random, 0, 20);
        return rounded(dtype, (sign * u - n.b) / n.a);
    }
    default: { // they cancel, but for some last bits
        double s = rounded(dtype, -n.b / n.a);
        for (int64_t i = random_below(random, 6); i > 0; i--)
            s = dtype == ISG_F64 ? nextafter(s, sign * INFINITY)
                                 : (double)nextafterf((float)s, (float)(sign * INFINITY));
        return s;
    }
    }
}

// The formula's exact value at s.
static void exact_formula(mpfr_ptr k, int row, double s, isg_numbers n, isg_dtype dtype)
{
    mpfr_t u, slope;
    mpfr_inits2(ORACLE_BITS, u, slope, (mpfr_ptr)NULL);
    mpfr_set_d(u, s, MPFR_RNDN);
    if (row == ISG_KERNEL_linear) {
        mpfr_mul_2si(k, u, (long)n.b, MPFR_RNDN);
    } else if (row == ISG_KERNEL_cosine) {
        mpfr_set_d(slope, n.a, MPFR_RNDN);
        mpfr_add_d(slope, slope, n.b, MPFR_RNDN);
        mpfr_mul(k, u, slope, MPFR_RNDN);
    } else {
        mpfr_mul_d(u, u, n.a, MPFR_RNDN);
        mpfr_set(slope, u, MPFR_RNDN);
        mpfr_prec_round(slope, dtype == ISG_F64 ? 53 : 24, MPFR_RNDN);
        if (mpfr_cmpabs_ui(u, 0) && mpfr_get_exp(slope) - 1 < (dtype == ISG_F64 ? -900 : -76))
            mpfr_set_zero(u, 1);
        mpfr_set_prec(slope, ORACLE_BITS);
        oracle_dot_row(k, slope, name_of(row), u, n.b, (unsigned)n.c);
    }
    mpfr_clears(u, slope, (mpfr_ptr)NULL);
}

START_TEST(formula)
{
    enum { DRAWS = 400, N = 100 };
    const int row = row_of(_i), wide = _i % 2;
    isg_dtype dtype = precisions[wide];
    suite_random random = suite_stream(5000 + (uint64_t)_i);
    double s[N], results[2][N];
    mpfr_t k;
    mpfr_init2(k, ORACLE_BITS);
    for (int draw = 0; draw < DRAWS; draw++) {
        isg_numbers n = any_numbers(&random, row, dtype);
        for (int i = 0; i < N; i++) {
            double x = any_sum(&random, row, dtype, n);
            oracle_put(dtype, s, i, fabs(x) < oracle_smallest_normal(dtype) ? 0 : x);
        }
        for (int fused = 0; fused < 2; fused++)
            isg_reference_get(dtype, fused)->formula(row, s, n, results[fused], N);
        for (int i = 0; i < N; i++) {
            double x = isg_load_double(dtype, s, i);
            exact_formula(k, row, x, n, dtype);
            if (row == ISG_KERNEL_cosine && mpfr_cmpabs_ui(k, 1) > 0)
                mpfr_setsign(k, (mpfr_set_ui(k, 1, MPFR_RNDN), k), x < 0, MPFR_RNDN);
            for (int fused = 0; fused < 2; fused++) {
                double result = isg_load_double(dtype, results[fused], i);
                double error = oracle_row_error(result, k, dtype, 2);
                struct worst *here = &worst[row][wide][fused];
                if (!(error <= here->error))
                    *here = (struct worst){error, x, result, mpfr_get_d(k, MPFR_RNDN), n};
            }
        }
    }
    char message[2][300];
    for (int fused = 0; fused < 2; fused++) {
        const struct worst *w = &worst[row][wide][fused];
        snprintf(message[fused], sizeof *message, "%s: f(s = %a, a = %a, b = %a, c = %g) = %a, exact %a: %g ulp",
                 isg_contract_name(dtype, fused), w->s, w->n.a, w->n.b, w->n.c, w->result, w->exact, w->error);
    }
    ck_assert_msg(worst[row][wide][0].error <= 2 && worst[row][wide][1].error <= 2, "%s, %s; %s", name_of(row),
                  message[0], message[1]);
    mpfr_clear(k);
}
END_TEST

// ---- The matrix ----

typedef struct setting {
    double gamma, coef0;
    unsigned degree;
} setting;

// K(X, X) of n points, as an array to be freed.
static void *gram(int row, isg_dtype dtype, bool fused, const void *x, int64_t n, int64_t d, setting set)
{
    const isg_setting own[] = {{"coef0", set.coef0}, {"degree", set.degree}};
    const isg_gram_params params = {.kernel = isg_kernel_list()[row],
                                    .x = isg_matrix(dtype, x, n, d),
                                    .gamma = isg_kernel_list()[row]->scale == ISG_SCALE_NONE ? 0 : set.gamma,
                                    .settings = own,
                                    .setting_count = row == ISG_KERNEL_polynomial ? 2 : row == ISG_KERNEL_sigmoid,
                                    .allow_nonfinite = 1};
    isg_operator op;
    isg_error error = {0};
    ck_assert_msg(isg_operator_make(&op, &params, dtype, &error) == ISG_OK, "%s", error.message);
    void *k = oracle_array(dtype, n * n);
    isg_reference_get(dtype, fused)->gram(&op.plan, &op.x, &op.y, k, n);
    isg_operator_free(&op);
    return k;
}

// The largest product that counts as 0, in the units of the data: 2^-78 (2^-898) of the scaled ones.
static double left_out(int row, isg_dtype dtype, setting set, double largest)
{
    int wide = dtype == ISG_F64, e = wide ? 480 : 50, q;
    if (row == ISG_KERNEL_cosine)
        e = wide ? 200 : 20;
    e -= ilogb(largest);
    if (isg_kernel_list()[row]->scale != ISG_SCALE_NONE) { // gamma is close to 1 then
        frexp(set.gamma, &q);
        e = q / 2 < e ? (int)floor(q / 2.0) : e;
    }
    return ldexp(1, (wide ? -898 : -78) - 2 * e);
}

static double closest[ISG_KERNEL_COUNT][2][2];

// x.y/(|x| |y|) and the bound without the 2 ulp; false where so much is left out that nothing is promised but [-1, 1].
static bool exact_cosine(mpfr_ptr k, mpfr_ptr allowed, const void *x, const void *y, int64_t d, isg_dtype dtype,
                         double lost)
{
    mpfr_t s, size, xx, yy;
    mpfr_inits2(ORACLE_BITS, s, size, xx, yy, (mpfr_ptr)NULL);
    oracle_dot(s, size, x, x, d, dtype);
    mpfr_set(xx, s, MPFR_RNDN);
    oracle_dot(s, size, y, y, d, dtype);
    mpfr_set(yy, s, MPFR_RNDN);
    oracle_dot(s, size, x, y, d, dtype);
    bool zero = mpfr_zero_p(xx) || mpfr_zero_p(yy), some = false;
    mpfr_set_zero(k, 1);
    mpfr_set_zero(allowed, 1);
    if (!zero) {
        double part_x = (double)d * lost / mpfr_get_d(xx, MPFR_RNDN),
               part_y = (double)d * lost / mpfr_get_d(yy, MPFR_RNDN);
        some = part_x < 0.01 && part_y < 0.01;
        mpfr_abs(allowed, s, MPFR_RNDN);
        mpfr_add(allowed, allowed, size, MPFR_RNDN);
        mpfr_mul_d(allowed, allowed, (0.5 * (double)d + 1) * epsilon(dtype), MPFR_RNDN);
        mpfr_mul_d(size, size, 0.6 * (part_x + part_y), MPFR_RNDN); // of the norms, to first order and a bit
        mpfr_add(allowed, allowed, size, MPFR_RNDN);
        mpfr_add_d(allowed, allowed, (double)d * lost, MPFR_RNDN);
        mpfr_sqrt(xx, xx, MPFR_RNDN);
        mpfr_sqrt(yy, yy, MPFR_RNDN);
        mpfr_mul(xx, xx, yy, MPFR_RNDN);
        mpfr_div(k, s, xx, MPFR_RNDN);
        mpfr_div(allowed, allowed, xx, MPFR_RNDN);
    }
    mpfr_clears(s, size, xx, yy, (mpfr_ptr)NULL);
    return zero || some;
}

// The bound without the 2 ulp: delta sup |f'|.
static void exact_value(mpfr_ptr k, mpfr_ptr allowed, int row, const void *x, const void *y, int64_t d, isg_dtype dtype,
                        setting set, double lost)
{
    mpfr_t u, delta, near, unused;
    mpfr_inits2(ORACLE_BITS, u, delta, near, unused, (mpfr_ptr)NULL);
    double gamma = row == ISG_KERNEL_linear ? 1 : set.gamma;
    oracle_dot(u, delta, x, y, d, dtype);
    mpfr_mul_d(u, u, gamma, MPFR_RNDN);
    mpfr_mul_d(delta, delta, (0.5 * (double)d + 1) * epsilon(dtype), MPFR_RNDN);
    mpfr_add_d(delta, delta, (double)d * lost, MPFR_RNDN);
    mpfr_mul_d(delta, delta, gamma, MPFR_RNDN);
    if (row != ISG_KERNEL_linear) // affine's own
        mpfr_add_d(delta, delta, dtype == ISG_F64 ? 0x1p-900 : 0x1p-76, MPFR_RNDN);
    oracle_dot_row(k, allowed, name_of(row), u, set.coef0, set.degree);
    // f' grows or falls with |u + coef0|: it is largest at an end of the interval, or at 0.
    mpfr_abs(allowed, allowed, MPFR_RNDN);
    for (int side = -1; side <= 1; side += 2) {
        mpfr_mul_si(near, delta, side, MPFR_RNDN);
        mpfr_add(near, near, u, MPFR_RNDN);
        oracle_dot_row(unused, near, name_of(row), near, set.coef0, set.degree);
        mpfr_abs(near, near, MPFR_RNDN);
        mpfr_max(allowed, allowed, near, MPFR_RNDN);
    }
    mpfr_mul(allowed, allowed, delta, MPFR_RNDN);
    mpfr_clears(u, delta, near, unused, (mpfr_ptr)NULL);
}

static void check_gram(int row, isg_dtype dtype, const void *x, int64_t n, int64_t d, setting set, const char *what)
{
    size_t bytes = (size_t)d * isg_dtype_bytes(dtype);
    double largest = 0;
    for (int64_t i = 0; i < n * d; i++)
        largest = fmax(largest, fabs(isg_load_double(dtype, x, i)));
    double lost = left_out(row, dtype, set, largest);
    void *all[2] = {gram(row, dtype, false, x, n, d, set), gram(row, dtype, true, x, n, d, set)};
    mpfr_t k, bound;
    mpfr_inits2(ORACLE_BITS, k, bound, (mpfr_ptr)NULL);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i; j < n; j++) {
            const char *p = (const char *)x + (size_t)i * bytes, *q = (const char *)x + (size_t)j * bytes;
            bool promised = true;
            if (row == ISG_KERNEL_cosine)
                promised = exact_cosine(k, bound, p, q, d, dtype, lost);
            else
                exact_value(k, bound, row, p, q, d, dtype, set, lost);
            mpfr_mul_2si(bound, bound, -oracle_ulp(k, dtype), MPFR_RNDN);
            double allowed = mpfr_get_d(bound, MPFR_RNDU) + 2;
            for (int fused = 0; fused < 2; fused++) {
                double here = isg_load_double(dtype, all[fused], i * n + j);
                double error = promised ? oracle_row_error(here, k, dtype, allowed) : 0;
                ck_assert_msg(
                    error <= allowed,
                    "%s, %s, %s, d = %d, gamma = %a, coef0 = %a, degree = %u, at %d, %d: %a is %g ulp from the "
                    "exact %.17g; %g are allowed",
                    name_of(row), isg_contract_name(dtype, fused), what, (int)d, set.gamma, set.coef0, set.degree,
                    (int)i, (int)j, here, error, mpfr_get_d(k, MPFR_RNDN), allowed);
                double across = isg_load_double(dtype, all[fused], j * n + i);
                ck_assert(memcmp(&here, &across, sizeof here) == 0);
                if (row == ISG_KERNEL_cosine) {
                    ck_assert(fabs(here) <= 1);
                    ck_assert_msg(memcmp(p, q, bytes) != 0 || here == 1 || (here == 0 && (mpfr_zero_p(k) || !promised)),
                                  "%s, %s: k(x, x) = %a", isg_contract_name(dtype, fused), what, here);
                }
                closest[row][dtype == ISG_F64][fused] = fmax(closest[row][dtype == ISG_F64][fused], error / allowed);
            }
        }
    }
    mpfr_clears(k, bound, (mpfr_ptr)NULL);
    free(all[0]);
    free(all[1]);
}

typedef double make(suite_random *random, int64_t i, isg_dtype dtype);

static double easy(suite_random *random, int64_t i, isg_dtype dtype)
{
    (void)i, (void)dtype;
    return random_between(random, -1, 1);
}

static double far_from_origin(suite_random *random, int64_t i, isg_dtype dtype)
{
    (void)i, (void)dtype;
    return 1000 + random_between(random, -1, 1);
}

static double two_clusters(suite_random *random, int64_t i, isg_dtype dtype)
{
    (void)dtype;
    return (i % 2 ? 100 : -100) + random_between(random, -0.05, 0.05);
}

// Points 2q and 2q + 1 differ in the last bit of some coordinates; points 0 and 1 in none. Some products cancel.
static double last_bit(suite_random *random, int64_t i, isg_dtype dtype)
{
    suite_random pair = suite_stream(100 + (uint64_t)(i / 2));
    double base = rounded(dtype, random_between(&pair, 512, 1023));
    double sign = random_below(random, 2) ? -1 : 1;
    return sign * (i > 1 && i % 2 && random_below(random, 2) ? base + ldexp(epsilon(dtype), 9) : base);
}

// From 1e-15 to 1e10, a size for each point; the last one is 0.
static double sizes(suite_random *random, int64_t i, isg_dtype dtype)
{
    (void)dtype;
    return i == 11 ? 0 : random_between(random, -1, 1) * pow(10, -15 + 2.5 * (double)i);
}

// A size for each coordinate.
static double mixed(suite_random *random, int64_t i, isg_dtype dtype)
{
    (void)i, (void)dtype;
    return random_scaled(random, -1, 1, -49, 82);
}

START_TEST(matrix)
{
    static const struct {
        const char *name;
        make *coordinate;
        double size;
    } cases[] = {{"easy", easy, 1},
                 {"1000 +- 1", far_from_origin, 1000},
                 {"clusters at +-100", two_clusters, 100},
                 {"equal but for the last bit", last_bit, 800},
                 {"points of all sizes", sizes, 1e5},
                 {"coordinates of all sizes", mixed, 0x1p32}};
    static const double scales[] = {0.1, 1, 3}, coefs[] = {0, 1, -1, -0.75, 17};
    static const unsigned degrees[] = {1, 2, 3, 7, 25};
    static const int64_t dims[] = {1, 3, 16, 64};
    enum { N = 12 };
    const int row = row_of(_i);
    const bool scaled = isg_kernel_list()[row]->scale != ISG_SCALE_NONE;
    isg_dtype dtype = precisions[_i % 2];
    suite_random random = suite_stream(6000 + (uint64_t)_i);
    for (size_t c = 0; c < COUNT(cases); c++)
        for (size_t q = 0; q < COUNT(dims); q++) {
            int64_t d = dims[q];
            void *x = oracle_array(dtype, N * d);
            for (int64_t i = 0; i < N; i++)
                for (int64_t j = 0; j < d; j++)
                    oracle_put(dtype, x, i * d + j, cases[c].coordinate(&random, i, dtype));
            for (size_t s = 0; s < (scaled ? COUNT(scales) : 1); s++)
                for (size_t b = 0; b < (scaled ? COUNT(coefs) : 1); b++)
                    for (size_t n = 0; n < (row == ISG_KERNEL_polynomial ? COUNT(degrees) : 1); n++) {
                        double gamma = scales[s] / (cases[c].size * cases[c].size * (double)d);
                        check_gram(row, dtype, x, N, d, (setting){gamma, coefs[b], degrees[n]}, cases[c].name);
                    }
            free(x);
        }
}
END_TEST

// x 2^e, with +0 below the smallest normal number and infinity above the largest.
static double shifted(isg_dtype dtype, double x, int e)
{
    double y = rounded(dtype, ldexp(x, e));
    return fabs(y) < oracle_smallest_normal(dtype) ? 0 : y;
}

START_TEST(matrix_of_scaled_points)
{
    enum { N = 10, D = 4 };
    const int row = row_of(_i);
    isg_dtype dtype = precisions[_i % 2];
    const int most = dtype == ISG_F64 ? 450 : 90;
    suite_random random = suite_stream(7000 + (uint64_t)_i);
    double x[N * D], scaled[N * D];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < N * D; i++)
            oracle_put(dtype, x, i,
                       random_below(&random, 9) ? random_scaled(&random, -2, 2, round % 2 ? -12 : 0, 12) : 0);
        setting set = {random_between(&random, 0.01, 2), round - 1.5, 1 + (unsigned)round};
        for (int fused = 0; fused < 2; fused++) {
            void *k = gram(row, dtype, fused, x, N, D, set);
            for (int e = -most; e <= most; e += most / 30) {
                for (int i = 0; i < N * D; i++)
                    oracle_put(dtype, scaled, i, ldexp(isg_load_double(dtype, x, i), e));
                setting same_set = {ldexp(set.gamma, -2 * e), set.coef0, set.degree};
                void *same = gram(row, dtype, fused, scaled, N, D, same_set);
                for (int i = 0; i < N * N; i++) {
                    double here = isg_load_double(dtype, same, i), was = isg_load_double(dtype, k, i);
                    ck_assert_msg(here == shifted(dtype, was, row == ISG_KERNEL_linear ? 2 * e : 0) &&
                                      (here == 0 || !signbit(here) == !signbit(was)),
                                  "%s, %s: %a became %a when scaled by 2^%d", name_of(row),
                                  isg_contract_name(dtype, fused), was, here, e);
                }
                free(same);
            }
            free(k);
        }
    }
}
END_TEST

// NaN meets nothing but NaN; points of length 0 give what f(0) is.
START_TEST(nan_and_zero_points)
{
    enum { N = 6, D = 3, BAD = 4, NONE = 2 };
    const int row = row_of(_i);
    isg_dtype dtype = precisions[_i % 2];
    suite_random random = suite_stream(8000 + (uint64_t)_i);
    double x[N * D];
    for (int i = 0; i < N * D; i++)
        oracle_put(dtype, x, i, i / D == NONE ? 0 : random_between(&random, -1, 1));
    oracle_put(dtype, x, BAD * D + 1, NAN);
    for (int fused = 0; fused < 2; fused++) {
        void *k = gram(row, dtype, fused, x, N, D, (setting){0.7, 2, 3});
        double at_0 = row == ISG_KERNEL_polynomial ? 8 : row == ISG_KERNEL_sigmoid ? rounded(dtype, tanh(2)) : 0;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double here = isg_load_double(dtype, k, i * N + j);
                ck_assert_msg(!!isnan(here) == (i == BAD || j == BAD), "%s, %s: %a at %d, %d", name_of(row),
                              isg_contract_name(dtype, fused), here, i, j);
                if (!isnan(here) && (i == NONE || j == NONE))
                    ck_assert(fabs(here - at_0) <= epsilon(dtype) && !signbit(here));
            }
        free(k);
    }
}
END_TEST

// gamma x.y beyond the largest number, or infinite: tanh is 1 or -1 there; and NaN where 0 meets infinity.
START_TEST(saturated)
{
    for (int i = 0; i < 4; i++) {
        isg_dtype dtype = precisions[i % 2];
        bool fused = i / 2;
        const double big = dtype == ISG_F64 ? 1e100 : 1e10, gamma = dtype == ISG_F64 ? 1e120 : 1e20;
        double x[4], k[16];
        for (int p = 0; p < 4; p++)
            oracle_put(dtype, x, p, (double[]){big, -big, 0, INFINITY}[p]);
        const isg_gram_params params = {.kernel = isg_kernel_find("sigmoid"),
                                        .gamma = gamma,
                                        .allow_nonfinite = 1,
                                        .x = isg_matrix(dtype, x, 4, 1)};
        isg_operator op;
        ck_assert_int_eq(isg_operator_make(&op, &params, dtype, NULL), ISG_OK);
        isg_reference_get(dtype, fused)->gram(&op.plan, &op.x, &op.y, k, 4);
        isg_operator_free(&op);
        for (int at = 0; at < 12; at++) {
            double got = isg_load_double(dtype, k, at);
            if (at / 4 == 2 && at % 4 == 3)
                ck_assert(isnan(got));
            else if (at / 4 == 2 || at % 4 == 2)
                ck_assert(fabs(got - tanh(1)) <= 2 * epsilon(dtype));
            else
                ck_assert_msg(got == ((at / 4 == 1) == (at % 4 == 1) ? 1 : -1), "K[%d, %d] is %g", at / 4, at % 4, got);
        }
    }
}
END_TEST

static void print_worst(void)
{
    printf("%-11s %-21s %8s %8s  %s\n", "row", "contract", "ulp", "of bound", "at; matrix, of its bound");
    for (size_t r = 0; r < COUNT(dot_rows); r++)
        for (int wide = 0; wide < 2; wide++)
            for (int fused = 0; fused < 2; fused++) {
                const struct worst *w = &worst[dot_rows[r]][wide][fused];
                printf("%-11s %-21s %8.3f %8.3f  s = %.9g, a = %.9g, b = %.9g, c = %g; %.3f\n", name_of(dot_rows[r]),
                       isg_contract_name(precisions[wide], fused), w->error, w->error / 2, w->s, w->n.a, w->n.b, w->n.c,
                       closest[dot_rows[r]][wide][fused]);
            }
}

int main(void)
{
    static const TTest *const *const tests[] = {&formula, &matrix, &matrix_of_scaled_points, &nan_and_zero_points};
    Suite *suite = suite_create("dot");
    TCase *all = tcase_create("registry");
    tcase_add_test(all, every_row_of_products_is_here);
    tcase_add_test(all, saturated);
    suite_add_tcase(suite, all);
    for (size_t i = 0; i < COUNT(tests); i++) {
        TCase *one = tcase_create((*tests[i])->name);
        tcase_add_loop_test(one, *tests[i], 0, 2 * COUNT(dot_rows));
        suite_add_tcase(suite, one);
    }
    int status = suite_run(suite);
    print_worst();
    return status;
}
