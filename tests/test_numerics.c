// The promises of cl/numerics.h, for both precisions and both arithmetics, against MPFR:
//   |exp_nonpositive(x) - exp(x)| <= 1 ulp for x <= 0, and +0 exactly where exp(x) is below the smallest normal number;
//   mul_normal(a, b) = a b correctly rounded as if exponents had no bound, and +0 where that is below the smallest
//   normal number;
//   a processor that flushes subnormal numbers gives the same bits.
#include "oracle.h"
#include "suite.h"

#include "kernels.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

enum { SAMPLES = 200000 };

static const isg_dtype precisions[] = {ISG_F32, ISG_F64};

static double get(isg_dtype dtype, const void *array, int64_t i)
{
    return isg_load_double(dtype, array, i);
}

// The number `steps` places above x.
static double moved(isg_dtype dtype, double x, int64_t steps)
{
    for (; steps > 0; steps--)
        x = dtype == ISG_F64 ? nextafter(x, INFINITY) : (double)nextafterf((float)x, INFINITY);
    for (; steps < 0; steps++)
        x = dtype == ISG_F64 ? nextafter(x, -INFINITY) : (double)nextafterf((float)x, -INFINITY);
    return x;
}

static double rounded(isg_dtype dtype, double x)
{
    return dtype == ISG_F64 ? x : (double)(float)x;
}

// An argument of exp, in [-1.02 cut, -0], where things go wrong if they do.
static double hard_argument(isg_dtype dtype, suite_random *random)
{
    const double ln2 = 0x1.62e42fefa39efp-1;
    int exponents = dtype == ISG_F64 ? 1022 : 126;
    double cut = ln2 * exponents, x = 0;
    int64_t k = random_below(random, exponents + 2), near = random_below(random, 9) - 4;
    switch (random_below(random, 10)) {
    case 0: return rounded(dtype, -random_between(random, 0, cut * 1.02));
    case 7:
    case 8: // the reduced argument is largest while its exponential is below 1, where ulps are small
        x = random_between(random, 0.47, 0.505);
        x = rounded(dtype, -ln2 * ((double)random_below(random, 1 + exponents / (1 + k)) + x));
        break;
    case 1: x = moved(dtype, rounded(dtype, -ln2 * ((double)k + 0.5)), near); break; // n is about to change
    case 2: x = moved(dtype, rounded(dtype, -ln2 * (double)k), near); break;         // the reduced argument cancels
    case 3: x = moved(dtype, rounded(dtype, -cut), random_below(random, 400) - 200); break;
    case 4: x = -random_scaled(random, 1, 2, -79, 80); break;
    case 5: x = -random_scaled(random, 1, 2, -exponents, exponents + 1); break;
    case 6: x = -(double)random_below(random, 2 * (int64_t)cut + 3) / 2; break;
    default: x = -random_scaled(random, 1, 2, 0, 40); break;
    }
    return x > 0 ? -x : rounded(dtype, x);
}

// The worst that long searches have found for any polynomial so far: all of single precision, 10^9 arguments of double.
static const double known_f32[] = {-0x1.049e22p+4, -0x1.4caa68p+2, -0x1.b610fp+4,  -0x1.4cc40ep+2, -0x1.04a16p+4,
                                   -0x1.7714d4p+2, -0x1.df3acap+5, -0x1.b524fcp+4, -0x1.458bbp+6};
static const double known_f64[] = {-0x1.3e526ed7e4edcp+9, -0x1.3e528a0bd3316p+9, -0x1.22f1377305p+9,
                                   -0x1.ae6c5de19002dp+7, -0x1.a6c06bfc6e766p+6, -0x1.078f94f83f25cp+9};

// |y - e^x| <= 1 ulp; y = +0 <=> e^x < the smallest normal number.
START_TEST(exp_is_within_one_ulp)
{
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(1 + (uint64_t)_i);
    void *x = oracle_array(dtype, SAMPLES), *y[2];
    for (int64_t i = 0; i < SAMPLES; i++)
        oracle_put(dtype, x, i, hard_argument(dtype, &random));
    for (size_t i = 0; i < (dtype == ISG_F64 ? COUNT(known_f64) : COUNT(known_f32)); i++)
        oracle_put(dtype, x, (int64_t)i, dtype == ISG_F64 ? known_f64[i] : known_f32[i]);
    for (int fused = 0; fused < 2; fused++) {
        y[fused] = oracle_array(dtype, SAMPLES);
        isg_reference_get(dtype, fused)->apply(FUNCTION_exp_nonpositive, x, NULL, y[fused], SAMPLES);
    }
    double worst[2] = {0, 0}, worst_at[2] = {0, 0};
    mpfr_t exact;
    mpfr_init2(exact, 128);
    for (int64_t i = 0; i < SAMPLES; i++) {
        mpfr_set_d(exact, get(dtype, x, i), MPFR_RNDN);
        mpfr_exp(exact, exact, MPFR_RNDN);
        bool normal = oracle_is_normal(exact, dtype);
        for (int fused = 0; fused < 2; fused++) {
            double result = get(dtype, y[fused], i), error = normal ? oracle_error(result, exact, dtype) : 0;
            if (normal ? !(error <= 1) : result != 0 || signbit(result))
                ck_abort_msg("%s: exp(%a) gives %a, %g ulp off", isg_contract_name(dtype, fused), get(dtype, x, i),
                             result, error);
            if (error > worst[fused]) {
                worst[fused] = error;
                worst_at[fused] = get(dtype, x, i);
            }
        }
    }
    for (int fused = 0; fused < 2; fused++) {
        printf("%-21s exp: at most %.4f ulp, at %a\n", isg_contract_name(dtype, fused), worst[fused], worst_at[fused]);
        free(y[fused]);
    }
    mpfr_clear(exact);
    free(x);
}
END_TEST

// The same over [-104, -0] in single precision, one float in 61.
START_TEST(exp_sweep)
{
    enum { BLOCK = 4096, STRIDE = 61 };
    static float x[BLOCK], y[BLOCK];
    suite_random random = suite_stream(3);
    for (int fused = 0; fused < 2; fused++) {
        const isg_reference *reference = isg_reference_get(ISG_F32, fused);
        double worst = 0;
        float worst_at = 0, lowest = -104;
        uint32_t at = 0x80000000u + (uint32_t)random_below(&random, STRIDE), last;
        memcpy(&last, &lowest, sizeof last);
        while (at <= last) {
            int count = 0;
            for (; count < BLOCK && at <= last; at += STRIDE)
                memcpy(&x[count++], &at, sizeof at);
            reference->apply(FUNCTION_exp_nonpositive, x, NULL, y, count);
            for (int i = 0; i < count; i++) {
                double error = oracle_exp_error_f32(x[i], y[i]);
                if (!(error <= 1))
                    ck_abort_msg("fused %d: exp(%a) gives %a, %g ulp off", fused, (double)x[i], (double)y[i], error);
                if (error > worst) {
                    worst = error;
                    worst_at = x[i];
                }
            }
        }
        printf("%-21s exp: at most %.4f ulp, at %a (one float in %d)\n", isg_contract_name(ISG_F32, fused), worst,
               (double)worst_at, STRIDE);
    }
}
END_TEST

// e^±0 = 1, e^x = 1 for subnormal x, e^-inf = +0, and NaN stays NaN whatever its sign and payload.
START_TEST(exp_special_values)
{
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(4);
    double tiny = oracle_smallest_normal(dtype), least = dtype == ISG_F64 ? 0x1p-1074 : 0x1p-149;
    double ones[] = {0.0, -0.0, -least, -3 * least, -tiny / 2, least - tiny};
    double zeros[] = {-INFINITY, -1e5, dtype == ISG_F64 ? -1e308 : -3e38, dtype == ISG_F64 ? -708.5 : -87.5};
    for (int fused = 0; fused < 2; fused++) {
        const isg_reference *reference = isg_reference_get(dtype, fused);
        double x, y;
        for (size_t i = 0; i < COUNT(ones); i++) {
            oracle_put(dtype, &x, 0, ones[i]);
            reference->apply(FUNCTION_exp_nonpositive, &x, NULL, &y, 1);
            ck_assert_double_eq(get(dtype, &y, 0), 1);
        }
        for (size_t i = 0; i < COUNT(zeros); i++) {
            oracle_put(dtype, &x, 0, zeros[i]);
            reference->apply(FUNCTION_exp_nonpositive, &x, NULL, &y, 1);
            ck_assert(get(dtype, &y, 0) == 0 && !signbit(get(dtype, &y, 0)));
        }
        for (int i = 0; i < 1000; i++) {
            uint64_t noise = random_bits(&random);
            if (dtype == ISG_F64) {
                noise |= 0x7ff0000000000000u | (uint64_t)1 << random_below(&random, 52);
                memcpy(&x, &noise, sizeof noise);
            } else {
                uint32_t narrow = (uint32_t)noise | 0x7f800000u | 1u << random_below(&random, 23);
                memcpy(&x, &narrow, sizeof narrow);
            }
            reference->apply(FUNCTION_exp_nonpositive, &x, NULL, &y, 1);
            ck_assert(isnan(get(dtype, &y, 0)));
        }
    }
}
END_TEST

// Factors whose product lies close to the smallest normal number, or anywhere. Neither is subnormal.
static void hard_factors(isg_dtype dtype, suite_random *random, double *a, double *b)
{
    int lowest = dtype == ISG_F64 ? -1022 : -126, digits = dtype == ISG_F64 ? 53 : 24;
    *a = rounded(dtype, random_scaled(random, 1, 2, lowest, 60 - lowest));
    *b = rounded(dtype, random_scaled(random, 1, 2, lowest, 30 - lowest));
    int half = lowest / 2;
    switch (random_below(random, 5)) {
    case 0: // a b = 2^lowest (1 - k^2 2^(2 - 2 digits)) for small k: just below, by less than an ulp
        *b = moved(dtype, 1, random_below(random, 40));
        *a = ldexp(2 - *b, half);
        *b = ldexp(*b, lowest - half);
        break;
    case 1: // the quotient's neighbours: the product is within a few ulp
        *a = rounded(dtype, ldexp(random_between(random, 1, 2), half));
        *b = moved(dtype, rounded(dtype, ldexp(1, lowest) / *a), random_below(random, 7) - 3);
        break;
    case 2: // the largest product that rounds down, the smallest that rounds up, and theirs
        *a = ldexp(1 - ldexp(1, -digits) * (double)random_below(random, 4), half);
        *b = ldexp(1 + ldexp(1, 1 - digits) * (double)random_below(random, 3), lowest - half);
        break;
    case 3:
        if (random_below(random, 2))
            *a = 0;
        else
            *b = 0;
        break;
    default: break;
    }
    double smallest = oracle_smallest_normal(dtype);
    if (*a != 0 && *a < smallest)
        *a = smallest;
    if (*b != 0 && *b < smallest)
        *b = smallest;
    *a = rounded(dtype, *a);
    *b = rounded(dtype, *b);
}

// mul_normal(a, b) = round(a b) if round(a b) >= the smallest normal number, else +0, where round knows no least
// exponent.
START_TEST(mul_normal_rounds_once)
{
    isg_dtype dtype = precisions[_i];
    int digits = dtype == ISG_F64 ? 53 : 24;
    suite_random random = suite_stream(5 + (uint64_t)_i);
    mpfr_t x, product;
    mpfr_init2(x, 53);
    mpfr_init2(product, digits);
    int raised = 0, dropped = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double a, b, c, wide_a, wide_b;
        hard_factors(dtype, &random, &wide_a, &wide_b);
        oracle_put(dtype, &a, 0, wide_a);
        oracle_put(dtype, &b, 0, wide_b);
        mpfr_set_d(x, wide_a, MPFR_RNDN);
        int direction = mpfr_mul_d(product, x, wide_b, MPFR_RNDN);
        bool normal = oracle_is_normal(product, dtype);
        double expected = normal ? mpfr_get_d(product, MPFR_RNDN) : 0;
        raised += direction > 0 && expected == oracle_smallest_normal(dtype);
        // What gradual underflow would have rounded up: it has fewer digits to keep there.
        dropped += !normal && wide_a != 0 && rounded(dtype, wide_a * wide_b) == oracle_smallest_normal(dtype);
        for (int fused = 0; fused < 2; fused++) {
            isg_reference_get(dtype, fused)->apply(FUNCTION_mul_normal, &a, &b, &c, 1);
            double result = get(dtype, &c, 0);
            if (result != expected || signbit(result))
                ck_abort_msg("%s: %a * %a gives %a, not %a", isg_contract_name(dtype, fused), wide_a, wide_b, result,
                             expected);
        }
    }
    ck_assert_int_gt(raised, 100);
    ck_assert_int_gt(dropped, 100);
    printf(
        "%s mul_normal: %d products rounded up to the smallest normal number, %d that gradual underflow would have\n",
        isg_dtype_name(dtype), raised, dropped);
    mpfr_clears(x, product, (mpfr_ptr)NULL);
}
END_TEST

#if defined(__SSE2__)

enum { POINTS = 40, DIMS = 3, SETS = 5 };

typedef struct work {
    void *x, *a, *b;
    void *points[SETS];
    double gamma[SETS];
} work;

static work make_work(isg_dtype dtype)
{
    suite_random random = suite_stream(7);
    work w = {oracle_array(dtype, SAMPLES), oracle_array(dtype, SAMPLES), oracle_array(dtype, SAMPLES), {NULL}, {0}};
    for (int64_t i = 0; i < SAMPLES; i++) {
        double a, b;
        hard_factors(dtype, &random, &a, &b);
        oracle_put(dtype, w.a, i, a);
        oracle_put(dtype, w.b, i, b);
        oracle_put(dtype, w.x, i, hard_argument(dtype, &random));
    }
    const int scales[SETS] = {0, 90, -90, -120, -126};
    for (int s = 0; s < SETS; s++) {
        // Half of the coordinates fit the lengthscale, the others are far smaller, down to subnormal numbers.
        int at = dtype == ISG_F64 ? scales[s] * 8 : scales[s];
        w.points[s] = oracle_array(dtype, POINTS * DIMS);
        for (int64_t i = 0; i < POINTS * DIMS; i++) {
            int down = i % 2 ? 0 : (int)random_below(&random, 60);
            oracle_put(dtype, w.points[s], i, ldexp(random_between(&random, -2, 2), at - down));
        }
        w.gamma[s] = ldexp(0.7, -2 * at < 1000 ? -2 * at : 1000); // as far as double goes
    }
    return w;
}

static void free_work(work *w)
{
    free(w->x);
    free(w->a);
    free(w->b);
    for (int s = 0; s < SETS; s++)
        free(w->points[s]);
}

// Everything of one variant, results in one block of memory.
static void compute_all(const isg_reference *reference, const work *w, void *out)
{
    isg_dtype dtype = reference->dtype;
    size_t bytes = isg_dtype_bytes(dtype);
    reference->apply(FUNCTION_exp_nonpositive, w->x, NULL, out, SAMPLES);
    reference->apply(FUNCTION_mul_normal, w->a, w->b, (char *)out + SAMPLES * bytes, SAMPLES);
    char *k = (char *)out + 2 * SAMPLES * bytes;
    for (int s = 0; s < SETS; s++, k += POINTS * POINTS * bytes) {
        isg_points points;
        isg_scale scale;
        isg_array view = isg_matrix(dtype, w->points[s], POINTS, DIMS);
        isg_error error = {0};
        ck_assert_int_eq(isg_points_read(&points, &view, dtype, false, "x", &error), ISG_OK);
        ck_assert_int_eq(isg_scale_plan(&scale, w->gamma[s], points.largest, dtype, &error), ISG_OK);
        reference->gram(ISG_KERNEL_rbf, &points, &points, &scale, k, POINTS);
        isg_points_free(&points);
    }
}

// Bits with subnormal numbers = bits when operands and results that are subnormal become zero.
START_TEST(flushing_changes_no_bit)
{
    isg_dtype dtype = precisions[_i];
    int64_t count = 2 * SAMPLES + SETS * POINTS * POINTS;
    work w = make_work(dtype);
    for (int fused = 0; fused < 2; fused++) {
        void *plain = oracle_array(dtype, count), *flushed = oracle_array(dtype, count);
        compute_all(isg_reference_get(dtype, fused), &w, plain);
        unsigned int before = _mm_getcsr();
        _mm_setcsr(before | 0x8040); // flush to zero, denormals are zero
        volatile float tiny = 0x1p-126f;
        volatile float half = tiny * 0.5f;
        bool works = half == 0;
        compute_all(isg_reference_get(dtype, fused), &w, flushed);
        _mm_setcsr(before);
        ck_assert_msg(works, "this processor does not flush, so that nothing was tested");
        for (int64_t i = 0; i < count; i++)
            ck_assert_msg(memcmp((char *)plain + (size_t)i * isg_dtype_bytes(dtype),
                                 (char *)flushed + (size_t)i * isg_dtype_bytes(dtype), isg_dtype_bytes(dtype)) == 0,
                          "%s: result %d is %a, and %a when flushing", isg_contract_name(dtype, fused), (int)i,
                          get(dtype, plain, i), get(dtype, flushed, i));
        free(plain);
        free(flushed);
    }
    free_work(&w);
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("numerics");
    TCase *sweep = tcase_create("sweep"), *both = tcase_create("both precisions");
    tcase_add_test(sweep, exp_sweep);
    suite_add_tcase(suite, sweep);
    tcase_add_loop_test(both, exp_is_within_one_ulp, 0, 2);
    tcase_add_loop_test(both, exp_special_values, 0, 2);
    tcase_add_loop_test(both, mul_normal_rounds_once, 0, 2);
#if defined(__SSE2__)
    tcase_add_loop_test(both, flushing_changes_no_bit, 0, 2);
#endif
    suite_add_tcase(suite, both);
    return suite_run(suite);
}
