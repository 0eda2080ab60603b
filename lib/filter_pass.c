#include "filter_pass.h"

#include "../cl/filter.h"

enum { NDIM = ISG_FILTER_MAX_NDIM };

static int64_t product(const int64_t *shape, int first, int last)
{
    int64_t n = 1;
    for (int a = first; a <= last; a++)
        n *= shape[a];
    return n;
}

// Which axes are filtered together. Two at most, the last two, where columns are close together in memory; an axis
// with much behind it is better filtered alone, in vectors of what is behind.
int isg_filter_passes(const isg_filter_plan *plan, const int64_t *shape, bool tiled, bool apart,
                      isg_filter_pass *passes)
{
    int count = 0;
    for (int i = 0; i < plan->count;) {
        bool narrow = product(shape, plan->axis[i].axis + 1, NDIM - 1) < 16;
        bool pair = tiled && i == plan->count - 2 && product(shape, plan->axis[i + 1].axis + 1, NDIM - 1) < 16;
        if (pair)
            passes[count++] = (isg_filter_pass){.v = i, .h = i + 1};
        else
            passes[count++] = narrow ? (isg_filter_pass){.v = -1, .h = i} : (isg_filter_pass){.v = i, .h = -1};
        i += pair ? 2 : 1;
    }
    // What is read must not have been written over.
    if (apart && count == 1)
        passes[count++] = (isg_filter_pass){.v = -1, .h = -1};
    return count;
}

// Whether axes [first, last] can be walked as one.
static bool merges(const int64_t *shape, const int64_t *strides, int first, int last)
{
    for (int a = first; a < last; a++)
        if (shape[a] != 1 && strides[a] != strides[a + 1] * shape[a + 1])
            return false;
    return true;
}

static void set_axis(isg_filter_layout *l, int as, int64_t count, int64_t in, int64_t out)
{
    l->count[as] = count;
    l->in[as] = in;
    l->out[as] = out;
}

isg_filter_layout isg_filter_layout_of(const isg_filter_plan *plan, const isg_filter_pass *pass, const int64_t *shape,
                                       const int64_t *in_strides, const int64_t *out_strides)
{
    enum { PLANE_0, PLANE_1, ROW, COL };
    isg_filter_layout l;
    int v = pass->v >= 0 ? plan->axis[pass->v].axis : -1, h = pass->h >= 0 ? plan->axis[pass->h].axis : -1;
    bool used[NDIM] = {false};
    for (int i = 0; i < 4; i++)
        set_axis(&l, i, 1, 0, 0);
    if (v >= 0 && h < 0) { // columns are all that is behind, where they lie side by side; something is, and much
        const int end = NDIM - 1;
        bool whole = merges(shape, in_strides, v + 1, end) && merges(shape, out_strides, v + 1, end) &&
                     product(shape, v + 1, end) < INT32_MAX / 4;
        const int col = whole ? v + 1 : end;
        set_axis(&l, COL, product(shape, col, end), in_strides[end], out_strides[end]);
        set_axis(&l, ROW, shape[v], in_strides[v], out_strides[v]);
        used[v] = true;
        for (int a = col; a <= end; a++)
            used[a] = true;
    } else {
        int col = h >= 0 ? h : NDIM - 1, row = v;
        set_axis(&l, COL, shape[col], in_strides[col], out_strides[col]);
        used[col] = true;
        bool whole = row < 0 && col > 0 && merges(shape, in_strides, 0, col - 1) &&
                     merges(shape, out_strides, 0, col - 1) && product(shape, 0, col - 1) < INT32_MAX / 4;
        if (whole) {
            set_axis(&l, ROW, product(shape, 0, col - 1), in_strides[col - 1], out_strides[col - 1]);
            for (int a = 0; a < col; a++)
                used[a] = true;
        } else {
            for (int a = 0; a < NDIM && v < 0; a++) // the longest
                if (!used[a] && (row < 0 || shape[a] > shape[row]))
                    row = a;
            set_axis(&l, ROW, shape[row], in_strides[row], out_strides[row]);
            used[row] = true;
        }
    }
    int plane = PLANE_0;
    for (int a = 0; a < NDIM; a++)
        if (!used[a] && shape[a] > 1)
            set_axis(&l, plane++, shape[a], in_strides[a], out_strides[a]);
    return l;
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

// Pieces of about equal length, none above `most`, all but the last of a multiple of `unit`.
static int64_t piece(int64_t n, int64_t most, int64_t unit)
{
    return isg_round_up(ceil_div(n, ceil_div(n, most)), unit);
}

// Tiles are so wide and high that what is read twice beside them, and filtered twice above, is little; and as wide as a
// few MiB allow, for memory is read fastest in long stretches.
isg_filter_tiling isg_filter_tiling_of(const isg_filter_plan *plan, const isg_filter_pass *pass,
                                       const isg_filter_layout *layout, int lanes)
{
    const int64_t radius_v = pass->v >= 0 ? plan->axis[pass->v].radius : 0;
    const int64_t radius_h = pass->h >= 0 ? plan->axis[pass->h].radius : 0;
    const bool vertical = pass->v >= 0, horizontal = !vertical || pass->h >= 0;
    const int64_t element = (int64_t)isg_dtype_bytes(plan->dtype);
    int64_t rows = layout->count[2], cols = layout->count[3];
    isg_filter_tiling t = {.high = (int)isg_max(8, lanes)};
    int64_t line = isg_max(64 / element, lanes);
    t.segmented = !vertical && rows * layout->count[0] * layout->count[1] < t.high;
    t.rows = t.segmented ? 1 : piece(rows, isg_max(128, isg_min(512, 4 * radius_v)), t.high);
    const int64_t wide = ((int64_t)4 << 20) / element / (t.rows + 2 * radius_v);
    t.cols = piece(cols, isg_max(isg_min(4096, wide), isg_max(1024, isg_min(2048, 8 * radius_h))), line);
    if (t.segmented)
        t.cols = piece(ceil_div(cols, t.high), 2048, line);
    t.down = ceil_div(rows, t.rows);
    t.across = ceil_div(cols, t.cols * (t.segmented ? t.high : 1));
    // Rows a line apart from a multiple of a page, lest they fall on each other in a cache.
    t.pitch = isg_round_up(isg_round_up(t.cols, line) + 2 * radius_h, line);
    t.pitch += t.pitch / line % 2 ? 0 : line;
    int64_t panel = (isg_round_up(t.segmented ? t.high : t.rows, t.high) + 2 * radius_v) * t.pitch;
    t.ready = isg_round_up(panel, 1024);
    t.turned = t.ready + isg_round_up((int64_t)t.high * FILTER_GROUP * line, 1024);
    t.room = isg_round_up(t.turned + (horizontal ? t.high * t.pitch : 0), 1024);
    return t;
}
