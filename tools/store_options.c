#include "store_options.h"
#include "report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char store_help[] =
    "      --store           write K tile by tile straight to its file, with a journal, FILE.journal, beside it: more\n"
    "                        than memory holds, and nothing is lost when it is interrupted. Those below imply it:\n"
    "      --memory SIZE     buffers for tiles, such as 256M (the default) or 1G; of each worker\n"
    "      --resume          go on with a store that is there, after a check of what it holds; or begin it\n"
    "      --layout L        full (default: a .npy file of K), or tiles: the lower triangle of K(X, X) by tiles\n"
    "      --tile SIDE       rows and columns of a tile, a multiple of 64 (default: up to 2048, as memory allows)\n"
    "      --workers N       N processes on this store (of more devices, or more machines: start --resume on each)\n"
    "      --part I/N        only part I of N, from 1; no other worker is waited for\n";

int64_t parse_bytes(const char *text)
{
    static const char units[] = "KMGT";
    char *end;
    double value = strtod(text, &end);
    if (end == text || !(value > 0))
        return -1;
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    if (*end && (!unit || end[1]))
        return -1;
    for (const char *u = units; unit && u <= unit; u++)
        value *= 1024;
    return value < 0x1p62 ? (int64_t)value : -1;
}

static bool parse_part(const char *text, int64_t *part, int64_t *parts)
{
    char left[24];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof left)
        return false;
    memcpy(left, text, (size_t)(slash - text));
    left[slash - text] = 0;
    return parse_int(left, part) && parse_int(slash + 1, parts) && *part >= 1 && *part <= *parts;
}

int take_store_option(store_options *o, int option, const char *value)
{
    enum { MOST_WORKERS = 256 };
    if (option < OPTION_STORE || option > OPTION_AS_WORKER)
        return 0;
    o->wanted = true;
    switch (option) {
    case OPTION_RESUME: o->resume = true; return 1;
    case OPTION_MEMORY:
        o->memory_bytes = parse_bytes(value);
        return o->memory_bytes > 0 ? 1 : (misuse("--memory '%s'; it is a size such as 256M", value), -1);
    case OPTION_LAYOUT:
        o->layout = strcmp(value, "tiles") == 0 ? ISG_STORE_TILES : ISG_STORE_FULL;
        return o->layout == ISG_STORE_TILES || strcmp(value, "full") == 0
                   ? 1
                   : (misuse("--layout '%s'; it is full or tiles", value), -1);
    case OPTION_TILE:
        return parse_int(value, &o->side) && o->side >= 64 && o->side <= 16384 && o->side % 64 == 0
                   ? 1
                   : (misuse("--tile '%s'; it is a multiple of 64 from 64 to 16384", value), -1);
    case OPTION_WORKERS:
        return parse_int(value, &o->workers) && o->workers >= 1 && o->workers <= MOST_WORKERS
                   ? 1
                   : (misuse("--workers '%s'; it is 1 to %d", value, MOST_WORKERS), -1);
    case OPTION_PART:
    case OPTION_AS_WORKER:
        o->only = option == OPTION_PART;
        o->as_worker = option == OPTION_AS_WORKER;
        return parse_part(value, &o->part, &o->parts)
                   ? 1
                   : (misuse("--part '%s'; it is I/N, with I from 1 to N", value), -1);
    default: return 1;
    }
}

// ---- Signals ----

static volatile sig_atomic_t signal_caught;

static void on_signal(int number)
{
    signal_caught = number;
}

void catch_signals(bool worker)
{
    struct sigaction action = {.sa_handler = on_signal}; // no SA_RESTART: waiting for a lock must end
    sigemptyset(&action.sa_mask);
    action.sa_flags = worker ? 0 : (int)SA_RESETHAND; // what ends the process loses no more than any kill
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); // a limit on the size of files is an error of the write, with a message
}

int caught_signal(void)
{
    return signal_caught;
}

char **copy_words(int argc, char **argv)
{
    size_t bytes = ((size_t)argc + 1) * sizeof *argv, at = bytes;
    for (int i = 0; i < argc; i++)
        bytes += strlen(argv[i]) + 1;
    char **words = calloc(1, bytes);
    for (int i = 0; words && i < argc; i++) {
        words[i] = strcpy((char *)words + at, argv[i]);
        at += strlen(argv[i]) + 1;
    }
    return words;
}

// ---- Progress ----

void store_view_start(store_progress_view *view, const common_options *common)
{
    *view = (store_progress_view){.json = common->json && !common->quiet,
                                  .visible = !common->json && !common->quiet && isatty(STDERR_FILENO),
                                  .started = isg_seconds(),
                                  .first_bytes = -1};
}

static void show_json(const isg_store_progress *p, double rate, double left)
{
    cJSON *line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "event", "progress");
    cJSON_AddNumberToObject(line, "tiles", (double)p->tiles);
    cJSON_AddNumberToObject(line, "recorded", (double)p->recorded);
    cJSON_AddNumberToObject(line, "bytes", p->bytes);
    cJSON_AddNumberToObject(line, "recorded_bytes", p->recorded_bytes);
    cJSON_AddNumberToObject(line, "seconds", p->seconds);
    cJSON_AddNumberToObject(line, "bytes_per_s", rate);
    cJSON_AddNumberToObject(line, "seconds_left", left);
    char *text = cJSON_PrintUnformatted(line);
    if (text)
        puts(text);
    fflush(stdout);
    cJSON_free(text);
    cJSON_Delete(line);
}

void store_view_show(store_progress_view *view, const isg_store_progress *p, bool last)
{
    double now = isg_seconds();
    if (view->first_bytes < 0)
        view->first_bytes = p->recorded_bytes;
    if ((!view->json && !view->visible) || (!last && now - view->shown < (view->json ? 0.5 : 0.2)))
        return;
    view->shown = now;
    double rate = (p->recorded_bytes - view->first_bytes) / (now - view->started + 1e-9);
    double left = rate > 0 ? (p->bytes - p->recorded_bytes) / rate : 0;
    if (view->json) {
        show_json(p, rate, left);
        return;
    }
    char done[32], of[32], per[32];
    fprintf(stderr, "\r%3.0f %%  %sB of %sB  %sB/s  %d:%02d left   ", 100 * p->recorded_bytes / p->bytes,
            with_prefix(p->recorded_bytes, done, sizeof done), with_prefix(p->bytes, of, sizeof of),
            with_prefix(rate, per, sizeof per), (int)left / 60, (int)left % 60);
}

void store_view_end(const store_progress_view *view)
{
    if (view->visible && view->shown > 0)
        fprintf(stderr, "\r\033[K");
}

int complain_unfinished(const char *path, const char *why, int64_t recorded, int64_t tiles)
{
    complain("%s: %lld of %lld tiles of %s are recorded; the same command with --resume goes on", why,
             (long long)recorded, (long long)tiles, path);
    return caught_signal() ? 128 + caught_signal() : EXIT_FAILED;
}
