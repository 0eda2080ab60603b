// isogram kernels: the registry of covariance functions.
#include "report.h"
#include "verbs.h"

#include <stdio.h>

static const char *scale_words(const isg_kernel *row)
{
    switch (row->scale) {
    case ISG_SCALE_GAMMA: return "gamma, sigma or lengthscale (gamma = 1/d)";
    case ISG_SCALE_RATE: return "gamma (1/d)";
    case ISG_SCALE_LENGTHSCALE: return "lengthscale, sigma or gamma (lengthscale = 1)";
    default: return "none";
    }
}

static void print_row(const isg_kernel *row)
{
    printf("%s\n    %s\n    scale: %s\n", row->name, row->summary, scale_words(row));
    if (row->param.name)
        printf("    %s > 0: %s (%g)\n", row->param.name, row->param.summary, row->param.fallback);
    for (int i = 0; i < 4 && row->aliases[i]; i++)
        printf("%s%s", i ? ", " : "    also called ", row->aliases[i]);
    if (row->aliases[0])
        printf("\n");
}

static cJSON *row_json(const isg_kernel *row)
{
    cJSON *o = cJSON_CreateObject(), *aliases = cJSON_AddArrayToObject(o, "aliases");
    cJSON_AddStringToObject(o, "name", row->name);
    cJSON_AddStringToObject(o, "formula", row->summary);
    cJSON_AddStringToObject(o, "scale", scale_words(row));
    for (int i = 0; i < 4 && row->aliases[i]; i++)
        cJSON_AddItemToArray(aliases, cJSON_CreateString(row->aliases[i]));
    if (row->param.name) {
        cJSON *param = cJSON_AddObjectToObject(o, "param");
        cJSON_AddStringToObject(param, "name", row->param.name);
        cJSON_AddStringToObject(param, "summary", row->param.summary);
        cJSON_AddNumberToObject(param, "default", row->param.fallback);
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
