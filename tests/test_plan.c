// A plan keeps every result from depending on subnormal numbers:
//   on a processor that flushes them, in its arguments, its results or both, no bit of any operator or formula changes;
//   within the windows of lib/plan.c, where pairs' terms are not looked at, looking at them would change nothing.
#include "any_operator.h"
#include "flushing.h"
#include "kernels.h"
#include "oracle.h"
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const isg_dtype precisions[] = {ISG_F32, ISG_F64};

// How many times as many operators as usual: the environment's ISOGRAM_TEST_ROUNDS, or 1.
static int rounds(int usual)
{
    const char *text = getenv("ISOGRAM_TEST_ROUNDS");
    return usual * (text && atoi(text) > 0 ? atoi(text) : 1);
}

// The first element in which two arrays differ, where one NaN is like another; -1: none.
static int64_t first_difference(isg_dtype dtype, const void *a, const void *b, int64_t count)
{
    size_t bytes = isg_dtype_bytes(dtype);
    for (int64_t i = 0; i < count; i++)
        if (memcmp((const char *)a + (size_t)i * bytes, (const char *)b + (size_t)i * bytes, bytes) != 0 &&
            !(isnan(isg_load_double(dtype, a, i)) && isnan(isg_load_double(dtype, b, i))))
            return i;
    return -1;
}

static void print_point(const isg_points *points, int64_t i)
{
    for (int64_t k = 0; k < points->dims; k++)
        printf("%s%a", k ? ", " : "  (", isg_load_double(points->dtype, points->rows, i * points->stride + k));
    printf(")\n");
}

static void same(const any_operator *any, const isg_operator *op, const void *got, const void *want, const char *what)
{
    char text[1500];
    int64_t at = first_difference(any->dtype, got, want, op->x.count * op->y.count);
    if (at < 0)
        return;
    int64_t i = at / op->y.count, j = at % op->y.count;
    any_operator_describe(any, text, sizeof text);
    print_point(&op->x, i);
    print_point(&op->y, j);
    printf("  scaled by 2^%d; fine: %d %d %d %d\n", op->plan.scale.exponent, op->plan.fine[0], op->plan.fine[1],
           op->plan.fine[2], op->plan.fine[3]);
    ck_abort_msg("%s: %s, K[%d, %d] is %a, and %a otherwise", text, what, (int)i, (int)j,
                 isg_load_double(any->dtype, got, at), isg_load_double(any->dtype, want, at));
}

#if CAN_FLUSH

static const int modes[] = {FLUSH_RESULTS, FLUSH_ARGUMENTS, FLUSH_BOTH};

// Results themselves are no subnormal numbers.
static void no_subnormal(const any_operator *any, const isg_operator *op, const void *k)
{
    char text[1500];
    double least = oracle_smallest_normal(any->dtype);
    any_operator_describe(any, text, sizeof text);
    for (int64_t i = 0; i < op->x.count * op->y.count; i++) {
        double v = fabs(isg_load_double(any->dtype, k, i));
        ck_assert_msg(!(v > 0 && v < least), "%s: element %d is %a", text, (int)i, v);
    }
}

START_TEST(flushing_changes_no_bit_of_any_operator)
{
    enum { MOST = 8 };
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(1 + (uint64_t)_i);
    int made = 0, fine = 0, all = rounds(4000);
    double plain[MOST * MOST], flushed[MOST * MOST];
    for (int round = 0; round < all; round++) {
        any_operator any = any_operator_make(&random, dtype, MOST, false);
        isg_gram_params params = any_operator_params(&any);
        isg_operator op;
        isg_error error = {ISG_OK, ""};
        if (isg_operator_make(&op, &params, dtype, &error) == ISG_OK) {
            made++;
            for (int pair = 0; pair < ISG_PAIR_COUNT; pair++)
                fine += op.plan.used[pair] && op.plan.fine[pair];
            for (int fused = 0; fused < 2; fused++) {
                const isg_reference *reference = isg_reference_get(dtype, fused);
                reference->gram(&op.plan, &op.x, &op.y, plain, op.y.count);
                no_subnormal(&any, &op, plain);
                for (size_t m = 0; m < COUNT(modes); m++) {
                    FLUSHING_AS(modes[m], reference->gram(&op.plan, &op.x, &op.y, flushed, op.y.count));
                    same(&any, &op, flushed, plain, fused ? "flushing, fused" : "flushing, unfused");
                }
            }
            isg_operator_free(&op);
        }
        any_operator_free(&any);
    }
    printf("%s: %d operators of %d, %d times a fine pair\n", isg_dtype_name(dtype), made, all, fine);
    ck_assert_int_gt(made, all / 2);
    ck_assert_int_gt(fine, all / 20);
}
END_TEST

// One square is subnormal, and the next lies halfway between two numbers, so that whatever the first left decides.
START_TEST(flushing_breaks_no_tie)
{
    enum { D = 2 };
    const isg_kernel *row = isg_kernel_list()[_i / 2];
    isg_dtype dtype = precisions[_i % 2];
    const int wide = dtype == ISG_F64;
    double x[2 * D], plain[4], flushed[4];
    oracle_put(dtype, x, 0, ldexp(1, wide ? -530 : -69));
    oracle_put(dtype, x, 1, wide ? 94906267 * 0x1p-27 : 4097 * 0x1p-13); // odd squares of 54 and 25 bits
    oracle_put(dtype, x, 2, 0);
    oracle_put(dtype, x, 3, 0);
    for (int g = 0; g < 40; g++) {
        isg_gram_params params = {.kernel = row, .x = isg_matrix(dtype, x, 2, D)};
        params.lengthscale = row->scale == ISG_SCALE_LENGTHSCALE ? 0.25 + 0.02 * g : 0;
        params.gamma = row->scale < ISG_SCALE_LENGTHSCALE ? 1 + 0.05 * g : 0;
        isg_operator op;
        isg_error error = {ISG_OK, ""};
        ck_assert_int_eq(isg_operator_make(&op, &params, dtype, &error), ISG_OK);
        for (int fused = 0; fused < 2; fused++) {
            isg_reference_get(dtype, fused)->gram(&op.plan, &op.x, &op.y, plain, 2);
            FLUSHING(isg_reference_get(dtype, fused)->gram(&op.plan, &op.x, &op.y, flushed, 2));
            ck_assert_msg(first_difference(dtype, flushed, plain, 4) < 0, "%s, %s: %a, and flushing %a", row->name,
                          isg_contract_name(dtype, fused), isg_load_double(dtype, plain, 1),
                          isg_load_double(dtype, flushed, 1));
        }
        isg_operator_free(&op);
    }
}
END_TEST

// Numbers as plans have them.
START_TEST(flushing_changes_no_bit_of_a_formula)
{
    enum { N = 500 };
    const int row = _i / 2;
    isg_dtype dtype = precisions[_i % 2];
    const isg_kernel *kernel = isg_kernel_list()[row];
    const int wide = dtype == ISG_F64, lowest = wide ? -1022 : -126;
    suite_random random = suite_stream(100 + (uint64_t)_i);
    double s[N], plain[N], flushed[N];
    for (int round = rounds(60); round > 0; round--) {
        isg_numbers n = {random_scaled(&random, 1, 2, -2, 4), 0, 0};
        if (kernel->scale == ISG_SCALE_NONE)
            n = (isg_numbers){1, (double)(random_below(&random, 400) - 200), 0};
        if (row == ISG_KERNEL_rational_quadratic)
            n.b = -random_scaled(&random, 1, 2, -10, 20);
        if (row == ISG_KERNEL_periodic)
            n.b = random_scaled(&random, 1, 2, -10, 20);
        if (row == ISG_KERNEL_polynomial || row == ISG_KERNEL_sigmoid)
            n.b = random_below(&random, 4) ? random_scaled(&random, -1, 1, lowest + 1, 50 - lowest) : 0;
        n.b = fabs(n.b) < ldexp(1, lowest) ? 0 : n.b;
        n.c = row == ISG_KERNEL_polynomial ? (double)(1 + random_below(&random, 100)) : 0;
        if (kernel->norms) {
            n.a = random_scaled(&random, 1, 2, wide ? -220 : -24, wide ? 660 : 62);
            n.b = n.a * random_between(&random, -1, 1) * (wide ? 0x1p-53 : 0x1p-24);
        }
        int highest = kernel->norms ? -ilogb(n.a) : wide ? 900 : 100;
        for (int i = 0; i < N; i++) {
            double x = random_scaled(&random, 1, 2, lowest, highest - lowest);
            if (i % 4 == 0)
                x = random_scaled(&random, 0.5, 4, -2, 2);
            if (i % 4 == 1 && n.b != 0)
                x = fabs(n.b) * random_scaled(&random, 0.999, 1.001, -4, 9) / n.a;
            x = kernel->norms && fabs(x * n.a) > 1 ? 1 / n.a : x;
            x = kernel->pair == ISG_PAIR_DOT && random_below(&random, 2) ? -x : x;
            oracle_put(dtype, s, i, fabs(x) < ldexp(1, lowest) || i % 97 == 0 ? 0 : x);
        }
        for (int fused = 0; fused < 2; fused++) {
            const isg_reference *reference = isg_reference_get(dtype, fused);
            reference->formula(row, s, n, plain, N);
            for (size_t m = 0; m < COUNT(modes); m++) {
                FLUSHING_AS(modes[m], reference->formula(row, s, n, flushed, N));
                int64_t at = first_difference(dtype, flushed, plain, N);
                ck_assert_msg(at < 0, "%s, %s: f(s = %a, a = %a, b = %a, c = %g) is %a, and flushing %a", kernel->name,
                              isg_contract_name(dtype, fused), isg_load_double(dtype, s, at), n.a, n.b, n.c,
                              isg_load_double(dtype, plain, at), isg_load_double(dtype, flushed, at));
            }
        }
    }
}
END_TEST

#endif

// The scaled coordinates, and what they are for, lie on the border and beside it.
START_TEST(fine_is_plain_within_the_windows)
{
    enum { N = 10, D = 4 };
    static const char *const names[] = {"sqeuclidean", "euclidean", "thin_plate",    "cityblock", "linear",
                                        "polynomial",  "sigmoid",   "additive_chi2", "cosine"};
    isg_dtype dtype = precisions[_i];
    const int most = dtype == ISG_F64 ? 1000 : 120, digits = dtype == ISG_F64 ? 53 : 24;
    suite_random random = suite_stream(200 + (uint64_t)_i);
    double x[N * D], plain[N * N], fine[N * N];
    int inside = 0, outside = 0;
    for (int round = rounds(20000); round > 0; round--) {
        const isg_kernel *row = isg_kernel_find(names[random_below(&random, COUNT(names))]);
        const int pair = (int)row->pair;
        // The smallest coordinate of a plan that needs no fine pair is found by trying.
        const int top = (int)random_below(&random, most) - most / 2;
        isg_gram_params params = {.kernel = row, .x = isg_matrix(dtype, x, N, D)};
        if (row->scale != ISG_SCALE_NONE) {
            params.gamma = row->scale == ISG_SCALE_RATE ? ldexp(1, -2 * top) : 0;
            params.lengthscale = row->scale == ISG_SCALE_RATE ? 0 : ldexp(1, top);
        }
        isg_operator op;
        isg_error error = {ISG_OK, ""};
        int down = 0;
        for (int step = most; step > 0; step /= 2) {
            for (int i = 0; i < N * D; i++)
                oracle_put(dtype, x, i, ldexp(1, i ? top : top - down - step));
            if (top - down - step < -most || isg_operator_make(&op, &params, dtype, &error))
                continue;
            down += op.plan.fine[pair] ? 0 : step;
            isg_operator_free(&op);
        }
        for (int i = 0; i < N * D; i++) {
            int64_t kind = random_below(&random, 5);
            double v = ldexp(1, top - down); // the border itself, beside it, or anything from there on
            if (kind < 3 && i)
                v *= 1 + ldexp((double)random_below(&random, 5), 1 - digits);
            else if (kind == 3 && i)
                v = fmax(v, random_scaled(&random, 1, 2, top - down, down));
            else if (i)
                v *= random_between(&random, 1, 4);
            v = row->pair != ISG_PAIR_CHI2 && random_below(&random, 2) ? -v : v;
            oracle_put(dtype, x, i, i == N * D - 1 ? ldexp(1, top) : random_below(&random, 16) ? v : 0);
        }
        if (isg_operator_make(&op, &params, dtype, &error))
            continue;
        outside += op.plan.fine[pair];
        inside += !op.plan.fine[pair];
        for (int fused = 0; fused < 2 && !op.plan.fine[pair]; fused++) {
            const isg_reference *reference = isg_reference_get(dtype, fused);
            isg_plan other = op.plan;
            other.fine[pair] = true;
            reference->gram(&op.plan, &op.x, &op.y, plain, N);
            reference->gram(&other, &op.x, &op.y, fine, N);
            int64_t at = first_difference(dtype, plain, fine, N * N);
            ck_assert_msg(at < 0, "%s, %s: K[%d, %d] is %a, and %a with its fine pair; scaled by 2^%d, border 2^%d",
                          row->name, isg_contract_name(dtype, fused), (int)(at / N), (int)(at % N),
                          isg_load_double(dtype, plain, at), isg_load_double(dtype, fine, at), op.plan.scale.exponent,
                          top - down);
        }
        isg_operator_free(&op);
    }
    printf("%s: %d operators within the windows, %d not\n", isg_dtype_name(dtype), inside, outside);
    ck_assert_int_gt(inside, 10 * outside);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *all = tcase_create("plan");
#if CAN_FLUSH
    tcase_add_loop_test(all, flushing_changes_no_bit_of_any_operator, 0, 2);
    tcase_add_loop_test(all, flushing_breaks_no_tie, 0, 2 * ISG_KERNEL_COUNT);
    tcase_add_loop_test(all, flushing_changes_no_bit_of_a_formula, 0, 2 * ISG_KERNEL_COUNT);
#endif
    tcase_add_loop_test(all, fine_is_plain_within_the_windows, 0, 2);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
