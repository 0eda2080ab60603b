// What tools/image.h promises of all formats, and of PGM, PPM and PFM: what is read, what is refused and how, and that
// what is written comes back.
#include "image_bytes.h"

#include "base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse_text(const char *what, const char *words)
{
    bytes b = text(what);
    refuse(&b, ISG_ERR_FORMAT, words);
}

static void check_same(const image *a, const image *b)
{
    ck_assert_int_eq(a->array.dtype, b->array.dtype);
    ck_assert_int_eq(a->array.ndim, b->array.ndim);
    size_t count = 1;
    for (int32_t axis = 0; axis < a->array.ndim; axis++) {
        ck_assert_int_eq(a->array.shape[axis], b->array.shape[axis]);
        ck_assert_int_eq(a->array.strides[axis], b->array.strides[axis]);
        count *= (size_t)a->array.shape[axis];
    }
    ck_assert_uint_eq(a->white, b->white);
    ck_assert_mem_eq(a->array.data, b->array.data, count * isg_dtype_bytes(a->array.dtype));
}

// ---- Round trips ----

START_TEST(everything_comes_back)
{
    static const struct {
        image_format format;
        isg_dtype dtype;
        uint32_t white;
        int64_t channels[4];
    } kinds[] = {
        {IMAGE_PNG, ISG_U8, 255, {1, 2, 3, 4}}, {IMAGE_PNG, ISG_U16, 65535, {1, 2, 3, 4}},
        {IMAGE_PGM, ISG_U8, 255, {1}},          {IMAGE_PGM, ISG_U8, 1, {1}},
        {IMAGE_PGM, ISG_U8, 100, {1}},          {IMAGE_PGM, ISG_U16, 256, {1}},
        {IMAGE_PGM, ISG_U16, 65535, {1}},       {IMAGE_PPM, ISG_U8, 255, {3}},
        {IMAGE_PPM, ISG_U16, 1023, {3}},        {IMAGE_PNM, ISG_U8, 77, {1, 3}},
        {IMAGE_PFM, ISG_F32, 0, {1, 3}},
    };
    static const int64_t sizes[][2] = {{1, 1}, {1, 7}, {5, 1}, {6, 9}, {13, 17}};
    suite_random random = suite_stream(1);
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (size_t s = 0; s < COUNT(sizes); s++)
            for (int c = 0; c < 4 && kinds[k].channels[c]; c++) {
                image im = random_image(&random, kinds[k].dtype, sizes[s][0], sizes[s][1], kinds[k].channels[c],
                                        kinds[k].white);
                bytes b = encoded(&im, kinds[k].format);
                image again = read_good(b.at, b.length);
                image_format found = kinds[k].format != IMAGE_PNM ? kinds[k].format
                                     : kinds[k].channels[c] == 3  ? IMAGE_PPM
                                                                  : IMAGE_PGM;
                ck_assert_int_eq(again.format, found);
                check_same(&im, &again);
                bytes twice = encoded(&again, kinds[k].format);
                ck_assert(twice.length == b.length && memcmp(twice.at, b.at, b.length) == 0);
                image_free(&im);
                image_free(&again);
            }
}
END_TEST

// Rows that are longer than the parts that they are written in.
START_TEST(long_rows_come_back)
{
    suite_random random = suite_stream(3);
    static const struct {
        image_format format;
        isg_dtype dtype;
        int64_t columns, channels;
        uint32_t white;
    } rows[] = {
        {IMAGE_PGM, ISG_U16, 3400, 1, 65535}, {IMAGE_PPM, ISG_U8, 1700, 3, 255}, {IMAGE_PFM, ISG_F32, 1300, 1, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        image im = random_image(&random, rows[i].dtype, 1, rows[i].columns, rows[i].channels, rows[i].white);
        bytes b = encoded(&im, rows[i].format);
        image again = read_good(b.at, b.length);
        check_same(&im, &again);
        image_free(&im);
        image_free(&again);
    }
}
END_TEST

START_TEST(samples_above_white_become_white)
{
    image im = {.white = 100};
    ck_assert_int_eq(image_provide(&im, ISG_U8, 1, 3, 1, NULL), ISG_OK);
    memcpy(im.block, "\x64\x65\xff", 3);
    bytes b = encoded(&im, IMAGE_PGM);
    ck_assert(b.length == 14 && memcmp(b.at, "P5\n3 1\n100\nddd", 14) == 0);
    image_free(&im);
}
END_TEST

START_TEST(full_disks_are_said)
{
    static const image_format formats[] = {IMAGE_PNG, IMAGE_PGM, IMAGE_PFM};
    suite_random random = suite_stream(2);
    for (int n = 0; n < 6; n++) { // rows that go out at once, and such as take several parts
        int i = n % 3, rows = n < 3 ? 300 : 2;
        image im = random_image(&random, i == 2 ? ISG_F32 : ISG_U8, rows, 90000 / rows, 1, i == 2 ? 0 : 255);
        FILE *full = fopen("/dev/full", "wb");
        isg_error error = {ISG_OK, ""};
        ck_assert_int_eq(image_encode(full, &im, formats[i], &error), ISG_ERR_IO);
        ck_assert_msg(strstr(error.message, "space") != NULL, "'%s'", error.message);
        fclose(full);
        image_free(&im);
    }
}
END_TEST

// ---- PGM and PPM ----

START_TEST(headers_of_pnm_in_any_dress)
{
    static const char *const files[] = {
        "P2 3 2 255 1 20 255 0 7 9",
        "P2\n3 2\n255\n1 20 255\n0 7 9\n",
        "P2# a comment\n3 2 255\n1 20 255 0 7 9",
        "P2\n# one\n# two\r3# width\n# height comes\n2\n#white\n255# x\n1 20 255 #row\n0 7 9 #end",
        "P2\t003\v2\f255\r1\n\n\n20 0255 0 7 9\n\n  \n",
        "P5 3 2 255\n\x01\x14\xff\x00\x07\x09",
        "P5\n# c\n3 2\n255 \x01\x14\xff\x00\x07\x09",
        "P5 3 2 255#not yet data 123\n\x01\x14\xff\x00\x07\x09",
        "P5 3 2 255#nor this\r\x01\x14\xff\x00\x07\x09",
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        // A zero in the data ends what strlen sees.
        size_t length = files[i][1] == '5' ? strlen(files[i]) + 3 : strlen(files[i]);
        image im = read_good(files[i], length);
        ck_assert(im.format == IMAGE_PGM && im.array.ndim == 2 && im.array.dtype == ISG_U8 && im.white == 255);
        ck_assert(im.array.shape[0] == 2 && im.array.shape[1] == 3);
        ck_assert_mem_eq(im.block, "\x01\x14\xff\x00\x07\x09", 6);
        image_free(&im);
    }
    image im = read_good("P3 1 2 1000 1 2 3 1000 0 999", 28);
    ck_assert(im.format == IMAGE_PPM && im.array.ndim == 3 && im.array.dtype == ISG_U16 && im.white == 1000);
    ck_assert(im.array.shape[0] == 2 && im.array.shape[1] == 1 && im.array.shape[2] == 3);
    ck_assert_mem_eq(im.block, ((uint16_t[]){1, 2, 3, 1000, 0, 999}), 12);
    image_free(&im);
    im = read_good("P5 2 1 65535\n\x01\x02\xff\xfe", 17); // the higher byte comes first
    ck_assert_mem_eq(im.block, ((uint16_t[]){0x102, 0xfffe}), 4);
    image_free(&im);
    im = read_good("P5 1 1 256\n\x01\x00", 13);
    ck_assert(im.array.dtype == ISG_U16 && *(uint16_t *)im.block == 256);
    image_free(&im);
}
END_TEST

START_TEST(lies_of_pnm_are_refused)
{
    static const struct {
        const char *file, *words;
    } cases[] = {
        {"P5 0 2 255 ", "width is not within 1"},
        {"P5 3 0 255 ", "height is not within 1"},
        {"P5 -3 2 255 ", "width is not a number"},
        {"P5 3 2 0 abcdef", "maxval is not within 1 and 65535"},
        {"P5 3 2 65536 abcdefabcdef", "maxval is not within 1 and 65535"},
        {"P5 2147483648 1 255 a", "width is not within"},
        {"P5 99999999999999999999999999999999999999 1 255 a", "width is not within"},
        {"P5 2147483647 2147483647 255 a", "does not fit 64 bits"},
        {"P6 2147483647 2147483647 65535 a", "does not fit 64 bits"},
        {"P5 1000000 1000000 255 a", "cut short"},
        {"P2 1000000 1000000 255 1", "cut short"},
        {"P3 100 100 255 1 2 3", "cut short"},
        {"P5 3x2 255 abcdef", "width is not a number"},
        {"P5 3 2 255x abcdef", "maxval is not a number"},
        {"P5 3. 2 255 abcdef", "width is not a number"},
        {"P5 3 2 255 abcde", "cut short: 16 bytes of at least 17"},
        {"P5 3 2 255 abcdefg", "1 bytes too many"},
        {"P5 3 2 255 abcdefP5 3 2 255 abcdef", "17 bytes too many: one image a file"},
        {"P2 2 1 255 1 2 3", "1 bytes too many"},
        {"P2 2 1 255 1 2 x", "bytes too many"},
        {"P2 2 1 255 1 256", "the sample 256 in row 0 and column 1 is above its maxval of 255"},
        {"P2 2 1 255 1 99999999999999999999", "next sample is not within"},
        {"P2 2 1 255 1 -2", "next sample is not a number"},
        {"P2 2 1 255 1 2.0", "next sample is not a number"},
        {"P2 2 1 255 1#2\n", "cut short: it ends before its next sample"},
        {"P2 2 1 255    1", "cut short: it ends before its next sample"},
        {"P3 1 2 9 1 2 3 4 10 6", "the sample 10 in row 1 and column 0 is above its maxval of 9"},
        {"P5 2 1 100 de", "the sample 101 in row 0 and column 1"},
        {"P5", "not an image"},
        {"P5 ", "cut short: it ends before its width"},
        {"P5 3", "cut short: it ends before its height"},
        {"P5 3 2 255", "cut short: it ends within its header"},
        {"P5 3 2 255#abcdef", "cut short: it ends within its header"},
        {"P5 # 3 2 255", "cut short: it ends before its width"},
        {"P53 2 255 abcdef", "not an image"},
        {"P1 2 2 1 0 0 1", "a bitmap, P1"},
        {"P4 2 2 ab", "a bitmap, P4"},
        {"P7\nWIDTH 2", "a PAM, P7"},
        {"P8 2 2 255 abcd", "not an image"},
        {"p5 2 2 255 abcd", "not an image"},
        {"", "not an image"},
        {"P", "not an image"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes b = text(cases[i].file);
        refuse(&b, strstr(cases[i].words, "64 bits") ? ISG_ERR_OVERFLOW : ISG_ERR_FORMAT, cases[i].words);
    }
    refuse_text("P5 2 1 300 \x01\x2c\x01\x2d", "the sample 301 in row 0 and column 1");
}
END_TEST

// ---- PFM ----

START_TEST(pfm_of_both_orders)
{
    // Rows come from the bottom to the top.
    static const float values[4] = {1.0f, -2.5f, 3e-40f, INFINITY};
    for (int little = 0; little < 2; little++) {
        bytes b = text(little ? "Pf\n2 2\n-1.0\n" : "Pf 2 2 2.5e0 ");
        for (int i = 0; i < 4; i++) {
            uint32_t bits;
            memcpy(&bits, values + i, 4);
            for (int k = 0; k < 4; k++)
                add(&b, &(uint8_t){(uint8_t)(bits >> 8 * (little ? k : 3 - k))}, 1);
        }
        image im = read_good(b.at, b.length);
        ck_assert(im.format == IMAGE_PFM && im.array.dtype == ISG_F32 && im.white == 0);
        ck_assert(im.notes.scale == (little ? 1.0f : 2.5f));
        ck_assert_mem_eq(im.block, values + 2, 8);
        ck_assert_mem_eq((float *)im.block + 2, values, 8);
        bytes again = encoded(&im, IMAGE_PFM);
        ck_assert(memcmp(again.at, little ? "Pf\n2 2\n-1\n" : "Pf\n2 2\n-2.5\n", little ? 10 : 12) == 0);
        image_free(&im);
    }
}
END_TEST

START_TEST(lies_of_pfm_are_refused)
{
    static const struct {
        const char *file, *words;
    } cases[] = {
        {"Pf 1 1 0 abcd", "scale is 0"},
        {"Pf 1 1 -0.0 abcd", "scale is 0"},
        {"Pf 1 1 nan abcd", "scale is not a number"},
        {"Pf 1 1 -inf abcd", "scale is not a number"},
        {"Pf 1 1 0x1p3 abcd", "scale is not a number"},
        {"Pf 1 1 1e999 abcd", "out of range"},
        {"Pf 1 1 1e-40 abcd", "out of range"},
        {"Pf 1 1 1,0 abcd", "scale is not a number"},
        {"Pf 1 1 1e abcd", "scale is not a number"},
        {"Pf 1 1 11111111111111111111111111111111111111111111111111 abcd", "scale is not a number"},
        {"Pf 0 1 -1 abcd", "width is not within 1"},
        {"Pf 1 0 -1 abcd", "height is not within 1"},
        {"Pf +1 1 -1 abcd", "width is not a number"},
        {"Pf 1 2147483648 -1 abcd", "height is not within"},
        {"Pf 9999999999999999999999 1 -1 abcd", "width is not within"},
        {"PF 2147483647 2147483647 -1 abcd", "does not fit 64 bits"},
        {"Pf 1000000 1000000 -1 abcd", "cut short: 26 bytes of at least 4000000000022"},
        {"Pf 1 1 -1 abc", "cut short: 13 bytes of at least 14"},
        {"Pf 1 1 -1 abcde", "1 bytes too many"},
        {"PF 1 1 -1 abcdabcdabc", "cut short"},
        {"Pf 1 1 -1", "cut short: it ends before or within its scale"},
        {"Pf 1 ", "cut short: it ends before or within its height"},
        {"Pf # no comments\n1 1 -1 abcd", "width is not a number"},
        {"Pf#\n1 1 -1 abcd", "not an image"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bytes b = text(cases[i].file);
        refuse(&b, strstr(cases[i].words, "64 bits") ? ISG_ERR_OVERFLOW : ISG_ERR_FORMAT, cases[i].words);
    }
}
END_TEST

// ---- Of all formats ----

// One small file of each.
static size_t samples_of_all(bytes files[12])
{
    static const png_kind kinds[] = {{.colours = 0, .depth = 8, .side = 4},
                                     {.colours = 3, .depth = 4, .side = 5, .palette = 9, .keyed = true},
                                     {.colours = 6, .depth = 16, .side = 3, .interlace = 1},
                                     {.colours = 2, .depth = 8, .side = 4, .notes = true}};
    size_t count = 0;
    for (size_t i = 0; i < COUNT(kinds); i++)
        files[count++] = made_png(kinds + i);
    files[count++] = text("P2\n# text\n3 2\n255\n10 20 30 40 50 6");
    files[count++] = text("P3 1 2 999 1 2 3 400 500 6");
    files[count++] = text("P5\n3 2\n255\nabcdef");
    files[count++] = text("P5\n3 2\n999\n\1a\1b\1c\1d\1e\1f");
    files[count++] = text("P6 1 2 255\nabcdef");
    files[count++] = text("Pf\n2 1\n-1.0\nabcdefgh");
    files[count++] = text("PF\n1 1\n1.0\nabcdefghijkl");
    return count;
}

START_TEST(every_truncation_is_refused)
{
    static bytes files[12];
    size_t count = samples_of_all(files);
    for (size_t n = 0; n < count; n++) {
        image whole = read_good(files[n].at, files[n].length);
        image_free(&whole);
        bytes cut = files[n];
        for (cut.length = 0; cut.length < files[n].length; cut.length++) {
            // The libpng of old takes a file without its last chunk's checksum for whole; ours must not either way.
            refuse(&cut, ISG_ERR_FORMAT, cut.length < 3 ? "not an image" : "");
        }
    }
}
END_TEST

// Whatever comes, an image whose every sample can be read, or a reason.
static bool survives(const bytes *b)
{
    image im;
    isg_error error;
    isg_status status = decode(&im, b->at, b->length, &error);
    if (status) {
        REQUIRE(status == ISG_ERR_FORMAT || status == ISG_ERR_OVERFLOW, "%s: %s", isg_status_name(status),
                error.message);
        REQUIRE(error.message[0] && !strchr(error.message, '\n') && !im.block && !im.notes.profile,
                "two lines, or something to free");
        return false;
    }
    int64_t count = 0;
    REQUIRE(isg_shape_count(im.array.dtype, im.array.ndim, im.array.shape, &count, NULL) == ISG_OK, "a bad shape");
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += isg_load_double(im.array.dtype, im.block, i);
    REQUIRE(sum >= 0 || im.white == 0, "samples below 0");
    image_free(&im);
    return true;
}

START_TEST(every_changed_byte_is_survived)
{
    static bytes files[12];
    size_t count = samples_of_all(files);
    int good = 0, bad = 0;
    for (size_t n = 0; n < count; n++)
        for (size_t at = 0; at < files[n].length; at++)
            for (int value = 0; value < 256; value += files[n].at[1] == 'P' ? 5 : 1) {
                bytes changed = files[n];
                changed.at[at] = (uint8_t)value;
                if (files[n].at[1] == 'P')
                    mend(&changed);
                *(survives(&changed) ? &good : &bad) += 1;
            }
    ck_assert(good > 1000 && bad > 1000);
}
END_TEST

START_TEST(random_changes_are_survived)
{
    static bytes files[12];
    size_t count = samples_of_all(files);
    suite_random random = suite_stream(5);
    for (int n = 0; n < 20000; n++) {
        bytes changed = files[random_below(&random, (int64_t)count)];
        for (int64_t k = random_below(&random, 6); k >= 0; k--) {
            size_t at = (size_t)random_below(&random, (int64_t)changed.length);
            int64_t how = random_below(&random, 3);
            uint8_t byte = (uint8_t)random_below(&random, 256);
            if (how == 0) {
                changed.at[at] = byte;
            } else if (how == 1 && changed.length > 1) {
                memmove(changed.at + at, changed.at + at + 1, changed.length - at - 1);
                changed.length--;
            } else {
                memmove(changed.at + at + 1, changed.at + at, changed.length - at);
                changed.at[at] = byte;
                changed.length++;
            }
        }
        if (n % 2)
            mend(&changed);
        survives(&changed);
    }
}
END_TEST

START_TEST(formats_say_what_they_hold)
{
    static const struct {
        image_format format;
        isg_dtype dtype;
        uint32_t white;
        int32_t ndim;
        int64_t shape[3];
        isg_status status;
        const char *words;
    } cases[] = {
        {IMAGE_PNG, ISG_F32, 0, 2, {2, 2}, ISG_ERR_DTYPE, "png holds uint8 or uint16, not float32"},
        {IMAGE_PNG, ISG_U8, 100, 2, {2, 2}, ISG_ERR_RANGE, "white is 100"},
        {IMAGE_PNG, ISG_U8, 255, 1, {2}, ISG_ERR_SHAPE, "dimensions"},
        {IMAGE_PNG, ISG_U8, 255, 3, {2, 2, 5}, ISG_ERR_SHAPE, "channels, not 5"},
        {IMAGE_PNG, ISG_U8, 255, 3, {2, 2, 0}, ISG_ERR_SHAPE, "channels, not 0"},
        {IMAGE_PNG, ISG_U8, 255, 2, {0, 2}, ISG_ERR_SHAPE, "0 x 2"},
        {IMAGE_PNG, ISG_U8, 255, 2, {2, 1LL << 31}, ISG_ERR_SHAPE, "2147483648"},
        {IMAGE_PGM, ISG_U8, 255, 3, {2, 2, 3}, ISG_ERR_SHAPE, "pgm has 1 channels, not 3"},
        {IMAGE_PPM, ISG_U8, 255, 2, {2, 2}, ISG_ERR_SHAPE, "ppm has 3 channels, not 1"},
        {IMAGE_PNM, ISG_U8, 255, 3, {2, 2, 4}, ISG_ERR_SHAPE, "pnm has 1 or 3 channels, not 4"},
        {IMAGE_PGM, ISG_U16, 200, 2, {2, 2}, ISG_ERR_RANGE, "white at 200"},
        {IMAGE_PGM, ISG_I16, 255, 2, {2, 2}, ISG_ERR_DTYPE, "int16"},
        {IMAGE_PFM, ISG_U8, 255, 2, {2, 2}, ISG_ERR_DTYPE, "pfm holds float32, not uint8"},
        {IMAGE_PFM, ISG_F64, 0, 2, {2, 2}, ISG_ERR_DTYPE, "float64"},
        {IMAGE_PGM, ISG_U8, 0, 2, {2, 2}, ISG_ERR_RANGE, "white at 0"},
        {IMAGE_PGM, ISG_U8, 256, 2, {2, 2}, ISG_ERR_RANGE, "white at 256"},
        {IMAGE_PNG, ISG_U8, 255, 4, {2, 2, 2}, ISG_ERR_SHAPE, "not 4 dimensions"},
        {IMAGE_PNG, ISG_U8, 255, 2, {2, 0}, ISG_ERR_SHAPE, "2 x 0"},
        {IMAGE_PNG, ISG_U8, 255, 2, {1LL << 31, 2}, ISG_ERR_SHAPE, "2147483648 x 2"},
        {IMAGE_FORMAT_COUNT, ISG_U8, 255, 2, {2, 2}, ISG_ERR_ARGUMENT, "none"},
        {IMAGE_NONE, ISG_U8, 255, 2, {2, 2}, ISG_ERR_ARGUMENT, "none"},
        {IMAGE_PNG, ISG_U16, 65535, 3, {2, 2, 2}, ISG_OK, ""},
        {IMAGE_PGM, ISG_U16, 1023, 3, {2, 2, 1}, ISG_OK, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_error error = {ISG_OK, ""};
        ck_assert_int_eq(
            image_check(cases[i].format, cases[i].dtype, cases[i].ndim, cases[i].shape, cases[i].white, &error),
            cases[i].status);
        ck_assert_msg(strstr(error.message, cases[i].words) != NULL, "'%s' lacks '%s'", error.message, cases[i].words);
    }
    image im = {.white = 255, .array = {.dtype = ISG_U8, .ndim = 2, .shape = {2, 2}}};
    ck_assert_int_eq(image_encode(NULL, &im, IMAGE_PPM, NULL), ISG_ERR_SHAPE); // checked before anything is written
}
END_TEST

// Arrays on huge pages, and one that no address space holds.
START_TEST(large_arrays)
{
    image im = {.white = 255};
    ck_assert_int_eq(image_provide(&im, ISG_U16, 1024, 1025, 1, NULL), ISG_OK);
    ck_assert(im.array.strides[0] == 1025 && im.array.data == im.block);
    ((uint16_t *)im.block)[1024 * 1025 - 1] = 7;
    image_free(&im);
    ck_assert_ptr_null(im.block);
    isg_error error = {ISG_OK, ""};
    ck_assert_int_eq(image_provide(&im, ISG_U16, INT32_MAX, INT32_MAX, 4, &error), ISG_ERR_OVERFLOW);
    ck_assert_ptr_null(im.block);
}
END_TEST

START_TEST(names_tell_formats)
{
    ck_assert_str_eq(image_format_name(IMAGE_PPM), "ppm");
    ck_assert_str_eq(image_format_name(IMAGE_FORMAT_COUNT), "none");
    ck_assert_int_eq(image_format_of_path("a/b.c/x.PNG"), IMAGE_PNG);
    ck_assert_int_eq(image_format_of_path("x.tar.pgm"), IMAGE_PGM);
    ck_assert_int_eq(image_format_of_path(".ppm"), IMAGE_PPM);
    ck_assert_int_eq(image_format_of_path("x.pfm"), IMAGE_PFM);
    ck_assert_int_eq(image_format_of_path("x.pnm"), IMAGE_PNM);
    static const char *const none[] = {"png", "x.png/y", "x.pngx", "x.", "", "x.npy", "x.none"};
    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_int_eq(image_format_of_path(none[i]), IMAGE_NONE);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        everything_comes_back,
        long_rows_come_back,
        samples_above_white_become_white,
        full_disks_are_said,
        headers_of_pnm_in_any_dress,
        lies_of_pnm_are_refused,
        pfm_of_both_orders,
        lies_of_pfm_are_refused,
        every_truncation_is_refused,
        every_changed_byte_is_survived,
        random_changes_are_survived,
        formats_say_what_they_hold,
        names_tell_formats,
        large_arrays,
    };
    return suite_run(suite_of("image", tests, COUNT(tests)));
}
