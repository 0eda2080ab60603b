#include "fault_check.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

fault_layer layer;
isg_context *fault_context;
static _Alignas(64) unsigned char wanted[FAULT_RESULT_BYTES];

void fault_find_layer(const char *variable)
{
    const char *path = getenv(variable);
    void *handle = path ? dlopen(path, RTLD_NOW | RTLD_NOLOAD) : NULL;
    ck_assert_msg(handle, "the fault layer that %s names is not loaded", variable);
    layer.handle = handle;
    layer.arm = (fault_arm_fn *)(uintptr_t)dlsym(handle, "fault_arm");
    layer.calls = (fault_calls_fn *)(uintptr_t)dlsym(handle, "fault_calls");
    layer.fired = (fault_fired_fn *)(uintptr_t)dlsym(handle, "fault_fired");
    layer.live = (fault_live_fn *)(uintptr_t)dlsym(handle, "fault_live");
    layer.where = (fault_where_fn *)(uintptr_t)dlsym(handle, "fault_where");
    layer.learn = (fault_learn_fn *)(uintptr_t)dlsym(handle, "fault_learn");
    layer.learnt = (fault_learnt_fn *)(uintptr_t)dlsym(handle, "fault_learnt");
    ck_assert(layer.arm && layer.calls && layer.fired && layer.live && layer.learn && layer.learnt);
}

void fault_open(void)
{
    isg_error error = {ISG_OK, ""};
    isg_status st = isg_context_create(&fault_context, isg_context_params(.cache_dir = "off", .error = &error));
    ck_assert_msg(st == ISG_OK, "%s", error.message);
}

void fault_close(void)
{
    fault_release_kept();
    isg_context_destroy(&fault_context);
    ck_assert_int_eq(layer.live(), 0);
}

bool fault_skipped(const fault_job *job)
{
    const isg_device *device = isg_context_device(fault_context);
    const char *alone = getenv("ISOGRAM_FAULTS_JOB");
    int major = 1, minor = 0;
    sscanf(device->c_version, "OpenCL C %d.%d", &major, &minor);
    const bool left_out = alone && (strcmp(alone, "untimed") == 0 ? job->timed : strcmp(alone, job->name) != 0);
    return left_out || (job->doubles && device->lanes_f64 == 0) || (job->modern && major * 10 + minor < 12);
}

isg_status fault_run(const fault_job *job, isg_error *error)
{
    memset(fault_result, 0, sizeof fault_result);
    *error = (isg_error){ISG_OK, ""};
    isg_status st = job->run(fault_context, error);
    if (st && error->status == ISG_OK)
        *error = *isg_context_error(fault_context);
    return st;
}

bool fault_same(const fault_job *job)
{
    return job->timed || memcmp(fault_result, wanted, sizeof wanted) == 0;
}

void fault_warm(const fault_job *job)
{
    isg_error error;
    layer.arm(0);
    // Twice: programs are compiled and cached by the first.
    for (int i = 0; i < (job->timed ? 1 : 2); i++)
        ck_assert_msg(fault_run(job, &error) == ISG_OK, "%s: %s", job->name, error.message);
    memcpy(wanted, fault_result, sizeof wanted);
}

void fault_must_be_right(const fault_job *job, const char *when)
{
    isg_error error;
    layer.arm(0);
    fault_lasts = false;
    isg_status st = fault_run(job, &error);
    ck_assert_msg(st == ISG_OK, "%s, %s: %s", job->name, when, error.message);
    ck_assert_msg(fault_same(job), "%s, %s: other bits", job->name, when);
}

// Call number `at` of a job fails; persists: and all that follow. False: it has not so many.
static bool call_fails(const fault_job *job, long at, bool persists, fault_explain_fn *explain)
{
    char when[200];
    isg_error error;
    const long before = layer.live();
    fault_lasts = persists;
    layer.arm(persists ? -at : at);
    isg_status st = fault_run(job, &error);
    // Armed until here: whoever says what was wrong may call what would fail.
    const char *fired = layer.fired(), *where = layer.where ? layer.where() : "";
    if (!fired) {
        layer.arm(0);
        ck_assert_msg(st == ISG_OK, "%s: %s", job->name, error.message);
        return false;
    }
    snprintf(when, sizeof when, "call %ld%s (%s %s)", at, persists ? " and all that follow" : "", fired, where);
    if (getenv("ISOGRAM_FAULTS_LOUD"))
        fprintf(stderr, "%s, %s: %s: %s\n", job->name, when, isg_status_name(st), error.message);
    ck_assert_msg(st != ISG_STATUS_COUNT, "%s, %s failed: %s", job->name, when, error.message);
    if (st) {
        ck_assert_msg(error.status == st && error.message[0], "%s, %s: status %s, told as %s: '%s'", job->name, when,
                      isg_status_name(st), isg_status_name(error.status), error.message);
        explain(job, at, st, &error);
    } else {
        ck_assert_msg(fault_same(job), "%s, %s failed unnoticed, other bits", job->name, when);
    }
    if (job->timed)
        layer.arm(0);
    else
        fault_must_be_right(job, when);
    ck_assert_msg(layer.live() == before, "%s, %s: %ld objects left behind", job->name, when, layer.live() - before);
    return true;
}

long fault_each_call(const fault_job *job, long first, long step, bool persists, fault_explain_fn *explain)
{
    long count = 0;
    for (long at = first; call_fails(job, at, persists, explain); at += step)
        count++;
    return count;
}

long fault_each_way(const fault_job *job, fault_explain_fn *explain)
{
    isg_error error;
    long *calls = NULL, count = 0;
    layer.arm(0);
    layer.learn(1);
    ck_assert_msg(fault_run(job, &error) == ISG_OK, "%s: %s", job->name, error.message);
    layer.learn(0);
    while (layer.learnt(count))
        count++;
    ck_assert(calls = malloc((size_t)(count + 1) * sizeof *calls));
    for (long i = 0; i < count; i++)
        calls[i] = layer.learnt(i);
    long failed = 0;
    const char *setting = getenv("ISOGRAM_FAULTS");
    const long given = setting ? strtol(setting, NULL, 10) : 1, step = given > 1 ? given : 1;
    long tried = 0;
    for (long i = fault_first(step) - 1; i < count; i += step, tried++)
        failed += call_fails(job, calls[i], false, explain);
    // What goes by the clock makes more calls in some runs than in others.
    if (failed < tried)
        printf("  %s: %ld calls of %ld were made once and not again\n", job->name, tried - failed, tried);
    ck_assert(failed >= tried / 2);
    free(calls);
    return failed;
}

long fault_first(long step)
{
    return 1 + (long)(suite_seed() % (uint64_t)step);
}

bool fault_all(void)
{
    const char *setting = getenv("ISOGRAM_FAULTS");
    return setting && strcmp(setting, "all") == 0;
}
