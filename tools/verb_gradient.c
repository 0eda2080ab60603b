// isogram gradient: derivatives of a weighted sum over an operator that is never stored.
#include "operator_options.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_V = OPTION_VERB,
    OPTION_W,
    OPTION_X,
    OPTION_Y,
    OPTION_POINTS_ONLY,
    OPTION_ACCUMULATE,
    OPTION_LIMITS,
    OPTION_REPEAT
};

enum { MOST_REPETITIONS = 1000 };

static void help(void)
{
    printf("usage: isogram gradient X.npy [Y.npy] --v V.npy [--w W.npy] [--x GX.npy] [--y GY.npy] [options]\n\n"
           "The derivatives of f = sum_ij (v_i . w_j) k(x_i, y_j) for the rows of X (n x d) and Y (m x d; left out: X\n"
           "itself), by every scale, parameter and factor of the kernel, and by the points. V is n x r, W m x r, or "
           "vectors.\n"
           "K is never stored. - reads standard input.\n\n"
           "      --v V.npy         the weights of X's rows\n"
           "      --w W.npy         those of Y's; left out beside K(X,X): V\n"
           "      --x GX.npy        write df/dX, n x d; of K(X,X) both sides of K move with X\n"
           "      --y GY.npy        write df/dY, m x d\n"
           "      --points-only     leave out the kernel's numbers, which are a pass of their own\n"
           "      --accumulate f64  sum single precision's terms in double\n%s%s"
           "      --limits          measure the device's limits too, and say what fraction was reached\n"
           "      --repeat N        compute N times and report the median time\n%s\n"
           "The precision is f64 when X or Y is double or has 32- or 64-bit integers, else f32.\n",
           scale_help, row_help, common_help);
}

typedef struct gradient_options {
    common_options common;
    operator_options operator;
    isg_gradient_params params;
    const char *v, *w, *x, *y;
    bool limits, points_only;
    int64_t repeat;
} gradient_options;

typedef struct work {
    isg_npy *v, *w, *x, *y;
    isg_gram *gram;
    double *parameters;
    int64_t count;
} work;

// False after a usage error, which has been printed.
static bool take_option(gradient_options *o, int option, char *value)
{
    switch (option) {
    case OPTION_V: o->v = value; return true;
    case OPTION_W: o->w = value; return true;
    case OPTION_X: o->x = value; return true;
    case OPTION_Y: o->y = value; return true;
    case OPTION_POINTS_ONLY: o->points_only = true; return true;
    case OPTION_LIMITS: o->limits = true; return true;
    case OPTION_ACCUMULATE:
        o->params.accumulate = ISG_PRECISION_F64;
        return strcmp(value, "f64") == 0 || (misuse("--accumulate '%s'; it is f64", value), false);
    case OPTION_REPEAT:
        return (parse_int(value, &o->repeat) && o->repeat >= 1 && o->repeat <= MOST_REPETITIONS) ||
               (misuse("--repeat '%s'; it is 1 to %d", value, MOST_REPETITIONS), false);
    default: {
        int taken = take_operator_option(&o->operator, option, value);
        return taken ? taken > 0 : take_common_option(&o->common, option, value) >= 0;
    }
    }
}

static bool settle(gradient_options *o, int count, char **names)
{
    if (count < 1)
        return misuse("which points? 'isogram gradient X.npy --v V.npy'"), false;
    if (count > 2)
        return misuse("'%s' is one argument too many", names[2]), false;
    o->operator.x = names[0];
    o->operator.y = count> 1 ? names[1] : NULL;
    if (!o->v)
        return misuse("which weights? --v V.npy"), false;
    if (!o->w && o->operator.y)
        return misuse("which weights of Y's rows? --w W.npy"), false;
    if (o->y && !o->operator.y)
        return misuse("K(X,X) has one set of points; its gradient by them is --x"), false;
    if (o->points_only && !o->x && !o->y)
        return misuse("--points-only leaves nothing: give --x or --y"), false;
    if (o->common.plot)
        return misuse("there is no picture of a gradient"), false;
    if (o->common.output)
        return misuse("a gradient has two outputs: give --x or --y, not --output"), false;
    if ((o->x && strcmp(o->x, "-") == 0) || (o->y && strcmp(o->y, "-") == 0))
        return misuse("--x and --y write files; standard output is for the report"), false;
    if (o->x && same_file(o->x, o->y))
        return misuse("%s is written twice", o->x), false;
    const char *const inputs[] = {o->v, o->w}, *const outputs[] = {o->x, o->y};
    return settle_operator(&o->operator, inputs, 2, outputs, 2) && check_common_options(&o->common);
}

// What the job took, and the least that it could have taken.
typedef struct figures {
    double seconds, pairs, limit; // pairs: of all passes
    int64_t columns;
} figures;

// From what a coordinate, a value and a product take in registers. A coordinate is taken twice by a pass that sums by
// it: for the distance, and for its part of the slope.
static isg_status measure(const gradient_options *o, isg_context *context, const work *w, double pairs, figures *f)
{
    int64_t d;
    isg_limits device;
    isg_gram_limits gram;
    isg_status st = isg_context_measure(context, precision_of(isg_gram_dtype(w->gram)), &device);
    if (!st)
        st = isg_gram_measure(w->gram, &gram);
    isg_gram_shape(w->gram, NULL, NULL, &d);
    const int by_coordinate = (o->x != NULL) + (o->y != NULL) + (o->operator.params.lengthscales && !o->points_only);
    const double columns = (double)f->columns * (o->operator.y ? 1 : 2);
    if (!st)
        f->limit = f->pairs * ((double)d / gram.steps_per_s + 1 / gram.values_per_s + columns / device.madds_per_s) +
                   pairs * by_coordinate * (double)d / gram.steps_per_s;
    return st;
}

static int compute(gradient_options *o, isg_context *context, work *w, figures *f, progress *shown)
{
    double times[MOST_REPETITIONS];
    const int64_t repeat = o->repeat ? o->repeat : 1;
    int64_t n, m;
    isg_status st = ISG_OK;
    isg_gram_shape(w->gram, &n, &m, NULL);
    const int64_t columns = !o->points_only && o->operator.params.lengthscales ? o->operator.params.x.shape[1] : 0;
    const int passes = (o->x != NULL) + (o->y != NULL) + (w->count > columns) + (columns > 0);
    f->pairs = (double)n * (double)m * passes;
    for (int64_t i = 0; i < repeat && !st; i++) {
        progress_start(shown, o->common.quiet, "pairs");
        double start = isg_seconds();
        st = isg_gram_gradient(w->gram, &o->params);
        times[i] = isg_seconds() - start;
    }
    if (!st)
        f->seconds = median_of(times, repeat);
    progress_end(shown);
    if (!st && o->limits)
        st = measure(o, context, w, (double)n * (double)m, f);
    return st ? complain("%s", isg_context_error(context)->message) : EXIT_DONE;
}

// "sigma of rbf", "lengthscale of column 2".
static const char *label(const isg_gradient_parameter *p, bool several, char *text, size_t bytes)
{
    if (p->coordinate >= 0)
        snprintf(text, bytes, "lengthscale of column %lld", (long long)p->coordinate);
    else if (p->kernel && several)
        snprintf(text, bytes, "%s of row %d, %s", p->name, (int)p->row, p->kernel->name);
    else
        snprintf(text, bytes, "%s", p->name);
    return text;
}

static void summarize(const gradient_options *o, isg_context *context, const work *w, const figures *f)
{
    char rate[32], text[120];
    const isg_device *d = isg_context_device(context);
    printf("device    %s (%s)\n", d->name, d->platform);
    printf("contract  %s\n", isg_context_contract(context, precision_of(isg_gram_dtype(w->gram))));
    print_kernel(&o->operator, w->gram);
    for (int64_t i = 0; i < w->count; i++) {
        isg_gradient_parameter p;
        if (isg_gram_parameter(w->gram, i, &p) == ISG_OK)
            printf("%s %-30s %.9g\n", i ? "         " : "df/d     ",
                   label(&p, !isg_gram_kernel(w->gram), text, sizeof text), w->parameters[i]);
    }
    if (o->x)
        printf("df/dX     in %s\n", o->x);
    if (o->y)
        printf("df/dY     in %s\n", o->y);
    printf("time      %.4f s, %spairs/s\n", f->seconds, with_prefix(f->pairs / f->seconds, rate, sizeof rate));
    if (f->limit > 0)
        printf("limit     %.0f %% of what the device can do in registers, measured now\n", 100 * f->limit / f->seconds);
}

static cJSON *parameters_of(const work *w)
{
    cJSON *all = cJSON_CreateArray();
    for (int64_t i = 0; i < w->count; i++) {
        isg_gradient_parameter p;
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(all, one);
        if (isg_gram_parameter(w->gram, i, &p))
            continue;
        cJSON_AddStringToObject(one, "name", p.name);
        cJSON_AddNumberToObject(one, "value", p.value);
        if (p.kernel) {
            cJSON_AddStringToObject(one, "kernel", p.kernel->name);
            cJSON_AddNumberToObject(one, "row", p.row);
        }
        if (p.coordinate >= 0)
            cJSON_AddNumberToObject(one, "column", (double)p.coordinate);
        cJSON_AddNumberToObject(one, "derivative", w->parameters[i]); // null where it is no number
    }
    return all;
}

static int finish(const gradient_options *o, isg_context *context, work *w, const figures *f)
{
    isg_error error = {ISG_OK, ""};
    cJSON *report = report_new("gradient", context, precision_of(isg_gram_dtype(w->gram)));
    report_kernel(report, &o->operator, w->gram);
    cJSON_AddStringToObject(report, "dtype", isg_dtype_name(isg_gram_dtype(w->gram)));
    cJSON_AddItemToObject(report, "parameters", parameters_of(w));
    if (o->x)
        cJSON_AddStringToObject(report, "x", o->x);
    if (o->y)
        cJSON_AddStringToObject(report, "y", o->y);
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(report, "seconds"), "compute", f->seconds);
    cJSON_AddNumberToObject(report, "pairs_per_s", f->pairs / f->seconds);
    if (f->limit > 0) {
        cJSON *limits = cJSON_AddObjectToObject(report, "limits");
        cJSON_AddNumberToObject(limits, "seconds", f->limit);
        cJSON_AddNumberToObject(limits, "fraction", f->limit / f->seconds);
    }
    if (!o->common.json && !o->common.quiet)
        summarize(o, context, w, f);
    if ((o->x && isg_npy_commit(&w->x, &error)) || (o->y && isg_npy_commit(&w->y, &error))) {
        cJSON_Delete(report);
        return complain("%s", error.message);
    }
    return report_finish(report, o->common.json);
}

static int run(gradient_options *o, isg_context *context, work *w)
{
    isg_error error = {ISG_OK, ""};
    figures f = {0};
    progress shown;
    int64_t n, m, d;
    if (read_operator(&o->operator))
        return EXIT_FAILED;
    if (isg_npy_open(&w->v, o->v, &error) || (o->w && isg_npy_open(&w->w, o->w, &error)))
        return complain("%s", error.message);
    if (make_operator(&o->operator, context, o->common.precision, &shown, &w->gram))
        return EXIT_FAILED;
    o->params.v = *isg_npy_array(w->v);
    o->params.w = *isg_npy_array(o->w ? w->w : w->v);
    f.columns = o->params.v.ndim == 2 ? o->params.v.shape[1] : 1;
    isg_gram_shape(w->gram, &n, &m, &d);
    const isg_dtype dtype = isg_gram_dtype(w->gram);
    const int64_t x_shape[2] = {n, d}, y_shape[2] = {m, d};
    if ((o->x && isg_npy_create(&w->x, o->x, dtype, 2, x_shape, &error)) ||
        (o->y && isg_npy_create(&w->y, o->y, dtype, 2, y_shape, &error)))
        return complain("%s", error.message);
    w->count = o->points_only ? 0 : isg_gram_parameter_count(w->gram);
    w->parameters = calloc((size_t)w->count + 1, sizeof *w->parameters);
    if (!w->parameters)
        return complain("no memory for derivatives");
    o->params.parameters = o->points_only ? NULL : w->parameters;
    if (o->x)
        o->params.x = *isg_npy_array(w->x);
    if (o->y)
        o->params.y = *isg_npy_array(w->y);
    if (compute(o, context, w, &f, &shown))
        return EXIT_FAILED;
    return finish(o, context, w, &f);
}

int verb_gradient(int argc, char **argv)
{
    static const struct option table[] = {SCALE_OPTIONS,
                                          ROW_OPTIONS,
                                          {"v", required_argument, 0, OPTION_V},
                                          {"w", required_argument, 0, OPTION_W},
                                          {"x", required_argument, 0, OPTION_X},
                                          {"y", required_argument, 0, OPTION_Y},
                                          {"points-only", no_argument, 0, OPTION_POINTS_ONLY},
                                          {"accumulate", required_argument, 0, OPTION_ACCUMULATE},
                                          {"limits", no_argument, 0, OPTION_LIMITS},
                                          {"repeat", required_argument, 0, OPTION_REPEAT},
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    gradient_options o = {.repeat = 0};
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
    free(w.parameters);
    isg_npy_close(&w.v);
    isg_npy_close(&w.w);
    isg_npy_close(&w.x);
    isg_npy_close(&w.y);
    operator_free(&o.operator);
    return code;
}
