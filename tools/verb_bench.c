// isogram bench: this device against its own limits, measured in the same run.
#include "bench.h"
#include "report.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_N = OPTION_OWN, OPTION_DIMS, OPTION_KERNEL, OPTION_REPEAT, OPTION_TO, OPTION_MARKDOWN };
enum { MOST_N = 1 << 24, MOST_DIMS = 1 << 20, MOST_REPETITIONS = 1000, MOST_LISTED = 32, USUAL_DIMS = 64 };

static void help(void)
{
    printf(
        "usage: isogram bench [--n N] [--dims D,...] [--kernel NAME]... [options]\n\n"
        "Times this device, and holds it against what it can do at most, which is measured beside each job: K has to "
        "be\n"
        "written, and the inner step and the value of the same kernel are timed in registers, without memory. Jobs:\n"
        "K(X, X) of rbf for each D, of every other row of the registry for d = 64 (or the last D); K(X, Y) of rbf "
        "for\n"
        "each D; and, in host memory, a Gaussian grid of the same size. Outputs go to memory that was written "
        "before.\n\n"
        "      --n N             points, which are synthetic (default 8192)\n"
        "      --dims D,...      coordinates (default 3,16,64,784)\n"
        "      --kernel NAME     only this row, for each D; may be repeated\n"
        "      --repeat N        timed calls of a job, of which the median counts (default 7)\n"
        "      --to PLACE        where K goes, host or device (default: the device's own memory where it has some)\n"
        "      --markdown        the lines as a table\n"
        "      --json            for programs\n"
        "      --device SPEC     auto, gpu, cpu, accelerator, PLATFORM:DEVICE or a part of a name\n"
        "      --precision P     f32 (default) or f64\n"
        "      --arithmetic A    auto, fused or unfused\n"
        "      --quiet           no lines, no progress, no warnings\n"
        "      --verbose         say what the library does\n\n"
        "GB/s is K written. GF/s counts 2 operations for each coordinate of each pair that was computed (where one "
        "half\n"
        "of K(X, X) is mirrored, n (n + 1)/2 of them), and none for the value. The limit is the larger of two times: "
        "K's\n"
        "bytes over the fill rate, and the computed pairs' steps and values over their rates.\n");
}

typedef struct bench_options {
    common_options common;
    int64_t n, repeat;
    int64_t dims[MOST_LISTED];
    int dims_count;
    const isg_kernel *kernels[MOST_LISTED];
    int kernel_count;
    enum { TO_DEFAULT, TO_HOST, TO_DEVICE } to;
    bool markdown;
} bench_options;

// "3,16,…": false when it is not a list of whole numbers in range.
static bool take_dims(bench_options *o, const char *text)
{
    double values[MOST_LISTED];
    o->dims_count = parse_doubles(text, values, MOST_LISTED);
    for (int i = 0; i < o->dims_count; i++) {
        if (!(values[i] >= 1 && values[i] <= MOST_DIMS && values[i] == (double)(int64_t)values[i]))
            return false;
        o->dims[i] = (int64_t)values[i];
    }
    return o->dims_count > 0;
}

static bool take_kernel(bench_options *o, const char *name)
{
    const isg_kernel *row = isg_kernel_find(name);
    if (!row) {
        char names[1000] = "";
        size_t length = 0;
        const char *near = isg_kernel_nearest(name);
        for (const isg_kernel *const *r = isg_kernel_list(); *r && length < sizeof names; r++)
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", length ? ", " : "", (*r)->name);
        return misuse("--kernel: no kernel is called '%s'%s%s%s The kernels are %s", name,
                      near ? "; did you mean '" : ".", near ? near : "", near ? "'?" : "", names),
               false;
    }
    for (int i = 0; i < o->kernel_count; i++)
        if (o->kernels[i] == row)
            return true;
    if (o->kernel_count == MOST_LISTED)
        return misuse("--kernel '%s' is one kernel too many", name), false;
    o->kernels[o->kernel_count++] = row;
    return true;
}

// False after a usage error, which has been printed.
static bool take_option(bench_options *o, int option, const char *value)
{
    switch (option) {
    case OPTION_N:
        return (parse_int(value, &o->n) && o->n >= 1 && o->n <= MOST_N) ||
               (misuse("--n '%s'; it is 1 to %d", value, MOST_N), false);
    case OPTION_REPEAT:
        return (parse_int(value, &o->repeat) && o->repeat >= 1 && o->repeat <= MOST_REPETITIONS) ||
               (misuse("--repeat '%s'; it is 1 to %d", value, MOST_REPETITIONS), false);
    case OPTION_DIMS:
        return take_dims(o, value) || (misuse("--dims '%s'; it is up to %d whole numbers from 1 to %d: 3,16,64", value,
                                              MOST_LISTED, MOST_DIMS),
                                       false);
    case OPTION_KERNEL: return take_kernel(o, value);
    case OPTION_TO:
        o->to = strcmp(value, "host") == 0 ? TO_HOST : strcmp(value, "device") == 0 ? TO_DEVICE : TO_DEFAULT;
        return o->to != TO_DEFAULT || (misuse("--to '%s'; it is host or device", value), false);
    case OPTION_MARKDOWN: o->markdown = true; return true;
    default: return take_common_option(&o->common, option, value) >= 0;
    }
}

// The jobs of the options, in order; their number.
static int list_jobs(const bench_options *o, bool on_device, bench_job **out)
{
    const isg_kernel *rbf = isg_kernel_find("rbf");
    int rows = 0, count = 0;
    while (isg_kernel_list()[rows])
        rows++;
    bench_job *jobs = *out = malloc((size_t)((o->kernel_count + 2) * o->dims_count + rows + 1) * sizeof *jobs);
    if (!jobs)
        return 0;
    bool with_rbf = !o->kernel_count;
    int64_t usual = o->dims[o->dims_count - 1];
    for (int i = 0; i < o->dims_count; i++)
        usual = o->dims[i] == USUAL_DIMS ? USUAL_DIMS : usual;
    for (int r = 0; r < (o->kernel_count ? o->kernel_count : 1); r++) {
        const isg_kernel *row = o->kernel_count ? o->kernels[r] : rbf;
        with_rbf = with_rbf || row == rbf;
        for (int i = 0; i < o->dims_count; i++)
            jobs[count++] = (bench_job){row, o->dims[i], false};
    }
    for (int r = 0; r < rows && !o->kernel_count; r++)
        if (isg_kernel_list()[r] != rbf)
            jobs[count++] = (bench_job){isg_kernel_list()[r], usual, false};
    for (int i = 0; i < o->dims_count && with_rbf; i++)
        jobs[count++] = (bench_job){rbf, o->dims[i], true};
    if (!o->kernel_count && !on_device)
        jobs[count++] = (bench_job){NULL, 0, false};
    return count;
}

static const char *matrix_name(const bench_job *job)
{
    return !job->kernel ? "grid" : job->two ? "K(X, Y)" : "K(X, X)";
}

static void print_limits(const bench_options *o, const bench *b, const isg_limits *l)
{
    char fill[32], copy[32], madds[32];
    const isg_device *d = isg_context_device(b->context);
    const char *begin = o->markdown ? "- " : "", *line = o->markdown ? "---|" : "";
    printf("%sdevice    %s (%s)\n", begin, d->name, d->platform);
    printf("%scontract  %s\n", begin, isg_context_contract(b->context, precision_of(b->dtype)));
    printf("%slimits    fill %sB/s, copy %sB/s (read and written), %smultiply-adds/s\n", begin,
           with_prefix(l->fill_bytes_per_s, fill, sizeof fill), with_prefix(l->copy_bytes_per_s, copy, sizeof copy),
           with_prefix(l->madds_per_s, madds, sizeof madds));
    printf("%sjobs      n = %lld, %s, K in %s memory, medians of %lld\n\n", begin, (long long)b->n,
           isg_dtype_name(b->dtype), b->mem ? "the device's" : "host", (long long)b->repeat);
    printf(o->markdown ? "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n"
                       : "%-21s %-8s %5s %9s %10s %7s %7s %9s %-10s %7s\n",
           "kernel", "matrix", "d", "seconds", "pairs/s", "GB/s", "GF/s", "limit", "by", "reached");
    for (int i = 0; i < 10 && *line; i++)
        printf("%s%s", i ? "" : "|", line);
    printf("%s", *line ? "\n" : "");
    fflush(stdout);
}

static void print_line(const bench_options *o, const bench_job *job, const bench_result *r)
{
    char rate[32], dims[32] = "-", operations[32] = "-";
    if (job->kernel) {
        snprintf(dims, sizeof dims, "%lld", (long long)job->dims);
        snprintf(operations, sizeof operations, "%.4g", r->operations / r->seconds * 1e-9);
    }
    printf(o->markdown ? "| %s | %s | %s | %.3g | %s | %.3g | %s | %.3g | %s | %.0f %% |\n"
                       : "%-21s %-8s %5s %9.3g %10s %7.3g %7s %9.3g %-10s %5.0f %%\n",
           job->kernel ? job->kernel->name : "-", matrix_name(job), dims, r->seconds,
           with_prefix(r->elements / r->seconds, rate, sizeof rate), r->bytes / r->seconds * 1e-9, operations,
           r->limits.seconds, limit_word(&r->limits), 100 * r->limits.seconds / r->seconds);
    fflush(stdout);
}

static cJSON *job_json(const bench *b, const bench_job *job, const bench_result *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "matrix", matrix_name(job));
    if (job->kernel) {
        cJSON_AddStringToObject(o, "kernel", job->kernel->name);
        cJSON_AddNumberToObject(o, "dimension", (double)job->dims);
    }
    cJSON_AddItemToObject(o, "shape", report_shape(2, (const int64_t[]){b->n, b->n}));
    cJSON_AddNumberToObject(o, "seconds", r->seconds);
    cJSON_AddNumberToObject(o, "pairs_per_s", r->elements / r->seconds);
    cJSON_AddNumberToObject(o, "bytes_per_s", r->bytes / r->seconds);
    if (job->kernel)
        cJSON_AddNumberToObject(o, "operations_per_s", r->operations / r->seconds);
    cJSON_AddItemToObject(o, "limits", report_gram_limits(&r->limits, r->seconds));
    return o;
}

// The device's limits, the jobs, the small calls; into the report, and as lines. False after a complaint.
static bool measure(const bench_options *o, const bench *b, const bench_job *jobs, int count, cJSON *report)
{
    bool lines = !o->common.json && !o->common.quiet;
    double start = isg_seconds();
    isg_limits limits;
    if (isg_context_measure(b->context, precision_of(b->dtype), &limits))
        return complain("%s", isg_context_error(b->context)->message), false;
    cJSON *l = cJSON_AddObjectToObject(report, "limits");
    cJSON_AddNumberToObject(l, "fill_bytes_per_s", limits.fill_bytes_per_s);
    cJSON_AddNumberToObject(l, "copy_bytes_per_s", limits.copy_bytes_per_s);
    cJSON_AddNumberToObject(l, "madds_per_s", limits.madds_per_s);
    if (lines)
        print_limits(o, b, &limits);

    cJSON *list = cJSON_AddArrayToObject(report, "jobs");
    progress shown;
    progress_start(&shown, o->common.quiet, "jobs");
    for (int i = 0; i < count; i++) {
        bench_result r;
        bool good = bench_run(b, &jobs[i], &r);
        progress_end(&shown);
        if (!good)
            return false;
        if (lines)
            print_line(o, &jobs[i], &r);
        cJSON_AddItemToArray(list, job_json(b, &jobs[i], &r));
        progress_step(&shown, i + 1, count);
    }
    bench_small small;
    bool good = bench_small_calls(b, &small);
    progress_end(&shown);
    if (!good)
        return false;
    cJSON *s = cJSON_AddObjectToObject(report, "small");
    cJSON_AddNumberToObject(s, "n", BENCH_SMALL_N);
    cJSON_AddNumberToObject(s, "dimension", BENCH_SMALL_DIMS);
    cJSON_AddNumberToObject(s, "calls", (double)small.calls);
    cJSON_AddNumberToObject(s, "seconds", small.seconds);
    cJSON_AddNumberToObject(s, "best_seconds", small.best);
    double seconds = isg_seconds() - start;
    cJSON_AddNumberToObject(report, "seconds", seconds);
    if (lines)
        printf("\n%ssmall     rbf, n = %d, d = %d, %lld calls on one operator: %.1f us (median), %.1f us (best)\n"
               "%stotal     %d jobs in %.1f s\n",
               o->markdown ? "- " : "", BENCH_SMALL_N, BENCH_SMALL_DIMS, (long long)small.calls, 1e6 * small.seconds,
               1e6 * small.best, o->markdown ? "- " : "", count, seconds);
    return true;
}

static int run(const bench_options *o, isg_context *context)
{
    bench b = {.context = context,
               .dtype = o->common.precision == ISG_PRECISION_F64 ? ISG_F64 : ISG_F32,
               .n = o->n,
               .repeat = o->repeat};
    bench_job *jobs;
    int64_t most_dims = BENCH_SMALL_DIMS;
    bool on_device = o->to == TO_DEVICE || (o->to == TO_DEFAULT && !isg_context_device(context)->unified_memory);
    int count = list_jobs(o, on_device, &jobs);
    if (!count) {
        free(jobs);
        return complain("no memory for a list of jobs");
    }
    for (int i = 0; i < count; i++)
        most_dims = jobs[i].dims > most_dims ? jobs[i].dims : most_dims;
    int code = EXIT_FAILED;
    if (bench_prepare(&b, most_dims, on_device)) {
        cJSON *report = report_new("bench", context, precision_of(b.dtype));
        cJSON_AddNumberToObject(report, "n", (double)o->n);
        cJSON_AddStringToObject(report, "dtype", isg_dtype_name(b.dtype));
        cJSON_AddNumberToObject(report, "repeat", (double)o->repeat);
        cJSON_AddStringToObject(report, "memory", on_device ? "device" : "host");
        bool good = measure(o, &b, jobs, count, report);
        int printed = report_finish(report, o->common.json && good);
        code = good ? printed : EXIT_FAILED;
    }
    bench_free(&b);
    free(jobs);
    return code;
}

int verb_bench(int argc, char **argv)
{
    static const struct option table[] = {{"n", required_argument, 0, OPTION_N},
                                          {"dims", required_argument, 0, OPTION_DIMS},
                                          {"kernel", required_argument, 0, OPTION_KERNEL},
                                          {"repeat", required_argument, 0, OPTION_REPEAT},
                                          {"to", required_argument, 0, OPTION_TO},
                                          {"markdown", no_argument, 0, OPTION_MARKDOWN},
                                          COMMON_OPTIONS,
                                          {0, 0, 0, 0}};
    bench_options o = {.n = 8192, .repeat = 7, .dims = {3, 16, USUAL_DIMS, 784}, .dims_count = 4};
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            help();
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || !take_option(&o, option, optarg))
            return EXIT_USAGE;
    }
    if (o.common.output || o.common.plot)
        return misuse("bench writes no file; %s is of no use", o.common.output ? "--output" : "--plot");
    if (o.markdown && o.common.json)
        return misuse("--markdown and --json both want standard output");
    if (optind < argc)
        return misuse("'%s' is one argument too many", argv[optind]);
    isg_context *context = open_context(&o.common);
    int code = context ? run(&o, context) : EXIT_FAILED;
    isg_context_destroy(&context);
    return code;
}
