// PFM, "portable float map", as pfm(5) of netpbm has it: Pf grey or PF RGB, width, height, a scale whose sign is the
// order of the bytes (below 0: little-endian), rows of binary32 from the bottom to the top. The scale's size is kept
// for a PFM to come and is not multiplied with.
#include "image.h"

#include "base.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_BYTES = 40 };

// The next word and the one white space behind it. PFM knows no comments.
static isg_status read_token(const uint8_t **at, const uint8_t *end, const char *what, char token[TOKEN_BYTES],
                             isg_error *error)
{
    size_t length = 0;
    while (*at < end && isg_is_space((char)**at))
        (*at)++;
    while (*at < end && !isg_is_space((char)**at) && length < TOKEN_BYTES - 1)
        token[length++] = (char)*(*at)++;
    token[length] = 0;
    if (*at == end)
        return isg_fail(error, ISG_ERR_FORMAT, "cut short: it ends before or within its %s", what);
    if (!isg_is_space((char)**at))
        return isg_fail(error, ISG_ERR_FORMAT, "its %s is not a number", what);
    (*at)++;
    return ISG_OK;
}

static isg_status read_size(const uint8_t **at, const uint8_t *end, const char *what, int64_t *size, isg_error *error)
{
    char token[TOKEN_BYTES];
    isg_status status = read_token(at, end, what, token, error);
    if (status)
        return status;
    size_t digits = strspn(token, "0123456789");
    if (digits == 0 || token[digits])
        return isg_fail(error, ISG_ERR_FORMAT, "its %s is not a number", what);
    *size = digits <= 18 ? strtoll(token, NULL, 10) : INT64_MAX;
    if (*size < 1 || *size > INT32_MAX)
        return isg_fail(error, ISG_ERR_FORMAT, "its %s is not within 1 and %d", what, INT32_MAX);
    return ISG_OK;
}

static isg_status read_scale(const uint8_t **at, const uint8_t *end, double *scale, isg_error *error)
{
    char token[TOKEN_BYTES], *behind;
    isg_status status = read_token(at, end, "scale", token, error);
    if (status)
        return status;
    *scale = strtod(token, &behind);
    if (*behind || token[strspn(token, "+-.0123456789eE")] || !token[0])
        return isg_fail(error, ISG_ERR_FORMAT, "its scale is not a number");
    // What single precision would lose is not a scale either: it is kept as such a number.
    if (!(fabs(*scale) >= 1e-37 && fabs(*scale) <= 1e37))
        return isg_fail(error, ISG_ERR_FORMAT, "its scale is 0, or out of range");
    return ISG_OK;
}

isg_status image_decode_pfm(image *out, const void *bytes, int64_t count, isg_error *error)
{
    const uint8_t *start = bytes, *at = start + 2, *end = start + count;
    int64_t columns, rows, channels = start[1] == 'F' ? 3 : 1;
    double scale = 0;
    isg_status status = read_size(&at, end, "width", &columns, error);
    if (!status)
        status = read_size(&at, end, "height", &rows, error);
    if (!status)
        status = read_scale(&at, end, &scale, error);
    if (status)
        return status;
    int64_t samples = columns * rows; // each is below 2^31
    if (samples > INT64_MAX / 16)
        return isg_fail(error, ISG_ERR_OVERFLOW, "its size of %lld x %lld pixels does not fit 64 bits",
                        (long long)columns, (long long)rows);
    samples *= channels;
    if (end - at < 4 * samples)
        return image_cut_short(count, at - start + 4 * samples, error);
    if (end - at > 4 * samples)
        return isg_fail(error, ISG_ERR_FORMAT, "%lld bytes too many: one image a file",
                        (long long)(end - at - 4 * samples));
    status = image_provide(out, ISG_F32, rows, columns, channels, error);
    if (status)
        return status;
    out->notes.scale = (float)fabs(scale);
    bool little = scale < 0;
    uint32_t *to = out->block;
    for (int64_t i = 0; i < rows; i++) {
        const uint8_t *row = at + 4 * (rows - 1 - i) * columns * channels;
        for (int64_t j = 0; j < columns * channels; j++, row += 4)
            *to++ = little ? (uint32_t)row[3] << 24 | (uint32_t)row[2] << 16 | (uint32_t)row[1] << 8 | row[0]
                           : (uint32_t)row[0] << 24 | (uint32_t)row[1] << 16 | (uint32_t)row[2] << 8 | row[3];
    }
    return ISG_OK;
}

isg_status image_encode_pfm(FILE *to, const image *im, isg_error *error)
{
    const isg_array *a = &im->array;
    int64_t channels = image_channels(im), rows = a->shape[0], row_samples = a->shape[1] * channels;
    float scale = im->notes.scale > 0 ? im->notes.scale : 1;
    // Nine digits tell every binary32 number apart.
    bool good = fprintf(to, "%s\n%lld %lld\n%.9g\n", channels == 3 ? "PF" : "Pf", (long long)a->shape[1],
                        (long long)rows, -(double)scale) > 0;
    for (int64_t i = rows - 1; i >= 0 && good; i--) {
        const uint32_t *row = (const uint32_t *)a->data + i * row_samples;
        uint8_t part[4096];
        for (int64_t j = 0; j < row_samples && good;) {
            size_t filled = 0;
            for (; j < row_samples && filled < sizeof part; j++)
                for (int shift = 0; shift < 32; shift += 8)
                    part[filled++] = (uint8_t)(row[j] >> shift);
            good = fwrite(part, 1, filled, to) == filled;
        }
    }
    return good ? ISG_OK : isg_fail(error, ISG_ERR_IO, "%s", strerror(errno));
}
