// Runs every kernel of cl/ at least once, in small, as devices of either kind are told to: for a simulator that looks
// at what they do (oclgrind.py). What comes out is test_threads' and the certificate's business. ISOGRAM_JOB=NAME: only
// that one of jobs.c; ISOGRAM_JOB=quick: those that are built in little time.
#include "device.h"
#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run_all(isg_device_class device_class, int32_t lanes, isg_arithmetic arithmetic, bool timed)
{
    const char *only = getenv("ISOGRAM_JOB");
    small_jobs_fill();
    isg_context *context = device_open(arithmetic, timed ? 1 << 16 : 0);
    ck_assert_ptr_nonnull(context);
    context->device.device_class = device_class;
    context->device.lanes_f32 = lanes;
    context->device.lanes_f64 = context->device.lanes_f64 ? lanes : 0;
    void *result = isg_alloc(JOB_RESULT_BYTES, 1);
    ck_assert_ptr_nonnull(result);
    for (size_t i = 0; i < small_job_count; i++) {
        const small_job *job = &small_jobs[i];
        bool asked = !only || strcmp(only, job->name) == 0 || (job->quick && strcmp(only, "quick") == 0);
        if (!asked || job->timed != timed)
            continue;
        // Oclgrind 21.10 does not know what LLVM puts into this one's vectors (llvm.experimental.noalias.scope.decl).
        if (lanes > 1 && strcmp(job->name, "functions") == 0)
            continue;
        if (job->doubles && context->device.lanes_f64 == 0)
            continue;
        memset(result, 0, JOB_RESULT_BYTES);
        isg_status st = job->run(context, result);
        ck_assert_msg(!st || (job->method && st == ISG_ERR_UNSUPPORTED), "%s: %s", job->name,
                      isg_context_error(context)->message);
        printf("done: %s\n", job->name);
        fflush(stdout);
    }
    free(result);
    isg_context_destroy(&context);
}

START_TEST(cpu_1)
{
    run_all(ISG_DEVICE_CPU, 1, ISG_ARITHMETIC_UNFUSED, false);
}
END_TEST

START_TEST(cpu_4)
{
    run_all(ISG_DEVICE_CPU, 4, ISG_ARITHMETIC_UNFUSED, false);
}
END_TEST

START_TEST(gpu_1)
{
    run_all(ISG_DEVICE_GPU_DISCRETE, 1, ISG_ARITHMETIC_UNFUSED, false);
}
END_TEST

START_TEST(gpu_4)
{
    run_all(ISG_DEVICE_GPU_DISCRETE, 4, ISG_ARITHMETIC_FUSED, false);
}
END_TEST

// What measures the device: in Oclgrind in minutes, where it looks at values.
START_TEST(limits)
{
    run_all(ISG_DEVICE_CPU, 1, ISG_ARITHMETIC_UNFUSED, true);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {cpu_1, cpu_4, gpu_1, gpu_4, limits};
    return suite_run(suite_of("every_kernel", tests, COUNT(tests)));
}
