// Runs every kernel of cl/ at least once, in small: for a simulator that looks at what they do (oclgrind.py). What
// comes out is test_threads' and the certificate's business. every_kernel [few]: the library's ways once, in single
// precision as the device is; else also as devices with vectors would be told to, and every row of the registry.
#include "device.h"
#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run_all(const char *as, isg_device_class device_class, int32_t lanes, isg_arithmetic arithmetic)
{
    isg_context *context = device_open(arithmetic, 0);
    ck_assert_ptr_nonnull(context);
    context->device.device_class = device_class;
    context->device.lanes_f32 = lanes;
    context->device.lanes_f64 = context->device.lanes_f64 ? lanes : 0;
    void *result = isg_alloc(JOB_RESULT_BYTES, 1);
    ck_assert_ptr_nonnull(result);
    for (size_t i = 0; i < small_job_count; i++) {
        const small_job *job = &small_jobs[i];
        if (job->doubles && context->device.lanes_f64 == 0)
            continue;
        memset(result, 0, JOB_RESULT_BYTES);
        isg_status st = job->run(context, result);
        ck_assert_msg(!st || (job->method && st == ISG_ERR_UNSUPPORTED), "%s: %s", job->name,
                      isg_context_error(context)->message);
        printf("%s, %d lanes: %s\n", as, (int)lanes, job->name);
        fflush(stdout);
    }
    free(result);
    isg_context_destroy(&context);
}

START_TEST(every_kernel)
{
    small_jobs_fill();
    run_all("cpu", ISG_DEVICE_CPU, 4, ISG_ARITHMETIC_UNFUSED);
#ifndef FEW
    run_all("gpu", ISG_DEVICE_GPU, 1, ISG_ARITHMETIC_UNFUSED);
    run_all("gpu", ISG_DEVICE_GPU, 4, ISG_ARITHMETIC_FUSED);
    run_all("cpu", ISG_DEVICE_CPU, 16, ISG_ARITHMETIC_UNFUSED);
#endif
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_kernel};
    return suite_run(suite_of("every_kernel", tests, COUNT(tests)));
}
