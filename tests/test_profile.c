// The promises of the weights of one axis, from isg_grid_resolve to isg_profile, against their definitions in MPFR:
//   |w - exact| <= 4 ulp in every sampling, unnormalised or as a density, in the bulk and in the tails (0 where exact
//   is below the smallest normal number);
//   |sum w - 1| <= 2^-52; max w = 1; w[i] = w[n-1-i] exactly when from = -to.
#include "oracle.h"
#include "suite.h"

#include "profile.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double worst[ISG_SAMPLING_COUNT];

static isg_axis resolved(const isg_grid_params *params)
{
    isg_grid_plan plan;
    isg_error error = {0};
    ck_assert_msg(isg_grid_resolve(&plan, params, &error) == ISG_OK, "%s", error.message);
    ck_assert_int_eq(plan.axis[0].size, params->size[0] ? params->size[0] : plan.axis[0].size);
    return plan.axis[0];
}

static double *profile(const isg_axis *axis)
{
    isg_error error = {0};
    double *weights = oracle_array(ISG_F64, axis->size);
    ck_assert_msg(isg_profile(axis, weights, &error) == ISG_OK, "%s", error.message);
    return weights;
}

static isg_status status_of(const isg_grid_params *params)
{
    isg_grid_plan plan;
    isg_error error = {0};
    isg_status status = isg_grid_resolve(&plan, params, &error);
    if (!status) {
        double *weights = oracle_array(ISG_F64, plan.axis[0].size);
        status = isg_profile(&plan.axis[0], weights, &error);
        free(weights);
    }
    ck_assert_int_eq(error.status, status);
    ck_assert(!status || error.message[0]);
    return status;
}

// Weight i as defined, before normalisation.
static void exact_weight(mpfr_ptr w, const isg_axis *axis, int64_t i)
{
    switch (axis->sampling) {
    case ISG_SAMPLING_INTEGRATED: oracle_cell(w, i, axis->size, axis->from, axis->to, axis->sigma); break;
    case ISG_SAMPLING_BESSEL: oracle_bessel(w, (int64_t)axis->from + i, axis->sigma); break;
    case ISG_SAMPLING_DELTA: oracle_delta(w, i, axis->size, axis->sigma); break;
    default: oracle_point(w, i, axis->size, axis->from, axis->to, axis->sigma);
    }
}

static void check_weight(const isg_axis *axis, int64_t i, double weight, mpfr_srcptr exact)
{
    double error = oracle_error(weight, exact, ISG_F64);
    if (weight == 0 && !oracle_is_normal(exact, ISG_F64))
        error = 0;
    if (!(error <= 4) || signbit(weight))
        ck_abort_msg("%s %s, sigma %.17g, weight %lld of %lld from %.17g to %.17g: %a is %g ulp from %.17g",
                     isg_sampling_name(axis->sampling), isg_normalize_name(axis->normalize), axis->sigma, (long long)i,
                     (long long)axis->size, axis->from, axis->to, weight, error, mpfr_get_d(exact, MPFR_RNDN));
    worst[axis->sampling] = fmax(worst[axis->sampling], error);
}

// Every `step`th weight and the last, as they are and as a density.
static void check_axis(isg_axis axis, int64_t step)
{
    axis.normalize = ISG_NORMALIZE_NONE;
    double *plain = profile(&axis);
    axis.normalize = ISG_NORMALIZE_DENSITY;
    double *density = profile(&axis);
    mpfr_t exact, by;
    mpfr_inits2(ORACLE_BITS, exact, by, (mpfr_ptr)NULL);
    mpfr_set_ui(by, 1, MPFR_RNDN);
    if (axis.sampling == ISG_SAMPLING_POINT) {
        oracle_density(by, axis.sigma);
    } else if (axis.sampling == ISG_SAMPLING_INTEGRATED) {
        mpfr_set_d(by, axis.to, MPFR_RNDN);
        mpfr_sub_d(by, by, axis.from, MPFR_RNDN);
        mpfr_div_si(by, by, axis.size, MPFR_RNDN);
    }
    for (int64_t i = 0; i < axis.size; i = i + step < axis.size || i == axis.size - 1 ? i + step : axis.size - 1) {
        exact_weight(exact, &axis, i);
        axis.normalize = ISG_NORMALIZE_NONE;
        check_weight(&axis, i, plain[i], exact);
        mpfr_div(exact, exact, by, MPFR_RNDN);
        axis.normalize = ISG_NORMALIZE_DENSITY;
        check_weight(&axis, i, density[i], exact);
    }
    for (int64_t i = 0; i < axis.size && axis.from == -axis.to; i++)
        ck_assert(plain[i] == plain[axis.size - 1 - i] && density[i] == density[axis.size - 1 - i]);
    mpfr_clears(exact, by, (mpfr_ptr)NULL);
    free(plain);
    free(density);
}

static void check(isg_sampling sampling, int64_t size, double sigma, double from, double to, int64_t step)
{
    const isg_axis axis = resolved(
        isg_grid_params(.ndim = 1, .size = {size}, .sigma = {sigma}, .from = {from}, .to = {to}, .sampling = sampling));
    check_axis(axis, step);
}

static void check_both(int64_t size, double sigma, double from, double to, int64_t step)
{
    check(ISG_SAMPLING_POINT, size, sigma, from, to, step);
    check(ISG_SAMPLING_INTEGRATED, size, sigma, from, to, step);
}

START_TEST(every_size)
{
    suite_random random = suite_stream(1);
    for (int64_t size = 1; size <= 200; size++) {
        double sigma = exp(random_between(&random, log(0.05), log(100)));
        check_both(size, sigma, 0, 0, 1 + size / 7);
        check_both(size, 1, 0, 0, 1 + size / 7);
    }
}
END_TEST

// Cells of any width anywhere within 37 sigma, where exp(-x^2/2) is a normal number still.
START_TEST(any_range)
{
    suite_random random = suite_stream(2);
    for (int i = 0; i < 300; i++) {
        double sigma = exp(random_between(&random, log(1e-3), log(1e3)));
        double a = random_between(&random, -37, 37), b = random_between(&random, -37, 37);
        if (i % 3 == 0)
            b = a + exp(random_between(&random, -30, 1));
        check_both(1 + random_below(&random, 60), sigma, fmin(a, b) * sigma, fmin(fmax(a, b), 37) * sigma, 4);
    }
}
END_TEST

START_TEST(tails_and_widths)
{
    check_both(2001, 1, -3, 3, 23);
    check_both(2001, 1, -37, 37, 23);
    check_both(200, 0.1, 3, 3.7, 7);
    check_both(75, 1, -37, 37, 1);
    check_both(2, 1, 36.9, 37, 1);
    check_both(1, 1, 36, 37, 1);
    check_both(4, 1, 37, 37 + 1e-9, 1);
    check_both(3, 1, -1e6, 1e6, 1);
    check_both(2, 1, -1e6, 1e6, 1);
    check_both(4, 1, -1e6, 1e6, 1);
    check_both(1, 1, -1e6, 1e6, 1);
    check_both(3, 2.5e5, -1e6, 1e6, 1);
    check_both(1, 1, 1e-9, 1e6, 1);
    check_both(7, 1, -1e-300, 1e-300, 1);
    check_both(5, 1e-8, -2e-8, 3e-8, 1);
    check_both(5, 1e90, -2e90, 3e90, 1);
    check_both(11, 1.7, 1e-7, 50, 1);
}
END_TEST

// The probability of such a cell is below the smallest normal number; its density is not.
START_TEST(density_of_narrow_cells_in_the_tail)
{
    check(ISG_SAMPLING_INTEGRATED, 40, 1, 36.99, 36.99 + 1e-13, 1);
    check(ISG_SAMPLING_INTEGRATED, 7, 1, 35, 35 + 2e-14, 1);
}
END_TEST

// Very small sigma: T(0) = 1 - t + ..., T(1) = t/2 - ..., as long as they are normal numbers.
START_TEST(bessel_of_tiny_sigma)
{
    const double sigmas[] = {1e-10, 1e-50, 1e-77, 1e-90, 1e-99};
    for (size_t s = 0; s < COUNT(sigmas); s++)
        check(ISG_SAMPLING_BESSEL, 7, sigmas[s], 0, 0, 1);
}
END_TEST

START_TEST(bessel)
{
    const double sigmas[] = {1e-3, 0.01, 0.1, 0.3, 0.5, 1, 1.5, 3, 7.7, 10, 30, 100};
    suite_random random = suite_stream(3);
    for (size_t s = 0; s < COUNT(sigmas); s++) {
        double sigma = sigmas[s];
        for (int64_t size = 1; size <= 200; size += 1 + size / 4)
            check(ISG_SAMPLING_BESSEL, size, sigma, 0, 0, 1 + size / 20);
        check(ISG_SAMPLING_BESSEL, 61, sigma, 3, 63, 3);
        check(ISG_SAMPLING_BESSEL, 61, sigma, -63, -3, 3);
        int64_t far = (int64_t)(37 * sigma) + 40; // beyond the smallest normal number, or close
        check(ISG_SAMPLING_BESSEL, 2 * far + 1, sigma, (double)-far, (double)far, 1 + far / 17);
        check(ISG_SAMPLING_BESSEL, 40, random_between(&random, 0.2, 2) * sigma, 0, 0, 3);
    }
}
END_TEST

START_TEST(delta)
{
    for (int64_t size = 1; size <= 40; size++) {
        const double sigmas[] = {1e-3, 0.124, 0.125, 0.3, 1, 2.9, 30};
        for (size_t s = 0; s < COUNT(sigmas); s++)
            check(ISG_SAMPLING_DELTA, size, sigmas[s], 0, 0, 1);
    }
}
END_TEST

START_TEST(normalized)
{
    suite_random random = suite_stream(4);
    mpfr_t sum;
    mpfr_init2(sum, 2200); // holds any sum of doubles without rounding
    for (int i = 0; i < 2000; i++) {
        isg_sampling sampling = (isg_sampling)(1 + random_below(&random, ISG_SAMPLING_COUNT - 1));
        int64_t size = 1 + random_below(&random, 200);
        double sigma = exp(random_between(&random, log(0.2), log(50)));
        double from = 0, to = 0;
        if (i % 2 && (sampling == ISG_SAMPLING_POINT || sampling == ISG_SAMPLING_INTEGRATED)) {
            from = random_between(&random, -30, 30) * sigma;
            to = from + random_between(&random, 0.01, 7) * sigma;
        }
        isg_axis axis = resolved(isg_grid_params(.ndim = 1, .size = {size}, .sigma = {sigma}, .from = {from},
                                                 .to = {to}, .sampling = sampling));
        ck_assert_int_eq(axis.normalize, ISG_NORMALIZE_SUM);
        double *weights = profile(&axis);
        mpfr_set_zero(sum, 1);
        for (int64_t k = 0; k < size; k++) {
            ck_assert_int_eq(mpfr_add_d(sum, sum, weights[k], MPFR_RNDN), 0);
            ck_assert(weights[k] == 0 || weights[k] >= DBL_MIN);
            if (from == 0 && axis.from == -axis.to)
                ck_assert(weights[k] == weights[size - 1 - k]);
        }
        mpfr_sub_ui(sum, sum, 1, MPFR_RNDN);
        ck_assert_msg(fabs(mpfr_get_d(sum, MPFR_RNDA)) <= DBL_EPSILON, "%s, size %lld, sigma %g: the sum is 1 + %g",
                      isg_sampling_name(sampling), (long long)size, sigma, mpfr_get_d(sum, MPFR_RNDN));
        axis.normalize = ISG_NORMALIZE_MAX;
        isg_profile(&axis, weights, NULL);
        double most = 0;
        for (int64_t k = 0; k < size; k++)
            most = fmax(most, weights[k]);
        ck_assert_double_eq(most, 1);
        free(weights);
    }
    mpfr_clear(sum);
}
END_TEST

// The weights of a recipe are, bit by bit, those of the options that it stands for.
static void same(const isg_grid_params *recipe, const isg_grid_params *options)
{
    isg_axis a = resolved(recipe), b = resolved(options);
    ck_assert_int_eq(a.size, b.size);
    double *left = profile(&a), *right = profile(&b);
    for (int64_t i = 0; i < a.size; i++)
        ck_assert_msg(left[i] == right[i], "%s, size %lld: weight %lld is %a, and %a by options", recipe->like,
                      (long long)a.size, (long long)i, left[i], right[i]);
    free(left);
    free(right);
}

#define LIKE(...)    isg_grid_params(.ndim = 1, .like = __VA_ARGS__)
#define OPTIONS(...) isg_grid_params(.ndim = 1, __VA_ARGS__)

START_TEST(recipes_are_their_options)
{
    for (int64_t n = 1; n <= 40; n++) {
        double half = (double)n / 2, middle = (double)(n / 2), sigma = 0.3 + 0.2 * (double)n,
               nsig = 0.5 + (double)n / 9;
        same(LIKE("gkern", .size = {n}, .nsig = nsig),
             OPTIONS(.size = {n}, .sampling = ISG_SAMPLING_INTEGRATED, .sigma = {1}, .from = {-nsig}, .to = {nsig}));
        same(LIKE("gkern-delta", .size = {n}, .sigma = {sigma}),
             OPTIONS(.size = {n}, .sampling = ISG_SAMPLING_DELTA, .sigma = {sigma}, .normalize = ISG_NORMALIZE_NONE));
        same(LIKE("gkern-point", .size = {n}, .sigma = {sigma}), OPTIONS(.size = {n}, .sigma = {sigma}));
        same(LIKE("window", .size = {n}, .sigma = {sigma}),
             OPTIONS(.size = {n}, .sigma = {sigma}, .normalize = ISG_NORMALIZE_NONE));
        same(LIKE("mask", .size = {n}, .sigma = {sigma}),
             OPTIONS(.size = {n}, .sigma = {sigma}, .from = {-half}, .to = {half}, .normalize = ISG_NORMALIZE_NONE));
        // At size 1 the one sample is at 0, which as options is the default.
        same(LIKE("loop", .size = {n}, .sigma = {sigma}),
             OPTIONS(.size = {n}, .sigma = {sigma}, .from = {-middle}, .to = {(double)(n - 1) - middle}));
    }
    same(LIKE("linspace"), OPTIONS(.size = {50}, .sigma = {3}, .from = {-10}, .to = {10}));
    same(LIKE("gkern"),
         OPTIONS(.size = {21}, .sampling = ISG_SAMPLING_INTEGRATED, .sigma = {1}, .from = {-3}, .to = {3}));
    same(LIKE("gkern-delta"),
         OPTIONS(.size = {21}, .sampling = ISG_SAMPLING_DELTA, .sigma = {3}, .normalize = ISG_NORMALIZE_NONE));
    same(LIKE("gkern-point"), OPTIONS(.size = {5}, .sigma = {1}));
    same(LIKE("window"), OPTIONS(.size = {21}, .sigma = {3}, .normalize = ISG_NORMALIZE_NONE));
    same(LIKE("loop"), OPTIONS(.size = {3}, .sigma = {1}));
}
END_TEST

// Old gkern: the outer product's square root is the outer product of the square roots, so w = sqrt(p)/sum sqrt(p) on
// each axis.
START_TEST(gkern_sqrt)
{
    const isg_grid_params *params = LIKE("gkern-sqrt", .size = {9}, .nsig = 2.5);
    isg_axis axis = resolved(params);
    double *weights = profile(&axis), interval = 6.0 / 9;
    mpfr_t w[9], sum;
    mpfr_init2(sum, ORACLE_BITS);
    mpfr_set_zero(sum, 1);
    for (int64_t i = 0; i < 9; i++) {
        mpfr_init2(w[i], ORACLE_BITS);
        oracle_cell(w[i], i, 9, -2.5 - interval / 2, 2.5 + interval / 2, 1);
        mpfr_sqrt(w[i], w[i], MPFR_RNDN);
        mpfr_add(sum, sum, w[i], MPFR_RNDN);
    }
    for (int64_t i = 0; i < 9; i++) {
        mpfr_div(w[i], w[i], sum, MPFR_RNDN);
        ck_assert_double_le(oracle_error(weights[i], w[i], ISG_F64), 4);
        mpfr_clear(w[i]);
    }
    mpfr_clear(sum);
    free(weights);
    isg_grid_plan plan;
    ck_assert_int_eq(isg_grid_resolve(&plan, params, NULL), ISG_OK);
    ck_assert_ptr_nonnull(plan.warning);
}
END_TEST

// gkern(5, 2.5) times 273, as published: one octant.
START_TEST(gkern_check_figure)
{
    const double figure[3][3] = {{1.0278445, 4.10018648, 6.49510362},
                                 {4.10018648, 16.35610171, 25.90969361},
                                 {6.49510362, 25.90969361, 41.0435344}};
    isg_axis axis = resolved(LIKE("gkern", .size = {5}, .nsig = 2.5));
    double *weights = profile(&axis);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            ck_assert_double_eq_tol(273 * weights[i] * weights[j], figure[i < 3 ? i : 4 - i][j < 3 ? j : 4 - j],
                                    5.1e-9);
    free(weights);
}
END_TEST

START_TEST(refused)
{
    const double bad_sigmas[] = {0, -1, NAN, INFINITY, -INFINITY};
    for (size_t s = 0; s < COUNT(bad_sigmas); s++) {
        ck_assert_int_eq(status_of(OPTIONS(.size = {5}, .sigma = {bad_sigmas[s]})), ISG_ERR_ARGUMENT);
        ck_assert_int_eq(status_of(LIKE("mask", .size = {5}, .sigma = {bad_sigmas[s]})), ISG_ERR_ARGUMENT);
        if (bad_sigmas[s] != 0) // 0: the default
            ck_assert_int_eq(status_of(LIKE("gkern", .nsig = bad_sigmas[s])), ISG_ERR_ARGUMENT);
    }
    ck_assert_int_eq(status_of(OPTIONS(.size = {0}, .sigma = {1})), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(OPTIONS(.size = {-1}, .sigma = {1})), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(LIKE("linspace", .size = {-1})), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(isg_grid_params(.ndim = 5, .size = {3}, .sigma = {1})), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(isg_grid_params(.ndim = -1, .size = {3}, .sigma = {1})), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(LIKE("no such recipe")), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(LIKE("")), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1}, .sampling = ISG_SAMPLING_COUNT)), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1}, .normalize = (isg_normalize)-1)), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1}, .to = {INFINITY})), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1}, .from = {NAN})), ISG_ERR_ARGUMENT);
    const isg_sampling integrated = ISG_SAMPLING_INTEGRATED, whole = ISG_SAMPLING_BESSEL;
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1}, .from = {1}, .to = {-1}, .sampling = integrated)),
                     ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1}, .from = {0.5}, .to = {2.5}, .sampling = whole)),
                     ISG_ERR_ARGUMENT);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1}, .from = {-2}, .to = {2}, .sampling = whole)),
                     ISG_ERR_ARGUMENT);
    // Every weight is 0: there is nothing to divide by, and nothing wrong with the weights themselves.
    for (int n = ISG_NORMALIZE_SUM; n <= ISG_NORMALIZE_MAX; n++)
        for (int s = ISG_SAMPLING_POINT; s <= ISG_SAMPLING_INTEGRATED; s++)
            ck_assert_int_eq(status_of(OPTIONS(.size = {9}, .sigma = {1}, .from = {1000}, .to = {1010},
                                               .sampling = (isg_sampling)s, .normalize = (isg_normalize)n)),
                             n == ISG_NORMALIZE_NONE ? ISG_OK : ISG_ERR_RANGE);
    ck_assert_int_eq(status_of(OPTIONS(.size = {2}, .sigma = {0.01})), ISG_ERR_RANGE);
    // Numbers that are finite and no use.
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1e101})), ISG_ERR_RANGE);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1e-101}, .from = {-1e-200}, .to = {1e-200})),
                     ISG_ERR_RANGE);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1}, .from = {-1e101})), ISG_ERR_RANGE);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1}, .to = {1e101})), ISG_ERR_RANGE);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1e6}, .sampling = ISG_SAMPLING_DELTA)), ISG_ERR_RANGE);
    ck_assert_int_eq(status_of(OPTIONS(.size = {3}, .sigma = {1e7}, .sampling = whole)), ISG_ERR_RANGE);
    ck_assert_int_eq(
        status_of(OPTIONS(.size = {3}, .sigma = {1e-10}, .sampling = integrated, .normalize = ISG_NORMALIZE_DENSITY)),
        ISG_OK);
    ck_assert_int_eq(status_of(OPTIONS(.size = {1}, .sigma = {1e-10}, .normalize = ISG_NORMALIZE_DENSITY)),
                     ISG_ERR_RANGE); // 4e9
    ck_assert_str_eq(isg_sampling_name(ISG_SAMPLING_COUNT), "unknown");
    ck_assert_str_eq(isg_normalize_name(ISG_NORMALIZE_COUNT), "unknown");
}
END_TEST

int main(void)
{
    static const TTest *const *const tests[] = {
        &every_size,           &any_range, &tails_and_widths, &density_of_narrow_cells_in_the_tail, &bessel,
        &bessel_of_tiny_sigma, &delta,     &normalized,       &recipes_are_their_options,           &gkern_sqrt,
        &gkern_check_figure,   &refused};
    const TTest *list[COUNT(tests)];
    for (size_t i = 0; i < COUNT(tests); i++)
        list[i] = *tests[i];
    int status = suite_run(suite_of("profile", list, COUNT(list)));
    for (int s = ISG_SAMPLING_POINT; s < ISG_SAMPLING_COUNT; s++)
        printf("%-10s at most %.3f ulp\n", isg_sampling_name((isg_sampling)s), worst[s]);
    return status;
}
