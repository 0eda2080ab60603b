// Plots: a matrix as a picture whose pixels are its elements, a vector as a line, each in a PNG file.
//
// plot.c owns what is drawn and where; plot_png.c owns the sheet: image, text, labelled axes and the file. Neither
// knows how the numbers came to be, nor anything of command lines and devices.
#ifndef ISG_TOOLS_PLOT_H
#define ISG_TOOLS_PLOT_H

#include <isogram/base.h>

#include <stdbool.h>

typedef struct plot_params {
    const char *title;     // one line above the picture; NULL: none
    double x_from, x_to;   // coordinates of the first and last column's centres; both 0: indices
    double y_from, y_to;   // the same for rows
    const int64_t *order;  // NULL, or a permutation for a square matrix: shown[i][j] = a[order[i]][order[j]]
    const int64_t *breaks; // NULL, or break_count ascending positions in the shown square matrix, the first of each
                           // class; marked on both axes, outside the data, in place of numbers
    int64_t break_count;
    const char *const *break_labels; // NULL (the positions), or break_count names: name k is centred between break k
                                     // and the next one, or the end
} plot_params;

// Where the data is in the picture. A cell is the square of pixels that shows one element, or the mean of a block.
typedef struct plot_place {
    int32_t left, top;     // the first pixel of the data rectangle
    int32_t width, height; // its pixels
    int32_t zoom;          // pixels along each side of a cell; 0: a line, which has no cells
    int32_t unit;          // pixels of one dot of the text
    int64_t block;         // elements along each side of a cell; above 1 for large matrices only
} plot_place;

// Element (i, j) as shown covers the pixels [left + j / block * zoom, + zoom) x [top + i / block * zoom, + zoom).
// a, params: as plot_write accepts them.
void plot_layout(const isg_array *a, const plot_params *params, plot_place *place);

// Draws `a` into a PNG file, written beside `path` and renamed, so that a failure leaves nothing behind.
// a: float32 or float64 with any strides. Two dimensions: colours from the least to the greatest finite element, row 0
// at the top. One dimension, or a single row or column: a line over the index or coordinate.
// Elements that are not finite are grey, and so is a mean over any of them.
// params: may be NULL. Fails with ISG_ERR_ARGUMENT, ISG_ERR_SHAPE, ISG_ERR_DTYPE, ISG_ERR_MEMORY or ISG_ERR_IO.
isg_status plot_write(const char *path, const isg_array *a, const plot_params *params, isg_error *error);

// ---- The sheet that plots are drawn on. Colours are 0xRRGGBB; what leaves the sheet is clipped. ----

typedef struct plot_image {
    int32_t width, height;
    uint8_t *rgb; // row-major, 3 bytes a pixel; free() it
} plot_image;

typedef enum plot_anchor { PLOT_START, PLOT_CENTRE, PLOT_END } plot_anchor;

// A white sheet; false when memory is out.
bool plot_image_create(plot_image *image, int32_t width, int32_t height);

void plot_fill(plot_image *image, int32_t x, int32_t y, int32_t width, int32_t height, uint32_t colour);

// coverage: 0 leaves the pixel, 1 replaces it.
void plot_blend(plot_image *image, int32_t x, int32_t y, uint32_t colour, double coverage);

// Pixels of a line of UTF-8 text, which may be NULL. unit: pixels of one dot of the font.
int32_t plot_text_width(const char *text, int32_t unit);

// Capitals are centred on the horizontal line y; x is where the text starts, ends or has its middle.
void plot_text(plot_image *image, double x, double y, plot_anchor anchor, int32_t unit, uint32_t colour,
               const char *text);

// The outline around the pixels of a rectangle.
void plot_frame(plot_image *image, int32_t x, int32_t y, int32_t width, int32_t height, int32_t thick, uint32_t colour);

void plot_disc(plot_image *image, double x, double y, double radius, uint32_t colour);

// text: may be NULL; a line around `centre`, `margin` pixels below the top, moved and if need be shortened to keep
// that margin on both sides.
void plot_title(plot_image *image, double centre, int32_t margin, int32_t unit, uint32_t colour, const char *text);

typedef enum plot_side { PLOT_BOTTOM, PLOT_LEFT, PLOT_RIGHT } plot_side;

// Numbers along an axis. step: between ticks; 0: a single number, or none that fits.
typedef struct plot_scale {
    double from, to; // in either order
    double step;
    int decimals;    // of the step; below 0 for tens, hundreds, …
    bool scientific; // 2e-5 instead of 0.00002
} plot_scale;

enum {
    PLOT_LABELS_MOST = 512, // along one axis; a label takes more than 5 of some 2000 pixels
    PLOT_LABEL_BYTES = 48,
    // In dots of the text:
    PLOT_TICK = 3,
    PLOT_TEXT_GAP = 3,
    PLOT_TEXT_HEIGHT = 7,
};

typedef struct plot_labels {
    int count;
    int32_t widest; // pixels
    struct {
        double at; // pixels from the start of the axis
        char text[PLOT_LABEL_BYTES];
    } item[PLOT_LABELS_MOST];
} plot_labels;

// Where a value lies between two others, 0 … 1; one half when they are equal. No difference of doubles overflows.
double plot_fraction(double from, double to, double value);

// Fills in the scale's step and the labels: as many round numbers (1, 2 or 5 times a power of ten) as stay apart.
// first: the pixel of s->from; pixels: from there to s->to. least: the smallest step.
void plot_number_axis(plot_labels *set, plot_scale *s, double first, double pixels, plot_side side, double least,
                      int32_t unit);

// For a bar with the greatest value on top: both ends to four digits, and round numbers where these leave room.
// Adds nothing when low > high.
void plot_number_bar(plot_labels *set, double low, double high, double height, int32_t unit);

// extra: digits beyond those of the step, shown only where they are not 0.
void plot_number_text(const plot_scale *s, double value, int extra, char text[PLOT_LABEL_BYTES]);

void plot_add_label(plot_labels *set, double at, const char *text, int32_t unit);

// (x, y): the start of the axis. ticks: with a mark at each label.
void plot_draw_labels(plot_image *image, const plot_labels *set, plot_side side, int32_t x, int32_t y, bool ticks,
                      int32_t unit, uint32_t colour);

// 8-bit RGB with the chunks sRGB, Software and, unless NULL, Title. A path that names a device or pipe is written to
// directly, since renaming would replace it. ISG_ERR_IO: the message begins with the path.
isg_status plot_image_save(const plot_image *image, const char *path, const char *title, isg_error *error);

// The last two axes of an array of more, in the middle of the others.
isg_array plot_middle_plane(isg_array a);

#endif
