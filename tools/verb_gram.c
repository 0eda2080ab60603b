// isogram gram: the Gram matrix of the points in one or two .npy files.
#include "deliver.h"
#include "operator_options.h"
#include "order.h"
#include "store_options.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_HALF = OPTION_VERB,
    OPTION_PACKED,
    OPTION_ORDER,
    OPTION_LIMITS,
    OPTION_METHOD,
    OPTION_TOLERANCE,
    OPTION_REPEAT
};

static void help(void)
{
    printf(
        "usage: isogram gram X.npy [Y.npy] -o K.npy [options]\n\n"
        "K[i,j] = k(x_i, y_j) for the rows of X (n x d) and Y (m x d; left out: X itself). - reads standard input.\n\n"
        "%s%s"
        "      --half            store K in half precision (float16); the arithmetic is single\n"
        "      --packed          only the lower triangle of K(X, X), row by row: n(n+1)/2 numbers\n"
        "      --order L.npy     whole numbers, one for each row of X: the picture is sorted by them\n"
        "      --method M        contract (default), or fast: distances by products where these are exact enough\n"
        "      --tolerance T     what fast may add to the error (default: 512 epsilon, 6.1e-5 in f32)\n"
        "      --limits          measure the device's limits too, and say what fraction was reached\n"
        "      --repeat N        compute N times and report the median time\n%s%s\n"
        "The precision is f64 when X or Y is double or has 32- or 64-bit integers, else f32.\n",
        scale_help, row_help, store_help, common_help);
}

enum { MOST_REPETITIONS = 1000 };

typedef struct gram_options {
    common_options common;
    operator_options operator;
    const char *order;
    bool limits, half, packed;
    int64_t repeat;
    store_options store;
} gram_options;

// Everything that `run` holds, released in one place.
typedef struct work {
    isg_npy *k;
    isg_gram *gram;
    label_order order;
} work;

static void work_free(work *w)
{
    isg_gram_destroy(&w->gram);
    isg_npy_close(&w->k);
    label_order_free(&w->order);
}

static bool take_method(gram_options *o, const char *name)
{
    if (strcmp(name, "contract") != 0 && strcmp(name, "fast") != 0)
        return misuse("--method '%s'; it is contract or fast", name), false;
    o->operator.params.method = strcmp(name, "fast") == 0 ? ISG_METHOD_FAST : ISG_METHOD_CONTRACT;
    return true;
}

// False after a usage error, which has been printed.
static bool take_option(gram_options *o, int option, char *value)
{
    switch (option) {
    case OPTION_HALF: o->half = true; return true;
    case OPTION_PACKED: o->packed = true; return true;
    case OPTION_ORDER: o->order = value; return true;
    case OPTION_LIMITS: o->limits = true; return true;
    case OPTION_METHOD: return take_method(o, value);
    case OPTION_TOLERANCE:
        return (parse_double(value, &o->operator.params.tolerance) &&
                o->operator.params.tolerance> 0 && o->operator.params.tolerance<1) ||
               (misuse("--tolerance '%s'; it is a positive number below 1", value), false);
    case OPTION_REPEAT:
        return (parse_int(value, &o->repeat) && o->repeat >= 1 && o->repeat <= MOST_REPETITIONS) ||
               (misuse("--repeat '%s'; it is 1 to %d", value, MOST_REPETITIONS), false);
    default: {
        int taken = take_operator_option(&o->operator, option, value);
        taken = taken ? taken : take_store_option(&o->store, option, value);
        return taken ? taken > 0 : take_common_option(&o->common, option, value) >= 0;
    }
    }
}

static bool settle_store(const gram_options *o)
{
    if (!o->common.output)
        return misuse("a store is a file: give --output"), false;
    if (o->common.plot || o->order || o->limits || o->repeat)
        return misuse("a store goes with none of --plot, --order, --limits and --repeat"), false;
    if (o->packed)
        return misuse("the lower triangle in a store goes by tiles: --layout tiles, not --packed"), false;
    if (o->operator.params.method == ISG_METHOD_FAST)
        return misuse("a store is computed under the contract: no --method fast"), false;
    if (o->store.layout == ISG_STORE_TILES && (o->operator.y || o->operator.factors))
        return misuse("--layout tiles is for K(X, X), which is symmetric"), false;
    if (o->store.workers > 0 && o->store.only)
        return misuse("--workers and --part do not go together"), false;
    if (o->store.workers > 0 && (strcmp(o->operator.x, "-") == 0 || (o->operator.y && strcmp(o->operator.y, "-") == 0)))
        return misuse("workers cannot share standard input"), false;
    return true;
}

static bool settle(gram_options *o, int count, char **names)
{
    if (count < 1)
        return misuse("which points? 'isogram gram X.npy -o K.npy'"), false;
    if (count > 2)
        return misuse("'%s' is one argument too many", names[2]), false;
    o->operator.x = names[0];
    o->operator.y = count> 1 ? names[1] : NULL;
    if (!o->common.output && !o->common.plot && !o->common.json)
        return misuse("what for? give --output, --plot or --json"), false;
    if (o->packed && (o->operator.y || o->operator.factors))
        return misuse("--packed is for K(X, X), which is symmetric"), false;
    if ((o->packed || o->half) && o->common.plot)
        return misuse("a picture needs all of K, in single or double precision: no --plot beside --packed or --half"),
               false;
    if (o->half && o->common.precision == ISG_PRECISION_F64)
        return misuse("--half stores what single precision computed; it does not go with --precision f64"), false;
    if (o->order && (o->operator.y || !o->common.plot))
        return misuse("--order sorts the picture (--plot) of K(X, X)"), false;
    if (o->operator.params.tolerance> 0 && o->operator.params.method != ISG_METHOD_FAST)
        return misuse("--tolerance is for --method fast"), false;
    if (o->store.wanted && !settle_store(o))
        return false;
    const char *const inputs[] = {o->order}, *const outputs[] = {o->common.output, o->common.plot};
    return settle_operator(&o->operator, inputs, 1, outputs, 2) && check_common_options(&o->common);
}

// What the job took, and what it could have taken.
typedef struct figures {
    double seconds; // median of the repetitions
    double pairs;
    double read_seconds, write_seconds;
    isg_fast_report fast; // zero unless that was the method
    isg_limits device;    // zero unless measured
    isg_gram_limits limits;
} figures;

// Computes K as often as asked for. The bits are the same each time.
static isg_status compute(const gram_options *o, isg_gram *gram, const isg_array *k, figures *f, progress *shown)
{
    int64_t repeat = o->repeat ? o->repeat : 1;
    double times[MOST_REPETITIONS];
    isg_status st = ISG_OK;
    for (int64_t i = 0; i < repeat && !st; i++) {
        progress_start(shown, o->common.quiet, "pairs");
        double start = isg_seconds();
        st = o->packed ? isg_gram_packed(gram, *k) : isg_gram_dense(gram, *k);
        times[i] = isg_seconds() - start;
    }
    if (!st)
        f->seconds = median_of(times, repeat);
    if (!st && o->operator.params.method == ISG_METHOD_FAST)
        st = isg_gram_fast_report(gram, &f->fast);
    int64_t n, m;
    isg_gram_shape(gram, &n, &m, NULL);
    f->pairs = o->packed ? (double)k->shape[0] : (double)n * (double)m;
    progress_end(shown);
    return st;
}

static void summarize(const gram_options *o, isg_context *context, const isg_gram *gram, const isg_array *k,
                      const figures *f)
{
    char rate[32], fill[32], steps[32], values[32];
    const isg_device *d = isg_context_device(context);
    int64_t n, m;
    isg_gram_shape(gram, &n, &m, NULL);
    printf("K         %lld x %lld %s%s%s%s\n", (long long)n, (long long)m, isg_dtype_name(k->dtype),
           o->packed ? ", the lower triangle" : "", o->common.output ? " in " : "",
           o->common.output ? o->common.output : "");
    printf("device    %s (%s)\n", d->name, d->platform);
    printf("contract  %s\n", isg_gram_contract(gram));
    if (f->fast.tolerance > 0)
        printf("method    fast, within %.3g of the exact besides the contract's own error; %.3g %% of K recomputed\n",
               f->fast.tolerance, 100 * f->fast.recomputed / f->fast.elements);
    print_kernel(&o->operator, gram);
    printf("time      %.4f s, %spairs/s\n", f->seconds, with_prefix(f->pairs / f->seconds, rate, sizeof rate));
    const isg_gram_limits *l = &f->limits;
    if (l->seconds > 0)
        printf("limit     %.0f %% of what the device can do, by its %s (fill %sB/s, %ssteps/s, %svalues/s, measured "
               "now)\n",
               100 * l->seconds / f->seconds, limit_word(l), with_prefix(l->fill_bytes_per_s, fill, sizeof fill),
               with_prefix(l->steps_per_s, steps, sizeof steps), with_prefix(l->values_per_s, values, sizeof values));
}

static void fill_report(cJSON *report, const gram_options *o, const isg_gram *gram, const isg_array *k,
                        const figures *f)
{
    int64_t d;
    isg_gram_shape(gram, NULL, NULL, &d);
    report_kernel(report, &o->operator, gram);
    cJSON_AddItemToObject(report, "shape", report_shape(k->ndim, k->shape));
    cJSON_AddNumberToObject(report, "dimension", (double)d);
    cJSON_AddStringToObject(report, "dtype", isg_dtype_name(k->dtype));
    if (o->common.output)
        cJSON_AddStringToObject(report, "output", o->common.output);
    if (o->common.plot)
        cJSON_AddStringToObject(report, "plot", o->common.plot);
    cJSON_AddStringToObject(report, "method", f->fast.tolerance > 0 ? "fast" : "contract");
    if (f->fast.tolerance > 0) {
        cJSON_ReplaceItemInObject(report, "contract", cJSON_CreateString(isg_gram_contract(gram)));
        cJSON_AddNumberToObject(report, "tolerance", f->fast.tolerance);
        cJSON_AddNumberToObject(report, "recomputed", f->fast.recomputed / f->fast.elements);
    }
    cJSON *seconds = cJSON_AddObjectToObject(report, "seconds");
    cJSON_AddNumberToObject(seconds, "read", f->read_seconds);
    cJSON_AddNumberToObject(seconds, "compute", f->seconds);
    cJSON_AddNumberToObject(seconds, "write", f->write_seconds);
    cJSON_AddNumberToObject(report, "pairs_per_s", f->pairs / f->seconds);
    if (f->limits.seconds > 0) {
        cJSON *limits = report_gram_limits(&f->limits, f->seconds);
        cJSON_AddNumberToObject(limits, "copy_bytes_per_s", f->device.copy_bytes_per_s);
        cJSON_AddNumberToObject(limits, "madds_per_s", f->device.madds_per_s);
        cJSON_AddItemToObject(report, "limits", limits);
    }
}

// Picture, file, report. K is in memory and right.
static int finish(const gram_options *o, isg_context *context, work *w, figures *f)
{
    isg_array k = *isg_npy_array(w->k);
    plot_params picture = {.order = w->order.order,
                           .breaks = w->order.breaks,
                           .break_count = w->order.break_count,
                           .break_labels = (const char *const *)w->order.names};
    double start = isg_seconds();
    if (deliver(&o->common, &w->k, &k, &picture))
        return EXIT_FAILED;
    f->write_seconds = isg_seconds() - start;
    bool to_stdout = o->common.output && strcmp(o->common.output, "-") == 0;
    if (!o->common.json && !o->common.quiet && !to_stdout)
        summarize(o, context, w->gram, &k, f);
    cJSON *report = report_new("gram", context, precision_of(isg_gram_dtype(w->gram)));
    fill_report(report, o, w->gram, &k, f);
    return report_finish(report, o->common.json);
}

static int run(gram_options *o, isg_context *context, work *w)
{
    isg_error error = {ISG_OK, ""};
    figures f = {0};
    progress shown;
    double start = isg_seconds();
    if (read_operator(&o->operator) ||
        make_operator(&o->operator, context, o->half ? ISG_PRECISION_F32 : o->common.precision, &shown, &w->gram))
        return EXIT_FAILED;
    f.read_seconds = isg_seconds() - start;

    int64_t shape[2];
    isg_gram_shape(w->gram, &shape[0], &shape[1], NULL);
    if (o->order && label_order_read(&w->order, o->order, o->operator.params.x.shape[0], o->operator.mask, &error))
        return complain("%s", error.message);
    isg_dtype dtype = isg_gram_dtype(w->gram);
    if (o->limits &&
        (isg_context_measure(context, precision_of(dtype), &f.device) || isg_gram_measure(w->gram, &f.limits)))
        return complain("%s", isg_context_error(context)->message);
    if (o->packed)
        shape[0] = shape[0] * (shape[0] + 1) / 2; // the points are in memory: no overflow
    if (isg_npy_create(&w->k, o->common.output ? o->common.output : "-", o->half ? ISG_F16 : dtype, o->packed ? 1 : 2,
                       shape, &error))
        return complain("%s", error.message);
    if (compute(o, w->gram, isg_npy_array(w->k), &f, &shown))
        return complain("%s", isg_context_error(context)->message);
    return finish(o, context, w, &f);
}

int verb_gram(int argc, char **argv)
{
    static const struct option table[] = {SCALE_OPTIONS,
                                          ROW_OPTIONS,
                                          STORE_OPTIONS,
                                          {"half", no_argument, 0, OPTION_HALF},
                                          {"packed", no_argument, 0, OPTION_PACKED},
                                          {"order", required_argument, 0, OPTION_ORDER},
                                          {"limits", no_argument, 0, OPTION_LIMITS},
                                          {"method", required_argument, 0, OPTION_METHOD},
                                          {"tolerance", required_argument, 0, OPTION_TOLERANCE},
                                          {"repeat", required_argument, 0, OPTION_REPEAT},
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    gram_options o = {.repeat = 0};
    char **words = copy_words(argc, argv);
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP)
            help();
        if (option == OPTION_HELP || option == OPTION_WRONG || !take_option(&o, option, optarg)) {
            free(words);
            return option == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        }
    }
    work w = {.k = NULL};
    if (!settle(&o, argc - optind, argv + optind)) {
        free(words);
        operator_free(&o.operator);
        return unsettled(&o.operator);
    }
    if (o.store.wanted) {
        int code = store_gram(&o.common, &o.operator, & o.store, o.half, words);
        operator_free(&o.operator);
        free(words);
        return code;
    }
    free(words);
    isg_context *context = open_context(&o.common);
    int code = context ? run(&o, context, &w) : EXIT_FAILED;
    work_free(&w);
    operator_free(&o.operator);
    isg_context_destroy(&context);
    return code;
}
