// isogram regress: Nadaraya-Watson regression, means of values weighted by a covariance function.
#include "reduction.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

enum { OPTION_WEIGHTS = OPTION_VERB };

static void help(void)
{
    printf(
        "usage: isogram regress X.npy VALUES.npy PLACES.npy -o OUT.npy [options]\n\n"
        "OUT[i] = sum_j k(p_i, x_j) VALUES[j] / sum_j k(p_i, x_j) for the rows p of PLACES and x of X: "
        "Nadaraya-Watson\n"
        "regression, right also where k is too small to be a number. VALUES is m x r, or a vector. - reads standard\n"
        "input.\n\n"
        "      --weights W.npy   how much each row of X counts\n%s%s%s%s\n"
        "The precision is f64 when X or PLACES is double or has 32- or 64-bit integers, else f32.\n",
        scale_help, skip_help, cluster_help, common_help);
}

typedef struct regress_options {
    reduction_job job;
    const char *values, *weights;
} regress_options;

static bool settle(regress_options *o, int count, char **names)
{
    reduction_job *job = &o->job;
    if (count < 3)
        return misuse("which data? 'isogram regress X.npy VALUES.npy PLACES.npy -o OUT.npy'"), false;
    if (count > 3)
        return misuse("'%s' is one argument too many", names[3]), false;
    if (job->common.plot)
        return misuse("there is no picture of a regression"), false;
    if (!job->common.output && !job->common.json)
        return misuse("what for? give --output or --json"), false;
    job->operator.y = names[0];
    o->values = names[1];
    job->operator.x = names[2];
    const char *const inputs[] = {o->values, o->weights}, *const outputs[] = {job->common.output};
    return settle_operator(&job->operator, inputs, 2, outputs, 1) && check_common_options(&job->common);
}

static int run(regress_options *o, isg_npy **values, isg_npy **weights)
{
    reduction_job *job = &o->job;
    isg_error error = {ISG_OK, ""};
    int64_t shape[2];
    if (isg_npy_open(values, o->values, &error) || (o->weights && isg_npy_open(weights, o->weights, &error)))
        return complain("%s", error.message);
    const isg_array *v = isg_npy_array(*values);
    if (v->ndim != 1 && v->ndim != 2)
        return complain("%s: values are a matrix or a vector", o->values);
    if (reduction_open(job) || read_operator(&job->operator) || reduction_make(job))
        return EXIT_FAILED;
    isg_gram_shape(job->gram, &shape[0], NULL, NULL);
    shape[1] = v->ndim == 2 ? v->shape[1] : 1;
    if (reduction_create(job, isg_gram_dtype(job->gram), v->ndim, shape))
        return EXIT_FAILED;
    isg_reduce_params params = {.reduction = ISG_REDUCE_MEAN, .out = *isg_npy_array(job->out), .v = *v};
    if (o->weights)
        params.weights = *isg_npy_array(*weights);
    return reduction_run(job, params) ? EXIT_FAILED : reduction_finish(job, "regress", "means", NULL);
}

int verb_regress(int argc, char **argv)
{
    static const struct option table[] = {SCALE_OPTIONS,  {"weights", required_argument, 0, OPTION_WEIGHTS},
                                          SKIP_OPTION,    CLUSTER_OPTION,
                                          COMMON_OPTIONS, {0, 0, 0, 0}};
    regress_options o = {.values = NULL};
    isg_npy *values = NULL, *weights = NULL;
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            help();
            return EXIT_DONE;
        }
        if (option == OPTION_WEIGHTS)
            o.weights = optarg;
        else if (option == OPTION_WRONG || !take_reduction_option(&o.job, option, optarg))
            return EXIT_USAGE;
    }
    int code = settle(&o, argc - optind, argv + optind) ? run(&o, &values, &weights) : unsettled(&o.job.operator);
    isg_npy_close(&values);
    isg_npy_close(&weights);
    reduction_free(&o.job);
    return code;
}
