#include "filter_image.h"

#include "base.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool take_alpha(image_options *o, const char *value)
{
    o->alpha = strcmp(value, "premultiplied") == 0 ? ALPHA_PREMULTIPLIED
               : strcmp(value, "plain") == 0       ? ALPHA_PLAIN
                                                   : ALPHA_DEFAULT;
    return o->alpha || (misuse("--alpha '%s'; it is premultiplied or plain", value), false);
}

bool take_format(image_options *o, const char *value)
{
    o->format = value;
    return image_format_named(value) || strcmp(value, "npy") == 0 ||
           (misuse("--format '%s'; it is npy, png, pgm, ppm, pnm or pfm", value), false);
}

// ---- The output ----

// The format by option, by name, and without either that of the input. False after a complaint.
static bool choose_format(const image_options *o, const array_file *in, const char *output, image_format *format)
{
    *format = IMAGE_NONE;
    if (!output)
        return true;
    if (o->format) {
        *format = image_format_named(o->format); // none for npy
        return true;
    }
    *format = image_format_of_path(output);
    const char *slash = strrchr(output, '/'), *name = slash ? slash + 1 : output, *dot = strrchr(name, '.');
    if (*format != IMAGE_NONE || in->npy || (dot && strcasecmp(dot, ".npy") == 0))
        return true;
    *format = in->image.format;
    return !dot ||
           (complain("%s: a name that ends in .npy, .png, .pgm, .ppm, .pnm or .pfm is needed, or --format", output),
            false);
}

static uint32_t largest_white(isg_dtype dtype)
{
    return dtype == ISG_U8 ? UINT8_MAX : dtype == ISG_U16 ? UINT16_MAX : 0;
}

uint32_t white_of(const array_file *in)
{
    return in->image.white ? in->image.white : largest_white(array_file_array(in)->dtype);
}

bool settle_kind(const image_options *o, const array_file *in, const char *output, isg_dtype dtype, int32_t ndim,
                 const int64_t *shape, array_file_kind *kind)
{
    const isg_array *a = array_file_array(in);
    image_format format;
    if (!choose_format(o, in, output, &format))
        return false;
    dtype = dtype != ISG_DTYPE_NONE ? dtype : format == IMAGE_PFM ? ISG_F32 : a->dtype; // a PFM has no other
    uint32_t white = dtype == a->dtype ? white_of(in) : largest_white(dtype);
    *kind = (array_file_kind){format, dtype, ndim, shape, white, in->npy ? NULL : &in->image.notes};
    isg_error error = {ISG_OK, ""};
    isg_status status = format ? image_check(format, dtype, ndim, shape, white, &error) : ISG_OK;
    if (status)
        complain("%s: %s%s", output, error.message,
                 status != ISG_ERR_DTYPE ? ""
                 : format == IMAGE_PFM   ? "; --dtype float32"
                                         : "; --dtype uint8 or uint16 rounds and keeps within their range");
    return !status;
}

// ---- Channels ----

bool settle_channels(image_options *o, const array_file *in, const char *output, isg_filter_params *params)
{
    const isg_array *a = array_file_array(in);
    image_format format = IMAGE_NONE;
    if (!choose_format(o, in, output, &format))
        return false;
    if (o->channels && a->ndim < 2)
        return complain("--channels: of an array of one dimension nothing is left to filter"), false;
    o->has_channels = o->channels || (a->ndim == 3 && (!in->npy || format != IMAGE_NONE));
    if (o->has_channels && !params->axis_count) {
        params->axis_count = (int32_t)isg_min(a->ndim - 1, ISG_FILTER_MAX_NDIM);
        for (int32_t axis = 0; axis < params->axis_count; axis++)
            params->axes[axis] = axis;
    }
    for (int32_t i = 0; i < params->axis_count; i++)
        o->has_channels = o->has_channels && params->axes[i] != a->ndim - 1 && params->axes[i] != -1;
    return true;
}

bool settle_alpha(image_options *o, const array_file *in, const isg_filter_params *params)
{
    const isg_array *a = array_file_array(in);
    int64_t channels = a->shape[a->ndim - 1];
    bool possible = o->has_channels && (channels == 2 || channels == 4), derivative = false;
    if (o->alpha == ALPHA_PREMULTIPLIED && !possible)
        return complain("--alpha premultiplied: there are no 2 or 4 channels apart from the axes that are filtered"),
               false;
    o->premultiplied = possible && o->alpha != ALPHA_PLAIN && (o->alpha == ALPHA_PREMULTIPLIED || !in->npy);
    for (int32_t i = 0; i < params->axis_count; i++)
        derivative = derivative || params->order[i] > 0;
    if (o->premultiplied && derivative)
        return complain("a derivative of colours that count by their alpha has no meaning: --alpha plain takes every "
                        "channel by itself"),
               false;
    return true;
}

// ---- Alpha ----

static int64_t pixels_of(const isg_array *a)
{
    int64_t count = 1;
    for (int32_t axis = 0; axis < a->ndim - 1; axis++)
        count *= a->shape[axis];
    return count;
}

// The place of the first channel of a pixel, counted row by row.
static int64_t pixel_at(const isg_array *a, int64_t pixel)
{
    int64_t index = 0;
    for (int32_t axis = a->ndim - 2; axis >= 0; axis--) {
        index += pixel % a->shape[axis] * a->strides[axis];
        pixel /= a->shape[axis];
    }
    return index;
}

static double largest_of(isg_dtype dtype)
{
    switch (dtype) {
    case ISG_U8: return UINT8_MAX;
    case ISG_U16: return UINT16_MAX;
    case ISG_I16: return INT16_MAX;
    case ISG_I32: return INT32_MAX;
    default: return 1; // floating-point alpha
    }
}

// Whether every pixel is opaque and none comes from beyond the border.
static bool is_opaque(const isg_array *a, const isg_filter_params *params)
{
    for (int32_t i = 0; i < params->axis_count; i++)
        if (params->mode[i] == ISG_MODE_CONSTANT)
            return false;
    int64_t alpha = (a->shape[a->ndim - 1] - 1) * a->strides[a->ndim - 1];
    double whole = largest_of(a->dtype);
    for (int64_t i = 0; i < pixels_of(a); i++)
        if (isg_load_double(a->dtype, a->data, pixel_at(a, i) + alpha) != whole)
            return false;
    return true;
}

// A row-major block of the shape of `a`, in single or double precision: colours times alpha, and alpha. Products are
// exact in double precision but for those of two such numbers, and are rounded once to single.
static void premultiply(const isg_array *a, const isg_array *to)
{
    int64_t channels = a->shape[a->ndim - 1], step = a->strides[a->ndim - 1];
    for (int64_t i = 0; i < pixels_of(a); i++) {
        int64_t from = pixel_at(a, i);
        double alpha = isg_load_double(a->dtype, a->data, from + (channels - 1) * step);
        for (int64_t c = 0; c < channels - 1; c++)
            isg_store_double(to->dtype, to->data, i * channels + c,
                             alpha * isg_load_double(a->dtype, a->data, from + c * step));
        isg_store_double(to->dtype, to->data, i * channels + channels - 1, alpha);
    }
}

// Colours over alpha, in place. Where there is no alpha at all there is no colour.
static void divide(const isg_array *a)
{
    int64_t channels = a->shape[a->ndim - 1];
    for (int64_t i = 0; i < pixels_of(a) * channels; i += channels) {
        double alpha = isg_load_double(a->dtype, a->data, i + channels - 1);
        for (int64_t c = i; c < i + channels - 1; c++) {
            double colour = isg_load_double(a->dtype, a->data, c);
            isg_store_double(a->dtype, a->data, c,
                             !(alpha > 0)          ? 0
                             : a->dtype == ISG_F32 ? (double)((float)colour / (float)alpha)
                                                   : colour / alpha);
        }
    }
}

// Colours and alpha have each a constant of their own beyond the border, of whose product colours take part.
static isg_status filter_parts(isg_context *context, const isg_array *a, const isg_filter_params *params)
{
    isg_filter_params p = *params;
    isg_array colours = *a, alpha = *a;
    int32_t last = a->ndim - 1;
    colours.shape[last]--;
    alpha.ndim--; // the rest of its shape and strides counts for nothing
    alpha.data = (char *)a->data + (size_t)colours.shape[last] * isg_dtype_bytes(a->dtype);
    for (int32_t i = 0; i < p.axis_count; i++)
        p.axes[i] += p.axes[i] < 0 ? a->ndim : 0;
    isg_status status = isg_filter(context, alpha, alpha, &p);
    p.constant *= p.constant;
    return status ? status : isg_filter(context, colours, colours, &p);
}

isg_status filter_image(isg_context *context, const image_options *o, isg_array in, isg_array out,
                        const isg_filter_params *params, isg_precision precision, isg_error *error)
{
    isg_status status = ISG_OK;
    if (!o->premultiplied || is_opaque(&in, params)) {
        status = isg_filter(context, in, out, params);
        return status ? isg_fail(error, status, "%s", isg_context_error(context)->message) : ISG_OK;
    }
    isg_array parts = in;
    int64_t stride = 1;
    parts.dtype = precision == ISG_PRECISION_F64 ? ISG_F64 : ISG_F32;
    for (int32_t axis = in.ndim - 1; axis >= 0; axis--) {
        parts.strides[axis] = stride;
        stride *= in.shape[axis];
    }
    int64_t bytes;
    parts.data = isg_mul(stride, (int64_t)isg_dtype_bytes(parts.dtype), &bytes) ? isg_alloc_large(bytes) : NULL;
    if (!parts.data)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for colours times alpha");
    premultiply(&in, &parts);
    isg_filter_params p = *params;
    p.precision = precision;
    status = filter_parts(context, &parts, &p);
    if (!status) {
        divide(&parts);
        // Nothing is filtered: this is the library's way from numbers to the output's type.
        status = isg_filter(context, parts, out, isg_filter_params(.precision = precision));
    }
    free(parts.data);
    return status ? isg_fail(error, status, "%s", isg_context_error(context)->message) : ISG_OK;
}
