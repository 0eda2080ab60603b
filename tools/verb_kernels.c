// isogram kernels: the registry of covariance functions.
#include "report.h"
#include "verbs.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static const char *scale_words(const isg_kernel *row)
{
    switch (row->scale) {
    case ISG_SCALE_GAMMA: return "gamma, sigma or lengthscale (gamma = 1/d)";
    case ISG_SCALE_RATE: return row->gamma > 0 ? "gamma (1)" : "gamma (1/d)";
    case ISG_SCALE_LENGTHSCALE: return "lengthscale, sigma or gamma (lengthscale = 1)";
    default: return "none";
    }
}

// "a positive number", "a whole number from 1 to 100".
static const char *param_range(const isg_kernel_param *p, char *text, size_t bytes)
{
    if (p->least == DBL_MIN)
        return "a positive number";
    snprintf(text, bytes, "a %snumber from %g to %g", p->whole ? "whole " : "", p->least, p->most);
    return text;
}

static void print_row(const isg_kernel *row)
{
    printf("%s\n    %s\n    scale: %s\n", row->name, row->summary, scale_words(row));
    for (int i = 0; i < ISG_MAX_PARAMS && row->params[i].name; i++) {
        const isg_kernel_param *p = &row->params[i];
        char range[80];
        printf("    %s, %s: %s (%g)\n", p->name, param_range(p, range, sizeof range), p->summary, p->fallback);
    }
    for (int i = 0; row->aliases[i]; i++)
        printf("%s%s", i ? ", " : "    also called ", row->aliases[i]);
    if (row->aliases[0])
        printf("\n");
}

// What its scale may be given as, and what it is when it is not given.
static void add_scale(cJSON *o, const isg_kernel *row)
{
    cJSON *names = cJSON_AddArrayToObject(o, "scales");
    if (row->scale == ISG_SCALE_NONE)
        return;
    cJSON_AddItemToArray(names, cJSON_CreateString("gamma"));
    if (row->scale != ISG_SCALE_RATE) {
        cJSON_AddItemToArray(names, cJSON_CreateString("sigma"));
        cJSON_AddItemToArray(names, cJSON_CreateString("lengthscale"));
    }
    cJSON *fallback = cJSON_AddObjectToObject(o, "scale_default");
    if (row->scale == ISG_SCALE_LENGTHSCALE)
        cJSON_AddNumberToObject(fallback, "lengthscale", 1);
    else if (row->gamma > 0)
        cJSON_AddNumberToObject(fallback, "gamma", row->gamma);
    else
        cJSON_AddStringToObject(fallback, "gamma", "1/d");
}

static cJSON *row_json(const isg_kernel *row)
{
    cJSON *o = cJSON_CreateObject(), *aliases = cJSON_AddArrayToObject(o, "aliases");
    cJSON_AddStringToObject(o, "name", row->name);
    cJSON_AddStringToObject(o, "formula", row->summary);
    cJSON_AddStringToObject(o, "pair", isg_pair_name(row->pair));
    cJSON_AddStringToObject(o, "scale", scale_words(row));
    add_scale(o, row);
    if (isnan(row->on_diagonal))
        cJSON_AddNullToObject(o, "diagonal"); // it depends on the point
    else
        cJSON_AddNumberToObject(o, "diagonal", row->on_diagonal);
    for (int i = 0; row->aliases[i]; i++)
        cJSON_AddItemToArray(aliases, cJSON_CreateString(row->aliases[i]));
    cJSON *params = cJSON_AddArrayToObject(o, "params");
    for (int i = 0; i < ISG_MAX_PARAMS && row->params[i].name; i++) {
        const isg_kernel_param *p = &row->params[i];
        cJSON *param = cJSON_CreateObject();
        cJSON_AddItemToArray(params, param);
        cJSON_AddStringToObject(param, "name", p->name);
        cJSON_AddStringToObject(param, "summary", p->summary);
        cJSON_AddNumberToObject(param, "default", p->fallback);
        cJSON_AddNumberToObject(param, "least", p->least);
        if (p->most == DBL_MAX)
            cJSON_AddNullToObject(param, "most"); // cJSON would round it up, beyond the range
        else
            cJSON_AddNumberToObject(param, "most", p->most);
        cJSON_AddBoolToObject(param, "whole", p->whole);
        char range[80];
        cJSON_AddStringToObject(param, "range", param_range(p, range, sizeof range));
    }
    return o;
}

int verb_kernels(int argc, char **argv)
{
    static const struct option table[] = {COMMON_OPTIONS, {0, 0, 0, 0}};
    common_options common = {0};
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            printf("usage: isogram kernels [--json]\n\n"
                   "Lists the covariance functions: formula, scale and parameter with their defaults. r is "
                   "|x-y|/lengthscale,\n"
                   "d the number of coordinates, |x-y|_1 the sum of absolute differences.\n\n"
                   "      --json            for programs\n");
            return EXIT_DONE;
        }
        if (option == OPTION_WRONG || take_common_option(&common, option, optarg) < 0)
            return EXIT_USAGE;
    }
    if (common.output || common.plot)
        return misuse("kernels writes no file; %s is of no use", common.output ? "--output" : "--plot");
    if (optind < argc)
        return misuse("'%s' is one argument too many", argv[optind]);
    cJSON *report = report_new("kernels", NULL, ISG_PRECISION_DEFAULT),
          *list = cJSON_AddArrayToObject(report, "kernels");
    for (const isg_kernel *const *row = isg_kernel_list(); *row; row++) {
        cJSON_AddItemToArray(list, row_json(*row));
        if (!common.json)
            print_row(*row);
    }
    return report_finish(report, common.json);
}
