// A block of K in launches that stay short: packed panels, register tiles, strips of memory. gram.c has checked its
// input.
#include "tiles.h"
#include "cl.h"
#include "kernels.h"
#include "probe.h"

#include <math.h>

enum { COMMON_ARGS = 18 }; // of gram.cl's kernel

isg_status isg_tiles_pack(isg_gram *gram, bool rows, int64_t first, int64_t count, isg_shape s, int32_t lead)
{
    return isg_side_pack(gram, rows, first, count, rows ? isg_shape_row_panel(s) : isg_shape_col_panel(s),
                         rows ? isg_shape_row_tile(s) : isg_shape_col_tile(s), lead);
}

static isg_status get_kernel(isg_tiles *t, const isg_block *b, bool stream)
{
    isg_gram *gram = t->gram;
    isg_shape s = t->shape;
    isg_real_type type = {gram->op.x.dtype, isg_probe_fused(gram->context, gram->op.x.dtype), s.lanes};
    char options[ISG_LONGEST_OPTIONS];
    isg_text text = {options, sizeof options, 0};
    isg_gram_put_options(&text, gram);
    isg_put(&text,
            "-D ROWS=%d -D VECTORS=%d -D DOWN=%d -D ACROSS=%d -D GROUP_COLS=%d -D GROUP_ROWS=%d -D SYMMETRIC=%d -D "
            "STREAMED=%d -D HALVES=%d -D LOWER=%d -D UNROLL=%d%s",
            (int)s.rows, (int)s.vectors, (int)s.down, (int)s.across, (int)s.group_cols, (int)s.group_rows, t->mirrored,
            stream, b->dtype == ISG_F16, b->lower, (int)s.unroll, t->options);
    return isg_program_kernel(gram->context, &t->kernel, "gram.cl", "gram", type, options);
}

// Mirroring saves arithmetic and writes less smoothly; in single precision writing dominates few coordinates. Where the
// crossover lies: docs/performance.md.
static bool mirror_pays(const isg_gram *gram, const isg_block *b)
{
    const isg_context *context = gram->context;
    bool whole =
        gram->op.symmetric && b->row == 0 && b->col == 0 && b->rows == gram->op.x.count && b->cols == gram->op.x.count;
    int64_t bytes = ((b->rows - 1) * b->stride + b->cols) * (int64_t)isg_dtype_bytes(b->dtype);
    // One buffer has to hold both halves.
    bool one = b->mem || (context->zero_copy && bytes <= context->max_alloc_bytes);
    return whole && !b->lower && one && gram->op.x.dims >= isg_shape_least_mirrored(&context->device, gram->op.x.dtype);
}

// Writing past the caches saves a CPU reading each line first, which halves the time of what is bound by memory, for a
// K that is too large for the caches to be of use; GPUs write whole vectors at once. It needs tiles that begin at
// multiples of a vector in memory. Rows may: then the first tile begins `lead` columns in front of K, and the columns'
// panels with as many empty places.
static bool stream_pays(const isg_gram *gram, const isg_block *b, isg_shape s, int32_t *lead)
{
    const isg_context *context = gram->context;
    int64_t element = (int64_t)isg_dtype_bytes(gram->op.x.dtype);
    bool staged = !context->zero_copy && !b->mem, cpu = context->device.device_class == ISG_DEVICE_CPU;
    // A staging buffer holds the block's rows one behind the other.
    uint64_t address = staged ? 0 : b->address;
    int64_t stride = staged ? b->cols : b->stride;
    *lead = 0;
    if (s.lanes == 1 || b->dtype == ISG_F16 || b->lower || stride % s.lanes != 0 || address % (uint64_t)element != 0 ||
        (cpu && b->rows * b->cols * element <= (int64_t)4 << 20))
        return false;
    // At cache lines even, where the rows allow it.
    const int64_t line = 64 / element, unit = stride % line == 0 && line > s.lanes ? line : s.lanes;
    int64_t past = (int64_t)(address / (uint64_t)element % (uint64_t)unit) - b->col % unit;
    *lead = (int32_t)(past < 0 ? past + unit : past);
    return true;
}

// Elements above row r of a lower triangle.
static int64_t triangle(int64_t r)
{
    return r * (r + 1) / 2;
}

static isg_status report(isg_tiles *t)
{
    const isg_gram *gram = t->gram;
    double of = gram->of > 0 ? gram->of : t->total;
    if (isg_context_ask(gram->context, gram->progress, gram->progress_user, gram->before + t->done, of))
        return isg_fail(&gram->context->error, ISG_ERR_CANCELLED, "cancelled");
    return ISG_OK;
}

// Rows of the next launch: enough for about a fifth of a second, so that no watchdog bites and progress is seen.
static int64_t launch_rows(const isg_tiles *t, int64_t cols)
{
    int64_t step = (int64_t)isg_shape_tall(t->shape) * t->shape.local_rows;
    const double seconds = 0.2, first_work = 0x1p28;
    double pairs =
        t->pairs_per_second > 0 ? seconds * t->pairs_per_second : first_work / (double)(t->gram->op.x.dims + 16);
    double rows = pairs / (double)cols;
    if (rows > 1e9)
        rows = 1e9;
    return isg_max((int64_t)rows / step, 1) * step;
}

// Launches the kernel over a part, in strips of rows and stretches of columns.
isg_status isg_tiles_launch(isg_tiles *t, const isg_part *p)
{
    isg_gram *gram = t->gram;
    isg_shape s = t->shape;
    // More work-items than this in one dimension make PoCL compile the kernel once more.
    const int64_t widest = (int64_t)(16384 / s.group_cols) * isg_shape_col_tile(s),
                  tallest = (int64_t)16384 * isg_shape_tall(s);
    int64_t rows;
    for (int64_t i = p->row_lo / isg_shape_row_tile(s) * isg_shape_row_tile(s); i < p->row_hi; i += rows) {
        int64_t first = t->mirrored ? i : p->col_lo;
        first = first / isg_shape_col_tile(s) * isg_shape_col_tile(s);
        rows = isg_min(launch_rows(t, isg_min(p->col_hi - first, widest)), tallest);
        rows = isg_min(rows, isg_round_up(p->row_hi - i, (int64_t)isg_shape_tall(s) * s.local_rows));
        for (int64_t c = first; c < p->col_hi; c += widest) {
            int64_t cols = isg_min(widest, p->col_hi - c);
            double start = isg_seconds();
            isg_arg args[COMMON_ARGS + ISG_MORE_ARGS] = {arg_mem(gram->rows.mem),
                                                         arg_mem(t->cols->mem),
                                                         arg_mem(isg_side_data(gram, &gram->rows)),
                                                         arg_mem(isg_side_data(gram, t->cols)),
                                                         arg_int(gram->rows.pitch),
                                                         arg_int(t->cols->pitch),
                                                         arg_mem(gram->numbers),
                                                         arg_mem(p->k),
                                                         arg_long(p->origin),
                                                         arg_long(p->stride),
                                                         arg_int(p->below),
                                                         arg_int(i),
                                                         arg_int(c),
                                                         arg_int(p->row_lo),
                                                         arg_int(p->row_hi),
                                                         arg_int(p->col_lo),
                                                         arg_int(c + cols),
                                                         arg_int(gram->op.x.dims)};
            for (int a = 0; a < t->more_count; a++)
                args[COMMON_ARGS + a] = t->more[a];
            isg_status st = isg_run(
                gram->context, t->kernel, args, COMMON_ARGS + t->more_count,
                (isg_range){{isg_round_up(cols, isg_shape_col_tile(s)) / ((int64_t)s.lanes * s.vectors * s.across),
                             rows / isg_shape_tall(s)},
                            {s.group_cols, s.local_rows}});
            if (st || (!gram->context->chain && (st = isg_finish(gram->context))))
                return st;
            if (gram->context->chain)
                continue; // nobody waits: no rate to measure, no progress to tell
            // Elements of the block that this launch gave; of what was mirrored, the launch computed about half.
            int64_t row_end = isg_min(i + rows, p->row_hi), col_end = c + cols;
            double given = (double)(row_end - isg_max(i, p->row_lo)) * (double)(col_end - isg_max(c, p->col_lo));
            if (t->mirrored) {
                double below = (double)(p->col_hi - row_end); // the square ends where its columns do
                given = c + cols < p->col_hi ? 0 : t->total - below * below - t->done;
            }
            t->pairs_per_second = (double)rows * (double)cols / (isg_seconds() - start + 1e-9);
            gram->pairs_per_second = fmax(gram->pairs_per_second, t->pairs_per_second);
            t->done += given;
            if ((st = report(t)))
                return st;
        }
    }
    return ISG_OK;
}

// Rows of a block that one output buffer may hold.
static int64_t rows_per_buffer(const isg_gram *gram, const isg_block *b, int64_t stride)
{
    int64_t element = (int64_t)isg_dtype_bytes(b->dtype);
    int64_t limit = gram->context->max_alloc_bytes;
    if (!gram->context->zero_copy) // a staging buffer; larger ones gain nothing
        limit = isg_min(limit, (int64_t)256 << 20);
    int64_t rows = b->lower ? limit / element / (b->row + b->rows) : (limit / element - b->cols) / stride + 1;
    return isg_min(isg_max(rows, 1), b->rows);
}

// Computes a block whose points are packed, straight into host memory or a caller's buffer, or through a staging
// buffer.
static isg_status compute_packed(isg_tiles *t, const isg_block *b)
{
    isg_gram *gram = t->gram;
    isg_context *context = gram->context;
    isg_status st = ISG_OK;
    int64_t element = (int64_t)isg_dtype_bytes(b->dtype);
    int64_t stride = context->zero_copy || b->mem ? b->stride : b->cols;
    int64_t step = b->mem ? b->rows : rows_per_buffer(gram, b, stride);
    // From an index in the panels to one in K.
    int64_t row_shift = gram->rows.first - gram->rows.lead, col_shift = t->cols->first - t->cols->lead;
    isg_part p = {.stride = b->lower ? row_shift : stride,
                  .below = row_shift - col_shift,
                  .col_lo = b->col - col_shift,
                  .col_hi = b->col - col_shift + b->cols};
    for (int64_t at = 0; at < b->rows; at += step) {
        int64_t rows = isg_min(step, b->rows - at), first = b->lower ? triangle(b->row + at) : at * b->stride;
        int64_t count = b->lower ? triangle(b->row + at + rows) - first : (rows - 1) * stride + b->cols;
        p.row_lo = b->row + at - row_shift;
        p.row_hi = p.row_lo + rows;
        p.origin = b->lower ? col_shift - first : -p.row_lo * stride - p.col_lo;
        if (b->mem) {
            p.k = b->mem;
            p.origin += b->offset + (b->lower ? first : 0);
            return t->launch(t, &p);
        }
        char *host = (char *)b->data + first * element;
        // What other panel sets have written of a triangle's rows must stay.
        TRY(isg_buffer_of_host(context, &p.k, CL_MEM_READ_WRITE, host, count * element, b->lower && b->col > 0));
        TRY(t->launch(t, &p));
        if (context->zero_copy || b->lower || b->stride == b->cols) {
            TRY(isg_buffer_to_host(context, p.k, host, count * element));
        } else {
            const size_t zero[3] = {0, 0, 0};
            const size_t region[3] = {(size_t)(b->cols * element), (size_t)rows, 1};
            CL_TRY(context,
                   clEnqueueReadBufferRect(context->queue, p.k, CL_TRUE, zero, zero, region, (size_t)(stride * element),
                                           0, (size_t)(b->stride * element), 0, host, 0, NULL, NULL));
        }
        isg_buffer_free(&p.k);
    }
    return ISG_OK;
fail:
    isg_buffer_free(&p.k);
    return st;
}

// Mirrored tiles lie in one panel set.
bool isg_tiles_mirror(const isg_gram *gram, const isg_block *b)
{
    return (b->row + b->rows - 1) / isg_points_per_set(gram) == 0 && mirror_pays(gram, b);
}

isg_status isg_tiles_compute(isg_tiles *t, isg_block b)
{
    isg_status st;
    isg_gram *gram = t->gram;
    int64_t set = isg_points_per_set(gram);
    int64_t last_row = (b.row + b.rows - 1) / set, last_col = (b.col + b.cols - 1) / set;
    int64_t element = (int64_t)isg_dtype_bytes(b.dtype);
    t->pairs_per_second = gram->pairs_per_second;
    t->mirrored = isg_tiles_mirror(gram, &b);
    t->shape = isg_shape_choose(&gram->context->device, gram->op.x.dtype, gram->op.x.dims, t->mirrored);
    // Of a triangle, launches count with the half of their squares that they skip.
    t->total = (double)b.rows * (double)b.cols;
    int32_t lead;
    bool stream = stream_pays(gram, &b, t->shape, &lead);
    // Mirrored tiles must meet at the diagonal: rows are shifted as columns are.
    int32_t row_lead = t->mirrored ? lead : 0;
    TRY(get_kernel(t, &b, stream));
    TRY(isg_gram_upload_numbers(gram));
    for (int64_t r = b.row / set; r <= last_row; r++) {
        TRY(isg_tiles_pack(gram, true, r * set, isg_min(set, gram->op.x.count - r * set), t->shape, row_lead));
        for (int64_t c = b.col / set; c <= (b.lower ? r : last_col); c++) {
            bool shared = gram->op.symmetric && r == c && row_lead == lead &&
                          isg_shape_row_panel(t->shape) == isg_shape_col_panel(t->shape) &&
                          isg_shape_row_tile(t->shape) == isg_shape_col_tile(t->shape);
            t->cols = shared ? &gram->rows : &gram->cols;
            if (!shared)
                TRY(isg_tiles_pack(gram, false, c * set, isg_min(set, gram->op.y.count - c * set), t->shape, lead));
            isg_block q = b;
            q.row = isg_max(b.row, r * set);
            q.col = isg_max(b.col, c * set);
            q.rows = isg_min(b.row + b.rows, (r + 1) * set) - q.row;
            q.cols = isg_min(b.col + b.cols, (c + 1) * set) - q.col;
            int64_t past = b.lower ? 0 : (q.row - b.row) * b.stride + (q.col - b.col);
            if (b.mem)
                q.offset += past;
            else
                q.data = (char *)b.data + past * element;
            TRY(compute_packed(t, &q));
        }
        if (b.lower) // the sets above the diagonal
            t->done += (double)isg_min(set, b.rows - r * set) * (double)isg_max(b.cols - (r + 1) * set, 0);
    }
fail:
    return st;
}
