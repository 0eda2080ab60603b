// isogram gram: the Gram matrix of the points in one or two .npy files.
#include "deliver.h"
#include "order.h"
#include "report.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_KERNEL = OPTION_OWN,
    OPTION_PARAM,
    OPTION_SIGMA,
    OPTION_GAMMA,
    OPTION_LENGTHSCALE,
    OPTION_INCLUDE,
    OPTION_FACTORS,
    OPTION_HALF,
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
        "      --kernel NAME     a covariance function (default rbf); 'isogram kernels' lists them. Or several:\n"
        "                        \"2*rbf(sigma=0.5) + linear*periodic(period=3)\"\n"
        "      --param KEY=VALUE the function's own parameter, such as alpha=2; may be repeated\n"
        "      --sigma S         the scale: gamma = 1/(2 S^2)\n"
        "      --lengthscale L   the same under its other name; L1,L2,... is one for each column of X\n"
        "      --gamma G         or directly (the default is the function's)\n"
        "      --include M.npy   only the rows of X for which M is not 0\n"
        "      --factors W.npy   multiply row i of K by W[i]\n"
        "      --half            store K in half precision (float16); the arithmetic is single\n"
        "      --packed          only the lower triangle of K(X, X), row by row: n(n+1)/2 numbers\n"
        "      --order L.npy     whole numbers, one for each row of X: the picture is sorted by them\n"
        "      --method M        contract (default), or fast: distances by products where these are exact enough\n"
        "      --tolerance T     what fast may add to the error (default: 512 epsilon, 6.1e-5 in f32)\n"
        "      --limits          measure the device's limits too, and say what fraction was reached\n"
        "      --repeat N        compute N times and report the median time\n%s\n"
        "The precision is f64 when X or Y is double or has 32- or 64-bit integers, else f32.\n",
        common_help);
}

enum { MOST_REPETITIONS = 1000 };

typedef struct gram_options {
    common_options common;
    isg_gram_params params;
    const char *x, *y, *order, *kernel, *lengthscale, *include, *factors;
    isg_setting settings[ISG_MAX_PARAMS]; // names point into the command line, which is cut at '='
    bool limits, half, packed;
    int64_t repeat;
} gram_options;

// Everything that `run` holds, released in one place.
typedef struct work {
    isg_npy *x, *y, *k;
    isg_gram *gram;
    isg_composite *composite; // NULL: a single row
    double *lengthscales, *factors;
    uint8_t *include;
    label_order order;
} work;

static void work_free(work *w)
{
    isg_gram_destroy(&w->gram);
    isg_composite_destroy(&w->composite);
    isg_npy_close(&w->k);
    isg_npy_close(&w->y);
    isg_npy_close(&w->x);
    label_order_free(&w->order);
    free(w->lengthscales);
    free(w->factors);
    free(w->include);
}

static bool take_scale(double *to, const char *name, const char *value)
{
    // 0 would mean the default; it is out of range like every number below it.
    if (!parse_double(value, to) || *to == 0)
        return misuse("--%s '%s'; it is a positive number", name, value), false;
    return true;
}

// KEY=VALUE. Whether the kernel has such a parameter is for the library to say.
static bool take_param(gram_options *o, char *text)
{
    char *value = strchr(text, '=');
    if (!value || value == text)
        return misuse("--param '%s'; it is KEY=VALUE", text), false;
    if (o->params.setting_count == ISG_MAX_PARAMS)
        return misuse("--param '%s' is one parameter too many", text), false;
    double number;
    if (!parse_double(value + 1, &number))
        return misuse("--param '%s'; its value is a number", text), false;
    *value = 0;
    o->settings[o->params.setting_count++] = (isg_setting){text, number};
    return true;
}

static bool take_method(gram_options *o, const char *name)
{
    if (strcmp(name, "contract") != 0 && strcmp(name, "fast") != 0)
        return misuse("--method '%s'; it is contract or fast", name), false;
    o->params.method = strcmp(name, "fast") == 0 ? ISG_METHOD_FAST : ISG_METHOD_CONTRACT;
    return true;
}

// False after a usage error, which has been printed.
static bool take_option(gram_options *o, int option, char *value)
{
    switch (option) {
    case OPTION_KERNEL: o->kernel = value; return true;
    case OPTION_PARAM: return take_param(o, value);
    case OPTION_SIGMA: return take_scale(&o->params.sigma, "sigma", value);
    case OPTION_GAMMA: return take_scale(&o->params.gamma, "gamma", value);
    case OPTION_LENGTHSCALE:
        o->lengthscale = value;
        return strchr(value, ',') || take_scale(&o->params.lengthscale, "lengthscale", value);
    case OPTION_INCLUDE: o->include = value; return true;
    case OPTION_FACTORS: o->factors = value; return true;
    case OPTION_HALF: o->half = true; return true;
    case OPTION_PACKED: o->packed = true; return true;
    case OPTION_ORDER: o->order = value; return true;
    case OPTION_LIMITS: o->limits = true; return true;
    case OPTION_METHOD: return take_method(o, value);
    case OPTION_TOLERANCE:
        return (parse_double(value, &o->params.tolerance) && o->params.tolerance > 0 && o->params.tolerance < 1) ||
               (misuse("--tolerance '%s'; it is a positive number below 1", value), false);
    case OPTION_REPEAT:
        return (parse_int(value, &o->repeat) && o->repeat >= 1 && o->repeat <= MOST_REPETITIONS) ||
               (misuse("--repeat '%s'; it is 1 to %d", value, MOST_REPETITIONS), false);
    default: return take_common_option(&o->common, option, value) >= 0;
    }
}

// The covariance function: a row, which the other options then set up, or a composite, which has it all in its text.
static bool settle_kernel(gram_options *o, work *w)
{
    isg_error error;
    o->params.settings = o->settings;
    o->params.kernel = isg_kernel_find(o->kernel ? o->kernel : "rbf");
    if (!o->params.kernel && isg_kernel_parse(&w->composite, o->kernel, &error))
        return misuse("--kernel: %s", error.message), false;
    o->params.composite = w->composite;
    if (w->composite && (o->params.sigma != 0 || o->params.gamma != 0 || o->params.lengthscale != 0))
        return misuse("a kernel put together from several has its scales in brackets: rbf(sigma=2)"), false;
    if (w->composite && o->params.setting_count)
        return misuse("a kernel put together from several has its parameters in brackets: periodic(period=3)"), false;
    isg_composite *one = NULL;
    const isg_kernel_params row = {.kernel = o->params.kernel,
                                   .gamma = o->params.gamma,
                                   .sigma = o->params.sigma,
                                   .lengthscale = o->params.lengthscale,
                                   .settings = o->settings,
                                   .setting_count = o->params.setting_count};
    if (!w->composite && isg_kernel_single(&one, &row, &error) == ISG_ERR_ARGUMENT)
        return misuse("%s", error.message), false;
    isg_composite_destroy(&one);
    return true;
}

static bool settle(gram_options *o, work *w, int count, char **names)
{
    if (count < 1)
        return misuse("which points? 'isogram gram X.npy -o K.npy'"), false;
    if (count > 2)
        return misuse("'%s' is one argument too many", names[2]), false;
    o->x = names[0];
    o->y = count > 1 ? names[1] : NULL;
    if (!o->common.output && !o->common.plot && !o->common.json)
        return misuse("what for? give --output, --plot or --json"), false;
    if (o->packed && (o->y || o->factors))
        return misuse("--packed is for K(X, X), which is symmetric"), false;
    if ((o->packed || o->half) && o->common.plot)
        return misuse("a picture needs all of K, in single or double precision: no --plot beside --packed or --half"),
               false;
    if (o->half && o->common.precision == ISG_PRECISION_F64)
        return misuse("--half stores what single precision computed; it does not go with --precision f64"), false;
    if (o->order && (o->y || !o->common.plot))
        return misuse("--order sorts the picture (--plot) of K(X, X)"), false;
    if (o->params.tolerance > 0 && o->params.method != ISG_METHOD_FAST)
        return misuse("--tolerance is for --method fast"), false;
    const char *const inputs[] = {o->x, o->y, o->order, o->include, o->factors};
    const char *const outputs[] = {o->common.output, o->common.plot};
    const int input_count = sizeof inputs / sizeof *inputs;
    int from_stdin = 0;
    for (int i = 0; i < input_count; i++)
        from_stdin += inputs[i] && strcmp(inputs[i], "-") == 0;
    if (from_stdin > 1)
        return misuse("only one array can come from standard input"), false;
    for (int i = 0; i < input_count; i++)
        for (int j = 0; j < 2; j++)
            if (same_file(inputs[i], outputs[j]))
                return misuse("%s is both read and written", outputs[j]), false;
    return settle_kernel(o, w) && check_common_options(&o->common);
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
    if (!st && o->params.method == ISG_METHOD_FAST)
        st = isg_gram_fast_report(gram, &f->fast);
    int64_t n, m;
    isg_gram_shape(gram, &n, &m, NULL);
    f->pairs = o->packed ? (double)k->shape[0] : (double)n * (double)m;
    progress_end(shown);
    return st;
}

// The covariance function's text, to be freed; NULL without memory.
static char *text_of(const isg_composite *composite)
{
    size_t length = isg_composite_text(composite, NULL, 0);
    char *text = malloc(length + 1);
    if (text)
        isg_composite_text(composite, text, length + 1);
    return text;
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
    char *text = text_of(isg_gram_composite(gram));
    const isg_kernel *row = isg_gram_kernel(gram);
    printf("kernel    %s", row ? row->name : text ? text : "");
    free(text);
    if (isg_gram_gamma(gram) > 0 && !o->params.lengthscales)
        printf(", gamma %.6g", isg_gram_gamma(gram));
    for (int i = 0; row && i < ISG_MAX_PARAMS && row->params[i].name; i++)
        printf(", %s %.6g", row->params[i].name, isg_gram_param(gram, i));
    printf("%s\n", o->params.lengthscales ? ", a lengthscale for each column" : "");
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
    char *text = text_of(isg_gram_composite(gram));
    const isg_kernel *row = isg_gram_kernel(gram);
    cJSON_AddStringToObject(report, "kernel", row ? row->name : text ? text : "");
    free(text);
    if (o->params.lengthscales)
        cJSON_AddItemToObject(report, "lengthscales", cJSON_CreateDoubleArray(o->params.lengthscales, (int)d));
    else if (row)
        cJSON_AddNumberToObject(report, "gamma", isg_gram_gamma(gram));
    for (int i = 0; row && i < ISG_MAX_PARAMS && row->params[i].name; i++)
        cJSON_AddNumberToObject(report, row->params[i].name, isg_gram_param(gram, i));
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

// The numbers of a .npy file with a vector of `count`, as doubles; what: what they belong to. NULL after a complaint.
static double *read_vector(const char *path, int64_t count, const char *what)
{
    isg_npy *file = NULL;
    isg_error error = {ISG_OK, ""};
    double *values = NULL;
    if (isg_npy_open(&file, path, &error))
        return complain("%s", error.message), NULL;
    const isg_array *a = isg_npy_array(file);
    if (a->ndim != 1 || a->shape[0] != count)
        complain("%s: %lld numbers in one dimension are needed, one for each %s", path, (long long)count, what);
    else if ((values = malloc((size_t)count * sizeof *values + 1)))
        for (int64_t i = 0; i < count; i++)
            values[i] = isg_load_double(a->dtype, a->data, i * a->strides[0]);
    else
        complain("no memory for %s", path);
    isg_npy_close(&file);
    return values;
}

// What goes with the rows or columns of X. False after a complaint.
static bool read_companions(gram_options *o, work *w)
{
    const isg_array *x = &o->params.x;
    if (x->ndim != 2)
        return true; // the library says so
    if (o->include) {
        double *mask = read_vector(o->include, x->shape[0], "row of X");
        w->include = mask ? malloc((size_t)x->shape[0] + 1) : NULL;
        for (int64_t i = 0; w->include && i < x->shape[0]; i++)
            w->include[i] = mask[i] != 0;
        free(mask);
        if (!w->include)
            return false;
    }
    if (o->factors && !(w->factors = read_vector(o->factors, x->shape[0], "row of X")))
        return false;
    if (o->lengthscale && o->params.lengthscale == 0) {
        int64_t d = x->shape[1];
        w->lengthscales = d < INT32_MAX ? calloc((size_t)d + 1, sizeof *w->lengthscales) : NULL;
        if (!w->lengthscales)
            return complain("no memory for lengthscales"), false;
        int given = parse_doubles(o->lengthscale, w->lengthscales, (int)d);
        if (given != (int)d)
            return complain("--lengthscale '%s'; it is one number, or one for each of the %lld columns of X",
                            o->lengthscale, (long long)d),
                   false;
    }
    o->params.include = w->include;
    o->params.factors = w->factors;
    o->params.lengthscales = w->lengthscales;
    return true;
}

static int run(gram_options *o, isg_context *context, work *w)
{
    isg_error error = {ISG_OK, ""};
    figures f = {0};
    progress shown;
    double start = isg_seconds();
    if (isg_npy_open(&w->x, o->x, &error) || (o->y && isg_npy_open(&w->y, o->y, &error)))
        return complain("%s", error.message);
    o->params.x = *isg_npy_array(w->x);
    o->params.x_name = strcmp(o->x, "-") ? o->x : "standard input";
    if (o->y) {
        o->params.y = *isg_npy_array(w->y);
        o->params.y_name = strcmp(o->y, "-") ? o->y : "standard input";
    }
    if (!read_companions(o, w))
        return EXIT_FAILED;
    o->params.precision = o->half ? ISG_PRECISION_F32 : o->common.precision;
    o->params.progress = progress_step;
    o->params.progress_user = &shown;
    if (isg_gram_create(context, &w->gram, &o->params))
        return complain("%s", isg_context_error(context)->message);
    f.read_seconds = isg_seconds() - start;

    int64_t shape[2];
    isg_gram_shape(w->gram, &shape[0], &shape[1], NULL);
    if (o->order && label_order_read(&w->order, o->order, o->params.x.shape[0], w->include, &error))
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
    static const struct option table[] = {{"kernel", required_argument, 0, OPTION_KERNEL},
                                          {"param", required_argument, 0, OPTION_PARAM},
                                          {"sigma", required_argument, 0, OPTION_SIGMA},
                                          {"gamma", required_argument, 0, OPTION_GAMMA},
                                          {"lengthscale", required_argument, 0, OPTION_LENGTHSCALE},
                                          {"include", required_argument, 0, OPTION_INCLUDE},
                                          {"factors", required_argument, 0, OPTION_FACTORS},
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
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            help();
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || !take_option(&o, option, optarg))
            return EXIT_USAGE;
    }
    work w = {.x = NULL};
    if (!settle(&o, &w, argc - optind, argv + optind)) {
        work_free(&w);
        return EXIT_USAGE;
    }
    isg_context *context = open_context(&o.common);
    int code = context ? run(&o, context, &w) : EXIT_FAILED;
    work_free(&w);
    isg_context_destroy(&context);
    return code;
}
