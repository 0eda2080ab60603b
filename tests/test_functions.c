// The functions of cl/functions.h, and the Gram matrix built on them, have the same bits everywhere:
//   on a processor that flushes subnormal numbers;
//   on the device as on the host, one element at a time or in its vector lanes.
// Whether they are the right bits is test_numerics.c's question.
#include "device.h"
#include "flushing.h"
#include "hard_inputs.h"
#include "oracle_functions.h"

#include "functions.h"
#include "operator.h"
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 30011, POINTS = 40, DIMS = 3, SETS = 5 };

static const isg_dtype precisions[] = {ISG_F32, ISG_F64};

// Hard arguments of every function.
typedef struct arguments {
    void *a[FUNCTION_COUNT], *b[FUNCTION_COUNT];
} arguments;

static arguments make_arguments(isg_dtype dtype)
{
    suite_random random = suite_stream(7 + (uint64_t)dtype);
    arguments all;
    for (int function = 0; function < FUNCTION_COUNT; function++) {
        all.a[function] = oracle_array(dtype, SAMPLES);
        all.b[function] = oracle_array(dtype, SAMPLES);
        hard_inputs(function, dtype, &random, all.a[function], all.b[function], SAMPLES);
    }
    return all;
}

static void free_arguments(arguments *all)
{
    for (int function = 0; function < FUNCTION_COUNT; function++) {
        free(all->a[function]);
        free(all->b[function]);
    }
}

// Fails at the first element that differs; a NaN is any NaN.
static void same_bits(int function, isg_dtype dtype, const arguments *all, void *got, void *want, const char *what)
{
    size_t bytes = isg_dtype_bytes(dtype);
    oracle_one_nan(dtype, got, SAMPLES);
    oracle_one_nan(dtype, want, SAMPLES);
    for (int64_t i = 0; i < SAMPLES; i++)
        ck_assert_msg(memcmp((char *)got + (size_t)i * bytes, (char *)want + (size_t)i * bytes, bytes) == 0,
                      "%s: %s(%a, %a) is %a, and %a on the host", what, oracle_name(function),
                      isg_load_double(dtype, all->a[function], i), isg_load_double(dtype, all->b[function], i),
                      isg_load_double(dtype, got, i), isg_load_double(dtype, want, i));
}

#if CAN_FLUSH

START_TEST(flushing_changes_no_bit_of_a_function)
{
    isg_dtype dtype = precisions[_i];
    arguments all = make_arguments(dtype);
    void *plain = oracle_array(dtype, SAMPLES), *flushed = oracle_array(dtype, SAMPLES);
    for (int i = 0; i < 2 * FUNCTION_COUNT; i++) {
        int function = i / 2;
        const isg_reference *reference = isg_reference_get(dtype, i % 2);
        reference->apply(function, all.a[function], all.b[function], plain, SAMPLES);
        FLUSHING(reference->apply(function, all.a[function], all.b[function], flushed, SAMPLES));
        same_bits(function, dtype, &all, flushed, plain, "flushing");
    }
    free(plain);
    free(flushed);
    free_arguments(&all);
}
END_TEST

START_TEST(flushing_changes_no_bit_of_a_gram_matrix)
{
    isg_dtype dtype = precisions[_i];
    suite_random random = suite_stream(9);
    void *x = oracle_array(dtype, POINTS * DIMS);
    void *plain = oracle_array(dtype, POINTS * POINTS), *flushed = oracle_array(dtype, POINTS * POINTS);
    const int scales[SETS] = {0, 90, -90, -120, -126};
    for (int s = 0; s < SETS; s++) {
        // Half of the coordinates fit the lengthscale, the others are far smaller, down to subnormal numbers.
        int at = dtype == ISG_F64 ? scales[s] * 8 : scales[s];
        for (int64_t i = 0; i < POINTS * DIMS; i++) {
            int down = i % 2 ? 0 : (int)random_below(&random, 60);
            oracle_put(dtype, x, i, ldexp(random_between(&random, -2, 2), at - down));
        }
        isg_operator op;
        isg_error error = {0};
        double gamma = ldexp(0.7, -2 * at < 1000 ? -2 * at : 1000); // as far as double goes
        const isg_gram_params params = {.x = isg_matrix(dtype, x, POINTS, DIMS), .gamma = gamma};
        ck_assert_int_eq(isg_operator_make(&op, &params, dtype, &error), ISG_OK);
        for (int fused = 0; fused < 2; fused++) {
            const isg_reference *reference = isg_reference_get(dtype, fused);
            reference->gram(&op.plan, &op.x, &op.y, plain, POINTS);
            FLUSHING(reference->gram(&op.plan, &op.x, &op.y, flushed, POINTS));
            device_same_bits(dtype, flushed, POINTS, plain, POINTS, POINTS, POINTS, "flushing");
        }
        isg_operator_free(&op);
    }
    free(x);
    free(plain);
    free(flushed);
}
END_TEST

#endif

// An odd number of elements, so that the last vector is not full.
START_TEST(device_and_lanes_give_the_hosts_bits)
{
    isg_dtype dtype = precisions[_i / 2];
    bool fused = _i % 2;
    isg_context *context = device_open(fused ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED, 0);
    if (!context)
        return;
    int32_t native = dtype == ISG_F64 ? context->device.lanes_f64 : context->device.lanes_f32;
    isg_status st = isg_context_require(context, dtype);
    if (st == ISG_ERR_UNSUPPORTED) {
        printf("skipped: %s\n", isg_context_error(context)->message);
        isg_context_destroy(&context);
        return;
    }
    device_ok(context, st);
    arguments all = make_arguments(dtype);
    void *want = oracle_array(dtype, SAMPLES);
    double start = isg_seconds();
    for (int function = 0; function < FUNCTION_COUNT; function++) {
        const void *a = all.a[function], *b = oracle_arity(function) == 2 ? all.b[function] : NULL;
        isg_reference_get(dtype, fused)->apply(function, a, b, want, SAMPLES);
        for (int32_t lanes = 1;; lanes = native) {
            void *got = device_guard(dtype, SAMPLES);
            device_ok(context,
                      isg_functions_run(context, (isg_real_type){dtype, fused, lanes}, function, a, b, got, SAMPLES));
            same_bits(function, dtype, &all, got, want, lanes == 1 ? "one lane" : "vector lanes");
            device_guard_free(got, dtype, SAMPLES);
            if (lanes == native)
                break;
        }
    }
    printf("%s on %s, 1 and %d lanes: %.2f s\n", isg_contract_name(dtype, fused), context->device.name, native,
           isg_seconds() - start);
    free(want);
    free_arguments(&all);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("functions");
    TCase *bits = tcase_create("bits");
#if CAN_FLUSH
    tcase_add_loop_test(bits, flushing_changes_no_bit_of_a_function, 0, 2);
    tcase_add_loop_test(bits, flushing_changes_no_bit_of_a_gram_matrix, 0, 2);
#endif
    tcase_add_loop_test(bits, device_and_lanes_give_the_hosts_bits, 0, 4);
    suite_add_tcase(suite, bits);
    return suite_run(suite);
}
