// PNG by libpng: every kind of it is read; grey, grey and alpha, RGB and RGBA of 8 and 16 bits are written.
//
// libpng reports by longjmp: the functions that it may leave own nothing, and what they change lies behind pointers.
#include "image.h"

#include "base.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum {
    // What one byte of a deflate stream can become at most: 258 bytes for a length and a distance of one bit each.
    INFLATE_MOST = 1032,
    CHUNK_BYTES_MOST = 16 << 20, // of a colour profile and the like, unpacked
};

typedef struct source {
    const uint8_t *bytes;
    int64_t count, at;
    isg_error *error;
} source;

static void on_error(png_structp png, png_const_charp message)
{
    isg_fail(png_get_error_ptr(png), ISG_ERR_FORMAT, "damaged: %s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void on_read(png_structp png, png_bytep to, size_t bytes)
{
    source *from = png_get_io_ptr(png);
    if ((int64_t)bytes > from->count - from->at) {
        image_cut_short(from->count, from->at + (int64_t)bytes, from->error);
        png_longjmp(png, 1);
    }
    memcpy(to, from->bytes + from->at, bytes);
    from->at += (int64_t)bytes;
}

// ---- Reading ----

static void take_notes(png_structp png, png_infop info, image_notes *notes)
{
    png_charp name;
    png_bytep profile;
    int compression;
    int32_t *c = notes->primaries;
    notes->has_gamma = png_get_gAMA_fixed(png, info, &notes->gamma) != 0;
    notes->has_primaries = png_get_cHRM_fixed(png, info, c, c + 1, c + 2, c + 3, c + 4, c + 5, c + 6, c + 7) != 0;
    notes->has_intent = png_get_sRGB(png, info, &notes->intent) != 0;
    notes->has_pitch = png_get_pHYs(png, info, notes->pitch, notes->pitch + 1, &notes->pitch_unit) != 0;
    if (png_get_iCCP(png, info, &name, &compression, &profile, &notes->profile_bytes)) {
        snprintf(notes->profile_name, sizeof notes->profile_name, "%s", name);
        notes->profile = malloc(notes->profile_bytes ? notes->profile_bytes : 1);
        if (!notes->profile)
            png_error(png, "no memory for its colour profile");
        memcpy(notes->profile, profile, notes->profile_bytes);
    }
}

// Everything before the pixels; the image has its array then.
static void read_header(png_structp png, png_infop info, source *from, image *out)
{
    png_set_read_fn(png, from, on_read);
    png_set_user_limits(png, INT32_MAX, INT32_MAX); // its own are a million rows and columns
    png_set_chunk_malloc_max(png, CHUNK_BYTES_MOST);
    png_read_info(png, info);
    int64_t columns = png_get_image_width(png, info), rows = png_get_image_height(png, info), bits;
    int depth = png_get_bit_depth(png, info);
    if (!isg_mul(columns * depth * png_get_channels(png, info), rows, &bits) || bits / 8 / INFLATE_MOST > from->count) {
        isg_fail(from->error, ISG_ERR_FORMAT, "cut short: %lld x %lld pixels cannot be in %lld bytes",
                 (long long)columns, (long long)rows, (long long)from->count);
        png_longjmp(png, 1);
    }
    take_notes(png, info, &out->notes);
    png_set_expand(png);
    if (depth == 16)
        png_set_swap(png); // to little-endian, as all of isogram is
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    out->white = depth == 16 ? UINT16_MAX : UINT8_MAX;
    if (image_provide(out, depth == 16 ? ISG_U16 : ISG_U8, rows, columns, png_get_channels(png, info), from->error))
        png_longjmp(png, 1);
}

static void read_pixels(png_structp png, png_infop info, const image *out)
{
    int passes = png_get_interlace_type(png, info) == PNG_INTERLACE_ADAM7 ? PNG_INTERLACE_ADAM7_PASSES : 1;
    size_t row_bytes = png_get_rowbytes(png, info);
    for (int pass = 0; pass < passes; pass++)
        for (int64_t i = 0; i < out->array.shape[0]; i++)
            png_read_row(png, (png_bytep)out->block + (size_t)i * row_bytes, NULL);
    png_read_end(png, NULL);
    png_colorp palette;
    int colours = 0;
    if (png_get_PLTE(png, info, &palette, &colours) && png_get_palette_max(png, info) >= colours)
        png_error(png, "a pixel outside the palette");
}

// setjmp has a function of its own: what changes until the longjmp is not local to it. False: the error is set.
static bool read_image(png_structp png, png_infop info, source *from, image *out)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    read_header(png, info, from, out);
    read_pixels(png, info, out);
    return true;
}

isg_status image_decode_png(image *out, const void *bytes, int64_t count, isg_error *error)
{
    isg_error inner = {ISG_OK, ""};
    source from = {bytes, count, 0, &inner};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &inner, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info)
        isg_fail(&inner, ISG_ERR_MEMORY, "no memory to read a PNG");
    if (info)
        read_image(png, info, &from, out);
    png_destroy_read_struct(&png, &info, NULL);
    return inner.status ? isg_fail(error, inner.status, "%s", inner.message) : ISG_OK;
}

// ---- Writing ----

static void on_write(png_structp png, png_bytep data, size_t bytes)
{
    if (fwrite(data, 1, bytes, png_get_io_ptr(png)) != bytes) {
        isg_fail(png_get_error_ptr(png), ISG_ERR_IO, "%s", strerror(errno));
        png_longjmp(png, 1);
    }
}

static void on_flush(png_structp png)
{
    (void)png; // the file's owner flushes
}

static void put_notes(png_structp png, png_infop info, const image_notes *notes)
{
    const int32_t *c = notes->primaries;
    if (notes->has_gamma)
        png_set_gAMA_fixed(png, info, notes->gamma);
    if (notes->has_primaries)
        png_set_cHRM_fixed(png, info, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
    if (notes->profile)
        png_set_iCCP(png, info, notes->profile_name, PNG_COMPRESSION_TYPE_BASE, notes->profile, notes->profile_bytes);
    else if (notes->has_intent) // libpng tells of it for the profile of sRGB, too
        png_set_sRGB(png, info, notes->intent);
    if (notes->has_pitch)
        png_set_pHYs(png, info, notes->pitch[0], notes->pitch[1], notes->pitch_unit);
}

static void write_image(png_structp png, png_infop info, FILE *to, const image *im)
{
    static const int colours[5] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                   PNG_COLOR_TYPE_RGB_ALPHA};
    const isg_array *a = &im->array;
    size_t sample_bytes = isg_dtype_bytes(a->dtype);
    int64_t channels = image_channels(im);
    png_set_write_fn(png, to, on_write, on_flush);
    png_set_user_limits(png, INT32_MAX, INT32_MAX);
    png_set_IHDR(png, info, (png_uint_32)a->shape[1], (png_uint_32)a->shape[0], (int)(8 * sample_bytes),
                 colours[channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    put_notes(png, info, &im->notes);
    png_write_info(png, info);
    if (sample_bytes == 2)
        png_set_swap(png);
    size_t row_bytes = (size_t)(a->shape[1] * channels) * sample_bytes;
    for (int64_t i = 0; i < a->shape[0]; i++)
        png_write_row(png, (png_bytep)a->data + (size_t)i * row_bytes);
    png_write_end(png, info);
}

static bool write_whole(png_structp png, png_infop info, FILE *to, const image *im)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    write_image(png, info, to, im);
    return true;
}

isg_status image_encode_png(FILE *to, const image *im, isg_error *error)
{
    isg_error inner = {ISG_OK, ""};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &inner, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info)
        isg_fail(&inner, ISG_ERR_MEMORY, "no memory to write a PNG");
    if (info)
        write_whole(png, info, to, im);
    png_destroy_write_struct(&png, &info);
    return inner.status ? isg_fail(error, inner.status, "%s", inner.message) : ISG_OK;
}
