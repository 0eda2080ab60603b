// The options of isogram gram that make it write a store, and what its work looks like from outside.
#ifndef ISG_TOOLS_STORE_OPTIONS_H
#define ISG_TOOLS_STORE_OPTIONS_H

#include "operator_options.h"

typedef struct store_options {
    bool wanted; // any of the options was given
    bool resume;
    int64_t memory_bytes, side, workers;
    int64_t part, parts;
    bool only;      // --part: nothing but it
    bool as_worker; // of --workers, which started this process: no reports
    isg_store_layout layout;
} store_options;

// For a verb's option table, numbered from OPTION_STORE.
enum {
    OPTION_STORE = OPTION_VERB + 100,
    OPTION_MEMORY,
    OPTION_RESUME,
    OPTION_LAYOUT,
    OPTION_TILE,
    OPTION_WORKERS,
    OPTION_PART,
    OPTION_AS_WORKER
};
#define STORE_OPTIONS                                                                                                  \
    {"store", no_argument, 0, OPTION_STORE}, {"memory", required_argument, 0, OPTION_MEMORY},                          \
        {"resume", no_argument, 0, OPTION_RESUME}, {"layout", required_argument, 0, OPTION_LAYOUT},                    \
        {"tile", required_argument, 0, OPTION_TILE}, {"workers", required_argument, 0, OPTION_WORKERS},                \
        {"part", required_argument, 0, OPTION_PART},                                                                   \
    {                                                                                                                  \
        "as-worker", required_argument, 0, OPTION_AS_WORKER                                                            \
    }

extern const char store_help[];

// Takes one parsed option. 0: none of these; 1: taken; -1: a usage error, which has been printed.
int take_store_option(store_options *o, int option, const char *value);

// "256M", with K, M, G or T for powers of 1024: bytes, or -1.
int64_t parse_bytes(const char *text);

// isogram gram into a store, after its options were settled. Gives an exit code. argv: of the verb, for workers.
int store_gram(const common_options *common, operator_options *operator, const store_options * o, bool half,
               char **argv);
// The same for a store that is there; params: what it is of, with path, layout and the like.
int store_compute(const common_options *common, isg_context *context, isg_store_params *params, bool quiet);

// Has SIGINT and SIGTERM end the work at the next tile; a second one ends the process, but not a worker, which gets
// them from the terminal and from who started it. The signal that came, or 0.
void catch_signals(bool worker);
int caught_signal(void);

// How far a store is: a line on a terminal, or a line of JSON on standard output, now and then.
typedef struct store_progress_view {
    bool json, visible;
    double shown, started;
    double first_bytes; // that were there when the view began; below 0: not known yet
} store_progress_view;
void store_view_start(store_progress_view *view, const common_options *common);
// last: show it whatever the time.
void store_view_show(store_progress_view *view, const isg_store_progress *p, bool last);
void store_view_end(const store_progress_view *view);
// "with --resume it goes on".
int complain_unfinished(const char *path, const char *why, int64_t recorded, int64_t tiles);

// The words of a command line, for workers: parsing changes the ones it gets. Freed with free(); NULL without memory.
char **copy_words(int argc, char **argv);

// Starts `count` workers on the store by running this command again, replaces those that are killed, and shows how far
// they are. Gives an exit code.
int store_workers(const common_options *common, int64_t count, char **argv);

#endif
