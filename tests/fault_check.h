// What tests of failures share: the layer, a context, and what must hold whenever a call of a job fails: a status that
// says so, or the right result; nothing left behind; and right bits from the same context right afterwards.
#ifndef ISG_TESTS_FAULT_CHECK_H
#define ISG_TESTS_FAULT_CHECK_H

#include "fault_jobs.h"
#include "fault_layer.h"

typedef struct fault_layer {
    void *handle; // of the layer, for dlsym
    fault_arm_fn *arm;
    fault_calls_fn *calls;
    fault_fired_fn *fired;
    fault_live_fn *live;
    fault_where_fn *where; // NULL: it does not know
    fault_learn_fn *learn;
    fault_learnt_fn *learnt;
} fault_layer;
extern fault_layer layer;

// Finds the layer, whose file the environment names there. The test fails when it is not loaded.
void fault_find_layer(const char *variable);

extern isg_context *fault_context;
// Opens it, without a cache.
void fault_open(void);
// And closes it: nothing must be left of what the layer counts.
void fault_close(void);

// Whether the device lacks what a job needs, or ISOGRAM_FAULTS_JOB of the environment names another, or "untimed",
// which a simulator does in minutes, and the job is timed.
bool fault_skipped(const fault_job *job);

// Runs a job, with no call to fail, for the right result.
void fault_warm(const fault_job *job);
// Runs it as the layer is armed. *error: what was said.
isg_status fault_run(const fault_job *job, isg_error *error);
// Whether the result is the right one.
bool fault_same(const fault_job *job);
// Runs it once more, where nothing fails: the right result. when: for messages.
void fault_must_be_right(const fault_job *job, const char *when);

// Whether a failure of the call that the layer names may be told so; the test fails otherwise.
typedef void fault_explain_fn(const fault_job *job, long at, isg_status st, const isg_error *error);

// Call `first` of a job fails, then call first + step, and so on to its end; persists: and all that follow. Gives how
// many there were.
long fault_each_call(const fault_job *job, long first, long step, bool persists, fault_explain_fn *explain);

// One call of a job fails on each way that no call of jobs before went. Gives how many there were.
long fault_each_way(const fault_job *job, fault_explain_fn *explain);

// ISOGRAM_FAULTS of the environment: "all": not one call on each way fails, but every one; a number: on one of so many
// ways, as the tests' seed says.
bool fault_all(void);

// Which call fails first, where one of so many does: the tests' seed says.
long fault_first(long step);

#endif
