#include "reduction.h"
#include "deliver.h"

#include <stdio.h>
#include <string.h>

bool take_reduction_option(reduction_job *job, int option, char *value)
{
    if (option == OPTION_CLUSTER)
        return job->cluster.asked = true;
    int taken = take_operator_option(&job->operator, option, value);
    return taken ? taken > 0 : take_common_option(&job->common, option, value) >= 0;
}

int reduction_open(reduction_job *job)
{
    job->context = open_context(&job->common);
    return job->context ? EXIT_DONE : EXIT_FAILED;
}

int reduction_make(reduction_job *job)
{
    int64_t n, m;
    job->operator.params.allow_empty = 1;
    if (cluster_operator(&job->cluster, &job->operator) ||
        make_operator(&job->operator, job->context, job->common.precision, &job->shown, &job->gram))
        return EXIT_FAILED;
    isg_gram_shape(job->gram, &n, &m, NULL);
    job->pairs = (double)n * (double)m;
    return EXIT_DONE;
}

int reduction_create(reduction_job *job, isg_dtype dtype, int32_t ndim, const int64_t *shape)
{
    isg_error error = {ISG_OK, ""};
    if (isg_npy_create(&job->out, job->common.output ? job->common.output : "-", dtype, ndim, shape, &error))
        return complain("%s", error.message);
    return EXIT_DONE;
}

int reduction_run(reduction_job *job, isg_reduce_params params)
{
    const clustering *c = &job->cluster;
    const isg_array out = params.out;
    int64_t n, m;
    isg_gram_shape(job->gram, &n, &m, NULL);
    params.skip = job->operator.skip;
    params.report = &job->skipped;
    if ((params.weights.dtype != ISG_DTYPE_NONE && cluster_gather(&job->cluster, c->columns, m, &params.weights)) ||
        (params.v.dtype != ISG_DTYPE_NONE && cluster_gather(&job->cluster, c->columns, m, &params.v)) ||
        (c->rows && cluster_make(&job->cluster, &params.out)))
        return EXIT_FAILED;
    cluster_release(&job->cluster, c->columns);
    progress_start(&job->shown, job->common.quiet, "pairs");
    double start = isg_seconds();
    isg_status st = isg_gram_reduce(job->gram, &params);
    job->seconds = isg_seconds() - start;
    progress_end(&job->shown);
    if (st)
        return complain("%s", isg_context_error(job->context)->message);
    if (c->rows)
        cluster_scatter(c->rows, &params.out, &out);
    return EXIT_DONE;
}

cJSON *reduction_report(reduction_job *job, const char *verb)
{
    cJSON *report = report_new(verb, job->context, precision_of(isg_gram_dtype(job->gram)));
    report_kernel(report, &job->operator, job->gram);
    return report;
}

static void summarize(const reduction_job *job, const char *what)
{
    char rate[32];
    const isg_array *out = isg_npy_array(job->out);
    const isg_device *d = isg_context_device(job->context);
    printf("%-9s %lld", what, (long long)out->shape[0]);
    for (int32_t axis = 1; axis < out->ndim; axis++)
        printf(" x %lld", (long long)out->shape[axis]);
    printf(" %s%s%s\n", isg_dtype_name(out->dtype), job->common.output ? " in " : "",
           job->common.output ? job->common.output : "");
    printf("device    %s (%s)\n", d->name, d->platform);
    printf("contract  %s\n", isg_context_contract(job->context, precision_of(isg_gram_dtype(job->gram))));
    print_kernel(&job->operator, job->gram);
    print_skipped(&job->skipped);
    printf("time      %.4f s, %spairs/s\n", job->seconds, with_prefix(job->pairs / job->seconds, rate, sizeof rate));
}

int reduction_finish(reduction_job *job, const char *verb, const char *what, cJSON *report)
{
    const isg_array out = *isg_npy_array(job->out);
    const plot_params picture = {.order = NULL};
    report = report ? report : reduction_report(job, verb);
    cJSON_AddItemToObject(report, "shape", report_shape(out.ndim, out.shape));
    cJSON_AddStringToObject(report, "dtype", isg_dtype_name(out.dtype));
    if (job->common.output)
        cJSON_AddStringToObject(report, "output", job->common.output);
    if (job->common.plot)
        cJSON_AddStringToObject(report, "plot", job->common.plot);
    cJSON *seconds = cJSON_AddObjectToObject(report, "seconds");
    cJSON_AddNumberToObject(seconds, "compute", job->seconds);
    if (job->cluster.asked)
        cJSON_AddNumberToObject(seconds, "cluster", job->cluster.seconds);
    if (job->skipped.pairs > 0)
        report_skipped(report, &job->skipped);
    cJSON_AddNumberToObject(report, "pairs_per_s", job->pairs / job->seconds);
    bool to_stdout = job->common.output && strcmp(job->common.output, "-") == 0;
    if (!job->common.json && !job->common.quiet && !to_stdout)
        summarize(job, what);
    if (deliver(&job->common, &job->out, &out, &picture)) {
        cJSON_Delete(report);
        return EXIT_FAILED;
    }
    return report_finish(report, job->common.json);
}

void reduction_free(reduction_job *job)
{
    isg_gram_destroy(&job->gram);
    isg_context_destroy(&job->context);
    isg_npy_close(&job->out);
    operator_free(&job->operator);
    cluster_free(&job->cluster);
}
