// The picture of an array: value range, layout, cells, colour bar, line.
// Knows arrays and draws on the sheet of plot.h; knows nothing of file formats and of what the numbers mean.
#include "plot.h"

#include "base.h"
#include "viridis.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELLS_MOST = 2000, // along the longer side; a larger matrix is shown by the means of blocks
    SIDE_LEAST = 480,  // pixels that a small matrix is magnified to
    SIDE_USUAL = 600,
    LINE_WIDTH = 640,
    LINE_HEIGHT = 400,
    LINE_UNIT = 2,     // pixels of a dot of text beside a line
    TITLE_MOST = 1000, // pixels a title may claim
    SUBCOLUMNS = 4,    // positions in each column of pixels at which a line's coverage is taken
};
// In dots of the text:
enum { MARGIN = 6, TITLE_GAP = 6, BAR_GAP = 10, BAR_WIDTH = 9, BAR_LEAST = 60, SWATCH_GAP = 8, INSET = 6 };

enum { DARK = 0x262626, FAINT = 0xc4c4c4, LINE = 0x31688e, NOT_FINITE = 0xb4b4b4, NOT_FINITE_BAND = 0xe4e4e4 };

typedef struct value_range {
    double low, high; // of the finite values; low > high: there is none
    bool gaps;        // some value is not finite
} value_range;

typedef struct figure {
    isg_array a; // one dimension: a line
    plot_params params;
    plot_place place;
    value_range range;
    int32_t bar_height;
    plot_scale y;        // of a line
    double first, pitch; // a line's first sample and the distance between two, in pixels of the data rectangle
    plot_labels bottom, left, bar, legend;
} figure;

// One element; NAN if it is not finite.
static inline double load(const isg_array *a, int64_t index)
{
    double value = a->dtype == ISG_F32 ? (double)((const float *)a->data)[index] : ((const double *)a->data)[index];
    return isfinite(value) ? value : NAN;
}

static inline void see(value_range *range, double value)
{
    range->low = value < range->low ? value : range->low; // false for NAN
    range->high = value > range->high ? value : range->high;
    range->gaps |= value != value;
}

static isg_status check_order(const int64_t *order, int64_t count, isg_error *error)
{
    isg_status status = ISG_OK;
    bool *met = isg_alloc(count, sizeof *met);
    if (!met)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for the order of a plot");
    for (int64_t i = 0; i < count && status == ISG_OK; i++) {
        if (order[i] < 0 || order[i] >= count || met[order[i]])
            status = isg_fail(error, ISG_ERR_ARGUMENT, "the order of the plot is not a permutation: entry %lld is %lld",
                              (long long)i, (long long)order[i]);
        else
            met[order[i]] = true;
    }
    free(met);
    return status;
}

static isg_status check_params(const isg_array *a, const plot_params *p, isg_error *error)
{
    if (!isfinite(p->x_from) || !isfinite(p->x_to) || !isfinite(p->y_from) || !isfinite(p->y_to))
        return isg_fail(error, ISG_ERR_ARGUMENT, "the coordinates of a plot must be finite");
    if ((p->order || p->breaks) && (a->ndim != 2 || a->shape[0] != a->shape[1]))
        return isg_fail(error, ISG_ERR_SHAPE, "only a square matrix can be plotted with an order or with breaks");
    for (int64_t k = 0; p->breaks && k < p->break_count; k++) {
        if (p->breaks[k] < (k > 0 ? p->breaks[k - 1] : 0) || p->breaks[k] > a->shape[0])
            return isg_fail(error, ISG_ERR_ARGUMENT, "break %lld of the plot is %lld; they must ascend from 0 to %lld",
                            (long long)k, (long long)p->breaks[k], (long long)a->shape[0]);
    }
    return p->order ? check_order(p->order, a->shape[0], error) : ISG_OK;
}

static isg_status check(const char *path, const isg_array *a, const plot_params *params, isg_error *error)
{
    int64_t count = 0;
    if (!path || !a || !a->data)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a plot needs a path and an array");
    if (a->ndim < 1 || a->ndim > 2)
        return isg_fail(error, ISG_ERR_SHAPE, "a plot takes 1 or 2 dimensions, not %d", (int)a->ndim);
    if (a->dtype != ISG_F32 && a->dtype != ISG_F64)
        return isg_fail(error, ISG_ERR_DTYPE, "a plot takes float32 or float64, not %s", isg_dtype_name(a->dtype));
    isg_status status = isg_shape_count(a->dtype, a->ndim, a->shape, &count, error);
    if (status == ISG_OK && count == 0)
        return isg_fail(error, ISG_ERR_SHAPE, "an empty array has no picture");
    return status == ISG_OK && params ? check_params(a, params, error) : status;
}

// ---- Layout ----

// Numbers of `count` elements: their coordinates, or indices where both ends are 0. `first` and `span` are pixels.
static void number_elements(plot_labels *set, double from, double to, int64_t count, double first, double span,
                            plot_side side, int32_t unit)
{
    bool indices = from == 0 && to == 0;
    plot_scale s = {.from = from, .to = indices ? (double)(count - 1) : count > 1 ? to : from};
    // No numbers between the elements, unless there are hardly any elements.
    double least = indices ? 1 : count > 3 ? fabs(to / (double)(count - 1) - from / (double)(count - 1)) : 0;
    plot_number_axis(set, &s, first, span, side, least, unit);
}

// Labels at the breaks, but for those that would touch the one before.
static void label_breaks(plot_labels *set, const figure *f, plot_side side, double pixels_per_element)
{
    const plot_params *p = &f->params;
    int32_t unit = f->place.unit;
    double free_from = -INFINITY;
    for (int64_t k = 0; k < p->break_count; k++) {
        char position[PLOT_LABEL_BYTES];
        double next = (double)(k + 1 < p->break_count ? p->breaks[k + 1] : f->a.shape[0]);
        double at = pixels_per_element * (p->break_labels ? 0.5 * ((double)p->breaks[k] + next) : (double)p->breaks[k]);
        snprintf(position, sizeof position, "%lld", (long long)p->breaks[k]);
        const char *text = p->break_labels ? p->break_labels[k] : position;
        double size = side == PLOT_BOTTOM ? plot_text_width(text, unit) : PLOT_TEXT_HEIGHT * unit;
        if (at - 0.5 * size < free_from)
            continue;
        plot_add_label(set, at, text, unit);
        free_from = at + 0.5 * size + 3 * unit;
    }
}

static void plan_matrix(figure *f)
{
    plot_place *place = &f->place;
    int64_t rows = f->a.shape[0], columns = f->a.shape[1], longer = isg_max(rows, columns);
    place->block = (longer + CELLS_MOST - 1) / CELLS_MOST;
    int64_t side = (longer + place->block - 1) / place->block;
    place->zoom = (int32_t)isg_max((SIDE_LEAST + side - 1) / side, SIDE_USUAL / side);
    place->width = (int32_t)((columns + place->block - 1) / place->block) * place->zoom;
    place->height = (int32_t)((rows + place->block - 1) / place->block) * place->zoom;
    place->unit = (int32_t)isg_min(isg_max((side * place->zoom + 225) / 450, 2), 4);
    double pitch = (double)place->zoom / (double)place->block;
    if (f->params.breaks) {
        label_breaks(&f->bottom, f, PLOT_BOTTOM, pitch);
        label_breaks(&f->left, f, PLOT_LEFT, pitch);
        return;
    }
    number_elements(&f->bottom, f->params.x_from, f->params.x_to, columns, 0.5 * pitch, (double)(columns - 1) * pitch,
                    PLOT_BOTTOM, place->unit);
    number_elements(&f->left, f->params.y_from, f->params.y_to, rows, 0.5 * pitch, (double)(rows - 1) * pitch,
                    PLOT_LEFT, place->unit);
}

static void plan_line(figure *f, double from, double to)
{
    int64_t count = f->a.shape[0];
    double span = LINE_WIDTH - 2 * INSET * LINE_UNIT;
    f->place = (plot_place){.width = LINE_WIDTH, .height = LINE_HEIGHT, .unit = LINE_UNIT, .block = 1};
    f->first = count > 1 ? INSET * LINE_UNIT : LINE_WIDTH / 2;
    f->pitch = count > 1 ? span / (double)(count - 1) : LINE_WIDTH;
    number_elements(&f->bottom, from, to, count, INSET * LINE_UNIT, span, PLOT_BOTTOM, LINE_UNIT);
    for (int64_t i = 0; i < count; i++)
        see(&f->range, load(&f->a, i * f->a.strides[0]));
    bool any = f->range.low <= f->range.high;
    double low = any ? f->range.low : 0, high = any ? f->range.high : 0;
    double pad = low < high ? 0.08 * (high / 2 - low / 2) : low != 0 ? fabs(low) / 2 : 0.5;
    f->y.from = fmin(high + pad, DBL_MAX);
    f->y.to = fmax(low - pad, -DBL_MAX);
    plot_number_axis(&f->left, &f->y, 0, LINE_HEIGHT, PLOT_LEFT, 0, LINE_UNIT);
}

static void plan(figure *f, const isg_array *a, const plot_params *params)
{
    *f = (figure){.a = *a, .range = {INFINITY, -INFINITY, false}, .params = params ? *params : (plot_params){0}};
    plot_params *p = &f->params;
    bool column = a->ndim == 2 && a->shape[1] == 1, row = a->ndim == 2 && a->shape[0] == 1 && !column;
    if (a->ndim == 1 || row || column) {
        f->a.ndim = 1;
        f->a.shape[0] = a->shape[row];
        f->a.strides[0] = a->strides[row];
        p->breaks = NULL;
        plan_line(f, column ? p->y_from : p->x_from, column ? p->y_to : p->x_to);
    } else {
        plan_matrix(f);
    }
    int32_t unit = f->place.unit;
    f->place.left = (MARGIN + PLOT_TICK + PLOT_TEXT_GAP) * unit + f->left.widest;
    f->bar_height = (int32_t)isg_max(f->place.height, (int64_t)BAR_LEAST * unit);
    f->place.top = (MARGIN + (p->title ? PLOT_TEXT_HEIGHT + TITLE_GAP : 0)) * unit;
}

void plot_layout(const isg_array *a, const plot_params *params, plot_place *place)
{
    figure f;
    plan(&f, a, params);
    *place = f.place;
}

// ---- Cells ----

// Adds a row of elements to the sums of its cells, scaled so that finite elements have finite sums.
static void add_row(figure *f, int64_t row, double scale, double *sums)
{
    const int64_t *order = f->params.order;
    int64_t columns = f->a.shape[1], step = f->a.strides[1];
    int64_t start = (order ? order[row] : row) * f->a.strides[0];
    value_range range = f->range;
    for (int64_t j = 0; j < columns; sums++) {
        double sum = 0;
        for (int64_t end = isg_min(j + f->place.block, columns); j < end; j++) {
            double value = load(&f->a, start + (order ? order[j] : j) * step);
            see(&range, value);
            sum += value * scale;
        }
        *sums += sum;
    }
    f->range = range;
}

// The mean of each cell, row by row, NAN over anything not finite; free() it. NULL: no memory.
static double *reduce(figure *f)
{
    int64_t rows = f->a.shape[0], columns = f->a.shape[1], block = f->place.block;
    int64_t high = f->place.height / f->place.zoom, wide = f->place.width / f->place.zoom;
    double scale = pow(2, -ceil(log2((double)block) * 2));
    double *cells = isg_alloc(high * wide, sizeof *cells);
    for (int64_t i = 0; cells && i < rows; i++)
        add_row(f, i, scale, cells + i / block * wide);
    for (int64_t k = 0; cells && k < high * wide; k++) {
        int64_t top = k / wide * block, left = k % wide * block;
        double count = (double)isg_min(block, rows - top) * (double)isg_min(block, columns - left);
        cells[k] /= count * scale;
    }
    return cells;
}

// The same classes as matplotlib's: 256 of equal width. A constant has the middle colour.
static uint32_t colour_of(const value_range *range, double value)
{
    if (!isfinite(value))
        return NOT_FINITE;
    int64_t index = (int64_t)(plot_fraction(range->low, range->high, value) * VIRIDIS_COUNT);
    return viridis[isg_min(isg_max(index, 0), VIRIDIS_COUNT - 1)];
}

static void draw_bar(plot_image *image, const figure *f)
{
    int32_t unit = f->place.unit, x = f->place.left + f->place.width + BAR_GAP * unit, y = f->place.top;
    int32_t width = BAR_WIDTH * unit, height = f->bar_height, thick = unit / 2;
    for (int32_t row = 0; row < height; row++) {
        double down = (row + 0.5) / height; // where there is no value, infinities give NAN
        uint32_t colour = colour_of(&f->range, f->range.high * (1 - down) + f->range.low * down);
        plot_fill(image, x, y + row, width, 1, colour);
    }
    plot_frame(image, x, y, width, height, thick, DARK);
    plot_draw_labels(image, &f->bar, PLOT_RIGHT, x + width + thick, y, true, unit, DARK);
    if (f->legend.count > 0) {
        y += height + SWATCH_GAP * unit;
        plot_fill(image, x, y, width, PLOT_TEXT_HEIGHT * unit, NOT_FINITE);
        plot_frame(image, x, y, width, PLOT_TEXT_HEIGHT * unit, thick, DARK);
        plot_draw_labels(image, &f->legend, PLOT_RIGHT, x + width + thick, y, false, unit, DARK);
    }
}

static void draw_matrix(plot_image *image, const figure *f, const double *cells)
{
    const plot_place *p = &f->place;
    int32_t high = p->height / p->zoom, wide = p->width / p->zoom;
    for (int32_t i = 0; i < high; i++) {
        int32_t top = p->top + i * p->zoom;
        for (int32_t j = 0; j < wide; j++)
            plot_fill(image, p->left + j * p->zoom, top, p->zoom, 1, colour_of(&f->range, *cells++));
        uint8_t *first = image->rgb + 3 * ((size_t)top * (size_t)image->width + (size_t)p->left);
        for (int32_t copy = 1; copy < p->zoom; copy++)
            memcpy(first + 3 * (size_t)copy * (size_t)image->width, first, 3 * (size_t)p->width);
    }
    draw_bar(image, f);
}

// A mark at the data, and between names faint lines.
static void draw_breaks(plot_image *image, const figure *f)
{
    const plot_place *p = &f->place;
    int32_t thick = p->unit / 2, left = p->left - thick, bottom = p->top + p->height + thick;
    int32_t mark = PLOT_TICK * p->unit, off = f->params.break_labels ? mark + PLOT_TEXT_GAP * p->unit : 0;
    int32_t aside = off > 0 ? off + f->left.widest : 0, down = off > 0 ? off + PLOT_TEXT_HEIGHT * p->unit : 0;
    for (int64_t k = 0; f->params.breaks && k < f->params.break_count; k++) {
        int32_t at = (int32_t)lround((double)f->params.breaks[k] * p->zoom / (double)p->block - 0.5 * thick);
        plot_fill(image, p->left + at, bottom, thick, down, FAINT);
        plot_fill(image, left - aside, p->top + at, aside, thick, FAINT);
        plot_fill(image, p->left + at, bottom, thick, mark, DARK);
        plot_fill(image, left - mark, p->top + at, mark, thick, DARK);
    }
}

// A sample's height, or one between two samples, in pixels from the top of the data rectangle; NAN over a gap.
static double height_at(const figure *f, double index)
{
    int64_t before = (int64_t)index, step = f->a.strides[0];
    double right = index - (double)before, value = load(&f->a, before * step);
    if (right > 0)
        value = (1 - right) * value + right * load(&f->a, (before + 1) * step);
    return plot_fraction(f->y.from, f->y.to, value) * f->place.height;
}

// The line's ink in one column of pixels: a square pen moved along the samples, its coverage taken at SUBCOLUMNS
// places.
static void draw_line_column(plot_image *image, const figure *f, int32_t column)
{
    double ink[LINE_HEIGHT] = {0}, pen = 0.45 * f->place.unit, last = (double)(f->a.shape[0] - 1);
    double nearest = floor((column + 0.5 - f->first) / f->pitch + 0.5);
    bool gap = nearest >= 0 && nearest <= last && isnan(height_at(f, nearest));
    for (int sub = 0; sub < SUBCOLUMNS; sub++) {
        double centre = column + (sub + 0.5) / SUBCOLUMNS - f->first;
        double from = fmax((centre - pen) / f->pitch, 0), to = fmin((centre + pen) / f->pitch, last);
        if (from > to)
            continue;
        // fmin and fmax pass over NAN.
        double top = fmin(height_at(f, from), height_at(f, to)), bottom = fmax(height_at(f, from), height_at(f, to));
        for (double i = ceil(from); i <= to; i++) {
            double height = height_at(f, i);
            gap |= isnan(height);
            top = fmin(top, height);
            bottom = fmax(bottom, height);
        }
        for (int row = (int)fmax(top - pen, 0); row < LINE_HEIGHT && row < bottom + pen; row++)
            ink[row] += fmax(fmin(row + 1, bottom + pen) - fmax(row, top - pen), 0) / SUBCOLUMNS;
    }
    if (gap)
        plot_fill(image, f->place.left + column, f->place.top, 1, LINE_HEIGHT, NOT_FINITE_BAND);
    for (int32_t row = 0; row < LINE_HEIGHT; row++)
        plot_blend(image, f->place.left + column, f->place.top + row, LINE, ink[row]);
}

static void draw_line(plot_image *image, const figure *f)
{
    for (int32_t column = 0; column < f->place.width; column++)
        draw_line_column(image, f, column);
    for (int64_t i = 0; f->pitch >= 5 * f->place.unit && i < f->a.shape[0]; i++) {
        double x = f->first + (double)i * f->pitch, y = height_at(f, (double)i);
        if (!isnan(y))
            plot_disc(image, f->place.left + x, f->place.top + y, 1.75 * f->place.unit, LINE);
    }
}

// cells: NULL for a line.
static bool draw(plot_image *image, const figure *f, const double *cells)
{
    const plot_place *p = &f->place;
    int32_t unit = p->unit, thick = unit / 2, off = (PLOT_TICK + PLOT_TEXT_GAP) * unit, bar = BAR_GAP + BAR_WIDTH;
    int32_t title = (int32_t)isg_min(plot_text_width(f->params.title, unit), TITLE_MOST), beside = 0;
    if (cells)
        beside = bar * unit + off + (int32_t)isg_max(f->bar.widest, f->legend.widest);
    for (int i = 0; !cells && i < f->bottom.count; i++)
        beside = (int32_t)fmax(beside, f->bottom.item[i].at + 0.5 * f->bottom.widest - p->width);
    int32_t width = (int32_t)isg_max(p->left + p->width + beside, title + MARGIN * unit) + MARGIN * unit;
    int32_t below = off + (PLOT_TEXT_HEIGHT + MARGIN) * unit;
    if (!plot_image_create(image, width, p->top + below + (cells ? f->bar_height : p->height)))
        return false;
    plot_title(image, p->left + 0.5 * p->width, MARGIN * unit, unit, DARK, f->params.title);
    draw_breaks(image, f);
    if (cells)
        draw_matrix(image, f, cells);
    else
        draw_line(image, f);
    plot_frame(image, p->left, p->top, p->width, p->height, thick, DARK);
    plot_draw_labels(image, &f->bottom, PLOT_BOTTOM, p->left, p->top + p->height + thick, !f->params.breaks, unit,
                     DARK);
    plot_draw_labels(image, &f->left, PLOT_LEFT, p->left - thick, p->top, !f->params.breaks, unit, DARK);
    return true;
}

isg_status plot_write(const char *path, const isg_array *a, const plot_params *params, isg_error *error)
{
    isg_error_clear(error);
    isg_status status = check(path, a, params, error);
    if (status != ISG_OK)
        return status;
    figure f;
    plot_image image = {0};
    plan(&f, a, params);
    double *cells = f.place.zoom > 0 ? reduce(&f) : NULL;
    plot_number_bar(&f.bar, f.range.low, f.range.high, f.bar_height, f.place.unit);
    if (f.range.gaps)
        plot_add_label(&f.legend, 0.5 * PLOT_TEXT_HEIGHT * f.place.unit, "not finite", f.place.unit);
    if ((f.place.zoom > 0 && !cells) || !draw(&image, &f, cells))
        status = isg_fail(error, ISG_ERR_MEMORY, "%s: no memory for the picture", path);
    else
        status = plot_image_save(&image, path, f.params.title, error);
    free(image.rgb);
    free(cells);
    return status;
}

isg_array plot_middle_plane(isg_array a)
{
    while (a.ndim > 2) {
        a.data = (char *)a.data + (size_t)(a.shape[0] / 2 * a.strides[0]) * isg_dtype_bytes(a.dtype);
        a.ndim--;
        memmove(a.shape, a.shape + 1, (size_t)a.ndim * sizeof *a.shape);
        memmove(a.strides, a.strides + 1, (size_t)a.ndim * sizeof *a.strides);
    }
    return a;
}
