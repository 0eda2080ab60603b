// Every OpenCL call that a public function makes fails once. Each time: a status that says so or the right result, a
// message that names the call, no object left behind, and right bits from the same context right afterwards. Likewise
// where the device is lost from one call on, lies about its memory, or takes its time.
//
// Run with OPENCL_LAYERS=fault_layer.so. Of calls to which the same places of the library lead one fails; with
// ISOGRAM_FAULTS=all of the environment each of them.
#include "fault_check.h"

#include "context.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static fault_memory_fn *bear;
static fault_delay_fn *dawdle;

static void open_context(void)
{
    fault_open();
    fault_find_layer("OPENCL_LAYERS");
    bear = (fault_memory_fn *)(uintptr_t)dlsym(layer.handle, "fault_memory");
    dawdle = (fault_delay_fn *)(uintptr_t)dlsym(layer.handle, "fault_delay");
    ck_assert(bear && dawdle);
}

// Each job that the device can do.
#define EACH_JOB(job)                                                                                                  \
    for (size_t list_ = 0; list_ < COUNT(fault_jobs); list_++)                                                         \
        for (const fault_job *job = fault_jobs[list_]; job->name; job++)                                               \
            if (!fault_skipped(job))

// What a call that failed on its way must have said.
static void must_explain(const fault_job *job, long at, isg_status st, const isg_error *error)
{
    ck_assert_msg(st == ISG_ERR_DEVICE || st == ISG_ERR_MEMORY || st == ISG_ERR_BUILD || st == ISG_ERR_NO_DEVICE,
                  "%s, call %ld (%s): status %s, %s", job->name, at, layer.fired(), isg_status_name(st),
                  error->message);
    ck_assert_msg(strstr(error->message, layer.fired()) || st == ISG_ERR_BUILD, "%s, call %ld: '%s' does not name %s",
                  job->name, at, error->message, layer.fired());
}

// Where all fails, the first failure may be one that there is a way around, and the next is not.
static void must_explain_one(const fault_job *job, long at, isg_status st, const isg_error *error)
{
    ck_assert_msg(st == ISG_ERR_DEVICE || st == ISG_ERR_MEMORY || st == ISG_ERR_BUILD || st == ISG_ERR_NO_DEVICE,
                  "%s, call %ld (%s) and all that follow: status %s, %s", job->name, at, layer.fired(),
                  isg_status_name(st), error->message);
    ck_assert_msg(strstr(error->message, " failed ") || st == ISG_ERR_BUILD, "%s, call %ld: '%s' names no call",
                  job->name, at, error->message);
}

START_TEST(every_call_fails_once)
{
    alarm(3000);
    open_context();
    const bool zero_copy = fault_context->zero_copy;
    long sites = 0;
    for (int copies = 0; copies <= zero_copy; copies++) {
        fault_context->zero_copy = zero_copy && !copies;
        EACH_JOB(job)
        {
            // Copies make no difference to those that open contexts of their own, or files.
            if (copies && (job->timed || (list_ >= 2 && !fault_all())))
                continue;
            fault_warm(job);
            sites += fault_all() ? fault_each_call(job, 1, 1, false, must_explain) : fault_each_way(job, must_explain);
        }
    }
    printf("  %ld calls failed one at a time%s\n", sites, fault_all() ? "" : ", each on another way");
    fault_close();
}
END_TEST

// A device that is lost, and comes back when all is over.
START_TEST(every_call_from_one_on_fails)
{
    alarm(3000);
    open_context();
    long sites = 0;
    const long step = fault_all() ? 1 : 11;
    EACH_JOB(job)
    {
        if (job->timed)
            continue;
        fault_warm(job);
        sites += fault_each_call(job, fault_first(step), step, true, must_explain_one);
    }
    printf("  lost at %ld calls\n", sites);
    fault_close();
}
END_TEST

// From nothing: the devices' listing, probing and compiling, too.
static isg_status open_anew(isg_context *context, isg_error *error)
{
    isg_context *own = context;
    isg_status st = isg_context_create(
        &own, isg_context_params(.cache_dir = "off", .arithmetic = ISG_ARITHMETIC_UNFUSED, .error = error));
    if ((own != NULL) != (st == ISG_OK))
        return fault_broken(error, "a handle beside a failure, or none beside success");
    if (!st && (st = fault_jobs_of_operators[1].run(own, error)) != ISG_OK)
        *error = *isg_context_error(own);
    isg_context_destroy(&own);
    return st;
}

START_TEST(every_call_of_opening_fails_once)
{
    static const fault_job opening = {.name = "opening", .run = open_anew};
    alarm(3000);
    open_context();
    fault_warm(&opening);
    printf("  %ld calls of opening a context failed\n", fault_all() ? fault_each_call(&opening, 1, 1, false, must_explain)
                                                                 : fault_each_way(&opening, must_explain));
    fault_close();
}
END_TEST

// A driver that makes larger buffers than it can work with.
START_TEST(memory_that_is_promised)
{
    alarm(300);
    open_context();
    EACH_JOB(job)
    {
        if (job->timed)
            continue;
        fault_warm(job);
        const long before = layer.live();
        for (long bytes = 1; bytes < 1 << 20; bytes *= 16) {
            isg_error error;
            bear(bytes);
            isg_status st = fault_run(job, &error);
            bear(0);
            ck_assert_msg(st ? strstr(error.message, "CL_MEM_OBJECT_ALLOCATION_FAILURE") || strstr(error.message, "-4")
                             : fault_same(job),
                          "%s, %ld bytes: %s", job->name, bytes, error.message);
            fault_must_be_right(job, "after a lie");
            ck_assert_int_eq(layer.live(), before);
        }
    }
    fault_close();
}
END_TEST

START_TEST(calls_that_take_their_time)
{
    alarm(300);
    open_context();
    EACH_JOB(job)
    {
        if (job->timed)
            continue;
        fault_warm(job);
        dawdle(2000);
        fault_must_be_right(job, "slowly");
        dawdle(0);
    }
    fault_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_call_fails_once, every_call_from_one_on_fails, every_call_of_opening_fails_once,
                                  memory_that_is_promised, calls_that_take_their_time};
    if (!fault_begin())
        return EXIT_FAILURE;
    int failed = suite_run(suite_of("faults", tests, COUNT(tests)));
    return fault_end() ? failed : EXIT_FAILURE;
}
