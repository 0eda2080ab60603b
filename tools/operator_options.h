// The options that say what a Gram operator is, for every verb that makes one: points, covariance function, scale,
// masks and factors.
#ifndef ISG_TOOLS_OPERATOR_OPTIONS_H
#define ISG_TOOLS_OPERATOR_OPTIONS_H

#include "report.h"

typedef struct operator_options {
    const char *x, *y; // the points' files; y NULL: X itself
    const char *kernel, *lengthscale, *include, *factors;
    isg_gram_params params;
    isg_skip skip;
    isg_setting settings[ISG_MAX_PARAMS]; // names point into the command line, which is cut at '='
    // What params point to.
    isg_npy *x_file, *y_file;
    isg_composite *composite; // NULL: a single row
    double *lengthscales, *factor_values;
    uint8_t *mask;
    bool no_memory; // was left when it was settled
} operator_options;

// For a verb's option table, in front of COMMON_OPTIONS. Verbs that take these number their own from OPTION_VERB.
enum {
    OPTION_KERNEL = OPTION_OWN,
    OPTION_PARAM,
    OPTION_SIGMA,
    OPTION_GAMMA,
    OPTION_LENGTHSCALE,
    OPTION_INCLUDE,
    OPTION_FACTORS,
    OPTION_CLUSTER, // of cluster.h
    OPTION_SKIP,
    OPTION_VERB
};
#define SCALE_OPTIONS                                                                                                  \
    {"kernel", required_argument, 0, OPTION_KERNEL}, {"param", required_argument, 0, OPTION_PARAM},                    \
        {"sigma", required_argument, 0, OPTION_SIGMA}, {"gamma", required_argument, 0, OPTION_GAMMA},                  \
    {                                                                                                                  \
        "lengthscale", required_argument, 0, OPTION_LENGTHSCALE                                                        \
    }
#define SKIP_OPTION                                                                                                    \
    {                                                                                                                  \
        "skip", required_argument, 0, OPTION_SKIP                                                                      \
    }
#define ROW_OPTIONS                                                                                                    \
    {"include", required_argument, 0, OPTION_INCLUDE},                                                                 \
    {                                                                                                                  \
        "factors", required_argument, 0, OPTION_FACTORS                                                                \
    }

// The lines of help for SCALE_OPTIONS, for ROW_OPTIONS, and for SKIP_OPTION.
extern const char scale_help[];
extern const char row_help[];
extern const char skip_help[];

// Takes one parsed option. 0: none of these; 1: taken; -1: a usage error, which has been printed.
int take_operator_option(operator_options *o, int option, char *value);

// Checks what the options say together, the files' names too, against further inputs and outputs (NULL: not given).
// False after a usage error, or for want of memory; which it was has been printed.
bool settle_operator(operator_options *o, const char *const *inputs, int input_count, const char *const *outputs,
                     int output_count);
// What to exit with where options could not be settled.
int unsettled(const operator_options *o);

// Reads the files. EXIT_FAILED after a complaint.
int read_operator(operator_options *o);
// Makes the operator; shown: what its progress goes to.
int make_operator(operator_options *o, isg_context *context, isg_precision precision, progress *shown, isg_gram **gram);
void operator_free(operator_options *o);

// The summary's line "kernel …", and the report's fields.
void print_kernel(const operator_options *o, const isg_gram *gram);
void report_kernel(cJSON *report, const operator_options *o, const isg_gram *gram);

// What was skipped: the summary's line, where anything was, and the report's fields.
void print_skipped(const isg_skip_report *skipped);
void report_skipped(cJSON *report, const isg_skip_report *skipped);

// The numbers of a .npy file with a vector of `count`, as doubles; what: what they belong to. NULL after a complaint.
double *read_vector(const char *path, int64_t count, const char *what);

#endif
