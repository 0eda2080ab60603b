#include "turns.h"
#include "common.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

// What a case gave.
typedef struct result {
    double seconds[VARIANTS][MAX_ROUNDS];
    int64_t differing[VARIANTS];
    double difference[VARIANTS]; // the largest
} result;

void check(isg_context *context, isg_status st)
{
    if (st)
        fail(isg_context_error(context)->message);
}

void print_progress(const job *j, const char *state)
{
    char dims[32] = "";
    if (j->d)
        snprintf(dims, sizeof dims, "d = %" PRId64 ", ", j->d);
    fprintf(stderr, "%s, %s%s: %s\n", dtype_word(j->dtype), dims, j->shape, state);
}

static void compare(const job *j, result *r, int v)
{
    size_t element = isg_dtype_bytes(j->dtype);
    r->differing[v] = 0;
    r->difference[v] = 0;
    for (int64_t i = 0; i < j->count; i++) {
        if (memcmp((char *)j->got + (size_t)i * element, (char *)j->want + (size_t)i * element, element) == 0)
            continue;
        r->differing[v]++;
        double d = fabs(isg_load_double(j->dtype, j->got, i) - isg_load_double(j->dtype, j->want, i));
        if (!(d <= r->difference[v])) // NaN counts
            r->difference[v] = d;
    }
}

// All variants in turns. The first round compiles, touches and compares, and is not timed.
static void measure(job *j, result *r, const turns *t)
{
    double start = isg_seconds(), reported = start;
    char state[60];
    const bool *refused = bench.refused[j->dtype == ISG_F64];
    for (int round = -1; round < t->rounds; round++) {
        for (int i = 0; i < VARIANTS; i++) {
            int v = (i + round + 1) % VARIANTS;
            double seconds;
            if (refused[v])
                continue;
            if (round < 0)
                memset(j->got, 0xff, (size_t)j->count * isg_dtype_bytes(j->dtype));
            bench.variant = v;
            double sum = 0;
            for (bench.placement = 0; bench.placement < t->placements && !refused[v]; bench.placement++) {
                isg_error_clear(&j->context->error);
                isg_status st = j->compute(j, &seconds);
                if (st == ISG_ERR_BUILD && refused[v] && v > 0)
                    break;
                check(j->context, st);
                sum += seconds;
            }
            bench.placement = 0;
            if (refused[v])
                continue;
            if (round < 0)
                compare(j, r, v);
            else
                r->seconds[v][round] = sum / t->placements;
        }
        if (isg_seconds() - reported > 20) {
            reported = isg_seconds();
            snprintf(state, sizeof state, "%d of %d rounds", round + 1, t->rounds);
            print_progress(j, state);
        }
    }
    snprintf(state, sizeof state, "done in %.1f s", isg_seconds() - start);
    print_progress(j, state);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// The quantile of sorted values.
static double quantile(const double *sorted, int count, double q)
{
    double at = q * (count - 1);
    int below = (int)at;
    return below + 1 < count ? sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
}

// The lines of a job, one for each variant.
static void put_lines(const turns *t, const job *j, const result *r)
{
    double work = (double)j->count * (double)(j->passes ? j->passes : 1);
    for (int v = 0; v < VARIANTS; v++) {
        if (bench.refused[j->dtype == ISG_F64][v])
            continue;
        double seconds[MAX_ROUNDS] = {0}, ratios[MAX_ROUNDS] = {0};
        for (int i = 0; i < t->rounds; i++) {
            seconds[i] = r->seconds[v][i];
            ratios[i] = seconds[i] / r->seconds[0][i];
        }
        qsort(seconds, (size_t)t->rounds, sizeof *seconds, by_size);
        qsort(ratios, (size_t)t->rounds, sizeof *ratios, by_size);
        double median = quantile(seconds, t->rounds, 0.5), ratio = quantile(ratios, t->rounds, 0.5);
        double low = quantile(ratios, t->rounds, 0.25), high = quantile(ratios, t->rounds, 0.75);
        if (t->rows) {
            cJSON *row = cJSON_CreateObject();
            cJSON_AddStringToObject(row, "precision", dtype_word(j->dtype));
            if (j->d)
                cJSON_AddNumberToObject(row, "d", (double)j->d);
            cJSON_AddStringToObject(row, "shape", j->shape);
            cJSON_AddStringToObject(row, "variant", variants[v].name);
            cJSON_AddNumberToObject(row, "seconds", median);
            cJSON_AddNumberToObject(row, "elements_per_second", work / median);
            cJSON_AddNumberToObject(row, "ratio", ratio);
            cJSON_AddItemToObject(row, "ratio_quartiles", cJSON_CreateDoubleArray((double[]){low, high}, 2));
            cJSON_AddNumberToObject(row, "differing", (double)r->differing[v]);
            cJSON_AddNumberToObject(row, "elements", (double)j->count);
            cJSON_AddNumberToObject(row, "largest_difference", r->difference[v]);
            cJSON_AddItemToArray(t->rows, row);
            continue;
        }
        char dims[24] = "";
        if (j->d)
            snprintf(dims, sizeof dims, "%" PRId64, j->d);
        printf("| %s | %s | %s | %s | %.2f | %.2f | %.3f | %.3f-%.3f | %" PRId64 " | %.1e |\n", dtype_word(j->dtype),
               dims, j->shape, variants[v].name, 1e3 * median, 1e-9 * work / median, ratio, low, high, r->differing[v],
               r->difference[v]);
        fflush(stdout);
    }
}

void take_turns(job *j, const turns *t)
{
    result *r = need(calloc(1, sizeof *r));
    print_progress(j, "begun");
    measure(j, r, t);
    put_lines(t, j, r);
    free(r);
}
