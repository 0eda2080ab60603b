// PNG as tools/image.h promises it: every kind is read, lies are refused, notes are kept.
#include "image_bytes.h"

#include "base.h"

#include <stdlib.h>
#include <string.h>

// The sample that a reader should give; the last channel of a keyed image is alpha.
static uint32_t wanted_sample(const png_kind *k, int i, int j, int c, int channels)
{
    uint32_t s = pixel_sample(i, j, c, k->depth), most = (1u << k->depth) - 1;
    if (k->palette) {
        static const uint32_t alpha[3] = {0, 128, 200};
        uint32_t index = pixel_sample(i, j, 0, k->depth) % (uint32_t)k->palette;
        return c == 0      ? (uint8_t)(3 * index + 1)
               : c == 1    ? (uint8_t)(200 - index)
               : c == 2    ? (uint8_t)(index ^ 85)
               : index < 3 ? alpha[index]
                           : 255;
    }
    if (k->keyed && c == channels - 1) {
        bool same = true;
        for (int n = 0; n < channels - 1; n++)
            same = same && pixel_sample(i, j, n, k->depth) == pixel_sample(0, 0, n, k->depth);
        return same ? 0 : k->depth == 16 ? 65535 : 255;
    }
    return k->depth < 8 ? s * 255 / most : s;
}

START_TEST(every_kind_of_png_is_read)
{
    static const png_kind kinds[] = {
        {0, 1, 0, 0, 0, 0, 0},   {0, 2, 0, 0, 0, 0, 0},  {0, 4, 0, 0, 0, 0, 0},  {0, 8, 0, 0, 0, 0, 0},
        {0, 16, 0, 0, 0, 0, 0},  {0, 1, 0, 1, 0, 0, 0},  {0, 4, 0, 1, 0, 0, 0},  {0, 8, 0, 1, 0, 0, 0},
        {0, 16, 0, 1, 0, 0, 0},  {2, 8, 0, 0, 0, 0, 0},  {2, 16, 0, 0, 0, 0, 0}, {2, 8, 0, 1, 0, 0, 0},
        {2, 16, 0, 1, 0, 0, 0},  {3, 1, 0, 0, 2, 0, 0},  {3, 2, 0, 0, 4, 0, 0},  {3, 4, 0, 0, 11, 0, 0},
        {3, 8, 0, 0, 256, 0, 0}, {3, 1, 0, 1, 2, 0, 0},  {3, 2, 0, 1, 3, 0, 0},  {3, 8, 0, 1, 200, 0, 0},
        {4, 8, 0, 0, 0, 0, 0},   {4, 16, 0, 0, 0, 0, 0}, {6, 8, 0, 0, 0, 0, 0},  {6, 16, 0, 0, 0, 0, 0},
    };
    static const int sides[] = {1, 2, 5, 9, 16};
    for (size_t n = 0; n < COUNT(kinds) * COUNT(sides) * 2; n++) {
        png_kind k = kinds[n / (2 * COUNT(sides))];
        k.interlace = n % 2;
        k.side = sides[n / 2 % COUNT(sides)];
        bytes b = made_png(&k);
        image im = read_good(b.at, b.length);
        int channels = (k.colours & 2 ? 3 : 1) + (k.keyed || k.colours & 4);
        ck_assert_int_eq(image_channels(&im), channels);
        ck_assert_int_eq(im.array.dtype, k.depth == 16 ? ISG_U16 : ISG_U8);
        ck_assert_uint_eq(im.white, k.depth == 16 ? 65535 : 255);
        for (int i = 0; i < k.side; i++)
            for (int j = 0; j < k.side; j++)
                for (int c = 0; c < channels; c++) {
                    int64_t at = ((int64_t)i * k.side + j) * channels + c;
                    REQUIRE(isg_load_double(im.array.dtype, im.block, at) == wanted_sample(&k, i, j, c, channels),
                            "colours %d, depth %d, interlace %d: sample %d of (%d, %d)", k.colours, k.depth,
                            k.interlace, c, i, j);
                }
        image_free(&im);
    }
}
END_TEST

// IHDR with another width and height, and its checksum right.
static bytes with_size(bytes b, uint32_t width, uint32_t height)
{
    put32(b.at + 16, width);
    put32(b.at + 20, height);
    put32(b.at + 29, crc_of(b.at + 12, 17));
    return b;
}

static void insert_chunk(bytes *b, size_t at, const char *kind, const uint8_t *data, uint32_t length)
{
    ck_assert_uint_le(b->length + length + 12, sizeof b->at);
    memmove(b->at + at + length + 12, b->at + at, b->length - at);
    put32(b->at + at, length);
    memcpy(b->at + at + 4, kind, 4);
    memcpy(b->at + at + 8, data, length);
    put32(b->at + at + 8 + length, crc_of(b->at + at + 4, length + 4));
    b->length += length + 12;
}

START_TEST(lies_of_png_are_refused)
{
    bytes b = made_png(&(png_kind){.colours = 2, .depth = 8, .side = 4});
    static const uint32_t sizes[][2] = {
        {INT32_MAX, INT32_MAX}, {INT32_MAX, 1}, {1, INT32_MAX}, {30000, 30000}, {1u << 20, 1u << 20}};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        bytes lie = with_size(b, sizes[i][0], sizes[i][1]);
        refuse(&lie, ISG_ERR_FORMAT, "cut short");
    }
    bytes lie = with_size(b, 4, 5); // a row that is not there
    refuse(&lie, ISG_ERR_FORMAT, "damaged");
    lie = with_size(b, 0, 4);
    refuse(&lie, ISG_ERR_FORMAT, "damaged");
    lie = with_size(b, 1u << 31, 4);
    refuse(&lie, ISG_ERR_FORMAT, "damaged");
    lie = b;
    lie.at[30] ^= 1; // a wrong checksum
    refuse(&lie, ISG_ERR_FORMAT, "damaged");
    lie = b;
    put32(lie.at + 33, 0x7fffffff); // a chunk of 2 GiB
    refuse(&lie, ISG_ERR_FORMAT, "");
    bytes p = made_png(&(png_kind){.colours = 3, .depth = 8, .side = 16, .palette = 200});
    put32(p.at + 33, 3 * 100); // the palette loses half of its colours: what follows is moved up
    memmove(p.at + 41 + 300, p.at + 41 + 600, p.length - 641);
    p.length -= 300;
    put32(p.at + 41 + 300, crc_of(p.at + 37, 304));
    refuse(&p, ISG_ERR_FORMAT, "outside the palette");
    bytes longer = b; // what stands behind the end of a PNG is none of it
    add(&longer, "more", 4);
    image im = read_good(longer.at, longer.length);
    image_free(&im);
}
END_TEST

START_TEST(notes_are_kept_from_png_to_png)
{
    bytes b = made_png(&(png_kind){.colours = 2, .depth = 8, .side = 5, .notes = true});
    image im = read_good(b.at, b.length);
    ck_assert(im.notes.has_gamma && im.notes.gamma == 45455);
    ck_assert(im.notes.has_pitch && im.notes.pitch[0] == 2835 && im.notes.pitch[1] == 2834 && im.notes.pitch_unit == 1);
    ck_assert(im.notes.has_primaries && im.notes.primaries[0] == 31270 && im.notes.primaries[7] == 6000);
    ck_assert(!im.notes.has_intent && !im.notes.profile);
    bytes again = encoded(&im, IMAGE_PNG);
    ck_assert_ptr_nonnull(memmem(b.at, b.length, "tEXt", 4));
    ck_assert_ptr_null(memmem(again.at, again.length, "tEXt", 4));
    image back = read_good(again.at, again.length);
    ck_assert_mem_eq(&im.notes, &back.notes, sizeof im.notes);
    image_free(&im);
    image_free(&back);

    b = made_png(&(png_kind){.colours = 2, .depth = 8, .side = 5});
    insert_chunk(&b, 33, "sRGB", (const uint8_t *)"\x02", 1);
    im = read_good(b.at, b.length);
    ck_assert(im.notes.has_intent && im.notes.intent == 2);
    again = encoded(&im, IMAGE_PNG);
    ck_assert_ptr_nonnull(memmem(again.at, again.length, "sRGB\x02", 5));
    image_free(&im);
}
END_TEST

START_TEST(colour_profiles_are_kept)
{
    suite_random random = suite_stream(4);
    image im = image_with_profile(&random);
    bytes b = encoded(&im, IMAGE_PNG);
    image back = read_good(b.at, b.length);
    ck_assert_str_eq(back.notes.profile_name, "mine");
    ck_assert_uint_eq(back.notes.profile_bytes, im.notes.profile_bytes);
    ck_assert_mem_eq(back.notes.profile, im.notes.profile, im.notes.profile_bytes);
    image_free(&im);
    image_free(&back);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_kind_of_png_is_read,
        lies_of_png_are_refused,
        notes_are_kept_from_png_to_png,
        colour_profiles_are_kept,
    };
    return suite_run(suite_of("image_png", tests, COUNT(tests)));
}
