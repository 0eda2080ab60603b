// The sheet of a plot: an RGB image, rectangles, text and numbered axes on it, and its way into a PNG file.
// Knows libpng and the font; knows nothing of arrays, layouts and colour maps.
#include "plot.h"

#include "base.h"
#include "font.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

enum { INTERVALS_MOST = 12 }; // between the ticks of an axis

bool plot_image_create(plot_image *image, int32_t width, int32_t height)
{
    *image = (plot_image){width, height, malloc((size_t)width * (size_t)height * 3)};
    if (image->rgb)
        memset(image->rgb, 255, (size_t)width * (size_t)height * 3);
    return image->rgb != NULL;
}

static uint8_t *pixel_at(const plot_image *image, int32_t x, int32_t y)
{
    return image->rgb + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
}

void plot_fill(plot_image *image, int32_t x, int32_t y, int32_t width, int32_t height, uint32_t colour)
{
    int32_t right = (int32_t)isg_min((int64_t)x + width, image->width);
    int32_t bottom = (int32_t)isg_min((int64_t)y + height, image->height);
    for (int32_t row = y > 0 ? y : 0; row < bottom; row++) {
        for (int32_t column = x > 0 ? x : 0; column < right; column++) {
            uint8_t *rgb = pixel_at(image, column, row);
            rgb[0] = (uint8_t)(colour >> 16);
            rgb[1] = (uint8_t)(colour >> 8);
            rgb[2] = (uint8_t)colour;
        }
    }
}

void plot_blend(plot_image *image, int32_t x, int32_t y, uint32_t colour, double coverage)
{
    if (x < 0 || y < 0 || x >= image->width || y >= image->height || !(coverage > 0))
        return;
    uint8_t *rgb = pixel_at(image, x, y);
    for (int i = 0; i < 3; i++) {
        double ink = (double)(colour >> (16 - 8 * i) & 255);
        rgb[i] = (uint8_t)lround(rgb[i] + (ink - rgb[i]) * fmin(coverage, 1));
    }
}

static void draw_glyph(plot_image *image, int32_t x, int32_t y, int32_t unit, uint32_t colour, int code)
{
    for (int32_t row = 0; row < FONT_ROWS * unit; row++) {
        for (int32_t column = 0; column < FONT_WIDTH * unit; column++) {
            double coverage = font_coverage(code, (column + 0.5) / unit - 0.5, (row + 0.5) / unit - 0.5, unit);
            plot_blend(image, x + column, y + row, colour, coverage);
        }
    }
}

int32_t plot_text_width(const char *text, int32_t unit)
{
    int64_t dots = 0;
    while (text && *text)
        dots += font_width(font_next(&text)) + 1;
    return (int32_t)isg_min(unit * isg_max(dots - 1, 0), INT32_MAX / 4);
}

void plot_text(plot_image *image, double x, double y, plot_anchor anchor, int32_t unit, uint32_t colour,
               const char *text)
{
    double share = anchor == PLOT_START ? 0 : anchor == PLOT_CENTRE ? 0.5 : 1;
    int32_t left = (int32_t)lround(x - share * plot_text_width(text, unit));
    int32_t top = (int32_t)lround(y - 0.5 * FONT_HEIGHT * unit);
    while (*text && left < image->width) {
        int code = font_next(&text);
        draw_glyph(image, left, top, unit, colour, code);
        left += (font_width(code) + 1) * unit;
    }
}

void plot_frame(plot_image *image, int32_t x, int32_t y, int32_t width, int32_t height, int32_t thick, uint32_t colour)
{
    plot_fill(image, x - thick, y - thick, width + 2 * thick, thick, colour);
    plot_fill(image, x - thick, y + height, width + 2 * thick, thick, colour);
    plot_fill(image, x - thick, y, thick, height, colour);
    plot_fill(image, x + width, y, thick, height, colour);
}

void plot_disc(plot_image *image, double x, double y, double radius, uint32_t colour)
{
    int32_t reach = (int32_t)ceil(radius) + 1, left = (int32_t)x - reach, top = (int32_t)y - reach;
    for (int32_t row = top; row <= top + 2 * reach; row++) {
        for (int32_t column = left; column <= left + 2 * reach; column++)
            plot_blend(image, column, row, colour, radius + 0.5 - hypot(column + 0.5 - x, row + 0.5 - y));
    }
}

void plot_title(plot_image *image, double centre, int32_t margin, int32_t unit, uint32_t colour, const char *text)
{
    char line[400];
    snprintf(line, sizeof line, "%s", text ? text : "");
    int32_t room = image->width - 2 * margin;
    for (size_t length = strlen(line); plot_text_width(line, unit) > room && length > 0; length--)
        snprintf(line, sizeof line, "%.*s...", (int)(length - 1), text);
    double half = 0.5 * plot_text_width(line, unit), y = margin + 0.5 * PLOT_TEXT_HEIGHT * unit;
    centre = fmax(margin + half, fmin(centre, image->width - margin - half));
    plot_text(image, centre, y, PLOT_CENTRE, unit, colour, line);
}

// ---- Numbered axes ----

double plot_fraction(double from, double to, double value)
{
    // Halves, because the difference of two doubles may overflow.
    double span = to / 2 - from / 2;
    return span != 0 ? (value / 2 - from / 2) / span : 0.5;
}

// The finest step of 1, 2 or 5 times a power of ten that leaves at most `most` intervals.
static void choose_step(plot_scale *s, int most)
{
    double rough = fabs(s->to / most - s->from / most), size = fmax(fabs(s->from), fabs(s->to));
    double power = pow(10, floor(log10(rough))), lead = rough / power;
    double digit = lead <= 1 + 1e-9 ? 1 : lead <= 2 + 1e-9 ? 2 : lead <= 5 + 1e-9 ? 5 : 10;
    s->step = digit * power;
    s->scientific = (size >= 1e6 && s->step >= 1e3) || (size > 0 && size < 1e-3);
    s->decimals = 0;
    if (!(s->step > 0 && s->step <= DBL_MAX))
        s->step = 0;
    else
        s->decimals = -(int)floor(log10(s->step) + 1e-9);
}

// The tick number `index` from the lower end; false past the upper end.
static bool tick_value(const plot_scale *s, int index, double *value)
{
    double low = fmin(s->from, s->to), high = fmax(s->from, s->to);
    *value = s->step > 0 ? fmax((ceil(low / s->step - 1e-6) + index) * s->step, low) : low;
    return s->step > 0 ? *value <= fmin(high + 1e-6 * s->step, DBL_MAX) : index == 0 && low == high;
}

// Removes up to `most` zeros after the decimal point, and the point when nothing is left behind it.
static void trim_zeros(char *text, int most)
{
    size_t length = strlen(text);
    if (!strchr(text, '.'))
        return;
    while (most-- > 0 && text[length - 1] == '0')
        length--;
    text[text[length - 1] == '.' ? length - 1 : length] = 0;
}

void plot_number_text(const plot_scale *s, double value, int extra, char text[PLOT_LABEL_BYTES])
{
    char digits[PLOT_LABEL_BYTES];
    int decimals = s->decimals + extra;
    if (s->step > 0 && fabs(value) < 0.5 * pow(10, -decimals))
        value = 0;
    if (s->step > 0 && !s->scientific) {
        snprintf(text, PLOT_LABEL_BYTES, "%.*f", decimals < 0 ? 0 : decimals, value);
        trim_zeros(text, extra);
        return;
    }
    int after = s->step > 0 && value != 0 ? (int)floor(log10(fabs(value))) + decimals : extra > 0 ? extra : 5;
    after = after < 0 ? 0 : after > 16 ? 16 : after;
    snprintf(digits, sizeof digits, "%.*e", after, value);
    int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    *strchr(digits, 'e') = 0;
    trim_zeros(digits, 20);
    if (s->scientific && value != 0)
        snprintf(text, PLOT_LABEL_BYTES, "%.30se%d", digits, exponent);
    else
        snprintf(text, PLOT_LABEL_BYTES, "%.*g", after + 1, value);
}

void plot_add_label(plot_labels *set, double at, const char *text, int32_t unit)
{
    if (set->count == PLOT_LABELS_MOST)
        return;
    set->item[set->count].at = at;
    snprintf(set->item[set->count++].text, PLOT_LABEL_BYTES, "%s", text);
    set->widest = (int32_t)isg_max(set->widest, plot_text_width(text, unit));
}

void plot_number_axis(plot_labels *set, plot_scale *s, double first, double pixels, plot_side side, double least,
                      int32_t unit)
{
    double value;
    char text[PLOT_LABEL_BYTES];
    for (int most = INTERVALS_MOST; most > 0; most--) {
        double apart = side == PLOT_BOTTOM ? 0 : 2.4 * PLOT_TEXT_HEIGHT * unit;
        choose_step(s, most);
        for (int i = 0; side == PLOT_BOTTOM && tick_value(s, i, &value); i++) {
            plot_number_text(s, value, 0, text);
            apart = fmax(apart, plot_text_width(text, unit) + 9 * unit);
        }
        double interval = fabs(s->step / 2 / (s->to / 2 - s->from / 2)) * pixels;
        if (s->step == 0 || (s->step >= 0.999 * least && interval >= apart))
            break;
        s->step = 0;
    }
    for (int i = 0; tick_value(s, i, &value); i++) {
        plot_number_text(s, value, 0, text);
        plot_add_label(set, first + plot_fraction(s->from, s->to, value) * pixels, text, unit);
    }
}

// An end of a range. One that its last digit would round coarsely stands alone, lest 3e-7 read 0.000.
static void number_end(const plot_scale *s, double value, int extra, char text[PLOT_LABEL_BYTES])
{
    plot_scale alone = {.scientific = fabs(value) < 1e-4 || fabs(value) >= 1e3};
    int decimals = s->decimals + extra;
    bool coarse = value != 0 && (s->scientific || decimals >= 0) && fabs(value) < 50 * pow(10, -decimals);
    plot_number_text(coarse ? &alone : s, value, coarse ? 2 : extra, text);
}

void plot_number_bar(plot_labels *set, double low, double high, double height, int32_t unit)
{
    plot_scale s = {.from = high, .to = low};
    plot_labels round = {0};
    char text[PLOT_LABEL_BYTES];
    double half = high / 2 - low / 2, room = 1.5 * PLOT_TEXT_HEIGHT * unit;
    if (low > high)
        return;
    plot_number_axis(half > 0 ? &round : set, &s, 0, height, PLOT_RIGHT, 0, unit);
    if (!(half > 0))
        return;
    int extra = 3 - (int)floor(log10(half) + log10(2)) - s.decimals;
    number_end(&s, high, extra, text);
    plot_add_label(set, 0, text, unit);
    for (int i = 0; i < round.count; i++) {
        if (round.item[i].at >= room && round.item[i].at <= height - room)
            plot_add_label(set, round.item[i].at, round.item[i].text, unit);
    }
    number_end(&s, low, extra, text);
    plot_add_label(set, height, text, unit);
}

void plot_draw_labels(plot_image *image, const plot_labels *set, plot_side side, int32_t x, int32_t y, bool ticks,
                      int32_t unit, uint32_t colour)
{
    bool across = side == PLOT_BOTTOM;
    int32_t thick = unit / 2, mark = ticks ? PLOT_TICK * unit : 0, off = (PLOT_TICK + PLOT_TEXT_GAP) * unit;
    plot_anchor anchor = across ? PLOT_CENTRE : side == PLOT_LEFT ? PLOT_END : PLOT_START;
    for (int i = 0; i < set->count; i++) {
        int32_t at = (int32_t)lround((across ? x : y) + set->item[i].at - 0.5 * thick);
        double centre = at + 0.5 * thick, under = y + off + 0.5 * PLOT_TEXT_HEIGHT * unit;
        plot_fill(image,
                  across              ? at
                  : side == PLOT_LEFT ? x - mark
                                      : x,
                  across ? y : at, across ? thick : mark, across ? mark : thick, colour);
        plot_text(image,
                  across              ? centre
                  : side == PLOT_LEFT ? x - off
                                      : x + off,
                  across ? under : centre, anchor, unit, colour, set->item[i].text);
    }
}

// ---- The file ----

typedef struct sink {
    FILE *file;
    const char *path;
    isg_error *error;
} sink;

static void on_error(png_structp png, png_const_charp message)
{
    sink *to = png_get_error_ptr(png);
    isg_fail(to->error, ISG_ERR_IO, "%s: %s", to->path, message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void on_write(png_structp png, png_bytep data, size_t bytes)
{
    sink *to = png_get_io_ptr(png);
    if (fwrite(data, 1, bytes, to->file) != bytes)
        png_error(png, strerror(errno));
}

static void on_flush(png_structp png)
{
    sink *to = png_get_io_ptr(png);
    if (fflush(to->file) != 0)
        png_error(png, strerror(errno));
}

static png_text text_chunk(const char *key, const char *text)
{
    // tEXt is Latin-1; only iTXt holds UTF-8.
    bool ascii = true;
    for (const char *at = text; *at; at++)
        ascii = ascii && !((unsigned char)*at & 128);
    png_text chunk = {0};
    chunk.compression = ascii ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
    chunk.key = (png_charp)(uintptr_t)key;
    chunk.text = (png_charp)(uintptr_t)text;
    return chunk;
}

// The calls that may jump; nothing in here owns anything.
static void write_chunks(png_structp png, png_infop info, sink *to, const plot_image *image, const char *title)
{
    png_text chunks[2] = {text_chunk("Software", "isogram"), text_chunk("Title", title ? title : "")};
    png_set_write_fn(png, to, on_write, on_flush);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_set_text(png, info, chunks, title ? 2 : 1);
    // A picture of a few hundred colours: deflate finds repeated pixels and rows best when no filter takes differences.
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_set_compression_level(png, 4);
    png_write_info(png, info);
    for (int32_t row = 0; row < image->height; row++)
        png_write_row(png, pixel_at(image, 0, row));
    png_write_end(png, info);
}

static isg_status write_png(const plot_image *image, FILE *file, const char *path, const char *title, isg_error *error)
{
    sink to = {file, path, error};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &to, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return isg_fail(error, ISG_ERR_MEMORY, "%s: no memory to write the picture", path);
    }
    if (setjmp(png_jmpbuf(png)) == 0) {
        write_chunks(png, info, &to, image, title);
        png_destroy_write_struct(&png, &info);
        return ISG_OK;
    }
    png_destroy_write_struct(&png, &info);
    return ISG_ERR_IO;
}

// A new file in the directory of `path`, with the permissions that the umask leaves; its name is the caller's to free.
static FILE *open_beside(const char *path, char **name)
{
    const char *slash = strrchr(path, '/');
    int directory = slash ? (int)(slash - path) + 1 : 0;
    size_t bytes = (size_t)directory + 64;
    int handle = -1;
    *name = malloc(bytes);
    for (int attempt = 0; *name && handle < 0 && attempt < 100; attempt++) {
        snprintf(*name, bytes, "%.*s.isogram-%ld-%d.png", directory, path, (long)getpid(), attempt);
        handle = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (handle < 0 && errno != EEXIST)
            break;
    }
    FILE *file = handle < 0 ? NULL : fdopen(handle, "wb");
    if (!file && handle >= 0) {
        close(handle);
        unlink(*name);
    }
    return file;
}

isg_status plot_image_save(const plot_image *image, const char *path, const char *title, isg_error *error)
{
    struct stat found;
    char *beside = NULL;
    bool direct = stat(path, &found) == 0 && !S_ISREG(found.st_mode);
    FILE *file = direct ? fopen(path, "wb") : open_beside(path, &beside);
    isg_status status;
    if (!file) {
        status = isg_fail(error, ISG_ERR_IO, "%s: %s", path, strerror(errno));
        free(beside);
        return status;
    }
    status = write_png(image, file, path, title, error);
    if (fclose(file) != 0 && status == ISG_OK)
        status = isg_fail(error, ISG_ERR_IO, "%s: %s", path, strerror(errno));
    if (status == ISG_OK && beside && rename(beside, path) != 0)
        status = isg_fail(error, ISG_ERR_IO, "%s: %s", path, strerror(errno));
    if (status != ISG_OK && beside)
        unlink(beside);
    free(beside);
    return status;
}
