// isogram gram into a store: one process, or several that are started here.
#include "report.h"
#include "store_options.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

// What the progress function of a store gets.
typedef struct watch {
    store_progress_view view;
} watch;

static int on_progress(void *user, const isg_store_progress *p)
{
    watch *w = user;
    if (p->bytes > 0) // 0: the store is still being checked
        store_view_show(&w->view, p, false);
    return caught_signal();
}

// How much of the writing went on beside the computing, of what could have: 1 when the shorter of the two is hidden.
static double overlap_of(const isg_store_report *r)
{
    double beside = r->write_seconds - r->wait_seconds,
           most = r->compute_seconds < r->write_seconds ? r->compute_seconds : r->write_seconds;
    return most <= 0 || beside <= 0 ? 0 : beside < most ? beside / most : 1;
}

static void summarize(const isg_store_info *info, const isg_store_report *r, isg_context *context, const char *path)
{
    char bytes[32], rate[32];
    const isg_device *d = isg_context_device(context);
    const isg_store_progress *p = &r->progress;
    printf("K         %lld x %lld %s%s in %s, %lld tiles of side %lld\n", (long long)info->n, (long long)info->m,
           isg_dtype_name(info->dtype), info->layout == ISG_STORE_TILES ? ", the lower triangle by tiles," : "", path,
           (long long)info->tiles, (long long)info->side);
    printf("device    %s (%s)\n", d->name, d->platform);
    printf("contract  %s\n", info->contract);
    printf("kernel    %s%s%s\n", info->kernel, info->lengthscales[0] ? ", lengthscales " : "", info->lengthscales);
    printf("tiles     %lld computed, %lld of %lld recorded\n", (long long)p->computed, (long long)p->recorded,
           (long long)p->tiles);
    printf(
        "time      %.4f s, %sB at %sB/s; computing %.3f s, writing %.3f s, %.0f %% of the shorter at the same time\n",
        p->seconds, with_prefix(p->computed_bytes, bytes, sizeof bytes),
        with_prefix(p->computed_bytes / (p->seconds + 1e-9), rate, sizeof rate), r->compute_seconds, r->write_seconds,
        100 * overlap_of(r));
}

static int print_report(const isg_store_info *info, const isg_store_report *r, isg_context *context, const char *path)
{
    const isg_store_progress *p = &r->progress;
    cJSON *report = report_new("gram", context, ISG_PRECISION_DEFAULT);
    const int64_t shape[2] = {info->n, info->m};
    cJSON_AddStringToObject(report, "event", "done");
    cJSON_AddStringToObject(report, "contract", info->contract);
    cJSON_AddStringToObject(report, "kernel", info->kernel);
    cJSON_AddItemToObject(report, "shape", report_shape(2, shape));
    cJSON_AddNumberToObject(report, "dimension", (double)info->d);
    cJSON_AddStringToObject(report, "dtype", isg_dtype_name(info->dtype));
    cJSON_AddStringToObject(report, "layout", info->layout == ISG_STORE_TILES ? "tiles" : "full");
    cJSON_AddStringToObject(report, "output", path);
    cJSON_AddNumberToObject(report, "side", (double)info->side);
    cJSON_AddNumberToObject(report, "tiles", (double)p->tiles);
    cJSON_AddNumberToObject(report, "recorded", (double)p->recorded);
    cJSON_AddNumberToObject(report, "computed", (double)p->computed);
    cJSON_AddNumberToObject(report, "struck", (double)r->struck);
    cJSON_AddNumberToObject(report, "computed_bytes", p->computed_bytes);
    cJSON *seconds = cJSON_AddObjectToObject(report, "seconds");
    cJSON_AddNumberToObject(seconds, "all", p->seconds);
    cJSON_AddNumberToObject(seconds, "compute", r->compute_seconds);
    cJSON_AddNumberToObject(seconds, "write", r->write_seconds);
    cJSON_AddNumberToObject(seconds, "wait", r->wait_seconds);
    cJSON_AddNumberToObject(seconds, "sync", r->sync_seconds);
    cJSON_AddNumberToObject(report, "overlap", overlap_of(r));
    return report_finish_line(report);
}

// Computes what is left, and tells of it.
static int compute(const common_options *common, isg_context *context, isg_store *store, watch *w, const char *path,
                   bool quiet)
{
    isg_store_report r;
    isg_store_info info;
    store_view_start(&w->view, common);
    isg_status st = isg_store_compute(store, &r);
    bool whole = !st && r.progress.recorded == r.progress.tiles;
    if (r.progress.tiles)
        store_view_show(&w->view, &r.progress, true);
    store_view_end(&w->view);
    if (st) {
        char why[1100];
        snprintf(why, sizeof why, "%s", caught_signal() ? "stopped by a signal" : isg_context_error(context)->message);
        return quiet && caught_signal() ? 128 + caught_signal()
                                        : complain_unfinished(path, why, r.progress.recorded, r.progress.tiles);
    }
    if (isg_store_describe(store, &info, NULL))
        return complain("%s: cannot be read", path);
    if (common->json && !quiet)
        return print_report(&info, &r, context, path);
    if (!common->quiet && !quiet)
        summarize(&info, &r, context, path);
    if (!common->quiet && !quiet && !whole)
        printf("left      %lld tiles, of other parts\n", (long long)(r.progress.tiles - r.progress.recorded));
    return EXIT_DONE;
}

int store_compute(const common_options *common, isg_context *context, isg_store_params *params, bool quiet)
{
    isg_store *store;
    watch w = {.view = {.json = false}};
    params->progress = on_progress;
    params->progress_user = &w;
    catch_signals(quiet);
#ifdef __linux__
    if (quiet) // a worker does not outlive who started it
        prctl(PR_SET_PDEATHSIG, SIGINT);
#endif
    if (isg_store_create(context, &store, params))
        return complain("%s", caught_signal() ? "stopped by a signal" : isg_context_error(context)->message);
    int code = compute(common, context, store, &w, params->path, quiet);
    isg_store_close(&store);
    return code;
}

// Where an input lies, for who repairs; *recorded NULL: not given, or nowhere to be found again (a pipe).
static bool record_path(const char **recorded, const char *path, char room[PATH_MAX])
{
    const bool named = path && strcmp(path, "-") != 0;
    *recorded = named ? realpath(path, room) : NULL;
    if (named && !*recorded && errno != ENOENT)
        return complain("%s: %s", path, strerror(errno)), false;
    return true;
}

// Makes the store, or checks it, and lets workers do the rest.
static int hand_out(const common_options *common, isg_context *context, isg_store_params *params, int64_t workers,
                    char **argv)
{
    isg_store *store;
    if (isg_store_create(context, &store, params))
        return complain("%s", isg_context_error(context)->message);
    isg_store_close(&store);
    return store_workers(common, workers, argv);
}

int store_gram(const common_options *common, operator_options *operator, const store_options * o, bool half,
               char **argv)
{
    char paths[4][PATH_MAX];
    isg_store_params params = {.path = common->output,
                               .gram = &operator->params,
                               .layout = o->layout,
                               .dtype = half ? ISG_F16 : ISG_DTYPE_NONE,
                               .side = o->side,
                               .memory_bytes = o->memory_bytes,
                               .resume = o->resume || o->as_worker,
                               .trust = o->as_worker,
                               .part = o->part,
                               .parts = o->parts,
                               .only = o->only};
    if (!record_path(&params.x_path, operator->x, paths[0]) || !record_path(&params.y_path, operator->y, paths[1]) ||
        !record_path(&params.include_path, operator->include, paths[2]) ||
        !record_path(&params.factors_path, operator->factors, paths[3]) || read_operator(operator))
        return EXIT_FAILED;
    isg_context *context = open_context(common);
    if (!context)
        return EXIT_FAILED;
    operator->params.precision = half ? ISG_PRECISION_F32 : common->precision;
    int code = o->workers > 0 && !o->as_worker ? hand_out(common, context, &params, o->workers, argv)
                                               : store_compute(common, context, &params, o->as_worker);
    isg_context_destroy(&context);
    return code;
}
