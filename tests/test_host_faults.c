// Every allocation, every call on a file and every thread that a public function asks for fails once. Each time:
// ISG_ERR_MEMORY or ISG_ERR_IO, or the right result where there is a way around; no block, mapping, descriptor or file
// left behind; and right bits from the same context right afterwards. Likewise where all fails from one call on, and
// where reads and writes are interrupted and come short.
//
// Run with LD_PRELOAD=host_faults.so, and the shared library, whose calls alone fail. ISOGRAM_FAULTS as of
// test_faults.c.
#include "fault_check.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static fault_halves_fn *halve;

static void open_context(void)
{
    fault_find_layer("LD_PRELOAD");
    halve = (fault_halves_fn *)(uintptr_t)dlsym(layer.handle, "fault_halves");
    ck_assert(halve && layer.where);
    fault_open();
    ck_assert_int_gt(layer.live(), 0); // the library's calls are seen
}

#define EACH_JOB(job)                                                                                                  \
    for (size_t list_ = 0; list_ < COUNT(fault_jobs); list_++)                                                         \
        for (const fault_job *job = fault_jobs[list_]; job->name; job++)                                               \
            if (!fault_skipped(job))

static bool of_memory(const char *call)
{
    static const char *const names[] = {"malloc",         "calloc", "realloc", "aligned_alloc",
                                        "posix_memalign", "strdup", "strndup", "pthread_create"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(call, names[i]) == 0)
            return true;
    return false;
}

static void must_explain(const fault_job *job, long at, isg_status st, const isg_error *error)
{
    const char *fired = layer.fired();
    bool right = st == (of_memory(fired) ? ISG_ERR_MEMORY : ISG_ERR_IO) ||
                 (strncmp(fired, "mmap", 4) == 0 && st == ISG_ERR_MEMORY);
    ck_assert_msg(right, "%s, call %ld (%s %s): status %s, %s", job->name, at, fired, layer.where(),
                  isg_status_name(st), error->message);
}

// Where all fails, the first failure may be one that there is a way around, and the next is not.
static void must_explain_one(const fault_job *job, long at, isg_status st, const isg_error *error)
{
    ck_assert_msg(st == ISG_ERR_MEMORY || st == ISG_ERR_IO, "%s, call %ld (%s %s) and all that follow: status %s, %s",
                  job->name, at, layer.fired(), layer.where(), isg_status_name(st), error->message);
}

START_TEST(every_call_fails_once)
{
    alarm(3000);
    open_context();
    long sites = 0;
    EACH_JOB(job)
    {
        fault_warm(job);
        sites += fault_all() ? fault_each_call(job, 1, 1, false, must_explain) : fault_each_way(job, must_explain);
    }
    printf("  %ld allocations and calls on files failed one at a time%s\n", sites,
           fault_all() ? "" : ", each on another way");
    fault_close();
}
END_TEST

START_TEST(every_call_from_one_on_fails)
{
    alarm(3000);
    open_context();
    long sites = 0;
    const long step = fault_all() ? 1 : 3;
    EACH_JOB(job)
    {
        if (job->timed)
            continue;
        fault_warm(job);
        sites += fault_each_call(job, fault_first(step), step, true, must_explain_one);
    }
    printf("  all failed from %ld allocations and calls on files on\n", sites);
    fault_close();
}
END_TEST

// Without a cache, into which all is then put.
static isg_status open_cold(isg_context *context, isg_error *error)
{
    isg_context *own = context;
    isg_status st;
    fault_remove("cold"); // not there yet, at first
    st = isg_context_create(
        &own, isg_context_params(.cache_dir = "cold/cache", .arithmetic = ISG_ARITHMETIC_UNFUSED, .error = error));
    if ((own != NULL) != (st == ISG_OK))
        return fault_broken(error, "a handle beside a failure, or none beside success");
    if (!st && (st = fault_jobs_of_operators[1].run(own, error)) != ISG_OK)
        *error = *isg_context_error(own);
    isg_context_destroy(&own);
    return st;
}

START_TEST(every_call_of_opening_fails_once)
{
    static const fault_job opening = {.name = "opening", .run = open_cold};
    alarm(3000);
    open_context();
    fault_warm(&opening);
    printf("  %ld calls of opening a context failed\n", fault_all() ? fault_each_call(&opening, 1, 1, false, must_explain)
                                                                 : fault_each_way(&opening, must_explain));
    fault_close();
}
END_TEST

START_TEST(transfers_that_come_short)
{
    alarm(300);
    open_context();
    EACH_JOB(job)
    {
        if (job->timed)
            continue;
        fault_warm(job);
        halve(1);
        fault_must_be_right(job, "by halves");
        halve(0);
    }
    fault_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_call_fails_once, every_call_from_one_on_fails, every_call_of_opening_fails_once,
                                  transfers_that_come_short};
    if (!fault_begin())
        return EXIT_FAILURE;
    int failed = suite_run(suite_of("host faults", tests, COUNT(tests)));
    return fault_end() ? failed : EXIT_FAILURE;
}
