// The way over all pairs on devices whose loops end early: short launches, and the same bits.
#include "device.h"

#include <stdlib.h>
#include <string.h>

enum { N = 150, M = 2600, D = 5, COLUMNS = 3 };

typedef struct answers {
    float product[N * COLUMNS], wide[N * 40], logarithms[N], nearest[N], means[N * COLUMNS], slopes[N * D];
} answers;

static int count_launches(void *user, double done, double total)
{
    (void)done, (void)total;
    ++*(int *)user;
    return 0;
}

static void compute(isg_context *context, isg_gram *gram, const float *v, const float *many, answers *a)
{
    const isg_array V = isg_matrix_f32(v, M, COLUMNS), W = isg_matrix_f32(many, N, COLUMNS);
    memset(a, 0, sizeof *a);
    device_ok(context, isg_gram_apply(gram, V, isg_matrix_f32(a->product, N, COLUMNS), NULL));
    device_ok(context, isg_gram_apply(gram, isg_matrix_f32(many, M, 40), isg_matrix_f32(a->wide, N, 40),
                                      isg_apply_params(.skip = ISG_SKIP_ALWAYS)));
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LOGSUMEXP,
                                                               .out = isg_vector(ISG_F32, a->logarithms, N))));
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_LEAST,
                                                               .out = isg_vector(ISG_F32, a->nearest, N))));
    device_ok(context, isg_gram_reduce(gram, isg_reduce_params(.reduction = ISG_REDUCE_MEAN, .v = V,
                                                               .out = isg_matrix_f32(a->means, N, COLUMNS))));
    device_ok(context,
              isg_gram_gradient(gram, isg_gradient_params(.v = W, .w = V, .x = isg_matrix_f32(a->slopes, N, D))));
}

START_TEST(short_launches)
{
    int launches = 0;
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(1);
    float *x = device_points(&random, ISG_F32, N * D, -1, 1), *y = device_points(&random, ISG_F32, M * D, -1, 1);
    float *v = device_points(&random, ISG_F32, M * COLUMNS, -1, 1),
          *many = device_points(&random, ISG_F32, M * 40, -1, 1);
    isg_gram *gram;
    device_ok(context,
              isg_gram_create(context, &gram,
                              isg_gram_params(.x = isg_matrix_f32(x, N, D), .y = isg_matrix_f32(y, M, D), .sigma = 0.1,
                                              .progress = count_launches, .progress_user = &launches)));
    answers *found = malloc(2 * sizeof *found), *cut = found + 1;
    compute(context, gram, v, many, found);
    const int long_ones = launches;
    launches = 0;
    context->probe.whole_loops = 0;
    compute(context, gram, v, many, cut);
    ck_assert_mem_eq(found, cut, sizeof *found);
    // Six calls, each with at most some 200 sources a launch.
    ck_assert_msg(long_ones > 0 && launches >= 6 * M / 300, "%d launches, then %d", long_ones, launches);
    isg_gram_destroy(&gram);
    isg_context_destroy(&context);
    free(found);
    free(x);
    free(y);
    free(v);
    free(many);
}
END_TEST

// More than a device can go along in one tile is refused, not computed wrong.
START_TEST(columns_beyond_cut_loops)
{
    enum { MOST = 1024 };
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    float *x = calloc(2 * (MOST + 1), sizeof *x);
    isg_gram *gram;
    context->probe.whole_loops = 0;
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, 2, MOST), .sigma = 1)));
    isg_gram_destroy(&gram);
    isg_gram_params params = {.x = isg_matrix_f32(x, 2, MOST + 1), .sigma = 1};
    ck_assert_int_eq(isg_gram_create(context, &gram, &params), ISG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(isg_context_error(context)->message, "at most 1024 columns"));
    ck_assert_ptr_null(gram);
    isg_context_destroy(&context);
    free(x);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {short_launches, columns_beyond_cut_loops};
    return suite_run(suite_of("walk", tests, COUNT(tests)));
}
