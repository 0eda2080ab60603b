// isogram verify: whether a device gives the contract's bits.
#include "report.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_QUICK = OPTION_OWN };

typedef struct listing {
    const common_options *common;
    cJSON *checks;
} listing;

static const char *verdict(isg_status status)
{
    switch (status) {
    case ISG_OK: return "equal";
    case ISG_ERR_UNTRUSTED: return "DIFFERENT";
    case ISG_ERR_UNSUPPORTED: return "not there";
    default: return "FAILED";
    }
}

static int show(void *user, const isg_verify_check *check)
{
    const listing *l = user;
    bool good = check->status == ISG_OK;
    if (!l->common->json && (!l->common->quiet || !good)) {
        printf("%-22s %-25s %-10s %-9s", check->contract, check->what, check->inputs, verdict(check->status));
        if (good)
            printf(" %8lld numbers, %s\n", (long long)check->count, check->hash);
        else
            printf(" %s\n", check->message);
        fflush(stdout);
    }
    cJSON *entry = cJSON_CreateObject();
    cJSON_AddStringToObject(entry, "contract", check->contract);
    cJSON_AddStringToObject(entry, "what", check->what);
    cJSON_AddStringToObject(entry, "inputs", check->inputs);
    cJSON_AddStringToObject(entry, "status", good ? "ok" : isg_status_name(check->status));
    if (*check->hash)
        cJSON_AddStringToObject(entry, "hash", check->hash);
    if (*check->message)
        cJSON_AddStringToObject(entry, "message", check->message);
    cJSON_AddNumberToObject(entry, "count", (double)check->count);
    cJSON_AddNumberToObject(entry, "seconds", check->seconds);
    cJSON_AddItemToArray(l->checks, entry);
    return 0;
}

static void log_line(void *user, isg_log_level level, const char *message)
{
    (void)user;
    (void)level;
    warn("%s", message);
}

int verb_verify(int argc, char **argv)
{
    static const struct option table[] = {{"quick", no_argument, 0, OPTION_QUICK}, COMMON_OPTIONS, {0, 0, 0, 0}};
    common_options common = {0};
    bool quick = false;
    for (int option; (option = next_option(argc, argv, table)) != -1;) {
        if (option == OPTION_HELP) {
            printf(
                "usage: isogram verify [--quick] [--device SPEC] [--json]\n\n"
                "Computes known inputs on a device, in every precision and arithmetic, and compares the bits with the\n"
                "golden hashes of this version's contract. Exit status 0: all are equal.\n\n"
                "      --quick                fewer and smaller inputs, some seconds\n"
                "      --device SPEC          auto, gpu, cpu, accelerator, PLATFORM:DEVICE or a part of a name\n"
                "      --precision P          only f32 or f64\n"
                "      --arithmetic A         only fused or unfused\n"
                "      --json                 for programs\n"
                "      --quiet                only what is wrong\n"
                "      --verbose              say what the library does\n");
            return EXIT_DONE;
        }
        if (option == OPTION_QUICK)
            quick = true;
        else if (option == OPTION_WRONG || take_common_option(&common, option, optarg) < 0)
            return EXIT_USAGE;
    }
    if (common.output || common.plot)
        return misuse("verify writes no file; %s is of no use", common.output ? "--output" : "--plot");
    if (optind < argc)
        return misuse("'%s' is one argument too many", argv[optind]);

    isg_error error = {ISG_OK, ""};
    isg_verify_summary summary;
    cJSON *report = report_new("verify", NULL, ISG_PRECISION_DEFAULT);
    listing l = {&common, cJSON_AddArrayToObject(report, "checks")};
    const isg_context_params *context = isg_context_params(.device = common.device, .arithmetic = common.arithmetic,
                                                           .log = common.verbose ? log_line : NULL, .error = &error);
    isg_status st = isg_verify(
        isg_verify_params(.context = context, .precision = common.precision, .quick = quick, .each = show, .user = &l),
        &summary);
    if (*summary.device.name)
        cJSON_AddItemToObject(report, "device", report_device(&summary.device));
    cJSON_AddBoolToObject(report, "quick", quick);
    cJSON_AddStringToObject(report, "status", st ? isg_status_name(st) : "ok");
    cJSON_AddNumberToObject(report, "equal", summary.equal);
    cJSON_AddNumberToObject(report, "different", summary.different);
    cJSON_AddNumberToObject(report, "unsupported", summary.unsupported);
    cJSON_AddNumberToObject(report, "failed", summary.failed);
    if (!common.json && *summary.device.name)
        printf("%s: %d equal, %d different, %d failed, %d not there\n", summary.device.name, (int)summary.equal,
               (int)summary.different, (int)summary.failed, (int)summary.unsupported);
    int code = report_finish(report, common.json);
    return code ? code : st ? complain("%s", error.message) : EXIT_DONE;
}
