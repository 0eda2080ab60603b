// The way over all pairs on devices whose loops end early: short launches, and the same bits.
#include "device.h"

#include <math.h>
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

// Of ones, each result is the sum of all weights, from the outside in; products with 2 are exact, so that either
// arithmetic gives the same.
static float sum_of_weights(const isg_filter_params *params)
{
    const int64_t radius = params->radius[0];
    double *w = malloc((size_t)(2 * radius + 1) * sizeof *w);
    int64_t count;
    ck_assert_int_eq(isg_filter_weights(params, 1, 0, w, 2 * radius + 1, &count, NULL), ISG_OK);
    ck_assert_int_eq(count, 2 * radius + 1);
    float sum = 0;
    for (int64_t m = 0; m < radius; m++)
        sum += 2 * (float)w[m];
    sum += (float)w[radius];
    free(w);
    return sum;
}

// The longest filters that cut loops can do are right, and the next ones are refused.
START_TEST(radius_beyond_cut_loops)
{
    enum { LENGTH = 70 };
    float ones[LENGTH], out[LENGTH];
    uint8_t mask[LENGTH];
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    context->probe.whole_loops = 0;
    memset(mask, 1, sizeof mask);
    for (int i = 0; i < LENGTH; i++)
        ones[i] = 1;
    for (int masked = 0; masked < 2; masked++) {
        const int64_t most = masked ? 8191 : 32767;
        isg_filter_params params = {.sigma = {(double)most / 4}, .radius = {most}};
        if (masked)
            params.mask = isg_vector(ISG_U8, mask, LENGTH);
        device_ok(context,
                  isg_filter(context, isg_vector(ISG_F32, ones, LENGTH), isg_vector(ISG_F32, out, LENGTH), &params));
        const float want = sum_of_weights(&params);
        for (int i = 0; i < LENGTH; i++)
            ck_assert_msg(out[i] == want, "masked %d, element %d: %.9g, not %.9g", masked, i, out[i], want);
        params.radius[0]++;
        ck_assert_int_eq(
            isg_filter(context, isg_vector(ISG_F32, ones, LENGTH), isg_vector(ISG_F32, out, LENGTH), &params),
            ISG_ERR_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(isg_context_error(context)->message, "radius there is at most"));
    }
    isg_context_destroy(&context);
}
END_TEST

// A line may be longer than a work-item's loops can be.
START_TEST(long_lines)
{
    enum { LENGTH = 64 * 65535 + 4000 };
    float *in = malloc(LENGTH * sizeof *in), *plain = malloc(LENGTH * sizeof *plain),
          *masked = malloc(LENGTH * sizeof *masked);
    float *slopes = malloc(LENGTH * sizeof *slopes), *steep = malloc(LENGTH * sizeof *steep);
    uint8_t *mask = malloc(LENGTH);
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    memset(mask, 1, LENGTH);
    for (int i = 0; i < LENGTH; i++)
        in[i] = (float)(i * 37 % 1024) / 1024;
    const isg_array from = isg_vector(ISG_F32, in, LENGTH), to = isg_vector(ISG_F32, steep, LENGTH);
    isg_filter_params params = {.sigma = {0.3}};
    device_ok(context, isg_filter(context, from, isg_vector(ISG_F32, plain, LENGTH), &params));
    params.mask = isg_vector(ISG_U8, mask, LENGTH);
    device_ok(context, isg_filter(context, from, isg_vector(ISG_F32, masked, LENGTH), &params));
    ck_assert_mem_eq(plain, masked, LENGTH * sizeof *plain);
    // Along one axis the magnitude of the gradient is that of the slope.
    params = (isg_filter_params){.sigma = {0.5}, .order = {1}};
    device_ok(context, isg_filter(context, from, isg_vector(ISG_F32, slopes, LENGTH), &params));
    params.order[0] = 0;
    device_ok(context, isg_filter_derived(context, ISG_DERIVED_GRADIENT_MAGNITUDE, from, &to, 1,
                                          isg_derived_params(.filter = params)));
    for (int i = 0; i < LENGTH; i++)
        ck_assert_msg(fabsf(fabsf(slopes[i]) - steep[i]) <= 1e-6f, "element %d: %.9g, %.9g", i, slopes[i], steep[i]);
    isg_context_destroy(&context);
    free(in);
    free(plain);
    free(masked);
    free(slopes);
    free(steep);
    free(mask);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {short_launches, columns_beyond_cut_loops, radius_beyond_cut_loops, long_lines};
    return suite_run(suite_of("walk", tests, COUNT(tests)));
}
