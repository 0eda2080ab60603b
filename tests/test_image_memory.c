// Memory runs out in the readers and writers of images: each allocation of theirs fails once, libpng's among them. Each
// time want of memory is what is told, nothing is left, and there is no image rather than one that lacks something.
#include "image_bytes.h"
#include "scarce_memory.h"

#include <stdlib.h>
#include <string.h>

static void same_image(const image *a, const image *b, const char *what)
{
    int64_t samples = a->array.shape[0] * a->array.shape[1] * image_channels(a);
    REQUIRE(a->array.dtype == b->array.dtype && a->white == b->white &&
                memcmp(a->array.shape, b->array.shape, sizeof a->array.shape) == 0 &&
                memcmp(a->block, b->block, (size_t)samples * isg_dtype_bytes(a->array.dtype)) == 0,
            "%s: another image", what);
    REQUIRE(a->notes.has_gamma == b->notes.has_gamma && a->notes.has_pitch == b->notes.has_pitch &&
                a->notes.profile_bytes == b->notes.profile_bytes && !a->notes.profile == !b->notes.profile,
            "%s: other notes", what);
}

// Returns how many allocations failed.
static long check_reading(const bytes *b, const char *what)
{
    image whole = read_good(b->at, b->length);
    for (long at = 1;; at++) {
        image im;
        isg_error error = {ISG_OK, ""};
        const long before = memory_blocks;
        memory_arm(at);
        const isg_status status = image_decode(&im, b->at, (int64_t)b->length, &error);
        const long calls = memory_calls;
        memory_arm(0);
        const long left = memory_blocks - before;
        if (status == ISG_OK) {
            ck_assert_msg(calls < at, "%s is read without allocation %ld", what, at);
            same_image(&im, &whole, what);
            image_free(&im);
            image_free(&whole);
            return at - 1;
        }
        ck_assert_msg(status == ISG_ERR_MEMORY && strstr(error.message, "memory"), "%s, allocation %ld: %s, %s", what,
                      at, isg_status_name(status), error.message);
        ck_assert_msg(left == 0 && !im.block && !im.notes.profile, "%s, allocation %ld: %ld blocks are left", what, at,
                      left);
    }
}

static long check_writing(const image *im, image_format format, const char *what)
{
    static char block[1 << 16];
    const bytes whole = encoded(im, format);
    for (long at = 1;; at++) {
        isg_error error = {ISG_OK, ""};
        FILE *to = fmemopen(block, sizeof block, "wb");
        ck_assert_ptr_nonnull(to);
        const long before = memory_blocks;
        memory_arm(at);
        const isg_status status = image_encode(to, im, format, &error);
        const long calls = memory_calls;
        memory_arm(0);
        const long left = memory_blocks - before;
        ck_assert_int_eq(fclose(to), 0);
        ck_assert_msg(left == 0, "%s, allocation %ld: %ld blocks are left", what, at, left);
        if (status == ISG_OK) {
            ck_assert_msg(calls < at, "%s is written without allocation %ld", what, at);
            ck_assert_mem_eq(block, whole.at, whole.length);
            return at - 1;
        }
        ck_assert_msg(status == ISG_ERR_MEMORY && strstr(error.message, "memory"), "%s, allocation %ld: %s, %s", what,
                      at, isg_status_name(status), error.message);
    }
}

START_TEST(png)
{
    static const png_kind kinds[] = {
        {.colours = 0, .depth = 1, .side = 9},
        {.colours = 2, .depth = 16, .side = 8, .interlace = 1},
        {.colours = 2, .depth = 8, .side = 8, .keyed = true, .notes = true},
        {.colours = 3, .depth = 8, .side = 16, .palette = 200, .keyed = true},
        {.colours = 6, .depth = 8, .side = 5},
    };
    long read = 0, written = 0;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const bytes b = made_png(&kinds[i]);
        read += check_reading(&b, "a PNG");
    }
    suite_random random = suite_stream(1);
    image im = image_with_profile(&random);
    const bytes b = encoded(&im, IMAGE_PNG);
    read += check_reading(&b, "a PNG with a colour profile");
    written += check_writing(&im, IMAGE_PNG, "a PNG with a colour profile");
    image_free(&im);
    im = random_image(&random, ISG_U16, 7, 9, 4, UINT16_MAX);
    written += check_writing(&im, IMAGE_PNG, "a PNG of 16 bits");
    image_free(&im);
    printf("PNG: %ld allocations of readers failed, %ld of writers\n", read, written);
    ck_assert(read > 30 && written > 10);
}
END_TEST

START_TEST(netpbm_and_pfm)
{
    static const struct {
        image_format format;
        isg_dtype dtype;
        int64_t channels;
        uint32_t white;
    } kinds[] = {{IMAGE_PGM, ISG_U8, 1, 200}, {IMAGE_PPM, ISG_U16, 3, 1000}, {IMAGE_PFM, ISG_F32, 3, 0}};
    long read = 0;
    suite_random random = suite_stream(2);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        image im = random_image(&random, kinds[i].dtype, 6, 5, kinds[i].channels, kinds[i].white);
        im.notes.scale = kinds[i].format == IMAGE_PFM ? 1 : 0;
        const bytes b = encoded(&im, kinds[i].format);
        read += check_reading(&b, image_format_name(kinds[i].format));
        check_writing(&im, kinds[i].format, image_format_name(kinds[i].format));
        image_free(&im);
    }
    const bytes b = text("P2 3 2 9 1 2 3 4 5 6\n");
    read += check_reading(&b, "a PGM in text");
    ck_assert_int_ge(read, 4);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {png, netpbm_and_pfm};
    return suite_run(suite_of("image_memory", tests, COUNT(tests)));
}
