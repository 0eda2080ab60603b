// Plots, read back through libpng: every element's pixels have its colour, nothing else is touched, and a failure
// leaves no file. Knows the promises of plot.h, and not how the picture around the data looks.
#include "plot.h"

#include "base.h"
#include "viridis.h"

#include <check.h>
#include <dirent.h>
#include <float.h>
#include <math.h>
#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { GREY = 0xb4b4b4, WHITE = 0xffffff };

static char directory[64], picture[128];
static isg_error error;

static void set_up(void)
{
    snprintf(directory, sizeof directory, "/tmp/isogram-plot-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(picture, sizeof picture, "%s/picture.png", directory);
}

// How many files the directory holds.
static int files_left(void)
{
    int count = -2; // "." and ".."
    DIR *open = opendir(directory);
    while (readdir(open))
        count++;
    closedir(open);
    return count;
}

static void tear_down(void)
{
    unlink(picture);
    ck_assert_int_eq(files_left(), 0);
    ck_assert_int_eq(rmdir(directory), 0);
}

static plot_image draw(const isg_array *a, const plot_params *params, plot_place *place)
{
    plot_image image;
    png_image png = {.version = PNG_IMAGE_VERSION};
    plot_layout(a, params, place);
    ck_assert_msg(plot_write(picture, a, params, &error) == ISG_OK, "%s", error.message);
    ck_assert_int_eq(files_left(), 1);
    ck_assert_msg(png_image_begin_read_from_file(&png, picture), "%s", png.message);
    png.format = PNG_FORMAT_RGB;
    ck_assert(plot_image_create(&image, (int32_t)png.width, (int32_t)png.height));
    ck_assert_msg(png_image_finish_read(&png, NULL, image.rgb, 0, NULL), "%s", png.message);
    return image;
}

static uint32_t colour_at(const plot_image *image, int32_t x, int32_t y)
{
    ck_assert(x >= 0 && y >= 0 && x < image->width && y < image->height);
    const uint8_t *rgb = image->rgb + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
    return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

// The one colour of the cell that shows element (i, j).
static uint32_t cell_at(const plot_image *image, const plot_place *p, int64_t i, int64_t j)
{
    int32_t left = p->left + (int32_t)(j / p->block) * p->zoom, top = p->top + (int32_t)(i / p->block) * p->zoom;
    uint32_t colour = colour_at(image, left, top);
    for (int32_t k = 0; k < p->zoom * p->zoom; k++)
        ck_assert_uint_eq(colour_at(image, left + k % p->zoom, top + k / p->zoom), colour);
    return colour;
}

static uint32_t colour_of(double low, double high, double value)
{
    return isfinite(value) ? viridis[(int)fmin((value - low) / (high - low) * 256, 255)] : GREY;
}

// Every cell of a small matrix, row by row; frees the image.
static void expect(plot_image *image, const plot_place *p, double low, double high, const double *values)
{
    int columns = p->width / p->zoom;
    for (int k = 0; k < p->height / p->zoom * columns; k++)
        ck_assert_uint_eq(cell_at(image, p, k / columns, k % columns), colour_of(low, high, values[k]));
    free(image->rgb);
}

START_TEST(elements_are_squares_of_their_colour)
{
    double values[12] = {-1, 0, 0.5, 3, 2, 2.5, -0.75, 1, 0.1, 0.2, 0.3, 0.4};
    isg_array a = isg_matrix_f64(values, 3, 4);
    plot_place p;
    plot_image image = draw(&a, &(plot_params){.title = "three by four"}, &p);
    ck_assert(p.block == 1 && p.width == 4 * p.zoom && p.height == 3 * p.zoom);
    ck_assert_uint_eq(cell_at(&image, &p, 0, 0), 0x440154);
    ck_assert_uint_eq(cell_at(&image, &p, 0, 3), 0xfde725);
    ck_assert_uint_eq(colour_at(&image, image.width - 1, image.height - 1), WHITE);
    expect(&image, &p, -1, 3, values);
}
END_TEST

START_TEST(small_matrices_are_magnified)
{
    static const int64_t sides[] = {2, 3, 7, 21, 31, 100, 299, 301, 479, 480, 481, 599, 1000, 1797, 2000};
    for (size_t k = 0; k < sizeof sides / sizeof *sides; k++) {
        float none = 0;
        isg_array a = isg_matrix_f32(&none, sides[k], 2);
        a.strides[0] = a.strides[1] = 0;
        plot_place p;
        plot_layout(&a, NULL, &p);
        ck_assert(p.block == 1 && p.height == p.zoom * sides[k]);
        ck_assert_int_ge(p.height, 480);
        ck_assert_int_le(p.height, sides[k] > 1000 ? sides[k] : 1000);
    }
}
END_TEST

START_TEST(strides_are_followed)
{
    float values[6] = {1, 2, 3, 4, 5, 6};
    isg_array a = isg_matrix_f32(values + 5, 3, 2); // backwards and transposed
    a.strides[0] = -1, a.strides[1] = -3;
    plot_place p;
    plot_image image = draw(&a, NULL, &p);
    expect(&image, &p, 1, 6, (double[]){6, 3, 5, 2, 4, 1});
}
END_TEST

START_TEST(large_matrices_show_means_of_whole_blocks)
{
    // 2001 = 1000 blocks of 2 and half a one.
    enum { SIDE = 2001 };
    float *values = calloc((size_t)SIDE * SIDE, sizeof *values);
    values[0] = values[1] = values[SIDE] = 1; // 3 of 4
    values[2 * SIDE + 2] = 1;                 // 1 of 4
    values[10 * SIDE + SIDE - 1] = 1;         // 1 of 2, at the right edge
    values[(size_t)SIDE * SIDE - 1] = 1;      // alone in the corner
    values[20 * SIDE + 20] = NAN;             // hides its block
    isg_array a = isg_matrix_f32(values, SIDE, SIDE);
    plot_place p;
    plot_image image = draw(&a, NULL, &p);
    ck_assert(p.block == 2 && p.zoom == 1 && p.width == 1001 && p.height == 1001);
    ck_assert_uint_eq(cell_at(&image, &p, 1, 1), viridis[192]);
    ck_assert_uint_eq(cell_at(&image, &p, 2, 2), viridis[64]);
    ck_assert_uint_eq(cell_at(&image, &p, 10, SIDE - 1), viridis[128]);
    ck_assert_uint_eq(cell_at(&image, &p, SIDE - 1, SIDE - 1), viridis[255]);
    ck_assert_uint_eq(cell_at(&image, &p, 21, 21), GREY);
    ck_assert_uint_eq(cell_at(&image, &p, 22, 22), viridis[0]);
    free(image.rgb);
    free(values);
}
END_TEST

START_TEST(means_of_the_greatest_numbers_are_finite)
{
    double value = DBL_MAX;
    isg_array a = isg_matrix_f64(&value, 4100, 4100);
    a.strides[0] = a.strides[1] = 0;
    plot_place p;
    plot_image image = draw(&a, NULL, &p);
    ck_assert_int_eq(p.block, 3);
    ck_assert_uint_eq(cell_at(&image, &p, 0, 0), viridis[128]);
    free(image.rgb);
    a = isg_matrix_f64((double[]){DBL_MAX, -DBL_MAX, -DBL_MAX, DBL_MAX}, 2, 2);
    image = draw(&a, NULL, &p);
    expect(&image, &p, 0, 1, (double[]){1, 0, 0, 1});
}
END_TEST

START_TEST(an_order_permutes_rows_and_columns)
{
    double values[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    const char *const names[2] = {"first", "second"};
    isg_array a = isg_matrix_f64(values, 3, 3);
    for (int k = 0; k < 3; k++) {
        plot_params params = {.order = (int64_t[]){2, 0, 1}, .break_count = 2};
        params.breaks = k > 0 ? (int64_t[]){0, 2} : NULL;
        params.break_labels = k > 1 ? names : NULL;
        plot_place p;
        plot_image image = draw(&a, &params, &p);
        expect(&image, &p, 0, 8, (double[]){8, 6, 7, 2, 0, 1, 5, 3, 4});
    }
}
END_TEST

START_TEST(what_is_not_finite_is_grey)
{
    float values[4] = {NAN, INFINITY, -INFINITY, 7};
    isg_array a = isg_matrix_f32(values, 2, 2);
    plot_place p;
    plot_image image = draw(&a, NULL, &p);
    expect(&image, &p, 6, 8, (double[]){NAN, NAN, NAN, 7});
    values[3] = NAN;
    image = draw(&a, NULL, &p);
    expect(&image, &p, 0, 1, (double[]){NAN, NAN, NAN, NAN});
}
END_TEST

START_TEST(a_constant_has_one_colour)
{
    static const double constants[] = {0, -3.5, 1e-300, DBL_MAX};
    for (size_t k = 0; k < sizeof constants / sizeof *constants; k++) {
        isg_array a = isg_matrix_f64(&constants[k], 2, 2);
        a.strides[0] = a.strides[1] = 0;
        plot_place p;
        plot_image image = draw(&a, NULL, &p);
        expect(&image, &p, 0, 2, (double[]){1, 1, 1, 1});
    }
}
END_TEST

START_TEST(a_vector_is_a_line)
{
    // Rising, then a gap: ink along the diagonal, none off it, a band over the gap.
    double values[11] = {0, 1, 2, 3, 4, 5, 6, 7, 8, NAN, 10};
    isg_array shapes[3] = {isg_vector(ISG_F64, values, 11), isg_matrix_f64(values, 1, 11),
                           isg_matrix_f64(values, 11, 1)};
    for (int k = 0; k < 3; k++) {
        plot_place p;
        plot_image image = draw(&shapes[k], NULL, &p);
        ck_assert_int_eq(p.zoom, 0);
        int32_t x = p.left + p.width / 2, y = p.top + p.height / 2; // element 5 of 0 … 10
        ck_assert_uint_ne(colour_at(&image, x, y), WHITE);
        ck_assert_uint_eq(colour_at(&image, x, y - 40), WHITE);
        ck_assert_uint_eq(colour_at(&image, x, y + 40), WHITE);
        int32_t gap = p.left + p.width / 2 + 4 * (p.width - 24) / 10;
        ck_assert_uint_ne(colour_at(&image, gap, p.top + 3), WHITE);
        free(image.rgb);
    }
}
END_TEST

START_TEST(any_vector_has_a_picture)
{
    double odd[] = {NAN, INFINITY, 0, -DBL_MAX, DBL_MAX, 5e-324, 1};
    for (int64_t start = 0; start < 7; start++) {
        for (int64_t count = 1; start + count <= 7; count++) {
            isg_array a = isg_vector(ISG_F64, odd + start, count);
            plot_place p;
            plot_image image = draw(&a, NULL, &p);
            free(image.rgb);
            a = isg_matrix_f64(odd + start, count, 2);
            a.strides[0] = 1, a.strides[1] = 0;
            image = draw(&a, NULL, &p);
            free(image.rgb);
        }
    }
}
END_TEST

// limit: bytes that a file may have.
static void expect_failure(const char *path, rlim_t limit, const char *reason)
{
    char expected[512];
    struct rlimit usual;
    getrlimit(RLIMIT_FSIZE, &usual);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, usual.rlim_max});
    isg_array a = isg_matrix_f32((float[]){0, 1, 2, 3}, 2, 2);
    isg_status status = plot_write(path, &a, NULL, &error);
    setrlimit(RLIMIT_FSIZE, &usual);
    snprintf(expected, sizeof expected, "%s: %s", path, reason);
    ck_assert_int_eq(status, ISG_ERR_IO);
    ck_assert_str_eq(error.message, expected);
    ck_assert_int_eq(files_left(), 0);
}

START_TEST(a_failure_says_the_path_and_leaves_nothing)
{
    char missing[256];
    snprintf(missing, sizeof missing, "%s/none/picture.png", directory);
    signal(SIGXFSZ, SIG_IGN);
    expect_failure(missing, 1 << 20, "No such file or directory");
    expect_failure(directory, 1 << 20, "Is a directory");
    expect_failure(picture, 100, "File too large");
    if (access("/dev/full", W_OK) == 0)
        expect_failure("/dev/full", 1 << 20, "No space left on device");
}
END_TEST

START_TEST(what_has_no_picture_is_refused)
{
    float values[6] = {0};
    int64_t twice[2] = {1, 1}, outside[2] = {0, 2}, falling[2] = {1, 0};
    isg_array square = isg_matrix_f32(values, 2, 2), wide = isg_matrix_f32(values, 2, 3), bad = square;
    ck_assert_int_eq(plot_write(picture, NULL, NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(plot_write(NULL, &square, NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(plot_write(picture, &square, &(plot_params){.order = twice}, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(plot_write(picture, &square, &(plot_params){.order = outside}, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(plot_write(picture, &square, &(plot_params){.breaks = falling, .break_count = 2}, &error),
                     ISG_ERR_ARGUMENT);
    ck_assert_int_eq(plot_write(picture, &square, &(plot_params){.x_to = NAN}, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(plot_write(picture, &wide, &(plot_params){.order = twice}, &error), ISG_ERR_SHAPE);
    bad.ndim = 3;
    ck_assert_int_eq(plot_write(picture, &bad, NULL, &error), ISG_ERR_SHAPE);
    bad = isg_matrix_f32(values, 0, 4);
    ck_assert_int_eq(plot_write(picture, &bad, NULL, &error), ISG_ERR_SHAPE);
    bad = isg_matrix(ISG_I32, values, 2, 2);
    ck_assert_int_eq(plot_write(picture, &bad, NULL, &error), ISG_ERR_DTYPE);
}
END_TEST

START_TEST(a_picture_replaces_the_old_one_whole)
{
    float values[4] = {0, 1, 2, 3};
    isg_array a = isg_matrix_f32(values, 2, 2);
    char bytes[1 << 16] = "an old picture, longer than the new one";
    FILE *file = fopen(picture, "wb");
    fwrite(bytes, 1, sizeof bytes, file);
    fclose(file);
    plot_place p;
    plot_image image = draw(&a, &(plot_params){.title = "A title"}, &p);
    free(image.rgb);
    file = fopen(picture, "rb");
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ck_assert_ptr_nonnull(memmem(bytes, length, "tEXtTitle\0A title", 17));
    ck_assert_ptr_nonnull(memmem(bytes, length, "tEXtSoftware\0isogram", 20));
    ck_assert_mem_eq(bytes + length - 8, "IEND", 4);
}
END_TEST

START_TEST(numbers_are_round_and_short)
{
    static const struct {
        double from, to, least;
        const char *expected;
    } rows[] = {
        // clang-format off
        {0, 20, 1, "0 2 4 6 8 10 12 14 16 18 20"}, {-1, 1, 0, "-1.0 -0.8 -0.6 -0.4 -0.2 0.0 0.2 0.4 0.6 0.8 1.0"},
        {0, 2, 1, "0 1 2"}, {4, 4, 0, "4"}, {0, 3e9, 1e9, "0 1e9 2e9 3e9"}, {0.5, 2, 0.5, "0.5 1.0 1.5 2.0"},
        {1e-5, -1e-5, 1e-5, "-1e-5 0 1e-5"}, {1e6, 1e6 + 2, 1, "1000000 1000001 1000002"},
        // clang-format on
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        char text[400] = "";
        plot_labels set = {0};
        plot_scale s = {.from = rows[k].from, .to = rows[k].to};
        plot_number_axis(&set, &s, 0, 1500, PLOT_BOTTOM, rows[k].least, 2);
        for (int i = 0; i < set.count; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", set.item[i].text);
        ck_assert_str_eq(text, rows[k].expected);
    }
}
END_TEST

START_TEST(a_bar_says_both_ends)
{
    static const struct {
        double low, high;
        const char *first, *last;
    } rows[] = {
        // clang-format off
        {0, 1, "1.0", "0.0"}, {2.653e-7, 0.01769, "0.01769", "2.65e-7"}, {-1234.5, 98765.4, "98765", "-1234"},
        {1, 1 + 1e-9, "1.0000000010", "1.0000000000"}, {3.14159, 4000, "4000", "3.14"},
        // clang-format on
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        plot_labels set = {0};
        plot_number_bar(&set, rows[k].low, rows[k].high, 600, 2);
        ck_assert_int_ge(set.count, 4);
        ck_assert_str_eq(set.item[0].text, rows[k].first);
        ck_assert_str_eq(set.item[set.count - 1].text, rows[k].last);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plot");
    TCase *cases = tcase_create("plot");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    // clang-format off
    const TTest *const tests[] = {
        elements_are_squares_of_their_colour, small_matrices_are_magnified, strides_are_followed,
        large_matrices_show_means_of_whole_blocks, means_of_the_greatest_numbers_are_finite,
        an_order_permutes_rows_and_columns, what_is_not_finite_is_grey, a_constant_has_one_colour, a_vector_is_a_line,
        any_vector_has_a_picture, a_failure_says_the_path_and_leaves_nothing, what_has_no_picture_is_refused,
        a_picture_replaces_the_old_one_whole, numbers_are_round_and_short, a_bar_says_both_ends,
    };
    // clang-format on
    for (size_t k = 0; k < sizeof tests / sizeof *tests; k++)
        tcase_add_test(cases, tests[k]);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
