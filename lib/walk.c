// The way over all pairs of an operator that is never stored.
#include "walk.h"
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const isg_points *isg_walk_targets(const isg_walk *walk)
{
    return walk->transposed ? &walk->gram->op.y : &walk->gram->op.x;
}

const isg_points *isg_walk_sources(const isg_walk *walk)
{
    return walk->transposed ? &walk->gram->op.x : &walk->gram->op.y;
}

const isg_panels *isg_walk_target_panels(const isg_walk *walk)
{
    return walk->transposed ? &walk->gram->cols : &walk->gram->rows;
}

const isg_panels *isg_walk_source_panels(const isg_walk *walk)
{
    return walk->transposed ? &walk->gram->rows : &walk->gram->cols;
}

// Each row as measured: docs/performance.md. Whole lines in a vector: 32 registers, which AVX-512 has.
isg_tile_shape isg_walk_shape(const isg_gram *gram, int64_t columns)
{
    enum { UNROLLED = 8, IN_REGISTERS = 4, MANY = 16, SOME = 6 };
    const isg_device *device = &gram->context->device;
    const bool wide = gram->op.x.dtype == ISG_F64;
    int32_t lanes = wide ? device->lanes_f64 : device->lanes_f32;
    int32_t dims = gram->op.x.dims <= UNROLLED ? (int32_t)gram->op.x.dims : 0;
    if (device->device_class != ISG_DEVICE_CPU)
        return (isg_tile_shape){1, 2, 4, 32, dims, 8, 0};
    if (lanes == 1) // compilers that cannot do vectors have been seen to lose arrays that are indexed in loops, too
        return (isg_tile_shape){1, 2, 4, 1, dims, 8, 0};
    if (columns > IN_REGISTERS && lanes >= (wide ? 8 : 16))
        return (isg_tile_shape){lanes, 1, 8, 1, dims, MANY, 128};
    if (columns > IN_REGISTERS)
        return (isg_tile_shape){lanes, 2, 4, 1, dims, SOME, 128};
    if (dims)
        return (isg_tile_shape){lanes, 2, 4, 1, dims, IN_REGISTERS, 0};
    return (isg_tile_shape){lanes, 1, 8, 1, dims, IN_REGISTERS, 0};
}

void isg_walk_put_options(isg_text *to, const isg_walk *walk)
{
    const isg_tile_shape *s = &walk->shape;
    isg_gram_put_options(to, walk->gram);
    isg_put(to, "-D SOURCES=%d -D VECTORS=%d -D GROUP=%d -D DIMS=%d -D TRANSPOSED=%d -D BLOCK_SOURCES=%d ",
            (int)s->sources, (int)s->vectors, (int)s->group, (int)s->dims, walk->transposed, ISG_BLOCK_SOURCES);
    if (walk->skipping)
        isg_skipping_put_options(to, walk->skipping);
    else
        isg_put(to, "-D SKIP=0 ");
    if (walk->log_weights) {
        char logarithm[ISG_LONGEST_OPTIONS];
        isg_plan_log_expression(&walk->gram->op.plan, logarithm, sizeof logarithm);
        isg_put(to, "-D LOGS=1 -D SHIFTED=%d -D LOG_VALUE=%s ", walk->shifts != NULL, logarithm);
    } else {
        isg_put(to, "-D LOGS=0 -D SHIFTED=0 ");
    }
}

static int64_t target_panel(const isg_walk *walk)
{
    return (int64_t)walk->shape.lanes * walk->shape.vectors * walk->shape.group;
}

int64_t isg_walk_pitch(const isg_walk *walk)
{
    return isg_round_up(walk->target_count, target_panel(walk));
}

int isg_walk_args(const isg_walk *walk, isg_arg args[ISG_WALK_ARGS])
{
    const isg_gram *gram = walk->gram;
    const isg_panels *targets = isg_walk_target_panels(walk), *sources = isg_walk_source_panels(walk);
    args[0] = arg_mem(targets->mem);
    args[1] = arg_mem(sources->mem);
    args[2] = arg_mem(isg_side_data(gram, targets));
    args[3] = arg_mem(isg_side_data(gram, sources));
    for (int i = 0; i < 2; i++)
        args[4 + i] = arg_mem(walk->further[i] ? walk->further[i] : gram->numbers);
    args[6] = arg_int(isg_walk_pitch(walk));
    args[7] = arg_int(sources->pitch);
    args[8] = arg_mem(gram->numbers);
    if (walk->skipping)
        isg_skipping_args(walk->skipping, args + 9);
    return walk->skipping ? ISG_WALK_ARGS : ISG_WALK_ARGS - ISG_SKIPPING_ARGS;
}

isg_range isg_walk_range(const isg_walk *walk, const isg_stretch *s)
{
    int64_t panels = isg_round_up(s->target_hi - s->target_lo, target_panel(walk)) / target_panel(walk);
    return (isg_range){{panels * walk->shape.group, isg_max(s->blocks, 1)}, {walk->shape.group, 1}};
}

// Further numbers of the set, with zeros behind.
static isg_status bring_further(isg_walk *walk, bool targets, int64_t first, int64_t count, int64_t padded)
{
    const char *all = targets ? walk->shifts : walk->log_weights;
    isg_context *context = walk->gram->context;
    size_t element = isg_dtype_bytes(walk->gram->op.x.dtype);
    if (!all)
        return ISG_OK;
    isg_buffer_free(&walk->further[!targets]);
    char *set = isg_alloc(padded, element);
    if (!set)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for what goes with %lld points", (long long)count);
    memcpy(set, all + (size_t)first * element, (size_t)count * element);
    isg_status st = isg_buffer_copy_of(context, &walk->further[!targets], set, padded * (int64_t)element);
    free(set);
    return st;
}

static isg_status pack(isg_walk *walk, bool targets, int64_t first, int64_t count)
{
    int32_t width = targets ? (int32_t)target_panel(walk) : walk->shape.sources;
    isg_status st = bring_further(walk, targets, first, count, isg_round_up(count, width));
    return st ? st : isg_side_pack(walk->gram, targets != walk->transposed, first, count, width, width, 0);
}

static isg_status report(const isg_walk *walk)
{
    const isg_gram *gram = walk->gram;
    if (isg_context_ask(gram->context, gram->progress, gram->progress_user, walk->done, walk->total))
        return isg_fail(&gram->context->error, ISG_ERR_CANCELLED, "cancelled");
    return ISG_OK;
}

// Work-items of the smallest launch that keeps the device busy.
static int64_t busy_panels(const isg_walk *walk)
{
    const isg_device *device = &walk->gram->context->device;
    return device->device_class == ISG_DEVICE_CPU
               ? 8 * (int64_t)device->compute_units
               : isg_max(8 * (int64_t)device->compute_units * 64 / walk->shape.group, 1);
}

// Sources of whole blocks from `lo` on: up to the border that is `blocks` borders away.
static int64_t behind_blocks(const isg_walk *walk, int64_t lo, int64_t blocks)
{
    int64_t at = (walk->source_first + lo) / ISG_BLOCK_SOURCES + blocks;
    return isg_min(at * ISG_BLOCK_SOURCES - walk->source_first, walk->source_count);
}

// The pairs of a stretch that are left to compute, or about as many.
static double work_of(const isg_walk *walk, int64_t target_lo, int64_t target_hi, int64_t source_lo, int64_t source_hi)
{
    const int64_t first = walk->source_first / ISG_BLOCK_SOURCES;
    double work = 0;
    if (!walk->skipping)
        return (double)(target_hi - target_lo) * (double)(source_hi - source_lo);
    for (int64_t lo = source_lo; lo < source_hi; lo = behind_blocks(walk, lo, 1))
        work += isg_skipping_work(walk->skipping, target_lo, target_hi,
                                  (walk->source_first + lo) / ISG_BLOCK_SOURCES - first);
    return work;
}

// How many blocks from `lo` on, at least one, all targets together can do within the budget.
static int64_t blocks_within(const isg_walk *walk, int64_t lo, double budget)
{
    enum { MOST = 1 << 20 };
    if (!walk->skipping)
        return (int64_t)fmin(fmax(budget / ((double)walk->target_count * ISG_BLOCK_SOURCES), 1), MOST);
    int64_t count = 0;
    for (double work = 0; lo < walk->source_count && count < MOST; count++) {
        int64_t hi = behind_blocks(walk, lo, 1);
        work += work_of(walk, 0, walk->target_count, lo, hi);
        if (work > budget)
            break;
        lo = hi;
    }
    return isg_max(count, 1);
}

// How many sources a launch may go along. Where loops are cut off after 2^16 rounds in all, so few that they cannot be
// reached: as if no compiler unrolled anything, for each source and vector of targets some rounds a coordinate, some
// for the value, and some for what is made of it.
static int64_t most_sources(const isg_walk *walk)
{
    const double rounds = 3 * (double)walk->gram->op.x.dims + 64 + 4 * walk->cost;
    if (walk->gram->context->probe.whole_loops)
        return INT64_MAX;
    int64_t most = (int64_t)(65535 / (rounds * walk->shape.vectors));
    return isg_max(most / walk->shape.sources, 1) * walk->shape.sources;
}

// How many panels of targets from `lo` on the sources of the stretch can do within the budget.
static int64_t panels_within(const isg_walk *walk, const isg_stretch *s, double budget)
{
    const int64_t panel = target_panel(walk), step = isg_round_up(ISG_BLOCK_SOURCES, panel);
    if (!walk->skipping)
        return (int64_t)fmin(budget / (double)(s->source_hi - s->source_lo), 1e12) / panel;
    int64_t hi = s->target_lo;
    for (double work = 0; hi < walk->target_count && work <= budget; hi += step)
        work += work_of(walk, hi, isg_min(hi + step, walk->target_count), s->source_lo, s->source_hi);
    return (hi - s->target_lo) / panel;
}

// How fast a launch was, in what work_of tells. Where far less of it was computed than that, the next one may be of
// another kind: it must not take many times as long.
static isg_status measure(isg_walk *walk, const isg_stretch *s, double seconds)
{
    const double most = 4, pairs = (double)(s->target_hi - s->target_lo) * (double)(s->source_hi - s->source_lo);
    double work = work_of(walk, s->target_lo, s->target_hi, s->source_lo, s->source_hi);
    isg_status st = ISG_OK;
    if (walk->skipping) {
        double before = walk->skipping->skipped, looks = pairs / ISG_BLOCK_SOURCES;
        st = isg_skipping_count(walk->skipping);
        work = fmin(work, most * (pairs - (walk->skipping->skipped - before) + looks));
    }
    walk->rate = work / seconds;
    return st;
}

// All pairs of the two sets, in launches of about a fifth of a second, so that no watchdog bites and progress is seen:
// some blocks of sources by all targets, or one block by some of them.
static isg_status cover(isg_walk *walk)
{
    enum { WIDEST = 16384 }; // more work-items in one dimension make PoCL compile once more
    const double seconds = 0.2, first_work = 0x1p28;
    const int64_t panel = target_panel(walk), all = isg_walk_sources(walk)->count, longest = most_sources(walk);
    isg_context *context = walk->gram->context;
    isg_stretch s = {.before = (int32_t)(walk->source_first % ISG_BLOCK_SOURCES)};
    for (s.source_lo = 0; s.source_lo < walk->source_count; s.source_lo = s.source_hi) {
        s.opened = (walk->source_first + s.source_lo) % ISG_BLOCK_SOURCES != 0;
        int64_t step = 0;
        for (s.target_lo = 0; s.target_lo < walk->target_count; s.target_lo = s.target_hi) {
            double budget =
                walk->rate > 0 ? seconds * walk->rate : first_work / ((double)walk->gram->op.x.dims + walk->cost);
            if (s.target_lo == 0) {
                int64_t most = blocks_within(walk, s.source_lo, budget),
                        panels = isg_round_up(walk->target_count, panel) / panel;
                bool one_each =
                    !s.opened && panels < busy_panels(walk) && walk->most_blocks > 1 && longest >= ISG_BLOCK_SOURCES;
                if (one_each)
                    most = isg_min(most, walk->most_blocks);
                s.source_hi = behind_blocks(walk, s.source_lo, most);
                if (s.source_hi - s.source_lo > longest && !one_each)
                    s.source_hi = s.source_lo + longest;
                s.last = walk->source_first + s.source_hi == all;
                int64_t count = s.source_hi - s.source_lo;
                s.blocks = one_each && count > ISG_BLOCK_SOURCES &&
                                   (s.last || (walk->source_first + s.source_hi) % ISG_BLOCK_SOURCES == 0)
                               ? (count + ISG_BLOCK_SOURCES - 1) / ISG_BLOCK_SOURCES
                               : 0;
            }
            step = isg_min(isg_max(panels_within(walk, &s, budget), busy_panels(walk)), WIDEST) * panel;
            s.target_hi = s.blocks ? walk->target_count : isg_min(s.target_lo + step, walk->target_count);
            double start = isg_seconds(),
                   pairs = (double)(s.target_hi - s.target_lo) * (double)(s.source_hi - s.source_lo);
            isg_status st = walk->launch(walk, &s);
            if (st || (st = isg_finish(context)))
                return st;
            const double took = isg_seconds() - start + 1e-9;
            if ((st = measure(walk, &s, took)))
                return st;
            walk->done += pairs;
            if ((st = report(walk)))
                return st;
        }
    }
    return ISG_OK;
}

// Points of a set: what the operator's own buffers and the walker's allow.
static int64_t per_set(const isg_walk *walk, int64_t bytes_per_point, int64_t multiple)
{
    int64_t most = isg_min(isg_points_per_set(walk->gram),
                           walk->gram->context->max_alloc_bytes / isg_max(bytes_per_point, 1) - multiple);
    return isg_max(most / multiple * multiple, multiple);
}

isg_status isg_walk_skip(isg_walk *walk, isg_skipping *skipping, isg_skip asked, double tolerance)
{
    enum { UNIT = 64 };
    bool use = false;
    *skipping = (isg_skipping){.gram = walk->gram,
                               .transposed = walk->transposed,
                               .log_weights = walk->log_weights,
                               .shifts = walk->shifts,
                               .panel = (int32_t)target_panel(walk),
                               .unit = walk->shape.depth ? walk->shape.depth : UNIT};
    isg_status st = isg_skipping_choose(skipping, asked, tolerance, &use);
    walk->skipping = use ? skipping : NULL;
    return st;
}

isg_status isg_walk_run(isg_walk *walk)
{
    isg_status st;
    int64_t targets = isg_walk_targets(walk)->count, sources = isg_walk_sources(walk)->count;
    int64_t target_set = per_set(walk, walk->bytes_per_target, target_panel(walk));
    int64_t source_set = per_set(walk, walk->bytes_per_source, walk->shape.sources);
    if (source_set >= ISG_BLOCK_SOURCES)
        source_set = source_set / ISG_BLOCK_SOURCES * ISG_BLOCK_SOURCES;
    if (walk->total == 0)
        walk->total = (double)targets * (double)sources;
    TRY(isg_gram_upload_numbers(walk->gram));
    for (int64_t t = 0; t < targets; t += target_set) {
        walk->target_first = t;
        walk->target_count = isg_min(target_set, targets - t);
        TRY(pack(walk, true, t, walk->target_count));
        TRY(walk->begin(walk));
        if (walk->skipping)
            TRY(isg_skipping_targets(walk->skipping, t, walk->target_count, isg_max(walk->most_blocks, 1)));
        for (int64_t s = 0; s < sources; s += source_set) {
            walk->source_first = s;
            walk->source_count = isg_min(source_set, sources - s);
            TRY(pack(walk, false, s, walk->source_count));
            TRY(walk->bring(walk));
            if (walk->skipping)
                TRY(isg_skipping_sources(walk->skipping, s, walk->source_count, walk->keeps, walk->job));
            TRY(cover(walk));
        }
        TRY(walk->end(walk));
    }
fail:
    isg_buffer_free(&walk->further[0]);
    isg_buffer_free(&walk->further[1]);
    return st;
}
