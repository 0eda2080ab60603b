// PGM and PPM as netpbm's manual has them (pgm(5), ppm(5)): P2 and P3 in text, P5 and P6 in binary, samples above 255
// in two bytes, the higher first. One image a file.
#include "image.h"

#include "base.h"

#include <errno.h>
#include <string.h>

typedef struct cursor {
    const uint8_t *at, *end;
} cursor;

// White space and comments, which go from # to the end of a line.
static void skip_space(cursor *c)
{
    while (c->at < c->end && (isg_is_space((char)*c->at) || *c->at == '#')) {
        if (*c->at++ == '#')
            while (c->at < c->end && *c->at != '\n' && *c->at != '\r')
                c->at++;
    }
}

// A whole number within [least, most], behind white space and comments. `what` is for messages.
static isg_status read_number(cursor *c, const char *what, int64_t least, int64_t most, int64_t *value,
                              isg_error *error)
{
    skip_space(c);
    if (c->at == c->end)
        return isg_fail(error, ISG_ERR_FORMAT, "cut short: it ends before its %s", what);
    if (*c->at < '0' || *c->at > '9')
        return isg_fail(error, ISG_ERR_FORMAT, "its %s is not a number", what);
    int64_t number = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        number = isg_min(10 * number + (*c->at - '0'), INT64_MAX / 20); // far above any most
    if (c->at < c->end && !isg_is_space((char)*c->at) && *c->at != '#')
        return isg_fail(error, ISG_ERR_FORMAT, "its %s is not a number", what);
    if (number < least || number > most)
        return isg_fail(error, ISG_ERR_FORMAT, "its %s is not within %lld and %lld", what, (long long)least,
                        (long long)most);
    *value = number;
    return ISG_OK;
}

// The one white space behind the last number of a header; or a comment instead, with the end of its line.
static isg_status end_header(cursor *c, isg_error *error)
{
    while (c->at < c->end && *c->at == '#')
        while (c->at < c->end && *c->at != '\n' && *c->at != '\r')
            c->at++;
    if (c->at == c->end)
        return isg_fail(error, ISG_ERR_FORMAT, "cut short: it ends within its header");
    c->at++;
    return ISG_OK;
}

static isg_status sample_too_large(const image *im, int64_t index, int64_t sample, isg_error *error)
{
    int64_t channels = image_channels(im), columns = im->array.shape[1];
    return isg_fail(error, ISG_ERR_FORMAT, "the sample %lld in row %lld and column %lld is above its maxval of %lu",
                    (long long)sample, (long long)(index / channels / columns), (long long)(index / channels % columns),
                    (unsigned long)im->white);
}

// The place of a sample that is above white, or -1.
static int64_t find_too_large(const image *im, int64_t samples)
{
    for (int64_t i = 0; i < samples; i++)
        if ((im->array.dtype == ISG_U8 ? ((uint8_t *)im->block)[i] : ((uint16_t *)im->block)[i]) > im->white)
            return i;
    return -1;
}

static isg_status read_binary(image *im, cursor *c, int64_t samples, isg_error *error)
{
    if (im->array.dtype == ISG_U8) {
        memcpy(im->block, c->at, (size_t)samples);
    } else {
        uint16_t *to = im->block;
        for (int64_t i = 0; i < samples; i++)
            to[i] = (uint16_t)(c->at[2 * i] << 8 | c->at[2 * i + 1]);
    }
    int64_t bad = im->white == UINT8_MAX || im->white == UINT16_MAX ? -1 : find_too_large(im, samples);
    if (bad >= 0)
        return sample_too_large(im, bad, (int64_t)isg_load_double(im->array.dtype, im->block, bad), error);
    c->at += samples * (int64_t)isg_dtype_bytes(im->array.dtype);
    return ISG_OK;
}

static isg_status read_text(image *im, cursor *c, int64_t samples, isg_error *error)
{
    for (int64_t i = 0; i < samples; i++) {
        int64_t sample = 0;
        isg_status status = read_number(c, "next sample", 0, UINT16_MAX, &sample, error);
        if (status)
            return status;
        if (sample > im->white)
            return sample_too_large(im, i, sample, error);
        if (im->array.dtype == ISG_U8)
            ((uint8_t *)im->block)[i] = (uint8_t)sample;
        else
            ((uint16_t *)im->block)[i] = (uint16_t)sample;
    }
    skip_space(c);
    return ISG_OK;
}

isg_status image_decode_pnm(image *out, const void *bytes, int64_t count, isg_error *error)
{
    const uint8_t *start = bytes;
    cursor c = {start + 2, start + count};
    int kind = start[1] - '0';
    int64_t columns, rows, white;
    if (kind == 1 || kind == 4 || kind == 7)
        return isg_fail(error, ISG_ERR_FORMAT, "%s, P%d, which is not read; PGM and PPM are",
                        kind == 7 ? "a PAM" : "a bitmap", kind);
    isg_status status = read_number(&c, "width", 1, INT32_MAX, &columns, error);
    if (!status)
        status = read_number(&c, "height", 1, INT32_MAX, &rows, error);
    if (!status)
        status = read_number(&c, "maxval", 1, UINT16_MAX, &white, error);
    if (!status)
        status = end_header(&c, error);
    if (status)
        return status;
    bool text = kind < 4;
    int64_t channels = out->format == IMAGE_PPM ? 3 : 1, sample_bytes = white > UINT8_MAX ? 2 : 1, least;
    // A product of two such numbers fits 64 bits, and with 3 or 6 if it is below 2^60.
    int64_t samples = columns * rows;
    if (samples > INT64_MAX / 8)
        return isg_fail(error, ISG_ERR_OVERFLOW, "its size of %lld x %lld pixels does not fit 64 bits",
                        (long long)columns, (long long)rows);
    samples *= channels;
    least = text ? 2 * samples - 1 : samples * sample_bytes; // in text, a digit and what parts it from the next
    if (c.end - c.at < least)
        return image_cut_short(count, c.at - start + least, error);
    out->white = (uint32_t)white;
    status = image_provide(out, sample_bytes == 1 ? ISG_U8 : ISG_U16, rows, columns, channels, error);
    if (!status)
        status = text ? read_text(out, &c, samples, error) : read_binary(out, &c, samples, error);
    if (!status && c.at < c.end)
        return isg_fail(error, ISG_ERR_FORMAT, "%lld bytes too many: one image a file", (long long)(c.end - c.at));
    return status;
}

isg_status image_encode_pnm(FILE *to, const image *im, isg_error *error)
{
    const isg_array *a = &im->array;
    int64_t channels = image_channels(im), rows = a->shape[0], row_samples = a->shape[1] * channels;
    bool good = fprintf(to, "P%d\n%lld %lld\n%lu\n", channels == 3 ? 6 : 5, (long long)a->shape[1], (long long)rows,
                        (unsigned long)im->white) > 0;
    uint8_t part[4096];
    for (int64_t i = 0; i < rows && good; i++) {
        for (int64_t j = 0; j < row_samples && good;) {
            size_t filled = 0;
            for (; j < row_samples && filled < sizeof part; j++) {
                int64_t index = i * row_samples + j;
                uint32_t sample = a->dtype == ISG_U8 ? ((uint8_t *)a->data)[index] : ((uint16_t *)a->data)[index];
                sample = sample < im->white ? sample : im->white;
                if (a->dtype == ISG_U16)
                    part[filled++] = (uint8_t)(sample >> 8);
                part[filled++] = (uint8_t)sample;
            }
            good = fwrite(part, 1, filled, to) == filled;
        }
    }
    return good ? ISG_OK : isg_fail(error, ISG_ERR_IO, "%s", strerror(errno));
}
