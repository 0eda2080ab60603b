// Small ways through the whole library, from parameters to results in host memory: every room, and so every kernel of
// cl/. For tests of what holds for all of them: they give the same bits in any thread, and a simulator of devices sees
// nothing amiss.
#ifndef ISG_TESTS_JOBS_H
#define ISG_TESTS_JOBS_H

#include "suite.h"

#include <stdbool.h>

#include <isogram/context.h>

enum { JOB_RESULT_BYTES = 1 << 16 };

typedef struct small_job {
    const char *name;
    // Blocks. result: JOB_RESULT_BYTES, aligned for any number, zeroed; the bits that go there depend on the contract's
    // name alone. Of `timed` jobs they are nothing but 0.
    isg_status (*run)(isg_context *context, void *result);
    bool quick;   // built in little time, of different rooms
    bool doubles; // needs double precision
    bool timed;   // measures the device: takes its time
    bool method;  // needs atomic functions: ISG_ERR_UNSUPPORTED where the device has none
} small_job;

extern const small_job small_jobs[];
extern const size_t small_job_count;

// Makes the inputs of all jobs: once, before the first one is run. They are only read afterwards.
void small_jobs_fill(void);

#endif
