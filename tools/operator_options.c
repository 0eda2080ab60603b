#include "operator_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char scale_help[] =
    "      --kernel NAME     a covariance function (default rbf); 'isogram kernels' lists them. Or several:\n"
    "                        \"2*rbf(sigma=0.5) + linear*periodic(period=3)\"\n"
    "      --param KEY=VALUE the function's own parameter, such as alpha=2; may be repeated\n"
    "      --sigma S         the scale: gamma = 1/(2 S^2)\n"
    "      --lengthscale L   the same under its other name; L1,L2,... is one for each column of X\n"
    "      --gamma G         or directly (the default is the function's)\n";

const char row_help[] = "      --include M.npy   only the rows of X for which M is not 0\n"
                        "      --factors W.npy   multiply row i of K by W[i]\n";

const char skip_help[] =
    "      --skip WHEN       skip blocks of pairs where K is 0: auto (the default), always, never\n";

static bool take_skip(isg_skip *to, const char *value)
{
    static const char *const words[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++)
        if (strcmp(value, words[i]) == 0) {
            *to = (isg_skip)i;
            return true;
        }
    return misuse("--skip '%s'; it is auto, always or never", value), false;
}

static bool take_scale(double *to, const char *name, const char *value)
{
    // 0 would mean the default; it is out of range like every number below it.
    if (!parse_double(value, to) || *to == 0)
        return misuse("--%s '%s'; it is a positive number", name, value), false;
    return true;
}

// KEY=VALUE. Whether the kernel has such a parameter is for the library to say.
static bool take_param(operator_options *o, char *text)
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

int take_operator_option(operator_options *o, int option, char *value)
{
    switch (option) {
    case OPTION_KERNEL: o->kernel = value; return 1;
    case OPTION_PARAM: return take_param(o, value) ? 1 : -1;
    case OPTION_SIGMA: return take_scale(&o->params.sigma, "sigma", value) ? 1 : -1;
    case OPTION_GAMMA: return take_scale(&o->params.gamma, "gamma", value) ? 1 : -1;
    case OPTION_LENGTHSCALE:
        o->lengthscale = value;
        return strchr(value, ',') || take_scale(&o->params.lengthscale, "lengthscale", value) ? 1 : -1;
    case OPTION_INCLUDE: o->include = value; return 1;
    case OPTION_FACTORS: o->factors = value; return 1;
    case OPTION_SKIP: return take_skip(&o->skip, value) ? 1 : -1;
    default: return 0;
    }
}

// The covariance function: a row, which the other options then set up, or a composite, which has it all in its text.
static bool settle_kernel(operator_options *o)
{
    isg_error error;
    o->params.settings = o->settings;
    o->params.kernel = isg_kernel_find(o->kernel ? o->kernel : "rbf");
    if (!o->params.kernel && isg_kernel_parse(&o->composite, o->kernel, &error)) {
        o->no_memory = error.status == ISG_ERR_MEMORY;
        if (o->no_memory)
            complain("%s", error.message);
        else
            misuse("--kernel: %s", error.message);
        return false;
    }
    o->params.composite = o->composite;
    if (o->composite && (o->params.sigma != 0 || o->params.gamma != 0 || o->params.lengthscale != 0))
        return misuse("a kernel put together from several has its scales in brackets: rbf(sigma=2)"), false;
    if (o->composite && o->params.setting_count)
        return misuse("a kernel put together from several has its parameters in brackets: periodic(period=3)"), false;
    isg_composite *one = NULL;
    const isg_kernel_params row = {.kernel = o->params.kernel,
                                   .gamma = o->params.gamma,
                                   .sigma = o->params.sigma,
                                   .lengthscale = o->params.lengthscale,
                                   .settings = o->settings,
                                   .setting_count = o->params.setting_count};
    if (!o->composite && isg_kernel_single(&one, &row, &error) == ISG_ERR_ARGUMENT)
        return misuse("%s", error.message), false;
    isg_composite_destroy(&one);
    return true;
}

bool settle_operator(operator_options *o, const char *const *inputs, int input_count, const char *const *outputs,
                     int output_count)
{
    enum { OWN = 4, MOST = 12 };
    const char *all[MOST] = {o->x, o->y, o->include, o->factors};
    int from_stdin = 0, count = OWN;
    for (int i = 0; i < input_count && count < MOST; i++)
        all[count++] = inputs[i];
    for (int i = 0; i < count; i++)
        from_stdin += all[i] && strcmp(all[i], "-") == 0;
    if (from_stdin > 1)
        return misuse("only one array can come from standard input"), false;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < output_count; j++)
            if (same_file(all[i], outputs[j]))
                return misuse("%s is both read and written", outputs[j]), false;
    return settle_kernel(o);
}

int unsettled(const operator_options *o)
{
    return o->no_memory ? EXIT_FAILED : EXIT_USAGE;
}

double *read_vector(const char *path, int64_t count, const char *what)
{
    isg_npy *file = NULL;
    isg_error error = {ISG_OK, ""};
    double *values = NULL;
    if (isg_npy_open(&file, path, &error))
        return complain("%s", error.message), NULL;
    const isg_array *a = isg_npy_array(file);
    if (a->ndim != 1 || a->shape[0] != count)
        complain("%s: %lld numbers in one dimension are needed, one for each %s", path, (long long)count, what);
    else if ((values = calloc((size_t)count + 1, sizeof *values)))
        for (int64_t i = 0; i < count; i++)
            values[i] = isg_load_double(a->dtype, a->data, i * a->strides[0]);
    else
        complain("no memory for %s", path);
    isg_npy_close(&file);
    return values;
}

// What goes with the rows or columns of X. False after a complaint.
static bool read_companions(operator_options *o)
{
    const isg_array *x = &o->params.x;
    if (x->ndim != 2)
        return true; // the library says so
    if (o->include) {
        double *mask = read_vector(o->include, x->shape[0], "row of X");
        o->mask = mask ? malloc((size_t)x->shape[0] + 1) : NULL;
        for (int64_t i = 0; o->mask && i < x->shape[0]; i++)
            o->mask[i] = mask[i] != 0;
        if (mask && !o->mask)
            complain("no memory for %s", o->include);
        free(mask);
        if (!o->mask)
            return false;
    }
    if (o->factors && !(o->factor_values = read_vector(o->factors, x->shape[0], "row of X")))
        return false;
    if (o->lengthscale && o->params.lengthscale == 0) {
        int64_t d = x->shape[1];
        o->lengthscales = d < INT32_MAX ? calloc((size_t)d + 1, sizeof *o->lengthscales) : NULL;
        if (!o->lengthscales)
            return complain("no memory for lengthscales"), false;
        int given = parse_doubles(o->lengthscale, o->lengthscales, (int)d);
        if (given != (int)d)
            return complain("--lengthscale '%s'; it is one number, or one for each of the %lld columns of X",
                            o->lengthscale, (long long)d),
                   false;
    }
    o->params.include = o->mask;
    o->params.factors = o->factor_values;
    o->params.lengthscales = o->lengthscales;
    return true;
}

int read_operator(operator_options *o)
{
    isg_error error = {ISG_OK, ""};
    if (isg_npy_open(&o->x_file, o->x, &error) || (o->y && isg_npy_open(&o->y_file, o->y, &error)))
        return complain("%s", error.message);
    o->params.x = *isg_npy_array(o->x_file);
    o->params.x_name = strcmp(o->x, "-") ? o->x : "standard input";
    if (o->y) {
        o->params.y = *isg_npy_array(o->y_file);
        o->params.y_name = strcmp(o->y, "-") ? o->y : "standard input";
    }
    return read_companions(o) ? EXIT_DONE : EXIT_FAILED;
}

int make_operator(operator_options *o, isg_context *context, isg_precision precision, progress *shown, isg_gram **gram)
{
    o->params.precision = precision;
    o->params.progress = progress_step;
    o->params.progress_user = shown;
    return isg_gram_create(context, gram, &o->params) ? complain("%s", isg_context_error(context)->message) : EXIT_DONE;
}

void operator_free(operator_options *o)
{
    isg_composite_destroy(&o->composite);
    isg_npy_close(&o->y_file);
    isg_npy_close(&o->x_file);
    free(o->lengthscales);
    free(o->factor_values);
    free(o->mask);
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

void print_kernel(const operator_options *o, const isg_gram *gram)
{
    char *text = text_of(isg_gram_composite(gram));
    const isg_kernel *row = isg_gram_kernel(gram);
    printf("kernel    %s", row ? row->name : text ? text : "no memory for its text");
    free(text);
    if (isg_gram_gamma(gram) > 0 && !o->params.lengthscales)
        printf(", gamma %.6g", isg_gram_gamma(gram));
    for (int i = 0; row && i < ISG_MAX_PARAMS && row->params[i].name; i++)
        printf(", %s %.6g", row->params[i].name, isg_gram_param(gram, i));
    printf("%s\n", o->params.lengthscales ? ", a lengthscale for each column" : "");
}

void report_kernel(cJSON *report, const operator_options *o, const isg_gram *gram)
{
    int64_t d;
    isg_gram_shape(gram, NULL, NULL, &d);
    char *text = text_of(isg_gram_composite(gram));
    const isg_kernel *row = isg_gram_kernel(gram);
    if (row || text)
        cJSON_AddStringToObject(report, "kernel", row ? row->name : text);
    else
        report_lacks();
    free(text);
    if (o->params.lengthscales)
        cJSON_AddItemToObject(report, "lengthscales", cJSON_CreateDoubleArray(o->params.lengthscales, (int)d));
    else if (row)
        cJSON_AddNumberToObject(report, "gamma", isg_gram_gamma(gram));
    for (int i = 0; row && i < ISG_MAX_PARAMS && row->params[i].name; i++)
        cJSON_AddNumberToObject(report, row->params[i].name, isg_gram_param(gram, i));
}

void print_skipped(const isg_skip_report *skipped)
{
    if (skipped->computed < skipped->pairs)
        printf("skipped   %.1f %% of the pairs%s\n", 100 * (1 - skipped->computed / skipped->pairs),
               skipped->bound > 0 ? ", not all of them 0" : "");
}

void report_skipped(cJSON *report, const isg_skip_report *skipped)
{
    cJSON *o = cJSON_AddObjectToObject(report, "skipping");
    cJSON_AddNumberToObject(o, "pairs", skipped->pairs);
    cJSON_AddNumberToObject(o, "computed", skipped->computed);
    cJSON_AddNumberToObject(o, "bound", skipped->bound);
}
