// What verbs that reduce an operator share: from the options to the result and the report.
#ifndef ISG_TOOLS_REDUCTION_H
#define ISG_TOOLS_REDUCTION_H

#include "cluster.h"

typedef struct reduction_job {
    common_options common;
    operator_options operator; // x: where results are wanted; y: the data, or NULL
    isg_context *context;
    isg_gram *gram;
    isg_npy *out; // what --output gets
    progress shown;
    double seconds, pairs;
    clustering cluster;
    isg_skip_report skipped;
} reduction_job;

// Takes a scale, row or common option. False after a usage error, which has been printed.
bool take_reduction_option(reduction_job *job, int option, char *value);

// Makes the device's context and, points being read or set in operator.params, the operator, clustered where that is
// asked for. EXIT_FAILED after a complaint.
int reduction_open(reduction_job *job);
int reduction_make(reduction_job *job);

// Makes `out` of the operator's type, or another.
int reduction_create(reduction_job *job, isg_dtype dtype, int32_t ndim, const int64_t *shape);

// Computes, timed; params in the order of the files. EXIT_FAILED after a complaint.
int reduction_run(reduction_job *job, isg_reduce_params params);

// The file and a report: `what` is in it. cJSON of the verb's own may have been added to `report`.
int reduction_finish(reduction_job *job, const char *verb, const char *what, cJSON *report);
cJSON *reduction_report(reduction_job *job, const char *verb);
void reduction_free(reduction_job *job);

#endif
