// The least or the largest values of each target over the sources, in order, with the sources that they belong to. Of
// equal ones the first source comes first; NaN is never among them.
//
// Build options, besides those of tile.h:
//   COUNT       how many
//   LARGEST     1: the largest, else the least
#include "tile.h"

#if LARGEST
#define TOWARDS(v) (-(v))
#else
#define TOWARDS(v) (v)
#endif

#if LANES == 1
#define LOAD_BITS(p)     (*(p))
#define STORE_BITS(v, p) (*(p) = (v))
#define ANY(mask)        ((mask) != 0)
#else
#define LOAD_BITS(p)     ISG_CAT(vload, LANES)(0, p)
#define STORE_BITS(v, p) ISG_CAT(vstore, LANES)(v, 0, p)
#define ANY(mask)        any(mask)
#endif

// Where those at place p begin for vector c.
#define AT(p, c) ((long)(p)*target_pitch + first + TARGET(c))

// Puts v into its place among those of one vector: what it displaces moves on. A place that is free holds NaN.
#define INSERT(v, source)                                                                                              \
    {                                                                                                                  \
        real moving = v;                                                                                               \
        bits moving_source = source, before = BITS(0);                                                                 \
        for (int p = 0; p < COUNT; p++) {                                                                              \
            real old = best[p * VECTORS + c];                                                                          \
            bits old_source = from[p * VECTORS + c];                                                                   \
            before |= ~MASK(moving >= old) & ~is_nan(moving);                                                          \
            best[p * VECTORS + c] = pick(before, moving, old);                                                         \
            from[p * VECTORS + c] = pick_bits(before, moving_source, old_source);                                      \
            moving = pick(before, old, moving);                                                                        \
            moving_source = pick_bits(before, old_source, moving_source);                                              \
        }                                                                                                              \
    }

// Looks at one vector of values of one source.
#if COUNT == 1
#define CONSIDER(v, source)                                                                                            \
    {                                                                                                                  \
        real value = v;                                                                                                \
        bits better = ~MASK(value >= best[c]) & ~is_nan(value);                                                        \
        best[c] = pick(better, value, best[c]);                                                                        \
        from[c] = pick_bits(better, source, from[c]);                                                                  \
    }
#else
#define CONSIDER(v, source)                                                                                            \
    {                                                                                                                  \
        real value = v;                                                                                                \
        bits better = ~MASK(value >= best[(COUNT - 1) * VECTORS + c]) & ~is_nan(value);                                \
        if (ANY(better))                                                                                               \
            INSERT(value, source)                                                                                      \
    }
#endif

// Passes over the block that source j is in.
#if SKIP
#define PASS_BLOCK                                                                                                     \
    end = min(j_hi, BLOCK_END(j));                                                                                     \
    if (BLOCK_IS_FAR(j)) {                                                                                             \
        passed += end - j;                                                                                             \
        j = end;                                                                                                       \
    }
#else
#define PASS_BLOCK
#endif

// i0, j_lo, j_hi, targets_end: as apply.cl. offset: the place of source 0 among all. values, sources_of: COUNT for each
// target, one place behind the other, which the launch goes on with; values as TOWARDS has them. partial: 0, or how
// many sources a work-item does, in the second dimension; then places are free at first, and those of part b are stored
// from b COUNT target_pitch on.
kernel void extremes(TILE_ARGUMENTS, global scalar *values, global scalar_bits *sources_of, int i0, int j_lo, int j_hi,
                     int offset, int partial, int targets_end, int d)
{
    int item = (int)get_global_id(0) % GROUP, first = i0 + (int)get_global_id(0) / GROUP * TARGET_PANEL;
    if (first >= targets_end)
        return;
    SIDES
    COUNT_BEGIN
    const int before = offset % BLOCK_SOURCES;
    real best[COUNT * VECTORS];
    bits from[COUNT * VECTORS];
    if (partial) {
        j_lo += (int)get_global_id(1) * partial;
        j_hi = min(j_hi, j_lo + partial);
        values += (long)get_global_id(1) * COUNT * target_pitch;
        sources_of += (long)get_global_id(1) * COUNT * target_pitch;
    }
    for (int p = 0; p < COUNT; p++)
        EACH (c, VECTORS) {
            best[p * VECTORS + c] = partial ? as_real(BITS(MAGNITUDE_BITS)) : LOAD(values + AT(p, c));
            from[p * VECTORS + c] = partial ? BITS(-1) : LOAD_BITS(sources_of + AT(p, c));
        }
    for (int j = j_lo; j < j_hi;) {
        int end = j_hi, stop = j_hi;
        PASS_BLOCK
        while (j < end) {
            PASS_UNIT
            for (; j < stop; j += SOURCES) {
                real k[SOURCES][VECTORS];
                tile_values(sources, j, targets, first, item, numbers, d, k);
                if (j + SOURCES <= stop) {
                    EACH (r, SOURCES)
                        EACH (c, VECTORS)
                            CONSIDER(TOWARDS(k[r][c]), (bits)(scalar_bits)(offset + j + r))
                } else {
                    EACH (r, SOURCES - 1)
                        if (j + r < stop)
                            EACH (c, VECTORS)
                                CONSIDER(TOWARDS(k[r][c]), (bits)(scalar_bits)(offset + j + r))
                }
            }
            j = stop;
        }
    }
    COUNT_END
    for (int p = 0; p < COUNT; p++)
        EACH (c, VECTORS) {
            STORE(best[p * VECTORS + c], values + AT(p, c));
            STORE_BITS(from[p * VECTORS + c], sources_of + AT(p, c));
        }
}
