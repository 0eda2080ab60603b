// The promises of filters of arrays larger than the device's memory: blocks of any size give the bits of the whole, in
// place too, with strides, masks, and memory of the device's own; what cannot be cut is refused.
#include "filter.h"
#include "filter_arrays.h"
#include "filter_block.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The filter with memory as it is, and with what `memory` says; the same bits.
static void check_blocks(isg_context *context, const block *in, isg_dtype out_type, isg_filter_params p, int64_t memory,
                         bool in_place, suite_random *random, const char *what)
{
    block whole = make_block(random, out_type, in->array.ndim, in->array.shape, random_below(random, 2) == 0);
    block parts = whole;
    parts.memory = device_guard(out_type, whole.count);
    parts.array.data = (char *)parts.memory + ((char *)whole.array.data - (char *)whole.memory);
    if (in_place) {
        free_block(&whole);
        free_block(&parts);
        whole = *in;
        whole.memory = device_guard(out_type, in->count);
        memcpy(whole.memory, in->memory, (size_t)in->count * isg_dtype_bytes(out_type));
        whole.array.data = (char *)whole.memory + ((char *)in->array.data - (char *)in->memory);
        parts = *in;
    }
    isg_array whole_in = in_place ? whole.array : in->array;
    p.memory = 0;
    device_ok(context, isg_filter(context, whole_in, whole.array, &p));
    p.memory = memory;
    device_ok(context, isg_filter(context, in->array, parts.array, &p));
    device_same_bits(out_type, parts.memory, parts.count, whole.memory, whole.count, 1, whole.count, what);
    free_block(&whole);
    if (!in_place)
        free_block(&parts);
}

// The least memory with which a call works, up to a factor of 1.3.
static int64_t least_memory(isg_context *context, const block *in, isg_dtype out_type, isg_filter_params p)
{
    suite_random random = suite_stream(1);
    block out = make_block(&random, out_type, in->array.ndim, in->array.shape, false);
    p.memory = 1024;
    while (isg_filter(context, in->array, out.array, &p) == ISG_ERR_MEMORY)
        p.memory += p.memory * 3 / 10;
    ck_assert_msg(isg_context_error(context)->status == ISG_OK, "%s", isg_context_error(context)->message);
    free_block(&out);
    return p.memory;
}

static void check_random(isg_context *context, suite_random *random)
{
    static const int64_t most[] = {900, 45, 14, 8};
    int32_t ndim = 1 + (int32_t)random_below(random, ISG_FILTER_MAX_NDIM);
    int64_t shape[ISG_FILTER_MAX_NDIM];
    for (int32_t a = 0; a < ndim; a++)
        shape[a] = 1 + random_below(random, most[ndim - 1]);
    isg_filter_params p = random_params(random, ndim, shape);
    for (int32_t i = 0; i < ndim; i++)
        p.order[i] = 0; // few programs to compile
    p.nan = random_below(random, 3) ? ISG_NAN_DEFAULT : ISG_NAN_PRESERVE;
    bool in_place = random_below(random, 2) == 0;
    isg_dtype type = random_below(random, 4) ? ISG_F32 : ISG_U8;
    block in = make_block(random, type, ndim, shape, random_below(random, 2) == 0);
    fill(random, &in, false);
    if (type == ISG_F32 && random_below(random, 3) == 0) // to be scaled, from some block on
        ((float *)in.memory)[random_below(random, in.count)] = 1e25f;
    for (int64_t i = 0; type == ISG_F32 && p.nan && i < in.count; i++)
        if (random_below(random, 5) == 0)
            ((float *)in.memory)[i] = NAN;
    unsigned char *valid = calloc((size_t)shape[ndim - 1], 1);
    for (int64_t i = 0; i < shape[ndim - 1]; i++)
        valid[i] = random_below(random, 6) > 0;
    if (p.nan)
        p.mask = isg_vector(ISG_U8, valid, shape[ndim - 1]);
    int64_t least = least_memory(context, &in, type, p), memory = least << random_below(random, 4);
    char what[200];
    snprintf(what, sizeof what, "%s, %lld x %lld x %lld x %lld, mode %s, radius %lld, %lld bytes%s%s",
             isg_dtype_name(type), (long long)shape[0], (long long)(ndim > 1 ? shape[1] : 1),
             (long long)(ndim > 2 ? shape[2] : 1), (long long)(ndim > 3 ? shape[3] : 1), isg_mode_name(p.mode[0]),
             (long long)p.radius[0], (long long)memory, in_place ? ", in place" : "", p.nan ? ", mask" : "");
    check_blocks(context, &in, type, p, memory, in_place, random, what);
    free(valid);
    free_block(&in);
}

START_TEST(random_arrays)
{
    for (int copies = 0; copies < 2; copies++) {
        isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
        suite_random random = suite_stream(200 + (uint64_t)copies);
        context->zero_copy = context->zero_copy && !copies;
        for (int i = 0; i < 25; i++)
            check_random(context, &random);
        isg_context_destroy(&context);
    }
}
END_TEST

// Every mode along one axis and along two, in place and not, for blocks from single rows up to the whole.
START_TEST(every_height)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(210);
    const int64_t shape[2] = {23, 19};
    for (int mode = ISG_MODE_REFLECT; mode < ISG_MODE_COUNT; mode++)
        for (int radius = 2; radius <= 30; radius += 14)
            for (int axes = 1; axes <= 2; axes++) {
                block in = make_block(&random, ISG_F32, 2, shape, false);
                fill(&random, &in, false);
                isg_filter_params p = {.sigma = {radius / 2.5},
                                       .radius = {radius},
                                       .mode = {(isg_mode)mode},
                                       .constant = 3,
                                       .axis_count = axes,
                                       .axes = {0, 1}};
                int64_t least = least_memory(context, &in, ISG_F32, p);
                char what[100];
                for (int64_t memory = least; memory < 3 * least; memory += least / 5)
                    for (int in_place = 0; in_place < 2; in_place++) {
                        snprintf(what, sizeof what, "mode %s, radius %d, %d axes, %d bytes%s",
                                 isg_mode_name((isg_mode)mode), radius, axes, (int)memory,
                                 in_place ? ", in place" : "");
                        check_blocks(context, &in, ISG_F32, p, memory, in_place, &random, what);
                    }
                free_block(&in);
            }
    isg_context_destroy(&context);
}
END_TEST

// Blocks know of a number to be scaled by that only a later one holds, whatever is done with what is missing; in place
// before the first is written.
START_TEST(large_numbers)
{
    static const isg_dtype types[] = {ISG_F32, ISG_F64, ISG_U8};
    static const int64_t shape[2] = {60, 31};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(215);
    unsigned char valid[60 * 31];
    for (size_t i = 0; i < sizeof valid; i++)
        valid[i] = i % 6 > 0;
    for (size_t t = 0; t < COUNT(types); t++)
        for (int nan = ISG_NAN_DEFAULT; nan < ISG_NAN_COUNT; nan++)
            for (int in_place = 0; in_place < 2; in_place++) {
                if (types[t] == ISG_F64 && isg_context_device(context)->lanes_f64 == 0)
                    continue;
                block in = make_block(&random, types[t], 2, shape, false);
                fill(&random, &in, false);
                const int64_t at = 50 * 31 + 8; // a valid one
                if (types[t] != ISG_U8)
                    isg_store_double(types[t], in.memory, at, types[t] == ISG_F32 ? 1e25 : 1e300);
                isg_filter_params p = {.sigma = {1.5}, .nan = (isg_nan_policy)nan, .fill = 2};
                if (nan != ISG_NAN_DEFAULT)
                    p.mask = isg_matrix(ISG_U8, valid, 60, 31);
                char what[100];
                snprintf(what, sizeof what, "%s, policy %s%s", isg_dtype_name(types[t]),
                         isg_nan_policy_name((isg_nan_policy)nan), in_place ? ", in place" : "");
                check_blocks(context, &in, types[t], p, least_memory(context, &in, types[t], p), in_place, &random,
                             what);
                free_block(&in);
            }
    isg_context_destroy(&context);
}
END_TEST

// Spans say what blocks take: their places are those of the whole, and no row is there twice.
START_TEST(spans)
{
    suite_random random = suite_stream(220);
    for (int i = 0; i < 2000; i++) {
        int64_t n = 1 + random_below(&random, 40);
        isg_filter_axis axis = {.mode = (isg_mode)(1 + random_below(&random, ISG_MODE_COUNT - 1)),
                                .radius = random_below(&random, 60)};
        int64_t begin = random_below(&random, n), count = 1 + random_below(&random, n - begin);
        int32_t *table = malloc((size_t)(n + 2 * axis.radius) * sizeof *table);
        isg_filter_span span;
        isg_filter_table(axis.mode, n, axis.radius, table);
        ck_assert_int_eq(isg_filter_span_make(&span, &axis, n, begin, count, NULL), ISG_OK);
        ck_assert(span.rows <= n);
        for (int64_t k = 0; k < count + 2 * axis.radius && span.table; k++) {
            int64_t row = span.table[k];
            ck_assert_int_eq(row < 0 ? -1 : isg_filter_span_source(&span, row), table[begin + k]);
        }
        for (int64_t k = 1; k < span.rows - count; k++)
            ck_assert(span.halo[k - 1] < span.halo[k]);
        isg_filter_span_free(&span);
        free(table);
    }
}
END_TEST

// Blocks that are chosen fit, and are not smaller than they need be; of slow axes before fast ones.
START_TEST(choices)
{
    isg_filter_plan plan;
    const int64_t shape[4] = {1, 1, 3000, 5000};
    isg_array none = {.dtype = ISG_DTYPE_NONE};
    const isg_filter_params *p = isg_filter_params(.sigma = {3}, .mask = none);
    ck_assert_int_eq(isg_filter_plan_make(&plan, p, 4, shape, ISG_F32, ISG_F32, NULL), ISG_OK);
    for (int64_t bytes = 300000; bytes < (int64_t)1 << 30; bytes *= 3) {
        isg_filter_room room = {.bytes = bytes, .buffer_bytes = bytes, .in = 4, .out = 4, .copies = 2};
        int64_t counts[4];
        ck_assert(isg_filter_block_choose(&plan, shape, &room, counts));
        int64_t taken = isg_filter_block_bytes(&plan, shape, counts, &room);
        ck_assert(taken > 0 && taken <= bytes);
        ck_assert_msg(bytes < 30000000 || counts[3] == 5000, "%d x %d", (int)counts[2], (int)counts[3]);
        bool whole = counts[2] == 3000 && counts[3] == 5000;
        ck_assert_msg(whole || taken > bytes * 3 / 4, "%d of %d bytes", (int)taken, (int)bytes);
    }
    const isg_filter_room small = {.bytes = 2000, .buffer_bytes = 2000, .in = 4, .out = 4, .copies = 1};
    int64_t counts[4];
    ck_assert(!isg_filter_block_choose(&plan, shape, &small, counts));
    isg_filter_plan_free(&plan);
}
END_TEST

// A buffer that may not be as large as the array; then also less than one row and what it reaches.
START_TEST(small_buffers)
{
    suite_random random = suite_stream(230);
    const int64_t shape[2] = {120, 100};
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0), *small = device_open(ISG_ARITHMETIC_AUTO, 16000);
    block in = make_block(&random, ISG_F32, 2, shape, false), a = make_block(&random, ISG_F32, 2, shape, false);
    block b = make_block(&random, ISG_F32, 2, shape, false);
    fill(&random, &in, false);
    const isg_filter_params *p = isg_filter_params(.sigma = {2.5}, .mode = {ISG_MODE_WRAP});
    device_ok(context, isg_filter(context, in.array, a.array, p));
    device_ok(small, isg_filter(small, in.array, b.array, p));
    device_same_bits(ISG_F32, b.memory, b.count, a.memory, a.count, 1, a.count, "small buffers");
    ck_assert_int_eq(isg_filter(small, in.array, b.array, isg_filter_params(.sigma = {2.5}, .memory = 3000)),
                     ISG_ERR_MEMORY);
    ck_assert(strstr(isg_context_error(small)->message, "one element") != NULL);
    free_block(&in);
    free_block(&a);
    free_block(&b);
    isg_context_destroy(&context);
    isg_context_destroy(&small);
}
END_TEST

static int stop(void *user, double done, double total)
{
    double *last = user;
    ck_assert(done > *last && done <= total);
    *last = done;
    return done > total / 2;
}

START_TEST(progress)
{
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    suite_random random = suite_stream(240);
    const int64_t shape[2] = {200, 100};
    block in = make_block(&random, ISG_F32, 2, shape, false), out = make_block(&random, ISG_F32, 2, shape, false);
    double last = 0;
    fill(&random, &in, false);
    ck_assert_int_eq(
        isg_filter(context, in.array, out.array,
                   isg_filter_params(.sigma = {1}, .memory = 40000, .progress = stop, .progress_user = &last)),
        ISG_ERR_CANCELLED);
    free_block(&in);
    free_block(&out);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {random_arrays, every_height, large_numbers, spans, choices, small_buffers, progress};
    return suite_run(suite_of("filter_slabs", tests, COUNT(tests)));
}
