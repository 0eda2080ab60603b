// isogram filter: an array in a .npy file, or an image, smoothed or differentiated.
#include "deliver.h"
#include "filter_image.h"
#include "filter_words.h"
#include "plot_pair.h"
#include "report.h"
#include "verbs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_SIGMA = OPTION_OWN,
    OPTION_ORDER,
    OPTION_MODE,
    OPTION_CVAL,
    OPTION_TRUNCATE,
    OPTION_RADIUS,
    OPTION_AXES,
    OPTION_SAMPLING,
    OPTION_LIKE,
    OPTION_DTYPE,
    OPTION_EXACT,
    OPTION_CHANNELS,
    OPTION_ALPHA,
    OPTION_FORMAT,
    OPTION_NAN,
    OPTION_MASK,
    OPTION_MEMORY,
    OPTION_DERIVED,
    OPTION_SIGMA2,
    OPTION_AMOUNT,
    OPTION_INNER
};

static void help(void)
{
    printf(
        "usage: isogram filter IN --sigma S[,S...] -o OUT [options]\n\n"
        "IN is an image (PNG, PGM, PPM or PFM) or a .npy file, an array of 1 to 4 dimensions of uint8, uint16, int16,\n"
        "int32, float16, float32 or float64; - is standard input. OUT is what its ending says: .npy, .png, .pgm, "
        ".ppm,\n"
        ".pnm or .pfm. Of an image rows and columns are filtered, each channel by itself, samples as they are stored.\n"
        "One value of an option is for all axes, or there is one for each filtered axis.\n\n"
        "      --sigma S[,S...]  in samples; an axis with sigma 0 is left as it is\n"
        "      --order N[,N...]  of the derivative, 0 to 4 (default 0)\n"
        "      --mode M[,M...]   beyond the border: reflect dcba|abcd|dcba (default), mirror dcb|abcd|cba, nearest,\n"
        "                        constant, wrap; also grid-mirror, grid-constant, grid-wrap\n"
        "      --exact           derivatives whose weights add up to 0 and give n! for x^n, which sampled ones miss "
        "at\n"
        "                        small sigma\n"
        "      --cval X          what mode constant puts there (default 0)\n"
        "      --truncate T      the filter ends T sigmas from its middle (default 4)\n"
        "      --radius R[,R...] or after R samples\n"
        "      --axes A[,A...]   the axes to filter; negative ones count from the last (default all)\n"
        "      --channels        the last axis is channels, and is not filtered; so it is with images\n"
        "      --alpha RULE      premultiplied: a pixel's colour counts by its alpha (default of PNGs that have "
        "alpha); or\n"
        "                        plain: alpha is a channel like others\n"
        "      --sampling MODE   point (default), integrated or bessel, as in isogram grid; order 0 only but for "
        "point\n"
        "      --like NAME       whose defaults: scipy (default), skimage, opencv, arrayfire, clij\n"
        "      --dtype T         of OUT (default: that of IN). Whole numbers are rounded once, at the end, and kept "
        "within\n"
        "                        their range; nothing is rescaled\n"
        "      --format F        of OUT: npy, png, pgm, ppm, pnm or pfm (default: by its ending, else that of IN)\n"
        "      --precision P     of the arithmetic: f32 or f64 (default f64 for float64 and int32)\n"
        "      --plot FILE.png   before and after side by side: images in their colours, arrays on one scale; of 3 or "
        "4 axes\n"
        "                        the middle plane\n\n"
        "Elements without a number, and what does not fit the device:\n"
        "      --nan POLICY      propagate (default); ignore: means of the valid elements (default with --mask); "
        "preserve:\n"
        "                        likewise, but what is not valid stays NaN; fill=V: V takes their place first.\n"
        "                        ignore=V and preserve=V write V where there is no mean, which else is NaN, or 0\n"
        "      --mask MASK       elements where it is 0 or NaN are not valid; its axes are IN's last ones, or of "
        "length "
        "1\n"
        "      --memory BYTES    of the device, at most; larger arrays go in blocks, with the same bits\n\n"
        "What is made of filters:\n"
        "      --derived WHAT    laplacian (log), gradient-magnitude, difference (of Gaussians; dog), unsharp,\n"
        "                        structure-tensor (its components along a new first axis)\n"
        "      --sigma2 S[,S...] of difference, the wider one (default 1.6 sigma)\n"
        "      --amount A        of unsharp: x + A (x - smoothed x) (default 1)\n"
        "      --inner S         of structure-tensor: Gaussian derivatives of that sigma, not Sobel's\n%s",
        common_help);
}

typedef struct filter_options {
    common_options common;
    isg_filter_params params;
    image_options image;
    const char *in;
    isg_dtype dtype;                              // of the output; NONE: the input's
    int sigmas, orders, modes, radii, axis_count; // how many values were given
    const char *mask;
    isg_derived derived;          // COUNT: none
    isg_derived_params more;      // of it
    int sigma2s, amounts, inners; // how many were given
} filter_options;

static const isg_dtype dtypes[] = {ISG_U8, ISG_U16, ISG_I16, ISG_I32, ISG_F16, ISG_F32, ISG_F64};

static isg_dtype dtype_named(const char *word)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(isg_dtype_name(dtypes[i]), word) == 0)
            return dtypes[i];
    return ISG_DTYPE_NONE;
}

// Whole numbers "A,B,…" within [least, most]; the count or -1.
static int parse_whole(const char *text, int64_t least, int64_t most, int64_t *values)
{
    double given[ISG_FILTER_MAX_NDIM];
    int count = parse_doubles(text, given, ISG_FILTER_MAX_NDIM);
    for (int i = 0; i < count; i++) {
        if (!(given[i] >= (double)least && given[i] <= (double)most) || given[i] != rint(given[i]))
            return -1;
        values[i] = (int64_t)given[i];
    }
    return count;
}

static int parse_modes(const char *text, isg_mode *modes)
{
    int count = 0;
    char word[32];
    while (count < ISG_FILTER_MAX_NDIM) {
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

static bool take_sampling(filter_options *o, const char *value)
{
    for (int i = 1; i < ISG_SAMPLING_COUNT; i++)
        if (strcmp(isg_sampling_name((isg_sampling)i), value) == 0 && i != ISG_SAMPLING_DELTA)
            o->params.sampling = (isg_sampling)i;
    return o->params.sampling || (misuse("--sampling '%s'; it is point, integrated or bessel", value), false);
}

// Those of derived filters. False after a usage error, which has been printed.
static bool take_derived(filter_options *o, int option, const char *value)
{
    switch (option) {
    case OPTION_DERIVED:
        o->derived = isg_derived_named(value);
        return o->derived != ISG_DERIVED_COUNT ||
               (misuse("--derived '%s'; it is laplacian, gradient-magnitude, difference, unsharp or structure-tensor",
                       value),
                false);
    case OPTION_SIGMA2:
        o->sigma2s = parse_doubles(value, o->more.sigma2, ISG_FILTER_MAX_NDIM);
        return o->sigma2s > 0 || (misuse("--sigma2 '%s'; it is a number, or one for each axis", value), false);
    case OPTION_AMOUNT:
        o->amounts = parse_double(value, &o->more.amount) && o->more.amount != 0;
        return o->amounts || (misuse("--amount '%s'; it is a number but 0", value), false);
    default:
        o->inners = parse_double(value, &o->more.inner) && o->more.inner > 0;
        return o->inners || (misuse("--inner '%s'; it is a number above 0", value), false);
    }
}

// False after a usage error, which has been printed.
static bool take_option(filter_options *o, int option, const char *value)
{
    isg_filter_params *p = &o->params;
    int64_t whole[ISG_FILTER_MAX_NDIM] = {0};
    switch (option) {
    case OPTION_SIGMA:
        o->sigmas = parse_doubles(value, p->sigma, ISG_FILTER_MAX_NDIM);
        return o->sigmas > 0 || (misuse("--sigma '%s'; it is a number, or one for each axis", value), false);
    case OPTION_ORDER:
        o->orders = parse_whole(value, 0, ISG_FILTER_MAX_ORDER, whole);
        for (int i = 0; i < o->orders; i++)
            p->order[i] = (int32_t)whole[i];
        return o->orders > 0 ||
               (misuse("--order '%s'; it is 0 to %d, or one for each axis", value, ISG_FILTER_MAX_ORDER), false);
    case OPTION_MODE:
        o->modes = parse_modes(value, p->mode);
        return o->modes > 0 ||
               (misuse("--mode '%s'; it is reflect, mirror, nearest, constant or wrap, or one for each axis", value),
                false);
    case OPTION_RADIUS: // 0 would mean the default
        o->radii = parse_whole(value, 1, INT32_MAX, p->radius);
        return o->radii > 0 || (misuse("--radius '%s'; it is a number from 1 on, or one for each axis", value), false);
    case OPTION_AXES:
        o->axis_count = parse_whole(value, -ISG_FILTER_MAX_NDIM, ISG_FILTER_MAX_NDIM - 1, whole);
        for (int i = 0; i < o->axis_count; i++)
            p->axes[i] = (int32_t)whole[i];
        p->axis_count = o->axis_count;
        return o->axis_count > 0 || (misuse("--axes '%s'; it is a list such as 0,1 or -1", value), false);
    case OPTION_CVAL: return parse_double(value, &p->constant) || (misuse("--cval '%s'; it is a number", value), false);
    case OPTION_TRUNCATE:
        return (parse_double(value, &p->truncate) && p->truncate > 0) ||
               (misuse("--truncate '%s'; it is a number above 0", value), false);
    case OPTION_SAMPLING: return take_sampling(o, value);
    case OPTION_LIKE: p->like = value; return true;
    case OPTION_EXACT: p->exact = 1; return true;
    case OPTION_CHANNELS: o->image.channels = true; return true;
    case OPTION_ALPHA: return take_alpha(&o->image, value);
    case OPTION_FORMAT: return take_format(&o->image, value);
    case OPTION_NAN: return take_nan(p, value);
    case OPTION_MASK: o->mask = value; return true;
    case OPTION_MEMORY: return take_memory(p, value);
    case OPTION_DERIVED:
    case OPTION_SIGMA2:
    case OPTION_AMOUNT:
    case OPTION_INNER: return take_derived(o, option, value);
    case OPTION_DTYPE:
        o->dtype = dtype_named(value);
        return o->dtype != ISG_DTYPE_NONE ||
               (misuse("--dtype '%s'; it is uint8, uint16, int16, int32, float16, float32 or float64", value), false);
    default: return take_common_option(&o->common, option, value) >= 0;
    }
}

static bool settle(filter_options *o, int count, char **words)
{
    if (count != 1)
        return misuse(count ? "'%s' is one argument too many"
                            : "an image or a .npy file is needed; see isogram filter --help",
                      count ? words[1] : ""),
               false;
    o->in = words[0];
    if (!o->common.output && !o->common.plot)
        return misuse("--output, --plot or both are needed"), false;
    if (!o->sigmas && !o->params.like)
        return misuse("--sigma is needed"), false;
    if (o->image.channels && o->axis_count)
        return misuse("--channels and --axes both say which axes are filtered"), false;
    const struct {
        const char *name;
        bool given;
        isg_derived of;
    } own[] = {{"--sigma2", o->sigma2s, ISG_DERIVED_DIFFERENCE},
               {"--amount", o->amounts, ISG_DERIVED_UNSHARP},
               {"--inner", o->inners, ISG_DERIVED_STRUCTURE_TENSOR}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (own[i].given && o->derived != own[i].of)
            return misuse("%s is for --derived %s", own[i].name, isg_derived_name(own[i].of)), false;
    if (o->derived == ISG_DERIVED_STRUCTURE_TENSOR && o->common.plot)
        return misuse("--plot has no picture of a structure tensor"), false;
    return check_common_options(&o->common);
}

// A value for each filtered axis, of as many as there are. False after a complaint.
static bool spread(filter_options *o, int32_t ndim)
{
    isg_filter_params *p = &o->params;
    const struct {
        const char *name;
        int count;
    } given[] = {{"--sigma", o->sigmas},
                 {"--order", o->orders},
                 {"--mode", o->modes},
                 {"--radius", o->radii},
                 {"--sigma2", o->sigma2s}};
    int axes = p->axis_count ? p->axis_count : (int)ndim;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i].count > 1 && given[i].count != axes)
            return complain("%s has %d values for %d axes", given[i].name, given[i].count, axes), false;
    p->each = 1;
    for (int a = 1; a < axes && a < ISG_FILTER_MAX_NDIM; a++) {
        o->more.sigma2[a] = o->sigma2s > 1 ? o->more.sigma2[a] : o->more.sigma2[0];
        p->sigma[a] = o->sigmas > 1 ? p->sigma[a] : p->sigma[0];
        p->order[a] = o->orders > 1 ? p->order[a] : p->order[0];
        p->mode[a] = o->modes > 1 ? p->mode[a] : p->mode[0];
        p->radius[a] = o->radii > 1 ? p->radius[a] : p->radius[0];
    }
    return true;
}

// Element (i, j) of the middle plane; a vector is a plane of one row.
static double at_middle(const isg_array *a, int64_t i, int64_t j)
{
    int64_t index = j * a->strides[a->ndim - 1];
    for (int32_t axis = 0; axis < a->ndim - 2; axis++)
        index += a->shape[axis] / 2 * a->strides[axis];
    if (a->ndim > 1)
        index += i * a->strides[a->ndim - 2];
    return isg_load_double(a->dtype, a->data, index);
}

// Before and after with a gap between them, in a new block of single numbers: no numbers in the gap. NULL without
// memory.
static float *side_by_side(const isg_array *before, const isg_array *after, isg_array *both)
{
    int64_t rows = before->ndim > 1 ? before->shape[before->ndim - 2] : 1, columns = before->shape[before->ndim - 1];
    int64_t gap = columns / 32 + 1, width = 2 * columns + gap;
    float *values = malloc((size_t)(rows * width) * sizeof *values);
    for (int64_t i = 0; i < rows && values; i++) {
        for (int64_t j = 0; j < columns; j++) {
            values[i * width + j] = (float)at_middle(before, i, j);
            values[i * width + columns + gap + j] = (float)at_middle(after, i, j);
        }
        for (int64_t j = 0; j < gap; j++)
            values[i * width + columns + j] = NAN;
    }
    *both = isg_matrix_f32(values, rows, width);
    return values;
}

static void fill_report(cJSON *report, const filter_options *o, const array_file *from, const array_file *to,
                        double seconds)
{
    const isg_filter_params *p = &o->params;
    const isg_array *in = array_file_array(from), *out = array_file_array(to);
    cJSON_AddItemToObject(report, "shape", report_shape(in->ndim, in->shape));
    cJSON_AddStringToObject(report, "input_dtype", isg_dtype_name(in->dtype));
    cJSON_AddStringToObject(report, "dtype", isg_dtype_name(out->dtype));
    if (from->image.format)
        cJSON_AddStringToObject(report, "input_format", image_format_name(from->image.format));
    if (to->image.format)
        cJSON_AddStringToObject(report, "format", image_format_name(to->image.format));
    if (o->image.has_channels)
        cJSON_AddNumberToObject(report, "channels", (double)in->shape[in->ndim - 1]);
    if (o->image.premultiplied || (from->image.format && o->image.has_channels && in->shape[2] % 2 == 0))
        cJSON_AddStringToObject(report, "alpha", o->image.premultiplied ? "premultiplied" : "plain");
    if (p->like)
        cJSON_AddStringToObject(report, "like", p->like);
    if (p->nan)
        cJSON_AddStringToObject(report, "nan", isg_nan_policy_name(p->nan));
    if (o->mask)
        cJSON_AddStringToObject(report, "mask", o->mask);
    if (o->derived != ISG_DERIVED_COUNT)
        cJSON_AddStringToObject(report, "derived", isg_derived_name(o->derived));
    cJSON *axes = cJSON_AddArrayToObject(report, "axes");
    for (int i = 0; i < (p->axis_count ? p->axis_count : in->ndim); i++) {
        int32_t axis = !p->axis_count ? i : p->axes[i] < 0 ? p->axes[i] + in->ndim : p->axes[i];
        int64_t count = 0;
        isg_filter_weights(p, in->ndim, axis, NULL, 0, &count, NULL);
        cJSON *a = cJSON_CreateObject();
        cJSON_AddNumberToObject(a, "axis", axis);
        cJSON_AddNumberToObject(a, "sigma", p->sigma[i]);
        cJSON_AddNumberToObject(a, "order", p->order[i]);
        if (p->mode[i])
            cJSON_AddStringToObject(a, "mode", isg_mode_name(p->mode[i]));
        cJSON_AddNumberToObject(a, "weights", (double)count);
        cJSON_AddItemToArray(axes, a);
    }
    if (o->common.output)
        cJSON_AddStringToObject(report, "output", o->common.output);
    if (o->common.plot)
        cJSON_AddStringToObject(report, "plot", o->common.plot);
    cJSON_AddNumberToObject(report, "seconds", seconds);
}

// The precision that the library takes where none was asked for (base.h).
static isg_precision precision_used(const filter_options *o, const isg_array *in)
{
    if (o->params.precision != ISG_PRECISION_DEFAULT)
        return o->params.precision;
    return in->dtype == ISG_F64 || in->dtype == ISG_I32 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
}

typedef struct outcome {
    const filter_options *options;
    const array_file *in;
    array_file *out;
} outcome;

// An image, or an array whose last axis is channels of one.
static bool is_picture(const filter_options *o, const array_file *in)
{
    const isg_array *a = array_file_array(in);
    return in->image.format != IMAGE_NONE || (o->image.has_channels && a->ndim == 3 && a->shape[2] <= 4);
}

static isg_status draw(void *user, const char *path, isg_error *error)
{
    const outcome *made = user;
    isg_array before = *array_file_array(made->in), after = *array_file_array(made->out), both;
    if (is_picture(made->options, made->in))
        return plot_pair(path, &before, &after, white_of(made->in), error);
    float *picture = side_by_side(&before, &after, &both);
    if (!picture)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for the picture");
    isg_status status = plot_write(path, &both, NULL, error);
    free(picture);
    return status;
}

static isg_status commit(void *user, isg_error *error)
{
    const outcome *made = user;
    return array_file_commit(made->out, error);
}

static int finish(const filter_options *o, isg_context *context, const array_file *in, array_file *out, double seconds)
{
    outcome made = {o, in, out};
    const isg_array *a = array_file_array(in);
    cJSON *report = report_new("filter", context, precision_used(o, a));
    fill_report(report, o, in, out, seconds);
    int code = deliver_as(&o->common, &(delivery){draw, commit, &made});
    int printed = report_finish(report, o->common.json && code == EXIT_DONE);
    return code ? code : printed;
}

// The component that stands at a place of the first axis.
static isg_array component(const isg_array *all, int32_t at)
{
    isg_array one = *all;
    for (int32_t axis = 1; axis < all->ndim; axis++) {
        one.shape[axis - 1] = all->shape[axis];
        one.strides[axis - 1] = all->strides[axis];
    }
    one.ndim--;
    one.data = (char *)all->data + (size_t)(at * all->strides[0]) * isg_dtype_bytes(all->dtype);
    return one;
}

// What is not a plain filter knows of no premultiplied colours.
static bool settle_alpha_of(filter_options *o, const array_file *in)
{
    const bool more = o->derived != ISG_DERIVED_COUNT || o->mask || o->params.nan != ISG_NAN_DEFAULT;
    if (!settle_alpha(&o->image, in, &o->params))
        return false;
    if (o->image.premultiplied && more)
        return complain("--derived, --mask and --nan take no colours that count by their alpha: --alpha plain takes "
                        "every channel by itself"),
               false;
    return true;
}

// A mask has no channels, where the array has.
static bool open_mask(filter_options *o, const isg_array *in, array_file *file, isg_error *error)
{
    if (!o->mask)
        return true;
    if (array_file_open(file, o->mask, error))
        return complain("%s", error->message), false;
    isg_array mask = *array_file_array(file);
    if (o->image.has_channels && mask.ndim == in->ndim - 1) {
        mask.shape[mask.ndim] = 1;
        mask.strides[mask.ndim++] = 1;
    }
    o->params.mask = mask;
    return true;
}

// Components of a structure tensor lie side by side along a first axis of their own: `count` of them, else 0.
static bool create_output(const filter_options *o, const array_file *in, int32_t count, array_file *out,
                          isg_error *error)
{
    const isg_array *a = array_file_array(in);
    int64_t shape[ISG_MAX_NDIM] = {count};
    array_file_kind kind;
    for (int32_t axis = 0; axis < a->ndim; axis++)
        shape[axis + (count > 0)] = a->shape[axis];
    if (!settle_kind(&o->image, in, o->common.output, o->dtype, a->ndim + (count > 0), shape, &kind))
        return false;
    if (array_file_create(out, o->common.output ? o->common.output : "-", &kind, error))
        return complain("%s", error->message), false;
    return true;
}

static isg_status compute(filter_options *o, isg_context *context, const isg_array *in, const isg_array *out,
                          int32_t count, isg_error *error)
{
    if (o->derived == ISG_DERIVED_COUNT)
        return filter_image(context, &o->image, *in, *out, &o->params, precision_used(o, in), error);
    isg_array outputs[ISG_FILTER_MAX_NDIM * (ISG_FILTER_MAX_NDIM + 1) / 2] = {*out};
    for (int32_t i = 0; i < count; i++)
        outputs[i] = component(out, i);
    o->more.filter = o->params;
    isg_status st = isg_filter_derived(context, o->derived, *in, outputs, count > 0 ? count : 1, &o->more);
    if (st)
        *error = *isg_context_error(context);
    return st;
}

static int run(filter_options *o, isg_context *context, array_file *in, array_file *mask, array_file *out)
{
    isg_error error = {ISG_OK, ""};
    progress shown;
    if (array_file_open(in, o->in, &error))
        return complain("%s", error.message);
    const isg_array *a = array_file_array(in);
    if (!settle_channels(&o->image, in, o->common.output, &o->params) || !spread(o, a->ndim) ||
        !settle_alpha_of(o, in) || !open_mask(o, a, mask, &error))
        return EXIT_FAILED;
    o->more.filter = o->params;
    int32_t count = o->derived == ISG_DERIVED_STRUCTURE_TENSOR ? isg_derived_outputs(o->derived, &o->more, a->ndim) : 0;
    if (!create_output(o, in, count, out, &error))
        return EXIT_FAILED;
    o->params.precision = o->common.precision;
    o->params.progress = progress_step;
    o->params.progress_user = &shown;
    progress_start(&shown, o->common.quiet, "multiply-adds");
    double start = isg_seconds();
    isg_status st = compute(o, context, a, array_file_array(out), count, &error);
    progress_end(&shown);
    o->params.progress_user = NULL;
    if (st)
        return complain("%s", error.message);
    return finish(o, context, in, out, isg_seconds() - start);
}

int verb_filter(int argc, char **argv)
{
    static const struct option table[] = {{"sigma", required_argument, 0, OPTION_SIGMA},
                                          {"order", required_argument, 0, OPTION_ORDER},
                                          {"mode", required_argument, 0, OPTION_MODE},
                                          {"cval", required_argument, 0, OPTION_CVAL},
                                          {"truncate", required_argument, 0, OPTION_TRUNCATE},
                                          {"radius", required_argument, 0, OPTION_RADIUS},
                                          {"axes", required_argument, 0, OPTION_AXES},
                                          {"sampling", required_argument, 0, OPTION_SAMPLING},
                                          {"like", required_argument, 0, OPTION_LIKE},
                                          {"dtype", required_argument, 0, OPTION_DTYPE},
                                          {"exact", no_argument, 0, OPTION_EXACT},
                                          {"channels", no_argument, 0, OPTION_CHANNELS},
                                          {"alpha", required_argument, 0, OPTION_ALPHA},
                                          {"format", required_argument, 0, OPTION_FORMAT},
                                          {"nan", required_argument, 0, OPTION_NAN},
                                          {"mask", required_argument, 0, OPTION_MASK},
                                          {"memory", required_argument, 0, OPTION_MEMORY},
                                          {"derived", required_argument, 0, OPTION_DERIVED},
                                          {"sigma2", required_argument, 0, OPTION_SIGMA2},
                                          {"amount", required_argument, 0, OPTION_AMOUNT},
                                          {"inner", required_argument, 0, OPTION_INNER},
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    filter_options o = {.dtype = ISG_DTYPE_NONE, .derived = ISG_DERIVED_COUNT};
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
    array_file in = ARRAY_FILE_NONE, mask = ARRAY_FILE_NONE, out = ARRAY_FILE_NONE;
    int code = run(&o, context, &in, &mask, &out);
    array_file_close(&out);
    array_file_close(&mask);
    array_file_close(&in);
    isg_context_destroy(&context);
    return code;
}
