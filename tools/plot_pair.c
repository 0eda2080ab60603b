#include "plot_pair.h"

#include "base.h"
#include "plot.h"

#include <math.h>
#include <stdlib.h>

enum {
    SIDE_LEAST = 240, // pixels that the longer side of a small image is magnified to
    SIDE_MOST = 1200, // a larger one is shown by the means of blocks
    MARGIN = 12,      // pixels
    GAP = 16,
    UNIT = 2, // pixels of a dot of text
    CHEQUER = 8,
};
enum { DARK = 0x262626, NOT_FINITE = 0xb4b4b4, LIGHT_SQUARE = 255, DARK_SQUARE = 217 };

// How an image becomes pixels.
typedef struct view {
    double low, high; // the colours that are black and white
    double opaque;    // the alpha that is
    int64_t block;    // elements along each side of a cell
    int32_t zoom;     // pixels along each side of a cell
    int32_t width, height;
} view;

static int64_t channels_of(const isg_array *a)
{
    return a->ndim == 3 ? a->shape[2] : 1;
}

static double at(const isg_array *a, int64_t i, int64_t j, int64_t channel)
{
    int64_t index = i * a->strides[0] + j * a->strides[1] + (a->ndim == 3 ? channel * a->strides[2] : 0);
    return isg_load_double(a->dtype, a->data, index);
}

static void see(const isg_array *a, double *low, double *high)
{
    int64_t channels = channels_of(a), colours = channels - (channels % 2 == 0);
    for (int64_t i = 0; i < a->shape[0]; i++)
        for (int64_t j = 0; j < a->shape[1]; j++)
            for (int64_t c = 0; c < colours; c++) {
                double value = at(a, i, j, c);
                if (isfinite(value)) {
                    *low = fmin(*low, value);
                    *high = fmax(*high, value);
                }
            }
}

// The colours that are black and white: 0 and `white`, or of floating-point numbers the least and the greatest. What
// lies beyond those of `like` has its own.
static void scale(const isg_array *a, uint32_t white, const view *like, view *v)
{
    double low = INFINITY, high = -INFINITY;
    v->low = like ? like->low : 0;
    v->high = like ? like->high : white;
    if (like || !white)
        see(a, &low, &high);
    if (low < v->low || high > v->high || (!like && !white)) {
        v->low = low;
        v->high = high;
    }
}

static void plan(const isg_array *before, const isg_array *after, uint32_t white, view views[2])
{
    view v = {.opaque = white ? white : 1};
    int64_t longer = isg_max(before->shape[0], before->shape[1]);
    v.block = (longer + SIDE_MOST - 1) / SIDE_MOST;
    v.zoom = (int32_t)isg_max((SIDE_LEAST + longer - 1) / longer, 1);
    v.width = (int32_t)((before->shape[1] + v.block - 1) / v.block) * v.zoom;
    v.height = (int32_t)((before->shape[0] + v.block - 1) / v.block) * v.zoom;
    views[0] = views[1] = v;
    scale(before, white, NULL, &views[0]);
    scale(after, white, &views[0], &views[1]);
}

// The mean of a block's colour and alpha, each within [0, 1]; NAN over anything that is not finite.
static void cell_of(const isg_array *a, const view *v, int64_t row, int64_t column, double rgba[4])
{
    int64_t channels = channels_of(a), colours = channels > 2 ? 3 : 1, count = 0;
    double sums[4] = {0};
    for (int64_t i = row * v->block; i < isg_min((row + 1) * v->block, a->shape[0]); i++)
        for (int64_t j = column * v->block; j < isg_min((column + 1) * v->block, a->shape[1]); j++, count++) {
            double alpha = channels % 2 == 0 ? fmax(0, fmin(at(a, i, j, channels - 1) / v->opaque, 1)) : 1;
            sums[3] += alpha;
            for (int64_t c = 0; c < colours; c++) {
                double value = at(a, i, j, c);
                value = isfinite(value) ? plot_fraction(v->low, v->high, value) : NAN;
                sums[c] += alpha * (isnan(value) ? NAN : fmax(0, fmin(value, 1)));
            }
        }
    for (int c = 0; c < 3; c++)
        rgba[c] = sums[colours > 1 ? c : 0] / (double)count;
    rgba[3] = sums[3] / (double)count;
}

static void draw(plot_image *sheet, const isg_array *a, const view *v, int32_t left, int32_t top)
{
    for (int32_t row = 0; row < v->height / v->zoom; row++)
        for (int32_t column = 0; column < v->width / v->zoom; column++) {
            double rgba[4];
            int32_t x = column * v->zoom, y = row * v->zoom;
            cell_of(a, v, row, column, rgba);
            double ground = (x / CHEQUER + y / CHEQUER) % 2 ? DARK_SQUARE : LIGHT_SQUARE;
            uint32_t colour = 0;
            for (int c = 0; c < 3; c++)
                colour = colour << 8 | (uint32_t)lround(isnan(rgba[c]) ? 0 : 255 * rgba[c] + (1 - rgba[3]) * ground);
            bool finite = !isnan(rgba[0]) && !isnan(rgba[1]) && !isnan(rgba[2]);
            plot_fill(sheet, left + x, top + y, v->zoom, v->zoom, finite ? colour : NOT_FINITE);
        }
    plot_frame(sheet, left, top, v->width, v->height, 1, DARK);
}

isg_status plot_pair(const char *path, const isg_array *before, const isg_array *after, uint32_t white,
                     isg_error *error)
{
    int64_t channels = channels_of(before);
    if (before->ndim < 2 || before->ndim > 3 || channels < 1 || channels > 4)
        return isg_fail(error, ISG_ERR_SHAPE, "%s: only images of 1 to 4 channels have a picture as such", path);
    view views[2], *v = views;
    plan(before, after, white, views);
    plot_image sheet;
    int32_t top = MARGIN + PLOT_TEXT_HEIGHT * UNIT + MARGIN / 2, right = MARGIN + v->width + GAP;
    if (!plot_image_create(&sheet, right + v->width + MARGIN, top + v->height + MARGIN))
        return isg_fail(error, ISG_ERR_MEMORY, "%s: no memory for the picture", path);
    double y = MARGIN + 0.5 * PLOT_TEXT_HEIGHT * UNIT;
    plot_text(&sheet, MARGIN + 0.5 * v->width, y, PLOT_CENTRE, UNIT, DARK, "before");
    plot_text(&sheet, right + 0.5 * v->width, y, PLOT_CENTRE, UNIT, DARK, "after");
    draw(&sheet, before, &views[0], MARGIN, top);
    draw(&sheet, after, &views[1], right, top);
    isg_status status = plot_image_save(&sheet, path, NULL, error);
    free(sheet.rgb);
    return status;
}
