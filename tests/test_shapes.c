// Neither lanes nor the shape of tiles change a bit: the certificate with other ones than the device would be given.
#include "device.h"
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>

static int print_wrong(void *user, const isg_verify_check *check)
{
    (void)user;
    if (check->status && check->status != ISG_ERR_UNSUPPORTED)
        printf("%s %s/%s: %s\n", check->contract, check->what, check->inputs, check->message);
    return 0;
}

// One contract: device_class is what chooses the shape.
static void verify_contract(isg_device_class device_class, int32_t lanes, isg_precision precision,
                            isg_arithmetic arithmetic)
{
    isg_context *context = device_open(arithmetic, 0);
    isg_verify_summary summary;
    if (!context)
        return;
    if (lanes > 1 && context->device.lanes_f32 == 1) { // some compilers cannot do vectors
        printf("skipped: %s is given scalar code\n", context->device.name);
        isg_context_destroy(&context);
        return;
    }
    context->device.device_class = device_class;
    context->device.lanes_f32 = lanes;
    context->device.lanes_f64 = context->device.lanes_f64 ? lanes : 0;
    device_ok(context,
              isg_verify_context(context, isg_verify_params(.quick = 1, .each = print_wrong, .precision = precision),
                                 &summary));
    printf("%s, %d lanes, %s: %d equal\n", isg_device_class_name(device_class), (int)lanes,
           precision == ISG_PRECISION_F64 ? "double" : "single", (int)summary.equal);
    ck_assert_int_gt(summary.equal + (precision == ISG_PRECISION_F64 ? summary.unsupported : 0), 0);
    isg_context_destroy(&context);
}

// Both precisions in both arithmetics with ISOGRAM_TEST_ALL; otherwise one contract, by turns, of which the seed is the
// first.
static void verify_as(isg_device_class device_class, int32_t lanes, int turn)
{
    static const struct {
        isg_precision precision;
        isg_arithmetic arithmetic;
    } contracts[] = {{ISG_PRECISION_F32, ISG_ARITHMETIC_FUSED},
                     {ISG_PRECISION_F64, ISG_ARITHMETIC_UNFUSED},
                     {ISG_PRECISION_F32, ISG_ARITHMETIC_UNFUSED},
                     {ISG_PRECISION_F64, ISG_ARITHMETIC_FUSED}};
    const int first = (int)(suite_seed() % COUNT(contracts)) + turn;
    for (int c = 0; c < (suite_all() ? (int)COUNT(contracts) : 1); c++) {
        size_t which = (size_t)(first + c) % COUNT(contracts);
        verify_contract(device_class, lanes, contracts[which].precision, contracts[which].arithmetic);
    }
}

static const int32_t widths[] = {1, 2, 4, 16};

// Enough coordinates for the blocks that the quick certificate does not reach, mirrored and not.
static void many_coordinates(int32_t lanes, isg_dtype dtype)
{
    enum { N = 101, M = 70, D = 140 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    bool here = (lanes == 1 || context->device.lanes_f32 > 1) && (dtype == ISG_F32 || context->device.lanes_f64 > 0);
    context->device.lanes_f32 = lanes;
    context->device.lanes_f64 = context->device.lanes_f64 ? lanes : 0;
    suite_random random = suite_stream(3);
    void *x = device_points(&random, dtype, N * D, -1, 1), *y = device_points(&random, dtype, M * D, -1, 1);
    for (int cross = 0; cross < 2 && here; cross++) {
        int64_t m = cross ? M : N;
        isg_gram *gram;
        isg_gram_params params = {.x = isg_matrix(dtype, x, N, D)};
        if (cross)
            params.y = isg_matrix(dtype, y, M, D);
        device_ok(context, isg_gram_create(context, &gram, &params));
        void *want = device_expected(context, &params), *k = device_guard(dtype, N * m);
        device_ok(context, isg_gram_dense(gram, isg_matrix(dtype, k, N, m)));
        device_same_bits(dtype, k, m, want, m, N, m, "many coordinates");
        device_guard_free(k, dtype, N * m);
        free(want);
        isg_gram_destroy(&gram);
    }
    isg_context_destroy(&context);
    free(x);
    free(y);
}

START_TEST(other_lanes)
{
    verify_as(ISG_DEVICE_CPU, widths[_i], _i);
}
END_TEST

START_TEST(blocks_of_six_rows)
{
    many_coordinates(widths[_i], ISG_F32);
    many_coordinates(widths[_i], ISG_F64);
}
END_TEST

START_TEST(tiles_of_a_gpu)
{
    verify_as(ISG_DEVICE_GPU_DISCRETE, _i ? 4 : 1, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shapes");
    TCase *lanes = tcase_create("lanes"), *tiles = tcase_create("tiles");
    tcase_add_loop_test(lanes, other_lanes, 0, COUNT(widths));
    tcase_add_loop_test(lanes, blocks_of_six_rows, 0, COUNT(widths));
    tcase_add_loop_test(tiles, tiles_of_a_gpu, 0, 2);
    suite_add_tcase(suite, lanes);
    suite_add_tcase(suite, tiles);
    return suite_run(suite);
}
