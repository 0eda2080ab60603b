// Arrays larger than the device's memory, block by block. On devices with memory of their own the next block goes
// there, and the last one comes back, while one is computed.
#include "buffer.h"
#include "filter.h"
#include "filter_block.h"
#include "filter_kept.h"

#include <stdlib.h>
#include <string.h>

enum { NDIM = ISG_FILTER_MAX_NDIM, IN, MASK, OUT, ARRAYS };

// A block on its way, and the memory that it takes on both sides.
typedef struct slot {
    isg_filter_span spans[NDIM];
    int64_t begin[NDIM], count[NDIM]; // of the output that is to come back
    void *staging[ARRAYS];
    cl_mem pinned[ARRAYS]; // what staging is mapped from, on devices with memory of their own
    cl_mem mem[ARRAYS];
    cl_event sent[2], received; // of transfers under way
} slot;

typedef struct slabs {
    isg_filter_job *job;
    isg_context *context;
    cl_command_queue transfers; // of devices with memory of their own, else NULL
    int64_t counts[NDIM], blocks[NDIM], total;
    int nest[NDIM];        // the order in which axes are walked: the last is the fastest
    int64_t bytes[ARRAYS]; // of an element; 0: no mask
    int64_t room[ARRAYS];  // elements of the largest block
    slot slots[2];
    int slot_count;
    bool large;
    // In place, along the first axis of the nest that is filtered and cut:
    int axis;             // -1: none
    bool nested;          // axes behind it are cut, too: what a row of blocks reads is copied first
    int64_t outer, along; // which row of blocks it is; -1: none yet
    int64_t part[NDIM];   // where the part begins that is walked along the axis
    isg_filter_kept kept;
    isg_filter_view source; // of a row of blocks
    isg_filter_span row;    // of it, along the axis
    // For progress:
    int64_t done;
} slabs;

static isg_filter_view view_of(const isg_array *a)
{
    isg_filter_view v = {.data = a->data};
    memcpy(v.strides, a->strides, sizeof v.strides);
    return v;
}

static isg_filter_view dense_view(void *data, const int64_t *shape)
{
    isg_filter_view v = {.data = data};
    int64_t stride = 1;
    for (int a = NDIM - 1; a >= 0; a--) {
        v.strides[a] = stride;
        stride *= shape[a];
    }
    return v;
}

static int64_t product(const int64_t *shape)
{
    return shape[0] * shape[1] * shape[2] * shape[3];
}

// --- memory

static isg_status make_slot(slabs *s, slot *to)
{
    isg_status st = ISG_OK;
    for (int i = IN; i < ARRAYS; i++) {
        int64_t bytes = s->room[i] * s->bytes[i];
        if (bytes == 0)
            continue;
        if (s->transfers) {
            // Memory that the device reads and writes by itself.
            CL_MAKE(s->context, to->pinned[i],
                    clCreateBuffer(s->context->cl, CL_MEM_ALLOC_HOST_PTR, (size_t)bytes, NULL, &code));
            CL_MAKE(s->context, to->staging[i],
                    clEnqueueMapBuffer(s->transfers, to->pinned[i], CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                       (size_t)bytes, 0, NULL, NULL, &code));
            TRY(isg_buffer_new(s->context, &to->mem[i], i == OUT ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY, bytes));
        } else if (!(to->staging[i] = isg_alloc_large(bytes))) {
            return isg_fail(&s->context->error, ISG_ERR_MEMORY, "no memory for a block of %lld bytes",
                            (long long)bytes);
        }
    }
fail:
    return st;
}

static void free_slot(slabs *s, slot *of)
{
    for (int i = 0; i < 2; i++)
        if (of->sent[i])
            clReleaseEvent(of->sent[i]);
    if (of->received)
        clReleaseEvent(of->received);
    for (int i = IN; i < ARRAYS; i++) {
        isg_buffer_free(&of->mem[i]);
        if (of->pinned[i] && of->staging[i])
            clEnqueueUnmapMemObject(s->transfers, of->pinned[i], of->staging[i], 0, NULL, NULL);
        else if (!of->pinned[i])
            free(of->staging[i]);
        isg_buffer_free(&of->pinned[i]);
    }
    for (int a = 0; a < NDIM; a++)
        isg_filter_span_free(&of->spans[a]);
}

static isg_status wait_for(slabs *s, cl_event *event)
{
    isg_status st = ISG_OK;
    if (*event)
        CL_TRY(s->context, clWaitForEvents(1, event));
fail:
    if (*event)
        clReleaseEvent(*event);
    *event = NULL;
    return st;
}

// --- blocks

// Block `at` along each axis. outer: of those in front of the axis that is kept, which of them it is.
static void decode(const slabs *s, int64_t at, int64_t *index, int64_t *outer)
{
    *outer = 0;
    for (int i = NDIM - 1; i >= 0; i--) {
        index[s->nest[i]] = at % s->blocks[s->nest[i]];
        at /= s->blocks[s->nest[i]];
        if (s->nest[i] == s->axis)
            *outer = at;
    }
}

static isg_status make_spans(slabs *s, const int64_t *index, isg_filter_span *spans)
{
    isg_status st = ISG_OK;
    for (int a = 0; a < NDIM && !st; a++) {
        int64_t n = s->job->in.shape[a], begin = index[a] * s->counts[a];
        isg_filter_span_free(&spans[a]);
        st = isg_filter_span_make(&spans[a], isg_filter_axis_of(s->job->plan, a), n, begin,
                                  isg_min(s->counts[a], n - begin), &s->context->error);
    }
    return st;
}

// A part that is walked along the axis begins: of axes in front of it one block, of the others all.
static isg_status begin_part(slabs *s, const slot *of)
{
    int64_t shape[NDIM];
    isg_filter_view array = view_of(&s->job->in);
    bool front = true;
    for (int i = 0; i < NDIM; i++) {
        int a = s->nest[i];
        front = front && a != s->axis;
        s->part[a] = front ? of->spans[a].begin : 0;
        shape[a] = front ? of->spans[a].count : s->job->in.shape[a];
        array.data += s->part[a] * array.strides[a] * s->bytes[IN];
    }
    isg_filter_kept_free(&s->kept);
    s->along = -1;
    return isg_filter_kept_make(&s->kept, isg_filter_axis_of(s->job->plan, s->axis), array, shape, s->bytes[IN],
                                &s->context->error);
}

// A row of blocks begins: it is copied, for the first block is written before the last one is read.
static isg_status begin_row(slabs *s, slot *of)
{
    isg_filter_span all[NDIM];
    const isg_filter_span *spans[NDIM];
    int64_t shape[NDIM];
    for (int a = 0; a < NDIM; a++) {
        all[a] = (isg_filter_span){.count = s->kept.shape[a], .rows = s->kept.shape[a]};
        spans[a] = a == s->axis ? &of->spans[a] : &all[a];
        shape[a] = spans[a]->rows;
    }
    free(s->source.data);
    s->source = dense_view(isg_alloc(product(shape), (size_t)s->bytes[IN]), shape);
    if (!s->source.data)
        return isg_fail(&s->context->error, ISG_ERR_MEMORY, "no memory for a row of blocks");
    isg_filter_kept_copy(&s->kept, spans, s->source);
    return ISG_OK;
}

// The input of a block whose spans are made, of an array that is filtered in place.
static isg_status copy_kept(slabs *s, slot *of, int64_t along, int64_t outer, isg_filter_view to)
{
    isg_status st = ISG_OK;
    const isg_filter_span *spans[NDIM];
    isg_filter_span moved[NDIM];
    int64_t counts[NDIM];
    if (outer != s->outer)
        TRY(begin_part(s, of));
    bool begins = along != s->along;
    if (s->nested && begins)
        TRY(begin_row(s, of));
    for (int a = 0; a < NDIM; a++) {
        moved[a] = of->spans[a]; // as the part has it; such axes have nothing behind
        moved[a].begin -= s->part[a];
        spans[a] = &moved[a];
        counts[a] = of->spans[a].rows;
    }
    if (s->nested) {
        spans[s->axis] = NULL;
        isg_filter_copy(s->source, spans, to, counts, s->bytes[IN]);
    } else {
        isg_filter_kept_copy(&s->kept, spans, to);
    }
    // Once its rows are read, results may take their place.
    if (begins)
        isg_filter_kept_pass(&s->kept, of->spans[s->axis].begin + of->spans[s->axis].count);
    s->outer = outer;
    s->along = along;
fail:
    return st;
}

// Block `at` on its way to the device.
static isg_status send(slabs *s, slot *to, int64_t at)
{
    isg_status st;
    int64_t index[NDIM], outer, rows[NDIM];
    const isg_filter_span *spans[NDIM];
    decode(s, at, index, &outer);
    TRY(make_spans(s, index, to->spans));
    for (int a = 0; a < NDIM; a++) {
        spans[a] = &to->spans[a];
        rows[a] = to->spans[a].rows;
    }
    if (s->axis >= 0)
        TRY(copy_kept(s, to, index[s->axis], outer, dense_view(to->staging[IN], rows)));
    else
        isg_filter_copy(view_of(&s->job->in), spans, dense_view(to->staging[IN], rows), rows, s->bytes[IN]);
    if (s->bytes[MASK])
        isg_filter_copy(view_of(&s->job->mask), spans, dense_view(to->staging[MASK], rows), rows, s->bytes[MASK]);
    for (int i = IN; i <= MASK; i++) {
        int64_t bytes = product(rows) * s->bytes[i];
        if (bytes > 0 && s->transfers)
            CL_TRY(s->context, clEnqueueWriteBuffer(s->transfers, to->mem[i], CL_FALSE, 0, (size_t)bytes,
                                                    to->staging[i], 0, NULL, &to->sent[i - IN]));
        else if (bytes > 0)
            TRY(isg_buffer_of_host(s->context, &to->mem[i], CL_MEM_READ_ONLY, to->staging[i], bytes, false));
    }
    if (s->transfers)
        CL_TRY(s->context, clFlush(s->transfers));
fail:
    return st;
}

static int tell(void *user, double done, double total)
{
    const slabs *s = user;
    return s->job->progress(s->job->progress_user, (double)s->done + done / total, (double)s->total);
}

static isg_array on_device(isg_dtype dtype, cl_mem mem, const int64_t *shape)
{
    isg_array a = {.dtype = dtype, .ndim = NDIM, .mem = mem};
    isg_filter_view v = dense_view(NULL, shape);
    memcpy(a.shape, shape, NDIM * sizeof *shape);
    memcpy(a.strides, v.strides, sizeof v.strides);
    return a;
}

static isg_status compute(slabs *s, slot *of)
{
    isg_status st;
    int64_t rows[NDIM];
    isg_filter_job block = *s->job;
    TRY(wait_for(s, &of->sent[0]));
    TRY(wait_for(s, &of->sent[1]));
    for (int a = 0; a < NDIM; a++) {
        rows[a] = of->spans[a].rows;
        of->begin[a] = of->spans[a].begin;
        of->count[a] = of->spans[a].count;
        block.tables[a] = of->spans[a].table;
    }
    int64_t bytes = product(of->count) * s->bytes[OUT];
    if (!s->transfers)
        TRY(isg_buffer_of_host(s->context, &of->mem[OUT], CL_MEM_READ_WRITE, of->staging[OUT], bytes, false));
    block.in = on_device(s->job->in.dtype, of->mem[IN], rows);
    block.out = on_device(s->job->out.dtype, of->mem[OUT], of->count);
    if (s->bytes[MASK])
        block.mask = on_device(s->job->mask.dtype, of->mem[MASK], rows);
    block.in_place = false;
    block.large = s->large;
    block.progress = s->job->progress ? tell : NULL;
    block.progress_user = s;
    TRY(isg_filter_run(&block));
    s->large = block.large;
    s->done++;
    if (s->transfers) {
        CL_TRY(s->context, clEnqueueReadBuffer(s->transfers, of->mem[OUT], CL_FALSE, 0, (size_t)bytes, of->staging[OUT],
                                               0, NULL, &of->received));
        CL_TRY(s->context, clFlush(s->transfers));
    } else {
        TRY(isg_buffer_to_host(s->context, of->mem[OUT], of->staging[OUT], bytes));
        for (int i = IN; i < ARRAYS; i++)
            isg_buffer_free(&of->mem[i]);
    }
fail:
    return st;
}

// A block's results to their place.
static isg_status receive(slabs *s, slot *of)
{
    isg_status st = wait_for(s, &of->received);
    isg_filter_view to = view_of(&s->job->out);
    for (int a = 0; a < NDIM; a++)
        to.data += of->begin[a] * to.strides[a] * s->bytes[OUT];
    if (!st)
        isg_filter_copy(dense_view(of->staging[OUT], of->count), NULL, to, of->count, s->bytes[OUT]);
    return st;
}

// All blocks, until large numbers are found, which those before were not scaled for: then *again.
static isg_status run_blocks(slabs *s, bool *again)
{
    isg_status st = ISG_OK;
    *again = false;
    s->outer = s->along = -1;
    s->done = 0;
    if (s->slot_count == 2)
        TRY(send(s, &s->slots[0], 0));
    for (int64_t at = 0; at < s->total; at++) {
        slot *now = &s->slots[at % s->slot_count], *other = &s->slots[(at + 1) % s->slot_count];
        if (s->slot_count == 1)
            TRY(send(s, now, at));
        else if (at + 1 < s->total)
            TRY(send(s, other, at + 1));
        const bool large = s->large;
        TRY(compute(s, now));
        if ((*again = s->large != large && at > 0))
            break;
        if (s->slot_count == 1)
            TRY(receive(s, now));
        else if (at > 0)
            TRY(receive(s, other));
        if (s->slot_count == 2 && at + 1 == s->total)
            TRY(receive(s, now));
    }
fail:
    if (s->transfers)
        clFinish(s->transfers);
    for (int i = 0; i < 2; i++) {
        cl_event *events[] = {&s->slots[i].sent[0], &s->slots[i].sent[1], &s->slots[i].received};
        for (int e = 0; e < 3; e++) {
            if (*events[e])
                clReleaseEvent(*events[e]);
            *events[e] = NULL;
        }
    }
    return st;
}

// --- what is cut, and how

static isg_filter_room room_of(const isg_filter_job *job)
{
    const isg_context *context = job->context;
    isg_filter_room room = {.bytes = job->memory > 0 ? job->memory : context->device.global_bytes,
                            .buffer_bytes = context->max_alloc_bytes,
                            .in = (int64_t)isg_dtype_bytes(job->in.dtype),
                            .out = (int64_t)isg_dtype_bytes(job->out.dtype),
                            .mask = (int64_t)isg_dtype_bytes(job->mask.dtype),
                            .copies = 1};
    room.bytes -= room.bytes / 4; // for scratch memory, and what else is on the device
    return room;
}

bool isg_filter_fits(const isg_filter_job *job)
{
    isg_filter_room room = room_of(job);
    const isg_array *arrays[] = {&job->in, &job->out, &job->mask};
    for (int i = 0; i < 3; i++)
        if (arrays[i]->mem)
            return true; // or not: only arrays of the host's can be cut
    if (job->context->zero_copy && job->memory == 0)
        room.copies = 0; // they are used where they are
    int64_t bytes = isg_filter_block_bytes(job->plan, job->in.shape, job->in.shape, &room);
    if (job->in_place)
        bytes -= room.copies * room.out * product(job->in.shape); // there is but one
    return bytes >= 0 && bytes <= room.bytes;
}

static isg_status cut(slabs *s)
{
    isg_filter_room room = room_of(s->job);
    int at = 0;
    room.copies = s->slot_count;
    if (!isg_filter_block_choose(s->job->plan, s->job->in.shape, &room, s->counts))
        return isg_fail(&s->context->error, ISG_ERR_MEMORY,
                        "one element and what the filter reaches from it take more than %lld KiB of %s, or a buffer of "
                        "more than %lld KiB",
                        (long long)(room.bytes >> 10), s->context->device.name, (long long)(room.buffer_bytes >> 10));
    s->bytes[IN] = room.in;
    s->bytes[MASK] = room.mask;
    s->bytes[OUT] = room.out;
    s->total = 1;
    s->axis = -1;
    for (int i = IN; i < ARRAYS; i++)
        s->room[i] = 1;
    for (int a = 0; a < NDIM; a++) {
        const isg_filter_axis *axis = isg_filter_axis_of(s->job->plan, a);
        int64_t n = s->job->in.shape[a];
        s->blocks[a] = (n + s->counts[a] - 1) / s->counts[a];
        s->total *= s->blocks[a];
        s->room[IN] *= axis ? isg_min(n, s->counts[a] + 2 * axis->radius) : s->counts[a];
        s->room[OUT] *= s->counts[a];
    }
    s->room[MASK] = s->room[IN];
    // Axes that are not filtered first, along which blocks have nothing to do with each other.
    for (int filtered = 0; filtered < 2; filtered++)
        for (int a = 0; a < NDIM; a++)
            if (filtered == (isg_filter_axis_of(s->job->plan, a) && s->blocks[a] > 1)) {
                if (filtered && s->job->in_place) {
                    s->nested |= s->axis >= 0;
                    s->axis = s->axis >= 0 ? s->axis : a;
                }
                s->nest[at++] = a;
            }
    return ISG_OK;
}

isg_status isg_filter_run_slabs(isg_filter_job *job)
{
    isg_context *context = job->context;
    isg_status st = ISG_OK;
    slabs s = {.job = job, .context = context, .slot_count = context->zero_copy ? 1 : 2};
    if (!context->zero_copy)
        CL_MAKE(context, s.transfers, clCreateCommandQueue(context->cl, context->device_id, 0, &code));
    TRY(cut(&s));
    for (int i = 0; i < s.slot_count; i++)
        TRY(make_slot(&s, &s.slots[i]));
    s.large = job->in_place &&
              isg_filter_holds_large(job->plan, &job->in, &job->mask); // in place it is too late when a block has them
    bool again;
    TRY(run_blocks(&s, &again));
    if (again)
        TRY(run_blocks(&s, &again));
fail:
    for (int i = 0; i < 2; i++)
        free_slot(&s, &s.slots[i]);
    isg_filter_kept_free(&s.kept);
    free(s.source.data);
    if (s.transfers)
        clReleaseCommandQueue(s.transfers);
    return st;
}
