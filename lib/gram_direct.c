// The Gram matrix by subtracting first: packed panels, register tiles, launches that stay short. gram.c has checked its
// input.
#include "kernels.h"
#include "probe.h"
#include "program.h"
#include "shape.h"
#include "sides.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int32_t isg_gram_direct_lanes(const isg_gram *gram)
{
    return isg_shape_choose(&gram->context->device, gram->op.x.dtype, gram->op.x.dims, false).lanes;
}

// X's points for the rows of tiles, or Y's for their columns.
static isg_status pack_side(isg_gram *gram, bool rows, int64_t first, int64_t count, isg_shape s, int32_t lead)
{
    return isg_side_pack(gram, rows, first, count, rows ? isg_shape_row_panel(s) : isg_shape_col_panel(s),
                         rows ? isg_shape_row_tile(s) : isg_shape_col_tile(s), lead);
}

static isg_status get_kernel(isg_gram *gram, const isg_block *b, bool mirrored, bool stream, isg_shape s,
                             cl_kernel *kernel)
{
    isg_real_type type = {gram->op.x.dtype, isg_probe_fused(gram->context, gram->op.x.dtype), s.lanes};
    char options[ISG_LONGEST_OPTIONS];
    isg_text text = {options, sizeof options, 0};
    isg_gram_put_options(&text, gram);
    isg_put(&text,
            "-D ROWS=%d -D VECTORS=%d -D DOWN=%d -D ACROSS=%d -D GROUP_COLS=%d -D GROUP_ROWS=%d -D SYMMETRIC=%d -D "
            "STREAMED=%d -D HALVES=%d -D LOWER=%d -D UNROLL=%d",
            (int)s.rows, (int)s.vectors, (int)s.down, (int)s.across, (int)s.group_cols, (int)s.group_rows, mirrored,
            stream, b->dtype == ISG_F16, b->lower, (int)s.unroll);
    return isg_program_kernel(gram->context, kernel, "gram.cl", "gram", type, options);
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

// What one block's launches share.
typedef struct job {
    isg_gram *gram;
    cl_kernel kernel;
    isg_shape shape;
    bool mirrored;
    const isg_panels *cols;  // gram->cols, or gram->rows where they are the same
    double done, total;      // elements of K
    double pairs_per_second; // as measured so far; 0: not known
} job;

// A part of the block that one pair of panel sets and one output buffer cover, in indices relative to the panel sets.
typedef struct part {
    int64_t row_lo, row_hi, col_lo, col_hi;
    cl_mem k;
    int64_t origin, stride, below; // as gram.cl has them
} part;

// Elements above row r of a lower triangle.
static int64_t triangle(int64_t r)
{
    return r * (r + 1) / 2;
}

static isg_status report(job *j)
{
    const isg_gram *gram = j->gram;
    double of = gram->of > 0 ? gram->of : j->total;
    if (gram->progress && gram->progress(gram->progress_user, gram->before + j->done, of))
        return isg_fail(&gram->context->error, ISG_ERR_CANCELLED, "cancelled");
    return ISG_OK;
}

// Rows of the next launch: enough for about a fifth of a second, so that no watchdog bites and progress is seen.
static int64_t launch_rows(const job *j, int64_t cols)
{
    int64_t step = (int64_t)isg_shape_tall(j->shape) * j->shape.local_rows;
    const double seconds = 0.2, first_work = 0x1p28;
    double pairs =
        j->pairs_per_second > 0 ? seconds * j->pairs_per_second : first_work / (double)(j->gram->op.x.dims + 16);
    double rows = pairs / (double)cols;
    if (rows > 1e9)
        rows = 1e9;
    return isg_max((int64_t)rows / step, 1) * step;
}

// Launches the kernel over a part, in strips of rows and stretches of columns.
static isg_status launch_part(job *j, const part *p)
{
    isg_gram *gram = j->gram;
    isg_shape s = j->shape;
    // More work-items than this in one dimension make PoCL compile the kernel once more.
    const int64_t widest = (int64_t)(16384 / s.group_cols) * isg_shape_col_tile(s),
                  tallest = (int64_t)16384 * isg_shape_tall(s);
    int64_t rows;
    for (int64_t i = p->row_lo / isg_shape_row_tile(s) * isg_shape_row_tile(s); i < p->row_hi; i += rows) {
        int64_t first = j->mirrored ? i : p->col_lo;
        first = first / isg_shape_col_tile(s) * isg_shape_col_tile(s);
        rows = isg_min(launch_rows(j, isg_min(p->col_hi - first, widest)), tallest);
        rows = isg_min(rows, isg_round_up(p->row_hi - i, (int64_t)isg_shape_tall(s) * s.local_rows));
        for (int64_t c = first; c < p->col_hi; c += widest) {
            int64_t cols = isg_min(widest, p->col_hi - c);
            double start = isg_seconds();
            isg_status st = isg_run(
                gram->context, j->kernel,
                ISG_ARGS(arg_mem(gram->rows.mem), arg_mem(j->cols->mem), arg_mem(isg_side_data(gram, &gram->rows)),
                         arg_mem(isg_side_data(gram, j->cols)), arg_int(gram->rows.pitch), arg_int(j->cols->pitch),
                         arg_mem(gram->numbers), arg_mem(p->k), arg_long(p->origin), arg_long(p->stride),
                         arg_int(p->below), arg_int(i), arg_int(c), arg_int(p->row_lo), arg_int(p->row_hi),
                         arg_int(p->col_lo), arg_int(c + cols), arg_int(gram->op.x.dims)),
                (isg_range){{isg_round_up(cols, isg_shape_col_tile(s)) / (s.lanes * s.vectors * s.across),
                             rows / isg_shape_tall(s)},
                            {s.group_cols, s.local_rows}});
            if (st || (!gram->context->chain && (st = isg_finish(gram->context))))
                return st;
            if (gram->context->chain)
                continue; // nobody waits: no rate to measure, no progress to tell
            // Elements of the block that this launch gave; of what was mirrored, the launch computed about half.
            int64_t row_end = isg_min(i + rows, p->row_hi), col_end = c + cols;
            double given = (double)(row_end - isg_max(i, p->row_lo)) * (double)(col_end - isg_max(c, p->col_lo));
            if (j->mirrored) {
                double below = (double)(p->row_hi - row_end);
                given = c + cols < p->col_hi ? 0 : j->total - below * below - j->done;
            }
            j->pairs_per_second = (double)rows * (double)cols / (isg_seconds() - start + 1e-9);
            gram->pairs_per_second = fmax(gram->pairs_per_second, j->pairs_per_second);
            j->done += given;
            if ((st = report(j)))
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
static isg_status compute_packed(job *j, const isg_block *b)
{
    isg_gram *gram = j->gram;
    isg_context *context = gram->context;
    isg_status st = ISG_OK;
    int64_t element = (int64_t)isg_dtype_bytes(b->dtype);
    int64_t stride = context->zero_copy || b->mem ? b->stride : b->cols;
    int64_t step = b->mem ? b->rows : rows_per_buffer(gram, b, stride);
    // From an index in the panels to one in K.
    int64_t row_shift = gram->rows.first - gram->rows.lead, col_shift = j->cols->first - j->cols->lead;
    part p = {.stride = b->lower ? row_shift : stride,
              .below = row_shift - col_shift,
              .col_lo = b->col - col_shift,
              .col_hi = b->col - col_shift + b->cols};
    for (int64_t at = 0; at < b->rows; at += step) {
        int64_t rows = isg_min(step, b->rows - at), first = b->lower ? triangle(b->row + at) : at * b->stride;
        int64_t count = b->lower ? triangle(b->row + at + rows) - first : (rows - 1) * stride + b->cols;
        char *host = (char *)b->data + first * element;
        p.row_lo = b->row + at - row_shift;
        p.row_hi = p.row_lo + rows;
        p.origin = b->lower ? col_shift - first : -p.row_lo * stride - p.col_lo;
        if (b->mem) {
            p.k = b->mem;
            p.origin += b->offset + (b->lower ? first : 0);
            return launch_part(j, &p);
        }
        // What other panel sets have written of a triangle's rows must stay.
        TRY(isg_buffer_of_host(context, &p.k, CL_MEM_READ_WRITE, host, count * element, b->lower && b->col > 0));
        TRY(launch_part(j, &p));
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
bool isg_gram_direct_mirrors(const isg_gram *gram, const isg_block *b)
{
    return (b->row + b->rows - 1) / isg_points_per_set(gram) == 0 && mirror_pays(gram, b);
}

isg_status isg_gram_direct_block(isg_gram *gram, isg_block b)
{
    isg_status st;
    job j = {.gram = gram, .pairs_per_second = gram->pairs_per_second};
    int64_t set = isg_points_per_set(gram);
    int64_t last_row = (b.row + b.rows - 1) / set, last_col = (b.col + b.cols - 1) / set;
    int64_t element = (int64_t)isg_dtype_bytes(b.dtype);
    j.mirrored = isg_gram_direct_mirrors(gram, &b);
    j.shape = isg_shape_choose(&gram->context->device, gram->op.x.dtype, gram->op.x.dims, j.mirrored);
    // Of a triangle, launches count with the half of their squares that they skip.
    j.total = (double)b.rows * (double)b.cols;
    int32_t lead;
    bool stream = stream_pays(gram, &b, j.shape, &lead);
    // Mirrored tiles must meet at the diagonal: rows are shifted as columns are.
    int32_t row_lead = j.mirrored ? lead : 0;
    TRY(get_kernel(gram, &b, j.mirrored, stream, j.shape, &j.kernel));
    TRY(isg_gram_upload_numbers(gram));
    for (int64_t r = b.row / set; r <= last_row; r++) {
        TRY(pack_side(gram, true, r * set, isg_min(set, gram->op.x.count - r * set), j.shape, row_lead));
        for (int64_t c = b.col / set; c <= (b.lower ? r : last_col); c++) {
            bool shared = gram->op.symmetric && r == c && row_lead == lead &&
                          isg_shape_row_panel(j.shape) == isg_shape_col_panel(j.shape) &&
                          isg_shape_row_tile(j.shape) == isg_shape_col_tile(j.shape);
            j.cols = shared ? &gram->rows : &gram->cols;
            if (!shared)
                TRY(pack_side(gram, false, c * set, isg_min(set, gram->op.y.count - c * set), j.shape, lead));
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
            TRY(compute_packed(&j, &q));
        }
        if (b.lower) // the sets above the diagonal
            j.done += (double)isg_min(set, b.rows - r * set) * (double)isg_max(b.cols - (r + 1) * set, 0);
    }
fail:
    return st;
}

isg_status isg_gram_direct_diagonal(isg_gram *gram, int64_t count, void *out)
{
    isg_status st;
    isg_context *context = gram->context;
    isg_shape s = isg_shape_choose(&context->device, gram->op.x.dtype, gram->op.x.dims, false);
    cl_kernel kernel;
    cl_mem k = NULL;
    int64_t element = (int64_t)isg_dtype_bytes(gram->op.x.dtype);
    isg_real_type type = {gram->op.x.dtype, isg_probe_fused(context, gram->op.x.dtype), 1};
    char options[ISG_LONGEST_OPTIONS];
    isg_text text = {options, sizeof options, 0};
    int64_t set = isg_points_per_set(gram);
    isg_gram_put_options(&text, gram);
    isg_put(&text, "-D ROW_PANEL=%d -D COL_PANEL=%d", (int)isg_shape_row_panel(s), (int)isg_shape_col_panel(s));
    TRY(isg_gram_upload_numbers(gram));
    TRY(isg_program_kernel(context, &kernel, "diagonal.cl", "diagonal", type, options));
    int64_t step = isg_min(set, 1 << 20);
    for (int64_t at = 0; at < count; at += step) {
        int64_t first = at / set * set, rows = isg_min(step, isg_min(count, first + set) - at);
        TRY(pack_side(gram, true, first, isg_min(set, gram->op.x.count - first), s, 0));
        TRY(pack_side(gram, false, first, isg_min(set, gram->op.y.count - first), s, 0));
        TRY(isg_buffer_of_host(context, &k, CL_MEM_READ_WRITE, (char *)out + at * element, rows * element, false));
        TRY(isg_run(context, kernel,
                    ISG_ARGS(arg_mem(gram->rows.mem), arg_mem(gram->cols.mem),
                             arg_mem(isg_side_data(gram, &gram->rows)), arg_mem(isg_side_data(gram, &gram->cols)),
                             arg_int(gram->rows.pitch), arg_int(gram->cols.pitch), arg_mem(gram->numbers), arg_mem(k),
                             arg_int(at - first), arg_int(at - first + rows), arg_int(gram->op.x.dims)),
                    (isg_range){{rows, 1}, {16, 1}}));
        TRY(isg_buffer_to_host(context, k, (char *)out + at * element, rows * element));
        isg_buffer_free(&k);
    }
fail:
    isg_buffer_free(&k);
    return st;
}
