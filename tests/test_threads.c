// Several contexts in several threads: the same bits as alone, whatever the others do at the same time.
// ISOGRAM_THREADS=all: every way through the library, not only those whose programs are built in little time.
#include "device.h"
#include "jobs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4 };

// What a thread is told, and what came of it; check's assertions are for the main thread only.
typedef struct worker {
    pthread_t thread;
    int index;
    const char *cache_dir;
    isg_arithmetic arithmetic;
    const unsigned char (*wanted)[JOB_RESULT_BYTES]; // by job, of this arithmetic
    int done;
    char message[1200]; // "" when all went well
} worker;

static pthread_barrier_t together;

static bool chosen(isg_context *context, const small_job *job)
{
    const char *all = getenv("ISOGRAM_THREADS");
    return (job->quick || (all && strcmp(all, "all") == 0)) && !job->timed &&
           !(job->doubles && isg_context_device(context)->lanes_f64 == 0);
}

static void run_threads(worker *workers, void *(*body)(void *))
{
    ck_assert_int_eq(pthread_barrier_init(&together, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        workers[i].index = i;
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, body, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
    pthread_barrier_destroy(&together);
    for (int i = 0; i < THREADS; i++)
        ck_assert_msg(!workers[i].message[0], "thread %d: %s", i, workers[i].message);
}

static isg_status open_context(isg_context **context, isg_arithmetic arithmetic, const char *cache_dir,
                               isg_error *error)
{
    *error = (isg_error){ISG_OK, ""};
    return isg_context_create(context,
                              isg_context_params(.arithmetic = arithmetic, .cache_dir = cache_dir, .error = error));
}

// Every job of the library, each thread from another one on, so that different programs are built, run and saved to one
// cache at the same time; then the same ones in all threads at once.
static void *jobs_in_thread(void *told)
{
    worker *w = told;
    isg_context *context;
    isg_error error;
    unsigned char *result = isg_alloc(JOB_RESULT_BYTES, 1);
    isg_status opened = open_context(&context, w->arithmetic, w->cache_dir, &error);
    if (opened || !result)
        snprintf(w->message, sizeof w->message, "%s", opened ? error.message : "no memory");
    pthread_barrier_wait(&together);
    for (size_t i = 0; i < 2 * small_job_count && !w->message[0]; i++) {
        size_t at = (i + (i < small_job_count ? (size_t)w->index * small_job_count / THREADS : 0)) % small_job_count;
        const small_job *job = &small_jobs[at];
        if (!chosen(context, job))
            continue;
        memset(result, 0, JOB_RESULT_BYTES);
        isg_status st = job->run(context, result);
        if (st && !(job->method && st == ISG_ERR_UNSUPPORTED))
            snprintf(w->message, sizeof w->message, "%s: %s", job->name, isg_context_error(context)->message);
        else if (memcmp(result, w->wanted[at], JOB_RESULT_BYTES) != 0)
            snprintf(w->message, sizeof w->message, "%s: other bits than alone", job->name);
        w->done++;
    }
    free(result);
    isg_context_destroy(&context);
    return NULL;
}

START_TEST(same_bits_as_alone)
{
    small_jobs_fill();
    char folder[] = "/tmp/isogram-threads-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    const isg_arithmetic arithmetics[2] = {ISG_ARITHMETIC_FUSED, ISG_ARITHMETIC_UNFUSED};
    unsigned char(*wanted[2])[JOB_RESULT_BYTES];
    for (int a = 0; a < 2; a++) {
        wanted[a] = isg_alloc((int64_t)small_job_count, JOB_RESULT_BYTES);
        ck_assert_ptr_nonnull(wanted[a]);
        isg_context *context = device_open(arithmetics[a], 0);
        for (size_t i = 0; i < small_job_count; i++) {
            const small_job *job = &small_jobs[i];
            if (!chosen(context, job))
                continue;
            isg_status st = job->run(context, wanted[a][i]);
            ck_assert_msg(!st || (job->method && st == ISG_ERR_UNSUPPORTED), "%s: %s", job->name,
                          isg_context_error(context)->message);
            bool any = st;
            for (size_t b = 0; b < JOB_RESULT_BYTES && !any; b++)
                any = wanted[a][i][b] != 0;
            ck_assert_msg(any, "%s: nothing but zeros, which any two threads would agree on", job->name);
        }
        isg_context_destroy(&context);
    }
    worker workers[THREADS];
    memset(workers, 0, sizeof workers);
    for (int i = 0; i < THREADS; i++) {
        workers[i].cache_dir = folder;
        workers[i].arithmetic = arithmetics[i % 2];
        workers[i].wanted = (const unsigned char(*)[JOB_RESULT_BYTES])wanted[i % 2];
    }
    run_threads(workers, jobs_in_thread);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_ge(workers[i].done, 14);
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    free(wanted[0]);
    free(wanted[1]);
}
END_TEST

// Contexts come and go, each used once; devices are listed meanwhile.
static void *contexts_in_thread(void *told)
{
    worker *w = told;
    enum { ROUNDS = 4 };
    for (int round = 0; round < ROUNDS; round++) {
        isg_context *context;
        isg_device devices[32];
        int32_t count = 0;
        isg_error error = {ISG_OK, ""};
        pthread_barrier_wait(&together);
        if (w->message[0])
            continue; // the others wait for this thread
        float values[9] = {0};
        isg_grid *grid;
        if (isg_device_list(devices, 32, &count, &error) || count < 1) {
            snprintf(w->message, sizeof w->message, "no devices: %s", error.message);
        } else if (open_context(&context, w->arithmetic, w->cache_dir, &error)) {
            snprintf(w->message, sizeof w->message, "%s", error.message);
        } else {
            if (strcmp(isg_context_device(context)->name, devices[0].name) != 0 && !getenv("ISOGRAM_DEVICE"))
                snprintf(w->message, sizeof w->message, "not the first device: %s", isg_context_device(context)->name);
            if (isg_grid_create(context, &grid,
                                isg_grid_params(.size = {3}, .sigma = {1}, .precision = ISG_PRECISION_F32)))
                snprintf(w->message, sizeof w->message, "%s", isg_context_error(context)->message);
            else if (isg_grid_fill(grid, isg_matrix_f32(values, 3, 3)) || !(values[4] > values[0] && values[0] > 0))
                snprintf(w->message, sizeof w->message, "no grid: %s", isg_context_error(context)->message);
            isg_grid_destroy(&grid);
            isg_context_destroy(&context);
        }
    }
    return NULL;
}

START_TEST(contexts_come_and_go)
{
    char folder[] = "/tmp/isogram-threads-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    worker workers[THREADS];
    memset(workers, 0, sizeof workers);
    for (int i = 0; i < THREADS; i++) {
        workers[i].cache_dir = i % 2 ? "off" : folder;
        workers[i].arithmetic = i / 2 % 2 ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED;
    }
    run_threads(workers, contexts_in_thread);
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

// What needs no context: the registry, words, covariance functions as text, the host's part of filters and points.
static void *registry_in_thread(void *told)
{
    worker *w = told;
    enum { ROUNDS = 200 };
    pthread_barrier_wait(&together);
    for (int round = 0; round < ROUNDS && !w->message[0]; round++) {
        for (const isg_kernel *const *row = isg_kernel_list(); *row; row++) {
            isg_composite *one = NULL, *again = NULL, *sum = NULL;
            isg_error error = {ISG_OK, ""};
            char text[300], text_again[300] = "";
            const char *near = isg_kernel_nearest((*row)->name);
            if (isg_kernel_find((*row)->name) != *row || !near || strcmp(near, (*row)->name) != 0)
                snprintf(w->message, sizeof w->message, "%s is not found", (*row)->name);
            isg_status st = isg_kernel_parse(&one, (*row)->name, &error);
            if (!st)
                st = isg_kernel_sum(&sum, one, one, &error);
            if (!st) {
                isg_composite_text(sum, text, sizeof text);
                st = isg_kernel_parse(&again, text, &error);
            }
            if (!st)
                isg_composite_text(again, text_again, sizeof text_again);
            if (st || strcmp(text, text_again) != 0)
                snprintf(w->message, sizeof w->message, "%s: %s", (*row)->name, error.message);
            isg_composite_destroy(&one);
            isg_composite_destroy(&again);
            isg_composite_destroy(&sum);
        }
        isg_error refusal = {ISG_OK, ""};
        isg_composite *none = NULL;
        if (isg_kernel_parse(&none, "rbx", &refusal) == ISG_OK || !strstr(refusal.message, "rbf"))
            snprintf(w->message, sizeof w->message, "a name that does not exist: %s", refusal.message);
        if (isg_mode_named(isg_mode_name(ISG_MODE_MIRROR)) != ISG_MODE_MIRROR ||
            isg_derived_named(isg_derived_name(ISG_DERIVED_UNSHARP)) != ISG_DERIVED_UNSHARP ||
            !isg_grid_recipes()->name || !*isg_status_name(ISG_ERR_IO))
            snprintf(w->message, sizeof w->message, "words");
        double weights[9];
        int64_t count = 0;
        if (isg_filter_weights(isg_filter_params(.sigma = {1}), 1, 0, weights, COUNT(weights), &count, &refusal) ||
            count != COUNT(weights))
            snprintf(w->message, sizeof w->message, "weights of a filter");
    }
    return NULL;
}

START_TEST(without_contexts)
{
    worker workers[THREADS];
    memset(workers, 0, sizeof workers);
    run_threads(workers, registry_in_thread);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {same_bits_as_alone, contexts_come_and_go, without_contexts};
    return suite_run(suite_of("threads", tests, COUNT(tests)));
}
