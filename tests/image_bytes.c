#include "image_bytes.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void add(bytes *b, const void *what, size_t length)
{
    REQUIRE(b->length + length <= sizeof b->at, "a file too large for its block");
    memcpy(b->at + b->length, what, length);
    b->length += length;
}

bytes text(const char *what)
{
    bytes b = {.length = 0};
    add(&b, what, strlen(what));
    return b;
}

isg_status decode(image *out, const void *what, size_t length, isg_error *error)
{
    uint8_t *exact = malloc(length ? length : 1);
    memcpy(exact, what, length);
    *error = (isg_error){ISG_OK, ""};
    isg_status status = image_decode(out, exact, (int64_t)length, error);
    free(exact);
    return status;
}

image read_good(const void *what, size_t length)
{
    image im;
    isg_error error;
    ck_assert_msg(decode(&im, what, length, &error) == ISG_OK, "%s", error.message);
    return im;
}

void refuse_at(int line, const bytes *b, isg_status wanted, const char *words)
{
    image im;
    isg_error error;
    isg_status status = decode(&im, b->at, b->length, &error);
    REQUIRE(status == wanted, "line %d: %s instead of %s: %s", line, isg_status_name(status), isg_status_name(wanted),
            error.message);
    REQUIRE(strstr(error.message, words), "line %d: '%s' lacks '%s'", line, error.message, words);
    REQUIRE(!strchr(error.message, '\n') && !im.block, "line %d: two lines, or something to free", line);
}

bytes encoded(const image *im, image_format format)
{
    char *block = NULL;
    size_t length = 0;
    isg_error error = {ISG_OK, ""};
    FILE *to = open_memstream(&block, &length);
    ck_assert_msg(image_encode(to, im, format, &error) == ISG_OK, "%s", error.message);
    fclose(to);
    bytes b = {.length = 0};
    add(&b, block, length);
    free(block);
    return b;
}

image random_image(suite_random *random, isg_dtype dtype, int64_t rows, int64_t columns, int64_t channels,
                   uint32_t white)
{
    image im = {.white = white};
    ck_assert_int_eq(image_provide(&im, dtype, rows, columns, channels, NULL), ISG_OK);
    for (int64_t i = 0; i < rows * columns * channels; i++) {
        if (dtype == ISG_F32)
            ((uint32_t *)im.block)[i] = (uint32_t)random_bits(random);
        else if (dtype == ISG_U16)
            ((uint16_t *)im.block)[i] = (uint16_t)random_below(random, white + 1);
        else
            ((uint8_t *)im.block)[i] = (uint8_t)random_below(random, white + 1);
    }
    return im;
}

image image_with_profile(suite_random *random)
{
    // The least that libpng takes for a profile: a header of 128 bytes and a table of one tag.
    uint8_t profile[544] = {0};
    put32(profile, sizeof profile);
    profile[8] = 2;
    memcpy(profile + 12, "mntrRGB XYZ ", 12);
    memcpy(profile + 36, "acsp", 4);
    put32(profile + 68, 0xf6d6), put32(profile + 72, 0x10000), put32(profile + 76, 0xd32d); // D50
    put32(profile + 128, 1), memcpy(profile + 132, "desc", 4), put32(profile + 136, 144), put32(profile + 140, 400);
    for (int i = 144; i < 544; i++) // of a size, packed, that libpng's reader does not mistake for too short
        profile[i] = (uint8_t)random_below(random, 256);
    image im = random_image(random, ISG_U8, 4, 4, 3, 255);
    strcpy(im.notes.profile_name, "mine");
    im.notes.profile_bytes = sizeof profile;
    im.notes.profile = malloc(sizeof profile);
    memcpy(im.notes.profile, profile, sizeof profile);
    return im;
}

// ---- PNG ----

static void to_bytes(png_structp png, png_bytep data, size_t count)
{
    add(png_get_io_ptr(png), data, count);
}

uint32_t pixel_sample(int i, int j, int c, int depth)
{
    return (uint32_t)(i * 40503 + j * 30011 + c * 12345 + 7) % (1u << depth);
}

bytes made_png(const png_kind *k)
{
    static const int channels_of[7] = {1, 0, 3, 1, 2, 0, 4};
    bytes b = {.length = 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    int channels = channels_of[k->colours], passes = k->interlace ? 7 : 1;
    png_color palette[256];
    png_byte alpha[3] = {0, 128, 200};
    png_color_16 key = {.gray = (png_uint_16)pixel_sample(0, 0, 0, k->depth)};
    key.red = key.gray;
    key.green = (png_uint_16)pixel_sample(0, 0, 1, k->depth);
    key.blue = (png_uint_16)pixel_sample(0, 0, 2, k->depth);
    png_set_write_fn(png, &b, to_bytes, NULL);
    png_set_IHDR(png, info, (png_uint_32)k->side, (png_uint_32)k->side, k->depth, k->colours, k->interlace, 0, 0);
    for (int i = 0; i < 256; i++)
        palette[i] = (png_color){(png_byte)(3 * i + 1), (png_byte)(200 - i), (png_byte)(i ^ 85)};
    if (k->palette)
        png_set_PLTE(png, info, palette, k->palette);
    if (k->keyed)
        png_set_tRNS(png, info, alpha, k->palette < 3 ? k->palette : 3, &key);
    if (k->notes) {
        png_text note = {.compression = PNG_TEXT_COMPRESSION_NONE, .key = "Comment", .text = "dropped"};
        png_set_gAMA_fixed(png, info, 45455);
        png_set_pHYs(png, info, 2835, 2834, PNG_RESOLUTION_METER);
        png_set_cHRM_fixed(png, info, 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000);
        png_set_text(png, info, &note, 1);
    }
    png_write_info(png, info);
    if (k->interlace)
        png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (int i = 0; i < k->side; i++) {
            png_byte row[512] = {0};
            for (int j = 0; j < k->side; j++)
                for (int c = 0; c < channels; c++) {
                    uint32_t s = pixel_sample(i, j, c, k->depth) % (k->palette ? (uint32_t)k->palette : UINT32_MAX);
                    int at = j * channels + c;
                    if (k->depth == 16)
                        row[2 * at] = (png_byte)(s >> 8), row[2 * at + 1] = (png_byte)s;
                    else
                        row[at * k->depth / 8] |= (png_byte)(s << (8 - k->depth - at * k->depth % 8));
                }
            png_write_row(png, row);
        }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return b;
}

uint32_t crc_of(const uint8_t *at, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= at[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

void put32(uint8_t *at, uint32_t value)
{
    for (int k = 0; k < 4; k++)
        at[k] = (uint8_t)(value >> (24 - 8 * k));
}

void mend(bytes *b)
{
    for (size_t at = 8; at + 12 <= b->length;) {
        size_t length =
            (size_t)b->at[at] << 24 | (size_t)b->at[at + 1] << 16 | (size_t)b->at[at + 2] << 8 | b->at[at + 3];
        if (length > b->length - at - 12)
            return;
        put32(b->at + at + 8 + length, crc_of(b->at + at + 4, length + 4));
        at += length + 12;
    }
}
