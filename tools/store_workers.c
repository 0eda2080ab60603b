// Several processes on one store. They are run anew, not forked: no OpenCL implementation survives that. What a worker
// that dies had claimed is free again by then, for its locks died with it.
#include "report.h"
#include "store_options.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { MOST_DEATHS = 3 }; // of workers, without a tile in between: then it is not chance

typedef struct crew {
    int64_t count, alive, failed;
    pid_t *pids; // 0: ended
    char **argv;
    int deaths;
    int64_t recorded; // at the last death
} crew;

// The worker's command line: this one's, with --as-worker I/N in front of what the user gave.
static bool start(crew *c, int64_t which)
{
    char part[48], self[4096];
    int count = 0;
    while (c->argv[count])
        count++;
    char **words = calloc((size_t)count + 4, sizeof *words);
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (!words || length <= 0) {
        free(words);
        return complain("a worker cannot be started: %s", strerror(errno)), false;
    }
    self[length] = 0;
    snprintf(part, sizeof part, "%lld/%lld", (long long)which + 1, (long long)c->count);
    words[0] = self;
    words[1] = c->argv[0];
    memcpy(words + 4, c->argv + 1, (size_t)count * sizeof *words - sizeof *words);
    words[2] = (char[]){"--as-worker"};
    words[3] = part;
    int code = posix_spawn(&c->pids[which], self, NULL, NULL, words, environ);
    free(words);
    if (code) {
        c->pids[which] = 0;
        return complain("a worker cannot be started: %s", strerror(code)), false;
    }
    c->alive++;
    return true;
}

static void stop_all(const crew *c, int number)
{
    for (int64_t i = 0; i < c->count; i++)
        if (c->pids[i] > 0)
            kill(c->pids[i], number);
}

// Sees who has ended, and replaces who was killed.
static void look_after(crew *c, int64_t recorded)
{
    for (int64_t i = 0; i < c->count; i++) {
        int status;
        if (c->pids[i] <= 0 || waitpid(c->pids[i], &status, WNOHANG) != c->pids[i])
            continue;
        c->pids[i] = 0;
        c->alive--;
        if (WIFEXITED(status)) {
            c->failed += WEXITSTATUS(status) != 0;
            continue;
        }
        if (caught_signal())
            continue;
        c->deaths = recorded > c->recorded ? 1 : c->deaths + 1;
        c->recorded = recorded;
        warn("worker %lld was killed by signal %d%s", (long long)i + 1, WTERMSIG(status),
             c->deaths < MOST_DEATHS ? "; another takes its place" : "");
        if (c->deaths >= MOST_DEATHS || !start(c, i))
            c->failed++;
    }
}

static int conclude(const common_options *common, const crew *c, isg_store *store, double seconds)
{
    isg_store_info info;
    isg_error error = {ISG_OK, ""};
    if (isg_store_describe(store, &info, &error))
        return complain("%s", error.message);
    if (info.recorded < info.tiles)
        return complain_unfinished(common->output,
                                   caught_signal() ? "stopped by a signal" : "the workers have not finished",
                                   info.recorded, info.tiles);
    if (common->json && !common->quiet) {
        cJSON *report = report_new("gram", NULL, ISG_PRECISION_DEFAULT);
        cJSON_AddStringToObject(report, "event", "done");
        cJSON_AddStringToObject(report, "contract", info.contract);
        cJSON_AddStringToObject(report, "kernel", info.kernel);
        cJSON_AddStringToObject(report, "output", common->output);
        cJSON_AddNumberToObject(report, "tiles", (double)info.tiles);
        cJSON_AddNumberToObject(report, "recorded", (double)info.recorded);
        cJSON_AddNumberToObject(report, "workers", (double)c->count);
        cJSON_AddNumberToObject(report, "seconds", seconds);
        return report_finish_line(report);
    } else if (!common->quiet) {
        printf("K         %lld x %lld %s in %s, %lld tiles of side %lld\n", (long long)info.n, (long long)info.m,
               isg_dtype_name(info.dtype), common->output, (long long)info.tiles, (long long)info.side);
        printf("time      %.4f s, %lld workers\n", seconds, (long long)c->count);
    }
    return EXIT_DONE;
}

int store_workers(const common_options *common, int64_t count, char **argv)
{
    isg_store *store;
    isg_error error = {ISG_OK, ""};
    store_progress_view view;
    double started = isg_seconds();
    bool told = false;
    catch_signals(false);
    if (isg_store_open(&store, common->output, &error))
        return complain("%s", error.message);
    crew c = {.count = count, .pids = calloc((size_t)count, sizeof(pid_t)), .argv = argv};
    if (!argv || !c.pids) {
        free(c.pids);
        isg_store_close(&store);
        return complain("no memory");
    }
    for (int64_t i = 0; i < count && (start(&c, i) || (c.failed++, false)); i++) {
    }
    store_view_start(&view, common);
    while (c.alive > 0) {
        isg_store_info info;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        if (caught_signal() && !told)
            stop_all(&c, SIGINT);
        told = caught_signal() != 0;
        if (isg_store_describe(store, &info, NULL) == ISG_OK) {
            double share = (double)info.recorded / (double)info.tiles;
            store_view_show(&view,
                            &(isg_store_progress){.tiles = info.tiles,
                                                  .recorded = info.recorded,
                                                  .bytes = (double)info.file_bytes,
                                                  .recorded_bytes = share * (double)info.file_bytes,
                                                  .seconds = isg_seconds() - started},
                            false);
            look_after(&c, info.recorded);
        }
    }
    store_view_end(&view);
    int code = conclude(common, &c, store, isg_seconds() - started);
    free(c.pids);
    isg_store_close(&store);
    return code;
}
