// isogram convolve: an array in a .npy file, convolved or correlated with a stencil in another.
#include "deliver.h"
#include "report.h"
#include "verbs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_STENCIL = OPTION_OWN, OPTION_CORRELATE, OPTION_MODE, OPTION_CVAL, OPTION_AXES, OPTION_DTYPE };

static void help(void)
{
    printf(
        "usage: isogram convolve IN.npy --stencil S.npy -o OUT.npy [options]\n\n"
        "IN.npy holds an array of 1 to 4 dimensions of uint8, uint16, int16, int32, float16, float32 or float64; "
        "S.npy\n"
        "one of 1 to 3 dimensions, no more than IN.npy has. Either may be -, standard input:\n"
        "    isogram grid --size 15 --angle 30 --sigma 1,3 -o - | isogram convolve IN.npy --stencil - -o OUT.npy\n\n"
        "      --stencil S.npy   the weights\n"
        "      --correlate       correlation, as scipy.ndimage.correlate and OpenCV's filter2D; else convolution, as\n"
        "                        scipy.ndimage.convolve, which turns the stencil around\n"
        "      --mode M[,M...]   beyond the border: reflect dcba|abcd|dcba (default), mirror dcb|abcd|cba, nearest,\n"
        "                        constant, wrap; one for all axes of the stencil, or one each\n"
        "      --cval X          what mode constant puts there (default 0)\n"
        "      --axes A[,A...]   of IN.npy, along which the stencil's lie; negative ones count from the last\n"
        "                        (default the last ones); along others each place is by itself\n"
        "      --dtype T         of OUT.npy (default: that of IN.npy). Whole numbers are rounded once, at the end, "
        "and\n"
        "                        kept within their range\n"
        "      --precision P     of the arithmetic: f32 or f64 (default f64 for float64 and int32)\n"
        "      --plot FILE.png   a picture of the result; of 3 or 4 axes the middle plane\n%s",
        common_help);
}

typedef struct convolve_options {
    common_options common;
    isg_convolve_params params;
    const char *in, *stencil;
    isg_dtype dtype; // of the output; NONE: the input's
    int modes;       // how many were given
} convolve_options;

static isg_dtype dtype_named(const char *word)
{
    static const isg_dtype dtypes[] = {ISG_U8, ISG_U16, ISG_I16, ISG_I32, ISG_F16, ISG_F32, ISG_F64};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(isg_dtype_name(dtypes[i]), word) == 0)
            return dtypes[i];
    return ISG_DTYPE_NONE;
}

static int parse_modes(const char *text, isg_mode *modes)
{
    char word[32];
    for (int count = 0; count < ISG_CONVOLVE_MAX_NDIM;) {
        size_t length = strcspn(text, ",");
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        modes[count] = isg_mode_named(word);
        if (modes[count++] == ISG_MODE_DEFAULT)
            return -1;
        if (!text[length])
            return count;
        text += length + 1;
    }
    return -1;
}

static int parse_axes(const char *text, int32_t *axes)
{
    double given[ISG_CONVOLVE_MAX_NDIM];
    int count = parse_doubles(text, given, ISG_CONVOLVE_MAX_NDIM);
    for (int i = 0; i < count; i++) {
        if (!(fabs(given[i]) <= ISG_FILTER_MAX_NDIM) || given[i] != rint(given[i]))
            return -1;
        axes[i] = (int32_t)given[i];
    }
    return count;
}

// False after a usage error, which has been printed.
static bool take_option(convolve_options *o, int option, const char *value)
{
    isg_convolve_params *p = &o->params;
    switch (option) {
    case OPTION_STENCIL: o->stencil = value; return true;
    case OPTION_CORRELATE: p->correlate = 1; return true;
    case OPTION_MODE:
        o->modes = parse_modes(value, p->mode);
        p->each = o->modes > 1;
        return o->modes > 0 ||
               (misuse("--mode '%s'; it is reflect, mirror, nearest, constant or wrap, or one for each axis", value),
                false);
    case OPTION_CVAL: return parse_double(value, &p->constant) || (misuse("--cval '%s'; it is a number", value), false);
    case OPTION_AXES:
        p->axis_count = parse_axes(value, p->axes);
        return p->axis_count > 0 || (misuse("--axes '%s'; it is a list such as 0,1 or -1", value), false);
    case OPTION_DTYPE:
        o->dtype = dtype_named(value);
        return o->dtype != ISG_DTYPE_NONE ||
               (misuse("--dtype '%s'; it is uint8, uint16, int16, int32, float16, float32 or float64", value), false);
    default: return take_common_option(&o->common, option, value) >= 0;
    }
}

static bool settle(convolve_options *o, int count, char **words)
{
    if (count != 1)
        return misuse(count ? "'%s' is one argument too many" : "a .npy file is needed; see isogram convolve --help",
                      count ? words[1] : ""),
               false;
    o->in = words[0];
    if (!o->stencil)
        return misuse("--stencil is needed"), false;
    if (strcmp(o->in, "-") == 0 && strcmp(o->stencil, "-") == 0)
        return misuse("the array and the stencil cannot both be standard input"), false;
    if (!o->common.output && !o->common.plot)
        return misuse("--output, --plot or both are needed"), false;
    return check_common_options(&o->common);
}

// In single precision, which is what pictures are made of. NULL without memory.
static float *picture_of(const isg_array *a, isg_array *picture)
{
    isg_array plane = plot_middle_plane(*a);
    int64_t rows = plane.ndim > 1 ? plane.shape[0] : 1, columns = plane.shape[plane.ndim - 1];
    float *values = malloc((size_t)(rows * columns) * sizeof *values);
    for (int64_t i = 0; i < rows * columns && values; i++)
        values[i] = (float)isg_load_double(plane.dtype, plane.data, i);
    *picture = isg_matrix_f32(values, rows, columns);
    return values;
}

// The precision that the library takes where none was asked for (base.h).
static isg_precision precision_used(const convolve_options *o, const isg_array *in)
{
    if (o->params.precision != ISG_PRECISION_DEFAULT)
        return o->params.precision;
    return in->dtype == ISG_F64 || in->dtype == ISG_I32 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
}

static int finish(const convolve_options *o, isg_context *context, const isg_array *in, const isg_array *stencil,
                  isg_npy **file, double seconds)
{
    isg_array out = *isg_npy_array(*file), picture = out;
    cJSON *report = report_new("convolve", context, precision_used(o, in));
    cJSON_AddItemToObject(report, "shape", report_shape(in->ndim, in->shape));
    cJSON_AddItemToObject(report, "stencil", report_shape(stencil->ndim, stencil->shape));
    cJSON_AddBoolToObject(report, "correlate", o->params.correlate);
    cJSON_AddStringToObject(report, "input_dtype", isg_dtype_name(in->dtype));
    cJSON_AddStringToObject(report, "dtype", isg_dtype_name(out.dtype));
    if (o->common.output)
        cJSON_AddStringToObject(report, "output", o->common.output);
    if (o->common.plot)
        cJSON_AddStringToObject(report, "plot", o->common.plot);
    cJSON_AddNumberToObject(report, "seconds", seconds);
    float *values = o->common.plot ? picture_of(&out, &picture) : NULL;
    int code = o->common.plot && !values ? complain("no memory for the picture") : EXIT_DONE;
    if (!code)
        code = deliver(&o->common, file, &picture, NULL);
    free(values);
    int printed = report_finish(report, o->common.json && code == EXIT_DONE);
    return code ? code : printed;
}

static int run(convolve_options *o, isg_context *context, isg_npy **in, isg_npy **stencil, isg_npy **out)
{
    isg_error error = {ISG_OK, ""};
    progress shown;
    if (isg_npy_open(in, o->in, &error) || isg_npy_open(stencil, o->stencil, &error))
        return complain("%s", error.message);
    const isg_array *a = isg_npy_array(*in), *weights = isg_npy_array(*stencil);
    if (o->modes > 1 && o->modes != weights->ndim)
        return complain("--mode has %d values for a stencil of %d axes", o->modes, (int)weights->ndim);
    isg_dtype dtype = o->dtype == ISG_DTYPE_NONE ? a->dtype : o->dtype;
    if (isg_npy_create(out, o->common.output ? o->common.output : "-", dtype, a->ndim, a->shape, &error))
        return complain("%s", error.message);
    o->params.precision = o->common.precision;
    o->params.progress = progress_step;
    o->params.progress_user = &shown;
    progress_start(&shown, o->common.quiet, "multiply-adds");
    double start = isg_seconds();
    isg_status st = isg_convolve(context, *a, *weights, *isg_npy_array(*out), &o->params);
    progress_end(&shown);
    if (st)
        return complain("%s", isg_context_error(context)->message);
    return finish(o, context, a, weights, out, isg_seconds() - start);
}

int verb_convolve(int argc, char **argv)
{
    static const struct option table[] = {{"stencil", required_argument, 0, OPTION_STENCIL},
                                          {"correlate", no_argument, 0, OPTION_CORRELATE},
                                          {"mode", required_argument, 0, OPTION_MODE},
                                          {"cval", required_argument, 0, OPTION_CVAL},
                                          {"axes", required_argument, 0, OPTION_AXES},
                                          {"dtype", required_argument, 0, OPTION_DTYPE},
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    convolve_options o = {.dtype = ISG_DTYPE_NONE};
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            help();
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || !take_option(&o, option, optarg))
            return EXIT_USAGE;
    }
    if (!settle(&o, argc - optind, argv + optind))
        return EXIT_USAGE;
    isg_context *context = open_context(&o.common);
    if (!context)
        return EXIT_FAILED;
    isg_npy *in = NULL, *stencil = NULL, *out = NULL;
    int code = run(&o, context, &in, &stencil, &out);
    isg_npy_close(&out);
    isg_npy_close(&stencil);
    isg_npy_close(&in);
    isg_context_destroy(&context);
    return code;
}
