// As many objects as one likes, one after the other: memory does not grow. ISOGRAM_SOAK: how many of each (200).
#include "device.h"

#include <isogram/filter.h>
#include <isogram/store.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { N = 40, M = 30, D = 3 };
static float x[N * D];

static int64_t resident_bytes(void)
{
    long long pages = -1;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %lld", &pages) != 1)
        pages = -1;
    if (file)
        fclose(file);
    return pages < 0 ? -1 : pages * (int64_t)sysconf(_SC_PAGESIZE);
}

static void context_cycle(isg_context *context)
{
    (void)context;
    isg_context *one = device_open(ISG_ARITHMETIC_AUTO, 0);
    isg_context_destroy(&one);
}

static void gram_cycle(isg_context *context)
{
    float k[N * M];
    isg_gram *gram;
    device_ok(context, isg_gram_create(context, &gram, isg_gram_params(.x = isg_matrix_f32(x, N, D))));
    device_ok(context, isg_gram_tile(gram, 0, 0, isg_matrix_f32(k, N, M)));
    isg_gram_destroy(&gram);
}

static void grid_cycle(isg_context *context)
{
    float cells[81];
    isg_grid *grid;
    device_ok(context, isg_grid_create(context, &grid,
                                       isg_grid_params(.size = {9}, .sigma = {2}, .precision = ISG_PRECISION_F32)));
    device_ok(context, isg_grid_fill(grid, isg_matrix_f32(cells, 9, 9)));
    isg_grid_destroy(&grid);
}

static void filter_cycle(isg_context *context)
{
    float out[N * D];
    device_ok(context,
              isg_filter(context, isg_matrix_f32(x, N, D), isg_matrix_f32(out, N, D), isg_filter_params(.sigma = {1})));
}

static void store_cycle(isg_context *context)
{
    static const char path[] = "test_use_store.npy", journal[] = "test_use_store.npy.journal";
    isg_store *store;
    unlink(path);
    unlink(journal);
    device_ok(context, isg_store_create(context, &store,
                                        isg_store_params(.path = path, .side = 64,
                                                         .gram = isg_gram_params(.x = isg_matrix_f32(x, N, D)))));
    device_ok(context, isg_store_compute(store, NULL));
    isg_store_close(&store);
    unlink(path);
    unlink(journal);
}

// Memory does not grow with the number of cycles: after a quarter of them, for allocators and drivers have pools.
START_TEST(cycles)
{
    // share: one of so many, for some take longer. bytes: what a cycle may add.
    static const struct {
        const char *name;
        void (*run)(isg_context *context);
        int share;
        double bytes;
    } kinds[] = {{"context", context_cycle, 4, 512},
                 {"gram", gram_cycle, 1, 64},
                 {"grid", grid_cycle, 1, 64},
                 {"filter", filter_cycle, 1, 64},
                 {"store", store_cycle, 4, 512}};
    const char *asked = getenv("ISOGRAM_SOAK");
    const int count = asked && atoi(asked) > 0 ? atoi(asked) : 200;
    isg_context *context = device_open(ISG_ARITHMETIC_AUTO, 0);
    const int64_t slack = 2 << 20; // pages that are touched late
    for (int i = 0; i < count / kinds[_i].share / 4; i++)
        kinds[_i].run(context);
    const int64_t before = resident_bytes();
    const int times = count / kinds[_i].share - count / kinds[_i].share / 4;
    for (int i = 0; i < times; i++)
        kinds[_i].run(context);
    const int64_t after = resident_bytes();
    printf("%d times %s: %+.0f bytes each\n", times, kinds[_i].name, (double)(after - before) / times);
    ck_assert_msg(before < 0 || (double)(after - before) <= (double)slack + kinds[_i].bytes * times,
                  "%s: memory grows from %lld to %lld bytes in %d cycles", kinds[_i].name, (long long)before,
                  (long long)after, times);
    isg_context_destroy(&context);
}
END_TEST

int main(void)
{
    for (int i = 0; i < N * D; i++)
        x[i] = (float)(i * 37 % 64) / 32 - 1;
    Suite *suite = suite_create("use_cycles");
    TCase *many = tcase_create("cycles");
    tcase_set_timeout(many, 0);
    tcase_add_loop_test(many, cycles, 0, 5);
    suite_add_tcase(suite, many);
    return suite_run(suite);
}
