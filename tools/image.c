// The front of the image formats: which one it is, what it can hold, where its array lies.
#include "image.h"

#include "base.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LARGE_BYTES = 2 << 20 }; // from here on huge pages pay

static const char *const names[IMAGE_FORMAT_COUNT] = {
    [IMAGE_NONE] = "none", [IMAGE_PNG] = "png", [IMAGE_PGM] = "pgm",
    [IMAGE_PPM] = "ppm",   [IMAGE_PNM] = "pnm", [IMAGE_PFM] = "pfm",
};

const char *image_format_name(image_format format)
{
    return (unsigned)format < IMAGE_FORMAT_COUNT ? names[format] : "none";
}

image_format image_format_named(const char *word)
{
    for (int i = IMAGE_NONE + 1; i < IMAGE_FORMAT_COUNT; i++)
        if (strcasecmp(names[i], word) == 0)
            return (image_format)i;
    return IMAGE_NONE;
}

image_format image_format_of_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return dot ? image_format_named(dot + 1) : IMAGE_NONE;
}

image_format image_format_of(const void *bytes, int64_t count)
{
    const char *c = bytes;
    if (count >= 8 && memcmp(c, "\x89PNG\r\n\x1a\n", 8) == 0)
        return IMAGE_PNG;
    if (count < 3 || c[0] != 'P' || !strchr("1234567Ff", c[1]) || !strchr(" \t\n\v\f\r#", c[2]) || !c[1] || !c[2])
        return IMAGE_NONE;
    switch (c[1]) {
    case '1':
    case '4':
    case '7': return IMAGE_PNM; // refused by name
    case '2':
    case '5': return IMAGE_PGM;
    case '3':
    case '6': return IMAGE_PPM;
    default: return c[2] == '#' ? IMAGE_NONE : IMAGE_PFM; // F and f
    }
}

isg_status image_decode(image *out, const void *bytes, int64_t count, isg_error *error)
{
    *out = (image){.format = image_format_of(bytes, count)};
    isg_status status;
    switch (out->format) {
    case IMAGE_PNG: status = image_decode_png(out, bytes, count, error); break;
    case IMAGE_PGM:
    case IMAGE_PPM:
    case IMAGE_PNM: status = image_decode_pnm(out, bytes, count, error); break;
    case IMAGE_PFM: status = image_decode_pfm(out, bytes, count, error); break;
    default: status = isg_fail(error, ISG_ERR_FORMAT, "not an image; known are PNG, PGM, PPM and PFM"); break;
    }
    if (status)
        image_free(out);
    return status;
}

static isg_status check_samples(image_format format, isg_dtype dtype, uint32_t white, isg_error *error)
{
    const char *name = names[format];
    if (format == IMAGE_PFM)
        return dtype == ISG_F32
                   ? ISG_OK
                   : isg_fail(error, ISG_ERR_DTYPE, "%s holds float32, not %s", name, isg_dtype_name(dtype));
    if (dtype != ISG_U8 && dtype != ISG_U16)
        return isg_fail(error, ISG_ERR_DTYPE, "%s holds uint8 or uint16, not %s", name, isg_dtype_name(dtype));
    uint32_t largest = dtype == ISG_U8 ? UINT8_MAX : UINT16_MAX;
    if (format == IMAGE_PNG && white != largest)
        return isg_fail(error, ISG_ERR_RANGE,
                        "white is %lu in these samples and %lu in a png of %s; samples are not rescaled: pgm, ppm and "
                        "npy hold them as they are",
                        (unsigned long)white, (unsigned long)largest, isg_dtype_name(dtype));
    if (white < 1 || white > largest || (dtype == ISG_U16 && white <= UINT8_MAX)) // which would be 8-bit samples
        return isg_fail(error, ISG_ERR_RANGE, "%s of %s with white at %lu", name, isg_dtype_name(dtype),
                        (unsigned long)white);
    return ISG_OK;
}

isg_status image_check(image_format format, isg_dtype dtype, int32_t ndim, const int64_t *shape, uint32_t white,
                       isg_error *error)
{
    static const struct {
        bool channels[5];
        const char *words;
    } held[IMAGE_FORMAT_COUNT] = {
        [IMAGE_PNG] = {{0, 1, 1, 1, 1}, "1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGB and alpha)"},
        [IMAGE_PGM] = {{0, 1, 0, 0, 0}, "1"},
        [IMAGE_PPM] = {{0, 0, 0, 1, 0}, "3"},
        [IMAGE_PNM] = {{0, 1, 0, 1, 0}, "1 or 3"},
        [IMAGE_PFM] = {{0, 1, 0, 1, 0}, "1 or 3"},
    };
    if (format <= IMAGE_NONE || format >= IMAGE_FORMAT_COUNT)
        return isg_fail(error, ISG_ERR_ARGUMENT, "format %d is none of an image", (int)format);
    if (ndim < 2 || ndim > 3)
        return isg_fail(error, ISG_ERR_SHAPE,
                        "%s holds rows x columns, or rows x columns x channels, not %d dimensions", names[format],
                        (int)ndim);
    int64_t channels = ndim == 3 ? shape[2] : 1;
    if (shape[0] < 1 || shape[1] < 1 || shape[0] > INT32_MAX || shape[1] > INT32_MAX)
        return isg_fail(error, ISG_ERR_SHAPE, "%s holds 1 to %d rows and columns, not %lld x %lld", names[format],
                        INT32_MAX, (long long)shape[0], (long long)shape[1]);
    if (channels < 1 || channels > 4 || !held[format].channels[channels])
        return isg_fail(error, ISG_ERR_SHAPE, "%s has %s channels, not %lld", names[format], held[format].words,
                        (long long)channels);
    return check_samples(format, dtype, white, error);
}

isg_status image_encode(FILE *to, const image *im, image_format format, isg_error *error)
{
    const isg_array *a = &im->array;
    isg_status status = image_check(format, a->dtype, a->ndim, a->shape, im->white, error);
    if (status)
        return status;
    return format == IMAGE_PNG   ? image_encode_png(to, im, error)
           : format == IMAGE_PFM ? image_encode_pfm(to, im, error)
                                 : image_encode_pnm(to, im, error);
}

void image_free(image *im)
{
    free(im->block);
    free(im->notes.profile);
    *im = (image){.format = IMAGE_NONE};
}

int64_t image_channels(const image *im)
{
    return im->array.ndim == 3 ? im->array.shape[2] : 1;
}

isg_status image_provide(image *im, isg_dtype dtype, int64_t rows, int64_t columns, int64_t channels, isg_error *error)
{
    isg_array *a = &im->array;
    int64_t count;
    *a = (isg_array){.dtype = dtype, .ndim = channels > 1 ? 3 : 2, .shape = {rows, columns, channels}};
    isg_status status = isg_shape_count(dtype, a->ndim, a->shape, &count, error);
    if (status)
        return status;
    a->strides[0] = columns * channels;
    a->strides[1] = channels;
    a->strides[2] = 1;
    int64_t bytes = count * (int64_t)isg_dtype_bytes(dtype);
    im->block = bytes < LARGE_BYTES ? isg_alloc(bytes, 1) : isg_alloc_large(bytes);
    if (!im->block)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for %lld x %lld pixels", (long long)rows, (long long)columns);
    a->data = im->block;
    return ISG_OK;
}

isg_status image_cut_short(int64_t have, int64_t need, isg_error *error)
{
    return isg_fail(error, ISG_ERR_FORMAT, "cut short: %lld bytes of at least %lld", (long long)have, (long long)need);
}
