// The ground floor: lib/base.h, and of lib/file.h what the suites of .npy files do not come by.
#include "suite.h"

#include "base.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(messages)
{
    isg_error error = {ISG_OK, "left over"};
    isg_error_clear(&error);
    ck_assert_str_eq(error.message, "");
    ck_assert_int_eq(isg_fail(&error, ISG_ERR_IO, "a\nb\x7f%s\x1b", "c\t"), ISG_ERR_IO);
    ck_assert_str_eq(error.message, "a b c  "); // one line, and nothing that moves a terminal's cursor
    ck_assert_int_eq(isg_fail(&error, ISG_ERR_SHAPE, "later"), ISG_ERR_SHAPE);
    ck_assert_int_eq(error.status, ISG_ERR_IO); // the first one stays
    ck_assert_int_eq(isg_fail(NULL, ISG_ERR_SHAPE, "nowhere"), ISG_ERR_SHAPE);
    isg_error_clear(NULL);
}
END_TEST

START_TEST(products)
{
    static const struct {
        int64_t a, b, product; // -1: none
    } cases[] = {
        {0, 0, 0},
        {INT64_MAX, 0, 0},
        {0, INT64_MAX, 0},
        {INT64_MAX, 1, INT64_MAX},
        {3037000499, 3037000499, 9223372030926249001},
        {3037000500, 3037000500, -1},
        {INT64_MAX, 2, -1},
        {-1, 1, -1},
        {1, -1, -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t product = -1;
        ck_assert_int_eq(isg_mul(cases[i].a, cases[i].b, &product), cases[i].product >= 0);
        ck_assert_int_eq(product, cases[i].product);
    }
}
END_TEST

START_TEST(sizes)
{
    static const int64_t last[] = {INT64_MAX - 64}, beyond[] = {INT64_MAX - 63}, none[] = {0, 1LL << 40, 1LL << 22},
                         wide[] = {1LL << 62}, most[ISG_MAX_NDIM] = {1, 1, 1, 1, 1, 1, 1, 7};
    const struct {
        isg_dtype dtype;
        int32_t ndim;
        const int64_t *shape;
        isg_status status;
        int64_t count;
    } cases[] = {
        {ISG_U8, 1, last, ISG_OK, INT64_MAX - 64},
        {ISG_U8, 1, beyond, ISG_ERR_OVERFLOW, 0},
        {ISG_F64, 3, none, ISG_OK, 0},
        {ISG_U16, 1, wide, ISG_ERR_OVERFLOW, 0},
        {ISG_F32, 0, last, ISG_ERR_SHAPE, 0},
        {ISG_F32, ISG_MAX_NDIM + 1, most, ISG_ERR_SHAPE, 0},
        {ISG_F32, ISG_MAX_NDIM, most, ISG_OK, 7},
    };
    for (size_t i = 0; i < COUNT(cases) && sizeof(size_t) == 8; i++) {
        int64_t count = 0;
        ck_assert_int_eq(isg_shape_count(cases[i].dtype, cases[i].ndim, cases[i].shape, &count, NULL), cases[i].status);
        ck_assert_int_eq(count, cases[i].count);
    }
}
END_TEST

// Sizes that no address holds are refused before the system is asked; of none at all there is a block.
START_TEST(blocks)
{
    ck_assert_ptr_null(isg_alloc(-1, 1));
    ck_assert_ptr_null(isg_alloc(INT64_MAX, 1));
    ck_assert_ptr_null(isg_alloc(INT64_MAX / 2, 4));
    ck_assert_ptr_null(isg_alloc_large(-1));
    ck_assert_ptr_null(isg_alloc_large(INT64_MAX));
    for (int64_t bytes = 0; bytes <= 3 << 20; bytes = 4 * bytes + 1) {
        unsigned char *small = isg_alloc(bytes, 1), *large = isg_alloc_large(bytes);
        ck_assert_uint_eq((uintptr_t)small % 64, 0);
        ck_assert_uint_eq((uintptr_t)large % (2 << 20), 0);
        for (int64_t i = 0; i < bytes; i++)
            if (small[i] != 0)
                ck_abort_msg("byte %d of %d is not 0", (int)i, (int)bytes);
        memset(large, 1, (size_t)bytes);
        free(small);
        free(large);
    }
}
END_TEST

START_TEST(numbers)
{
    static const union {
        int8_t i8;
        uint16_t u16[2];
        float f32;
        double f64;
        int64_t i64;
    } one = {.i64 = -2};
    static const struct {
        uint16_t half;
        double value;
    } halves[] = {{0, 0},       {0x8000, 0},     {1, 0x1p-24},       {0x3ff, 0x3ffp-24}, {0x400, 0x1p-14},
                  {0xbc00, -1}, {0x7bff, 65504}, {0x7c00, INFINITY}, {0xfc00, -INFINITY}};
    static const isg_dtype types[] = {ISG_I8, ISG_I16, ISG_I32, ISG_I64};
    for (size_t i = 0; i < COUNT(types); i++)
        ck_assert(isg_load_double(types[i], &one, 0) == -2); // in the order of bytes that isogram knows
    for (size_t i = 0; i < COUNT(halves); i++)
        ck_assert(isg_load_double(ISG_F16, &halves[i].half, 0) == halves[i].value);
    ck_assert(signbit(isg_load_double(ISG_F16, &halves[1].half, 0)));
    ck_assert(isnan(isg_load_double(ISG_F16, &(uint16_t){0x7e00}, 0)));
    ck_assert(isg_load_double(ISG_U64, &(uint64_t){1ull << 63}, 0) == 0x1p63);
    ck_assert(isg_load_double(ISG_DTYPE_NONE, &one, 0) == 0);
    ck_assert(isg_load_double(ISG_DTYPE_COUNT, &one, 0) == 0);
}
END_TEST

// Words of 64 letters and more are as far from all others as can be.
START_TEST(distances_of_words)
{
    char word[66] = "";
    ck_assert_uint_eq(isg_edit_distance("", ""), 0);
    ck_assert_uint_eq(isg_edit_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(isg_edit_distance("abc", ""), 3);
    memset(word, 'a', 63);
    ck_assert_uint_eq(isg_edit_distance(word, "a"), 62);
    ck_assert_uint_eq(isg_edit_distance("a", word), 62);
    word[63] = 'a';
    ck_assert_uint_eq(isg_edit_distance(word, "a"), 64);
    ck_assert_uint_eq(isg_edit_distance("a", word), 64);
}
END_TEST

START_TEST(texts)
{
    char room[8] = "xxxxxxx";
    isg_text text = {room, 6, 0};
    isg_put(&text, "%s", "abc");
    isg_put(&text, "%d", 12345);
    isg_put(&text, "%s", "more");
    ck_assert_uint_eq(text.length, 12); // that it would have
    ck_assert_mem_eq(room, "abc12\0x", 8);
}
END_TEST

// Descriptors by their names are written to, not replaced.
START_TEST(named_descriptors)
{
    static const char *const names[] = {"-", "/dev/stdout", "/dev/stderr", "/dev/fd/2"};
    isg_error error = {ISG_OK, ""};
    for (size_t i = 0; i < COUNT(names); i++) {
        isg_new_file file;
        ck_assert_int_eq(isg_new_file_open(&file, names[i], "label", &error), ISG_OK);
        ck_assert(file.fd > 2 && !file.target);
        ck_assert_int_eq(isg_new_file_place(&file, "label", &error), ISG_OK);
        ck_assert_int_eq(file.fd, -1);
    }
    isg_new_file file;
    ck_assert_int_eq(isg_new_file_open(&file, "/dev/fd/9999999", "label", &error), ISG_ERR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "label: "));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {messages, products,           sizes, blocks,
                                  numbers,  distances_of_words, texts, named_descriptors};
    return suite_run(suite_of("base", tests, COUNT(tests)));
}
