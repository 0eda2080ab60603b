// isogram knn: the nearest points of one .npy file to each of those of another.
#include "reduction.h"
#include "verbs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_COUNT = OPTION_VERB, OPTION_DISTANCES, OPTION_METRIC };

static void help(void)
{
    printf("usage: isogram knn X.npy [Y.npy] --count K -o INDICES.npy [options]\n\n"
           "For each row of X the K nearest rows of Y (left out: X itself, each point being its own nearest), in "
           "order; of\n"
           "equally far ones the first. INDICES is n x K, int64. - reads standard input.\n\n"
           "      --count K         how many, 1 to %d (default 1)\n"
           "      --metric M        euclidean (default), sqeuclidean, cityblock or another row of 'isogram kernels'\n"
           "      --distances D.npy write the distances, too\n%s\n"
           "The precision is f64 when X or Y is double or has 32- or 64-bit integers, else f32.\n",
           ISG_MOST_EXTREMES, common_help);
}

typedef struct knn_options {
    reduction_job job;
    const char *distances;
    int64_t count;
    bool root; // squared distances are what is compared
} knn_options;

static bool take_option(knn_options *o, int option, char *value)
{
    switch (option) {
    case OPTION_COUNT:
        return (parse_int(value, &o->count) && o->count >= 1 && o->count <= ISG_MOST_EXTREMES) ||
               (misuse("--count '%s'; it is 1 to %d", value, ISG_MOST_EXTREMES), false);
    case OPTION_DISTANCES: o->distances = value; return true;
    case OPTION_METRIC: o->job.operator.kernel = value; return true;
    default: return take_reduction_option(&o->job, option, value);
    }
}

static bool settle(knn_options *o, int count, char **names)
{
    reduction_job *job = &o->job;
    const char *metric = job->operator.kernel ? job->operator.kernel : "euclidean";
    if (count < 1)
        return misuse("which points? 'isogram knn X.npy Y.npy --count 5 -o INDICES.npy'"), false;
    if (count > 2)
        return misuse("'%s' is one argument too many", names[2]), false;
    if (job->common.plot)
        return misuse("there is no picture of neighbours"), false;
    if (!job->common.output && !job->common.json)
        return misuse("what for? give --output or --json"), false;
    if (same_file(job->common.output, o->distances))
        return misuse("--output and --distances name one file, %s", o->distances), false;
    o->root = strcmp(metric, "euclidean") == 0;
    job->operator.kernel = o->root ? "sqeuclidean" : metric;
    job->operator.x = names[0];
    job->operator.y = count> 1 ? names[1] : NULL;
    const char *const outputs[] = {job->common.output, o->distances};
    return settle_operator(&job->operator, NULL, 0, outputs, 2) && check_common_options(&job->common);
}

// The roots of squared distances, correctly rounded as squares' roots go.
static void take_roots(const isg_array *a)
{
    for (int64_t i = 0; i < a->shape[0] * a->shape[1]; i++)
        if (a->dtype == ISG_F64)
            ((double *)a->data)[i] = sqrt(((double *)a->data)[i]);
        else
            ((float *)a->data)[i] = sqrtf(((float *)a->data)[i]);
}

static int run(knn_options *o, isg_npy **distances)
{
    reduction_job *job = &o->job;
    isg_error error = {ISG_OK, ""};
    int64_t shape[2];
    if (reduction_open(job) || read_operator(&job->operator) || reduction_make(job))
        return EXIT_FAILED;
    isg_gram_shape(job->gram, &shape[0], NULL, NULL);
    shape[1] = o->count ? o->count : 1;
    if (reduction_create(job, ISG_I64, 2, shape))
        return EXIT_FAILED;
    // Values want a place even where nobody asks for them: a file that is never given a name.
    if (isg_npy_create(distances, o->distances ? o->distances : "-", isg_gram_dtype(job->gram), 2, shape, &error))
        return complain("%s", error.message);
    if (reduction_run(job, *isg_reduce_params(.reduction = ISG_REDUCE_LEAST, .count = (int32_t)shape[1],
                                              .out = *isg_npy_array(*distances), .indices = *isg_npy_array(job->out))))
        return EXIT_FAILED;
    if (o->root)
        take_roots(isg_npy_array(*distances));
    if (o->distances && isg_npy_commit(distances, &error))
        return complain("%s", error.message);
    cJSON *report = reduction_report(job, "knn");
    cJSON_AddStringToObject(report, "metric", o->root ? "euclidean" : job->operator.kernel);
    if (o->distances)
        cJSON_AddStringToObject(report, "distances", o->distances);
    return reduction_finish(job, "knn", "indices", report);
}

int verb_knn(int argc, char **argv)
{
    static const struct option table[] = {{"count", required_argument, 0, OPTION_COUNT},
                                          {"distances", required_argument, 0, OPTION_DISTANCES},
                                          {"metric", required_argument, 0, OPTION_METRIC},
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    knn_options o = {.count = 0};
    isg_npy *distances = NULL;
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            help();
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || !take_option(&o, option, optarg))
            return EXIT_USAGE;
    }
    int code = settle(&o, argc - optind, argv + optind) ? run(&o, &distances) : unsettled(&o.job.operator);
    isg_npy_close(&distances);
    reduction_free(&o.job);
    return code;
}
