#include "options.h"

#include "base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char common_help[] = "  -o, --output FILE     write a .npy file; - is standard output\n"
                           "      --plot FILE.png   write a picture\n"
                           "      --json            say what was done on standard output, for programs\n"
                           "      --device SPEC     auto, gpu, cpu, accelerator, PLATFORM:DEVICE or a part of a name\n"
                           "                        (default: the environment's ISOGRAM_DEVICE, else auto)\n"
                           "      --precision P     f32 or f64\n"
                           "      --arithmetic A    auto, fused or unfused; fused and unfused give different bits\n"
                           "      --quiet           no report, no progress, no warnings\n"
                           "      --verbose         say what the library does: devices passed over, programs compiled\n"
                           "      --help            this text\n";

static void print_line(const char *prefix, const char *format, va_list values) ISG_PRINTF(2, 0);
static void print_line(const char *prefix, const char *format, va_list values)
{
    char text[1400];
    vsnprintf(text, sizeof text, format, values);
    isg_one_line(text);
    fprintf(stderr, "isogram: %s%s\n", prefix, text);
}

int complain(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    print_line("", format, values);
    va_end(values);
    return EXIT_FAILED;
}

int misuse(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    print_line("", format, values);
    va_end(values);
    return EXIT_USAGE;
}

void warn(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    print_line("warning: ", format, values);
    va_end(values);
}

bool parse_double(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == 0;
}

bool parse_int(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end != text && *end == 0 && errno == 0;
}

int parse_doubles(const char *text, double *values, int most)
{
    for (int count = 0; count < most; count++) {
        char *end;
        values[count] = strtod(text, &end);
        if (end == text || (*end != 0 && *end != ','))
            return -1;
        if (*end == 0)
            return count + 1;
        text = end + 1;
    }
    return -1;
}

// The place of a word in a NULL-terminated list, or -1.
static int word_index(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

int next_option(int argc, char **argv, const struct option *table)
{
    opterr = 0;
    int at = optind, option = getopt_long(argc, argv, ":o:", table, NULL);
    if (option != '?' && option != ':')
        return option;
    // The word that was just looked at; what follows it was moved in front of it if it was no option.
    const char *word = argv[optind > at ? optind - 1 : at];
    misuse(option == ':' ? "option '%s' needs a value" : "option '%s' is unknown, ambiguous or takes no value", word);
    return OPTION_WRONG;
}

int take_common_option(common_options *common, int option, const char *value)
{
    static const char *const precisions[] = {"default", "f32", "f64", NULL};
    static const char *const arithmetics[] = {"auto", "fused", "unfused", NULL};
    int found;
    switch (option) {
    case 'o': common->output = value; return 1;
    case OPTION_DEVICE: common->device = value; return 1;
    case OPTION_PLOT: common->plot = value; return 1;
    case OPTION_JSON: common->json = true; return 1;
    case OPTION_QUIET: common->quiet = true; return 1;
    case OPTION_VERBOSE: common->verbose = true; return 1;
    case OPTION_PRECISION:
        found = word_index(value, precisions);
        common->precision = (isg_precision)found;
        if (found <= 0)
            misuse("--precision '%s'; it is f32 or f64", value);
        return found > 0 ? 1 : -1;
    case OPTION_ARITHMETIC:
        found = word_index(value, arithmetics);
        common->arithmetic = (isg_arithmetic)found;
        if (found < 0)
            misuse("--arithmetic '%s'; it is auto, fused or unfused", value);
        return found >= 0 ? 1 : -1;
    default: return 0;
    }
}

// The folder and the name of a path whose folder exists; false when it does not.
static bool locate(const char *path, struct stat *folder, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    char *parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    bool found = parent && stat(parent, folder) == 0;
    free(parent);
    return found;
}

bool same_file(const char *a, const char *b)
{
    struct stat info_a, info_b;
    const char *name_a, *name_b;
    if (!a || !b || strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
        return false;
    bool there_a = stat(a, &info_a) == 0, there_b = stat(b, &info_b) == 0;
    if (there_a && there_b) // two names of one device, such as /dev/null, do no harm
        return S_ISREG(info_a.st_mode) && info_a.st_dev == info_b.st_dev && info_a.st_ino == info_b.st_ino;
    return !there_a && !there_b && locate(a, &info_a, &name_a) && locate(b, &info_b, &name_b) &&
           info_a.st_dev == info_b.st_dev && info_a.st_ino == info_b.st_ino && strcmp(name_a, name_b) == 0;
}

bool check_common_options(const common_options *common)
{
    if (common->json && common->output && strcmp(common->output, "-") == 0) {
        misuse("--json and --output - both want standard output");
        return false;
    }
    if (common->plot && (strcmp(common->plot, "-") == 0 || !*common->plot)) {
        misuse("--plot '%s'; it needs a file name", common->plot);
        return false;
    }
    if (common->output && !*common->output) {
        misuse("--output ''; it needs a file name");
        return false;
    }
    if (same_file(common->output, common->plot)) {
        misuse("--output and --plot name one file, %s", common->plot);
        return false;
    }
    return true;
}

static void log_line(void *user, isg_log_level level, const char *message)
{
    const common_options *common = user;
    if (level == ISG_LOG_WARN && !common->quiet)
        warn("%s", message);
    else if (common->verbose)
        fprintf(stderr, "isogram: %s\n", message);
}

isg_context *open_context(const common_options *common)
{
    isg_error error = {ISG_OK, ""};
    isg_context *context;
    isg_context_create(&context,
                       isg_context_params(.device = common->device, .arithmetic = common->arithmetic, .log = log_line,
                                          .log_user = (void *)(uintptr_t)common, .error = &error));
    if (!context)
        complain("%s", error.message);
    return context;
}
