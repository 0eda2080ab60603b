// What each row of the kernel registry promises, on the host's reference, against MPFR: its formula within its bound at
// the argument it is given, and its Gram matrix
//   |K - k| <= (d + 4) eps s |dk/ds| + the row's bound,   s: the pair's number; d + 8 for chi2, whose terms have more
//                                                         roundings than a square,
// on easy and on hostile data, symmetric, with the row's own value on the diagonal, and the same bits when points and
// lengthscale are scaled by one power of two. Rows of products have other bounds: test_dot.c.
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

// Test i of a loop is for row i/2 in precision i % 2.
static int row_of(int i)
{
    return i / 2;
}

static const isg_kernel *kernel_of(int row)
{
    return isg_kernel_list()[row];
}

static double epsilon(isg_dtype dtype)
{
    return dtype == ISG_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
}

static double rounded(isg_dtype dtype, double x)
{
    return dtype == ISG_F64 ? x : (double)(float)x;
}

// The row's bound in ulps where its value is k.
static double bound(int row, mpfr_srcptr k)
{
    if (row != ISG_KERNEL_periodic)
        return 2;
    mpfr_t t;
    mpfr_init2(t, ORACLE_BITS);
    mpfr_log(t, k, MPFR_RNDN);
    double exponent = -mpfr_get_d(t, MPFR_RNDN);
    mpfr_clear(t);
    return 2 + 8 * exponent;
}

// ---- The formula ----

// Of each row, precision and arithmetic: the largest error in ulps; its largest part of the bound, and where that is.
static struct worst {
    double error, part;
    double u, a, b, result, exact;
} worst[ISG_KERNEL_COUNT][2][2];

static double largest_argument(int row, isg_dtype dtype)
{
    return row == ISG_KERNEL_periodic ? 1e6 : dtype == ISG_F64 ? 0x1p1000 : 0x1p120;
}

// The largest 2^n at which the row's value is a normal number and its argument one that counts.
static double reach(int row, isg_dtype dtype, double b)
{
    double u = 0x1p20;
    mpfr_t at, k, slope, second;
    mpfr_inits2(ORACLE_BITS, at, k, slope, second, (mpfr_ptr)NULL);
    mpfr_set_d(second, b, MPFR_RNDN);
    for (;; u /= 2) {
        mpfr_set_d(at, u, MPFR_RNDN);
        oracle_row(k, slope, kernel_of(row)->name, at, second);
        if (oracle_is_normal(k, dtype))
            break;
    }
    mpfr_clears(at, k, slope, second, (mpfr_ptr)NULL);
    return u;
}

// A row's second number as a plan could have it.
static double second_number(suite_random *random, int row, isg_dtype dtype)
{
    double wide = exp(random_between(random, log(0.05), log(50)));
    if (row == ISG_KERNEL_rational_quadratic)
        return -rounded(dtype, random_below(random, 4) ? wide : random_scaled(random, 1, 2, -12, 24));
    if (row == ISG_KERNEL_periodic)
        return rounded(dtype, 2 / (wide * wide));
    if (kernel_of(row)->scale == ISG_SCALE_NONE)
        return (double)(random_below(random, 121) - 60);
    return 0;
}

// An argument: of any size; where the value is neither near its limit nor 0; or beside a zero, a pole or a border.
static double argument(suite_random *random, int row, isg_dtype dtype, double far)
{
    int least = dtype == ISG_F64 ? -1000 : -120;
    switch (random_below(random, 5)) {
    case 0: return random_scaled(random, 1, 2, least, -2 * least);
    case 1: return random_scaled(random, 1, 2, -30, 40);
    case 2: return random_between(random, 0, 2 * far);
    case 3: return random_between(random, 0, 2);
    default: break;
    }
    int digits = dtype == ISG_F64 ? 54 : 25;
    double near = random_scaled(random, -1, 1, -digits, digits + 1);
    if (row != ISG_KERNEL_periodic)
        return 1 + near;
    double d = 0.5 * (double)random_below(random, 2000) + near;
    return d * d;
}

START_TEST(formula)
{
    enum { DRAWS = 100, N = 200 };
    const int row = row_of(_i);
    const isg_kernel *kernel = kernel_of(row);
    isg_dtype dtype = precisions[_i % 2];
    const double least = oracle_smallest_normal(dtype);
    if (kernel->pair == ISG_PAIR_DOT)
        return;
    suite_random random = suite_stream(1000 + (uint64_t)_i);
    double numbers[N], results[2][N], arguments[N];
    mpfr_t u, b, k, slope;
    mpfr_inits2(ORACLE_BITS, u, b, k, slope, (mpfr_ptr)NULL);
    for (int draw = 0; draw < DRAWS; draw++) {
        isg_numbers n = {1, 0, 0};
        if (kernel->scale != ISG_SCALE_NONE)
            n.a = rounded(dtype, random_scaled(&random, 1, 2, -2, 4));
        n.b = second_number(&random, row, dtype);
        double far = reach(row, dtype, n.b);
        for (int i = 0; i < N; i++) {
            do { // products of two floats are exact in double
                double s = rounded(dtype, argument(&random, row, dtype, far) / n.a);
                arguments[i] = rounded(dtype, s * n.a);
                oracle_put(dtype, numbers, i, s);
            } while (!(arguments[i] >= least && arguments[i] <= largest_argument(row, dtype)));
        }
        for (int fused = 0; fused < 2; fused++)
            isg_reference_get(dtype, fused)->formula(row, numbers, n, results[fused], N);
        mpfr_set_d(b, n.b, MPFR_RNDN);
        for (int i = 0; i < N; i++) {
            mpfr_set_d(u, arguments[i], MPFR_RNDN);
            oracle_row(k, slope, kernel->name, u, b);
            double allowed = bound(row, k);
            for (int fused = 0; fused < 2; fused++) {
                double result = isg_load_double(dtype, results[fused], i);
                double error = oracle_row_error(result, k, dtype, allowed);
                struct worst *here = &worst[row][_i % 2][fused];
                here->error = fmax(here->error, error);
                if (!(error / allowed <= here->part)) {
                    *here = (struct worst){here->error, error / allowed,         arguments[i], n.a, n.b,
                                           result,      mpfr_get_d(k, MPFR_RNDN)};
                }
            }
        }
    }
    // Both arithmetics are heard before either fails.
    char message[2][300];
    for (int fused = 0; fused < 2; fused++) {
        const struct worst *w = &worst[row][_i % 2][fused];
        snprintf(message[fused], sizeof *message, "%s: f(u = %a, a = %a, b = %a) = %a, exact %a: %g of the bound",
                 isg_contract_name(dtype, fused), w->u, w->a, w->b, w->result, w->exact, w->part);
    }
    ck_assert_msg(worst[row][_i % 2][0].part <= 1 && worst[row][_i % 2][1].part <= 1, "%s, %s; %s", kernel->name,
                  message[0], message[1]);
    mpfr_clears(u, b, k, slope, (mpfr_ptr)NULL);
}
END_TEST

// ---- The matrix ----

// What sets a row's scale, as a caller says it.
typedef struct setting {
    double gamma, length, param;
} setting;

// For points about `distance` apart in each of d dimensions.
static setting setting_of(int row, double distance, int64_t d, double param)
{
    bool squares = kernel_of(row)->pair == ISG_PAIR_SQDIST;
    double length = distance * (squares ? sqrt((double)d) : (double)d);
    setting set = {.gamma = squares ? 0.5 / (length * length) : 1 / length, .length = length, .param = param};
    if (row == ISG_KERNEL_periodic) {
        set.param = length;
        set.length = param;
    }
    return set;
}

// The same for points 2^e as far apart.
static setting setting_scaled(int row, setting set, int e)
{
    set.gamma = ldexp(set.gamma, kernel_of(row)->pair == ISG_PAIR_SQDIST ? -2 * e : -e);
    if (row == ISG_KERNEL_periodic)
        set.param = ldexp(set.param, e);
    else
        set.length = ldexp(set.length, e);
    return set;
}

// K(X, X) of n points, as an array to be freed.
static void *gram(int row, isg_dtype dtype, bool fused, const void *x, int64_t n, int64_t d, setting set)
{
    const isg_kernel *kernel = kernel_of(row);
    const isg_setting own = {kernel->params[0].name, set.param};
    const isg_gram_params params = {.kernel = kernel,
                                    .x = isg_matrix(dtype, x, n, d),
                                    .gamma = kernel->scale < ISG_SCALE_LENGTHSCALE ? set.gamma : 0,
                                    .lengthscale = kernel->scale == ISG_SCALE_LENGTHSCALE ? set.length : 0,
                                    .settings = &own,
                                    .setting_count = own.name != NULL,
                                    .allow_nonfinite = 1};
    isg_operator op;
    isg_error error = {0};
    ck_assert_msg(isg_operator_make(&op, &params, dtype, &error) == ISG_OK, "%s", error.message);
    void *k = oracle_array(dtype, n * n);
    isg_reference_get(dtype, fused)->gram(&op.plan, &op.x, &op.y, k, n);
    isg_operator_free(&op);
    return k;
}

// The largest |K - exact| as a part of what is allowed.
static double closest[ISG_KERNEL_COUNT][2][2];

// The value on the diagonal, and never -0.
static bool on_diagonal(int row, double value)
{
    double expected = kernel_of(row)->on_diagonal;
    return value == expected && !!signbit(value) == (expected < 0);
}

static void check_gram(int row, isg_dtype dtype, const void *x, int64_t n, int64_t d, setting set, const char *what)
{
    const isg_kernel *kernel = kernel_of(row);
    size_t bytes = (size_t)d * isg_dtype_bytes(dtype);
    void *all[2] = {gram(row, dtype, false, x, n, d, set), gram(row, dtype, true, x, n, d, set)};
    mpfr_t s, u, b, k, slope;
    mpfr_inits2(ORACLE_BITS, s, u, b, k, slope, (mpfr_ptr)NULL);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i; j < n; j++) {
            const char *p = (const char *)x + (size_t)i * bytes, *q = (const char *)x + (size_t)j * bytes;
            if (kernel->pair == ISG_PAIR_SQDIST)
                oracle_sqdist(s, p, q, d, dtype);
            else if (kernel->pair == ISG_PAIR_L1)
                oracle_l1(s, p, q, d, dtype);
            else
                oracle_chi2(s, p, q, d, dtype);
            oracle_row_numbers(u, b, kernel->name, s, set.gamma, set.length, set.param);
            oracle_row(k, slope, kernel->name, u, b);
            mpfr_mul_d(slope, slope, (double)(d + (kernel->pair == ISG_PAIR_CHI2 ? 8 : 4)) * epsilon(dtype), MPFR_RNDN);
            mpfr_mul_2si(slope, slope, -oracle_ulp(k, dtype), MPFR_RNDN);
            double allowed = fabs(mpfr_get_d(slope, MPFR_RNDN)) + bound(row, k);
            for (int fused = 0; fused < 2; fused++) {
                double here = isg_load_double(dtype, all[fused], i * n + j),
                       error = oracle_row_error(here, k, dtype, allowed);
                ck_assert_msg(
                    error <= allowed,
                    "%s, %s, %s, d = %d, gamma = %a, length = %a, param = %a, at %d, %d: %a is %g ulp from the "
                    "exact %.17g at u = %.17g; %g are allowed",
                    kernel->name, isg_contract_name(dtype, fused), what, (int)d, set.gamma, set.length, set.param,
                    (int)i, (int)j, here, error, mpfr_get_d(k, MPFR_RNDN), mpfr_get_d(u, MPFR_RNDN), allowed);
                ck_assert_double_eq(here, isg_load_double(dtype, all[fused], j * n + i));
                ck_assert_msg(!mpfr_zero_p(s) || on_diagonal(row, here), "%s, %s: k(x, x) = %a", kernel->name,
                              isg_contract_name(dtype, fused), here);
                closest[row][dtype == ISG_F64][fused] = fmax(closest[row][dtype == ISG_F64][fused], error / allowed);
            }
        }
    }
    mpfr_clears(s, u, b, k, slope, (mpfr_ptr)NULL);
    free(all[0]);
    free(all[1]);
}

// A coordinate as the row takes it: chi2 wants none below 0, and has a place where it looks, which is 0.
static double taken(suite_random *random, int row, double x)
{
    if (kernel_of(row)->pair != ISG_PAIR_CHI2)
        return x;
    return random_below(random, 5) ? fabs(x) : 0;
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

// Points 2q and 2q + 1 differ in the last bit of some coordinates; points 0 and 1 in none.
static double last_bit(suite_random *random, int64_t i, isg_dtype dtype)
{
    suite_random pair = suite_stream(100 + (uint64_t)(i / 2));
    double base = rounded(dtype, random_between(&pair, 512, 1023));
    return i > 1 && i % 2 && random_below(random, 2) ? base + ldexp(epsilon(dtype), 9) : base;
}

// Parameters are numbers of both precisions: what rounding them takes away is no part of the bound.
START_TEST(matrix)
{
    static const struct {
        const char *name;
        make *coordinate;
        double distances[3]; // about the lengthscale over sqrt(d), or the period
    } cases[] = {
        {"easy", easy, {0.2, 0.9, 20}},
        {"1000 +- 1", far_from_origin, {0.2, 0.9, 20}},
        {"clusters at +-100", two_clusters, {30, 110, 2000}},
        {"equal but for the last bit", last_bit, {60, 400, 1e4}},
    };
    static const double params[] = {0.5, 1, 1.25, 7};
    static const int64_t dims[] = {1, 3, 16, 64};
    enum { N = 12 };
    const int row = row_of(_i);
    isg_dtype dtype = precisions[_i % 2];
    if (kernel_of(row)->pair == ISG_PAIR_DOT)
        return;
    suite_random random = suite_stream(2000 + (uint64_t)_i);
    for (size_t c = 0; c < COUNT(cases); c++) {
        for (size_t q = 0; q < COUNT(dims); q++) {
            int64_t d = dims[q];
            void *x = oracle_array(dtype, N * d);
            for (int64_t i = 0; i < N; i++)
                for (int64_t j = 0; j < d; j++)
                    oracle_put(dtype, x, i * d + j, taken(&random, row, cases[c].coordinate(&random, i, dtype)));
            for (size_t s = 0; s < COUNT(cases[c].distances); s++)
                for (size_t p = 0; p < (kernel_of(row)->params[0].name ? COUNT(params) : 1); p++)
                    check_gram(row, dtype, x, N, d, setting_of(row, cases[c].distances[s], d, params[p]),
                               cases[c].name);
            free(x);
        }
    }
}
END_TEST

// x 2^e, with +0 below the smallest normal number and infinity above the largest.
static double shifted(isg_dtype dtype, double x, int e)
{
    double y = rounded(dtype, ldexp(x, e));
    return fabs(y) < oracle_smallest_normal(dtype) ? 0 : y;
}

// K(2^e X, 2^e l) = K(X, l), bit by bit; distances grow by the power of two.
START_TEST(matrix_of_scaled_points)
{
    enum { N = 10, D = 4 };
    const int row = row_of(_i);
    const isg_kernel *kernel = kernel_of(row);
    isg_dtype dtype = precisions[_i % 2];
    const int most = dtype == ISG_F64 ? 450 : 90;
    const int power = kernel->scale != ISG_SCALE_NONE ? 0 : kernel->growth;
    if (kernel->pair == ISG_PAIR_DOT)
        return;
    suite_random random = suite_stream(3000 + (uint64_t)_i);
    double x[N * D], scaled[N * D];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < N * D; i++)
            oracle_put(dtype, x, i, taken(&random, row, (round % 2 ? 50 : 0) + random_scaled(&random, 1, 2, -12, 12)));
        setting set = setting_of(row, random_between(&random, 0.2, 2), D, random_between(&random, 0.4, 3));
        for (int fused = 0; fused < 2; fused++) {
            void *k = gram(row, dtype, fused, x, N, D, set);
            for (int e = -most; e <= most; e += most / 30) {
                for (int i = 0; i < N * D; i++)
                    oracle_put(dtype, scaled, i, ldexp(isg_load_double(dtype, x, i), e));
                void *same = gram(row, dtype, fused, scaled, N, D, setting_scaled(row, set, e));
                for (int i = 0; i < N * N; i++) {
                    double here = isg_load_double(dtype, same, i), was = isg_load_double(dtype, k, i);
                    ck_assert_msg(here == shifted(dtype, was, power * e) && !signbit(here) == !signbit(was),
                                  "%s, %s: %a became %a when scaled by 2^%d", kernel->name,
                                  isg_contract_name(dtype, fused), was, here, e);
                }
                free(same);
            }
            free(k);
        }
    }
}
END_TEST

// NaN meets nothing but NaN, and points that are equal give what the diagonal has.
START_TEST(nan_and_equal_points)
{
    enum { N = 7, D = 3, BAD = 4 };
    const int row = row_of(_i);
    isg_dtype dtype = precisions[_i % 2];
    if (kernel_of(row)->pair == ISG_PAIR_DOT)
        return;
    suite_random random = suite_stream(4000 + (uint64_t)_i);
    double x[N * D];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++)
            oracle_put(dtype, x, i * D + j,
                       i > 0 && i < 3 ? isg_load_double(dtype, x, j)
                                      : taken(&random, row, random_between(&random, -1, 1)));
    oracle_put(dtype, x, BAD * D + 1, NAN);
    for (int fused = 0; fused < 2; fused++) {
        void *k = gram(row, dtype, fused, x, N, D, setting_of(row, 0.7, D, 1.5));
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                double here = isg_load_double(dtype, k, i * N + j);
                ck_assert_int_eq(!!isnan(here), i == BAD || j == BAD);
                ck_assert(i == BAD || j == BAD || !(i == j || (i < 3 && j < 3)) || on_diagonal(row, here));
            }
        }
        free(k);
    }
}
END_TEST

// Squares overflow from 2^64 (2^512) lengthscales on: a value is right there, or the operator is refused. Rows that are
// 0 or next to it there are never refused. periodic has no bound so far away.
START_TEST(far_apart)
{
    enum { N = 5, D = 2 };
    static const double params[] = {0x1p-7, 0.5, 1, 1.0625, 7};
    const int row = row_of(_i);
    const isg_kernel *kernel = kernel_of(row);
    isg_dtype dtype = precisions[_i % 2];
    const int middle = dtype == ISG_F64 ? 512 : 64;
    if (kernel->pair == ISG_PAIR_DOT || kernel->scale == ISG_SCALE_NONE || row == ISG_KERNEL_periodic)
        return;
    double x[N * D];
    int made = 0;
    for (int e = middle - 30; e <= middle + 12; e++) {
        for (int unit = -30; unit <= 30; unit += 30) {
            for (int i = 0; i < N * D; i++)
                oracle_put(dtype, x, i, taken(&(suite_random){1}, row, ldexp(1 + i / 8.0, e + unit)) * (i > 1));
            for (size_t p = 0; p < (kernel->params[0].name ? COUNT(params) : 1); p++) {
                double length = ldexp(1, unit);
                setting set = setting_of(row, length, D, params[p]);
                set.length = length;
                const isg_setting own = {kernel->params[0].name, set.param};
                const isg_gram_params tried = {.kernel = kernel,
                                               .x = isg_matrix(dtype, x, N, D),
                                               .gamma = kernel->scale < ISG_SCALE_LENGTHSCALE ? set.gamma : 0,
                                               .lengthscale = kernel->scale < ISG_SCALE_LENGTHSCALE ? 0 : set.length,
                                               .settings = &own,
                                               .setting_count = own.name != NULL};
                isg_operator op;
                isg_status st = isg_operator_make(&op, &tried, dtype, NULL);
                ck_assert_msg(st == ISG_OK || (st == ISG_ERR_RANGE && kernel->far && e > (dtype == ISG_F64 ? 492 : 53)),
                              "%s: %s, 2^%d", kernel->name, isg_status_name(st), e);
                if (st)
                    continue;
                isg_operator_free(&op);
                made++;
                check_gram(row, dtype, x, N, D, set, "far apart");
            }
        }
    }
    ck_assert_int_gt(made, 0);
}
END_TEST

static void print_worst(void)
{
    printf("%-21s %-21s %8s %8s  %s\n", "row", "contract", "ulp", "of bound", "at (of bound); matrix, of its bound");
    for (int row = 0; row < ISG_KERNEL_COUNT; row++)
        for (int wide = 0; wide < 2; wide++)
            for (int fused = 0; fused < 2; fused++) {
                const struct worst *w = &worst[row][wide][fused];
                if (kernel_of(row)->pair == ISG_PAIR_DOT)
                    continue;
                printf("%-21s %-21s %8.3f %8.3f  u = %.9g, b = %.9g; %.3f\n", kernel_of(row)->name,
                       isg_contract_name(precisions[wide], fused), w->error, w->part, w->u, w->b,
                       closest[row][wide][fused]);
            }
}

int main(void)
{
    static const TTest *const *const tests[] = {&formula, &matrix, &matrix_of_scaled_points, &nan_and_equal_points,
                                                &far_apart};
    Suite *suite = suite_create("rows");
    for (size_t i = 0; i < COUNT(tests); i++) {
        TCase *one = tcase_create((*tests[i])->name);
        tcase_add_loop_test(one, *tests[i], 0, 2 * ISG_KERNEL_COUNT);
        suite_add_tcase(suite, one);
    }
    int status = suite_run(suite);
    print_worst();
    return status;
}
