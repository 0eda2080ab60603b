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
    int64_t count, at; // up to the end of IEND
    int64_t deflated;  // bytes of IDAT
    isg_error *error;
} source;

static void on_error(png_structp png, png_const_charp message)
{
    isg_fail(png_get_error_ptr(png), ISG_ERR_FORMAT, "damaged: %s", message);
    png_longjmp(png, 1);
}

// libpng's memory comes through these. What it does without some differs, from an error of its own words to a note that
// is dropped with a warning: whoever called it looks at the flag.
static png_voidp take_memory(png_structp png, png_alloc_size_t bytes)
{
    png_voidp block = malloc(bytes);
    if (!block)
        *(bool *)png_get_mem_ptr(png) = true;
    return block;
}

static void give_back(png_structp png, png_voidp block)
{
    (void)png;
    free(block);
}

// What the caller is told: want of memory before the words that libpng found for what came of it.
static isg_status told(isg_error *error, const isg_error *inner, bool lacking, const char *doing)
{
    if (lacking)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory to %s a PNG", doing);
    return inner->status ? isg_fail(error, inner->status, "%s", inner->message) : ISG_OK;
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

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Whether all chunks are there, each as long as it says, up to IEND: libpng takes memory for a chunk before it has seen
// it. What stands behind IEND is no part of a PNG.
static isg_status measure(source *from)
{
    for (int64_t at = 8;;) {
        if (from->count - at < 12)
            return image_cut_short(from->count, at + 12, from->error);
        int64_t length = number_at(from->bytes + at);
        const uint8_t *kind = from->bytes + at + 4;
        if (length > from->count - at - 12)
            return image_cut_short(from->count, at + 12 + length, from->error);
        at += 12 + length;
        if (memcmp(kind, "IDAT", 4) == 0)
            from->deflated += length;
        if (memcmp(kind, "IEND", 4) == 0) {
            from->count = at;
            return ISG_OK;
        }
    }
}

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
        notes->profile = take_memory(png, notes->profile_bytes);
        if (!notes->profile)
            png_longjmp(png, 1);
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
    if (!isg_mul(columns * depth * png_get_channels(png, info), rows, &bits) ||
        bits / 8 / INFLATE_MOST > from->deflated) {
        isg_fail(from->error, ISG_ERR_FORMAT, "cut short: %lld x %lld pixels cannot be in %lld bytes",
                 (long long)columns, (long long)rows, (long long)from->deflated);
        png_longjmp(png, 1);
    }
    take_notes(png, info, &out->notes);
    bool palette = png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE;
    if (palette)
        png_set_packing(png); // to an index a byte; libpng's own expansion takes any for a colour
    else
        png_set_expand(png);
    if (depth == 16)
        png_set_swap(png); // to little-endian, as all of isogram is
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    int channels = !palette ? png_get_channels(png, info) : png_get_valid(png, info, PNG_INFO_tRNS) ? 4 : 3;
    out->white = depth == 16 ? UINT16_MAX : UINT8_MAX;
    if (image_provide(out, depth == 16 ? ISG_U16 : ISG_U8, rows, columns, channels, from->error))
        png_longjmp(png, 1);
}

// Rows into the array; indices into its end, from where they are expanded.
static void read_pixels(png_structp png, png_infop info, const image *out, bool palette)
{
    int passes = png_get_interlace_type(png, info) == PNG_INTERLACE_ADAM7 ? PNG_INTERLACE_ADAM7_PASSES : 1;
    int64_t rows = out->array.shape[0], row_bytes = (int64_t)png_get_rowbytes(png, info);
    png_bytep to = (png_bytep)out->block + (palette ? rows * row_bytes * (image_channels(out) - 1) : 0);
    for (int pass = 0; pass < passes; pass++)
        for (int64_t i = 0; i < rows; i++)
            png_read_row(png, to + i * row_bytes, NULL);
    png_read_end(png, NULL);
}

// Indices at the end of the array to colours, from the first to the last: no colour is written over an index that is
// still to come.
static void expand_palette(png_structp png, png_infop info, const image *out)
{
    png_colorp palette = NULL;
    png_bytep alpha = NULL;
    int colours = 0, alphas = 0;
    int64_t channels = image_channels(out), pixels = out->array.shape[0] * out->array.shape[1];
    png_get_PLTE(png, info, &palette, &colours);
    if (channels == 4)
        png_get_tRNS(png, info, &alpha, &alphas, NULL);
    uint8_t *to = out->block;
    const uint8_t *from = to + pixels * (channels - 1);
    for (int64_t i = 0; i < pixels; i++) {
        int index = from[i];
        if (index >= colours)
            png_error(png, "a pixel outside the palette");
        *to++ = palette[index].red;
        *to++ = palette[index].green;
        *to++ = palette[index].blue;
        if (channels == 4)
            *to++ = index < alphas ? alpha[index] : UINT8_MAX;
    }
}

// setjmp has a function of its own: what changes until the longjmp is not local to it. False: the error is set.
static bool read_image(png_structp png, png_infop info, source *from, image *out)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    read_header(png, info, from, out);
    bool palette = png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE;
    read_pixels(png, info, out, palette);
    if (palette)
        expand_palette(png, info, out);
    return true;
}

isg_status image_decode_png(image *out, const void *bytes, int64_t count, isg_error *error)
{
    isg_error inner = {ISG_OK, ""};
    source from = {bytes, count, 0, 0, &inner};
    if (measure(&from))
        return isg_fail(error, inner.status, "%s", inner.message);
    bool lacking = false;
    png_structp png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &inner, on_error, on_warning, &lacking, take_memory, give_back);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info)
        read_image(png, info, &from, out);
    else
        lacking = true;
    png_destroy_read_struct(&png, &info, NULL);
    return told(error, &inner, lacking, "read");
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
    bool lacking = false;
    png_structp png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &inner, on_error, on_warning, &lacking,
                                                take_memory, give_back);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info)
        write_whole(png, info, to, im);
    else
        lacking = true;
    png_destroy_write_struct(&png, &info);
    return told(error, &inner, lacking, "write");
}
