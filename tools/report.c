#include "report.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *with_prefix(double value, char *text, size_t bytes)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T"};
    int at = 0;
    while (value >= 999.5 && at < 4) {
        value /= 1000;
        at++;
    }
    snprintf(text, bytes, "%.3g %s", value, prefixes[at]);
    return text;
}

void progress_start(progress *p, bool quiet, const char *unit)
{
    p->visible = !quiet && isatty(STDERR_FILENO);
    p->started = p->shown = isg_seconds();
    p->unit = unit;
}

int progress_step(void *user, double done, double total)
{
    progress *p = user;
    double now = isg_seconds();
    if (!p->visible || now - p->shown < 0.2)
        return 0;
    p->shown = now;
    double rate = done / (now - p->started);
    int left = (int)((total - done) / rate + 0.5);
    char text[32];
    fprintf(stderr, "\r%3.0f %%  %s%s/s  %d:%02d left   ", 100 * done / total, with_prefix(rate, text, sizeof text),
            p->unit, left / 60, left % 60);
    return 0;
}

void progress_end(progress *p)
{
    if (p->visible && p->shown > p->started)
        fprintf(stderr, "\r\033[K");
}

cJSON *report_device(const isg_device *device)
{
    cJSON *d = cJSON_CreateObject();
    char index[32];
    snprintf(index, sizeof index, "%d:%d", (int)device->platform_index, (int)device->device_index);
    cJSON_AddStringToObject(d, "index", index);
    cJSON_AddStringToObject(d, "name", device->name);
    cJSON_AddStringToObject(d, "class", isg_device_class_name(device->device_class));
    cJSON_AddStringToObject(d, "platform", device->platform);
    cJSON_AddStringToObject(d, "version", device->version);
    cJSON_AddStringToObject(d, "driver", device->driver);
    return d;
}

cJSON *report_shape(int32_t ndim, const int64_t *shape)
{
    cJSON *a = cJSON_CreateArray();
    for (int32_t i = 0; i < ndim; i++)
        cJSON_AddItemToArray(a, cJSON_CreateNumber((double)shape[i]));
    return a;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(double *values, int64_t count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

const char *limit_word(const isg_gram_limits *limits)
{
    return limits->memory_seconds >= limits->arithmetic_seconds ? "memory" : "arithmetic";
}

cJSON *report_gram_limits(const isg_gram_limits *limits, double seconds)
{
    cJSON *l = cJSON_CreateObject();
    cJSON_AddNumberToObject(l, "fill_bytes_per_s", limits->fill_bytes_per_s);
    cJSON_AddNumberToObject(l, "steps_per_s", limits->steps_per_s);
    cJSON_AddNumberToObject(l, "values_per_s", limits->values_per_s);
    cJSON_AddNumberToObject(l, "computed_pairs", limits->computed_pairs);
    cJSON_AddNumberToObject(l, "memory_seconds", limits->memory_seconds);
    cJSON_AddNumberToObject(l, "arithmetic_seconds", limits->arithmetic_seconds);
    cJSON_AddNumberToObject(l, "seconds", limits->seconds);
    cJSON_AddNumberToObject(l, "fraction", limits->seconds / seconds);
    cJSON_AddStringToObject(l, "bound", limit_word(limits));
    return l;
}

isg_precision precision_of(isg_dtype dtype)
{
    return dtype == ISG_F64 ? ISG_PRECISION_F64 : ISG_PRECISION_F32;
}

cJSON *report_new(const char *verb, isg_context *context, isg_precision precision)
{
    cJSON *report = cJSON_CreateObject();
    cJSON_AddStringToObject(report, "command", verb);
    cJSON_AddStringToObject(report, "isogram", isg_version());
    if (context)
        cJSON_AddItemToObject(report, "device", report_device(isg_context_device(context)));
    if (context && precision != ISG_PRECISION_DEFAULT)
        cJSON_AddStringToObject(report, "contract", isg_context_contract(context, precision));
    return report;
}

// cJSON leaves out what it has no memory for, forgets what should have gone there, and goes on. So all of its blocks
// are known here, each with its neighbours in front of it.
typedef union block {
    struct {
        union block *before, *after;
    } is;
    max_align_t aligned;
} block;
static block *first_block;
static bool lacking;

static void *take_block(size_t bytes)
{
    block *b = bytes < SIZE_MAX - sizeof *b ? malloc(sizeof *b + bytes) : NULL;
    if (!b) {
        lacking = true;
        return NULL;
    }
    b->is.before = NULL;
    b->is.after = first_block;
    if (first_block)
        first_block->is.before = b;
    first_block = b;
    return b + 1;
}

static void give_block(void *memory)
{
    if (!memory)
        return;
    block *b = (block *)memory - 1;
    // NOLINTBEGIN(clang-analyzer-unix.Malloc): none of its neighbours is freed, whom that would take out of the list
    *(b->is.before ? &b->is.before->is.after : &first_block) = b->is.after;
    if (b->is.after)
        b->is.after->is.before = b->is.before;
    // NOLINTEND(clang-analyzer-unix.Malloc)
    free(b);
}

void report_lacks(void)
{
    lacking = true;
}

void report_watch(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){take_block, give_block});
}

// Frees a report, and what it should have had.
static void discard(cJSON *report)
{
    cJSON_Delete(report);
    while (lacking && first_block)
        give_block(first_block + 1);
}

// Prints and frees both.
static int finish(cJSON *report, char *text)
{
    int code = EXIT_DONE;
    if (!text || lacking)
        code = complain("no memory for the report");
    else if (puts(text) < 0 || fflush(stdout) != 0)
        code = complain("standard output: cannot write the report");
    cJSON_free(text);
    discard(report);
    return code;
}

int report_finish(cJSON *report, bool print)
{
    if (print)
        return finish(report, cJSON_Print(report));
    discard(report);
    return EXIT_DONE;
}

int report_finish_line(cJSON *report)
{
    return finish(report, cJSON_PrintUnformatted(report));
}
