// What a verb tells about its work: progress on a terminal, a summary for people, JSON for programs.
#ifndef ISG_TOOLS_REPORT_H
#define ISG_TOOLS_REPORT_H

#include <cjson/cJSON.h>

#include "base.h"
#include "options.h"

// Progress of one long call; pass progress_step and the struct as isg_progress_fn and its user.
typedef struct progress {
    bool visible;
    double started, shown;
    const char *unit; // of the total, such as "pairs"
} progress;

void progress_start(progress *p, bool quiet, const char *unit);
int progress_step(void *user, double done, double total);
void progress_end(progress *p);

// 1234567 as "1.23 M" and the like.
const char *with_prefix(double value, char *text, size_t bytes);

// The median; sorts the values.
double median_of(double *values, int64_t count);

// What bounds it: "memory" or "arithmetic".
const char *limit_word(const isg_gram_limits *limits);

// The limits of a matrix that took `seconds`, with the fraction of them that it reached.
cJSON *report_gram_limits(const isg_gram_limits *limits, double seconds);

// The precision of results of this dtype.
isg_precision precision_of(isg_dtype dtype);

// A new report that names the verb, the library, the device and, unless precision is DEFAULT, the contract.
cJSON *report_new(const char *verb, isg_context *context, isg_precision precision);
cJSON *report_device(const isg_device *device);
cJSON *report_shape(int32_t ndim, const int64_t *shape);
// Prints the report when asked for, and frees it. EXIT_FAILED when standard output cannot take it, or where it lacks
// something for which there was no memory.
int report_finish(cJSON *report, bool print);
// The same of a report that is one line.
int report_finish_line(cJSON *report);
// There was no memory for something that belongs in it.
void report_lacks(void);
// To be called before the first report: from then on it is known when memory for one has run out.
void report_watch(void);

#endif
