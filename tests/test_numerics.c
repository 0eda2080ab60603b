// The promises of cl/numerics.h, for both precisions and both arithmetics, against MPFR:
//   every function of cl/functions.h is within 1 ulp of the exact value, and the elementary ones are correctly rounded;
//   its special values are what its comment says, and NaN stays NaN;
//   mul_normal(a, b) = a b correctly rounded as if exponents had no bound, and +0 where that is below the smallest
//   normal number.
// tests/exhaust.c does the same for every number in single precision.
#include "hard_inputs.h"
#include "oracle_functions.h"
#include "suite.h"

#include "base.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 100000 };

static const isg_dtype precisions[] = {ISG_F32, ISG_F64};

static double get(isg_dtype dtype, const void *array, int64_t i)
{
    return isg_load_double(dtype, array, i);
}

static double rounded(isg_dtype dtype, double x)
{
    return dtype == ISG_F64 ? x : (double)(float)x;
}

// Both arithmetics' results, to be freed.
static void apply_both(int function, isg_dtype dtype, const void *a, const void *b, void *y[2], int64_t count)
{
    for (int fused = 0; fused < 2; fused++) {
        y[fused] = oracle_array(dtype, count);
        isg_reference_get(dtype, fused)->apply(function, a, b, y[fused], count);
    }
}

static void check_worst(int function, isg_dtype dtype, const oracle_worst worst[2], const char *what)
{
    for (int fused = 0; fused < 2; fused++) {
        const oracle_worst *w = &worst[fused];
        printf("%-21s %s%s: ", isg_contract_name(dtype, fused), oracle_name(function), what);
        if (oracle_bound(function) < 1)
            printf("correctly rounded\n");
        else
            printf("at most %.4f ulp, at (%a, %a)\n", w->error, w->a, w->b);
        ck_assert_msg(w->beyond == 0, "%s: %lld results of %s beyond %g ulp, the worst (%a, %a) = %a, %g ulp off",
                      isg_contract_name(dtype, fused), (long long)w->beyond, oracle_name(function),
                      oracle_bound(function), w->a, w->b, w->y, w->error);
    }
}

// The worst that long searches have found for any polynomial of exp_nonpositive so far: all of single precision, 10^9
// arguments of double.
static const double known_f32[] = {-0x1.049e22p+4, -0x1.4caa68p+2, -0x1.b610fp+4,  -0x1.4cc40ep+2, -0x1.04a16p+4,
                                   -0x1.7714d4p+2, -0x1.df3acap+5, -0x1.b524fcp+4, -0x1.458bbp+6};
static const double known_f64[] = {-0x1.3e526ed7e4edcp+9, -0x1.3e528a0bd3316p+9, -0x1.22f1377305p+9,
                                   -0x1.ae6c5de19002dp+7, -0x1.a6c06bfc6e766p+6, -0x1.078f94f83f25cp+9};

START_TEST(functions_are_within_their_bounds)
{
    isg_dtype dtype = precisions[_i];
    void *a = oracle_array(dtype, SAMPLES), *b = oracle_array(dtype, SAMPLES), *y[2];
    for (int function = 0; function < FUNCTION_COUNT; function++) {
        suite_random random = suite_stream(100 + 2 * (uint64_t)function + (uint64_t)_i);
        hard_inputs(function, dtype, &random, a, b, SAMPLES);
        const double *known = dtype == ISG_F64 ? known_f64 : known_f32;
        size_t count = dtype == ISG_F64 ? COUNT(known_f64) : COUNT(known_f32);
        for (size_t i = 0; i < count && function == FUNCTION_exp_nonpositive; i++)
            oracle_put(dtype, a, (int64_t)i, known[i]);
        apply_both(function, dtype, a, b, y, SAMPLES);
        oracle_worst worst[2] = {{.error = 0}};
        oracle_judge(worst, function, dtype, a, b, (const void *const *)y, SAMPLES, 50);
        check_worst(function, dtype, worst, "");
        free(y[0]);
        free(y[1]);
    }
    free(a);
    free(b);
}
END_TEST

// One float in `stride` from `first`, by its bits.
static void sweep(int function, uint32_t first, uint64_t count, uint32_t stride, const char *what)
{
    enum { BLOCK = 1 << 14 };
    oracle_worst worst[2] = {{.error = 0}};
    float *x = oracle_array(ISG_F32, BLOCK);
    for (uint64_t at = 0; at < count;) {
        int64_t n = 0;
        for (; n < BLOCK && at < count; at += stride) {
            uint32_t bits = first + (uint32_t)at;
            memcpy(&x[n++], &bits, sizeof bits);
        }
        void *y[2];
        apply_both(function, ISG_F32, x, NULL, y, n);
        oracle_judge(worst, function, ISG_F32, x, NULL, (const void *const *)y, n, 0);
        free(y[0]);
        free(y[1]);
    }
    check_worst(function, ISG_F32, worst, what);
    free(x);
}

// Single precision from end to end, and [-104, -0] of the Gaussian's function more closely.
START_TEST(sweeps)
{
    for (int function = 0; function < FUNCTION_COUNT; function++) {
        bool half = function == FUNCTION_exp_nonpositive;
        if (oracle_arity(function) == 1)
            sweep(function, half ? 0x80000000u : 0, half ? 1ull << 31 : 1ull << 32, 65521, " (one float in 65521)");
    }
    sweep(FUNCTION_exp_nonpositive, 0x80000000u, 0x42d00000u, 211, " (one float in 211 of [-104, -0])");
}
END_TEST

// What the comments in cl/ say of ends, poles and zeros.
START_TEST(special_values)
{
    isg_dtype dtype = precisions[_i];
    bool wide = dtype == ISG_F64;
    const double inf = INFINITY, nan = (double)NAN, tiny = oracle_smallest_normal(dtype);
    const double most = wide ? DBL_MAX : (double)FLT_MAX, ulp = wide ? DBL_EPSILON : (double)FLT_EPSILON;
    const double least = tiny * ulp, sub = tiny - least, even = 2 / ulp, odd = 1 / ulp + 1, half = 0.5 / ulp + 0.5;
    const struct {
        int function;
        double a, b, y;
    } rows[] = {
#define ROW(name, a, b, y) {FUNCTION_##name, a, b, y}
        // clang-format off
        ROW(exp_nonpositive, 0.0, 0, 1), ROW(exp_nonpositive, -0.0, 0, 1), ROW(exp_nonpositive, -least, 0, 1),
        ROW(exp_nonpositive, -sub, 0, 1), ROW(exp_nonpositive, -tiny, 0, 1), ROW(exp_nonpositive, -1e5, 0, 0),
        ROW(exp_nonpositive, -most, 0, 0), ROW(exp_nonpositive, -inf, 0, 0),
        ROW(exp_nonpositive, wide ? -708.5 : -87.5, 0, 0),
        ROW(real_exp, 0.0, 0, 1), ROW(real_exp, -0.0, 0, 1), ROW(real_exp, sub, 0, 1), ROW(real_exp, -tiny, 0, 1),
        ROW(real_exp, inf, 0, inf), ROW(real_exp, most, 0, inf), ROW(real_exp, -most, 0, 0), ROW(real_exp, -inf, 0, 0),
        ROW(real_exp, wide ? 709.79 : 88.73, 0, inf), ROW(real_exp, wide ? -708.4 : -87.34, 0, 0),
        ROW(real_expm1, 0.0, 0, 0), ROW(real_expm1, -0.0, 0, 0), ROW(real_expm1, sub, 0, 0),
        ROW(real_expm1, -least, 0, 0), ROW(real_expm1, tiny, 0, tiny), ROW(real_expm1, inf, 0, inf),
        ROW(real_expm1, most, 0, inf), ROW(real_expm1, -most, 0, -1), ROW(real_expm1, -inf, 0, -1),
        ROW(real_log, 1, 0, 0), ROW(real_log, 0.0, 0, -inf), ROW(real_log, -0.0, 0, -inf), ROW(real_log, sub, 0, -inf),
        ROW(real_log, -sub, 0, -inf), ROW(real_log, -tiny, 0, nan), ROW(real_log, -1, 0, nan),
        ROW(real_log, -inf, 0, nan), ROW(real_log, inf, 0, inf),
        ROW(real_log1p, 0.0, 0, 0), ROW(real_log1p, -0.0, 0, 0), ROW(real_log1p, -sub, 0, 0),
        ROW(real_log1p, tiny, 0, tiny), ROW(real_log1p, -1, 0, -inf), ROW(real_log1p, -1 - ulp, 0, nan),
        ROW(real_log1p, -inf, 0, nan), ROW(real_log1p, inf, 0, inf),
        ROW(real_sqrt, 0.0, 0, 0), ROW(real_sqrt, -0.0, 0, 0), ROW(real_sqrt, sub, 0, 0), ROW(real_sqrt, -sub, 0, 0),
        ROW(real_sqrt, -tiny, 0, nan), ROW(real_sqrt, -inf, 0, nan), ROW(real_sqrt, inf, 0, inf),
        ROW(real_sqrt, 1, 0, 1), ROW(real_sqrt, 4, 0, 2), ROW(real_sqrt, tiny, 0, sqrt(tiny)),
        ROW(real_reciprocal, 0.0, 0, inf), ROW(real_reciprocal, -0.0, 0, -inf), ROW(real_reciprocal, sub, 0, inf),
        ROW(real_reciprocal, -sub, 0, -inf), ROW(real_reciprocal, inf, 0, 0), ROW(real_reciprocal, -inf, 0, 0),
        ROW(real_reciprocal, most, 0, 0), ROW(real_reciprocal, tiny, 0, 1 / tiny),
        ROW(real_reciprocal, 1 / tiny, 0, tiny),
        ROW(real_erf, 0.0, 0, 0), ROW(real_erf, -0.0, 0, 0), ROW(real_erf, -sub, 0, 0), ROW(real_erf, inf, 0, 1),
        ROW(real_erf, -inf, 0, -1), ROW(real_erf, most, 0, 1), ROW(real_erf, -30, 0, -1),
        ROW(real_erfc, 0.0, 0, 1), ROW(real_erfc, -0.0, 0, 1), ROW(real_erfc, sub, 0, 1), ROW(real_erfc, -sub, 0, 1),
        ROW(real_erfc, inf, 0, 0), ROW(real_erfc, -inf, 0, 2), ROW(real_erfc, most, 0, 0), ROW(real_erfc, -30, 0, 2),
        ROW(real_erfc, wide ? 26.55 : 9.2, 0, 0),
        ROW(real_tanh, 0.0, 0, 0), ROW(real_tanh, -0.0, 0, 0), ROW(real_tanh, -sub, 0, 0), ROW(real_tanh, inf, 0, 1),
        ROW(real_tanh, -inf, 0, -1), ROW(real_tanh, most, 0, 1), ROW(real_tanh, -30, 0, -1),
        ROW(real_tanh, tiny, 0, tiny),
        ROW(real_sinpi, 0.0, 0, 0), ROW(real_sinpi, -0.0, 0, 0), ROW(real_sinpi, sub, 0, 0), ROW(real_sinpi, 1, 0, 0),
        ROW(real_sinpi, -7, 0, 0), ROW(real_sinpi, 0.5, 0, 1), ROW(real_sinpi, -0.5, 0, -1),
        ROW(real_sinpi, 1.5, 0, -1), ROW(real_sinpi, half, 0, 1), ROW(real_sinpi, -half, 0, -1),
        ROW(real_sinpi, odd, 0, 0), ROW(real_sinpi, most, 0, 0), ROW(real_sinpi, inf, 0, nan),
        ROW(real_sinpi, -inf, 0, nan),
        ROW(real_cospi, 0.0, 0, 1), ROW(real_cospi, -0.0, 0, 1), ROW(real_cospi, -sub, 0, 1), ROW(real_cospi, 1, 0, -1),
        ROW(real_cospi, -7, 0, -1), ROW(real_cospi, 0.5, 0, 0), ROW(real_cospi, -0.5, 0, 0),
        ROW(real_cospi, 1.5, 0, 0), ROW(real_cospi, half, 0, 0), ROW(real_cospi, odd, 0, -1),
        ROW(real_cospi, even, 0, 1), ROW(real_cospi, -most, 0, 1), ROW(real_cospi, inf, 0, nan),
        ROW(real_cospi, -inf, 0, nan),
        ROW(mul_normal, 0, 0, 0), ROW(mul_normal, tiny, 0, 0), ROW(mul_normal, tiny, 1, tiny),
        ROW(mul_normal, 1, tiny, tiny), ROW(mul_normal, tiny, 1 - ulp / 2, 0), ROW(mul_normal, tiny, tiny, 0),
        ROW(real_divide, 0, 0, nan), ROW(real_divide, sub, -sub, nan), ROW(real_divide, inf, inf, nan),
        ROW(real_divide, -inf, inf, nan), ROW(real_divide, 1, 0.0, inf), ROW(real_divide, -1, 0.0, -inf),
        ROW(real_divide, 1, -sub, -inf), ROW(real_divide, inf, 0.0, inf), ROW(real_divide, 0, -1, 0),
        ROW(real_divide, -sub, tiny, 0), ROW(real_divide, 1, -inf, 0), ROW(real_divide, 0, inf, 0),
        ROW(real_divide, -inf, -2, inf), ROW(real_divide, -inf, sub, -inf), ROW(real_divide, most, 0.5, inf),
        ROW(real_divide, -most, 0.5, -inf), ROW(real_divide, most, most, 1), ROW(real_divide, tiny, 2, 0),
        ROW(real_divide, -tiny, tiny, -1), ROW(real_divide, tiny, -most, 0),
        ROW(real_pow, 0, 0, 1), ROW(real_pow, 2, 0, 1), ROW(real_pow, inf, -0.0, 1), ROW(real_pow, nan, sub, 1),
        ROW(real_pow, -1, 0, 1), ROW(real_pow, 0.0, 2, 0), ROW(real_pow, -0.0, 3, 0), ROW(real_pow, sub, 0.5, 0),
        ROW(real_pow, 0.0, -1, inf), ROW(real_pow, -0.0, -1, inf), ROW(real_pow, sub, -tiny, inf),
        ROW(real_pow, -tiny, 1, nan), ROW(real_pow, -1, 2, nan), ROW(real_pow, -inf, 1, nan),
        ROW(real_pow, inf, 1, inf), ROW(real_pow, inf, -tiny, 0), ROW(real_pow, inf, inf, inf),
        ROW(real_pow, 0, inf, 0), ROW(real_pow, 0, -inf, inf), ROW(real_pow, 1, most, 1), ROW(real_pow, 1, -inf, 1),
        ROW(real_pow, 1 + ulp, inf, inf), ROW(real_pow, 1 + ulp, -inf, 0), ROW(real_pow, 1 - ulp / 2, inf, 0),
        ROW(real_pow, 1 - ulp / 2, -inf, inf), ROW(real_pow, 1 + ulp, most, inf), ROW(real_pow, 1 - ulp / 2, most, 0),
        ROW(real_pow, most, tiny, 1), ROW(real_pow, 2, 10, 1024), ROW(real_pow, 9, 0.5, 3), ROW(real_pow, 4, -1, 0.25),
        ROW(real_pow, 2, wide ? 1024 : 128, inf), ROW(real_pow, 2, wide ? -1022 : -126, tiny),
        ROW(real_pow, 2, wide ? -1023 : -127, 0), ROW(real_pow, 1, nan, nan), ROW(real_pow, nan, 1, nan),
    // clang-format on
#undef ROW
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double a, b, y;
        oracle_put(dtype, &a, 0, rows[i].a);
        oracle_put(dtype, &b, 0, rows[i].b);
        for (int fused = 0; fused < 2; fused++) {
            isg_reference_get(dtype, fused)->apply(rows[i].function, &a, &b, &y, 1);
            double got = get(dtype, &y, 0), want = rows[i].y;
            ck_assert_msg(isnan(want) ? isnan(got) : got == want && !signbit(got) == !signbit(want),
                          "%s: %s(%a, %a) gives %a, not %a", isg_contract_name(dtype, fused),
                          oracle_name(rows[i].function), rows[i].a, rows[i].b, got, want);
        }
    }
}
END_TEST

static void put_any_nan(isg_dtype dtype, suite_random *random, void *x)
{
    uint64_t noise = random_bits(random);
    if (dtype == ISG_F64) {
        noise |= 0x7ff0000000000000u | (uint64_t)1 << random_below(random, 52);
        memcpy(x, &noise, sizeof noise);
    } else {
        uint32_t narrow = (uint32_t)noise | 0x7f800000u | 1u << random_below(random, 23);
        memcpy(x, &narrow, sizeof narrow);
    }
}

// Whatever its sign and payload, and whichever argument it is. (mul_normal is not for NaN.)
START_TEST(nan_stays_nan)
{
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(4);
    for (int i = 0; i < 3000 * FUNCTION_COUNT; i++) {
        int function = i % FUNCTION_COUNT, which = i / FUNCTION_COUNT % 3;
        double a, b, y;
        if (function == FUNCTION_mul_normal)
            continue;
        oracle_put(dtype, &a, 0, random_between(&random, 0, 3));
        oracle_put(dtype, &b, 0, random_between(&random, 0, 3));
        if (which != 1 || oracle_arity(function) == 1)
            put_any_nan(dtype, &random, &a);
        if (which != 0)
            put_any_nan(dtype, &random, &b);
        for (int fused = 0; fused < 2; fused++) {
            isg_reference_get(dtype, fused)->apply(function, &a, &b, &y, 1);
            ck_assert_msg(isnan(get(dtype, &y, 0)), "%s: %s(%a, %a) gives %a", isg_contract_name(dtype, fused),
                          oracle_name(function), get(dtype, &a, 0), get(dtype, &b, 0), get(dtype, &y, 0));
        }
    }
}
END_TEST

// mul_normal(a, b) = round(a b) if round(a b) >= the smallest normal number, else +0, where round knows no least
// exponent; and the cases that are hard are there.
START_TEST(mul_normal_rounds_once)
{
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(5 + (uint64_t)_i);
    void *a = oracle_array(dtype, SAMPLES), *b = oracle_array(dtype, SAMPLES), *y[2];
    hard_inputs(FUNCTION_mul_normal, dtype, &random, a, b, SAMPLES);
    apply_both(FUNCTION_mul_normal, dtype, a, b, y, SAMPLES);
    mpfr_t x, product;
    mpfr_init2(x, 53);
    mpfr_init2(product, dtype == ISG_F64 ? 53 : 24);
    int raised = 0, dropped = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double u = get(dtype, a, i), v = get(dtype, b, i);
        mpfr_set_d(x, u, MPFR_RNDN);
        int direction = mpfr_mul_d(product, x, v, MPFR_RNDN);
        bool normal = oracle_is_normal(product, dtype);
        double expected = normal ? mpfr_get_d(product, MPFR_RNDN) : 0;
        raised += direction > 0 && expected == oracle_smallest_normal(dtype);
        // What gradual underflow would have rounded up: it has fewer digits to keep there.
        dropped += !normal && u != 0 && rounded(dtype, u * v) == oracle_smallest_normal(dtype);
        for (int fused = 0; fused < 2; fused++) {
            double result = get(dtype, y[fused], i);
            if (result != expected || signbit(result))
                ck_abort_msg("%s: %a * %a gives %a, not %a", isg_contract_name(dtype, fused), u, v, result, expected);
        }
    }
    ck_assert_int_gt(raised, 100);
    ck_assert_int_gt(dropped, 100);
    printf(
        "%s mul_normal: %d products rounded up to the smallest normal number, %d that gradual underflow would have\n",
        isg_dtype_name(dtype), raised, dropped);
    mpfr_clears(x, product, (mpfr_ptr)NULL);
    free(a);
    free(b);
    free(y[0]);
    free(y[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("numerics");
    TCase *sweep_case = tcase_create("sweeps"), *both = tcase_create("both precisions");
    tcase_add_test(sweep_case, sweeps);
    suite_add_tcase(suite, sweep_case);
    tcase_add_loop_test(both, functions_are_within_their_bounds, 0, 2);
    tcase_add_loop_test(both, special_values, 0, 2);
    tcase_add_loop_test(both, nan_stays_nan, 0, 2);
    tcase_add_loop_test(both, mul_normal_rounds_once, 0, 2);
    suite_add_tcase(suite, both);
    return suite_run(suite);
}
