// isogram apply: the product of an operator that is never stored with the vectors of a .npy file.
#include "cluster.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

enum {
    OPTION_WEIGHTS = OPTION_VERB,
    OPTION_TRANSPOSE,
    OPTION_ACCUMULATE,
    OPTION_ALPHA,
    OPTION_BETA,
    OPTION_ADD,
    OPTION_TOLERANCE,
    OPTION_LIMITS,
    OPTION_REPEAT
};

enum { MOST_REPETITIONS = 1000 };

static void help(void)
{
    printf(
        "usage: isogram apply X.npy [Y.npy] --weights V.npy -o OUT.npy [options]\n\n"
        "OUT = K V, where K[i,j] = k(x_i, y_j) for the rows of X (n x d) and Y (m x d; left out: X itself) is never\n"
        "stored. V is m x r, or a vector. - reads standard input.\n\n"
        "      --weights V.npy   the vectors; infinite and NaN ones spoil their own column only\n"
        "      --transpose       OUT = K' V, for an n x r V\n"
        "      --alpha A         OUT = A K V\n"
        "      --add OLD.npy     and add what is here, of OUT's shape\n"
        "      --beta B          times B\n"
        "      --accumulate f64  sum single precision's products in double\n%s%s%s"
        "      --tolerance T     and where |K| is at most T: OUT is off by at most |A| T sum |V| then\n%s"
        "      --limits          measure the device's limits too, and say what fraction was reached\n"
        "      --repeat N        compute N times and report the median time\n%s\n"
        "The precision is f64 when X or Y is double or has 32- or 64-bit integers, else f32.\n",
        scale_help, row_help, skip_help, cluster_help, common_help);
}

typedef struct apply_options {
    common_options common;
    operator_options operator;
    isg_apply_params params;
    clustering cluster;
    const char *weights, *add;
    bool limits;
    int64_t repeat;
} apply_options;

typedef struct work {
    isg_npy *v, *old, *out;
    isg_gram *gram;
    isg_array V; // in the operator's order
    isg_skip_report skipped;
} work;

static bool take_number(double *to, const char *name, const char *value)
{
    return parse_double(value, to) || (misuse("--%s '%s'; it is a number", name, value), false);
}

// False after a usage error, which has been printed.
static bool take_option(apply_options *o, int option, char *value)
{
    switch (option) {
    case OPTION_WEIGHTS: o->weights = value; return true;
    case OPTION_TRANSPOSE: o->params.transpose = 1; return true;
    case OPTION_ADD: o->add = value; return true;
    case OPTION_LIMITS: o->limits = true; return true;
    case OPTION_ACCUMULATE:
        o->params.accumulate = ISG_PRECISION_F64;
        return strcmp(value, "f64") == 0 || (misuse("--accumulate '%s'; it is f64", value), false);
    case OPTION_ALPHA:
        if (!take_number(&o->params.alpha, "alpha", value))
            return false;
        return o->params.alpha != 0 || (misuse("--alpha 0 leaves nothing of the product"), false);
    case OPTION_BETA: return take_number(&o->params.beta, "beta", value);
    case OPTION_CLUSTER: o->cluster.asked = true; return true;
    case OPTION_TOLERANCE:
        return (parse_double(value, &o->params.tolerance) && o->params.tolerance >= 0 && o->params.tolerance < 1) ||
               (misuse("--tolerance '%s'; it is a number from 0 to below 1", value), false);
    case OPTION_REPEAT:
        return (parse_int(value, &o->repeat) && o->repeat >= 1 && o->repeat <= MOST_REPETITIONS) ||
               (misuse("--repeat '%s'; it is 1 to %d", value, MOST_REPETITIONS), false);
    default: {
        int taken = take_operator_option(&o->operator, option, value);
        return taken ? taken > 0 : take_common_option(&o->common, option, value) >= 0;
    }
    }
}

static bool settle(apply_options *o, int count, char **names)
{
    if (count < 1)
        return misuse("which points? 'isogram apply X.npy --weights V.npy -o OUT.npy'"), false;
    if (count > 2)
        return misuse("'%s' is one argument too many", names[2]), false;
    if (!o->weights)
        return misuse("which vectors? --weights V.npy"), false;
    if (o->common.plot)
        return misuse("there is no picture of a product"), false;
    if (!o->common.output && !o->common.json)
        return misuse("what for? give --output or --json"), false;
    if (o->params.beta != 0 && !o->add)
        return misuse("--beta is what --add is multiplied by"), false;
    if (o->add && o->params.beta == 0)
        o->params.beta = 1;
    o->operator.x = names[0];
    o->operator.y = count> 1 ? names[1] : NULL;
    const char *const inputs[] = {o->weights, o->add}, *const outputs[] = {o->common.output};
    return settle_operator(&o->operator, inputs, 2, outputs, 1) && check_common_options(&o->common);
}

// What the job took, and the least that it could have taken.
typedef struct figures {
    double seconds, pairs, limit;
    int64_t columns;
    isg_limits device; // with --limits
    isg_gram_limits gram;
} figures;

// From what a coordinate, a value and a product take in registers.
static isg_status measure(isg_context *context, const work *w, figures *f)
{
    int64_t d;
    isg_status st = isg_context_measure(context, precision_of(isg_gram_dtype(w->gram)), &f->device);
    if (!st)
        st = isg_gram_measure(w->gram, &f->gram);
    isg_gram_shape(w->gram, NULL, NULL, &d);
    if (!st)
        f->limit = f->pairs * ((double)d / f->gram.steps_per_s + 1 / f->gram.values_per_s +
                               (double)f->columns / f->device.madds_per_s);
    return st;
}

// OUT as it was: the numbers of OLD, in OUT's type.
static int bring_old(const apply_options *o, const work *w, const int64_t *places, const isg_array *out)
{
    const isg_array *old = isg_npy_array(w->old);
    if (old->ndim != out->ndim || old->shape[0] != out->shape[0] || (out->ndim == 2 && old->shape[1] != out->shape[1]))
        return complain("%s does not have the product's shape", o->add);
    int64_t columns = out->ndim == 2 ? out->shape[1] : 1;
    for (int64_t i = 0; i < out->shape[0] * columns; i++) {
        int64_t row = places ? places[i / columns] : i / columns;
        int64_t at = row * old->strides[0] + (old->ndim == 2 ? i % columns * old->strides[1] : 0);
        isg_store_double(out->dtype, out->data, i, isg_load_double(old->dtype, old->data, at));
    }
    return EXIT_DONE;
}

static int compute(apply_options *o, isg_context *context, work *w, figures *f, progress *shown)
{
    double times[MOST_REPETITIONS];
    int64_t repeat = o->repeat ? o->repeat : 1;
    isg_status st = ISG_OK;
    const int64_t *places = o->params.transpose ? o->cluster.columns : o->cluster.rows;
    isg_array out = *isg_npy_array(w->out);
    if (places && cluster_make(&o->cluster, &out))
        return EXIT_FAILED;
    o->params.skip = o->operator.skip;
    o->params.report = &w->skipped;
    for (int64_t i = 0; i < repeat && !st; i++) {
        if (w->old && bring_old(o, w, places, &out))
            return EXIT_FAILED;
        progress_start(shown, o->common.quiet, "pairs");
        double start = isg_seconds();
        st = isg_gram_apply(w->gram, w->V, out, &o->params);
        times[i] = isg_seconds() - start;
    }
    if (!st)
        f->seconds = median_of(times, repeat);
    if (!st && places)
        cluster_scatter(places, &out, isg_npy_array(w->out));
    progress_end(shown);
    if (!st && o->limits)
        st = measure(context, w, f);
    return st ? complain("%s", isg_context_error(context)->message) : EXIT_DONE;
}

static void summarize(const apply_options *o, isg_context *context, const work *w, const figures *f)
{
    char rate[32];
    const isg_array *out = isg_npy_array(w->out);
    const isg_device *d = isg_context_device(context);
    printf("OUT       %lld x %lld %s%s%s\n", (long long)out->shape[0], (long long)f->columns,
           isg_dtype_name(out->dtype), o->common.output ? " in " : "", o->common.output ? o->common.output : "");
    printf("device    %s (%s)\n", d->name, d->platform);
    printf("contract  %s\n", isg_context_contract(context, precision_of(isg_gram_dtype(w->gram))));
    print_kernel(&o->operator, w->gram);
    print_skipped(&w->skipped);
    printf("time      %.4f s, %spairs/s\n", f->seconds, with_prefix(f->pairs / f->seconds, rate, sizeof rate));
    if (f->limit > 0)
        printf("limit     %.0f %% of what the device can do in registers, measured now\n", 100 * f->limit / f->seconds);
}

static int finish(const apply_options *o, isg_context *context, work *w, const figures *f)
{
    isg_error error = {ISG_OK, ""};
    const isg_array *out = isg_npy_array(w->out);
    int64_t shape[2] = {out->shape[0], f->columns};
    cJSON *report = report_new("apply", context, precision_of(isg_gram_dtype(w->gram)));
    report_kernel(report, &o->operator, w->gram);
    cJSON_AddItemToObject(report, "shape", report_shape(2, shape));
    cJSON_AddStringToObject(report, "dtype", isg_dtype_name(out->dtype));
    cJSON_AddStringToObject(report, "accumulate", o->params.accumulate ? "float64" : isg_dtype_name(out->dtype));
    if (o->common.output)
        cJSON_AddStringToObject(report, "output", o->common.output);
    cJSON *seconds = cJSON_AddObjectToObject(report, "seconds");
    cJSON_AddNumberToObject(seconds, "compute", f->seconds);
    if (o->cluster.asked)
        cJSON_AddNumberToObject(seconds, "cluster", o->cluster.seconds);
    report_skipped(report, &w->skipped);
    cJSON_AddNumberToObject(report, "pairs_per_s", f->pairs / f->seconds);
    if (f->limit > 0) {
        cJSON *limits = cJSON_AddObjectToObject(report, "limits");
        cJSON_AddNumberToObject(limits, "steps_per_s", f->gram.steps_per_s);
        cJSON_AddNumberToObject(limits, "values_per_s", f->gram.values_per_s);
        cJSON_AddNumberToObject(limits, "madds_per_s", f->device.madds_per_s);
        cJSON_AddNumberToObject(limits, "seconds", f->limit);
        cJSON_AddNumberToObject(limits, "fraction", f->limit / f->seconds);
    }
    bool to_stdout = o->common.output && strcmp(o->common.output, "-") == 0;
    if (!o->common.json && !o->common.quiet && !to_stdout)
        summarize(o, context, w, f);
    if (o->common.output && isg_npy_commit(&w->out, &error)) {
        cJSON_Delete(report);
        return complain("%s", error.message);
    }
    return report_finish(report, o->common.json);
}

static int run(apply_options *o, isg_context *context, work *w)
{
    isg_error error = {ISG_OK, ""};
    figures f = {0};
    progress shown;
    int64_t n, m;
    if (read_operator(&o->operator))
        return EXIT_FAILED;
    if (isg_npy_open(&w->v, o->weights, &error) || (o->add && isg_npy_open(&w->old, o->add, &error)))
        return complain("%s", error.message);
    o->operator.params.allow_empty = 1;
    if (cluster_operator(&o->cluster, &o->operator) ||
        make_operator(&o->operator, context, o->common.precision, &shown, &w->gram))
        return EXIT_FAILED;
    const isg_array *v = isg_npy_array(w->v);
    if (v->ndim != 1 && v->ndim != 2)
        return complain("%s: vectors are a matrix or one vector", o->weights);
    isg_gram_shape(w->gram, &n, &m, NULL);
    w->V = *v;
    if (cluster_gather(&o->cluster, o->params.transpose ? o->cluster.rows : o->cluster.columns,
                       o->params.transpose ? n : m, &w->V))
        return EXIT_FAILED;
    cluster_release(&o->cluster, o->params.transpose ? o->cluster.rows : o->cluster.columns);
    f.pairs = (double)n * (double)m;
    f.columns = v->ndim == 2 ? v->shape[1] : 1;
    const int64_t shape[2] = {o->params.transpose ? m : n, f.columns};
    isg_dtype dtype = o->params.accumulate ? ISG_F64 : isg_gram_dtype(w->gram);
    if (isg_npy_create(&w->out, o->common.output ? o->common.output : "-", dtype, v->ndim, shape, &error))
        return complain("%s", error.message);
    if (compute(o, context, w, &f, &shown))
        return EXIT_FAILED;
    return finish(o, context, w, &f);
}

int verb_apply(int argc, char **argv)
{
    static const struct option table[] = {SCALE_OPTIONS,
                                          ROW_OPTIONS,
                                          {"weights", required_argument, 0, OPTION_WEIGHTS},
                                          {"transpose", no_argument, 0, OPTION_TRANSPOSE},
                                          {"accumulate", required_argument, 0, OPTION_ACCUMULATE},
                                          {"alpha", required_argument, 0, OPTION_ALPHA},
                                          {"beta", required_argument, 0, OPTION_BETA},
                                          {"add", required_argument, 0, OPTION_ADD},
                                          SKIP_OPTION,
                                          CLUSTER_OPTION,
                                          {"tolerance", required_argument, 0, OPTION_TOLERANCE},
                                          {"limits", no_argument, 0, OPTION_LIMITS},
                                          {"repeat", required_argument, 0, OPTION_REPEAT},
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    apply_options o = {.repeat = 0};
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            help();
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || !take_option(&o, option, optarg))
            return EXIT_USAGE;
    }
    work w = {.v = NULL};
    int code;
    if (settle(&o, argc - optind, argv + optind)) {
        isg_context *context = open_context(&o.common);
        code = context ? run(&o, context, &w) : EXIT_FAILED;
        isg_gram_destroy(&w.gram);
        isg_context_destroy(&context);
    } else {
        code = unsettled(&o.operator);
    }
    isg_npy_close(&w.v);
    isg_npy_close(&w.old);
    isg_npy_close(&w.out);
    cluster_free(&o.cluster);
    operator_free(&o.operator);
    return code;
}
