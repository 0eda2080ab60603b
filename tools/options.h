// What all verbs share on the command line: option tables, strict number parsing, messages, exit codes, the context.
#ifndef ISG_TOOLS_OPTIONS_H
#define ISG_TOOLS_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include <isogram/isogram.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct common_options {
    const char *device;
    isg_precision precision;
    isg_arithmetic arithmetic;
    const char *output;
    const char *plot;
    bool json, quiet, verbose;
} common_options;

// Common options, for a verb's own option table: {VERB'S OWN…, COMMON_OPTIONS, {0, 0, 0, 0}}. Verbs number theirs from
// OPTION_OWN.
enum {
    OPTION_DEVICE = 256,
    OPTION_PRECISION,
    OPTION_ARITHMETIC,
    OPTION_PLOT,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_HELP,
    OPTION_OWN
};
#define COMMON_OPTIONS                                                                                                 \
    {"device", required_argument, 0, OPTION_DEVICE}, {"precision", required_argument, 0, OPTION_PRECISION},            \
        {"arithmetic", required_argument, 0, OPTION_ARITHMETIC}, {"output", required_argument, 0, 'o'},                \
        {"plot", required_argument, 0, OPTION_PLOT}, {"json", no_argument, 0, OPTION_JSON},                            \
        {"quiet", no_argument, 0, OPTION_QUIET}, {"verbose", no_argument, 0, OPTION_VERBOSE},                          \
    {                                                                                                                  \
        "help", no_argument, 0, OPTION_HELP                                                                            \
    }

// The lines of help for the common options.
extern const char common_help[];

// getopt_long with messages of our own: the next option, -1 at the end, OPTION_WRONG after a usage error, which has
// been printed.
enum { OPTION_WRONG = -2 };
int next_option(int argc, char **argv, const struct option *table);

// Takes one parsed option. 0: not a common one; 1: taken; -1: a usage error, which has been printed.
int take_common_option(common_options *common, int option, const char *value);

// Checks what the common options say together: one thing on standard output, distinct files. Prints and gives false.
bool check_common_options(const common_options *common);

// One line "isogram: …" on standard error. complain gives EXIT_FAILED, misuse EXIT_USAGE.
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
int misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The whole text is a number, or false. NaN and infinity are numbers; the library refuses them with a reason.
bool parse_double(const char *text, double *value);
bool parse_int(const char *text, int64_t *value);

// "A,B,…": up to `most` values, the count or -1.
int parse_doubles(const char *text, double *values, int most);

// Whether two paths name one file, be it there already or not.
bool same_file(const char *a, const char *b);

// A context as the options ask; the log goes to standard error. Complains and gives NULL.
isg_context *open_context(const common_options *common);

#endif
